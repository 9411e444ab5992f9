"""What a person does about a case, by rows: what is closed, moved, told and put on record, and why
nothing was done. Another case, payment and refund stand beside each."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.gateways.base import Absent, Mark, PaymentFact, Taken, Unclear
from coinslot.kit.money import Money
from coinslot.orders import fulfillment
from coinslot.oversight import cases
from coinslot.oversight.cases import Case, CaseError, Person
from tests.fleet.shop import ACCOUNT, ACTOR, ASHA, CHANDRA, context, noted, woken
from tests.sales.by_hand import NOW, Rows
from tests.sales.money_rows import (
    BESIDE,
    CAPTURE,
    FIRST,
    NEXT,
    REFUND,
    UNIT,
    Given,
    Row,
    booked,
    event,
    refund,
    unit,
)
from tests.sales.wrote import in_order, wrote

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
PAYMENT, ATTEMPT, OTHER_ACCOUNT = UUID(int=61), UUID(int=62), UUID(int=63)
MANY = 1_000_000  # more than rows that are numbered by themselves
CASE, OLDER, CLOSED, HERS = (MANY + n for n in range(4))
TABLES = (
    "cases", "payments", "refunds", "captures", "ledger", "events", "audit_log", "fulfillments",
    "discrepancies",
)  # fmt: skip
HAND = Person("boris", "looked into it", ASHA, ACTOR)
Does = Callable[[Context], Awaitable[Any]]


def case(key: int = CASE, /, **given: Any) -> tuple[str, Row]:
    return "cases", {
        "id": key, "merchant_id": ASHA, "source": "state", "kind": "payment_unresolved",
        "subject": str(PAYMENT), "owner": "operator", "since": NOW - HOUR,
        "opened_at": NOW - 90 * SECOND, "amount_minor": 4000, "currency": "INR",
        "data": {"a": "b"}, **given,
    }  # fmt: skip


OVER: Row = {"closed_at": NOW - SECOND, "closed_by": "kim", "how": "closed", "note": "n"}
BESIDES: Given = [
    ("merchants", {"id": ASHA, "slug": "asha"}), ("merchants", {"id": CHANDRA, "slug": "hers"}),
    ("gateway_accounts", {"id": ACCOUNT, "merchant_id": ASHA, "gateway": "mock", "slug": "m"}),
    case(HERS, merchant_id=CHANDRA, subject="x", kind="stray"),
    case(OLDER, subject=str(NEXT), opened_at=NOW - HOUR, kind="stray"),
    case(CLOSED, subject="y", kind="stray", **OVER),
    ("payments", {"id": NEXT, "merchant_id": ASHA, "source": "api", "state": "processing"}),
    ("captures", {"id": FIRST, "merchant_id": ASHA, "refund_due": 500, "open": 4500}),
    refund(BESIDE, capture_id=FIRST, state="owed"),
]  # fmt: skip


class Kind:
    """A way of selling that settles a unit as a person says, or does not."""

    def __init__(self, settles: bool = True) -> None:
        self.settles = settles
        self.said: list[tuple[UUID, fulfillment.Testimony]] = []

    async def prove(self, here: Context, row: Any, said: fulfillment.Testimony) -> None:
        self.said.append((row["id"], said))
        if self.settles:
            how = ("fulfilled", "vended") if said.came else ("refund_due", "failed")
            async with here.db.as_merchant(ASHA) as conn:
                await conn.execute(
                    "UPDATE fulfillments SET settlement = $2, state = $3, basis = 'word',"
                    " due_at = NULL WHERE id = $1", row["id"], *how,
                )  # fmt: skip


async def does(
    rows: Rows, given: Given, verb: Does, *, kind: Kind | None = None, driver: Any = None
) -> tuple[Any, dict[str, list[Any]], set[str]]:
    """What it returned or why it did nothing, what it wrote, and whom it woke."""
    seen: set[str] = set()

    class Accounts:
        async def by_id(self, key: UUID) -> Any:
            return SimpleNamespace(id=key, merchant_id=ASHA, driver=driver, ahead=lambda: None)

    async def run(conn: Any) -> Any:
        here = context(conn, accounts=Accounts(), kinds={"vending": kind or Kind()})
        try:
            return await verb(here)
        except CaseError as error:
            return str(error)
        finally:
            seen.update(woken(here))

    said, found = await wrote(rows, [*BESIDES, *given], TABLES, run)
    return said, found, seen


def closed(how: str, **given: Any) -> list[Any]:
    return [(CASE, {"closed_at": NOW, "closed_by": "boris", "how": how, "note": "looked into it",
                    **given})]  # fmt: skip


def on_record(act: str, kind: str, about: object) -> list[Row]:
    return [noted(f"case.{act}", str(CASE), after={"kind": kind, "about": str(about)},
                  reason="looked into it")]  # fmt: skip


def vouched(machine: str, subject: UUID) -> Row:
    said = {"by": "boris", "case": CASE, "note": "looked into it"}
    return event(machine, subject, "VOUCHED", data=said)


UNRESOLVED, OWED = "payment_unresolved", "refund_owed"
Verb = Callable[[Context, int, Person], Awaitable[None]]


def by(verb: Verb, number: int = CASE, hand: Person = HAND) -> Does:
    return lambda here: verb(here, number, hand)


ENDS: tuple[tuple[str, str | None, Verb], ...] = (
    (UNRESOLVED, "ends with `settle --as failed` or `settle --as captured=ID`", cases.paid_by_hand),
    (OWED, "ends with `settle --as paid`", cases.call_off),
    ("no_drop_after_fulfilled", "ends with `settle --as refund` or `settle --as leave`",
     cases.call_off),
    ("handover_unknown", "ends with `settle --as refund` or `settle --as leave`",
     cases.paid_by_hand),
    ("dispute_open",
     "ends by itself when the bank has decided; `coinslot cases close` ends it before",
     cases.leave),
    ("stray", "is closed by hand: `coinslot cases close`", cases.refund),
)  # fmt: skip


async def test_a_case_ends_only_as_its_kind_does_and_by_its_merchant(rows: Rows) -> None:
    for kind, how, verb in ENDS:
        mine = case(kind=kind)
        said, found, seen = await does(rows, [mine], by(verb))
        why = f"case {CASE} is a {kind}, which does not end this way: it {how}"
        assert (said, found, seen) == (why, {}, set())
    verbs: tuple[Verb, ...] = (
        cases.close, cases.call_off, cases.paid_by_hand, cases.refund, cases.leave,
    )  # fmt: skip
    for verb in verbs:
        for number in (CLOSED, MANY + 99):
            said, found, _ = await does(rows, [], by(verb, number))
            assert (said, found) == (f"there is no open case {number}", {})


async def test_a_case_is_closed_with_who_how_and_why(rows: Rows) -> None:
    for kind in ("stray", UNRESOLVED, OWED, "dispute_open"):
        mine = case(kind=kind)
        assert await does(rows, [mine], by(cases.close)) == (
            None, {"cases": closed("closed"), "audit_log": on_record("close", kind, PAYMENT)},
            set(),
        )  # fmt: skip
    everywhere = Person("root", "n")
    _, found, _ = await does(rows, [], by(cases.close, HERS, everywhere))
    assert found["cases"] == [
        (HERS, {"closed_at": NOW, "closed_by": "root", "how": "closed", "note": "n"})
    ]
    (entry,) = found["audit_log"]
    assert (entry["merchant_id"], entry["address"], entry["reason"]) == (
        CHANDRA, "command line", "n",
    )  # fmt: skip


def payment(**given: Any) -> tuple[str, Row]:
    return "payments", {"id": PAYMENT, "merchant_id": ASHA, "source": "api", "state": "processing",
                        "amount_minor": 4000, "due_at": NOW, **given}  # fmt: skip


async def test_a_payment_is_called_off_on_a_persons_word(rows: Rows) -> None:
    moved = event("payment", PAYMENT, "DEADLINE", was="processing", state="canceled",
                  data={"due_at": None})  # fmt: skip
    assert await does(rows, [case(), payment()], by(cases.call_off)) == (
        None, {
            "cases": closed("called_off"), "audit_log": on_record("failed", UNRESOLVED, PAYMENT),
            "payments": [(PAYMENT, {"state": "canceled", "version": 2, "due_at": None})],
            "events": in_order([moved, vouched("payment", PAYMENT)]),
        }, set(),
    )  # fmt: skip
    for given in ([case()], *([case(), payment(state=state)] for state in (
            "succeeded", "canceled", "failed", "authorized", "requires_action"))):  # fmt: skip
        said, found, _ = await does(rows, given, by(cases.call_off))
        assert (said, found) == ("the payment is not processing any more", {}), given


async def test_a_refund_that_was_paid_another_way_is_booked(rows: Rows) -> None:
    mine = case(kind=OWED, subject=str(REFUND))
    taken = ("captures", {"id": CAPTURE, "merchant_id": ASHA, "refund_due": 5000, "open": 0,
                          "refund_intended": 500})  # fmt: skip

    async def paid(*given: tuple[str, Row]) -> Any:
        return await does(rows, [mine, *given], by(cases.paid_by_hand))

    done = {"due_at": None, "ended_at": NOW.isoformat().replace("+00:00", "Z")}
    moved = event("refund", REFUND, "PAID_BY_HAND", was="owed", state="succeeded", data=done)
    assert await paid(taken, refund(state="owed", due_at=NOW)) == (None, {
        "cases": closed("paid_by_hand"), "audit_log": on_record("paid", OWED, REFUND),
        "refunds": [(REFUND, {"state": "succeeded", "version": 2, "ended_at": NOW,
                              "due_at": None})],
        "ledger": in_order(booked("refunds_payable", "gateway", 500, "refunded")),
        "events": in_order([moved, vouched("refund", REFUND)]),
    }, set())  # fmt: skip
    for given in ([taken], *([taken, refund(state=state)] for state in (
            "pending", "succeeded", "failed"))):  # fmt: skip
        said, found, _ = await paid(*given)
        assert (said, found) == ("the refund is not owed any more", {}), given


UNDECIDED = "handover_unknown"
OPEN: Row = {"settlement": None, "basis": None, "state": "started", "due_at": NOW}


async def test_a_unit_of_which_nobody_knew_is_settled_as_a_person_says(rows: Rows) -> None:
    mine = case(kind=UNDECIDED, subject=str(UNIT))
    for verb, came, how, act in (
        (cases.refund, False, "refund", "refund"), (cases.leave, True, "left", "leave"),
    ):  # fmt: skip
        kind = Kind()
        said, found, seen = await does(
            rows,
            [mine, unit(**OPEN)],
            by(verb),
            kind=kind,
        )
        assert (said, seen) == (None, set())
        assert kind.said == [(UNIT, fulfillment.Testimony(came=came, by="boris"))]
        assert found["cases"] == closed(how)
        assert found["audit_log"] == on_record(act, UNDECIDED, UNIT)
        for other in (Kind(settles=False), None):
            settled = unit() if other is None else unit(**OPEN)
            said, found, _ = await does(
                rows,
                [mine, settled],
                by(verb),
                kind=other,
            )
            assert (said, found) == (f"case {CASE} was decided meanwhile", {})


CONTRADICTED = "no_drop_after_fulfilled"


async def test_a_sale_that_its_machine_denied_stands_or_goes_back(rows: Rows) -> None:
    odd = ("discrepancies", {"id": MANY, "merchant_id": ASHA, "kind": CONTRADICTED, "at": NOW,
                             "capture_id": CAPTURE, "fulfillment_id": UNIT})  # fmt: skip
    mine = case(kind=CONTRADICTED, subject=str(MANY))
    taken = ("captures", {"id": CAPTURE, "merchant_id": ASHA, "fulfilled": 5000, "open": 0})
    given: Given = [mine, odd, taken, unit()]
    said, found, seen = await does(rows, given, by(cases.leave))
    assert (said, seen) == (None, set())
    assert found == {
        "cases": closed("left"), "audit_log": on_record("leave", CONTRADICTED, MANY),
        "discrepancies": [(MANY, {"closed_at": NOW, "closed_by": "boris"})],
    }  # fmt: skip
    said, found, seen = await does(rows, given, by(cases.refund))
    assert (said, seen) == (None, {"refunds"})
    assert found["cases"] == closed("refunded")
    assert found["audit_log"] == on_record("refund", CONTRADICTED, MANY)
    assert found["captures"][0][1]["refund_due"] == 900
    back = [mine, odd, taken, unit(settlement="refund_due", basis="no_drop", state="failed")]
    said, found, seen = await does(rows, back, by(cases.refund))
    assert (said, found, seen) == (
        "the case is closed, or the money of this unit went back before", {}, set(),
    )  # fmt: skip


FACT = PaymentFact(gateway_payment_id="pay_1", taken=Taken.CAPTURED, money=Money(4000, "INR"),
                   at=NOW)  # fmt: skip
TRIED: Given = [
    ("gateway_accounts", {"id": OTHER_ACCOUNT, "merchant_id": ASHA, "gateway": "mock",
                          "slug": "o"}),
    ("attempts", {"id": ATTEMPT, "merchant_id": ASHA, "payment_id": PAYMENT, "number": 1,
                  "account_id": ACCOUNT, "state": "unknown", "key": "k"}),
    ("attempts", {"id": NEXT, "merchant_id": ASHA, "payment_id": NEXT, "number": 1,
                  "account_id": OTHER_ACCOUNT, "state": "unknown", "key": "l"}),
]  # fmt: skip
OTHERS_MARK = Mark(installation="test", payment=str(NEXT))
NOT_FOUND: tuple[tuple[Any, str], ...] = (
    (Absent(), "no gateway of this payment knows pay_1"),
    (Unclear("time-out"), "the gateway does not say: time-out"),
    (replace(FACT, taken=Taken.AUTHORIZED), "the gateway says that this payment is authorized"),
    (replace(FACT, mark=OTHERS_MARK),
     "the gateway has this payment under the mark of another one"),
)  # fmt: skip


async def test_money_that_a_person_names_counts_when_its_gateway_says_so(rows: Rows) -> None:
    class Knows:
        def __init__(self, answer: Any) -> None:
            self.answer = answer
            self.asked: list[str] = []

        async def look(self, name: str) -> Any:
            self.asked.append(name)
            return self.answer

    for answer, why in NOT_FOUND:
        driver = Knows(answer)
        said, found, _ = await does(
            rows, [case(), payment(), *TRIED],
            lambda here: cases.find(here, CASE, "pay_1", HAND), driver=driver,
        )  # fmt: skip
        assert (said, found, driver.asked) == (why, {}, ["pay_1"]), answer


SHOWN = Case(
    id=CASE, source="state", kind=UNRESOLVED, subject=str(PAYMENT), owner="operator", age_s=90,
    amount=4000, currency="INR", data={"a": "b"}, since=NOW - HOUR, opened_at=NOW - 90 * SECOND,
    merchant=ASHA,
)  # fmt: skip


async def test_cases_are_shown_whole_the_oldest_first(rows: Rows) -> None:
    async def ids(verb: Any) -> list[int]:
        said, found, _ = await does(rows, [case()], verb)
        assert found == {}
        return [one.id for one in said]

    assert await ids(lambda here: cases.listed(here)) == [OLDER, CASE, HERS]
    every = [OLDER, CASE, CLOSED, HERS]
    assert await ids(lambda here: cases.listed(here, closed=True)) == every
    said, _, _ = await does(rows, [case(**OVER)], lambda here: cases.listed(here, closed=True))
    assert said[1] == replace(SHOWN, closed_at=NOW - SECOND, closed_by="kim", how="closed",
                              note="n")  # fmt: skip
    queue, _, _ = await does(rows, [case()], lambda here: cases.of_merchant(here, ASHA))
    assert ([one.id for one in queue.cases], queue.total) == ([OLDER, CASE, HERS], 3)
    first, _, _ = await does(rows, [case()], lambda here: cases.of_merchant(here, ASHA, 1))
    assert ([one.id for one in first.cases], first.total) == ([OLDER], 3)
    one, _, _ = await does(rows, [case()], lambda here: cases.one(here, ASHA, CASE))
    assert one == SHOWN
    assert (await does(rows, [], lambda here: cases.one(here, ASHA, CLOSED)))[0] is None
    assert (await does(rows, [], lambda here: cases.one(here, ASHA, MANY + 99)))[0] is None


@pytest.mark.parametrize(("opened", "age"), [
    (NOW, 0), (NOW + SECOND, 0), (NOW - SECOND, 1), (NOW - timedelta(milliseconds=1999), 1),
    (NOW - HOUR, 3600),
])  # fmt: skip
def test_the_age_of_a_case_is_in_whole_seconds(opened: datetime, age: int) -> None:
    row: Any = {**case()[1], "opened_at": opened, **dict.fromkeys(OVER)}
    assert cases._case(row, NOW).age_s == age
