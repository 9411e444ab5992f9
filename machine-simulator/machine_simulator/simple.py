"""The simple dialect: one command, one answer, no journal; a repeated command vends again."""

import asyncio
import dataclasses
import time
from collections.abc import Coroutine
from typing import Any

from machine_simulator.files import Record
from machine_simulator.machine import Machine
from machine_simulator.physics import Sight

UNSENT_MAX = 100


class SimpleMachine(Machine):
    """As cheap controllers are: everything it knows is lost with the power."""

    _order: Record | None = None

    @property
    def idle(self) -> bool:
        return self._order is None

    def boot(self) -> None:
        self._order = None
        self._booted = time.monotonic()
        self._unsent: list[Record] = []
        self.physics.settle()

    def rhythms(self) -> list[Coroutine[Any, Any, None]]:
        return [self.every(self.timing.health_s, self._heartbeat)]

    def came_up(self) -> None:
        """Answers that found no connection go out now, in their order."""
        self._heartbeat()
        waiting, self._unsent = self._unsent, []
        for done in waiting:
            self._answer(done)
        self.draw()

    async def heed(self, message: Record) -> None:
        order_id, slot = message.get("orderId"), message.get("slot")
        if not isinstance(order_id, str) or not isinstance(slot, str):
            return
        why = "BUSY" if self._order else self.physics.refusal(slot)
        if why:
            self._answer({"orderId": order_id, "status": "FAILED", "failureCode": why})
            return
        self._order = message
        self.reached("accepted")
        self.physics.arm()
        self.reached("started")
        self.start(self._run(message))

    def step(self) -> tuple[str, str | None]:
        return ("running", self._order.get("unitId")) if self._order else ("idle", None)

    async def _run(self, order: Record) -> None:
        unit_id = order.get("unitId")
        try:
            async with asyncio.timeout(self.timing.run_bound_s):
                sight = await self.physics.turn(
                    order["slot"], unit_id, lambda: self.reached("dropped")
                )
        except TimeoutError:
            sight = dataclasses.replace(self.physics.sees(), completed=False)
        self.physics.settle()
        self.reached("recorded")
        self._order = None
        self._answer(last_word(str(order["orderId"]), sight))
        self.draw()

    def _answer(self, done: Record) -> None:
        sent = self.voice.result(done["orderId"], "machine:done", done)
        if not sent and len(self._unsent) < UNSENT_MAX:
            self._unsent.append(done)

    def _heartbeat(self) -> None:
        uptime_s = int(time.monotonic() - self._booted)
        self.voice.say("machine:heartbeat", {"machineId": self.spec.id, "uptimeS": uptime_s})


def last_word(order_id: str, sight: Sight) -> Record:
    """Without a sensor a full turn counts as success; this is what the lower class means. What the
    sensor saw fall has fallen, however long it took."""
    code = None
    if sight.latched:
        pass
    elif not sight.powered:
        code = "MOTOR"
    elif not sight.completed:
        code = "RUN_BOUND"
    elif sight.latched is False:
        code = "JAM"
    if code is None:
        return {"orderId": order_id, "status": "SUCCESS"}
    return {"orderId": order_id, "status": "FAILED", "failureCode": code}
