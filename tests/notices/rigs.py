"""A driver of notices beside the book of what really reached people, for the contract suite."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any, Literal, Protocol

from msgspec.structs import replace

from coinslot.kit.clock import SettableClock
from coinslot.kit.secrets import Secret
from coinslot.notices import mock, smtp, twilio
from coinslot.notices.base import Form, Notice, Notifier
from tests.sandbox.running import SandboxProcess

numbers = count(1)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Trouble = Literal["refused", "kept_unanswered", "busy"]


class Rig(Protocol):
    """One driver and one form, and a service that can be made to fail."""

    form: Form
    driver: Notifier
    to: str

    def trouble(self, kind: Trouble) -> None:
        """For this recipient."""
        ...

    def delivered(self) -> list[str]:
        """Texts that the service sent to this recipient."""
        ...

    def unreached(self) -> Notifier | None:
        """The same driver where nobody listens; None where there is no network."""
        ...

    def stranger(self) -> Notifier | None:
        """The same driver with a wrong password; None where there is none."""
        ...


def notice(rig: Rig, **more: Any) -> Notice:
    made = Notice(key="n-1", to=rig.to, subject="Order 42", text="Order A42 is ready")
    return replace(made, **more)


class MockRig:
    form = Form.SMS

    def __init__(self, sandbox: SandboxProcess, free_port: Callable[[], int]) -> None:
        self.mock = mock.Mock(mock.Settings(), SettableClock(NOW))
        self.driver: Notifier = self.mock
        self.to = "+14155550100"

    def trouble(self, kind: Trouble) -> None:
        ends = {"refused": "01", "kept_unanswered": "02", "busy": "04"}
        self.to = f"+141555501{ends[kind]}"

    def delivered(self) -> list[str]:
        return [box.notice.text for box in self.mock.sent if box.notice.to == self.to]

    def unreached(self) -> None:
        return None

    def stranger(self) -> None:
        return None


class TwilioRig:
    """An account of its own at the emulated Twilio."""

    form = Form.SMS

    def __init__(self, sandbox: SandboxProcess, free_port: Callable[[], int]) -> None:
        number = next(numbers)
        self.sandbox, self._free_port = sandbox, free_port
        self.to = f"+1415777{number:04d}"
        self.settings = twilio.Settings(
            account_sid=f"AC{number:032x}", auth_token=Secret(f"token-{number}"),
            sender="+15005550006", base_url=f"{sandbox.base_url}/twilio", read_s=5,
        )  # fmt: skip
        self.account()
        self.twilio = twilio.Twilio(self.settings)
        self.driver: Notifier = self.twilio

    def account(self, **more: Any) -> None:
        token = self.settings.auth_token.reveal()
        account = {"account_id": self.settings.account_sid, "auth_token": token}
        self.sandbox.ask("POST", "/twilio/accounts", account | more)

    def trouble(self, kind: Trouble) -> None:
        match kind:
            case "refused":
                wanted = {"number": self.to, "rejects": 21614}
                self.sandbox.ask("POST", "/twilio/phones", wanted)
            case "kept_unanswered":
                self.sandbox.weather(api={"drop_response": 1})
            case "busy":
                self.account(busy=True)

    def delivered(self) -> list[str]:
        rows = self.sandbox.ask("GET", "/books")["twilio"]["messages"]
        return [row["body"] for row in rows if row["to"] == self.to]

    def unreached(self) -> Notifier:
        closed = f"http://127.0.0.1:{self._free_port()}"
        return twilio.Twilio(replace(self.settings, base_url=closed))

    def stranger(self) -> Notifier:
        return twilio.Twilio(replace(self.settings, auth_token=Secret("wrong")))


class CallRig(TwilioRig):
    form = Form.CALL

    def delivered(self) -> list[str]:
        rows = self.sandbox.ask("GET", "/books")["twilio"]["calls"]
        return [row["said"] for row in rows if row["to"] == self.to]


class SmtpRig:
    """A mailbox of its own at the emulated mail server, which wants TLS and a login."""

    form = Form.EMAIL

    def __init__(self, sandbox: SandboxProcess, free_port: Callable[[], int]) -> None:
        self.sandbox, self._free_port = sandbox, free_port
        self.to = f"asha{next(numbers)}@shop.example"
        self.settings = smtp.Settings(
            host="127.0.0.1", port=sandbox.config["smtp"]["port"], sender="cafe@shop.example",
            user="cafe", password=Secret("smtp-password"), timeout_s=2,
            trusted=sandbox.http.get("/smtp/certificate").text,
        )  # fmt: skip
        well: dict[str, Any] = dict.fromkeys(("refuse", "busy", "drop"))
        well |= {"slow_ms": 0, "slow_content_ms": 0, "utf8": True, "mailboxes": {}}
        self.fault(**well)
        self.smtp = smtp.Smtp(self.settings, SettableClock(NOW))
        self.driver: Notifier = self.smtp

    def fault(self, **wanted: Any) -> None:
        self.sandbox.ask("POST", "/smtp/fault", wanted)

    def trouble(self, kind: Trouble) -> None:
        match kind:
            case "refused":
                self.fault(mailboxes={self.to: 550})
            case "kept_unanswered":
                self.fault(drop="after_content")
            case "busy":
                self.fault(mailboxes={self.to: 450})

    def mails(self) -> list[dict[str, Any]]:
        rows = self.sandbox.ask("GET", "/books")["smtp"]
        return [row for row in rows if row["to"] == self.to]

    def delivered(self) -> list[str]:
        return [mail["text"].strip() for mail in self.mails()]

    def unreached(self) -> Notifier:
        return smtp.Smtp(replace(self.settings, port=self._free_port()), SettableClock(NOW))

    def stranger(self) -> Notifier:
        return smtp.Smtp(replace(self.settings, password=Secret("wrong")), SettableClock(NOW))


Made = Callable[[SandboxProcess, Callable[[], int]], Rig]
RIGS: dict[str, Made] = {
    "mock": MockRig,
    "twilio-sms": TwilioRig,
    "twilio-call": CallRig,
    "smtp": SmtpRig,
}
