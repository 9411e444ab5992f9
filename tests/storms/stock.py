"""The fourth book: what lies in the slots of the machines, and what we show of it. People come by
and fill them meanwhile; machines count for themselves, over a network that loses and repeats."""

import asyncio
import random
from typing import Any, NamedTuple

import msgspec

from coinslot.app.demo_world import DEMO_MACHINES, SHELF
from coinslot.fleet.config import Editor
from coinslot.stock.visits import NewVisit, VisitLine, visit
from tests.storms.chronicle import Chronicle
from tests.storms.history import Event
from tests.storms.pace import STOCK
from tests.storms.town import AWAY, Town

# A machine of the simple dialect has no journal: it counts nothing.
COUNTS = tuple(machine for machine in DEMO_MACHINES if machine.dialect == "leased")
WITHIN_S = 30.0
LOOK_S = 0.5


class Breach(NamedTuple):
    """A slot that does not hold what we show."""

    slot: str
    why: str

    def __str__(self) -> str:
        return f"stock is what lies there: {self.slot}: {self.why}"


def refills(dice: random.Random, seconds: float, count: int) -> list[Event]:
    """Somebody fills a machine and says so, or only looks into it, or only fills it."""
    return [
        Event(round(dice.uniform(0, seconds), 2), "refill", dice.choice(COUNTS).code,
              {"fills": dice.random() < 0.7, "says": dice.random() < 0.7})
        for _ in range(count)
    ]  # fmt: skip


async def refill(town: Town, chronicle: Chronicle, code: str, *, fills: bool, says: bool) -> None:
    """What a person says at this moment is often wrong: cans fall while they count."""
    if fills:
        await town.ask("POST", f"/machines/{code}/fault", {"refill": True})
        chronicle.counts["a machine is filled"] += 1
    if says:
        merchant = town.world.known.merchants[_merchant_of(code)]
        lines = [VisitLine(slot=goods.slot, after=STOCK) for goods in SHELF]
        await visit(town.context, Editor(merchant, "boris"), code, NewVisit(slots=lines))
        chronicle.counts["a refill is recorded"] += 1


def _merchant_of(code: str) -> str:
    return next(machine.merchant for machine in DEMO_MACHINES if machine.code == code)


async def compared(town: Town, ends: dict[str, int]) -> list[Breach]:
    """Once nothing is open, every machine counts again within seconds: then each slot that counts
    holds what we show, to the last can."""
    loop = asyncio.get_running_loop()
    until = loop.time() + WITHIN_S
    while True:
        try:
            wrong = await _wrong(town)
        except AWAY as error:
            wrong = [Breach("all of them", repr(error))]
        if not wrong or loop.time() > until:
            break
        await asyncio.sleep(LOOK_S)
    ends["slots hold what we show"] = len(COUNTS) * len(SHELF) - len(wrong)
    return wrong


async def _wrong(town: Town) -> list[Breach]:
    rows = await town.rows("SELECT outlet_id, slot, stock, other_product FROM slots")
    shown = {(row["outlet_id"], row["slot"]): row["stock"] for row in rows}
    uncounted = {(row["outlet_id"], row["slot"]) for row in rows if row["other_product"]}
    found = []
    for machine in COUNTS:
        path = town.machines / machine.code / "state.json"
        state = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        for slot, lies in state["slots"].items():
            said = shown.get((machine.code, slot))
            # Of a slot that got another product only a person can say what lies there.
            due = 0 if (machine.code, slot) in uncounted else lies
            if said is not None and said != due:
                found.append(Breach(f"{machine.code} {slot}", f"{due} lie there, we show {said}"))
    return found
