"""What is kept: messages, calls, and what is known of the phones that they go to."""

from typing import ClassVar, Literal

from sandbox.shelf import Thing

SmsEnd = Literal["delivered", "undelivered", "failed", "sent"]
CallEnd = Literal["completed", "busy", "no-answer", "failed", "rings"]
MESSAGE_ENDS = ("delivered", "undelivered", "failed", "canceled", "received")
CALL_ENDS = ("completed", "busy", "failed", "no-answer", "canceled")


class Message(Thing):
    """A text message. `body` can be redacted; `text` is what the phone shows."""

    kind: ClassVar[str] = "twilio.message"
    to: str
    sender: str | None
    service: str | None
    body: str
    text: str
    status: str
    callback: str | None = None
    segments: int = 1
    error_code: int | None = None
    sent_at: int | None = None
    updated_at: int = 0
    price: str | None = None
    inbound: bool = False
    deleted: bool = False

    @property
    def parent(self) -> str:
        return self.to


class Call(Thing):
    """A call. `said` is what the one who answers hears."""

    kind: ClassVar[str] = "twilio.call"
    to: str
    sender: str
    status: str
    twiml: str
    said: str
    callback: str | None = None
    events: tuple[str, ...] = ("completed",)
    told: int = 0
    timeout_s: int = 60
    started_at: int | None = None
    ended_at: int | None = None
    updated_at: int = 0
    duration_s: int | None = None
    price: str | None = None
    deleted: bool = False

    @property
    def parent(self) -> str:
        return self.to


class Phone(Thing):
    """How what is sent to a number ends. `rings`: until somebody answers at the sandbox."""

    kind: ClassVar[str] = "twilio.phone"
    number: str
    sms: SmsEnd = "delivered"
    error_code: int = 30003
    call: CallEnd = "completed"
    opted_out: bool = False
    rejects: int | None = None  # the code with which sending there is refused at once
