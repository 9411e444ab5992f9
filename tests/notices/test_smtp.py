"""What is special to mail: how far it came says what silence means; and what it looks like."""

from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.kit.clock import SettableClock
from coinslot.notices.base import Cause, Form, Refused, Sent, Stage, Unclear
from coinslot.notices.smtp import Smtp
from tests.notices.rigs import NOW, SmtpRig, notice

EMAIL = Form.EMAIL


async def send(post: SmtpRig, **more: Any) -> Any:
    return await post.driver.send(EMAIL, notice(post, **more))


def other(post: SmtpRig, **more: Any) -> Smtp:
    return Smtp(replace(post.settings, **more), SettableClock(NOW))


async def test_a_mail_carries_its_key_so_that_a_repeated_one_is_known(post: SmtpRig) -> None:
    answer = await send(post, key="receipt-42", html="<p>Готово</p>", subject="Заказ 42 ☕")
    assert answer == Sent(reference="<receipt-42@shop.example>", stage=Stage.SENT)
    (mail,) = post.mails()
    assert mail["message_id"] == "<receipt-42@shop.example>"
    assert (mail["subject"], mail["from"]) == ("Заказ 42 ☕", "cafe@shop.example")
    assert (mail["text"].strip(), mail["html"].strip()) == ("Order A42 is ready", "<p>Готово</p>")


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ({"refuse": "greeting"}, Cause.ACCOUNT),
        ({"refuse": "sender"}, Cause.ACCOUNT),
        ({"refuse": "data"}, Cause.CONTENT),
        ({"refuse": "connection"}, Cause.UNREACHED),
        ({"busy": "greeting"}, Cause.BUSY),
        ({"busy": "sender"}, Cause.BUSY),
        ({"busy": "recipient"}, Cause.BUSY),
        ({"busy": "data"}, Cause.BUSY),
        ({"busy": "content"}, Cause.BUSY),
        ({"slow_ms": 3_000}, Cause.UNREACHED),
    ],
)
async def test_a_refusal_at_any_step_sent_nothing(
    post: SmtpRig, fault: dict[str, Any], cause: Cause
) -> None:
    post.fault(**fault)
    answer = await send(post)
    assert isinstance(answer, Refused)
    assert answer.cause is cause
    assert post.mails() == []


@pytest.mark.parametrize(
    ("fault", "mails"),
    [({"drop": "before_content"}, 0), ({"drop": "after_content"}, 1),
     ({"slow_content_ms": 4_000}, 1)],
)  # fmt: skip
async def test_silence_after_the_content_began_is_unclear(
    post: SmtpRig, fault: dict[str, Any], mails: int
) -> None:
    post.fault(**fault)
    assert isinstance(await send(post), Unclear)
    assert len(post.mails()) == mails


async def test_a_subject_cannot_add_a_header_or_a_recipient(post: SmtpRig) -> None:
    for subject in ("a\r\nBcc: chandra@shop.example", "a\nX: y", "a\rX: y"):
        answer = await send(post, subject=subject)
        assert isinstance(answer, Refused)
        assert answer.cause is Cause.CONTENT
    for key in ("a b", "a>\r\nX: y", "", "x" * 300):
        assert isinstance(await send(post, key=key), Refused)
    assert post.mails() == []


async def test_lines_that_look_like_commands_stay_text(post: SmtpRig) -> None:
    text = "one\n.\nQUIT\n..two\nFrom here on\n"
    assert isinstance(await send(post, text=text), Sent)
    (mail,) = post.mails()
    assert mail["text"] == text


async def test_an_address_in_other_letters_needs_a_server_that_takes_it(post: SmtpRig) -> None:
    post.to = "аша@пример.example"
    assert isinstance(await send(post), Sent)
    assert len(post.mails()) == 1
    post.fault(utf8=False)
    answer = await send(post)
    assert isinstance(answer, Refused)
    assert answer.cause is Cause.RECIPIENT


async def test_a_certificate_that_is_not_trusted_ends_it_before_the_password(
    post: SmtpRig,
) -> None:
    answer = await other(post, trusted="").send(EMAIL, notice(post))
    assert isinstance(answer, Refused)
    assert answer.cause is Cause.ACCOUNT
    plain = await other(post, security="none", user="").send(EMAIL, notice(post))
    assert isinstance(plain, Refused)
    assert (plain.cause, plain.code) == (Cause.ACCOUNT, "530")
    assert post.mails() == []


async def test_tls_from_the_start_at_a_server_without_it_sends_nothing(post: SmtpRig) -> None:
    answer = await other(post, security="tls").send(EMAIL, notice(post))
    assert isinstance(answer, Refused)
    assert post.mails() == []


async def test_a_password_is_not_said_without_tls(post: SmtpRig) -> None:
    answer = await other(post, security="none").send(EMAIL, notice(post))
    assert isinstance(answer, Refused)
    assert "smtp-password" not in answer.reason + repr(post.settings)


async def test_a_sender_has_a_name(post: SmtpRig) -> None:
    driver = other(post, sender_name="Café Asha")
    assert isinstance(await driver.send(EMAIL, notice(post)), Sent)
    driver = other(post, sender_name='a"\r\nBcc: x@y.example')
    assert isinstance(await driver.send(EMAIL, notice(post)), Refused)
    assert len(post.mails()) == 1
