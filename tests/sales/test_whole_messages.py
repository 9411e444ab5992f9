"""Each message of a machine: what it proves of its unit, what is written, answered and woken, as a
whole, beside units of other machines; on the short path and on the long one."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from coinslot.channels import messages as wire
from coinslot.channels.messages import Lease, Refusal, UnitState
from coinslot.context import Context
from coinslot.vending import machine_messages
from coinslot.vending.journal import Machine
from tests.sales.by_hand import NOW, Rows
from tests.sales.machine_rows import (
    ASHA,
    FIRST,
    GOING,
    LATE,
    MOMENT,
    SECOND,
    SECRET,
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

M01, M02 = Machine("M01", ASHA), Machine("M02", ASHA)
BOTH = {"refunds", "fulfillments"}
AT = NOW - SECOND  # when it was heard
LEASE_END = AT + timedelta(milliseconds=10_000) * 1.01 + SECOND
GREETING = wire.Hello(
    journal_id="j1", boot_id="b2", mono_ms=9, last_seq=11, firmware="fw 2", unacked_from=4,
    config_version=2, hardware="esp32", build=6,
    capabilities=wire.Capabilities(journal=True, sensor=True, mdb=True, journal_formats=[1, 2]),
)  # fmt: skip
SAID_NO = {"outlet_id": "M01", "why": "no_answer", "merchant_id": ASHA, "count": 2, "until": NOW,
           "since": NOW}  # fmt: skip
SILENT: tuple[str, Row] = ("outlet_stops", SAID_NO)
ELSEWHERE: tuple[str, Row] = ("outlet_stops", {**SAID_NO, "outlet_id": "M00"})


def heard(up: wire.Up, machine: Machine = M01, at: Any = AT) -> Any:
    async def act(here: Context) -> Any:
        return await machine_messages.receive(here, machine, up, at)

    return act


async def told(
    rows: Rows, given: Given, up: wire.Up, *, connected: bool = True, **more: Any
) -> Done:
    return await acted(rows, given, heard(up, **more), SentLine(connected=connected))


def of(given: Given, **changes: Any) -> Given:
    return but(given, ("fulfillments", {"id": UNIT, **changes}))


IDLE = [*shop(), ("outlet_stops", {**SAID_NO, "outlet_id": "M00"})]
GREETED: Row = {
    "next_seq": 12, "journal_id": "j1", "boot_id": "b2", "has_sensor": True, "mdb": True,
    "firmware": "fw 2", "last_seen_at": AT, "config_version": 2, "hardware": "esp32",
    "build_sequence": 6, "journal_formats": [1, 2],
}  # fmt: skip
JOURNAL: Row = {"outlet_id": "M01", "journal_id": "j1", "merchant_id": ASHA, "first_seen_at": AT,
                "through": 3, "jumped_to": 3, "skipped": 3}  # fmt: skip


async def test_a_greeting_is_kept_and_answered(rows: Rows) -> None:
    given = but([*IDLE, SILENT], outlet("M01", config_version=7))
    done = await told(rows, given, GREETING)
    assert done == Done(
        [wire.Sync(through=3, server_time=AT, config_version=7, queries=[])],
        {"devices": [("M01", GREETED)], "device_journals": [JOURNAL],
         "outlet_stops": [(("M01", "no_answer"), {"count": 0, "until": AT})]},
        [], set(), [],
    )  # fmt: skip


async def test_a_greeting_that_says_little(rows: Rows) -> None:
    little = wire.Hello(journal_id="j1", boot_id="b2", mono_ms=9, last_seq=0)
    before = but(IDLE, device("M01", has_sensor=True, mdb=True))
    done = await told(rows, before, little)
    assert done.said == [wire.Sync(through=0, server_time=AT, config_version=1, queries=[])]
    assert done.wrote == {
        "devices": [("M01", {"journal_id": "j1", "boot_id": "b2", "firmware": "",
                             "has_sensor": False, "mdb": False, "last_seen_at": AT})],
        "device_journals": [{"outlet_id": "M01", "journal_id": "j1", "merchant_id": ASHA,
                             "first_seen_at": AT}],
    }  # fmt: skip
    full = [("device_journals", {"outlet_id": "M01", "journal_id": f"k{n}", "first_seen_at": AT})
            for n in range(20)]  # fmt: skip
    done = await told(rows, [*IDLE, *full], GREETING)
    assert done.said[0].through == 0, "there is no room for one more journal today"
    assert "device_journals" not in done.wrote


async def test_a_sign_of_life_wakes_nobody(rows: Rows) -> None:
    done = await told(rows, IDLE, wire.Health(mono_ms=9))
    assert (done.said, done.sent, done.awake) == ([], [], set())


async def test_a_greeting_says_which_secret_is_in_use(rows: Rows) -> None:
    next_one = {"next_secret": b"t", "next_hash": "h2", "next_key_id": 5, "next_issued_at": NOW}
    given = but(IDLE, device("M01", **next_one))
    used = await told(rows, given, msgspec.structs.replace(GREETING, key_id="5"))
    ((_, row),) = used.wrote["devices"]
    assert row == {
        **GREETED, "secret": b"t", "broker_hash": "h2", "key_id": 5, "next_secret": None,
        "next_hash": None, "next_key_id": None, "next_issued_at": None,
    }  # fmt: skip
    for key_id in ("3", None):
        up = msgspec.structs.replace(GREETING, key_id=key_id)
        ((_, row),) = (await told(rows, given, up)).wrote["devices"]
        assert row == GREETED


ASKED_OF: Row = {**GOING, "lease_end": AT, "queries": 4}
ON_WAY = shop(unit(UNIT, "M01", **ASKED_OF))


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        (ON_WAY, True),
        (of(ON_WAY, lease_end=AT + MOMENT), False),
        (of(ON_WAY, journal_id=None), False),
        (of(ON_WAY, state="vended", settlement="fulfilled", basis="drop", due_at=None, open=False),
         False),
    ],
)  # fmt: skip
async def test_a_machine_that_greets_is_asked_of_its_open_unit(
    rows: Rows, given: Given, *, asked: bool
) -> None:
    done = await told(rows, given, GREETING)
    (sync,) = done.said
    if not asked:
        assert sync.queries == []
        assert "fulfillments" not in done.wrote
        return
    (query,) = sync.queries
    assert query == wire.Query(unit_id=UNIT, seq=7, journal_id="j1", nonce=query.nonce)
    assert done.wrote["vend_units"] == [
        (UNIT, {"nonce": query.nonce, "asked_at": NOW, "queries": 5})
    ]
    assert done.wrote["fulfillments"] == [(UNIT, {"version": 2, "due_at": NOW + 5 * SECOND})]


async def test_what_waits_for_a_machine_is_offered_when_it_greets(rows: Rows) -> None:
    waits = shop(unit(UNIT, "M01", state="queued", seq=None, open=False, offered_at=None,
                      dispatch_by=LATE))  # fmt: skip
    done = await told(rows, waits, GREETING, at=NOW)
    assert done.sent == [{
        "type": "OFFER", "unit_id": str(UNIT), "seq": 12, "slot": "A1", "sku": "can",
        "amount_minor": 900, "price_version": 5, "planogram_version": 6, "lease_ms": 60_000,
    }]  # fmt: skip


# ---- an offer is accepted ----

YES = wire.Accept(unit_id=UNIT, seq=7, journal_id="j1", boot_id="b1", mono_ms=2000, counter=7)
OFFERED = but(shop(unit(UNIT, "M01", dispatch_by=LATE)), device("M01", secret=SECRET))


def go(not_after: int = 12_000) -> wire.Go:
    lease = Lease(unit_id=UNIT, seq=7, slot="A1", boot_id="b1", not_after=not_after)
    return wire.signed_go("its secret", lease, 3)


def went(lease_end: Any, hard: Any, sent: Any, message: wire.Go) -> Wrote:
    return {
        "fulfillments": [(UNIT, {"state": "going", "version": 2, "sent_at": sent,
                                 "due_at": lease_end, "hard_deadline": hard})],
        "vend_units": [(UNIT, {
            "accept": msgspec.to_builtins(YES), "journal_id": "j1", "boot_id": "b1",
            "go_message": wire.to_wire(message), "lease_end": lease_end})],
    }  # fmt: skip


COUNTED = {"outlet_stops": [(("M01", "no_answer"), {"count": 0, "until": AT})]}


STANDING: Sequence[tuple[Given, Any, Any, int]] = (

        (OFFERED, LEASE_END, AT + 600 * SECOND, 12_000),
        (but(OFFERED, outlet("M01", windows={"run_s": 20, "in_doubt_s": 9})), LEASE_END,
         LEASE_END + 20 * SECOND, 12_000),
        (of(OFFERED, mdb=True), AT + timedelta(seconds=60.6) + SECOND, AT + 600 * SECOND, 62_000),
)  # fmt: skip


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("case", range(len(STANDING)))
async def test_an_offer_that_is_accepted_goes_for_so_long(
    rows: Rows, case: int, *, whole: bool
) -> None:
    given, lease_end, hard, not_after = STANDING[case]
    more = [SILENT] if whole else []  # its silence is counted: then it is not plain
    done = await told(rows, [*given, ELSEWHERE, *more], YES)
    assert done.said == [go(not_after)]
    assert done.wrote == {
        **went(lease_end, hard, AT, go(not_after)), **(COUNTED if whole else {})
    }  # fmt: skip
    assert (done.sent, done.awake, done.events) == ([], set(), ["ACCEPT"])


ANOTHER = msgspec.structs.replace(YES, mono_ms=2001)
GONE_OUT = of(
    OFFERED, **GOING, accept=msgspec.to_builtins(YES), go_message=wire.to_wire(go(5)),
    lease_end=LATE,
)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "up", "said"),
    [
        (GONE_OUT, YES, [go(5)]),
        (GONE_OUT, ANOTHER, []),
        (of(GONE_OUT, state="started"), YES, []),
        (of(GONE_OUT, state="in_doubt"), YES, []),
    ],
)
async def test_an_acceptance_that_comes_again_moves_nothing(
    rows: Rows, given: Given, up: wire.Accept, said: list[wire.Go]
) -> None:
    done = await told(rows, given, up)
    assert (done.said, done.wrote, done.events) == (said, {"fulfillments": [
        (UNIT, {"version": 2})]}, ["ACCEPT"])  # fmt: skip


NOTHING: Sequence[tuple[Given, wire.Up, Machine]] = (
    (OFFERED, msgspec.structs.replace(YES, seq=6), M01),
    (OFFERED, msgspec.structs.replace(YES, unit_id=FIRST), M01),
    (OFFERED, YES, M02),
    (of(OFFERED, dispatch_by=AT), YES, M01),
    (of(OFFERED, state="queued", open=False), YES, M01),
    (but(OFFERED, outlet("M01", decommissioned_at=NOW)), YES, M01),
    (OFFERED, wire.Reject(unit_id=UNIT, seq=6, journal_id="j1", code=Refusal.BUSY), M01),
    (OFFERED, wire.Reject(unit_id=UNIT, seq=7, journal_id="j1", code=Refusal.BUSY), M02),
    (OFFERED, wire.Health(), M01),
    (OFFERED, wire.Status(unit_id=FIRST, seq=7, journal_id="j1", state=UnitState.STARTED), M01),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(NOTHING)))
async def test_what_is_not_of_this_offer_writes_nothing(rows: Rows, case: int) -> None:
    given, up, machine = NOTHING[case]
    done = await told(rows, given, up, machine=machine)
    assert (done.said, done.wrote, done.sent) == ([], {}, [])


async def test_an_offer_at_a_machine_that_grew_too_warm_goes_back(rows: Rows) -> None:
    stop = ("outlet_stops", {"outlet_id": "M01", "why": "food_lock", "until": None,
                             "returns_money": True})  # fmt: skip
    done = await told(rows, [*OFFERED, stop], YES)
    ((_, row),) = done.wrote["fulfillments"]
    assert (done.said, row["basis"], row["failure_code"]) == ([], "never_sent", "TEMP_LOCK")


# ---- an offer is refused ----


def no(code: Refusal) -> wire.Reject:
    return wire.Reject(unit_id=UNIT, seq=7, journal_id="j1", code=code)


PASSING = (Refusal.BUSY, Refusal.DOOR_OPEN, Refusal.STALE_SEQ)


@pytest.mark.parametrize("code", sorted({*wire.TRANSIENT_REFUSALS, Refusal.STALE_SEQ}))
async def test_a_passing_refusal_queues_the_unit_again(rows: Rows, code: Refusal) -> None:
    given = [*of(OFFERED, offers=2), SILENT, ELSEWHERE]
    done = await told(rows, given, no(code))
    assert done == Done(
        [],
        {"fulfillments": [(UNIT, {"state": "queued", "version": 2, "due_at": NOW + 5 * SECOND})],
         "vend_units": [(UNIT, {"seq": None, "open": False, "offers": 0})],
         "outlet_stops": [(("M01", "no_answer"), {"count": 0})]},
        [], BOTH, ["BUSY"],
    )  # fmt: skip


FOR_GOOD = sorted({*Refusal} - {*wire.TRANSIENT_REFUSALS, Refusal.STALE_SEQ})


@pytest.mark.parametrize("code", FOR_GOOD)
async def test_a_refusal_for_good_gives_the_money_back(rows: Rows, code: Refusal) -> None:
    done = await told(rows, [*OFFERED, SILENT, ELSEWHERE], no(code))
    assert done.wrote["fulfillments"] == [(UNIT, {
        "state": "failed", "version": 2, "basis": "rejected", "failure_code": code.value,
        "settlement": "refund_due", "settled_at": NOW, "due_at": None,
    })]  # fmt: skip
    assert (done.said, done.sent, done.awake) == ([], [], BOTH)
    stops = [(("M01", "no_answer"), {"count": 0})]
    if code is Refusal.TEMP_LOCK:
        locked = {
            "outlet_id": "M01",
            "why": "food_lock",
            "merchant_id": ASHA,
            "since": NOW,
            "until": NOW + 300 * SECOND,
            "returns_money": True,
            "data": {"by": "machine"},
        }
        stops = [*stops, locked]  # type: ignore[list-item]
    assert sorted(map(str, done.wrote["outlet_stops"])) == sorted(map(str, stops))


@pytest.mark.parametrize("code", [Refusal.BUSY, Refusal.SLOT_EMPTY])
@pytest.mark.parametrize("state", ["going", "started", "in_doubt"])
async def test_after_go_a_refusal_proves_nothing(rows: Rows, code: Refusal, state: str) -> None:
    done = await told(rows, of(GONE_OUT, state=state), no(code))
    assert (done.said, done.wrote) == ([], {"fulfillments": [(UNIT, {"version": 2})]})
