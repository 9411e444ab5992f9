"""What a count and a visit write: whole rows, with the same slot of another machine and other slots
of the same machine in front of the one that is counted."""

import asyncio
from datetime import date, timedelta
from hashlib import md5
from typing import Any
from uuid import UUID

from coinslot.db.pool import RawConnection
from tests.sales.by_hand import NOW, Rows
from tests.sales.test_lock_order import stopped
from tests.sales.wrote import wrote

SECOND = timedelta(seconds=1)
ASHA, COLA, CHANDRA = UUID(int=1), UUID(int=2), UUID(int=3)
Row = dict[str, Any]
Given = list[tuple[str, Row]]
TABLES = ("slots", "stock_counts", "stock_differences", "stock_lots")


def slot(name: str = "A1", **given: Any) -> tuple[str, Row]:
    return "slots", {"merchant_id": ASHA, "outlet_id": "M01", "slot": name, "product_id": COLA,
                     "stock": 5, "price_minor": 100, **given}  # fmt: skip


def vend(number: int, **given: Any) -> tuple[str, Row]:
    return "slot_vends", {
        "unit_id": UUID(int=1000 + number), "outlet_id": "M01", "slot": "A1", "word": "fell",
        "journal_id": "j1", "event_seq": number, "number": number, "sent_at": NOW - SECOND, **given,
    }  # fmt: skip


def device(**given: Any) -> tuple[str, Row]:
    return "devices", {"outlet_id": "M01", "merchant_id": ASHA, "journal_id": "j1",
                       "broker_hash": "secret", **given}  # fmt: skip


MARK = md5(b"secret", usedforsecurity=False).hexdigest()
MACHINES: Given = [device(outlet_id="M02", merchant_id=CHANDRA, journal_id="j1"), device()]
BESIDE: Given = [slot(outlet_id="M02"), slot("A0"), slot("A2", other_product=True)]
COUNT: Row = {
    "journal_id": "j1", "event_seq": 4, "inventory_seq": 2, "cause": "count",
    "slots": [{"slot": "A2", "count": 1}, {"slot": "A1", "count": 7}, {"slot": "B9", "count": 3}],
}  # fmt: skip
STORED: Row = {
    "outlet_id": "M01", "journal_id": "j1", "merchant_id": ASHA, "inventory_seq": 2, "event_seq": 4,
    "cause": "count", "counts": COUNT["slots"], "at": NOW, "secret_mark": MARK,
}  # fmt: skip
HELD: Row = {
    "counted": 7, "counted_journal": "j1", "counted_event": 4, "counted_at": NOW, "stock": 7,
}  # fmt: skip
DIFFERS: Row = {
    "merchant_id": ASHA, "outlet_id": "M01", "slot": "A1", "cause": "count", "expected": 5,
    "counted": 7, "at": NOW,
}  # fmt: skip
TAKEN: Row = {
    "slots": [(("M01", "A1"), HELD)], "stock_counts": [STORED], "stock_differences": [DIFFERS],
}  # fmt: skip
OLD: Row = {"outlet_id": "M01", "journal_id": "j1", "inventory_seq": 1, "event_seq": 3,
            "cause": "boot", "counts": [], "at": NOW - SECOND, "secret_mark": MARK}  # fmt: skip
NEWER: Row = {"inventory_seq": 2, "event_seq": 4, "cause": "count", "counts": COUNT["slots"],
              "at": NOW}  # fmt: skip
LINES = 10_000


def count(**given: Any) -> tuple[str, Row]:
    return "stock_counts", {**OLD, **given}


def told(seq: int, **given: Any) -> tuple[str, Row]:
    return "device_events", {"outlet_id": "M01", "journal_id": "j1", "event_seq": seq, **given}


def journal(through: int, **given: Any) -> tuple[str, Row]:
    return "device_journals", {"outlet_id": "M01", "journal_id": "j1", "through": through, **given}


FAR: Row = {"event_seq": LINES + 1}
ELSEWHERE: Given = [
    told(9, outlet_id="M02"), told(9, journal_id="j2"), journal(9, outlet_id="M02"),
    journal(9, journal_id="j2"), count(outlet_id="M02", inventory_seq=90, event_seq=90),
    count(journal_id="j2", inventory_seq=90, event_seq=90),
]  # fmt: skip
SAID: tuple[tuple[Row, Given, str], ...] = (
    ({}, [], "taken"),
    ({"journal_id": "j2"}, [], "other_journal"),
    ({"event_seq": LINES}, [], "taken"), (FAR, [], "too_far"),
    (FAR, [told(1)], "taken"), (FAR, [journal(1)], "taken"),
    (FAR, [journal(0)], "too_far"),
    ({"event_seq": LINES + 2}, [told(1), journal(1)], "too_far"),
    ({"event_seq": LINES + 2}, [told(2), told(1), journal(1)], "taken"),
    ({}, [count(inventory_seq=1)], "taken"), ({}, [count(inventory_seq=2)], "older"),
    ({}, [count(event_seq=4)], "taken"), ({}, [count(event_seq=5)], "older"),
    ({}, [count(inventory_seq=9, event_seq=9, secret_mark="x")], "taken"),
    ({}, [count(inventory_seq=9, event_seq=9, secret_mark=None)], "taken"),
)  # fmt: skip


async def test_a_count_is_taken_of_the_journal_that_said_hello_and_once(rows: Rows) -> None:
    call = "SELECT take_stock_count($1, $2, $3)"
    for odd, before, said in SAID:
        given = [*MACHINES, *BESIDE, slot(), *ELSEWHERE, *before]
        became, found = await wrote(rows, given, TABLES, call, "M01", {**COUNT, **odd}, NOW)
        assert became == said, (odd, before)
        assert bool(found) is (said == "taken"), (odd, before)


async def test_a_count_is_written_once_and_changes_the_slots_that_it_names(rows: Rows) -> None:
    call = "SELECT take_stock_count($1, $2, $3)"
    given = [*MACHINES, *BESIDE, slot(), *ELSEWHERE]
    assert (await wrote(rows, given, TABLES, call, "M01", COUNT, NOW))[1] == TAKEN
    _, found = await wrote(rows, [*given, count()], TABLES, call, "M01", COUNT, NOW)
    assert found == {**TAKEN, "stock_counts": [(("M01", "j1"), NEWER)]}
    other = count(inventory_seq=9, event_seq=9, secret_mark="x")
    _, found = await wrote(rows, [*given, other], TABLES, call, "M01", COUNT, NOW)
    assert found == {**TAKEN, "stock_counts": [(("M01", "j1"), {**NEWER, "secret_mark": MARK})]}
    for nobody in ("M03", "M02"):
        said, found = await wrote(
            rows, given[1:], TABLES, call, nobody, {**COUNT, "journal_id": "j3"}, NOW
        )
        assert (said, found) == ("other_journal", {})


async def test_a_count_locks_its_slots_in_their_order(
    rows: Rows, holder: RawConnection, looker: RawConnection
) -> None:
    """As a sale of several slots does: of two, one waits for the other and holds nothing."""
    for table, row in [*MACHINES, slot("A2"), slot("A1")]:
        await rows.put(table, **row)
    both = {**COUNT, "slots": [{"slot": name, "count": 3} for name in ("A2", "A1")]}
    call = "SELECT take_stock_count($1, $2, $3)"
    async with holder.transaction():
        await holder.execute("SELECT FROM slots WHERE slot = 'A1' FOR NO KEY UPDATE")
        work: asyncio.Task[object] = asyncio.ensure_future(
            rows.conn.fetchval(call, "M01", both, NOW)
        )
        assert await stopped(looker, work) is not None
        free = await looker.fetch("SELECT slot FROM slots FOR NO KEY UPDATE SKIP LOCKED")
    assert [row["slot"] for row in free] == ["A2"]
    assert await work == "taken"


