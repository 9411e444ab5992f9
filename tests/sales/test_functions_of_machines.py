"""What the functions of machines write and say, whole, beside rows of other machines: an offer, its
acceptance, lines of a journal, and when nothing may be believed or begun."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows
from tests.sales.machine_rows import (
    ASHA,
    CAPTURE,
    FIRST,
    GOING,
    LATE,
    LINE,
    MOMENT,
    ORDER,
    OTHER_CAPTURE,
    QUEUED,
    SECOND,
    TEA,
    UNIT,
    Given,
    Row,
    but,
    called,
    device,
    event,
    outlet,
    shop,
    unit,
)
from tests.sales.wrote import Wrote

ACCEPT = "SELECT heard_accept($1, $2)"
LEASE = f"{(NOW + 9 * SECOND).isoformat()}"
SET: Row = {
    "accept": {"a": 1}, "journal_id": "j1", "boot_id": "b1", "go_message": {"type": "GO"},
    "lease_end": LEASE, "hard_deadline": LATE.isoformat(), "due_at": LEASE,
}  # fmt: skip
SAYS: Row = {"unit": str(UNIT), "outlet": "M01", "seq": 7, "slot": "A1", "key_id": 3, "set": SET}
OFFERED = shop(unit(UNIT, "M01"))
WENT: Wrote = {
    "events": [event("ACCEPT", "offered", "going", **SET)],
    "fulfillments": [(UNIT, {"state": "going", "version": 2, "sent_at": NOW,
                             "due_at": NOW + 9 * SECOND})],
    "vend_units": [(UNIT, {"accept": {"a": 1}, "journal_id": "j1", "boot_id": "b1",
                           "go_message": {"type": "GO"}, "lease_end": NOW + 9 * SECOND})],
}  # fmt: skip
QUIET = ("outlet_stops", {"outlet_id": "M01", "why": "x", "count": 0, "until": NOW})


@pytest.mark.parametrize("more", [(), (QUIET,)])
async def test_an_offer_that_stands_goes_with_all_that_was_signed(
    rows: Rows, more: Sequence[tuple[str, Row]]
) -> None:
    assert await called(rows, [*OFFERED, *more], ACCEPT, SAYS, NOW) == (True, WENT)


NOT_IT: Sequence[tuple[Given, Row]] = (
    *((but(OFFERED, ("fulfillments", {"id": UNIT, **differs})), {}) for differs in (
        {"seq": 8}, {"seq": None}, {"slot": "A2"}, {"dispatch_by": NOW},
        {"state": "going"}, {"outlet_id": "M02"},
    )),
    (but(OFFERED, device("M01", key_id=4)), {}),
    (but(OFFERED, outlet("M01", decommissioned_at=NOW)), {}),
    ([*OFFERED, ("outlet_stops", {"outlet_id": "M01", "why": "x", "until": None})], {}),
    ([*OFFERED, ("outlet_stops", {"outlet_id": "M01", "why": "x", "until": NOW + MOMENT})], {}),
    ([*OFFERED, ("outlet_stops", {"outlet_id": "M01", "why": "x", "until": NOW, "count": 1})], {}),
    *((OFFERED, says) for says in (
        {"unit": str(FIRST)}, {"unit": str(ORDER)}, {"outlet": "M02"}, {"seq": 6}, {"seq": None},
        {"slot": "B1"}, {"key_id": 9},
    )),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(NOT_IT)))
async def test_what_differs_in_one_thing_writes_nothing(rows: Rows, case: int) -> None:
    given, says = NOT_IT[case]
    assert await called(rows, given, ACCEPT, {**SAYS, **says}, NOW) == (False, {})


HELD = f"SELECT id, xmax <> '0' AS held FROM captures WHERE id <> '{CAPTURE}'"
ONE: dict[str, Row] = {
    "outlets": outlet("M01")[1], "devices": device("M01")[1],
    "fulfillments": unit(UNIT, "M01")[1], "captures": {"id": CAPTURE},
    "captures 2": {"id": OTHER_CAPTURE, "gateway_payment_id": "other"},
    "fulfillments 2": unit(FIRST, "M02", capture_id=OTHER_CAPTURE, open=False)[1],
}  # fmt: skip
LOCKED = (
    Asked("its capture, its unit and its machine's part are held", ACCEPT, (SAYS, NOW), ONE, (), (),
          {"heard_accept": True}, locks=(
              f"captures WHERE id = '{CAPTURE}'", f"fulfillments WHERE id = '{UNIT}'",
              f"vend_units WHERE id = '{UNIT}'")),
    Asked("no other capture is held", ACCEPT, (SAYS, NOW), ONE, (), (), {"held": False},
          (({"$1": {**SAYS, "unit": str(FIRST)}}, {"held": False}),), HELD),
    Asked("its capture is not held for another machine", ACCEPT,
          ({**SAYS, "outlet": "M02"}, NOW), ONE, (), (), {"held": False},
          after=f"SELECT xmax <> '0' AS held FROM captures WHERE id = '{CAPTURE}'"),
)  # fmt: skip


async def test_what_an_acceptance_holds(rows: Rows) -> None:
    assert await mistaken(rows, LOCKED) == []


# ---- lines of a journal ----

HEARD = "SELECT heard_line($1, $2)"
AGAIN = "SELECT heard_together(ARRAY[$1::jsonb], ARRAY[$2::timestamptz])"
ON_WAY = shop(unit(UNIT, "M01", **GOING))
SAID: Row = {"event_seq": 1, "unit_id": str(UNIT), "journal_id": "j1"}
BASE: Row = {"merchant": str(ASHA), "outlet": "M01", "journal": "j1", "unit": str(UNIT),
             "run_s": 30}  # fmt: skip
STARTED: Row = {**BASE, "type": "STARTED", "move": "STARTED", "line": {**SAID, "type": "STARTED"}}
FELL: Row = {
    **BASE, "type": "RESULT", "move": "VENDED", "set": {"basis": "drop", "failure_code": None},
    "line": {**SAID, "type": "RESULT", "slot": "A1"},
}  # fmt: skip


def kept(line: Row, through: int = 1, **given: Any) -> Wrote:
    """The line and its journal."""
    number = line["event_seq"]
    return {
        "device_events": [{"outlet_id": "M01", "journal_id": "j1", "event_seq": number,
                           "merchant_id": ASHA, "unit_id": UNIT, "message": line, "at": NOW}],
        "device_journals": [{"outlet_id": "M01", "journal_id": "j1", "merchant_id": ASHA,
                             "first_seen_at": NOW, "through": through, **given}],
    }  # fmt: skip


def ran(seconds: int) -> Wrote:
    due = NOW + seconds * SECOND
    said = {"started_at": NOW.isoformat(), "due_at": due.isoformat()}
    return {
        **kept(STARTED["line"]),
        "events": [event("STARTED", "going", "started", **said)],
        "fulfillments": [(UNIT, {"state": "started", "version": 2, "due_at": due})],
        "vend_units": [(UNIT, {"started_at": NOW})],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (ON_WAY, 20),
        (but(ON_WAY, outlet("M01", windows={})), 30),
        (but(ON_WAY, ("fulfillments", {"id": UNIT, "hard_deadline": NOW + 19 * SECOND})), 19),
    ],
)
async def test_a_run_that_begins_is_due_at_its_end_or_when_doubt_ends(
    rows: Rows, given: Given, seconds: int
) -> None:
    assert await called(rows, given, HEARD, STARTED, NOW) == (1, ran(seconds))


VEND: Row = {
    "unit_id": UNIT, "merchant_id": ASHA, "outlet_id": "M01", "slot": "A1", "word": "fell",
    "journal_id": "j1", "event_seq": 1, "sent_at": NOW - 2 * SECOND, "at": NOW,
}  # fmt: skip
SOLD: Wrote = {
    "fulfillments": [(UNIT, {"state": "vended", "version": 2, "due_at": None, "basis": "drop",
                             "settlement": "fulfilled", "settled_at": NOW})],
    "vend_units": [(UNIT, {"open": False})],
    "slot_vends": [VEND],
    "slots": [(("M01", "A1"), {"stock": 2, "counted": 3, "counted_at": NOW})],
    "captures": [(CAPTURE, {"fulfilled": 900, "open": 4100})],
    "orders": [(ORDER, {"state": "completed", "version": 2, "ended_at": NOW})],
}  # fmt: skip


@pytest.mark.parametrize("slot", ["A1", ""])
async def test_what_fell_settles_its_unit_and_leaves_its_slot(rows: Rows, slot: str) -> None:
    line = {**FELL["line"], "slot": slot}
    said, found = await called(rows, ON_WAY, HEARD, {**FELL, "line": line}, NOW)
    ledger, events = found.pop("ledger"), found.pop("events")
    assert (said, found) == (1, {**kept(line), **SOLD})
    assert {(one["account"], one["amount"]) for one in ledger} == {
        ("obligations", 900), ("sales", -900),
    }  # fmt: skip
    assert events[0] == event("VENDED", "going", "vended", basis="drop", failure_code=None)


UNBELIEVED: Sequence[tuple[Given, Row]] = (
    (but(ON_WAY, ("fulfillments", {"id": UNIT, "journal_id": "j2"})), STARTED),
    (but(ON_WAY, ("fulfillments", {"id": UNIT, "journal_id": None})), STARTED),
    (but(ON_WAY, ("fulfillments", {"id": UNIT, "state": "started"})), STARTED),
    (but(ON_WAY, ("fulfillments", {"id": UNIT, "state": "in_doubt"})), STARTED),
    (but(ON_WAY, ("fulfillments", {"id": UNIT, "state": "vended", "settlement": "fulfilled",
                                   "basis": "drop", "open": False, "due_at": None})), FELL),
    (ON_WAY, {**FELL, "line": {**FELL["line"], "slot": "A0"}}),
    (but(ON_WAY, ("fulfillments", {"id": UNIT, "journal_id": "j2"})), FELL),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(UNBELIEVED)))
async def test_a_line_that_is_not_plain_is_stored_and_moves_nothing(rows: Rows, case: int) -> None:
    given, says = UNBELIEVED[case]
    assert await called(rows, given, HEARD, says, NOW) == (None, kept(says["line"]))
    ((said,), found) = await called(rows, given, AGAIN, says, NOW)
    assert (said, found) == ({"done": False, "through": None, "waiting": False}, kept(says["line"]))


@pytest.mark.parametrize("says", [STARTED, FELL])
async def test_a_line_whose_number_holds_another_is_not_believed(rows: Rows, says: Row) -> None:
    other = {**SAID, "type": "RESULT", "outcome": "FAILED"}
    stood = ("device_events", {"outlet_id": "M01", "journal_id": "j1", "event_seq": 1,
                               "merchant_id": ASHA, "unit_id": UNIT, "message": other,
                               "at": NOW})  # fmt: skip
    said, found = await called(rows, [*ON_WAY, stood], HEARD, says, NOW)
    assert said == 0, "it is not acknowledged: it may be the only word of the unit"
    assert set(found) == {"device_journals"}


FAILED_BEFORE = [("A0", {"failures_in_row": 3, "out_of_sale_at": NOW - SECOND}),
                 ("A1", {"failures_in_row": 2, "out_of_sale_at": NOW - SECOND})]  # fmt: skip


@pytest.mark.parametrize("withheld", [None, NOW - 9 * SECOND])
async def test_what_fell_puts_its_own_slot_on_sale_again(rows: Rows, withheld: Any) -> None:
    given = but(ON_WAY, *(
        ("slots", {"outlet_id": "M01", "slot": name, "withheld_at": withheld, **was})
        for name, was in FAILED_BEFORE
    ))  # fmt: skip
    _, found = await called(rows, given, HEARD, FELL, NOW)
    (slot,) = SOLD["slots"]
    assert found["slots"] == [
        (("M01", "A1"), {**slot[1], "failures_in_row": 0, "out_of_sale_at": withheld})
    ]


async def test_a_line_of_another_machines_unit_is_stored_as_a_strangers(rows: Rows) -> None:
    says = {**STARTED, "unit": str(FIRST), "line": {**STARTED["line"], "unit_id": str(FIRST)}}
    said, found = await called(rows, ON_WAY, HEARD, says, NOW)
    wanted = kept(says["line"], strange=1)
    wanted["device_events"][0]["unit_id"] = FIRST
    assert (said, found) == (None, wanted)


WAITS = unit(UUID(int=30), "M01", **QUEUED)
ANOTHERS = unit(UUID(int=31), "M02", **QUEUED)


@pytest.mark.parametrize(
    ("says", "more", "answer"),
    [
        (STARTED, [WAITS], {"done": True, "through": 1, "waiting": False}),
        (FELL, [WAITS], {"done": True, "through": 1, "waiting": True}),
        (FELL, [ANOTHERS], {"done": True, "through": 1, "waiting": False}),
        (FELL, [unit(UUID(int=30), "M01", open=False, seq=11)],
         {"done": True, "through": 1, "waiting": False}),
    ],
)  # fmt: skip
async def test_whether_another_unit_waits_is_said_with_a_result(
    rows: Rows, says: Row, more: Given, answer: Row
) -> None:
    ((said,), _) = await called(rows, [*ON_WAY, *more], AGAIN, says, NOW)
    assert said == answer


async def test_of_several_messages_each_has_its_answer_and_its_moment(rows: Rows) -> None:
    other = unit(UUID(int=30), "M03", order_id=UUID(int=31), line_id=UUID(int=32),
                 capture_id=UUID(int=33), dispatch_by=NOW + 9 * SECOND)  # fmt: skip
    given = [*ON_WAY, outlet("M03"), device("M03"), other]
    accept = {**SAYS, "unit": str(UUID(int=30)), "outlet": "M03", "type": "ACCEPT",
              "merchant": str(ASHA)}  # fmt: skip
    both = "SELECT heard_together(ARRAY[$1::jsonb, $2], ARRAY[$3::timestamptz, $4])"
    later = NOW + SECOND
    said, found = await called(rows, given, both, STARTED, accept, NOW, later)
    assert said == [{"done": True, "through": 1, "waiting": False}, {"done": True}]
    assert {(one["subject_id"], one["event"], one["at"]) for one in found["events"]} == {
        (UNIT, "STARTED", NOW), (UUID(int=30), "ACCEPT", later),
    }  # fmt: skip
    said, found = await called(rows, given, both, STARTED, {**accept, "seq": 1}, NOW, later)
    assert said[1] == {"done": False}
    assert [one["event"] for one in found["events"]] == ["STARTED"]


# ---- offers ----

IN_QUEUE = shop(unit(UNIT, "M01", **QUEUED))
NEXT: Row = {
    "id": str(UNIT), "order_id": str(ORDER), "outlet_id": "M01", "slot": "A1", "sku": "can",
    "amount_minor": 900, "currency": "INR", "dispatch_by": (NOW + MOMENT).isoformat(),
    "channel": "mqtt", "dialect": "leased", "price_version": 5, "planogram_version": 6,
    "kind": "vending", "windows": {"run_s": 20}, "gone": False,
}  # fmt: skip
THE_NEXT = "SELECT to_jsonb(n) FROM next_unit('M01', $1, $2, $3) n"
OLDER: Row = {**QUEUED, "queued_at": NOW - SECOND}


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize(
    ("given", "next_one"),
    [
        (IN_QUEUE, NEXT),
        (but(IN_QUEUE, ("slots", {"outlet_id": "M01", "slot": "A1", "product_id": TEA})),
         {**NEXT, "gone": True}),
        (but(IN_QUEUE, ("orders", {"id": ORDER, "price_version": None,
                                   "planogram_version": None})),
         {**NEXT, "price_version": 7, "planogram_version": 8}),
        (but(IN_QUEUE, ("fulfillments", {"id": UNIT, "capture_id": None, "amount_minor": 0})),
         {**NEXT, "amount_minor": 0}),
        ([*IN_QUEUE, unit(UUID(int=9), "M01", **{**OLDER, "dispatch_by": NOW})], NEXT),
        ([*IN_QUEUE, unit(UUID(int=9), "M02", **OLDER)], NEXT),
        ([*IN_QUEUE, unit(UUID(int=31), "M01", **QUEUED)], NEXT),
        (but(IN_QUEUE, ("fulfillments", {"id": UNIT, "dispatch_by": NOW})), None),
        ([*IN_QUEUE, unit(UUID(int=31), "M01")], None),
        (but(IN_QUEUE, device("M01", last_seen_at=NOW - MOMENT)), None),
        (but(IN_QUEUE, outlet("M01", decommissioned_at=NOW)), None),
        ([*IN_QUEUE, ("outlet_stops", {"outlet_id": "M01", "why": "x", "until": None})], None),
    ],
)  # fmt: skip
async def test_the_unit_that_is_next(
    rows: Rows, given: Given, next_one: Row | None, *, waits: bool
) -> None:
    assert await called(rows, given, THE_NEXT, NOW, NOW, waits) == (next_one, {})


LOOKED = (
    Asked("a machine is held while it is given its next unit",
          "SELECT id FROM next_unit('M01', $1, $1, true)", (NOW,),
          {"outlets": outlet("M01")[1], "devices": device("M01")[1],
           "order_lines": {"id": LINE, "slot": "A1"},
           "fulfillments": unit(UNIT, "M01", **QUEUED)[1], "captures": {"id": CAPTURE}},
          (), (), {"held": True}, (({"fulfillments.outlet_id": "M02"}, {"held": False}),
                                   ({"fulfillments": None}, {"held": False})),
          "SELECT xmax <> '0' AS held FROM devices WHERE outlet_id = 'M01'"),
)  # fmt: skip


async def test_a_machine_without_a_queue_is_not_held(rows: Rows) -> None:
    assert await mistaken(rows, LOOKED) == []


async def test_an_offer_takes_the_next_number_and_says_whose_class_the_machine_is(
    rows: Rows,
) -> None:
    until = NOW + 5 * SECOND
    for mdb in (False, True):
        given = but(IN_QUEUE, device("M01", mdb=mdb))
        sql = "SELECT to_jsonb(o) FROM offer_unit('M01', $1, $2, $3) o"
        said = {"seq": 8, "mdb": mdb, "offers": 1, "offered_at": NOW.isoformat(),
                "due_at": until.isoformat()}  # fmt: skip
        beside = {"seq": 8, "offers": 1, "offered_at": NOW, "open": True}
        assert await called(rows, given, sql, UNIT, until, NOW) == ({"seq": 8, "mdb": mdb}, {
            "devices": [("M01", {"next_seq": 9})],
            "events": [event("OFFER", "queued", "offered", **said)],
            "fulfillments": [(UNIT, {"state": "offered", "version": 2, "due_at": until})],
            "vend_units": [(UNIT, {**beside, **({"mdb": True} if mdb else {})})],
        })  # fmt: skip


BEGUN = "SELECT vending_begun('M01', $1, $2, $3)"
WINDOWS = {"online_s": 20, "offer_s": 5}
IN_TIME = but(IN_QUEUE, ("fulfillments", {"id": UNIT, "dispatch_by": LATE}))


@pytest.mark.parametrize(
    ("given", "due"),
    [
        (IN_TIME, NOW + 5 * SECOND),
        (but(IN_TIME, outlet("M01", windows={"offer_s": 9})), NOW + 9 * SECOND),
        (but(IN_TIME, ("fulfillments", {"id": UNIT, "dispatch_by": NOW + 4 * SECOND})),
         NOW + 4 * SECOND),
        (but(IN_TIME, device("M01", last_seen_at=NOW - 20 * SECOND)), NOW + 5 * SECOND),
        (but(IN_TIME, device("M01", last_seen_at=NOW - 20 * SECOND - MOMENT)), None),
        (but(IN_TIME, outlet("M01", dialect="simple")), None),
        (but(IN_TIME, outlet("M01", channel="socketio")), None),
        (but(IN_TIME, ("slots", {"outlet_id": "M01", "slot": "A1", "product_id": TEA})), None),
        (shop(), None),
    ],
)  # fmt: skip
async def test_what_was_just_paid_is_offered_where_it_is_plain(
    rows: Rows, given: Given, due: Any
) -> None:
    said, found = await called(rows, given, BEGUN, ["x", "mqtt"], WINDOWS, NOW)
    if due is None:
        assert (said, found) == (None, {})
        return
    (row,) = [row for table, row in given if table == "fulfillments" and row["id"] == UNIT]
    (shown,) = [row for table, row in given if table == "outlets" and row["id"] == "M01"]
    assert said == {**NEXT, "seq": 8, "mdb": False, "windows": shown["windows"],
                    "dispatch_by": row["dispatch_by"].isoformat()}  # fmt: skip
    assert found["fulfillments"] == [(UNIT, {"state": "offered", "version": 2, "due_at": due})]


async def test_each_unit_of_a_paid_order_gets_its_machines_part(rows: Rows) -> None:
    await rows.conn.execute("BEGIN")
    for line, slot in ((LINE, "A1"), (UUID(int=40), "A2")):
        await rows.put("order_lines", id=line, slot=slot)
    for key, given in ((UNIT, {}), (UUID(int=41), {"line_id": UUID(int=40)}),
                       (UUID(int=42), {"order_id": UUID(int=43)})):  # fmt: skip
        table, row = unit(key, "M01", **{**QUEUED, **given})
        await rows.put(table, **row)
    await rows.conn.execute("DELETE FROM vend_units")
    await rows.conn.execute("SELECT vending_queued($1, $2)", ORDER, NOW)
    made = await rows.conn.fetch("SELECT id, merchant_id, outlet_id, slot FROM vend_units")
    await rows.conn.execute("ROLLBACK")
    assert {tuple(row) for row in made} == {
        (UNIT, ASHA, "M01", "A1"), (UUID(int=41), ASHA, "M01", "A2"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("basis", "code", "counts"),
    [
        ("no_drop", None, True), ("no_drop", "VEND_CANCEL", True), ("vmc_failure", None, True),
        ("vmc_failure", "VEND_FAILURE", True), ("vmc_failure", "VEND_CANCEL", False),
        ("rejected", "SLOT_", True), ("rejected", "SLOT", False), ("rejected", "A_SLOT_", False),
        ("rejected", None, False), ("policy", "x", True), ("policy", None, False),
        ("declared", None, True), ("declared", "", True), ("declared", "JAM", True),
        *(("declared", code, False) for code in (
            "BUSY", "DOOR_OPEN", "TEMP_LOCK", "PRICE_VERSION", "PLANOGRAM", "AGE_REQUIRED",
            "FIRMWARE", "STALE_SEQ", "JOURNAL_FULL")),
        *((basis, "JAM", False) for basis in ("never_sent", "drop", "tombstoned", None)),
    ],
)  # fmt: skip
async def test_whether_it_was_the_slots_fault(
    rows: Rows, basis: str | None, code: str | None, *, counts: bool
) -> None:
    assert await rows.conn.fetchval("SELECT slot_failed($1, $2)", basis, code) is counts
