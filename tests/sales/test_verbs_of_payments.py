"""What short functions about payments, codes, refunds and orders find or write by statements of
their own: over rows of which one thing differs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from coinslot.db.pool import RawConnection
from coinslot.gateways.base import Mark
from coinslot.kit.money import Money
from coinslot.orders import order_search
from coinslot.payments import (
    attempts,
    merchant_api,
    printed_codes,
    qr_codes,
    refunds,
    ways_to_pay,
)
from coinslot.payments.idempotency import IdempotentCall
from coinslot.payments.printed_codes import WantedSheet
from coinslot.people.audit_log import COMMAND_LINE, Act
from tests.sales.asked import Asked, Here, mistaken
from tests.sales.by_hand import NOW, Rows

SECOND = timedelta(seconds=1)
SOON, LATER = NOW + SECOND, NOW + 60 * SECOND
ASHA, ACCOUNT, PRODUCT, CODE, PAYMENT, ATTEMPT, ORDER, REFUND, CAPTURE, OTHER = (
    UUID(int=n) for n in range(1, 11)
)
Row = dict[str, Any]


class Context:
    """By the connection of a case; accounts are known by their ids."""

    windows = SimpleNamespace(refund_look_s=5, refund_pause_max_s=60)
    wakes = SimpleNamespace(wake=lambda *_: None)

    def __init__(self, conn: RawConnection) -> None:
        self.db = Here(conn)
        self.accounts = self

    def now(self) -> datetime:
        return NOW

    async def by_id(self, account: UUID) -> Any:
        return {"account": account}


async def code_to_make(conn: RawConnection, payment: UUID | None) -> Any:
    context: Any = Context(conn)
    account: Any = SimpleNamespace(ahead=lambda: SECOND)
    row: Any = {
        "merchant_id": ASHA, "outlet_id": "M01", "slot": "A1", "payment_id": payment,
        "amount_minor": 4000, "currency": "INR",
    }  # fmt: skip
    return await qr_codes._order(context, account, row, Mark(installation="ours"))


async def refund_put_off(conn: RawConnection, refund: UUID) -> None:
    context: Any = Context(conn)
    account: Any = SimpleNamespace(merchant_id=ASHA)
    row: Any = {"id": refund, "tries": 1}
    await refunds._put_off(context, account, row)


async def refund_to_work(conn: RawConnection, refund: UUID) -> Any:
    context: Any = Context(conn)
    account: Any = SimpleNamespace(merchant_id=ASHA)
    row: Any = {"id": refund}
    return await refunds._pending(context, account, row)


async def accounts_that_take(conn: Any) -> Any:
    context: Any = Context(conn)
    return await attempts.accounts(conn, context)


async def sheet(conn: RawConnection, slot: str, replace: bool) -> None:
    context: Any = Context(conn)
    wanted = WantedSheet(merchant=ASHA, slots=[("M01", slot)], replace=replace)
    await printed_codes.want(context, wanted, COMMAND_LINE, Act(action="codes.sheet"))


async def payment_of(conn: Any, live: bool, payment: UUID) -> Any:
    call = IdempotentCall(merchant=ASHA, endpoint="e", key="k", request_hash=b"", live=live)
    return await merchant_api._payment(conn, call, payment)


async def payment_for(conn: Any, order: UUID) -> Any:
    context: Any = Context(conn)
    row: Any = {"id": order, "merchant_id": ASHA, "amount_minor": 4000, "currency": "INR"}
    wanted: Any = SimpleNamespace(description="a can", return_url="https://shop")
    return await ways_to_pay._payment(conn, context, row, wanted)


async def ways_kept(conn: Any, outlet: str) -> None:
    forms = ways_to_pay.Form
    await ways_to_pay.keep(conn, ASHA, outlet, [(ACCOUNT, forms.CODE), (OTHER, forms.LINK)])


async def currencies(conn: RawConnection) -> list[str]:
    context: Any = Context(conn)
    return await order_search.currencies(context, ASHA)


OUTLET: Row = {
    "id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt", "dialect": "leased",
    "name": "In the hall", "account_id": ACCOUNT, "currency": "INR",
}  # fmt: skip
A_SLOT: Row = {"outlet_id": "M01", "slot": "A1", "price_minor": 4000, "product_id": PRODUCT}
SHOP: dict[str, Row] = {
    "outlets": OUTLET, "outlets 2": {**OUTLET, "id": "M02"}, "slots": A_SLOT,
    "slots 2": {**A_SLOT, "slot": "A2", "product_id": OTHER},
    "slots 3": {**A_SLOT, "outlet_id": "M02", "product_id": OTHER},
    "products": {"id": PRODUCT, "name": "a can"}, "products 2": {"id": OTHER, "sku": "y"},
}  # fmt: skip
FOR_ORDER: dict[str, Row] = {
    "payments": {"id": PAYMENT, "order_id": ORDER, "state": "pending", "amount_minor": 4000},
    "orders": {"id": ORDER, "outlet_id": "M01", "state": "placed", "source": "page",
               "amount_minor": 4000, "expires_at": LATER},
}  # fmt: skip
PRINTED: Row = {
    "id": CODE, "account_id": ACCOUNT, "outlet_id": "M01", "slot": "A1", "stage": "open",
    "qr_code_id": "qr_1", "amount_minor": 3900,
}  # fmt: skip
OF_A_PAYMENT: Row = {"qr_codes.payment_id": PAYMENT, "qr_codes.attempt_id": ATTEMPT}
MADE_ANEW = [{"amount_minor": 3900, "retired_at": NOW}, {"amount_minor": 4000, "sheet_at": NOW}]
KEPT = [{"amount_minor": 3900, "sheet_at": NOW, "retired_at": None}]
LEFT = [{"amount_minor": 3900, "sheet_at": None, "retired_at": None}]
BACK: Row = {
    "id": REFUND, "capture_id": CAPTURE, "origin": "ours", "state": "pending", "tries": 3,
    "amount_minor": 900, "due_at": NOW, "leased_until": NOW,
}  # fmt: skip
TAKEN: Row = {"id": CAPTURE, "gateway_payment_id": "pay_1"}
WAY: Row = {"outlet_id": "M01", "account_id": ACCOUNT, "way": "link", "place": 1}

CODES = (
    Asked("the code to make", code_to_make, (None,), {**SHOP, **FOR_ORDER},
          ({"outlets.id": "M03"}, {"slots.slot": "A3"}, {"products.id": CODE}), (),
          {"money": Money(4000, "INR"), "reusable": True, "name": "In the hall",
           "description": "a can (M01 A1)", "outlet": "M01", "slot": "A1", "close_by": None},
          (({"$1": PAYMENT}, {"reusable": False, "close_by": LATER - SECOND}),
           ({"$1": PAYMENT, "payments.id": OTHER}, {"close_by": None}),
           ({"$1": PAYMENT, "payments.order_id": OTHER}, {"close_by": None}))),
    Asked("a sheet of a code", sheet, ("A1", True), {**SHOP, "qr_codes": PRINTED}, (),
          gives=MADE_ANEW,
          others=[({"$2": False}, KEPT), ({"slots.price_minor": 3900}, KEPT),
                  ({"outlets.decommissioned_at": NOW}, LEFT), ({"outlets.account_id": None}, LEFT),
                  ({"outlets.id": "M03"}, LEFT), ({"slots.slot": "A3"}, LEFT),
                  ({"qr_codes.slot": "A2", "$2": False}, [*LEFT, MADE_ANEW[1]]),
                  ({"qr_codes.outlet_id": "M02", "$2": False}, [*LEFT, MADE_ANEW[1]]),
                  ({**OF_A_PAYMENT, "$2": False}, [*LEFT, MADE_ANEW[1]]),
                  ({"qr_codes.retired_at": SOON, "$2": False},
                   [{"sheet_at": None, "retired_at": SOON}, MADE_ANEW[1]])],
          after="SELECT * FROM qr_codes ORDER BY amount_minor"),
    Asked("a slot's price stays while its code is wanted", sheet, ("A1", True), SHOP, (),
          gives={"amount_minor": 4000}, after="SELECT * FROM qr_codes",
          locks=("slots WHERE outlet_id = 'M01' AND slot = 'A1'",)),
    Asked("a sheet is told", sheet, ("A1", True), SHOP, (), gives={"action": "codes.sheet"},
          after="SELECT * FROM audit_log"),
)  # fmt: skip
MONEY = (
    Asked("a refund is looked at later", refund_put_off, (REFUND,), {"refunds": BACK}, (),
          gives={"due_at": NOW + 10 * SECOND, "tries": 4, "leased_until": None},
          others=(({"refunds.state": "succeeded"}, {"due_at": None, "tries": 4}),
                  ({"$1": OTHER}, {"due_at": NOW, "tries": 3, "leased_until": NOW})),
          after="SELECT * FROM refunds"),
    Asked("the refund to work", refund_to_work, (REFUND,), {"refunds": BACK, "captures": TAKEN},
          ({"refunds.id": OTHER}, {"refunds.state": "succeeded"}),
          gives={"id": REFUND, "gateway_payment_id": "pay_1"}),
    Asked("what is no more to be worked", refund_to_work, (REFUND,),
          {"refunds": {**BACK, "state": "succeeded"}, "captures": TAKEN,
           "refunds 2": {**BACK, "id": OTHER, "key": "k2"}}, (),
          gives=[{"due_at": None, "leased_until": None}, {"due_at": NOW, "leased_until": NOW}],
          others=(({"refunds.state": "pending"}, [{"due_at": NOW}, {"due_at": NOW}]),),
          after="SELECT * FROM refunds ORDER BY id"),
    Asked("accounts that take payments", accounts_that_take, (),
          {"gateway_accounts": {"id": UUID(int=31), "slug": "a", "created_at": SOON},
           "gateway_accounts 2": {"id": UUID(int=33), "slug": "b"},
           "gateway_accounts 3": {"id": UUID(int=32), "slug": "c"}}, (),
          gives=[{"said": {"account": UUID(int=n)}} for n in (32, 33, 31)],
          others=(({"gateway_accounts 2.disabled_at": NOW},
                   [{"said": {"account": UUID(int=n)}} for n in (32, 31)]),)),
    Asked("a payment of this key's mode", payment_of, (True, PAYMENT),
          {"payments": {"id": PAYMENT, "source": "api", "live": True, "state": "pending"}},
          ({"payments.id": OTHER}, {"payments.live": False}, {"$1": False},
           {"payments.source": "order", "payments.order_id": ORDER}), gives={"id": PAYMENT}),
    Asked("the payment of an order", payment_for, (ORDER,), FOR_ORDER, (), gives={"said": PAYMENT},
          locks=("payments",)),
    Asked("an order's payment is made once", payment_for, (ORDER,), FOR_ORDER, (),
          gives=[{"id": PAYMENT}],
          others=(({"payments.order_id": OTHER}, [
              {"id": PAYMENT}, {"merchant_id": ASHA, "order_id": ORDER, "state": "created",
                                "amount_minor": 4000, "currency": "INR", "description": "a can",
                                "return_url": "https://shop", "created_at": NOW}]),),
          after="SELECT * FROM payments ORDER BY id"),
    Asked("ways that an outlet offers", ways_kept, ("M01",),
          {"outlets": OUTLET, "ways_to_pay": WAY,
           "ways_to_pay 2": {**WAY, "outlet_id": "M02"}}, (),
          gives=[{"way": "code", "account_id": ACCOUNT, "place": 1},
                 {"way": "link", "account_id": OTHER, "place": 2},
                 {"way": "link", "account_id": ACCOUNT, "place": None},
                 {"outlet_id": "M02", "place": 1}],
          after="SELECT * FROM ways_to_pay ORDER BY outlet_id, place"),
    Asked("currencies of outlets", currencies, (),
          {"outlets": OUTLET, "outlets 2": {**OUTLET, "id": "M02"},
           "outlets 3": {**OUTLET, "id": "M03", "currency": "EUR"},
           "outlets 4": {**OUTLET, "id": "M04", "currency": "USD"}}, (),
          gives=[{"said": "EUR"}, {"said": "INR"}, {"said": "USD"}]),
)  # fmt: skip


@pytest.mark.parametrize("asked", [CODES, MONEY])
async def test_each_function_of_payments_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []
