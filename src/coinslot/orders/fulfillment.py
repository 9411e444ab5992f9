"""What a way of selling brings, so that outlets of its kind sell: `payments` and `orders` take the
money, open one unit for each piece that was paid for, call the handler of the unit's kind when the
unit is due, and book how it is settled. They know no machine. tests/locker is a small kind."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Protocol
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context, Windows
from coinslot.db.due import Due
from coinslot.db.pool import Connection, Database
from coinslot.orders import store
from coinslot.orders.page_views import Progress, Story, WhyNot
from coinslot.states.transition import transition
from coinslot.states.unit_flow import UnitFlow, UnknownKindError

Unit = asyncpg.Record | Mapping[str, Any]  # a row of `fulfillments`, or one merged with others


class Owing(Struct, frozen=True):
    """A table of a kind with rows that may be due, and the verb that works one of them."""

    due: Due
    work: Callable[[Context, asyncpg.Record], Awaitable[None]]


class Testimony(Struct, frozen=True, kw_only=True):
    """What a person says became of a unit."""

    came: bool
    by: str  # CUSTOMER, or the name of a member of staff


CUSTOMER = "customer"


class Fulfillment(Protocol):
    """The handler of one kind, which `app/kinds.py` lists. Beside it a kind has a table of moves,
    `flow`, with its laws; and where it needs them a table with one row beside each unit, SQL
    functions, and texts.

    `unit` is a row of `fulfillments`, as it was when it was read.
    A process may die after any statement, and the next one is given the row when its lease ends:
    every method may be called again, and at the same time as something else moves the unit. So it
    takes the row by `lock`, commits by `transition` what it is about to do, with the `due_at` at
    which it wants to be called again, and sends after the commit. `transition` writes the columns
    of the row beside the unit too. What no method settles in time, `deadline` does.
    """

    flow: ClassVar[UnitFlow]

    # Which windows of time an outlet of this kind may have of its own.
    windows: ClassVar[frozenset[str]] = frozenset({"dispatch_s", "in_doubt_s"})

    # Whether an outlet of this kind has slots with counted stock, of which a page offers what is
    # left. Without that its room says itself what is ordered there, and for how much.
    counts_stock: ClassVar[bool] = True

    # Name -> query that must return no row: `coinslot audit` runs it beside its own. `$1` is the
    # moment before which something is late.
    checks: ClassVar[Mapping[str, str]] = MappingProxyType({})

    # Language -> name of a text in `pages/texts/words.py` -> what this kind says instead.
    texts: ClassVar[Mapping[str, Mapping[str, str]]] = MappingProxyType({})

    # Name -> a table of its own that owes something beside its units: the worker sweeps it too.
    owes: ClassVar[Mapping[str, Owing]] = MappingProxyType({})

    async def start(self, context: Context, unit: asyncpg.Record) -> None:
        """The unit is in the first state, and there is time until `dispatch_by`. Begin to hand it
        over, or `put_off` until its outlet can."""
        ...

    async def send_begun(
        self, context: Context, merchant_id: UUID, said: Mapping[str, Any]
    ) -> None:
        """Send what `flow.declared.begun` returned in the transaction that paid for it, which is
        committed; only a kind with that function is asked. A process that dies before leaves it to
        `remind`."""
        return

    async def remind(self, context: Context, unit: asyncpg.Record) -> None:
        """The unit was begun, it is due again, and there is time: send again, ask, or `put_off`.

        Before it is sent that is until `dispatch_by`, afterwards until `hard_deadline`. The move
        into a state past the point of no return writes `sent_at` by itself; give it the
        `hard_deadline` by which doubt must end."""
        ...

    async def prove(self, context: Context, unit: asyncpg.Record, said: Testimony) -> None:
        """A person says what became of the unit. Settle it where that is proof; else look for
        one: ask the machine, or a colleague. A customer says so by a button of the order's
        page."""
        ...

    async def deadline(self, context: Context, unit: asyncpg.Record) -> None:
        """Its time is over: money back where it was not sent, else doubt, else the policy. The
        same for every kind."""
        now = context.now()
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            held = await lock(conn, unit)
            if held is None or now < last_moment(held):
                return
            if held["state"] in self.flow.declared.unsent:
                extra: dict[str, object] = {"basis": "never_sent"}
            elif held["state"] == self.flow.declared.doubt:
                extra = {"basis": "policy"}
            else:
                extra = {"due_at": held["hard_deadline"]}
            await transition(conn, self.flow, held["id"], "DEADLINE", now, **extra)
        context.wakes.wake("refunds", "fulfillments")

    async def withdraw(self, context: Context, unit: asyncpg.Record) -> None:
        """The unit was begun and never sent, and its money goes back: its time was over, a person
        refunded it, or the gateway did. Tell whoever was told of it. Called until it returns."""
        return

    async def address(self, conn: Connection, outlet: str) -> str | None:
        """Where on this site one chooses what the outlet sells; None: on its own page."""
        return None

    def why_not(self, context: Context, outlet: asyncpg.Record) -> WhyNot:
        """Why the outlet cannot hand over anything now, whatever is in it. `outlet` is its row,
        with `last_seen_at` of its device."""
        return WhyNot.READY

    async def story(
        self, context: Context, conn: Connection, units: Sequence[asyncpg.Record]
    ) -> Story:
        """How far the handing over has come, for the order's page; `units` are those of a paid
        order, the settled ones too."""
        states = {unit["state"] for unit in units if unit["settlement"] is None}
        if self.flow.declared.doubt in states:
            return Story(progress=Progress.CHECKING)
        if any(unit["sent_at"] is not None for unit in units):
            return Story(progress=Progress.WORKING)
        begun = states - {self.flow.initial}
        return Story(progress=Progress.SENDING if begun else Progress.QUEUED)


def registered(*handlers: Fulfillment) -> Mapping[str, Fulfillment]:
    """The ways of selling of a program, by the kind of the outlets that sell so: what
    `Context.kinds` holds."""
    kinds = {each.flow.name: each for each in handlers}
    if len(kinds) != len(handlers):
        raise ValueError(f"two handlers for one kind: {[each.flow.name for each in handlers]}")
    return kinds


def checks(kinds: Mapping[str, Fulfillment]) -> dict[str, str]:
    """Those of all kinds."""
    return {name: query for kind in kinds.values() for name, query in kind.checks.items()}


def handler(context: Context, kind: str) -> Fulfillment:
    """Raises UnknownKindError."""
    try:
        found: Fulfillment = context.kinds[kind]
    except KeyError:
        known = ", ".join(sorted(context.kinds))
        raise UnknownKindError(f"no way of selling is called {kind}: there is {known}") from None
    return found


def owing(kinds: Mapping[str, Fulfillment]) -> dict[str, Owing]:
    """Those of all kinds."""
    return {name: one for kind in kinds.values() for name, one in kind.owes.items()}


async def kinds_in_service(db: Database) -> dict[str, list[str]]:
    """The outlets of each kind, whether this program has it or not."""
    async with db.system_transaction() as conn:
        rows = await conn.fetch(store.KINDS_IN_SERVICE)
    return {row["kind"]: row["outlets"] for row in rows}


async def drive(context: Context, unit: asyncpg.Record) -> None:
    """A unit is due: its kind's handler begins, repeats or ends it. Raises UnknownKindError: then
    a process that has the handler gets it when the lease ends."""
    kind = handler(context, unit["kind"])
    if unit["settlement"] is not None:
        await kind.withdraw(context, unit)
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            await conn.execute(store.NOTHING_DUE, unit["id"])
    elif context.now() >= last_moment(unit):
        await kind.deadline(context, unit)
    elif unit["state"] == kind.flow.initial:
        await kind.start(context, unit)
    else:
        await kind.remind(context, unit)


async def nothing_came(context: Context, order_token: str, by: str = CUSTOMER) -> None:
    """A customer, or a member of staff, says that nothing came out."""
    await told(context, order_token, Testimony(came=False, by=by))


async def told(context: Context, order_token: str, said: Testimony) -> None:
    """What somebody says of an order: each of its units that is not settled is looked into, at
    most once in a few seconds however many ask."""
    async with context.db.system_transaction() as conn:
        merchant = await conn.fetchval(store.ORDER_OWNER, order_token)
    if merchant is None:
        return
    async with context.db.as_merchant(merchant) as conn:
        units = await conn.fetch(
            store.PAGE_ASKS_UNITS, order_token, context.now(), context.windows.span("page_ask_s")
        )
    for unit in units:
        await handler(context, unit["kind"]).prove(context, unit, said)


def last_moment(unit: asyncpg.Record) -> datetime:
    """When `deadline` is called."""
    moment: datetime = unit["dispatch_by"] if unit["sent_at"] is None else unit["hard_deadline"]
    return moment


async def lock(conn: Connection, unit: Unit) -> asyncpg.Record | None:
    """The unit's row as it is now, with its outlet's own `windows`, locked behind its capture's, on
    which a settlement is booked. None: something else has moved the unit since it was read."""
    return await conn.fetchrow(store.LOCK_UNIT, unit["id"], unit["capture_id"], unit["state"])


def windows_at(context: Context, unit: Unit) -> Windows:
    """The windows of time at the outlet of a unit that was read by `lock`."""
    return context.windows.at(unit["kind"], unit["windows"])


async def put_off(conn: Connection, unit: asyncpg.Record, due: datetime) -> None:
    """Nothing can be done for the unit now: it is due again then, or when its time is over. Does
    nothing where it was moved meanwhile."""
    await conn.execute(store.PUT_OFF_UNIT, unit["id"], unit["state"], due)
