"""A practice machine beside Asha's real one, played over the real edge and a real database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from coinslot.app.machine_bridge import EdgeLink, MachineBridge
from coinslot.channels.practice import Practice
from coinslot.channels.practice_machine import Broken, PracticeState
from coinslot.device.edge import Edge, EdgeOptions
from coinslot.fleet import onboarding, practice
from coinslot.fleet.config import Editor
from coinslot.fleet.enrolment import DeviceAddresses
from coinslot.fleet.planning import NewMachine, NewSlot
from coinslot.gateways.base import PaymentFact
from coinslot.kit.money import Money
from coinslot.payments import provision
from tests.sales.conftest import stage as stage  # the books are closed after each test
from tests.sales.stage import MockAccounts, Stage

MACHINE = "P01"
PATIENCE_S = 20.0


@dataclass
class Practised:
    """The stage with a practice machine."""

    stage: Stage
    qr_code_id: str = ""
    paid: int = 0

    @asynccontextmanager
    async def played(
        self,
        run_s: float = 0.0,
        kept: practice.KeptMachines | None = None,
        channel: Practice | None = None,
    ) -> AsyncIterator[Practice]:
        """A process that plays it, until it is killed."""
        context, clock = self.stage.context, self.stage.clock
        channel = channel or Practice(kept or self.kept(), clock, run_s=run_s)
        line = EdgeLink([channel])
        edge = Edge(MachineBridge(context), [channel], clock, EdgeOptions(heartbeats_every_s=0.02))
        line.edge, context.line = edge, line
        task = asyncio.create_task(edge.run())
        try:
            await self.until(lambda: self._is_online(channel))
            yield channel
        finally:
            task.cancel()
            await asyncio.wait({task})

    def kept(self) -> practice.KeptMachines:
        """The store of another process."""
        return practice.KeptMachines(self.stage.context.db, self.stage.context.vault)

    async def _is_online(self, channel: Practice) -> bool:
        heard = await self.stage.value(
            "SELECT last_seen_at FROM devices WHERE outlet_id = $1 AND journal_id IS NOT NULL",
            MACHINE,
        )
        return channel.reaches(MACHINE) and heard is not None

    async def pay(self) -> PaymentFact:
        """A customer pays its code, and the gateway tells it."""
        self.paid += 1
        fact = await self.stage.gateway.pay(
            f"practice_{self.paid}", Money(4000, "INR"), qr_code_id=self.qr_code_id
        )
        assert isinstance(fact, PaymentFact)
        await self.stage.webhook(fact)
        await self.stage.sweep("fulfillments")
        return fact

    async def break_it(self, broken: Broken, channel: Practice | None = None) -> None:
        editor = Editor(self.stage.merchant, "boris")
        await practice.set_broken(self.stage.context, editor, MACHINE, broken)
        if channel is not None:
            channel.changed.set()

    async def state(self) -> PracticeState:
        found = await practice.look(self.stage.context, self.stage.merchant, MACHINE)
        assert found is not None
        return found.state

    async def units(self) -> list[dict[str, Any]]:
        return await self.stage.rows(
            "SELECT * FROM fulfillments WHERE outlet_id = $1 ORDER BY queued_at, id", MACHINE
        )

    async def settled(self, number: int = 1) -> dict[str, Any]:
        """The unit of this number, once it is settled."""

        async def found() -> bool:
            units = await self.units()
            return len(units) >= number and units[number - 1]["settlement"] is not None

        await self.until(found)
        return (await self.units())[number - 1]

    async def until(self, happened: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not await happened():  # noqa: ASYNC110  a row in a database is no event
                await asyncio.sleep(0.01)


@pytest.fixture
async def practised(stage: Stage) -> Practised:
    stage.account = msgspec.structs.replace(stage.account, live=False)
    stage.context.accounts = MockAccounts(stage.account)
    made = Practised(stage)
    slot = NewSlot(slot="A1", sku="cola", stock=10, par=10)
    wanted = NewMachine(code=MACHINE, name="Practice", channel="practice", slots=[slot])
    editor = Editor(stage.merchant, "asha")
    await onboarding.onboard(stage.context, editor, [wanted], DeviceAddresses())
    made.qr_code_id = str((await provision.print_qr(stage.context, MACHINE, None)).qr_code_id)
    return made
