"""The emulated mail server: what the standard library's client brings it, and what it refuses."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from itertools import count
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.ports import free_port
from tests.sandbox.running import SandboxProcess

numbers = count(1)
WELL: dict[str, Any] = {
    "refuse": None, "busy": None, "slow_ms": 0, "slow_content_ms": 0, "drop": None, "utf8": True,
    "mailboxes": {},
}  # fmt: skip


class Post:
    """A mail server and an address of the test's own at it."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.port: int = sandbox.config["smtp"]["port"]
        self.to = f"asha{next(numbers)}@shop.example"
        self.fault(**WELL)
        sandbox.weather(api={"error_5xx": 0, "drop_response": 0, "latency_ms": 0}, seed=1)

    def fault(self, **wanted: Any) -> None:
        self.sandbox.ask("POST", "/smtp/fault", wanted)

    def client(self, timeout: float = 5) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, local_hostname="test", timeout=timeout)

    def send(self, message: EmailMessage | None = None, *, timeout: float = 5) -> None:
        with self.client(timeout) as client:
            client.send_message(message or self.message())

    def message(self, **headers: str) -> EmailMessage:
        message = EmailMessage()
        wanted = {"From": "cafe@shop.example", "To": self.to, "Subject": "Заказ 42 готов"}
        for name, value in (wanted | headers).items():
            message[name] = value
        message.set_content("Код 482913\n.\n..конец\n")
        return message

    def raw(self, *words: bytes) -> bytes:
        """What is answered to these bytes, until it hangs up or falls silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
            came = b""
            try:
                for word in (b"", *words):
                    line.sendall(word)
                    came += line.recv(10_000)
                line.shutdown(socket.SHUT_WR)
                while part := line.recv(10_000):
                    came += part
            except OSError:
                pass
            return came

    @property
    def mails(self) -> list[dict[str, Any]]:
        rows = self.sandbox.ask("GET", "/books")["smtp"]
        return [row for row in rows if row["to"] == self.to]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    folder = tmp_path_factory.mktemp("smtp")
    section = {"port": free_port(), "largest_bytes": 20_000}
    with SandboxProcess(folder / "s", folder / "m", smtp=section) as sandbox:
        yield sandbox


@pytest.fixture
def post(kept: SandboxProcess) -> Post:
    return Post(kept)


def test_a_mail_is_in_the_book_as_its_reader_sees_it(post: Post) -> None:
    message = post.message(**{"Message-ID": "<n1@cafe>"})
    message.add_alternative("<p>Код</p>", subtype="html")
    post.send(message)
    (mail,) = post.mails
    assert (mail["subject"], mail["from"]) == ("Заказ 42 готов", "cafe@shop.example")
    assert mail["text"] == "Код 482913\n.\n..конец\n"
    assert mail["html"].strip() == "<p>Код</p>"
    assert mail["message_id"] == "<n1@cafe>"


def test_each_recipient_has_a_mail_of_his_own(post: Post) -> None:
    with post.client() as client:
        client.sendmail("a@a.example", [post.to, "boris@shop.example"], "Subject: x\n\nx\n")
    assert len(post.mails) == 1


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ({"refuse": "greeting"}, smtplib.SMTPConnectError, 554),
        ({"busy": "greeting"}, smtplib.SMTPConnectError, 421),
        ({"refuse": "sender"}, smtplib.SMTPSenderRefused, 550),
        ({"busy": "sender"}, smtplib.SMTPSenderRefused, 451),
        ({"refuse": "data"}, smtplib.SMTPDataError, 554),
        ({"busy": "data"}, smtplib.SMTPDataError, 451),
        ({"busy": "content"}, smtplib.SMTPDataError, 451),
    ],
)
def test_a_mail_is_refused_at_any_step_and_then_not_kept(
    post: Post, fault: dict[str, Any], error: type[smtplib.SMTPResponseException], code: int
) -> None:
    post.fault(**fault)
    with pytest.raises(error) as caught:
        post.send()
    assert caught.value.smtp_code == code
    assert post.mails == []


@pytest.mark.parametrize("code", [450, 550])
def test_a_mailbox_is_refused_by_its_code(post: Post, code: int) -> None:
    post.fault(mailboxes={post.to: code})
    with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
        post.send()
    assert caught.value.recipients[post.to][0] == code
    assert post.mails == []


def test_a_broken_connection_says_nothing_of_the_mail(post: Post) -> None:
    for drop, mails in (("before_content", 0), ("after_content", 1)):
        post.fault(drop=drop)
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            post.send()
        assert len(post.mails) == mails
    post.fault(drop=None, refuse="connection")
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        post.send()


def test_an_answer_may_come_too_late_for_a_mail_that_was_kept(post: Post) -> None:
    post.fault(slow_content_ms=2_000)
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        post.send(timeout=0.3)
    assert len(post.mails) == 1


def test_the_weather_reaches_mail_too(post: Post) -> None:
    post.sandbox.weather(api={"error_5xx": 1})
    with pytest.raises(smtplib.SMTPDataError):
        post.send()
    assert post.mails == []
    post.sandbox.weather(api={"error_5xx": 0, "drop_response": 1})
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        post.send()
    assert len(post.mails) == 1


def test_a_mail_that_is_too_large_is_refused(post: Post) -> None:
    large = post.message()
    large.set_content("x" * 70 + "\n" * 30_000)
    with pytest.raises(smtplib.SMTPSenderRefused) as caught:
        post.send(large)
    assert caught.value.smtp_code == 552
    lies = (b"EHLO a\r\n", b"MAIL FROM:<a@a.example>\r\n",
            f"RCPT TO:<{post.to}>\r\n".encode(), b"DATA\r\n",
            (b"x" * 70 + b"\r\n") * 400 + b".\r\n")  # fmt: skip
    assert b"\r\n552 " in post.raw(*lies)
    assert post.mails == []


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r\n"])
def test_no_second_mail_is_smuggled_in_by_a_bare_line_feed(post: Post, end: bytes) -> None:
    to = f"RCPT TO:<{post.to}>\r\n".encode()
    second = b"MAIL FROM:<b@b.example>\r\n" + to + b"DATA\r\nSubject: 2\r\n\r\n2\r\n.\r\n"
    said = post.raw(
        b"EHLO a\r\n", b"MAIL FROM:<a@a.example>\r\n", to, b"DATA\r\n",
        b"Subject: 1\r\n\r\n1" + end + second,
    )  # fmt: skip
    assert b"\r\n550 5.6.11" in said
    assert post.mails == []


def test_the_order_of_commands_is_kept(post: Post) -> None:
    for words in (
        [b"MAIL FROM:<a@a.example>\r\n"],
        [b"EHLO a\r\n", b"RCPT TO:<a@a.example>\r\n"],
        [b"EHLO a\r\n", b"MAIL FROM:<a@a.example>\r\n", b"DATA\r\n"],
        [b"EHLO a\r\n", b"STARTTLS\r\n"],
        [b"EHLO a\r\n", b"AUTH PLAIN AAAA\r\n"],
        [b"EHLO \r\n"],
        [b"FLY\r\n"],
        [b"EHLO a\n\r\n"],
        [b"\xff\xfe\r\n"],
        [b"EHLO a\r\n", b"MAIL FROM:<a@a.example> SIZE=x\r\n"],
        [b"EHLO a\r\n", "MAIL FROM:<ж@a.example>\r\n".encode()],
    ):
        assert post.raw(*words).splitlines()[-1][:2] in (b"50", b"55"), words


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    words=st.lists(
        st.sampled_from(
            [b"EHLO a\r\n", b"MAIL FROM:<a@a.example>\r\n", b"DATA\r\n", b".\r\n", b"QUIT\r\n",
             b"RCPT TO:<>\r\n", b"RSET\r\n", b"AUTH LOGIN\r\n", b"A" * 3_000 + b"\r\n"]
        )
        | st.binary(max_size=30),
        max_size=5,
    )
)  # fmt: skip
def test_whatever_is_said_the_next_one_is_served(post: Post, words: list[bytes]) -> None:
    post.raw(b"".join(words))
    post.send()
    assert post.mails


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff\r\n", b"Subject: =?utf-8?b?////?=\r\n\r\nx\r\n",
     b"Content-Type: text/plain; charset=no-such\r\n\r\n\xff\r\n",
     b"Content-Type: multipart/mixed\r\n\r\n--\r\n", b"To: <<<>>>,;:\r\nFrom: @\r\n\r\n\r\n"],
)  # fmt: skip
def test_a_mail_of_any_form_is_kept(post: Post, content: bytes) -> None:
    with post.client() as client:
        client.sendmail("a@a.example", [post.to], content)
    assert len(post.mails) == 1


@pytest.mark.parametrize("wrong", [{"refuse": "all"}, {"mailboxes": {"a": 200}}, {"colour": 1}])
def test_faults_that_there_are_not_are_refused(post: Post, wrong: dict[str, Any]) -> None:
    assert post.sandbox.http.post("/smtp/fault", json=wrong).status_code == 400


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """A server that wants TLS first and a login then."""
    tmp_path = tmp_path_factory.mktemp("locked")
    section = {"port": free_port(), "starttls": True, "users": {"cafe": "smtp-password"}}
    with SandboxProcess(tmp_path / "s", tmp_path / "m", smtp=section) as sandbox:
        yield Post(sandbox)


def test_a_login_goes_over_tls_alone(locked: Post) -> None:
    trust = ssl.create_default_context(cadata=locked.sandbox.http.get("/smtp/certificate").text)
    with locked.client() as client:
        with pytest.raises(smtplib.SMTPSenderRefused) as caught:
            client.sendmail("a@a.example", [locked.to], "x")
        assert caught.value.smtp_code == 530
        client.starttls(context=trust)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("cafe", "wrong")
        client.login("cafe", "smtp-password")
        client.send_message(locked.message())
    assert len(locked.mails) == 1


def test_what_was_said_before_tls_is_not_believed_after_it(locked: Post) -> None:
    trust = ssl.create_default_context(cadata=locked.sandbox.http.get("/smtp/certificate").text)
    with socket.create_connection(("127.0.0.1", locked.port), timeout=2) as line:
        line.recv(1_000)
        line.sendall(b"EHLO a\r\n")
        line.recv(1_000)
        line.sendall(b"STARTTLS\r\nEHLO injected\r\n")
        assert line.recv(1_000).startswith(b"220")
        with pytest.raises(OSError, match=r".*"):  # an SSLError, or the connection is gone
            trust.wrap_socket(line, server_hostname="127.0.0.1")


def test_a_login_is_refused_in_plain_text(locked: Post) -> None:
    assert locked.raw(b"EHLO a\r\n", b"AUTH PLAIN AGNhZmUAc210cC1wYXNzd29yZA==\r\n").endswith(
        b"503 5.5.1 not now\r\n"
    )


def test_mails_and_faults_outlive_a_kill_and_the_port_can_change(kept: SandboxProcess) -> None:
    post = Post(kept)
    post.send()
    post.fault(busy="content")
    kept.kill()
    kept.start()
    with pytest.raises(smtplib.SMTPDataError):
        post.send()
    assert len(post.mails) == 1
    before, post.port = post.port, free_port()
    kept.config["smtp"]["port"] = post.port
    kept.reload()
    post.fault(busy=None)
    kept.ask("GET", "/books")
    for _ in range(100):
        try:
            post.send()
            break
        except ConnectionRefusedError:
            kept.ask("GET", "/books")
    assert len(post.mails) == 2
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", before), timeout=1)
