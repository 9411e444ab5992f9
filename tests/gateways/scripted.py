"""A wire without a network: it gives answers in turn, the last one for ever, and keeps the calls.

What HTTP makes of bytes is tried over sockets (`canned.py`); this is for the many answers of which
only the reading counts."""

from typing import cast

import msgspec

from coinslot.gateways.wire import Call, NoReply, Reply, Wire
from coinslot.kit.clock import SystemClock
from tests.gateways.canned import Canned


class ScriptedWire:
    """As much of a `Wire` as a driver uses."""

    def __init__(self, *answers: Canned) -> None:
        self.there = SystemClock()
        self.calls: list[Call] = []
        self._answers = answers

    async def send(self, call: Call) -> Reply | NoReply:
        canned = self._answers[min(len(self.calls), len(self._answers) - 1)]
        self.calls.append(call)
        if not canned.status or canned.status >= 500:
            return NoReply(f"HTTP {canned.status}")
        body = msgspec.json.decode(msgspec.json.encode(canned.body))
        return Reply(canned.status, body)

    @property
    def paths(self) -> list[str]:
        return [call.path for call in self.calls]


def scripted(*answers: Canned) -> tuple[Wire, ScriptedWire]:
    """The same twice: as the driver takes it, and as a test looks at it."""
    made = ScriptedWire(*answers)
    return cast(Wire, made), made
