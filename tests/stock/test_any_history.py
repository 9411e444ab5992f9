"""Any history of a machine: vends, jams, refills, counts, a new controller, and a network that
loses, repeats and reorders. Whatever it was, a count that arrives last says what lies there."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sales.by_hand import NOW, Rows

SLOT = {"outlet_id": "M01", "slot": "A1", "price_minor": 4000}
ACTS = st.lists(
    st.one_of(
        st.sampled_from(("vend", "vend", "jam", "count", "count", "fill", "swap", "swap back")),
        st.tuples(st.just("deliver"), st.integers(0, 5)),
        st.tuples(st.just("repeat"), st.integers(0, 9)),
        st.tuples(st.just("lose"), st.integers(0, 5)),
    ),
    max_size=40,
)


@dataclass
class Controller:
    journal: str
    event_seq: int = 0
    inventory_seq: int = 0


@dataclass
class World:
    """A machine whose truth is `lies`, and what is under way to the server. Results are sent until
    they arrive, and only counts get lost for good."""

    rows: Rows
    lies: int = 10
    clock: int = 0
    units: int = 0
    journals: list[Controller] = field(default_factory=lambda: [Controller("j1")])
    on_its_way: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    arrived: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def now(self) -> Controller:
        return self.journals[-1]

    def moment(self) -> datetime:
        self.clock += 1
        return NOW + timedelta(seconds=self.clock)

    async def begin(self) -> None:
        await self.rows.put("slots", **SLOT, stock=self.lies)
        await self.rows.put("devices", outlet_id="M01", journal_id="j1")

    async def vend(self, *, falls: bool) -> None:
        """GO is known to the server at once; the result is on its way."""
        if falls and self.lies == 0:
            return
        self.units += 1
        unit = UUID(int=1000 + self.units)
        self.lies -= falls
        one = self.now
        one.event_seq += 2
        at = self.moment()
        started = {"state": "started", "sent_at": at, "hard_deadline": at}
        await self.rows.put("fulfillments", id=unit, outlet_id="M01", slot="A1", open=False,
                            journal_id=one.journal, due_at=at, **started)  # fmt: skip
        line = {"type": "RESULT", "slot": "A1", "journal_id": one.journal, "unit": unit,
                "event_seq": one.event_seq, "falls": falls}  # fmt: skip
        self.on_its_way.append(("result", line))

    def count(self, cause: str = "count") -> None:
        one = self.now
        one.inventory_seq += 1
        said = {
            "journal_id": one.journal,
            "inventory_seq": one.inventory_seq,
            "cause": cause,
            "event_seq": one.event_seq,
            "slots": [{"slot": "A1", "count": self.lies}],
        }
        self.on_its_way.append(("count", said))  # fmt: skip

    def fill(self) -> None:
        """At the machine, which knows of it and says so."""
        self.lies = 20
        self.count("refill")

    async def swap(self, *, back: bool) -> None:
        """Another controller is put in, new or the one before; it says HELLO first. What the one
        that is taken out had still to tell is gone with it, or was heard."""
        await self.everything_arrives()
        if back and len(self.journals) > 1:
            self.journals.append(self.journals.pop(-2))
        else:
            self.journals.append(Controller(f"j{len(self.journals) + 1}"))
        await self.rows.conn.execute("UPDATE devices SET journal_id = $1", self.now.journal)

    async def deliver(self, at: int) -> None:
        if self.on_its_way:
            kind, said = self.on_its_way.pop(min(at, len(self.on_its_way) - 1))
            self.arrived.append((kind, said))
            await self.arrives(kind, said)

    async def arrives(self, kind: str, said: dict[str, Any]) -> None:
        if kind == "count":
            await self.rows.conn.execute(
                "SELECT take_stock_count('M01', $1, $2)", said, self.moment()
            )
            return
        told = {"type": "RESULT", "slot": "A1"}
        known = await self.rows.conn.fetchval(
            "SELECT settlement FROM fulfillments WHERE id = $1", said["unit"]
        )
        if known is None:
            await self.rows.put(
                "device_events",
                outlet_id="M01",
                journal_id=said["journal_id"],
                event_seq=said["event_seq"],
                unit_id=said["unit"],
                message=told,
            )
            await self.rows.conn.execute(
                "UPDATE fulfillments SET state = $2, settlement = $3, basis = $4, settled_at = $5,"
                " due_at = NULL WHERE id = $1", said["unit"],
                *(("vended", "fulfilled", "vended") if said["falls"]
                  else ("failed", "refund_due", "no_drop")), NOW,
            )  # fmt: skip
            await self.rows.conn.execute(
                "SELECT vending_settled($1, $2)", said["unit"], self.moment()
            )
        elif said["falls"]:
            await self.rows.conn.execute(
                "SELECT note_vend($1, 'fell', $2)", said["unit"], self.moment()
            )

    async def everything_arrives(self) -> None:
        while self.on_its_way:
            await self.deliver(0)

    async def shown(self) -> int:
        return int(await self.rows.conn.fetchval("SELECT stock FROM slots"))

    async def act(self, act: Any) -> None:
        match act:
            case "vend" | "jam":
                await self.vend(falls=act == "vend")
            case "count":
                self.count()
            case "fill":
                self.fill()
            case "swap" | "swap back":
                await self.swap(back=act == "swap back")
            case ("deliver", at):
                await self.deliver(at)
            case ("repeat", at):
                if self.arrived:
                    await self.arrives(*self.arrived[min(at, len(self.arrived) - 1)])
            case ("lose", at):
                lost = [one for one in self.on_its_way if one[0] == "count"]
                if lost:
                    self.on_its_way.remove(lost[min(at, len(lost) - 1)])
            case _:
                raise AssertionError(act)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
async def test_after_any_history_a_count_that_arrives_says_what_lies_there(
    rows: Rows, acts: list[Any]
) -> None:
    await played(rows, acts)


async def played(rows: Rows, acts: list[Any]) -> None:
    await rows.conn.execute("BEGIN")
    try:
        world = World(rows)
        await world.begin()
        for act in acts:
            await world.act(act)
        await world.everything_arrives()
        world.count()
        await world.everything_arrives()
        assert await world.shown() == world.lies
        before = world.lies
        await world.vend(falls=True)
        await world.everything_arrives()
        for kind, said in world.arrived:  # and all of it once more
            await world.arrives(kind, said)
        assert await world.shown() == world.lies == max(before - 1, 0)
    finally:
        await rows.conn.execute("ROLLBACK")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
async def test_where_nothing_is_lost_the_stock_is_right_when_all_has_arrived_in_any_order(
    rows: Rows, acts: list[Any]
) -> None:
    await rows.conn.execute("BEGIN")
    try:
        world = World(rows)
        await world.begin()
        for act in acts:
            if act[0] != "lose":
                await world.act(act)
        world.on_its_way.reverse()
        await world.everything_arrives()
        assert await world.shown() == world.lies
    finally:
        await rows.conn.execute("ROLLBACK")
