"""What every channel states and is asked: how commands reach machines, and what can be promised
about it.

Assume loss, delay, repetition, reordering and corruption. Starting without a network is normal."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from msgspec import Struct

PRACTICE: Final = "practice"  # the channel of machines that have no goods, only drawn ones


class Powers(Struct, frozen=True, kw_only=True):
    """What a channel with one kind of machine can do."""

    idempotent_command: bool = False  # the machine keeps a journal: a repeated command runs once
    status_query: bool = False
    result_push: bool = False
    expiry: bool = False  # a command expires by itself: the lease
    cancel: bool = False
    evidence: bool = False  # a tested sensor, or a person against a code


class Guarantee(StrEnum):
    """The classes of docs/vend-protocol.md, strongest last."""

    G0 = "G0"
    G1 = "G1"
    G2 = "G2"
    G3 = "G3"


def guarantee(powers: Powers) -> Guarantee:
    """The strongest class that these powers allow."""
    if powers.idempotent_command and powers.status_query and powers.expiry:
        return Guarantee.G3 if powers.evidence else Guarantee.G2
    if powers.result_push and powers.status_query:
        return Guarantee.G1
    return Guarantee.G0


class Sending(StrEnum):
    """What became of one message down. SENT means handed to the transport, nothing more."""

    SENT = "sent"
    UNREACHABLE = "unreachable"  # provably not sent: not connected here


class Login(Struct, frozen=True):
    """What a machine shows when it connects."""

    outlet: str
    secret: str


class Inbox(Protocol):
    """Where a channel delivers what machines send; the edge gives one to each channel."""

    async def admitted(self, login: Login) -> bool:
        """Whether this machine may connect."""
        ...

    async def connected(self, outlet: str, channel: str) -> None: ...

    async def disconnected(self, outlet: str, channel: str) -> None: ...

    async def heartbeat(self, outlet: str) -> None:
        """The machine is alive."""
        ...

    async def received(
        self, outlet: str, message: Mapping[str, object] | bytes, at: datetime
    ) -> None:
        """One message from a machine, JSON as text or parsed. The outlet is the authenticated one,
        never the one that the body names. Nothing a machine sends makes this raise."""
        ...

    def wants(self, outlet: str, kind: str) -> bool:
        """Whether a report of this kind (`reports.KINDS`) is to be passed on now; asked before it
        waits in a queue, and counted as one of this machine's."""
        ...

    async def reported(
        self, outlet: str, kind: str, body: Mapping[str, object] | bytes, at: datetime
    ) -> None:
        """One report of a machine, as with `received`."""
        ...


class Channel(Protocol):
    """One way to machines. Drivers are found by being in the folder."""

    name: ClassVar[str]
    powers: ClassVar[Mapping[str, Powers]]  # by dialect: "leased", "simple", ...

    def reaches(self, outlet: str) -> bool:
        """Whether a message to this machine would leave this process now."""
        ...

    async def send(self, outlet: str, message: Mapping[str, object]) -> Sending:
        """Send one message down, once."""
        ...

    async def run(self, inbox: Inbox) -> None:
        """Connect, listen and reconnect until cancelled."""
        ...
