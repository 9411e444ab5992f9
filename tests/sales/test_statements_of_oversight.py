"""What each statement of the overview, the money pages and the nightly comparison finds and writes.
Each case differs in one thing."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from coinslot.oversight import changes, store
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)
LONG_AGO, FAR = NOW - timedelta(days=9999), NOW + timedelta(days=9999)  # of the server's own clock
(ASHA, CHANDRA, ACCOUNT, OTHER, ORDER, ANOTHER, CAPTURE, SECOND, UNIT, REFUND, LINE, THING, PAYMENT,
 ATTEMPT, STRANGE) = (UUID(int=n) for n in range(1, 16))  # fmt: skip
FIRST_DAY = date(2026, 11, 20)
SPAN = {"day": FIRST_DAY.isoformat(), "begun": NOW.isoformat(), "ended": (NOW + DAY).isoformat()}
NEXT = {"day": "2026-11-21", "begun": (NOW + DAY).isoformat(),
        "ended": (NOW + 2 * DAY).isoformat()}  # fmt: skip

CASE = {"id": 7, "merchant_id": ASHA, "source": "books", "kind": "x", "subject": "7", "since": NOW,
        "opened_at": NOW, "amount_minor": 40, "currency": "INR",
        "data": {"gateway": "mock", "account": "s", "order": str(ORDER)}}  # fmt: skip
CLOSED = {"cases.closed_at": NOW, "cases.how": "healed"}
AT = {"id": ACCOUNT, "merchant_id": ASHA, "gateway": "mock", "slug": "s", "created_at": NOW}
AT_OTHER = {"id": OTHER, "merchant_id": ASHA, "gateway": "stripe", "slug": "t", "created_at": NOW}
PAID = {"id": CAPTURE, "account_id": ACCOUNT, "order_id": ORDER, "gateway_payment_id": "pay_1",
        "captured": 4200, "captured_at": NOW, "settled_at": NOW, "fee_minor": 200}  # fmt: skip
COMPARED = (ACCOUNT, NOW, NOW + HOUR, ["pay_9"], NOW - DAY)
NOT_THEN = {"captures.captured_at": NOW - MOMENT}
UNSETTLED = {"captures.settled_at": None, "captures.captured_at": NOW - DAY - MOMENT}
DAY_ROW = {"account_id": ACCOUNT, "day": FIRST_DAY, "merchant_id": ASHA, "tries": 3,
           "done_at": None, "leased_until": None}  # fmt: skip
DAYS = "SELECT * FROM reconciliations ORDER BY account_id, day"
DUE = ([ACCOUNT], [FIRST_DAY - 9 * DAY], [FIRST_DAY], 2)
SOLD = {"id": UNIT, "outlet_id": "M01", "order_id": ORDER, "line_id": LINE, "state": "started",
        "amount_minor": 40, "queued_at": NOW, "due_at": NOW}  # fmt: skip
DONE = {"fulfillments.settlement": "fulfilled", "fulfillments.basis": "vended",
        "fulfillments.settled_at": NOW}  # fmt: skip
PLACED = {"id": ORDER, "outlet_id": "M01", "state": "completed", "source": "page",
          "amount_minor": 4200, "paid_at": NOW, "token": "a"}  # fmt: skip
TEST = {"id": ORDER, "outlet_id": "M01", "source": "test_vend", "amount_minor": 0, "token": "a"}
FREE = {"fulfillments.amount_minor": 0}
BACK = {"id": REFUND, "account_id": ACCOUNT, "capture_id": CAPTURE, "state": "pending",
        "origin": "ours", "amount_minor": 7, "created_at": NOW, "due_at": NOW, "key": "a",
        "gateway_refund_id": "r1"}  # fmt: skip
MACHINE = {"id": "M01", "merchant_id": ASHA, "kind": "vending", "dialect": "leased"}
SLOT = {"outlet_id": "M01", "slot": "A1", "stock": 0, "out_of_sale_at": NOW}
RUN = {"id": 5, "tries": 2, "asked_at": NOW}
RUNS = "SELECT * FROM audit_runs"
OVER = {"audit_runs.ended_at": NOW, "audit_runs.failure": "x"}
MONEY_DAY = {"merchant_id": ASHA, "day": FIRST_DAY, "account_id": ACCOUNT, "outlet_id": "M01",
             "captured": 1, "given_back": 2, "fees": 3, "goods": 4, "owed": 5, "not_ours": 6,
             "outside": 7}  # fmt: skip
SUMMED = {"merchant_id": ASHA, "day": FIRST_DAY, "begun": NOW, "ended": NOW + DAY}
UNIT_DAY = {"merchant_id": ASHA, "day": FIRST_DAY, "outlet_id": "M01", "sku": "cola", "sold": 1,
            "sold_minor": 2, "failed": 3, "failed_minor": 4, "waits": [1] * 15}  # fmt: skip


def none_of(table: str, **values: Any) -> tuple[dict[str, Any], ...]:
    return tuple({f"{table}.{name}": value} for name, value in values.items())


CASES = (
    Asked("open cases", store.CASES, (False,), {"cases": CASE}, (CLOSED,),
          ({**CLOSED, "$1": True},)),
    *(Asked("cases in their order", sql, values,
            {f"cases {n}": {**CASE, "id": n, "subject": str(n), "opened_at": NOW + at * MOMENT}
             for n, at in ((9, 0), (8, 0), (5, 1))}, (), gives=[{"id": n} for n in ids])
      for sql, values, ids in ((store.CASES, (False,), (8, 9, 5)),
                               (store.CASES_OF_MERCHANT, (None, 2), (8, 9)))),
    Asked("a case of a merchant", store.CASES_OF_MERCHANT, (7, 9),
          {"cases": CASE, "cases 2": {**CASE, "id": 8, "subject": "8"}},
          ({"$1": 9}, CLOSED), gives={"id": 7, "total": 1}),
    Asked("how many of a kind are open", store.OPEN_CASES, (),
          {"cases": CASE, "cases 2": {**CASE, "id": 8, "subject": "8"}}, (),
          gives=[{"kind": "x", "count": 2}], others=((CLOSED, [{"count": 1}]),)),
    Asked("accounts that a payment tried", store.ACCOUNTS_TRIED, (PAYMENT,),
          {f"attempts {n}": {"payment_id": PAYMENT, "account_id": ACCOUNT, "number": n}
           for n in (1, 2)},
          ({"attempts 1.payment_id": ANOTHER, "attempts 2.payment_id": ANOTHER},)),
    Asked("refunds that have ended", store.REFUNDS_ENDED, (ACCOUNT, ["r1"]),
          {"refunds": {**BACK, "state": "failed"}},
          none_of("refunds", account_id=OTHER, gateway_refund_id="r2", state="pending"),
          ({"refunds.state": "succeeded"},)),
    Asked("a payment of that day", store.CAPTURES_TO_COMPARE, COMPARED,
          {"captures": PAID, "cases": {**CASE, "subject": str(CAPTURE)}},
          ({"captures.account_id": OTHER},), ({"captures.captured_at": NOW + HOUR - MOMENT,
                                                "cases": None},)),
    Asked("a payment that they named", store.CAPTURES_TO_COMPARE, COMPARED,
          {"captures": {**PAID, "captured_at": NOW - MOMENT, "gateway_payment_id": "pay_9"}},
          none_of("captures", gateway_payment_id="pay_1"), ({"captures.captured_at": NOW + HOUR},)),
    Asked("a payment of another day", store.CAPTURES_TO_COMPARE, COMPARED,
          {"captures": {**PAID, "captured_at": NOW + HOUR}}, (), gives=[]),
    Asked("a payment with an open case", store.CAPTURES_TO_COMPARE, COMPARED,
          {"captures": {**PAID, "captured_at": NOW - MOMENT},
           "cases": {**CASE, "subject": str(CAPTURE)}},
          (*none_of("cases", subject="x", source="state"), CLOSED)),
    Asked("a payment that was not paid out", store.CAPTURES_TO_COMPARE, COMPARED,
          {"captures": {**PAID, "settled_at": None, "captured_at": NOW - DAY - MOMENT}},
          (*none_of("captures", settled_at=NOW, captured_at=NOW - DAY),
           {"captures.captured_at": NOW - 3 * DAY - MOMENT},
           {"captures.foreign_amount": 1, "captures.open": 4199}),
          ({"captures.captured_at": NOW - 3 * DAY},)),
    Asked("lines of a settlement", store.NOTE_SETTLED, (OTHER, [], NOW), {"gateway_accounts": AT},
          (), gives=[]),
    Asked("accounts and their zones", store.ACCOUNTS_AND_ZONES, (),
          {"gateway_accounts": AT, "merchants": {"id": ASHA, "slug": "a", "zone": "Asia/Kolkata"},
           "merchants 2": {"id": CHANDRA, "slug": "b"}},
          ({"merchants.id": ANOTHER},), gives={"id": ACCOUNT, "zone": "Asia/Kolkata"}),
)  # fmt: skip

NIGHTS = (
    Asked("the first day of an account", store.DAYS_DUE, DUE, {}, (), gives=[{"day": FIRST_DAY}]),
    Asked("days without a hole", store.DAYS_DUE, (*DUE[:3], 4),
          {"reconciliations": {**DAY_ROW, "day": FIRST_DAY - 2 * DAY}}, (),
          gives=[{"day": FIRST_DAY - n * DAY} for n in (2, 1, 0)],
          others=(({"$4": 2}, [{"day": FIRST_DAY - DAY}, {"day": FIRST_DAY}]),
                  ({"$2": [FIRST_DAY - DAY]}, [{"day": FIRST_DAY - DAY}, {"day": FIRST_DAY}]),
                  ({"reconciliations.done_at": NOW},
                   [{"day": FIRST_DAY - DAY}, {"day": FIRST_DAY}]),
                  ({"reconciliations.account_id": OTHER}, [{"day": FIRST_DAY}]),
                  ({"reconciliations.day": FIRST_DAY + DAY}, [{"day": FIRST_DAY}]))),
    Asked("a day that is done", store.DAYS_DUE, (*DUE[:3], 1),
          {"reconciliations": {**DAY_ROW, "done_at": NOW}}, (), gives=[],
          others=(({"reconciliations.done_at": None}, [{"day": FIRST_DAY}]),
                  ({"reconciliations.account_id": OTHER}, [{"day": FIRST_DAY}]),
                  ({"reconciliations.done_at": None, "reconciliations.leased_until": FAR}, []),
                  ({"reconciliations.done_at": None, "reconciliations.leased_until": LONG_AGO},
                   [{"day": FIRST_DAY}]))),
    Asked("days of several accounts", store.DAYS_DUE,
          ([OTHER, ACCOUNT], [FIRST_DAY - DAY] * 2, [FIRST_DAY] * 2, 2),
          {f"reconciliations {n}": {**DAY_ROW, "account_id": account, "day": FIRST_DAY - DAY}
           for n, account in enumerate((ACCOUNT, OTHER))}, (),
          gives=[{"day": day, "account_id": account} for day in (FIRST_DAY - DAY, FIRST_DAY)
                 for account in (ACCOUNT, OTHER)]),
    Asked("how far the day before was compared", store.COMPARED_THROUGH,
          (ACCOUNT, FIRST_DAY + DAY),
          {"reconciliations": {**DAY_ROW, "done_at": NOW, "through": NOW}},
          none_of("reconciliations", account_id=OTHER, day=FIRST_DAY + DAY, done_at=None)),
    Asked("a day is compared", f"{store.DAY_COMPARED} AS done, *",
          (ACCOUNT, FIRST_DAY, 9, 2, None, NOW, NOW + HOUR, 3), {"reconciliations": DAY_ROW},
          none_of("reconciliations", account_id=OTHER, day=FIRST_DAY + DAY, tries=4),
          gives={"done": True, "found": 9, "breaks": 2, "failure": None, "done_at": NOW,
                 "through": NOW + HOUR},
          others=(({"$5": "away"}, {"failure": "away", "done_at": None}),)),
    Asked("a day is held", f"{store.HOLD_DAY} AS done, leased_until > now() AS held",
          (ACCOUNT, FIRST_DAY, 3, HOUR), {"reconciliations": DAY_ROW},
          none_of("reconciliations", account_id=OTHER, day=FIRST_DAY + DAY, tries=4, done_at=NOW),
          gives={"done": True, "held": True}),
    Asked("a day is let go", f"{store.LET_DAY_GO} RETURNING leased_until",
          (ACCOUNT, FIRST_DAY, 3), {"reconciliations": {**DAY_ROW, "leased_until": FAR}}, (),
          after=DAYS, gives={"leased_until": None},
          others=tuple((differs, {"leased_until": FAR}) for differs in none_of(
              "reconciliations", account_id=OTHER, day=FIRST_DAY + DAY, tries=4, done_at=NOW))),
    Asked("days that are not compared", store.NOT_COMPARED, (FIRST_DAY, FIRST_DAY, ACCOUNT),
          {"reconciliations": DAY_ROW},
          (*none_of("reconciliations", done_at=NOW, day=FIRST_DAY + DAY), {"$3": OTHER},
           {"reconciliations.day": FIRST_DAY - DAY}), ({"$3": None},)),
    Asked("compared of every account", store.COMPARED_EVERYWHERE, (None,),
          {"gateway_accounts": AT, "gateway_accounts 2": AT_OTHER,
           "reconciliations": {**DAY_ROW, "done_at": NOW},
           "reconciliations 2": {**DAY_ROW, "done_at": NOW, "account_id": OTHER,
                                 "day": FIRST_DAY - DAY}}, (),
          gives={"case": FIRST_DAY - DAY},
          others=(({"$1": ACCOUNT}, {"case": FIRST_DAY}),
                  ({"reconciliations.done_at": None}, {"case": None}),
                  ({"reconciliations.account_id": STRANGE}, {"case": None}))),
)  # fmt: skip

IN_CURRENCIES: tuple[tuple[str, tuple[object, ...], str, dict[str, Any], tuple[str, ...]], ...] = (
    (store.UNSETTLED_UNITS, (), "fulfillments", SOLD, ()),
    (store.GOING_BACK, (), "refunds", BACK, ("key", "gateway_refund_id")),
    (store.SOLD, (ORDER, NOW), "orders", PLACED, ("token",)),
    (store.GAVE_BACK, (REFUND,), "refunds", BACK, ("key", "gateway_refund_id")),
)
NOW_SHOWN = (
    Asked("units that are owed", store.UNSETTLED_UNITS, (),
          {"fulfillments": SOLD, "orders": TEST,
           "orders 2": {**PLACED, "id": ANOTHER, "token": "b"}},
          (DONE, FREE), gives={"count": 1, "minor": 40, "oldest": NOW},
          others=(({"fulfillments.amount_minor": 1}, {"minor": 1}),
                  ({**FREE, "fulfillments.order_id": ANOTHER}, {"count": 1}))),
    Asked("money on its way back", store.GOING_BACK, (), {"refunds": BACK},
          none_of("refunds", state="succeeded", due_at=None), gives={"count": 1, "minor": 7}),
    Asked("what was sold today", store.SOLD, (ORDER, NOW), {"orders": PLACED},
          (*none_of("orders", id=UUID(int=1), paid_at=NOW - MOMENT),
           {"orders.source": "test_vend", "orders.amount_minor": 0}),
          gives={"count": 1, "minor": 4200, "failed": 0},
          others=(({"orders.state": "failed"}, {"count": 1, "failed": 1}),)),
    Asked("what was given back today", store.GAVE_BACK, (REFUND,), {"refunds": BACK},
          none_of("refunds", id=UUID(int=1), state="failed"), gives={"count": 1, "minor": 7}),
    *(Asked("by currency", sql, values,
            {f"{table} {n}": {**row, **{name: str(n) for name in unique}, "id": UUID(int=90 + n),
                              "currency": currency}
             for n, currency in enumerate(("USD", "EUR", "INR"))}, (),
            gives=[{"currency": currency} for currency in ("EUR", "INR", "USD")])
      for sql, values, table, row, unique in IN_CURRENCIES),
    Asked("machines now", store.MACHINES_NOW, (NOW,),
          {"outlets": MACHINE, "outlets 2": {**MACHINE, "id": "M02"},
           "devices": {"outlet_id": "M01", "last_seen_at": NOW}, "slots": SLOT}, (),
          gives={"total": 2, "online": 1, "sold_out": 1, "out_of_sale": 1},
          others=(({"devices.last_seen_at": NOW - MOMENT}, {"total": 2, "online": 0}),
                  ({"devices.outlet_id": "M03"}, {"total": 2, "online": 0}),
                  ({"outlets.decommissioned_at": NOW},
                   {"total": 1, "online": 0, "sold_out": 0, "out_of_sale": 0}),
                  ({"outlets.kind": "counter"}, {"total": 1}),
                  ({"outlets.kind": "coffee"}, {"total": 1}),
                  ({"slots.stock": 1}, {"sold_out": 0, "out_of_sale": 1}),
                  ({"slots.out_of_sale_at": None}, {"sold_out": 1, "out_of_sale": 0}),
                  ({"slots.outlet_id": "M03"}, {"sold_out": 0, "out_of_sale": 0}))),
    Asked("what changed", changes._CHANGED, ([ASHA], 3, 5, NOW, 13, 15),
          {"events": {"seq": 4, "merchant_id": ASHA}, "events 2": {"seq": 6, "merchant_id": ASHA},
           "inbox": {"id": 14, "merchant_id": ASHA, "verdict": "genuine"},
           "inbox 2": {"id": 16, "merchant_id": ASHA, "verdict": "genuine", "delivery_id": "b"},
           "outlets": {**MACHINE, "price_version": 2, "planogram_version": 3},
           "outlets 2": {**MACHINE, "id": "M02"},
           "devices": {"outlet_id": "M01", "last_seen_at": NOW},
           "cases": CASE, "cases 2": {**CASE, "id": 9, "subject": "9"}}, (),
          gives={"id": ASHA, "seen": 2, "ahead": 1, "heard": 2, "heard_ahead": 1, "online": 1,
                 "machines": 2, "versions": 7, "cases": "2 9"},
          others=(({"$1": [CHANDRA]}, {"seen": None, "heard": None, "machines": None,
                                       "cases": None}),
                  ({"$1": [CHANDRA, ASHA]}, [{"id": CHANDRA, "seen": None}, {"seen": 2}]),
                  ({"$1": [CHANDRA, ASHA], "inbox 2.merchant_id": CHANDRA,
                    "outlets 2.merchant_id": CHANDRA, "cases 2.merchant_id": CHANDRA},
                   [{"heard": 1, "machines": 1, "cases": "1 9"},
                    {"heard": 1, "machines": 1, "cases": "1 7"}]),
                  ({"events.seq": 3}, {"seen": 1, "ahead": 1}),
                  ({"events 2.seq": 5}, {"seen": 2, "ahead": 0}),
                  ({"inbox.id": 13}, {"heard": 1, "heard_ahead": 1}),
                  ({"inbox 2.id": 15}, {"heard": 2, "heard_ahead": 0}),
                  ({"devices.last_seen_at": NOW - MOMENT}, {"online": 0}),
                  ({"devices.outlet_id": "M03"}, {"online": 0, "machines": 2}),
                  ({"outlets.decommissioned_at": NOW}, {"machines": 1, "versions": 2}),
                  (CLOSED, {"cases": "1 9"}))),
)  # fmt: skip

ON_MACHINE = {"$3": "M02"}
MONEY = (
    Asked("days that are not summed", store.DAYS_NOT_SUMMED, ([NEXT, SPAN],), {}, (),
          gives=[{"day": FIRST_DAY}, {"day": FIRST_DAY + DAY}]),
    *(Asked("days that are summed", sql, ([SPAN],), {"summed_days": SUMMED}, (), gives=gives,
            others=tuple((differs, other) for differs in none_of(
                "summed_days", day=FIRST_DAY + DAY, begun=NOW - HOUR, ended=NOW + 2 * DAY)))
      for sql, gives, other in ((store.DAYS_NOT_SUMMED, [], [{"day": FIRST_DAY}]),
                                (store.DAYS_SUMMED, [{"day": FIRST_DAY}], []))),
    Asked("money by day", store.MONEY_BY_DAY, ([SPAN], ACCOUNT, "M01"),
          {"summed_days": SUMMED, "money_days": MONEY_DAY, "gateway_accounts": AT,
           "gateway_accounts 2": AT_OTHER},
          ({"$2": OTHER}, ON_MACHINE, {"gateway_accounts.id": ANOTHER}),
          ({"$2": None}, {"$3": None}),
          gives={"day": FIRST_DAY, "gateway": "mock", "captured": 1, "given_back": 2, "fees": 3,
                 "goods": 4, "owed": 5, "not_ours": 6, "outside": 7}),
    Asked("newest day first, then by account", store.MONEY_BY_DAY, ([SPAN, NEXT], None, None),
          {"summed_days": SUMMED, "summed_days 2": {**SUMMED, "day": FIRST_DAY + DAY,
                                                    "begun": NOW + DAY, "ended": NOW + 2 * DAY},
           "gateway_accounts": {**AT, "slug": "z"},
           "gateway_accounts 2": {**AT_OTHER, "gateway": "mock", "slug": "a"},
           "gateway_accounts 3": {**AT, "id": STRANGE, "gateway": "alpha", "slug": "zz"},
           **{f"money_days {n}": {**MONEY_DAY, "account_id": account, "day": day,
                                  "currency": currency}
              for n, (account, day, currency) in enumerate((
                  (ACCOUNT, FIRST_DAY, "INR"), (OTHER, FIRST_DAY, "INR"),
                  (OTHER, FIRST_DAY, "EUR"), (STRANGE, FIRST_DAY, "INR"),
                  (ACCOUNT, FIRST_DAY + DAY, "INR")))}}, (),
          gives=[{"day": day, "slug": slug, "currency": currency} for day, slug, currency in (
              (FIRST_DAY + DAY, "z", "INR"), (FIRST_DAY, "zz", "INR"), (FIRST_DAY, "a", "EUR"),
              (FIRST_DAY, "a", "INR"), (FIRST_DAY, "z", "INR"))]),
    Asked("breaks by day", store.BREAKS_BY_DAY, ([SPAN], ACCOUNT, "M01"),
          {"cases": CASE, "gateway_accounts": AT, "gateway_accounts 2": AT_OTHER,
           "orders": PLACED, "orders 2": {**PLACED, "id": ANOTHER, "outlet_id": "M02",
                                          "token": "b"}},
          (CLOSED, {"cases.source": "state"}, {"cases.since": NOW - MOMENT},
           {"cases.since": NOW + DAY}, {"$2": OTHER}, {"$3": "M02"}, {"orders.id": STRANGE},
           {"cases.data": {"gateway": "stripe", "account": "s", "order": str(ORDER)}},
           {"cases.data": {"gateway": "mock", "account": "t", "order": str(ORDER)}}),
          ({"$2": None}, {"$3": None}, {"cases.since": NOW + DAY - MOMENT}),
          gives={"day": FIRST_DAY, "account_id": ACCOUNT, "order_id": str(ORDER)}),
    Asked("breaks in their order", store.BREAKS_BY_DAY, ([SPAN], None, None),
          {"gateway_accounts": AT,
           **{f"cases {n}": {**CASE, "id": n, "subject": str(n), "since": NOW + at * MOMENT}
              for n, at in ((9, 0), (8, 0), (5, 1))}}, (), gives=[{"id": n} for n in (8, 9, 5)]),
    Asked("paid out by day", store.PAID_OUT_BY_DAY, ([SPAN], ACCOUNT),
          {"captures": PAID, "gateway_accounts": AT, "gateway_accounts 2": AT_OTHER},
          ({"captures.settled_at": NOW - MOMENT}, {"captures.settled_at": NOW + DAY},
           {"captures.settled_at": None}, {"$2": OTHER}, {"captures.account_id": OTHER}),
          ({"$2": None},), gives={"day": FIRST_DAY, "paid_out": 4000},
          others=(({"captures.fee_minor": None}, {"paid_out": 4200}),)),
    Asked("paid out of a machine", store.PAID_OUT_OF_MACHINE, ([SPAN], ACCOUNT, "M01"),
          {"captures": PAID, "orders": PLACED,
           "orders 2": {**PLACED, "id": ANOTHER, "token": "b"}},
          ({"captures.settled_at": NOW - MOMENT}, {"captures.settled_at": NOW + DAY},
           {"captures.settled_at": None}, {"$2": OTHER}, ON_MACHINE,
           {"captures.order_id": STRANGE}), ({"$2": None},),
          gives={"day": FIRST_DAY, "paid_out": 4000},
          others=(({"captures.fee_minor": None}, {"paid_out": 4200}),)),
    Asked("units by day, by machine and by product", store.UNITS_BY_EACH, ([SPAN], "M01", "cola"),
          {"summed_days": SUMMED, "unit_days": UNIT_DAY}, ({"$2": "M02"}, {"$3": "tea"}),
          gives=[{"sold": 1, "sold_minor": 2, "failed": 3, "failed_minor": 4}] * 3,
          others=tuple(({name: None}, [{"sold": 1}] * 3) for name in ("$2", "$3"))),
)  # fmt: skip

CHOICES = (
    Asked("what may be chosen", store.FILTER_CHOICES, (),
          {"gateway_accounts": {**AT_OTHER, "gateway": "a", "slug": "z"},
           "gateway_accounts 2": {**AT, "gateway": "a", "slug": "y"},
           "gateway_accounts 3": {**AT, "id": STRANGE, "gateway": "b", "slug": "x"},
           "outlets": {**MACHINE, "id": "M02"}, "outlets 2": MACHINE,
           "products": {"sku": "tea", "name": "Tea", "merchant_id": ASHA},
           "products 2": {"sku": "cola", "name": "Cola", "merchant_id": ASHA}}, (),
          gives={"accounts": [{"id": str(account), "name": name} for account, name in (
                     (ACCOUNT, "a y"), (OTHER, "a z"), (STRANGE, "b x"))],
                 "outlets": ["M01", "M02"],
                 "products": [{"sku": "cola", "name": "Cola"}, {"sku": "tea", "name": "Tea"}]}),
    Asked("nothing to choose", store.FILTER_CHOICES, (), {}, (),
          gives={"accounts": [], "outlets": [], "products": []}),
    Asked("accounts of a merchant", store.ACCOUNTS_OF_MERCHANT, (),
          {"gateway_accounts": {**AT_OTHER, "gateway": "a", "slug": "z"},
           "gateway_accounts 2": {**AT, "gateway": "a", "slug": "y"},
           "gateway_accounts 3": {**AT, "id": STRANGE, "gateway": "b", "slug": "x"},
           "outlets": {**MACHINE, "currency": "EUR"}}, (),
          gives=[{"name": name, "currency": "EUR"} for name in ("a y", "a z", "b x")],
          others=(({"outlets": None}, [{"currency": "XXX"}] * 3),)),
    Asked("the ends of the log", changes._END, (), {"events": {"seq": 4},
          "inbox": {"id": 9, "verdict": "genuine"}}, (), gives={"log": 4, "inbox": 9},
          others=(({"events": None, "inbox": None}, {"log": 0, "inbox": 0}),)),
    *(Asked("of an account alone", sql, (ACCOUNT, *values),
            {"gateway_accounts": AT, "gateway_accounts 2": AT_OTHER}, (), after=after,
            gives=[{"account_id": ACCOUNT}])
      for sql, values, after in (
          (store.TAKE_DAY, (FIRST_DAY, HOUR), DAYS),
          (store.KEEP_BREAKS.replace("k.*", "a.id AS account_id"), ([], [], NOW, NOW), ""),
          (store.NOTE_SETTLED.replace("note_settled_lines(a, $2, $3)",
                                      "a.id AS account_id, note_settled_lines(a, $2, $3)"),
           ([], NOW), ""))),
)  # fmt: skip

AUDITS = (
    Asked("an audit is asked for", store.ASK_AUDIT, ("asha", NOW), {"audit_runs": {**RUN, **{
        name.split(".")[1]: value for name, value in OVER.items()}}}, (),
          others=(({"audit_runs.ended_at": None, "audit_runs.failure": None}, []),)),
    Asked("the newest audits", store.AUDIT_RUNS, (1,),
          {f"audit_runs {n}": {**RUN, "id": n, "ended_at": NOW, "failure": "x"} for n in (5, 6)},
          (), gives=[{"id": 6}]),
    Asked("an audit is taken", f"{store.TAKE_AUDIT}, started_at, leased_until > now() AS held",
          (HOUR, NOW), {"audit_runs": RUN}, (OVER, {"audit_runs.leased_until": FAR}),
          ({"audit_runs.leased_until": LONG_AGO},),
          gives={"id": 5, "tries": 3, "started_at": NOW, "held": True},
          others=(({"audit_runs.started_at": NOW - HOUR}, {"started_at": NOW - HOUR}),)),
    Asked("an audit is held", f"{store.HOLD_AUDIT} RETURNING leased_until > now() AS held",
          (5, 2, HOUR), {"audit_runs": RUN},
          (OVER, *none_of("audit_runs", id=6, tries=3)), gives={"held": True}),
    Asked("an audit has ended", f"{store.END_AUDIT} RETURNING *",
          (5, 2, NOW, True, {"ok": True}, None), {"audit_runs": {**RUN, "leased_until": FAR}},
          (OVER, *none_of("audit_runs", id=6, tries=3)),
          gives={"ended_at": NOW, "ok": True, "report": {"ok": True}, "failure": None,
                 "leased_until": None},
          others=(({"$4": None, "$5": None, "$6": "it broke"}, {"failure": "it broke"}),)),
)  # fmt: skip

# All that belongs to an order, with a row beside each that does not.
OF_ORDER: Mapping[str, Mapping[str, Any]] = {
    "orders": {**PLACED, "merchant_id": ASHA, "number": "7"},
    "merchants": {"id": ASHA, "name": "Asha", "slug": "asha"},
    "merchants 2": {"id": CHANDRA, "slug": "chandra"},
    "captures": PAID, "gateway_accounts": AT, "gateway_accounts 2": AT_OTHER,
    "captures 2": {**PAID, "id": SECOND, "order_id": ANOTHER, "gateway_payment_id": "pay_2"},
    "order_lines": {"id": LINE, "order_id": ORDER, "name": "Cola", "quantity": 1},
    "order_lines 2": {"id": STRANGE, "order_id": ANOTHER, "name": "Tea", "quantity": 1},
    "fulfillments": SOLD, "fulfillments 2": {**SOLD, "id": THING, "order_id": ANOTHER},
    "order_extras": {"id": UUID(int=40), "order_id": ORDER, "kind": "tip"},
    "order_extras 2": {"order_id": ANOTHER, "kind": "tip"},
    "payments": {"id": PAYMENT, "order_id": ORDER},
    "payments 2": {"id": ANOTHER, "order_id": ANOTHER},
    "attempts": {"id": ATTEMPT, "payment_id": PAYMENT},
    "attempts 2": {"id": ANOTHER, "payment_id": ANOTHER},
    "refunds": BACK,
    "refunds 2": {**BACK, "id": STRANGE, "capture_id": SECOND, "key": "b",
                  "gateway_refund_id": "r2"},
    "order_refunds": {"id": UUID(int=30), "order_id": ORDER, "key": "a"},
    "order_refunds 2": {"id": UUID(int=31), "order_id": ANOTHER, "key": "b"},
    "ledger": {"id": 1, "capture_id": CAPTURE, "account": "sales"},
    **{f"{table} 3": {**row, "id": UUID(int=60), **more} for table, row, more in (
        ("order_lines", {"order_id": ORDER, "quantity": 1}, {}),
        ("fulfillments", SOLD, {}), ("payments", {"order_id": ORDER}, {}),
        ("order_extras", {"order_id": ORDER, "kind": "delivery_fee"}, {}),
        ("attempts", {"payment_id": PAYMENT, "number": 2}, {}),
        ("captures", PAID, {"gateway_payment_id": "pay_3"}),
        ("refunds", BACK, {"key": "c", "gateway_refund_id": "r3"}),
        ("ledger", {"capture_id": CAPTURE, "account": "fees"}, {"id": 3}))},
    "device_events 3": {"unit_id": UNIT, "event_seq": 3, "at": NOW - MOMENT,
                        "message": {"type": "START"}},
    "device_events 4": {"unit_id": UNIT, "event_seq": 4, "at": NOW, "message": {"type": "MORE"}},
    "ledger 2": {"id": 2, "capture_id": SECOND, "account": "fees"},
    **{f"events {n}": {"subject_id": subject, "seq": n, "event": f"E{n}", "at": NOW}
       for n, subject in enumerate((ORDER, CAPTURE, UNIT, PAYMENT, ATTEMPT, REFUND, UUID(int=30),
                                    ANOTHER, SECOND, THING, STRANGE, UUID(int=31)), start=1)},
    "device_events": {"unit_id": UNIT, "event_seq": 1, "at": NOW, "message": {"type": "RESULT"}},
    "device_events 2": {"unit_id": THING, "event_seq": 2, "at": NOW},
}  # fmt: skip
OWN = [f"E{n}" for n in range(1, 8)]
PARTS = {"units": 2, "lines": 2, "extras": 2, "payments": 2, "attempts": 2, "captures": 2,
         "refunds": 2, "ledger": 2, "record": 7, "journal": 3}  # fmt: skip
FIRST = {"units": ("name", "Cola"), "lines": ("name", "Cola"), "extras": ("kind", "tip"),
         "payments": ("id", str(PAYMENT)), "attempts": ("id", str(ATTEMPT)),
         "captures": ("gateway_payment_id", "pay_1"), "refunds": ("id", str(REFUND)),
         "ledger": ("account", "sales"), "record": ("event", "E1"),
         "journal": ("seq", "3")}  # fmt: skip
SAID = f"""
SELECT e->'merchant'->>'slug' AS merchant, e->'order'->>'number' AS number,
    e->'captures'->0->>'gateway' AS gateway, e->'journal'->1->>'seq' AS then,
    {", ".join(f"e->'{name}'->0->>'{key}' AS first_{name}" for name, (key, _) in FIRST.items())},
    {", ".join(f"jsonb_array_length(e->'{name}') AS {name}" for name in PARTS)}
