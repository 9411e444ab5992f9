"""Rows by hand of a machine M01 and one unit of it; before and behind each stands one of another
machine, in another state, so that whoever looks at a row too many is wrong."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from coinslot.context import Context
from coinslot.db.pool import RawConnection
from coinslot.kit.secrets import Vault
from tests.fleet.shop import context, woken
from tests.sales.by_hand import NOW, Rows
from tests.sales.stage import SentLine
from tests.sales.wrote import Wrote, wrote

SECOND, MOMENT = timedelta(seconds=1), timedelta(microseconds=1)
ASHA, CAPTURE, UNIT, ORDER, LINE, COLA, TEA = (UUID(int=n) for n in range(1, 8))
FIRST, LAST, OTHER_CAPTURE, OTHER_ORDER, OTHER_LINE = (UUID(int=n) for n in range(20, 25))
LATE = NOW + 60 * SECOND
Row = dict[str, Any]
Given = list[tuple[str, Row]]
TABLES = (
    "captures", "fulfillments", "vend_units", "events", "device_journals", "device_events",
    "devices", "slots", "slot_vends", "orders", "outlet_stops", "outlets", "refunds", "ledger",
)  # fmt: skip


def outlet(key: str, /, **given: Any) -> tuple[str, Row]:
    return "outlets", {
        "id": key, "merchant_id": ASHA, "kind": "vending", "channel": "mqtt", "dialect": "leased",
        "price_version": 7, "planogram_version": 8, "windows": {"run_s": 20}, **given,
    }  # fmt: skip


def device(key: str, /, **given: Any) -> tuple[str, Row]:
    return "devices", {"outlet_id": key, "merchant_id": ASHA, "key_id": 3, "next_seq": 8,
                       "last_seen_at": NOW, **given}  # fmt: skip


def unit(key: UUID, of: str, /, **given: Any) -> tuple[str, Row]:
    return "fulfillments", {
        "id": key, "merchant_id": ASHA, "outlet_id": of, "order_id": ORDER, "line_id": LINE,
        "capture_id": CAPTURE, "state": "offered", "seq": 7, "slot": "A1", "amount_minor": 900,
        "dispatch_by": NOW + MOMENT, "due_at": NOW, "hard_deadline": LATE, "open": True,
        "offered_at": NOW - SECOND, "queued_at": NOW, **given,
    }  # fmt: skip


ELSEWHERE: Row = {
    "order_id": OTHER_ORDER, "line_id": OTHER_LINE, "capture_id": OTHER_CAPTURE, "seq": 9,
    "slot": "B1", "journal_id": "j9", "open": False, "state": "vended", "settlement": "fulfilled",
    "basis": "drop", "due_at": None, "dispatch_by": NOW - SECOND,
}  # fmt: skip
FAR: Row = {"decommissioned_at": NOW, "windows": {"run_s": 3}, "price_version": 1, "channel": "x",
            "planogram_version": 2, "dialect": "simple"}  # fmt: skip
QUEUED: Row = {"state": "queued", "seq": None, "open": False, "offered_at": None}
GOING: Row = {"state": "going", "journal_id": "j1", "sent_at": NOW - 2 * SECOND}


def shop(*units: tuple[str, Row]) -> Given:
    """M00 and M02 are out of service, with units that are settled; the units of M01 stand between
    theirs."""
    return [
        outlet("M00", **FAR), outlet("M01"), outlet("M02", **FAR),
        device("M00", key_id=9, last_seen_at=None, mdb=True), device("M01"),
        device("M02", key_id=9, last_seen_at=None, mdb=True),
        ("captures", {"id": OTHER_CAPTURE, "captured": 5000, "gateway_payment_id": "other"}),
        ("captures", {"id": CAPTURE, "merchant_id": ASHA, "captured": 5000}),
        ("order_lines", {"id": OTHER_LINE, "slot": "B1", "sku": "other", "product_id": TEA}),
        ("order_lines", {"id": LINE, "order_id": ORDER, "slot": "A1", "sku": "can",
                         "product_id": COLA}),
        ("orders", {"id": OTHER_ORDER, "state": "paid", "token": "o", "source": "page"}),
        ("orders", {"id": ORDER, "merchant_id": ASHA, "state": "paid", "token": "t",
                    "source": "page", "price_version": 5, "planogram_version": 6}),
        ("slots", {"outlet_id": "M00", "slot": "A1", "stock": 3, "product_id": TEA}),
        ("slots", {"outlet_id": "M01", "slot": "A0", "stock": 3, "product_id": TEA}),
        ("slots", {"outlet_id": "M01", "slot": "A1", "stock": 3, "product_id": COLA}),
        ("outlet_stops", {"outlet_id": "M02", "why": "x", "count": 1, "until": None}),
        unit(FIRST, "M00", **ELSEWHERE), *units, unit(LAST, "M02", **ELSEWHERE),
    ]  # fmt: skip


def but(given: Given, *some: tuple[str, Row]) -> Given:
    """With these values in rows that are there, by their keys."""
    changed = list(given)
    for table, row in some:
        keys = [name for name in ("id", "outlet_id", "slot") if name in row and
                (name != "slot" or table == "slots")]  # fmt: skip
        if "id" in keys:
            keys = ["id"]
        for place, (found, old) in enumerate(changed):
            if found == table and all(old.get(name) == row[name] for name in keys):
                changed[place] = (table, {**old, **row})
                break
        else:
            changed.append((table, row))
    return changed


async def called(rows: Rows, given: Given, sql: Any, *values: object) -> tuple[Any, Wrote]:
    """What a function or verb said, and all that it wrote; a vend is numbered by a sequence."""
    said, found = await wrote(rows, given, TABLES, sql, *values)
    for row in found.get("slot_vends", ()):
        if isinstance(row, dict):
            row.pop("number", None)
    for _, row in (one for one in found.get("slots", ()) if isinstance(one, tuple)):
        row.pop("counted_vend", None)
    return said, found


def event(name: str, was: str, state: str, **data: Any) -> Row:
    """What is recorded of a move of the unit."""
    return {"merchant_id": ASHA, "machine": "fulfillment", "subject_id": UNIT, "event": name,
            "was": was, "state": state, "at": NOW, "data": data}  # fmt: skip


SECRET = Vault({"k": b"v" * 32}, "k").seal(b"its secret", "device:M01")


class Done(NamedTuple):
    """What a verb said, wrote, sent to machines, and whom it woke; and of events their names."""

    said: Any
    wrote: Wrote
    sent: list[Row]
    awake: set[str]
    events: list[str]


async def acted(
    rows: Rows,
    given: Given,
    verb: Callable[[Context], Awaitable[Any]],
    line: SentLine | None = None,
) -> Done:
    line, awake = line or SentLine(), set[str]()

    async def act(conn: RawConnection) -> Any:
        here = context(conn, line=line)
        said = await verb(here)
        awake.update(woken(here))
        return said

    said, found = await called(rows, given, act)
    names = [str(one["event"]) for one in found.pop("events", ())]
    return Done(said, found, line.sent, awake, names)
