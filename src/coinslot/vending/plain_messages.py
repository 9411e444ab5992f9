"""The messages that nearly every vend consists of: ACCEPT of the offer that stands, STARTED, and a
RESULT that proves something. Each is one call, and those of many machines share a commit. Whatever
is not plain is left to `machine_messages.py`: None is returned, and nothing was moved."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.channels import messages as wire
from coinslot.channels.messages import Up
from coinslot.context import Context
from coinslot.db.pool import AWAY, Database, DatabaseUnreachableError
from coinslot.orders.fulfillment import windows_at
from coinslot.vending import dispatch, store
from coinslot.vending.evidence import ReportedOutcome, conclude
from coinslot.vending.flow import VENDING
from coinslot.vending.journal import Machine

LANES = 2  # commits under way at once, in one process
TOGETHER = 32  # messages in one commit

# The server may use a lease's end only with the device clock's drift and the network delay added.
_DRIFT, _WAY = 1.01, timedelta(seconds=1)


class Answered(NamedTuple):
    """What goes down after the commit, and whether a unit waits for this machine."""

    downs: list[wire.Down]
    waiting: bool = False


class PlainMessage(Struct, frozen=True, eq=False):
    """One message as the database is told of it. `go`: what is sent if an ACCEPT is taken."""

    said: dict[str, Any]
    at: datetime
    go: wire.Go | None = None


class HeardMessages:
    """One per process: those that arrive while a commit runs share the next one."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: deque[tuple[PlainMessage, asyncio.Future[Any]]] = deque()
        self._lanes: set[asyncio.Task[None]] = set()

    async def take(self, told: PlainMessage) -> Any:
        """What `heard_together` says of it, after its commit. Raises what the database raises."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((told, answer))
        if len(self._lanes) < LANES:
            self._lanes.add(asyncio.create_task(self._drain(), name="take machine messages"))
        return await answer

    async def close(self) -> None:
        """What is not taken by then was not answered, and its machine sends it again."""
        for lane in self._lanes:
            lane.cancel()
        if self._lanes:
            await asyncio.wait(set(self._lanes))
        _give_up(self._waiting)

    async def _drain(self) -> None:
        few: list[tuple[PlainMessage, asyncio.Future[Any]]] = []
        try:
            while self._waiting:
                few = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
                # Every commit locks machines in the same order, so that no two wait for each other.
                few.sort(key=lambda one: str(one[0].said["outlet"]))
                if len(few) == 1 or not await self._take(few):
                    for one in few:
                        await self._take([one])
        finally:
            lane = asyncio.current_task()
            assert lane is not None
            self._lanes.discard(lane)
            _give_up(few)  # answered already, unless this lane broke down or is closed

    async def _take(self, few: Sequence[tuple[PlainMessage, asyncio.Future[Any]]]) -> bool:
        """False: one of them cannot be taken, and the others must not suffer for it."""
        try:
            said = await take_now(self._db, [told for told, _ in few])
        except AWAY as error:
            said = [error] * len(few)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if len(few) > 1:
                return False
            said = [error]
        for (_, answer), one in zip(few, said, strict=True):
            if answer.done():
                continue  # its caller is gone
            if isinstance(one, Exception):
                answer.set_exception(one)
            else:
                answer.set_result(one)
        return True


def _give_up(told: Iterable[tuple[PlainMessage, asyncio.Future[Any]]]) -> None:
    for _, answer in told:
        if not answer.done():
            answer.set_exception(DatabaseUnreachableError("the commit was given up"))


async def take_now(db: Database, few: Sequence[PlainMessage]) -> list[Any]:
    """In one transaction."""
    taken: list[Any] = await db.call(
        store.HEARD_TOGETHER, [told.said for told in few], [told.at for told in few]
    )
    return taken


async def receive_plain(
    context: Context, machine: Machine, up: Up, at: datetime, heard: HeardMessages | None
) -> Answered | None:
    """None: it is not plain."""
    told = await _plain(context, machine, up, at)
    if told is None:
        return None
    try:
        said = await heard.take(told) if heard else (await take_now(context.db, [told]))[0]
    except (asyncpg.PostgresError, asyncpg.InterfaceError):
        return None  # alone, step by step, it is refused or repeated for itself
    if not said["done"]:
        return None
    if told.go is not None:
        return Answered([told.go])
    assert isinstance(up, wire.Started | wire.Result)
    return Answered(
        [wire.Evack(journal_id=up.journal_id, through=said["through"])], said["waiting"]
    )


async def _plain(context: Context, machine: Machine, up: Up, at: datetime) -> PlainMessage | None:
    match up:
        case wire.Accept():
            return await _accept(context, machine, up, at)
        case wire.Started():
            return PlainMessage(_line(context, machine, up, "STARTED"), at)
        case wire.Result():
            # Whether it is of the unit's slot the database sees. What counts only of a machine of
            # class G1 is not plain.
            event, basis, code = conclude(ReportedOutcome.of_result(up), up.slot)
            if event == "UNSURE":
                return None
            said = _line(context, machine, up, event)
            return PlainMessage(said | {"set": {"failure_code": code, "basis": basis}}, at)
        case _:
            return None


def _line(
    context: Context, machine: Machine, up: wire.Started | wire.Result, move: str
) -> dict[str, Any]:
    return {
        "merchant": machine.merchant_id, "outlet": machine.outlet,
        "type": "RESULT" if isinstance(up, wire.Result) else "STARTED",
        "journal": up.journal_id, "line": msgspec.to_builtins(up), "unit": up.unit_id,
        "move": move, "run_s": context.windows.at(VENDING.name, {}).run_s,
    }  # fmt: skip


async def _accept(
    context: Context, machine: Machine, up: wire.Accept, at: datetime
) -> PlainMessage | None:
    """GO is signed over what is read here without a lock; it goes out only if the database still
    finds it so, in the commit of GO."""
    async with context.db.system_connection() as conn:
        unit = await conn.fetchrow(store.TO_SIGN, up.unit_id, machine.outlet)
    if unit is None or unit["state"] != "offered" or unit["seq"] != up.seq:
        return None
    go, moved = signed(context, machine, unit, up, at)
    said = {
        "merchant": machine.merchant_id, "outlet": machine.outlet, "type": "ACCEPT",
        "unit": up.unit_id, "seq": up.seq, "slot": unit["slot"], "key_id": unit["key_id"],
        "set": moved,
    }  # fmt: skip
    return PlainMessage(said, at, go)


def signed(
    context: Context, machine: Machine, unit: asyncpg.Record, up: wire.Accept, at: datetime
) -> tuple[wire.Go, dict[str, object]]:
    """The GO that answers an ACCEPT, and what the unit's move writes with it."""
    lease_ms = dispatch.lease_ms(context, unit)
    lease = wire.Lease(
        unit_id=up.unit_id,
        seq=up.seq,
        slot=unit["slot"],
        boot_id=up.boot_id,
        not_after=up.mono_ms + lease_ms,
    )
    secret = context.vault.open(unit["secret"], f"device:{machine.outlet}").decode()
    go = wire.signed_go(secret, lease, unit["key_id"])
    lease_end = at + timedelta(milliseconds=lease_ms) * _DRIFT + _WAY
    windows = windows_at(context, unit)
    hard = max(lease_end + windows.span("run_s"), at + windows.span("in_doubt_s"))
    return go, {
        "accept": msgspec.to_builtins(up), "journal_id": up.journal_id, "boot_id": up.boot_id,
        "go_message": wire.to_wire(go), "lease_end": lease_end, "hard_deadline": hard,
        "due_at": lease_end,
    }  # fmt: skip