FROM ({store.EVIDENCE_OF_ORDER}) x (e)
"""
PROOF = (
    Asked("the proof of an order", store.PROOF_OF_ORDER, (ORDER,), OF_ORDER, (),
          gives=[{"event": "START", "of": "machine"}, *({"event": name} for name in OWN),
                 {"event": "RESULT"}, {"event": "MORE"}]),
    Asked("a proof in its order", store.PROOF_OF_ORDER, (ORDER,),
          {"events": {"subject_id": ORDER, "event": "b", "at": NOW, "seq": 9},
           "events 2": {"subject_id": ORDER, "event": "c", "at": NOW + MOMENT, "seq": 1},
           "events 3": {"subject_id": ORDER, "event": "a", "at": NOW, "seq": 8}}, (),
          gives=[{"event": name} for name in "abc"]),
    Asked("the evidence of an order", SAID, (ORDER,), OF_ORDER, ({"$1": THING},),
          gives={**PARTS, "merchant": "asha", "number": "7", "gateway": "mock", "then": "1",
                 **{f"first_{name}": value for name, (_, value) in FIRST.items()}},
          others=(({name: None for name in OF_ORDER if name != "orders"},
                   {**dict.fromkeys(PARTS, 0), "merchant": None}),)),
)  # fmt: skip

ASKED = (*CASES, *NIGHTS, *NOW_SHOWN, *MONEY, *CHOICES, *AUDITS, *PROOF)


async def test_each_statement_finds_its_row_and_none_that_differs(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []


async def test_half_of_all_units_and_nearly_all_were_settled_within(rows: Rows) -> None:
    for number in range(21):
        done = {"settlement": "fulfilled", "basis": "vended",
                "settled_at": NOW + timedelta(seconds=number)}  # fmt: skip
        await rows.put("fulfillments", **{**SOLD, "id": UUID(int=100 + number), **done})
    others: tuple[dict[str, Any], ...] = (
        {"id": UUID(int=1), "settled_at": NOW + HOUR},
        {"id": UUID(int=200), "settled_at": None},
        {"id": UUID(int=201), "settled_at": NOW + HOUR, "amount_minor": 0},
    )
    await rows.put("orders", **TEST)
    for other in others:
        await rows.put("fulfillments", **{**SOLD, **other})
    found = await rows.conn.fetchrow(store.PAID_TO_SETTLED, UUID(int=100))
    assert found is not None
    assert tuple(found) == (10.0, 19.0)
