"""A unit of a machine that is due, state by state: what of it is written, sent and woken, whole,
beside units of other machines; to the moment."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from coinslot.context import Context
from coinslot.orders import fulfillment
from coinslot.orders.page_views import Progress, Story, WhyNot
from coinslot.vending.fulfillment import Vending
from tests.sales.by_hand import NOW, Rows
from tests.sales.machine_rows import (
    ASHA,
    GOING,
    LAST,
    LATE,
    MOMENT,
    ORDER,
    QUEUED,
    SECOND,
    TEA,
    UNIT,
    Done,
    Given,
    Row,
    acted,
    but,
    device,
    outlet,
    shop,
    unit,
)
from tests.sales.stage import SentLine
from tests.sales.wrote import Wrote

NOW_AND = tuple(NOW + n * SECOND for n in range(70))
BOTH = {"refunds", "fulfillments"}
OFFER: Row = {
    "type": "OFFER", "unit_id": str(UNIT), "seq": 7, "slot": "A1", "sku": "can",
    "amount_minor": 900, "price_version": 5, "planogram_version": 6, "lease_ms": 10_000,
}  # fmt: skip
HOLD: Row = {"dispatch_by": LATE, "offers": 2}
OFFERED = shop(unit(UNIT, "M01", **HOLD))
SIMPLE = outlet("M01", dialect="simple", channel="socketio")
STOP: tuple[str, Row] = ("outlet_stops", {"outlet_id": "M01", "why": "food_lock", "until": None,
                                          "returns_money": True})  # fmt: skip
SILENT: Row = {"outlet_id": "M01", "why": "no_answer", "merchant_id": ASHA, "since": NOW,
               "until": NOW, "count": 1}  # fmt: skip


def of(given: Given, **changes: Any) -> Given:
    return but(given, ("fulfillments", {"id": UNIT, **changes}))


async def reminded(
    rows: Rows, given: Given, *, connected: bool = True, verb: str = "remind"
) -> Done:
    async def act(here: Context) -> Any:
        async with here.db.system_connection() as conn:
            row = await conn.fetchrow("SELECT * FROM fulfillments WHERE id = $1", UNIT)
        assert row is not None
        return await getattr(Vending(), verb)(here, row)

    return await acted(rows, given, act, SentLine(connected=connected))


def put_off(seconds: float) -> Wrote:
    return {"fulfillments": [(UNIT, {"due_at": NOW + timedelta(seconds=seconds)})]}


Case = tuple[Given, bool, Wrote, list[Row], list[str]]
BACK: Row = {
    "state": "failed", "version": 2, "basis": "never_sent", "settlement": "refund_due",
    "settled_at": NOW,
}  # fmt: skip

OF_OFFERS: Sequence[Case] = (
    (OFFERED, True, {
        "fulfillments": [(UNIT, {"version": 2, "due_at": NOW_AND[5]})],
        "vend_units": [(UNIT, {"offers": 3})], "outlet_stops": [SILENT]}, [OFFER], ["OFFER"]),
    (of(OFFERED, dispatch_by=NOW_AND[4], mdb=True), True, {
        "fulfillments": [(UNIT, {"version": 2, "due_at": NOW_AND[4]})],
        "vend_units": [(UNIT, {"offers": 3})], "outlet_stops": [SILENT]},
     [{**OFFER, "lease_ms": 60_000}], ["OFFER"]),
    (but(OFFERED, outlet("M01", windows={"offer_s": 9})), True, {
        "fulfillments": [(UNIT, {"version": 2, "due_at": NOW_AND[9]})],
        "vend_units": [(UNIT, {"offers": 3})], "outlet_stops": [SILENT]}, [OFFER], ["OFFER"]),
    (of(OFFERED, offers=3), True, {
        "fulfillments": [(UNIT, {"state": "queued", "version": 2, "due_at": NOW_AND[5]})],
        "vend_units": [(UNIT, {"offers": 0, "seq": None, "open": False})],
        "outlet_stops": [SILENT]}, [], ["SILENCE"]),
    (of(OFFERED, offers=3), False, {
        "fulfillments": [(UNIT, {"state": "queued", "version": 2, "due_at": NOW_AND[5]})],
        "vend_units": [(UNIT, {"offers": 0, "seq": None, "open": False})],
        "outlet_stops": [SILENT]}, [], ["SILENCE"]),
    # Connected to no process: it is looked at again when a question would be.
    (but(OFFERED, device("M01", last_seen_at=NOW - 20 * SECOND - MOMENT)), False, put_off(5), [],
     []),
    ([*of(OFFERED, offers=3), ("outlet_stops", {**SILENT, "count": 7, "until": NOW - SECOND,
                                                "since": NOW - SECOND})], True, {
        "fulfillments": [(UNIT, {"state": "queued", "version": 2, "due_at": NOW_AND[5]})],
        "vend_units": [(UNIT, {"offers": 0, "seq": None, "open": False})],
        "outlet_stops": [(("M01", "no_answer"), {"count": 8})]}, [], ["SILENCE"]),
    ([*of(OFFERED, offers=3), ("outlet_stops", {**SILENT, "count": 8, "until": NOW - SECOND,
                                                "since": NOW - SECOND})], True, {
        "fulfillments": [(UNIT, {"state": "queued", "version": 2, "due_at": NOW_AND[5]})],
        "vend_units": [(UNIT, {"offers": 0, "seq": None, "open": False})],
        "outlet_stops": [(("M01", "no_answer"), {"count": 9, "since": NOW,
                                                 "until": NOW_AND[60]})]}, [], ["SILENCE"]),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(OF_OFFERS)))
async def test_an_offer_that_nobody_answered(rows: Rows, case: int) -> None:
    given, connected, written, sent, events = OF_OFFERS[case]
    assert await reminded(rows, given, connected=connected) == Done(
        None, written, sent, BOTH, events
    )


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (but(OFFERED, outlet("M01", decommissioned_at=NOW)), None),
        ([*OFFERED, STOP], "TEMP_LOCK"),
        ([*of(OFFERED, offers=3), STOP], "TEMP_LOCK"),
    ],
)
async def test_an_offer_of_what_may_not_be_sold_any_more_goes_back(
    rows: Rows, given: Given, code: str | None
) -> None:
    done = await reminded(rows, given)
    said = {} if code is None else {"failure_code": code}
    assert done.wrote["fulfillments"] == [(UNIT, {**BACK, **said})]
    assert done.wrote["vend_units"] == [(UNIT, {"open": False})]
    assert (done.sent, done.awake) == ([], BOTH)
    assert len(done.wrote["refunds"]) == 1  # and it is due still: its machine was told of it


async def test_one_that_another_process_reaches_is_left_to_it_for_a_moment(rows: Rows) -> None:
    """By chance, so that of two processes not always the same one is first."""
    at = set()
    for _ in range(20):
        done = await reminded(rows, OFFERED, connected=False)
        ((_, row),) = done.wrote["fulfillments"]
        at.add((row["due_at"] - NOW).total_seconds())
        assert row.keys() == {"due_at"}
    assert len(at) > 1
    assert all(0.25 <= seconds <= 1 for seconds in at)


GONE_OUT: Row = {**GOING, "lease_end": NOW - 20 * SECOND, "hard_deadline": LATE, "asked_at": None,
                 "queries": 4, "offers": 1}  # fmt: skip
WENT = shop(unit(UNIT, "M01", **GONE_OUT))
DOUBT = of(WENT, state="in_doubt")
RAN = of(WENT, state="started")
QUERY: Row = {"type": "QUERY", "unit_id": str(UNIT), "seq": 7, "journal_id": "j1"}
OF_SIMPLE = but(of(WENT, lease_end=None, sent_at=NOW - 20 * SECOND), SIMPLE)
JUST_ASKED: Row = {"asked_at": NOW - 5 * SECOND + MOMENT, "nonce": "n1", "due_at": NOW}

ASKED: Sequence[tuple[Given, int]] = (
    (of(WENT, lease_end=NOW - 20 * SECOND + MOMENT), 5),
    (of(RAN, lease_end=NOW), 5),
    (of(WENT, lease_end=NOW, hard_deadline=NOW_AND[4]), 4),
    (DOUBT, 60),
    (of(DOUBT, hard_deadline=NOW_AND[9]), 9),
    (of(WENT, lease_end=NOW, asked_at=NOW - 5 * SECOND, nonce="n1"), 5),
    (but(of(WENT, lease_end=NOW - 29 * SECOND), outlet("M01", windows={})), 5),
)


@pytest.mark.parametrize("case", range(len(ASKED)))
async def test_a_machine_is_asked_what_became_of_a_run(rows: Rows, case: int) -> None:
    given, seconds = ASKED[case]
    done = await reminded(rows, given)
    (question,) = done.sent
    nonce = question.pop("nonce")
    assert (question, len(nonce), nonce != "n1") == (QUERY, 16, True)
    assert done.wrote == {
        "fulfillments": [(UNIT, {"version": 2, "due_at": NOW_AND[seconds]})],
        "vend_units": [(UNIT, {"nonce": nonce, "asked_at": NOW, "queries": 5})],
    }  # fmt: skip
    assert (done.awake, done.events) == (BOTH, ["SILENCE"])


@pytest.mark.parametrize(
    ("given", "due"),
    [
        (of(WENT, lease_end=NOW, **JUST_ASKED), MOMENT),
        (of(WENT, lease_end=NOW, **JUST_ASKED, hard_deadline=NOW), timedelta(0)),
        (of(WENT, lease_end=NOW, **{**JUST_ASKED, "due_at": NOW + MOMENT}), None),
    ],
)
async def test_a_question_that_is_new_is_sent_again_as_it_is(
    rows: Rows, given: Given, due: timedelta | None
) -> None:
    done = await reminded(rows, given)
    assert done.sent == [{**QUERY, "nonce": "n1"}]
    wanted = {} if due in (None, timedelta(0)) else {
        "fulfillments": [(UNIT, {"due_at": NOW + (due or timedelta(0))})]}  # fmt: skip
    assert (done.wrote, done.events) == (wanted, [])


@pytest.mark.parametrize(
    ("given", "due"),
    [
        (WENT, NOW_AND[5]),
        (RAN, NOW_AND[5]),
        (of(WENT, hard_deadline=NOW_AND[4]), NOW_AND[4]),
        (of(OF_SIMPLE, hard_deadline=NOW_AND[40]), NOW_AND[40]),
        (but(of(WENT, lease_end=NOW - 30 * SECOND), outlet("M01", windows={})), NOW_AND[5]),
    ],
)
async def test_a_run_that_was_silent_too_long_is_in_doubt(
    rows: Rows, given: Given, due: Any
) -> None:
    done = await reminded(rows, given)
    written = {"fulfillments": [(UNIT, {"state": "in_doubt", "version": 2, "due_at": due})]}
    assert done == Done(None, written, [], BOTH, ["DEADLINE"])


@pytest.mark.parametrize(
    ("given", "due"),
    [
        (of(OF_SIMPLE, sent_at=NOW - 19 * SECOND), NOW_AND[1]),
        (of(OF_SIMPLE, state="in_doubt", hard_deadline=NOW_AND[40]), NOW_AND[40]),
        (of(OF_SIMPLE, sent_at=NOW - 19 * SECOND, lease_end=NOW), NOW_AND[20]),
    ],
)
async def test_a_machine_that_cannot_be_asked_is_waited_for(
    rows: Rows, given: Given, due: Any
) -> None:
    done = await reminded(rows, given)
    assert done == Done(None, {"fulfillments": [(UNIT, {"due_at": due})]}, [], BOTH, [])


FAR_OFF = device("M01", last_seen_at=NOW - 20 * SECOND - MOMENT)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (but(DOUBT, FAR_OFF), 60),
        (but(of(WENT, lease_end=NOW), FAR_OFF), 5),
        (but(DOUBT, device("M01", last_seen_at=NOW - 20 * SECOND)), 5),
    ],
)
async def test_a_machine_that_is_not_here_is_left_alone_for_a_while(
    rows: Rows, given: Given, seconds: int
) -> None:
    done = await reminded(rows, given, connected=False)
    assert done == Done(None, put_off(seconds), [], BOTH, [])


SOLD: Row = {"state": "vended", "settlement": "fulfilled", "basis": "drop", "due_at": None,
             "open": False}  # fmt: skip


@pytest.mark.parametrize("changed", [SOLD, {"state": "going"}])
async def test_what_was_moved_meanwhile_is_left_as_it_is(rows: Rows, changed: Row) -> None:
    async def act(here: Context) -> None:
        async with here.db.system_connection() as conn:
            row = await conn.fetchrow("SELECT * FROM fulfillments WHERE id = $1", UNIT)
            assert row is not None
        seen: Any = {**row, "state": "offered", "settlement": None}
        await Vending().remind(here, seen)

    assert await acted(rows, of(OFFERED, **changed), act) == Done(None, {}, [], set(), [])


WAITS = shop(unit(UNIT, "M01", **{**QUEUED, "dispatch_by": LATE}))


@pytest.mark.parametrize(
    ("given", "connected", "due"),
    [
        (but(WAITS, FAR_OFF), True, 5),
        (but(WAITS, FAR_OFF), False, 5),
        ([*WAITS, unit(TEA, "M01")], True, 5),
        (but(of(WAITS, dispatch_by=NOW_AND[3]), FAR_OFF), True, 3),
    ],
)
async def test_a_unit_that_cannot_be_offered_yet_waits(
    rows: Rows, given: Given, connected: bool, due: int
) -> None:
    done = await reminded(rows, given, connected=connected, verb="start")
    assert done == Done(None, put_off(due), [], set(), [])


async def test_a_unit_whose_machine_another_process_reaches_waits_for_a_moment(rows: Rows) -> None:
    done = await reminded(rows, WAITS, connected=False, verb="start")
    ((_, row),) = done.wrote["fulfillments"]
    assert NOW < row["due_at"] <= NOW_AND[1]
    assert (done.sent, done.awake, done.events) == ([], set(), [])


async def test_a_unit_is_begun_where_its_machine_can(rows: Rows) -> None:
    done = await reminded(rows, WAITS, verb="start")
    assert (done.sent, done.awake, done.events) == ([{**OFFER, "seq": 8}], set(), ["OFFER"])
    assert done.wrote["devices"] == [("M01", {"next_seq": 9})]
    simple = await reminded(rows, but(WAITS, SIMPLE), verb="start")
    assert simple.sent == [{
        "type": "machine:dispense", "orderId": str(ORDER), "unitId": str(UNIT), "machineId": "M01",
        "slot": "A1", "amount": 900, "currency": "INR",
    }]  # fmt: skip
    assert simple.wrote == {
        "fulfillments": [(UNIT, {
            "state": "going", "version": 2, "sent_at": NOW, "due_at": NOW_AND[20],
            "hard_deadline": NOW + timedelta(seconds=600)})],
        "vend_units": [(UNIT, {"open": True, "offered_at": NOW})],
    }  # fmt: skip
    short = but(WAITS, outlet("M01", dialect="simple", windows={"in_doubt_s": 9, "run_s": 20}))
    ((_, row),) = (await reminded(rows, short, verb="start")).wrote["fulfillments"]
    assert (row["due_at"], row["hard_deadline"]) == (NOW_AND[9], NOW_AND[9])


async def test_what_waits_at_a_machine_that_gives_money_back_goes_back(rows: Rows) -> None:
    done = await reminded(rows, [*WAITS, STOP], verb="start")
    assert done.wrote["fulfillments"] == [
        (UNIT, {**BACK, "due_at": None, "failure_code": "TEMP_LOCK"})
    ]
    assert (done.sent, done.awake) == ([], BOTH)
    kept = [*WAITS, ("outlet_stops", {**STOP[1], "returns_money": False})]
    done = await reminded(rows, kept, verb="start")
    assert done == Done(None, put_off(5), [], set(), [])


@pytest.mark.parametrize(("lease_end", "asks"), [(NOW, True), (NOW + MOMENT, False)])
async def test_a_customers_word_has_the_machine_asked_when_its_lease_is_over(
    rows: Rows, lease_end: Any, *, asks: bool
) -> None:
    async def act(here: Context) -> None:
        async with here.db.system_connection() as conn:
            row = await conn.fetchrow("SELECT * FROM fulfillments WHERE id = $1", UNIT)
            assert row is not None
        await Vending().prove(here, row, fulfillment.Testimony(came=False, by="asha"))

    given = of(WENT, lease_end=lease_end, page_asked_at=NOW)
    done = await acted(rows, given, act)
    assert len(done.sent) == asks
    if not asks:
        assert done.wrote == {"fulfillments": [(UNIT, {"page_asked_at": None})]}


@pytest.mark.parametrize(
    ("stopped", "seen", "why"),
    [
        (None, NOW - 20 * SECOND, WhyNot.READY), (None, NOW - 20 * SECOND - MOMENT, WhyNot.OFFLINE),
        (None, None, WhyNot.OFFLINE), ("food_lock", NOW, WhyNot.TOO_WARM),
        ("no_temperature", NOW, WhyNot.TOO_WARM), ("no_answer", NOW, WhyNot.OFFLINE),
        ("maintenance", NOW, WhyNot.OUT_OF_SERVICE),
    ],
)  # fmt: skip
async def test_why_a_machine_sells_nothing(
    rows: Rows, stopped: str | None, seen: Any, why: WhyNot
) -> None:
    async def act(here: Context) -> WhyNot:
        row: Any = {"stopped": stopped, "last_seen_at": seen}
        return Vending().why_not(here, row)

    assert (await acted(rows, [], act)).said is why


@pytest.mark.parametrize(
    ("given", "story"),
    [
        (WAITS, Story(progress=Progress.QUEUED, begun_at=None)),
        (of(WAITS, offered_at=NOW), Story(progress=Progress.SENDING, begun_at=NOW)),
        (OFFERED, Story(progress=Progress.SENDING, begun_at=NOW - SECOND)),
        (WENT, Story(progress=Progress.WORKING, begun_at=NOW - SECOND)),
        (DOUBT, Story(progress=Progress.CHECKING, begun_at=NOW - SECOND)),
    ],
)
async def test_how_far_the_handing_over_is(rows: Rows, given: Given, story: Story) -> None:
    async def act(here: Context) -> Story:
        async with here.db.system_connection() as conn:
            units = await conn.fetch("SELECT * FROM fulfillments WHERE id = $1", UNIT)
            return await Vending().story(here, conn, units)

    elsewhere = but(given, ("fulfillments", {"id": LAST, "offered_at": LATE}))
    assert (await acted(rows, elsewhere, act)).said == story
