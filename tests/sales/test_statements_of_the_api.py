"""What each statement behind the API's payments, its idempotency keys, gateway accounts and printed
codes finds or writes: its own row, as long as nothing differs from what it asks for."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.payments import api_views, gateway_accounts, idempotency, printed_codes
from tests.sales.asked import Asked, mistaken, written
from tests.sales.by_hand import NOW, Rows

SECOND = timedelta(seconds=1)
SOON, LATER = NOW + SECOND, NOW + 60 * SECOND
ASHA, ACCOUNT, PAYMENT, ATTEMPT, CAPTURE, REFUND, ORDER, CODE, PRODUCT = (
    UUID(int=n) for n in range(1, 10)
)
OTHER, ANOTHER, THIRD = (UUID(int=n) for n in range(20, 23))
Row = dict[str, Any]

PAID: Row = {
    "id": PAYMENT, "source": "api", "state": "captured", "amount_minor": 4000, "reference": "r",
}  # fmt: skip
ORDERED: Row = {"payments.source": "order", "payments.order_id": ORDER}
TAKEN: Row = {
    "id": CAPTURE, "account_id": ACCOUNT, "payment_id": PAYMENT, "gateway_payment_id": "pay_1",
    "captured": 4000, "refund_due": 900, "surplus": 100, "open": 3000,
}  # fmt: skip
BACK: Row = {
    "id": REFUND, "capture_id": CAPTURE, "account_id": ACCOUNT, "origin": "ours",
    "state": "succeeded", "amount_minor": 1000, "key": "k1", "gateway_refund_id": "rf_1",
}  # fmt: skip
OUTSIDE: Row = {**BACK, "id": THIRD, "key": "k3", "gateway_refund_id": "rf_3"}
TRIED: Row = {"id": ATTEMPT, "payment_id": PAYMENT, "account_id": ACCOUNT, "state": "failed"}
SEEN: dict[str, Row] = {"payments": PAID, "captures": TAKEN, "refunds": BACK}
NOTHING_TAKEN: Row = {"captured": 0, "refund_asked": 0, "refunded": 0}
UNKNOWN: Row = {"refunds.gateway_refund_id": None}
HAND: Row = {"subject_id": REFUND, "machine": "refund", "event": "PAID_BY_HAND"}

VIEWS = (
    Asked("a payment of the API", api_views._NAMED, ([PAYMENT],), SEEN,
          ({"payments.id": OTHER}, ORDERED), (),
          {"id": PAYMENT, "captured": 4000, "refund_asked": 1000, "refunded": 1000,
           "refund_ids": [REFUND]},
          [({"captures.payment_id": OTHER}, {**NOTHING_TAKEN, "refund_ids": []}),
           ({"captures.reason": "second"}, {**NOTHING_TAKEN, "refund_ids": [REFUND]}),
           ({"captures": None}, NOTHING_TAKEN), ({"refunds.state": "pending"}, {"refunded": 0}),
           ({"refunds.capture_id": OTHER}, {"refunded": 0, "refund_ids": []}),
           ({"refunds": None}, {"refunded": 0}), (UNKNOWN, {"refunded": 0})]),
    Asked("a debt that was paid by hand", api_views._NAMED, ([PAYMENT],),
          {**SEEN, "refunds": {**BACK, "gateway_refund_id": None}, "events": HAND}, (),
          gives={"refunded": 1000},
          others=[({"events.subject_id": OTHER}, {"refunded": 0}),
                  ({"events.event": "ELSE"}, {"refunded": 0})]),
    Asked("the refunds of a payment", api_views._NAMED, ([PAYMENT],),
          {**SEEN, "refunds 2": {**BACK, "id": UUID(int=3), "key": "k2", "gateway_refund_id": "a"}},
          (), gives={"refund_ids": [UUID(int=3), REFUND], "refunded": 2000},
          others=(({"refunds 2.origin": "gateway", "refunds.covered_by": UUID(int=3)},
                   {"refund_ids": [REFUND]}),)),
    Asked("payments that are listed", api_views._LISTED, (None, None, None, 9),
          {"payments": PAID, "payments 2": {**PAID, "id": OTHER, "state": "failed",
                                            "reference": "s"},
           "payments 3": {**PAID, "id": UUID(int=2), "source": "order", "order_id": ORDER}}, (),
          gives=[{"id": OTHER}, {"id": PAYMENT}],
          others=[({"$4": 1}, {"id": OTHER}), ({"$1": OTHER}, {"id": PAYMENT}),
                  ({"$1": PAYMENT}, []), ({"$2": "failed"}, {"id": OTHER}),
                  ({"$3": "r"}, {"id": PAYMENT}), ({"payments.source": "order",
                    "payments.order_id": ORDER, "$4": 2}, {"id": OTHER})]),
    Asked("a page of the API's payments is full of them", api_views._LISTED,
          (None, None, None, 1), {"payments": PAID, "payments 2": {
              **PAID, "id": OTHER, "source": "order", "order_id": ORDER}}, (),
          gives={"id": PAYMENT}),
    Asked("attempts of payments", api_views._ATTEMPTS, ([OTHER, PAYMENT],),
          {"attempts": {**TRIED, "payment_id": OTHER}, "attempts 2": {**TRIED, "id": OTHER,
           "number": 2}, "attempts 3": {**TRIED, "id": ANOTHER, "number": 1},
           "attempts 4": {**TRIED, "id": THIRD, "number": 3},
           "gateway_accounts": {"id": ACCOUNT, "gateway": "stripe"}},
          ({"gateway_accounts.id": OTHER},),
          gives=[{"id": ANOTHER, "gateway": "stripe"}, {"id": OTHER}, {"id": THIRD},
                 {"id": ATTEMPT}],
          others=(({"$1": [OTHER]}, {"id": ATTEMPT}),)),
    Asked("a refund of the API", api_views._REFUND, (REFUND,),
          {**SEEN, "refunds 2": {**OUTSIDE, "replaces": REFUND}},
          ({"refunds.id": OTHER}, {"captures.id": OTHER}, {"payments.id": OTHER}, ORDERED), (),
          {"id": REFUND, "payment_id": PAYMENT, "replaced_by": THIRD, "known_there_as": "rf_1"},
          [({"refunds 2.replaces": OTHER}, {"replaced_by": None}),
           ({"refunds 2": None}, {"replaced_by": None}),
           ({**UNKNOWN, "refunds.covered_by": THIRD}, {"known_there_as": "rf_3"}),
           ({**UNKNOWN, "refunds.covered_by": OTHER}, {"known_there_as": None}),
           ({"refunds.covered_by": THIRD}, {"known_there_as": "rf_1"})]),
    Asked("the refunds of one payment", api_views._REFUNDS_OF, (PAYMENT,),
          {**SEEN, "refunds 2": {**OUTSIDE, "id": UUID(int=3)}}, ({"captures.payment_id": OTHER},),
          (), [{"id": UUID(int=3)}, {"id": REFUND}],
          (({"refunds 2.origin": "gateway", "refunds.covered_by": UUID(int=3)}, {"id": REFUND}),
           ({"$1": OTHER}, []))),
)  # fmt: skip

THIS = (ASHA, "create", "k")
KEY: Row = {
    "merchant_id": ASHA, "endpoint": "create", "key": "k", "locked_until": NOW, "subject_id": ORDER,
}  # fmt: skip
DONE: Row = {"idempotency_keys.done_at": NOW, "idempotency_keys.status": 200}
OTHER_KEYS: list[Row] = [
    {"idempotency_keys.merchant_id": OTHER},
    {"idempotency_keys.endpoint": "else"},
    {"idempotency_keys.key": "l"},
]
HELD: dict[str, Row] = {"idempotency_keys": KEY}
KEYS = (
    Asked("a key is claimed once", idempotency._CLAIM, (*THIS, b"h", NOW, SOON),
          {"idempotency_keys": {**KEY, "key": "l"}}, ({"idempotency_keys.key": "k"},),
          gives={"key": "k"}),
    Asked("how a key is claimed", idempotency._CLAIM, (*THIS, b"h", NOW, SOON), {}, (),
          gives={"merchant_id": ASHA, "endpoint": "create", "request_hash": b"h",
                 "started_at": NOW, "locked_until": SOON}, after="SELECT * FROM idempotency_keys"),
    Asked("a key is found and held", idempotency._FIND, THIS, HELD, OTHER_KEYS,
          locks=("idempotency_keys",)),
    Asked("a call goes on", f"{idempotency._GO_ON} RETURNING *", (*THIS, SOON), HELD, OTHER_KEYS,
          gives={"locked_until": SOON}),
    Asked("a key is let go", f"{idempotency._LET_GO} RETURNING *", (*THIS, SOON), HELD,
          (*OTHER_KEYS, DONE), gives={"locked_until": SOON, "subject_id": None}),
    Asked("the work of a key is done once", idempotency._WORK, THIS, HELD,
          (*OTHER_KEYS, DONE, {"idempotency_keys.worked_by": 7})),
    Asked("who does the work of a key", idempotency._WORK, THIS, HELD, (), gives={"ours": True},
          after="SELECT worked_by = pg_current_xact_id() AS ours FROM idempotency_keys"),
    Asked("what a call made", f"{idempotency._NAME} RETURNING *", (*THIS, OTHER), HELD, OTHER_KEYS,
          gives={"subject_id": OTHER}),
    Asked("a call is answered", f"{idempotency._FINISH} RETURNING *",
          (*THIS, 201, {"a": 1}, SOON, OTHER), HELD, (*OTHER_KEYS, DONE),
          gives={"status": 201, "body": {"a": 1}, "done_at": SOON, "subject_id": OTHER},
          others=(({"$7": None}, {"subject_id": ORDER}),)),
)  # fmt: skip

AN_ACCOUNT: Row = {
    "id": ACCOUNT, "merchant_id": ASHA, "settings": b"s", "former": b"f", "created_at": NOW,
}  # fmt: skip
CAME: Row = {"account_id": ACCOUNT, "verdict": "genuine", "received_at": SOON, "id": 3}
HEARD: dict[str, Row] = {
    "gateway_accounts": AN_ACCOUNT, "merchants": {"id": ASHA, "slug": "asha"},
    "merchants 2": {"id": OTHER, "slug": "boris"},
    "inbox": CAME, "inbox 2": {**CAME, "id": 2, "received_at": LATER},
    "inbox 3": {**CAME, "id": 4, "verdict": "own", "received_at": LATER},
    "inbox 4": {**CAME, "id": 6, "verdict": "forged", "received_at": NOW},
    "inbox 5": {**CAME, "id": 5, "verdict": "forged", "received_at": LATER},
    "qr_codes": {"account_id": ACCOUNT, "stage": "open", "qr_code_id": "q", "amount_minor": 1},
}  # fmt: skip
ACCOUNTS = (
    Asked("a merchant's account", gateway_accounts._LISTED,
          (ASHA, ["genuine", "unreadable"], None), HEARD,
          ({"gateway_accounts.merchant_id": OTHER}, {"merchants.id": ANOTHER}, {"$3": OTHER}),
          ({"$3": ACCOUNT},),
          {"id": ACCOUNT, "merchant_slug": "asha", "heard_at": SOON, "refused_at": NOW, "codes": 1},
          [({"inbox.account_id": OTHER}, {"heard_at": LATER}),
           ({"inbox.verdict": "own", "inbox 2.verdict": "own"}, {"heard_at": None}),
           ({"inbox 3.verdict": "unreadable", "inbox 3.ours": True}, {"heard_at": LATER}),
           ({"inbox 4.account_id": OTHER}, {"refused_at": LATER}),
           ({"inbox 4.verdict": "own"}, {"refused_at": LATER}),
           *((change, {"codes": 0}) for change in (
               {"qr_codes.account_id": OTHER}, {"qr_codes.stage": "closing"},
               {"qr_codes.payment_id": PAYMENT, "qr_codes.attempt_id": ATTEMPT}))]),
    Asked("a merchant's accounts", gateway_accounts._LISTED, (ASHA, [], None),
          {"merchants": {"id": ASHA},
           "gateway_accounts": {**AN_ACCOUNT, "id": UUID(int=1), "created_at": SOON, "slug": "a"},
           "gateway_accounts 2": {**AN_ACCOUNT, "id": UUID(int=3), "slug": "b"},
           "gateway_accounts 3": {**AN_ACCOUNT, "slug": "c"}}, (),
          gives=[{"slug": "c"}, {"slug": "b"}, {"slug": "a"}]),
    Asked("an account", gateway_accounts._ONE, (ACCOUNT,), {"gateway_accounts": AN_ACCOUNT},
          ({"gateway_accounts.id": OTHER},)),
    written(Asked("an account changes", gateway_accounts._CHANGE,
                  (ACCOUNT, b"new", b"old", SOON, True), {"gateway_accounts": AN_ACCOUNT}, (), (),
                  {"settings": b"new", "former": b"old", "changed_at": SOON, "test_only": True})),
    written(Asked("an account is disabled", gateway_accounts._ENABLE, (ACCOUNT, NOW, SOON),
                  {"gateway_accounts": AN_ACCOUNT}, (), (),
                  {"disabled_at": NOW, "changed_at": SOON})),
    written(Asked("former settings end", gateway_accounts._END_FORMER, (ACCOUNT, SOON),
                  {"gateway_accounts": AN_ACCOUNT}, (), (),
                  {"former": None, "changed_at": SOON})),
    Asked("a payment of an account", gateway_accounts._A_PAYMENT, (ACCOUNT,),
          {"captures": {**TAKEN, "captured_at": SOON},
           "captures 2": {**TAKEN, "id": OTHER, "gateway_payment_id": "pay_2",
                          "captured_at": LATER}}, ({"$1": OTHER},), (),
          {"gateway_payment_id": "pay_2"},
          (({"captures 2.account_id": OTHER}, {"gateway_payment_id": "pay_1"}),)),
)  # fmt: skip

OUTLET: Row = {
    "id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt", "dialect": "leased",
    "name": "In the hall", "account_id": ACCOUNT,
}  # fmt: skip
PRINTED: Row = {
    "id": CODE, "account_id": ACCOUNT, "outlet_id": "M01", "slot": "A1", "stage": "open",
    "qr_code_id": "qr_1", "amount_minor": 4000, "payable": "upi:", "image_url": "https://i",
    "sheet_at": NOW,
}  # fmt: skip
RETIRED: Row = {**PRINTED, "id": OTHER, "retired_at": SOON, "qr_code_id": "qr_2",
                "amount_minor": 3500, "sheet_at": SOON}  # fmt: skip
A_SLOT: Row = {"outlet_id": "M01", "slot": "A1", "price_minor": 4100, "product_id": PRODUCT}
NOT_OLD: Row = {"old_minor": 3400}
SHEETS: dict[str, Row] = {
    "outlets": OUTLET, "slots": A_SLOT, "products": {"id": PRODUCT, "name": "a can"},
    "merchants": {"id": ASHA, "name": "Asha", "contact": "m@asha", "languages": ["hi"]},
    "brands": {"merchant_id": ASHA, "nothing_out": "write"}, "qr_codes": PRINTED,
    "qr_codes 2": RETIRED, "qr_codes 3": {**RETIRED, "id": THIRD, "qr_code_id": "qr_3",
                                          "amount_minor": 3400, "retired_at": NOW},
}  # fmt: skip
OF_A_PAYMENT = {"payment_id": PAYMENT, "attempt_id": ATTEMPT}
MANY: dict[str, Row] = {
    "merchants": SHEETS["merchants"], "products": SHEETS["products"],
    **{f"outlets {n}": {**OUTLET, "id": f"M0{n}"} for n in (3, 2, 1)},
    **{f"slots {n}": {**A_SLOT, "outlet_id": f"M0{n}"} for n in (3, 2, 1)},
    "slots 4": {**A_SLOT, "slot": "A0"}, "slots 5": {**A_SLOT, "outlet_id": "M02", "slot": "A0"},
}  # fmt: skip
CODES = (
    Asked("a printed code", printed_codes._LISTED, (ASHA, None, None, 9), SHEETS,
          ({"outlets.merchant_id": OTHER}, {"outlets.decommissioned_at": NOW},
           {"outlets.id": "M02"}, {"slots.outlet_id": "M02"}, {"products.id": OTHER},
           {"merchants.id": OTHER}), ({"$2": ["M01"]},),
          {"outlet": "M01", "name": "In the hall", "currency": "INR", "slot": "A1",
           "product": "a can", "price_minor": 4100, "code": CODE, "stage": "open",
           "amount_minor": 4000, "payable": "upi:", "image_url": "https://i", "sheet_at": NOW,
           "account_id": ACCOUNT, "old_minor": 3500, "old_at": SOON, "contact": "m@asha",
           "merchant": "Asha", "nothing_out": "write", "languages": ["hi"], "names": {}},
          [({"brands": None}, {"nothing_out": "", "contact": "m@asha", "merchant": "Asha"}),
           ({"brands.merchant_id": OTHER}, {"nothing_out": ""}),
           ({"brands.shown_name": "Chai", "brands.support": "b@asha"},
            {"merchant": "Chai", "contact": "b@asha"}),
           ({"outlets.contact": "o@asha", "brands.support": "b@asha"}, {"contact": "o@asha"}),
           *(({"qr_codes": None} if change is None else
              {f"qr_codes.{name}": value for name, value in change.items()}, {"code": None})
             for change in (None, {"outlet_id": "M02"}, {"slot": "A2"}, OF_A_PAYMENT)),
           ({"qr_codes.retired_at": NOW - SECOND}, {"code": None, "old_minor": 3500}),
           *(({f"qr_codes 2.{name}": value for name, value in change.items()}, NOT_OLD)
             for change in (
                 {"outlet_id": "M02"}, {"slot": "A2"}, OF_A_PAYMENT, {"sheet_at": None},
                 {"retired_at": None, "outlet_id": "M02"}, {"taken_down_at": NOW},
                 {"retired_at": NOW - SECOND})),
           ({"qr_codes 2": None, "qr_codes 3": None}, {"old_minor": None})]),
    Asked("printed codes of machines", printed_codes._LISTED, (ASHA, None, None, 9), MANY, (),
          gives=[{"outlet": "M01", "slot": "A0"}, {"outlet": "M01", "slot": "A1"},
                 {"outlet": "M02", "slot": "A0"}, {"outlet": "M02", "slot": "A1"},
                 {"outlet": "M03"}],
          others=[({"$2": ["M03", "M02"]}, [{"outlet": outlet} for outlet in ("M02", "M02",
           "M03")]),
                  ({"$3": "M01"}, [{"outlet": outlet} for outlet in ("M02", "M02", "M03")]),
                  ({"$3": "M02"}, [{"outlet": "M03"}]),
                  ({"$4": 1}, [{"outlet": "M01"}, {"outlet": "M01"}]),
                  *(({"$4": 1, **change}, [{"outlet": "M02"}] * 2) for change in (
                      {"$2": ["M02"]}, {"$3": "M01"}, {"outlets 1.decommissioned_at": NOW},
                      {"outlets 1.merchant_id": OTHER}))]),
)  # fmt: skip


@pytest.mark.parametrize("asked", [VIEWS, KEYS, ACCOUNTS, CODES])
async def test_each_statement_behind_the_api_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []


async def test_the_transaction_that_works_a_key_may_work_it_again(rows: Rows) -> None:
    await rows.conn.execute("BEGIN")
    await rows.put("idempotency_keys", **KEY)
    for _ in range(2):
        assert await rows.conn.fetchval(idempotency._WORK, *THIS)
    await rows.conn.execute("ROLLBACK")
