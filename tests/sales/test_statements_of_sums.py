"""What the sums of days and the nightly comparison find in the rows and write. Each case differs in
one thing."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from coinslot.oversight import store
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, SECOND, HOUR = timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1)
UNTIL = NOW + HOUR
(ASHA, CHANDRA, ACCOUNT, OTHER, ORDER, ANOTHER, CAPTURE, SECOND_ONE, CODE, LINE, UNIT) = (
    UUID(int=n) for n in range(1, 12)
)  # fmt: skip
STEPS = (1, 2, 3, 5, 8, 12, 20, 30, 60, 120, 300, 600, 1800, 3600)
DAY = date(2026, 11, 21)
SPAN = {"day": DAY.isoformat(), "begun": NOW.isoformat(), "ended": UNTIL.isoformat()}
KEPT = {"merchant_id": ASHA, "day": DAY, "begun": NOW, "ended": UNTIL}

# Every account of the ledger, each with an amount of its own.
BOOKED = (
    ("gateway", "captured", 100), ("gateway", "refunded", -7), ("gateway", "fee", -3),
    ("gateway", "fee_corrected", -1), ("fees", "fee", 4), ("sales", "sold", -50),
    ("obligations", "captured", -20), ("refunds_payable", "failed", -9), ("foreign", "x", -11),
    ("refunds_outside", "x", 13),
)  # fmt: skip
TOTALS = {"captured": 100, "given_back": 7, "fees": 4, "goods": 50, "owed": 29, "not_ours": 11,
          "outside": 13, "lines": 10}  # fmt: skip
NOTHING = dict.fromkeys(TOTALS, 0)
MONEY = {
    **{f"ledger {n}": {"merchant_id": ASHA, "capture_id": CAPTURE, "account": account, "why": why,
                       "amount": amount, "at": NOW}
       for n, (account, why, amount) in enumerate(BOOKED)},
    "captures": {"id": CAPTURE, "account_id": ACCOUNT, "order_id": ORDER, "qr_id": CODE,
                 "gateway_payment_id": "a"},
    "captures 2": {"id": SECOND_ONE, "account_id": OTHER, "gateway_payment_id": "b"},
    "orders": {"id": ORDER, "outlet_id": "M01", "source": "page", "token": "a"},
    "orders 2": {"id": ANOTHER, "outlet_id": "M03", "source": "page", "token": "b"},
    "qr_codes": {"id": CODE, "outlet_id": "M02", "slot": "A1"},
    "qr_codes 2": {"id": LINE, "outlet_id": "M04", "slot": "A2"},
}  # fmt: skip


def only(account: str) -> dict[str, Any]:
    """Of the ledger the first line of an account alone."""
    kept = next(n for n, line in enumerate(BOOKED) if line[0] == account)
    return {f"ledger {n}": None for n in range(len(BOOKED)) if n != kept}


def units(*waits: int) -> dict[str, dict[str, Any]]:
    """One that was settled so many seconds after it was paid, for each."""
    return {
        f"fulfillments {n}": {
            "id": UUID(int=100 + n), "merchant_id": ASHA, "outlet_id": "M01", "line_id": LINE,
            "order_id": ORDER, "state": "vended", "settlement": "fulfilled", "basis": "vended",
            "amount_minor": 40, "queued_at": NOW - wait * SECOND, "settled_at": NOW,
        }
        for n, wait in enumerate(waits)
    }  # fmt: skip


GOODS = {
    "order_lines": {"id": LINE, "sku": "cola", "quantity": 1},
    "order_lines 2": {"id": ANOTHER, "sku": "tea", "quantity": 1},
    "orders": {"id": ORDER, "source": "test_vend", "amount_minor": 0, "token": "a"},
    "orders 2": {"id": ANOTHER, "source": "page", "token": "b"},
}  # fmt: skip
EMPTY = {"fulfillments 0.amount_minor": 0}
FAILED = {"fulfillments 0.settlement": "refund_due", "fulfillments 0.basis": "no_drop"}
MONEY_DAY = {"merchant_id": ASHA, "day": DAY, "account_id": OTHER, "outlet_id": "M09",
             **dict.fromkeys(TOTALS, 5)}  # fmt: skip
UNIT_DAY = {"merchant_id": ASHA, "day": DAY, "outlet_id": "M09", "sku": "tea", "waits": [5]}
BY_DAYS = {"summed_days": KEPT, "money_days": MONEY_DAY, "unit_days": UNIT_DAY,
           "order_lines": GOODS["order_lines"], **units(1),
           **{name: row for name, row in MONEY.items() if name != "orders"},
           "orders": {**MONEY["orders"]}}  # fmt: skip
ELSEWHEN = tuple({f"summed_days.{name}": value} for name, value in (
    ("begun", NOW - MOMENT), ("ended", UNTIL + MOMENT), ("day", DAY - timedelta(days=1)),
))  # fmt: skip

# The ledger holds nothing of it: one break.
BROKEN = {
    "gateway_accounts": {"id": ACCOUNT, "merchant_id": ASHA, "gateway": "mock", "slug": "s"},
    "merchants": {"id": ASHA, "slug": "asha"},
    "captures": {"id": CAPTURE, "account_id": ACCOUNT, "order_id": ORDER, "captured": 4200,
                 "gateway_payment_id": "pay_1", "captured_at": NOW, "settled_at": NOW,
                 "hard_deadline": UNTIL},
}  # fmt: skip
CASE = {"source": "books", "kind": "ledger_differs", "subject": str(CAPTURE), "since": NOW,
        "owner": "operator", "opened_at": NOW}  # fmt: skip
SOUND = {**BROKEN, "ledger": {"capture_id": CAPTURE, "account": "gateway", "amount": 4200}}
THEIRS = [{"gateway_payment_id": "pay_2", "captured": 0, "refunded": 0}]
COMPARED = (ACCOUNT, [CAPTURE], THEIRS, UNTIL, NOW)
CASES = "SELECT * FROM cases ORDER BY id"
BY_HAND = {"closed_at": NOW, "closed_by": "boris", "how": "looked"}
TAKEN = "SELECT *, leased_until > now() + interval '50 minutes' AS held FROM reconciliations"
HEALED = ({"closed_at": UNTIL, "how": "healed"},)


def case(**given: Any) -> dict[str, dict[str, Any]]:
    return {"cases": {**CASE, **given}}


ASKED = (
    Asked("money of a span", "SELECT * FROM money_between($1, $2)", (NOW, UNTIL), MONEY, (),
          gives={**TOTALS, "account_id": ACCOUNT, "outlet_id": "M01"},
          others=(
              *(({f"ledger {n}.at": at}, {**TOTALS, "lines": 9, name: TOTALS[name] - amount})
                for n, name, amount in (
                    (0, "captured", 100), (1, "given_back", 7), (4, "fees", 4), (5, "goods", 50),
                    (6, "owed", 20), (7, "owed", 9), (8, "not_ours", 11), (9, "outside", 13))
                for at in (NOW - MOMENT, UNTIL)),
              ({"ledger 0.at": UNTIL - MOMENT}, TOTALS),
              ({"captures.order_id": UNIT}, {"outlet_id": "M02"}),
              ({"captures.order_id": UNIT, "captures.qr_id": UNIT}, {"outlet_id": ""}),
              ({"captures.id": UNIT}, []),
              (only("fees"), {**NOTHING, "fees": 4, "lines": 1}),
              (only("sales"), {**NOTHING, "goods": 50, "lines": 1}))),
    Asked("units of a span", "SELECT * FROM units_between($1, $2)", (NOW, UNTIL),
          {**units(*(s for n, s in enumerate((*STEPS, 3601)) for _ in range(1 + n % 2))),
           **GOODS}, (),
          gives={"outlet_id": "M01", "sku": "cola", "sold": 22, "sold_minor": 880, "failed": 0,
                 "failed_minor": 0, "waits": [1, 2] * 7 + [1]}),
    Asked("a unit of a span", "SELECT * FROM units_between($1, $2)", (NOW, UNTIL),
          {**units(1), **GOODS},
          ({"fulfillments 0.settled_at": NOW - MOMENT}, {"fulfillments 0.settled_at": UNTIL},
           {"order_lines.id": UNIT}, EMPTY),
          gives={"sold": 1, "sold_minor": 40, "failed": 0, "failed_minor": 0},
          others=(({**FAILED}, {"sold": 0, "sold_minor": 0, "failed": 1, "failed_minor": 40}),
                  ({"fulfillments 0.settled_at": UNTIL - MOMENT}, {"sold": 1}),
                  ({"fulfillments 0.amount_minor": 1}, {"sold_minor": 1}),
                  ({**EMPTY, "orders.source": "page"}, {"sold": 1, "sold_minor": 0}),
                  ({**EMPTY, "orders.id": UNIT}, {"sold": 1}))),
    Asked("money of days", "SELECT * FROM money_of_days($1)", ([SPAN],), BY_DAYS, (),
          gives={"day": DAY, "account_id": OTHER, "outlet_id": "M09", "captured": 5, "outside": 5},
          others=(*((differs, {"day": DAY, "account_id": ACCOUNT, "captured": 100})
                    for differs in ELSEWHEN),
                  ({"money_days.day": DAY - timedelta(days=1)}, []))),
    Asked("units of days", "SELECT * FROM units_of_days($1)", ([SPAN],), BY_DAYS, (),
          gives={"day": DAY, "outlet_id": "M09", "sku": "tea", "sold": 1, "waits": [5]},
          others=(*((differs, {"day": DAY, "outlet_id": "M01", "sku": "cola"})
                    for differs in ELSEWHEN),
                  ({"unit_days.day": DAY - timedelta(days=1)}, []))),
    Asked("a break opens a case", store.KEEP_BREAKS, COMPARED, BROKEN,
          ({"gateway_accounts.id": OTHER},), gives={"opened": 1, "closed": 0}),
    Asked("a break that is known opens none", store.KEEP_BREAKS, COMPARED, {**BROKEN, **case()},
          (), gives={"opened": 0, "closed": 0},
          others=(
              ({"cases.kind": "not_paid_out"}, {"opened": 1, "closed": 1}),
              ({"cases.subject": str(UNIT)}, {"opened": 1, "closed": 0}),
              ({f"cases.{name}": value for name, value in BY_HAND.items()},
               {"opened": 0, "closed": 0}),
              ({**{f"cases.{name}": value for name, value in BY_HAND.items()},
                "cases.since": NOW - HOUR}, {"opened": 1, "closed": 0}),
              ({"cases.closed_at": NOW, "cases.how": "healed"}, {"opened": 1, "closed": 0}))),
    Asked("what a case says", store.KEEP_BREAKS, COMPARED, BROKEN, (), after=CASES,
          gives={"merchant_id": ASHA, "source": "books", "kind": "ledger_differs",
                 "subject": str(CAPTURE), "since": NOW, "owner": "operator", "opened_at": UNTIL,
                 "data": {"expected": 4200, "merchant": "asha", "gateway": "mock", "account": "s",
                          "gateway_payment_id": "pay_1", "order": str(ORDER)}}),
    Asked("whose a case is", store.KEEP_BREAKS, COMPARED,
          {**SOUND, "captures": {**SOUND["captures"], "settled_at": None,
                                 "captured_at": NOW - MOMENT}}, (), after=CASES,
          gives={"kind": "not_paid_out", "owner": "merchant"}),
    Asked("money that is not on record", store.KEEP_BREAKS,
          (ACCOUNT, [], [{"gateway_payment_id": "pay_3", "captured": 7, "refunded": 0,
                          "currency": "INR", "at": NOW.isoformat()}], UNTIL, NOW), BROKEN, (),
          after=CASES,
          gives={"kind": "not_on_record", "subject": "pay_3", "owner": "operator",
                 "data": {"merchant": "asha", "gateway": "mock", "account": "s",
                          "gateway_payment_id": "pay_3"}}),
    Asked("what has healed is closed", store.KEEP_BREAKS, COMPARED, {**SOUND, **case()}, (),
          after=CASES, gives=HEALED,
          others=(({"cases.subject": "pay_2"}, HEALED),
                  ({"cases.subject": "pay_9"}, ({"closed_at": None, "how": None},)),
                  ({"cases.source": "state"}, ({"closed_at": None, "how": None},)),
                  ({f"cases.{name}": value for name, value in BY_HAND.items()},
                   ({"closed_at": NOW, "how": "looked"},)))),
    Asked("what has healed though another is broken alike", store.KEEP_BREAKS,
          (ACCOUNT, [CAPTURE, SECOND_ONE], [], UNTIL, NOW),
          {**BROKEN, **case(subject=str(SECOND_ONE))}, (), after=CASES,
          gives=({"closed_at": UNTIL}, {"closed_at": None, "subject": str(CAPTURE)})),
    Asked("a day is taken", store.TAKE_DAY, (ACCOUNT, DAY, HOUR),
          {"gateway_accounts": BROKEN["gateway_accounts"]}, (), after=TAKEN,
          gives={"tries": 1, "held": True, "merchant_id": ASHA}),
    Asked("a day is taken again", store.TAKE_DAY, (ACCOUNT, DAY, HOUR),
          {"gateway_accounts": BROKEN["gateway_accounts"],
           "reconciliations": {"account_id": ACCOUNT, "day": DAY, "tries": 3}}, (), after=TAKEN,
          gives={"tries": 4, "held": True},
          others=(({"reconciliations.leased_until": NOW - timedelta(days=9999)},
                   {"tries": 4, "held": True}),
                  ({"reconciliations.leased_until": NOW + timedelta(days=9999)}, {"tries": 3}),
                  ({"reconciliations.done_at": NOW}, {"tries": 3}))),
    Asked("what is still so stays open", store.KEEP_BREAKS, COMPARED, {**BROKEN, **case()}, (),
          after=CASES, gives=({"closed_at": None},)),
)  # fmt: skip


async def test_each_statement_finds_its_row_and_none_that_differs(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []


async def test_a_wait_that_is_exactly_as_long_as_a_step_belongs_to_it(rows: Rows) -> None:
    for number, bound in enumerate(STEPS, start=1):
        for wait, step in ((bound * SECOND, number), (bound * SECOND + MOMENT, number + 1)):
            assert await rows.conn.fetchval("SELECT wait_step($1)", wait) == step, wait
    assert await rows.conn.fetchval("SELECT wait_step($1)", timedelta(0)) == 1


async def test_a_day_is_summed_once_and_anew_when_it_is_another_one(rows: Rows) -> None:
    await rows.conn.execute("SELECT set_config('coinslot.merchant', $1, false)", str(ASHA))

    async def summed(ended: Any = UNTIL) -> bool:
        return bool(
            await rows.conn.fetchval("SELECT sum_day($1, $2, $3, $4)", DAY, NOW, ended, NOW)
        )

    async def kept(table: str, column: str) -> list[tuple[Any, ...]]:
        found = await rows.conn.fetch(f"SELECT day, {column} FROM {table} ORDER BY day, {column}")
        return [tuple(row) for row in found]

    for name, row in BY_DAYS.items():
        if name.split()[0] not in ("summed_days", "money_days", "unit_days"):
            await rows.put(name.split()[0], **row)
    before = DAY - timedelta(days=1)
    await rows.put("summed_days", **{**KEPT, "day": before})
    for day in (DAY, before):
        await rows.put("money_days", **{**MONEY_DAY, "day": day})
        await rows.put("unit_days", **{**UNIT_DAY, "day": day})
    assert await summed()
    assert await kept("summed_days", "ended") == [(before, UNTIL), (DAY, UNTIL)]
    assert await kept("money_days", "captured") == [(before, 5), (DAY, 100)]
    assert await kept("unit_days", "sku") == [(before, "tea"), (DAY, "cola")]
    assert not await summed()
    assert await summed(UNTIL + MOMENT)
    assert await kept("summed_days", "ended") == [(before, UNTIL), (DAY, UNTIL + MOMENT)]