A1 = ("M01", "A1")
OTHERS: Given = [
    vend(90, slot="A2"), vend(91, outlet_id="M02"), vend(92, slot="A2", event_seq=5),
    vend(93, outlet_id="M02", event_seq=5),
]  # fmt: skip
COUNTED: tuple[tuple[int, Row, Given, int, int, bool], ...] = (
    # How many, what is told with it, vends, what it holds then, which vend is the last included.
    (7, COUNT, [], 7, 0, True),
    (5, COUNT, [], 5, 0, False),
    (7, {"cause": "count"}, [], 7, 0, True),
    (7, {}, [], 7, 0, False),
    (7, COUNT, [vend(2), vend(4)], 7, 4, True),
    (7, COUNT, [vend(2), vend(4), vend(6, event_seq=5), vend(7, event_seq=6)], 5, 5, False),
    (7, COUNT, [vend(4), vend(6, event_seq=5), vend(7, event_seq=4)], 6, 5, True),
    (7, COUNT, [vend(6, journal_id="j2")], 7, 6, True),
    (1, COUNT, [vend(6, event_seq=5), vend(7, event_seq=6)], 0, 5, True),
    (7, {"cause": "refill"}, [vend(2), vend(6, event_seq=5)], 7, 6, True),
)


async def test_a_slot_holds_what_was_counted_less_what_left_it_since(rows: Rows) -> None:
    call = "SELECT count_slot(s, $1, $2, $3) FROM slots s WHERE outlet_id = 'M01' AND slot = 'A1'"
    for counted, said, vends, held, through, differs in COUNTED:
        given = [*BESIDE, slot(counted=9, counted_vend=1), *OTHERS, *vends]
        found, all_of_it = await wrote(rows, given, TABLES, call, counted, said, NOW)
        changed: Row = {"counted": counted, "counted_at": NOW, "counted_vend": through}
        if "journal_id" in said:
            changed |= {"counted_journal": "j1", "counted_event": 4}
        if held != 5:
            changed["stock"] = held
        difference = {**DIFFERS, "counted": held, "cause": said.get("cause")}
        wanted: Row = {"slots": [(A1, changed)]}
        if differs:
            wanted["stock_differences"] = [
                {name: value for name, value in difference.items() if value}
            ]
        assert (found, all_of_it) == (held, wanted), (counted, said, vends)


BROKEN: Row = {"out_of_sale_at": NOW, "failures_in_row": 3, "other_product": True, "capacity": 20}
WORKS: Row = {"failures_in_row": 0, "other_product": False, "out_of_sale_at": None}
LOT: Row = {"merchant_id": ASHA, "outlet_id": "M01", "slot": "A1", "pieces": 4, "added_at": NOW}
PERSON: Row = {"counted_at": NOW}
VISITS: tuple[tuple[Row, Row, Row], ...] = (
    ({"before": 5, "after": 9}, {"stock": 9, "counted": 9}, {"stock_lots": [LOT]}),
    ({"before": None, "after": 9}, {"stock": 9, "counted": 9}, {"stock_lots": [LOT]}),
    ({"before": 4, "after": 9, "expires_on": "2027-01-31"}, {"stock": 9, "counted": 9},
     {"stock_lots": [{**LOT, "pieces": 5, "expires_on": date(2027, 1, 31)}],
      "stock_differences": [{**DIFFERS, "cause": "visit", "counted": 4}]}),
    ({"before": 6, "after": 7}, {"stock": 7, "counted": 7},
     {"stock_lots": [{**LOT, "pieces": 1}],
      "stock_differences": [{**DIFFERS, "cause": "visit", "counted": 6}]}),
    ({"before": 5, "after": 5, "capacity": 12}, {"counted": 5, "capacity": 12}, {}),
    ({"before": 5, "after": 3}, {"stock": 3, "counted": 3}, {}),
    ({"before": None, "after": 4}, {"stock": 4, "counted": 4}, {}),
)  # fmt: skip


async def test_a_visit_writes_what_was_found_and_added_and_the_slot_sells_again(
    rows: Rows,
) -> None:
    call = "SELECT visit_slot('M01', $1, $2)"
    for line, changed, beside in VISITS:
        given = [*BESIDE, slot(**BROKEN)]
        said, found = await wrote(rows, given, TABLES, call, {"slot": "A1", **line}, NOW)
        assert said == 5
        assert found == {"slots": [(A1, {**WORKS, **PERSON, **changed})], **beside}, line
    withheld = {**BROKEN, "withheld_at": NOW - SECOND}
    _, found = await wrote(
        rows, [*BESIDE, slot(**withheld)], TABLES, call, {"slot": "A1", "after": 5}, NOW
    )
    out = {**WORKS, **PERSON, "counted": 5, "out_of_sale_at": NOW - SECOND}
    assert found == {"slots": [(A1, out)]}
