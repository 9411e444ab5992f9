"""What every driver of notices states and is asked: forms, facts, answers, reports.

A driver retries nothing, logs nothing, stores nothing. What it does not know is `Unclear`: sent
again, the notice may come twice, so the core looks first, where that can be done."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from msgspec import Struct

from coinslot.kit.clock import Clock


class Form(StrEnum):
    """How a notice reaches a person."""

    SMS = "sms"
    CALL = "call"
    EMAIL = "email"
    PUSH = "push"


class Powers(Struct, frozen=True, kw_only=True):
    """What a driver can do with one form."""

    most_chars: int  # of the text
    looks: bool = False  # it can be asked how one ended: `Looks`
    priced: bool = False  # its reports say what a notice cost
    proves_delivery: bool = False  # DELIVERED is the word of the phone, not of a server on the way


class Notice(Struct, frozen=True, kw_only=True):
    """One notice to one person. `key` is its row's own; it becomes a mail's Message-ID.

    `callback` is where its end is to be told; `valid_s` how long it is worth delivering."""

    key: str
    to: str  # a number by E.164, or an address
    text: str
    subject: str = ""
    html: str = ""
    language: str = "en"
    link: str = ""  # where a push leads; a mail has it in its text
    valid_s: int = 3_600
    callback: str | None = None
    keys_to: str | None = None  # of a call: where keys that its listener presses are to be told
    press: str = ""  # what is said about these keys


class Stage(StrEnum):
    """How far a notice has come."""

    QUEUED = "queued"
    SENT = "sent"  # it left; some ways never tell more
    DELIVERED = "delivered"  # the phone has it, or somebody answered the call
    FAILED = "failed"


_RANK = {Stage.QUEUED: 0, Stage.SENT: 1, Stage.DELIVERED: 2, Stage.FAILED: 2}


def is_newer(told: Stage, known: Stage) -> bool:
    """Whether a report moves a notice on: reports come in any order, and an end stays."""
    return _RANK[told] > _RANK[known]


class Cause(StrEnum):
    """Whose fault a refusal is, and so what helps."""

    RECIPIENT = "recipient"  # never again to this address
    OPTED_OUT = "opted_out"  # this person wants none: never again in this form
    CONTENT = "content"  # never again with this text
    ACCOUNT = "account"  # the settings are wrong: an operator must act
    BUSY = "busy"  # later again
    UNREACHED = "unreached"  # the service was not reached: later again


class Sent(Struct, frozen=True, kw_only=True):
    """The service has taken the notice, and calls it by this reference."""

    reference: str
    stage: Stage


class Refused(Struct, frozen=True, kw_only=True):
    """Nothing was sent, provably."""

    cause: Cause
    reason: str
    code: str = ""

    @property
    def permanent(self) -> bool:
        """Whether the same call can never succeed, unless settings change."""
        return self.cause not in (Cause.BUSY, Cause.UNREACHED)


class Unclear(Struct, frozen=True):
    """Time-out, 5xx, cut connection, or an answer that cannot be read: it may have been sent."""

    reason: str


class Cost(Struct, frozen=True):
    """What a notice cost, as the service wrote it: a decimal number, positive."""

    amount: str
    currency: str


class Report(Struct, frozen=True, kw_only=True):
    """What the service says of one notice. `again`: it failed for a reason that may pass."""

    reference: str
    stage: Stage
    code: str = ""
    again: bool = False
    cost: Cost | None = None


class Inbound(Struct, frozen=True, kw_only=True):
    """A person wrote back. `opts_out` says whether by this no more, or again, are wanted."""

    reference: str
    sender: str
    text: str
    opts_out: bool | None = None


class Pressed(Struct, frozen=True, kw_only=True):
    """Somebody who listens to a call pressed keys. The answer is what `Talks` says next."""

    reference: str
    keys: str


class Absent(Struct, frozen=True):
    """The service answered that there is no such notice."""


class Forged(Struct, frozen=True):
    """A callback without a signature of this account."""

    reason: str


class Unreadable(Struct, frozen=True):
    """A callback that is signed, and is not of a form that is known."""

    reason: str


class Notifier(Protocol):
    """One account at one service, made by the driver's `open`."""

    name: ClassVar[str]
    powers: ClassVar[Mapping[Form, Powers]]

    async def send(self, form: Form, notice: Notice) -> Sent | Refused | Unclear:
        """Send one notice, once."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Reports(Protocol):
    """A service that posts the end of a notice to a URL."""

    def read_callback(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> Report | Inbound | Pressed | Forged | Unreadable:
        """Check and read a callback without I/O. The URL is the public one that was given with the
        notice; names of headers are lower case."""
        ...


@runtime_checkable
class Talks(Protocol):
    """A service whose calls go on after a key was pressed."""

    def says(self, text: str, language: str) -> tuple[str, str]:
        """The media type and the body that answer a pressed key; an empty text hangs up."""
        ...


@runtime_checkable
class Looks(Protocol):
    async def look(self, form: Form, reference: str) -> Report | Absent | Unclear: ...


@runtime_checkable
class Finds(Protocol):
    async def find(
        self, form: Form, notice: Notice, since: datetime
    ) -> tuple[Report, ...] | Unclear:
        """Notices like this one that were taken since then, oldest first."""
        ...


class Driver(Protocol):
    """A module of this package is a driver when it has these."""

    name: str
    Settings: type[Struct]  # the operator's form; its secrets are `kit.secrets.Secret`

    def open(self, settings: Struct, clock: Clock) -> Notifier: ...
