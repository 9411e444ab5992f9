"""What each statement about coffee machines, their orders and cups finds or writes: its own row, as
long as nothing differs from what it asks for. Each case differs in one thing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.coffee import fulfillment, store
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, SECOND = timedelta(microseconds=1), timedelta(seconds=1)
HOUR = timedelta(hours=1)
SOON, LATER = NOW + SECOND, NOW + 60 * SECOND
ASHA, ACCOUNT, ORDER, UNIT, LINE, CAPTURE, PAYMENT, ATTEMPT, OTHER, ANOTHER = (
    UUID(int=n) for n in range(1, 11)
)
Row = dict[str, Any]

VENDOR: Row = {"id": ACCOUNT, "merchant_id": ASHA, "vendor": "tmetr", "slug": "cafe",
               "settings": b"s", "version": 3}  # fmt: skip
MACHINE: Row = {
    "outlet_id": "C01", "merchant_id": ASHA, "account_id": ACCOUNT, "device": "d-1",
    "heard_at": NOW,
}  # fmt: skip
OUTLET: Row = {
    "id": "C01", "merchant_id": ASHA, "kind": "coffee", "channel": "tmetr", "dialect": "leased",
    "name": "By the lift", "place": "hall_1", "windows": {"a": 1},
}  # fmt: skip
MERCHANT: Row = {"id": ASHA, "windows": {"coffee": {"b": 2}}}
ORDERED: Row = {
    "id": ORDER, "merchant_id": ASHA, "outlet_id": "C01", "state": "paid", "source": "page",
    "token": "tok", "number": "AB", "browser": "b", "receipt_contact": "A@b", "amount_minor": 4000,
    "currency": "INR", "placed_at": NOW, "ends_by": LATER,
}  # fmt: skip
ON_SCREEN: Row = {
    "order_id": ORDER, "merchant_id": ASHA, "outlet_id": "C01", "device": "d-1",
    "machine_order": "77", "drink": "latte", "size": 2,
}  # fmt: skip
CUP: Row = {
    "id": UNIT, "order_id": ORDER, "line_id": LINE, "outlet_id": "C01", "kind": "coffee",
    "state": "queued", "due_at": NOW, "hard_deadline": LATER, "dispatch_by": LATER,
    "capture_id": CAPTURE,
}  # fmt: skip
SAID: Row = {"id": UNIT, "denied_at": SOON, "rule": "refund", "told": "x"}
DRINK: Row = {"id": LINE, "order_id": ORDER, "name": "Latte 100%", "slot": "L", "quantity": 1}
SETTLED: Row = {"fulfillments.settlement": "fulfilled", "fulfillments.basis": "command_taken"}

A_DRINK: Row = {"merchant_id": ASHA, "drink": "latte", "small_minor": 100, "medium_minor": 200,
                "big_minor": 300, "asked_at": NOW}  # fmt: skip

STATEMENTS = (
    Asked("a vendor's account", store.ACCOUNT, (ACCOUNT,), {"coffee_accounts": VENDOR},
          ({"coffee_accounts.id": OTHER},), gives={"slug": "cafe"}),
    Asked("a vendor's account is replaced", f"{store.SAVE_ACCOUNT}, settings, vendor, version",
          (OTHER, ASHA, "other", "cafe", b"t", NOW), {"coffee_accounts": VENDOR}, (),
          gives={"id": ACCOUNT, "settings": b"t", "vendor": "other", "version": 4}),
    Asked("accounts at vendors", store.ACCOUNTS, (),
          {"coffee_accounts": {**VENDOR, "slug": "a", "created_at": SOON},
           "coffee_accounts 2": {**VENDOR, "id": ANOTHER, "slug": "b"},
           "coffee_accounts 3": {**VENDOR, "id": OTHER, "slug": "c"}}, (),
          gives=[{"slug": "c", "machines": 0}, {"slug": "b"}, {"slug": "a"}]),
    Asked("how many machines an account has", store.ACCOUNTS, (),
          {"coffee_accounts": VENDOR, "coffee_machines": MACHINE}, (),
          gives={"id": ACCOUNT, "vendor": "tmetr", "slug": "cafe", "settings": b"s", "machines": 1},
          others=(({"coffee_machines.account_id": OTHER}, {"machines": 0}),)),
    Asked("an account by its name", store.ACCOUNT_NAMED, ("cafe",), {"coffee_accounts": VENDOR},
          ({"coffee_accounts.slug": "else"},)),
    Asked("a machine has another device", f"{store.SAVE_MACHINE} RETURNING *",
          ("C01", ASHA, OTHER, "d-2"), {"coffee_machines": MACHINE}, (),
          gives={"account_id": OTHER, "device": "d-2"}),
    Asked("who is asked about a device", store.MACHINE_BY_DEVICE, ("d-1",),
          {"coffee_machines": MACHINE, "outlets": OUTLET, "merchants": {**MERCHANT,
                                                                       "paused_at": SOON}},
          ({"coffee_machines.device": "d-2"}, {"outlets.id": "C02"}, {"merchants.id": OTHER}),
          gives={"outlet_id": "C01", "merchant_id": ASHA, "account_id": ACCOUNT, "device": "d-1",
                 "decommissioned_at": None, "paused_at": SOON, "windows": {"a": 1, "b": 2}}),
    Asked("a machine is heard", f"{store.HEARD} RETURNING *", ("C01", SOON),
          {"coffee_machines": MACHINE},
          ({"coffee_machines.outlet_id": "C02"}, {"coffee_machines.heard_at": SOON}),
          ({"coffee_machines.heard_at": None}, {"coffee_machines.heard_at": SOON - MOMENT}),
          {"heard_at": SOON}),
    Asked("the order of a code on a screen", store.ORDER_OF_CODE, ("d-1", "77"),
          {"coffee_orders": ON_SCREEN, "orders": ORDERED},
          ({"coffee_orders.device": "d-2"}, {"coffee_orders.machine_order": "78"},
           {"orders.id": OTHER}), gives={"token": "tok", "browser": "b"}),
    Asked("what to make", store.WHAT_TO_MAKE, (UNIT,),
          {"fulfillments": CUP, "coffee_orders": ON_SCREEN, "coffee_machines": MACHINE,
           "outlets": OUTLET},
          ({"fulfillments.id": OTHER}, {"coffee_orders.order_id": OTHER},
           {"coffee_machines.outlet_id": "C02"}, {"outlets.id": "C02"}), (),
          {"account_id": ACCOUNT, "device": "d-1", "moved": False, "machine_order": "77",
           "drink": "latte", "size": 2, "windows": {"a": 1}},
          (({"coffee_machines.device": "d-2"}, {"device": "d-1", "moved": True}),)),
    Asked("a merchant's rules", store.RULES, (ASHA,), {"coffee_rules": {"merchant_id": ASHA}},
          ({"coffee_rules.merchant_id": OTHER},)),
    Asked("rules change", f"{store.SAVE_RULES} RETURNING *",
          (ASHA, "goods", "person", 2, 3, 4, 5), {"coffee_rules": {"merchant_id": ASHA}}, (),
          gives={"denied": "goods", "unclear": "person", "contact_limit": 2, "browser_limit": 3,
                 "device_limit": 4, "day_limit": 5},
          others=(({"coffee_rules": None}, {"denied": "goods", "day_limit": 5}),)),
    Asked("what a customer's word gave back", store.DENIALS, (NOW, "C01", "b", "a@B"),
          {"coffee_units": SAID, "fulfillments": CUP, "orders": ORDERED}, (), (),
          {"of_day": 1, "of_device": 1, "of_browser": 1, "of_contact": 1},
          [({"fulfillments.outlet_id": "C02"}, {"of_day": 1, "of_device": 0}),
           ({"orders.browser": "c"}, {"of_day": 1, "of_browser": 0}),
           ({"orders.receipt_contact": "c@b"}, {"of_day": 1, "of_contact": 0}),
           *((change, {"of_day": 0}) for change in (
               {"coffee_units.denied_at": NOW}, {"coffee_units.rule": "goods"},
               {"coffee_units.id": OTHER}, {"orders.id": OTHER}))]),
    Asked("who ordered", store.WHO_ORDERED, (ORDER,), {"orders": ORDERED}, ({"orders.id": OTHER},),
          gives={"browser": "b", "receipt_contact": "A@b"}),
    Asked("a cup", store.CUP, (UNIT,), {"coffee_units": SAID}, ({"coffee_units.id": OTHER},)),
    Asked("cups", store.CUPS, ([OTHER, UNIT],), {"coffee_units": {**SAID, "answer": "taken"}},
          ({"coffee_units.id": ANOTHER},),
          gives={"id": UNIT, "answer": "taken", "denied_at": SOON, "rule": "refund"}),
    Asked("the cup of a machine's order", store.UNIT_OF_ORDER, ("d-1", "77"),
          {"coffee_orders": ON_SCREEN, "fulfillments": {**CUP, "id": OTHER}, "fulfillments 2": CUP},
          ({"coffee_orders.device": "d-2"}, {"coffee_orders.machine_order": "78"},
           {"coffee_orders.order_id": OTHER}), gives={"id": UNIT}),
    Asked("machines by what they are called", store.MACHINES, ("", "", 9),
          {"coffee_machines": MACHINE, "outlets": OUTLET, "coffee_accounts": VENDOR,
           "coffee_machines 2": {**MACHINE, "outlet_id": "C00", "device": "d-2"},
           "outlets 2": {**OUTLET, "id": "C00", "name": "else", "place": "else",
                         "decommissioned_at": NOW}},
          ({"coffee_accounts.id": OTHER},), (),
          [{"code": "C00", "out_of_service": True},
           {"code": "C01", "name": "By the lift", "place": "hall_1", "device": "d-1",
            "account": "cafe", "heard_at": NOW, "out_of_service": False}],
          [*(({"$1": text}, [{"code": "C01"}]) for text in ("c01", "D-1", "the LIFT", "l_1")),
           ({"outlets.id": "C02"}, [{"code": "C00"}]), ({"$3": 1}, [{"code": "C00"}]),
           ({"$2": "C00"}, [{"code": "C01"}]), ({"$2": "C01"}, []),
           *(({"$1": text}, []) for text in ("nothing", "h_ll", "l%1", "a\\l")),
           ({"$1": "50%", "outlets.name": "50%"}, [{"code": "C01"}]),
           ({"$1": "a\\l", "outlets.name": "a\\l"}, [{"code": "C01"}])]),
    Asked("the page of a machine", store.MACHINE_PAGE, ("C01",),
          {"coffee_machines": MACHINE, "outlets": OUTLET, "coffee_accounts": VENDOR,
           "ways_to_pay": {"outlet_id": "C01", "account_id": OTHER, "way": "link", "place": 2},
           "ways_to_pay 2": {"outlet_id": "C01", "account_id": ANOTHER, "way": "link", "place": 1},
           "ways_to_pay 3": {"outlet_id": "C02", "way": "link", "place": 1},
           "fulfillments": CUP},
          ({"$1": "C02"}, {"outlets.id": "C02"}, {"coffee_accounts.id": OTHER}), (),
          {"code": "C01", "account_id": ACCOUNT, "ways": [ANOTHER, OTHER], "waiting": 1},
          [({"ways_to_pay.place": None}, {"ways": [ANOTHER]}), (SETTLED, {"waiting": 0}),
           ({"fulfillments.outlet_id": "C02"}, {"waiting": 0})]),
    Asked("a machine is held", store.LOCK_MACHINE, ("C01",),
          {"coffee_machines": MACHINE, "outlets": OUTLET},
          ({"coffee_machines.outlet_id": "C02"}, {"outlets.id": "C02"}, {"$1": "C02"}), (),
          {"account_id": ACCOUNT, "device": "d-1", "name": "By the lift", "place": "hall_1",
           "contact": ""}, locks=("outlets",)),
    Asked("a machine changes", f"{store.CHANGE_MACHINE} RETURNING *", ("C01", "n", "p", "c"),
          {"outlets": OUTLET}, ({"outlets.id": "C02"},),
          gives={"name": "n", "place": "p", "contact": "c"}),
    Asked("outlets of other kinds", store.OUTLETS_OF_OTHER_KINDS, ("vending",),
          {"outlets": OUTLET}, ({"$1": "coffee"},), gives={"id": "C01"}),
    Asked("products by their names", store.PRODUCTS_NAMED, (["latte"],),
          {"products": {"sku": "latte", "name": "Latte"}}, ({"products.sku": "tea"},),
          gives={"sku": "latte", "name": "Latte"}),
    Asked("drinks", store.DRINKS, ("", "", 9),
          {"coffee_drinks": {**A_DRINK, "drink": "tea"}, "coffee_drinks 2": A_DRINK,
           "products": {"id": ORDER, "merchant_id": ASHA, "sku": "tea", "name": "Tea 50%"},
           "products 2": {"id": UNIT, "merchant_id": ASHA, "sku": "latte", "name": "Milk"}}, (),
          (), [{"drink": "latte", "name": "Milk", "small_minor": 100, "medium_minor": 200,
                "big_minor": 300, "asked_at": NOW, "retired": False}, {"drink": "tea"}],
          [({"$3": 1}, {"drink": "latte"}), ({"$2": "latte"}, {"drink": "tea"}),
           ({"$2": "tea"}, []), ({"$1": "lATT"}, {"drink": "latte"}), ({"$1": "0%"}, [{}]),
           ({"$1": "t_a"}, []), ({"$1": "t%a"}, []), ({"products.retired_at": NOW},
                                                     [{}, {"retired": True}]),
           ({"products.sku": "else"}, {"drink": "latte"}),
           ({"products.merchant_id": OTHER}, {"drink": "latte"})]),
    Asked("a drink is kept", f"{store.KEEP_DRINK} RETURNING *",
          (ASHA, "latte", 110, None, 330, NOW + HOUR), {"coffee_drinks": A_DRINK},
          ({"$3": 100, "$5": 300}, {"$3": None, "$5": None}), (),
          {"small_minor": 110, "medium_minor": 200, "big_minor": 330, "asked_at": NOW + HOUR},
          [({"$3": None, "$4": 220}, {"small_minor": 100, "medium_minor": 220}),
           ({"$5": None}, {"big_minor": 300}), ({"$3": None, "$5": 333}, {"big_minor": 333}),
           ({"$3": 100, "$5": 300, "$4": 201}, {"medium_minor": 201}),
           ({"$3": 100, "$5": 300, "$6": NOW + HOUR + MOMENT}, {"asked_at": NOW + HOUR + MOMENT}),
           ({"coffee_drinks": None}, {"drink": "latte", "medium_minor": None})]),
    Asked("windows of machines", store.WINDOWS_OF_MACHINES, (),
          {"coffee_machines": MACHINE, "outlets": OUTLET, "merchants": MERCHANT},
          (), (), [{"outlet_id": "C01", "windows": {"a": 1, "b": 2}},
                   {"outlet_id": None, "windows": {"b": 2}}],
          [({"outlets.id": "C02"}, {"outlet_id": None}),
           ({"coffee_machines.outlet_id": "C02"}, {"outlet_id": None}),
           ({"merchants.windows": {}}, [{}, {"windows": {}}]),
           ({"merchants.id": OTHER}, {"outlet_id": "C01", "windows": {"a": 1}})]),
    Asked("a machine", store.MACHINE, ("C01",), {"coffee_machines": MACHINE},
          ({"coffee_machines.outlet_id": "C02"},), gives={"device": "d-1"}),
)  # fmt: skip

SALE: dict[str, Row] = {
    "coffee_orders": ON_SCREEN, "orders": ORDERED, "order_lines": DRINK, "fulfillments": CUP,
    "coffee_units": SAID, "captures": {"id": CAPTURE, "order_id": ORDER},
    "payments": {"id": PAYMENT, "order_id": ORDER, "state": "pending", "amount_minor": 4000},
    "attempts": {"id": ATTEMPT, "payment_id": PAYMENT, "state": "failed", "number": 2},
    "attempts 2": {"id": OTHER, "payment_id": PAYMENT, "state": "pending", "number": 1},
}  # fmt: skip
SENT = {"fulfillments.sent_at": NOW}
NEXT: dict[str, Row] = {
    "coffee_orders 2": {**ON_SCREEN, "order_id": OTHER, "machine_order": "78", "device": "d-2",
                        "outlet_id": "C02"},
    "orders 2": {**ORDERED, "id": OTHER, "token": "t2", "number": "AC", "state": "completed",
                 "outlet_id": "C02"},
    "order_lines 2": {**DRINK, "id": OTHER, "order_id": OTHER, "name": "Tea"},
}  # fmt: skip


def status(word: str, **state: object) -> tuple[Row, Row]:
    """An order in this state has this status."""
    return {name.replace("__", "."): value for name, value in state.items()}, {"status": word}


LISTED = (
    Asked("an order of coffee", store.ORDERS, ("", None, None, 9, None, None), SALE,
          ({"orders.id": ANOTHER}, {"order_lines.order_id": OTHER}), (),
          {"id": ORDER, "number": "AB", "machine": "C01", "device": "d-1", "machine_order": "77",
           "drink": "Latte 100%", "size": "L", "amount_minor": 4000, "currency": "INR",
           "placed_at": NOW, "basis": None, "told": "x", "denied_at": SOON, "open": False,
           "status": "paid"},
          [status("make_pending", fulfillments__sent_at=NOW),
           (SENT, {"open": True}), ({**SENT, **SETTLED}, {"open": False, "basis": "command_taken"}),
           status("successful", orders__state="completed"), status("failed",
            orders__state="failed"),
           status("failed", orders__state="expired"),
           ({"orders.state": "expired", "captures": None}, {"status": "not_paid"}),
           ({"orders.state": "expired", "captures.order_id": OTHER}, {"status": "not_paid"}),
           status("not_paid", orders__state="placed"),
           ({"orders.state": "placed", "attempts.number": 0}, {"status": "pending"}),
           *(({"orders.state": "placed", **change}, {"status": "created"}) for change in (
               {"payments": None}, {"payments.order_id": OTHER}, {"payments.id": OTHER})),
           ({"coffee_units": None}, {"told": "", "denied_at": None}),
           ({"coffee_units.id": OTHER}, {"told": ""}),
           ({"fulfillments": None}, {"open": False, "status": "paid"}),
           ({"fulfillments.order_id": OTHER}, {"told": ""})]),
    Asked("orders by what is on a slip", store.ORDERS, ("", None, None, 9, None, None), {**SALE,
          **NEXT}, (),
          (), [{"id": OTHER}, {"id": ORDER}],
          [({"$4": 1}, {"id": OTHER}), ({"$3": OTHER}, {"id": ORDER}), ({"$3": ORDER}, []),
           ({"$5": NOW, "orders 2.placed_at": NOW - MOMENT}, {"id": ORDER}),
           ({"$6": SOON, "orders 2.placed_at": SOON}, {"id": ORDER}),
           ({"$2": "paid"}, {"id": ORDER}), ({"$2": "successful"}, {"id": OTHER}),
           *(({"$1": text}, {"id": ORDER}) for text in ("ab", "C01", "d-1", "77", "lat", "0%")),
           *(({"$1": text}, []) for text in ("nothing", "l_tte", "e%1", "a\\t")),
           *(({"$1": text, "order_lines.name": f"Latte {text}"}, {"id": ORDER})
             for text in ("a\\t", "l_t"))]),
    Asked("cups that a person decides about", store.TO_DECIDE, (),
          {**SALE, "fulfillments": {**CUP, "person_since": NOW}},
          (SETTLED, {"fulfillments.person_since": None}), (), {"id": ORDER}),
    Asked("fifty cups that a person decides about", store.TO_DECIDE, (),
          {f"{table} {n}": row for n in (*range(2, 53), 1) for table, row in {
              "coffee_orders": {**ON_SCREEN, "order_id": UUID(int=n), "machine_order": str(n)},
              "orders": {**ORDERED, "id": UUID(int=n), "token": str(n)},
              "order_lines": {**DRINK, "id": UUID(int=n), "order_id": UUID(int=n)},
              "fulfillments": {**CUP, "id": UUID(int=n), "order_id": UUID(int=n),
                               "person_since": NOW}}.items()}, (), (),
          [{"id": UUID(int=n)} for n in range(1, 51)]),
)  # fmt: skip


def settled(basis: str, settlement: str = "fulfilled", **cup: Any) -> tuple[Row, Any]:
    """A cup that was settled for its reason."""
    names: Row = {f"coffee_units.{name}": value for name, value in cup.items()}
    return {"fulfillments.basis": basis, "fulfillments.settlement": settlement, **names}, []


def wrongly(basis: str, settlement: str = "fulfilled", **cup: Any) -> tuple[Row, Any]:
    """One that was not."""
    return settled(basis, settlement, **cup)[0], {"id": UNIT}


MADE: Row = {"machine": "fulfillment", "subject_id": UNIT, "event": "MAKE"}
LAWS = (
    Asked("a cup that was commanded twice", fulfillment._COMMANDED_TWICE, (),
          {"events": MADE, "events 2": MADE, "coffee_units": SAID},
          ({"events.machine": "order"}, {"events.event": "ELSE"}, {"events.subject_id": OTHER},
           {"coffee_units.id": OTHER}), gives={"subject_id": UNIT, "count": 2}),
    Asked("a cup that was made too late", fulfillment._MADE_TOO_LATE, (),
          {"fulfillments": {**CUP, "sent_at": LATER}, "orders": ORDERED},
          ({"fulfillments.kind": "vending"}, {"orders.id": OTHER},
           {"fulfillments.sent_at": LATER - MOMENT}, {"fulfillments.sent_at": None}),
          ({"orders.ends_by": LATER + SECOND},
           {"fulfillments.dispatch_by": LATER + SECOND}), {"id": UNIT}),
    Asked("a cup that was settled for no reason", fulfillment._ENDS_WITHOUT_ITS_REASON, (),
          {"fulfillments": {**CUP, "settlement": "fulfilled", "basis": "command_taken",
                            "settled_at": SOON}, "coffee_units": {"id": UNIT}},
          ({"fulfillments.settlement": None, "fulfillments.basis": None},
           {"fulfillments.settlement": None, "fulfillments.basis": None,
            "coffee_units.answer": "taken"}, {"coffee_units.id": OTHER}), (), {"id": UNIT},
          [settled("never_sent"), wrongly("never_sent", answer="taken"),
           settled("refused", "refund_due", answer="refused"), wrongly("refused", answer="refused"),
           wrongly("refused", "refund_due", answer="taken"),
           settled("command_taken", answer="taken", grace_until=SOON),
           settled("command_taken", answer="taken", grace_until=LATER, rule="limit"),
           wrongly("command_taken", answer="taken", grace_until=SOON + MOMENT),
           wrongly("command_taken", answer="unclear", grace_until=SOON),
           wrongly("command_taken", "refund_due", answer="taken", grace_until=SOON),
           wrongly("command_taken", answer="taken", grace_until=LATER, rule="goods"),
           settled("policy_goods", rule="goods"), wrongly("policy_goods", rule="refund"),
           wrongly("policy_goods", "refund_due", rule="goods"),
           settled("person_said", said_by="asha"), wrongly("person_said"), settled("else")]),
    Asked("a cup of no code", fulfillment._NO_CODE, (), {"fulfillments": CUP, "coffee_orders": {
        **ON_SCREEN, "order_id": OTHER}},
          ({"fulfillments.kind": "vending"}, {"coffee_orders.order_id": ORDER}), (),
          {"id": UNIT, "order_id": ORDER}),
)  # fmt: skip


@pytest.fixture
async def rows(rows: Rows) -> Rows:
    await rows.conn.execute("SELECT set_config('coinslot.merchant', $1, false)", str(ASHA))
    return rows


@pytest.mark.parametrize("asked", [STATEMENTS, LISTED, LAWS])
async def test_each_statement_of_coffee_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []
