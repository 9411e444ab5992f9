"""What carries messages between the kit and the device."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

VENDS = "status/dispense"

Take = Callable[[str, bytes], Awaitable[None]]  # the branch under devices/{machine}/, the payload


@dataclass
class Wire:
    """What could be seen of the device's own connections and packets."""

    client_ids: list[str] = field(default_factory=list)
    kept_sessions: int = 0  # connections that asked for a session that outlives them
    retained: set[str] = field(default_factory=set)  # topics
    other_qos: set[str] = field(default_factory=set)  # topics published with another QoS than 1


class Line(Protocol):
    """To one device."""

    wire: Wire | None  # None: the packets of this broker cannot be seen

    async def send(self, branch: str, body: bytes) -> None: ...

    def cut(self) -> bool:
        """Break the device's connection without a goodbye. False: that cannot be done here."""
        ...

    async def retained(self) -> set[str]:
        """Topics of the device under which the broker keeps a message."""
        ...
