"""What each statement about payments, refunds, captures and codes finds or writes: its own row, as
long as nothing differs from what it asks for. Each case differs in one thing."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.payments import store
from tests.sales.asked import Asked, mistaken, written
from tests.sales.by_hand import NOW, Rows

MOMENT, SECOND = timedelta(microseconds=1), timedelta(seconds=1)
SOON, LATER = NOW + SECOND, NOW + 60 * SECOND
ASHA, ACCOUNT, PAYMENT, ATTEMPT, CAPTURE, REFUND, CODE, ORDER, OTHER, ANOTHER = (
    UUID(int=n) for n in range(1, 11)
)
Row = dict[str, Any]
Changes = Sequence[Mapping[str, Any]]

HELD = {"tries": 3, "leased_until": NOW, "due_at": NOW}
OFF = {"leased_until": None, "due_at": SOON}
PAID: Row = {
    "id": PAYMENT, "amount_minor": 4000, "currency": "RUB", "description": "a can",
    "reference": "their 1", "return_url": "https://shop", "metadata": {"a": "b"}, "source": "api",
    "capture_method": "manual", "state": "pending",
}  # fmt: skip
SHOWN: Row = {
    "amount_minor": 4000, "currency": "RUB", "description": "a can", "payment_reference": "their 1",
    "return_url": "https://shop", "metadata": {"a": "b"}, "capture_method": "manual",
}  # fmt: skip
TRIED: Row = {
    "id": ATTEMPT, "payment_id": PAYMENT, "account_id": ACCOUNT, "state": "pending", "number": 2,
    **HELD,
}  # fmt: skip
INBOX: Row = {
    "id": 1, "account_id": ACCOUNT, "verdict": "hint", "reference": "pay_1", "told": 2, **HELD,
    "failure": "refund_of_unknown", "facts": [],
}  # fmt: skip
OURS: Row = {
    "id": REFUND, "capture_id": CAPTURE, "origin": "ours", "state": "pending", "reason": "asked",
    "amount_minor": 1000, **HELD,
}  # fmt: skip
TAKEN: Row = {
    "id": CAPTURE, "account_id": ACCOUNT, "payment_id": PAYMENT, "gateway_payment_id": "pay_1",
    **HELD,
}  # fmt: skip
PRINTED: Row = {
    "id": CODE, "account_id": ACCOUNT, "outlet_id": "M01", "slot": "A1", "stage": "open",
    "qr_code_id": "qr_1", "amount_minor": 4000, **HELD,
}  # fmt: skip
OF_PAYMENT = {"qr_codes.payment_id": PAYMENT, "qr_codes.attempt_id": ATTEMPT}
CLOSED_ATTEMPTS = [{"attempts.state": state} for state in ("succeeded", "failed", "canceled")]
OPEN_ATTEMPTS = [{"attempts.state": state} for state in ("started", "unknown")]
ENDED = {"inbox.worked_at": NOW}
OUTLET = {"id": "M01", "kind": "vending", "channel": "mqtt", "dialect": "leased"}
WAY = {"outlet_id": "M01", "account_id": ACCOUNT, "way": "link", "place": 2}


INBOX_AND_CAPTURES = (
    Asked("what came in is worked", store.WORK_INBOX, (1, {"capture_s": 9}, SOON),
          {"inbox": INBOX, "gateway_accounts": {"id": ACCOUNT}},
          (ENDED, {"inbox.id": 2}, {"gateway_accounts.id": OTHER}),
           gives={"work_inbox": "nothing"}),
    written(Asked("a hint was followed", store.HINT_FOLLOWED, (1, None, SOON, 2), {"inbox": INBOX},
          (ENDED, {"inbox.told": 3}), gives={"tries": 4, "failure": None, "leased_until": None,
          "worked_at": SOON, "due_at": None}, others=((({"$2": "no answer"}), {"tries": 4,
          "failure": "no answer", "leased_until": None, "worked_at": None,
          "due_at": SOON + 8 * SECOND}),))),
    written(Asked("a refund of a payment that is not ours", store.INBOX_FOREIGN, (1, SOON),
          {"inbox": INBOX}, (ENDED, {"inbox.failure": "else"}), gives={"worked_at": SOON,
          "due_at": None, "leased_until": None, "failure": None})),
    Asked("a sum is noted at its account", store.NOTE_SUM, (ACCOUNT, {}, "look", {}, NOW),
          {"gateway_accounts": {"id": ACCOUNT}}, ({"gateway_accounts.id": OTHER},)),
    written(Asked("a capture waits", store.PUT_OFF_CAPTURE, (CAPTURE, SOON), {"captures": TAKEN},
          (), gives={**OFF, "tries": 4})),
    Asked("a capture is held", store.LOCK_CAPTURE, (CAPTURE,), {"captures": TAKEN},
          ({"captures.id": OTHER},), locks=("captures",)),
    Asked("more went back than is on record", store.REFUNDED_MORE,
          (ACCOUNT, ["pay_2", "pay_1"], [1, 1001]),
          {"captures": {**TAKEN, "captured": 5000},
           "refunds": {**OURS, "gateway_refund_id": "rf_1"}},
          ({"captures.account_id": OTHER}, {"captures.gateway_payment_id": "pay_3"},
           {"captures.foreign_amount": 5000, "captures.open": 0}, {"$3": [1, 1000]},
           {"$3": [1001, 1]}, {"$3": [1, 1000], "refunds.state": "succeeded"}),
          ({"refunds.state": "succeeded"},), {"gateway_payment_id": "pay_1"},
          tuple(({"$3": [1, 1], **change}, {"gateway_payment_id": "pay_1"}) for change in (
              {"refunds.capture_id": OTHER}, {"refunds.gateway_refund_id": None},
              {"refunds.reason": "disputed"}, {"refunds.state": "failed"}, {"refunds": None}))),
    Asked("captures by their names", store.CAPTURES_NAMED, (ACCOUNT, ["pay_1", "pay_2"]),
          {"captures": {**TAKEN, "fee_minor": 90}},
          ({"captures.account_id": OTHER}, {"captures.gateway_payment_id": "pay_3"}), (),
          {"id": CAPTURE, "name": "pay_1", "fee_minor": 90}),
    written(Asked("a payment waits", store.PUT_OFF_PAYMENT, (PAYMENT, SOON), {"payments": {**PAID,
          "due_at": NOW, "leased_until": NOW}}, (), gives=OFF)),
    Asked("a payment is held", store.LOCK_PAYMENT, (PAYMENT,), {"payments": PAID},
          ({"payments.id": OTHER},), locks=("payments",)),
    Asked("a payment's state is held", store.LOCK_PAYMENT_STATE, (PAYMENT,), {"payments": PAID},
          ({"payments.id": OTHER},), gives={"state": "pending"}, locks=("payments",)),
)  # fmt: skip

ATTEMPTS = (
    Asked("an attempt with its payment", store.ATTEMPT_WITH_PAYMENT, (ATTEMPT,),
          {"attempts": TRIED, "payments": PAID},
          ({"attempts.id": OTHER}, {"payments.id": OTHER}), (),
          {"id": ATTEMPT, "state": "pending", **SHOWN}),
    Asked("an attempt begins", store.BEGIN_ATTEMPT,
          (ATTEMPT, ASHA, PAYMENT, ACCOUNT, "key", "upi", NOW, SOON, SECOND, 7),
          {"payments": PAID, "attempts": {**TRIED, "id": OTHER, "number": 1}},
          ({"payments.id": OTHER},), (),
          {"id": ATTEMPT, "merchant_id": ASHA, "payment_id": PAYMENT, "account_id": ACCOUNT,
           "state": "started", "number": 2, "key": "key", "method": "upi", "started_at": NOW,
           "due_at": SOON, "key_sent_at": NOW, "sends": 1, "lease": 7, **SHOWN},
          (({"attempts.payment_id": OTHER}, {"number": 1}),)),
    Asked("an attempt is held by who began it", store.BEGIN_ATTEMPT,
          (ATTEMPT, ASHA, PAYMENT, ACCOUNT, "key", "upi", NOW, SOON, LATER - NOW, 7),
          {"payments": PAID}, (), gives={"held": True},
          after="SELECT leased_until > clock_timestamp() AS held FROM attempts"),
    written(Asked("an attempt has nothing to do", store.ATTEMPT_AT_REST, (ATTEMPT,),
          {"attempts": TRIED}, (), gives={"due_at": None, "leased_until": None})),
    Asked("an attempt is sent", store.SEND_ATTEMPT, (ATTEMPT, SOON),
          {"attempts": {**TRIED, "sends": 4}}, ({"attempts.id": OTHER}, *CLOSED_ATTEMPTS),
          OPEN_ATTEMPTS, {"sends": 5}),
    Asked("when an attempt was sent first", store.SEND_ATTEMPT, (ATTEMPT, SOON),
          {"attempts": TRIED}, (), (), {"key_sent_at": SOON},
          (({"attempts.key_sent_at": NOW}, {"key_sent_at": NOW}),),
          "SELECT key_sent_at FROM attempts"),
    written(Asked("an attempt was looked at", store.LOOKED_AT, (ATTEMPT, 6, SOON),
          {"attempts": TRIED}, (*CLOSED_ATTEMPTS, *OPEN_ATTEMPTS), gives={**OFF, "tries": 6})),
    Asked("what was sent is held", store.LOCK_SENDS, (ATTEMPT,),
          {"attempts": {**TRIED, "sends": 3}}, ({"attempts.id": OTHER},), (), {"sends": 3},
          locks=("attempts",)),
    Asked("an attempt shall be taken", store.WISH_ATTEMPT, (ATTEMPT, "take", 900, "k", SOON),
          {"attempts": {**TRIED, "asked_minor": [700], "wish_sent_at": NOW, "lease": 4}}, (), (),
          {"wish": "take", "wish_minor": 900, "wish_key": "k", "wish_sent_at": None,
           "asked_minor": [700, 900], "tries": 0, "due_at": SOON, "leased_until": None,
           "lease": 5},
          (({"$2": "let_go", "$3": None},
            {"wish": "let_go", "wish_minor": None, "asked_minor": [700]}),
           ({"attempts.id": OTHER}, {"wish": None, "due_at": NOW})),
          "SELECT * FROM attempts"),
    written(Asked("a wish is sent", store.SEND_WISH, (ATTEMPT, SOON), {"attempts": TRIED}, (),
          gives={"wish_sent_at": SOON})),
    Asked("whether an attempt is the newest", store.IS_NEWEST_ATTEMPT, (ATTEMPT,),
          {"attempts": TRIED,
           "attempts 2": {**TRIED, "id": OTHER, "payment_id": OTHER, "number": 3}},
          ({"attempts 2.payment_id": PAYMENT}, {"attempts.id": ANOTHER}),
          ({"attempts 2.payment_id": PAYMENT, "attempts 2.number": 1},)),
    Asked("the open attempt", store.OPEN_ATTEMPT, (PAYMENT,),
          {"attempts": TRIED, "attempts 2": {**TRIED, "id": OTHER, "number": 1}}, (),
          OPEN_ATTEMPTS, {"id": ATTEMPT},
          tuple((change, {"id": OTHER}) for change in
                ({"attempts.payment_id": OTHER}, {"attempts 2.number": 3}, *CLOSED_ATTEMPTS))),
)  # fmt: skip

WAYS = (
    Asked("ways that are offered", store.WAYS_OFFERED, ("M01",),
          {"ways_to_pay": WAY, "ways_to_pay 2": {**WAY, "way": "code", "account_id": OTHER},
           "ways_to_pay 3": {**WAY, "way": "code"}, "ways_to_pay 4": {**WAY, "account_id": ANOTHER,
           "place": 1}, "gateway_accounts": {"id": ACCOUNT, "slug": "a"},
           "gateway_accounts 2": {"id": OTHER, "slug": "b"},
           "gateway_accounts 3": {"id": ANOTHER, "slug": "c"}, "outlets": OUTLET},
          ({"outlets.id": "M02"}, {"$1": "M02"}), (),
          [{"account_id": ANOTHER, "way": "link", "channel": "mqtt"},
           {"account_id": ACCOUNT, "way": "code", "channel": "mqtt"},
           {"account_id": ACCOUNT, "way": "link", "channel": "mqtt"},
           {"account_id": OTHER, "way": "code", "channel": "mqtt"}],
          [(change, [{"account_id": ANOTHER}, {"account_id": OTHER}]) for change in
           ({"gateway_accounts.id": CODE}, {"gateway_accounts.disabled_at": NOW},
            {"ways_to_pay.place": None, "ways_to_pay 3.place": None},
            {"ways_to_pay.outlet_id": "M02", "ways_to_pay 3.outlet_id": "M02"})]),
    Asked("ways to pay", store.WAYS_TO_PAY, ("M01",),
          {"ways_to_pay": WAY, "ways_to_pay 2": {**WAY, "way": "code", "account_id": OTHER},
           "ways_to_pay 3": {**WAY, "way": "code"}, "ways_to_pay 4": {**WAY, "account_id": ANOTHER,
           "place": 1}}, ({"$1": "M02"},), (),
          [{"account_id": ANOTHER, "way": "link"}, {"account_id": ACCOUNT, "way": "code"},
           {"account_id": ACCOUNT, "way": "link"}, {"account_id": OTHER, "way": "code"}],
          [(change, [{"account_id": ANOTHER}, {"account_id": ACCOUNT}, {"account_id": ACCOUNT}])
           for change in ({"ways_to_pay 2.place": None}, {"ways_to_pay 2.outlet_id": "M02"})]),
    Asked("an outlet is held", store.LOCK_OUTLET_ROW, ("M01",), {"outlets": OUTLET},
          ({"outlets.id": "M02"},), locks=("outlets",)),
    Asked("a way is moved", f"{store.ADD_WAY} RETURNING *", (ASHA, "M01", ACCOUNT, "link", 5),
          {"ways_to_pay": WAY}, (), (), {"place": 5}),
)  # fmt: skip

REFUNDS = (
    Asked("what we gave of a payment", store.GIVEN_OF_PAYMENT, (PAYMENT,),
          {"captures": TAKEN, "refunds": OURS}, (), ({"refunds.state": "succeeded"},),
          {"coalesce": 1000},
          [(change, {"coalesce": 0}) for change in (
              {"captures.payment_id": OTHER}, {"captures.id": OTHER}, {"captures.reason": "second"},
              {"refunds.origin": "gateway"}, {"refunds.state": "failed"})]),
    Asked("what is left to refund", store.LEFT_TO_REFUND, (PAYMENT,),
          {"captures": {**TAKEN, "captured": 5000, "open": 4000, "fulfilled": 1000}},
          ({"captures.payment_id": OTHER}, {"captures.reason": "second"}), (),
          {"fulfilled": 1000}),
    Asked("a refund is held behind its capture", store.LOCK_REFUND, (REFUND,),
          {"captures": TAKEN, "refunds": OURS,
           "refunds 2": {**OURS, "id": OTHER, "key": "k2", "state": "succeeded",
                         "amount_minor": 700}},
          ({"refunds.id": ANOTHER}, {"captures.id": OTHER}), (),
          {"id": REFUND, "gateway_payment_id": "pay_1", "others": 700},
          [({"refunds 2.capture_id": OTHER}, {"others": 0}),
           ({"refunds 2.state": "pending"}, {"others": 0}),
           ({"refunds.state": "succeeded"}, {"others": 700}),
           ({"refunds 2": None}, {"others": 0})],
          locks=("captures",)),
    Asked("no other capture is held with it", store.LOCK_REFUND, (REFUND,),
          {"captures": TAKEN, "captures 2": {**TAKEN, "id": OTHER, "gateway_payment_id": "pay_2"},
           "refunds": OURS}, (), gives=[{"held": True}, {"held": False}],
          after="SELECT xmax <> '0' AS held FROM captures ORDER BY id"),
    Asked("the refund itself is held", store.LOCK_REFUND, (REFUND,),
          {"captures": TAKEN, "refunds": OURS}, (), locks=("refunds",)),
    Asked("whether it is disputed", store.IS_DISPUTED, (CAPTURE,),
          {"disputes": {"capture_id": CAPTURE, "stage": "open"}},
          ({"disputes.capture_id": OTHER}, {"disputes.stage": "won"})),
    written(Asked("a refund is kept back", store.HOLD_REFUND, (REFUND, SOON, "disputed"),
          {"refunds": OURS}, (), gives={**OFF, "failure": "disputed", "tries": 3})),
    written(Asked("a refund waits", store.REFUND_WAITS, (REFUND, SOON), {"refunds": OURS}, (),
          gives={**OFF, "tries": 4})),
    written(Asked("a refund is sent", store.SEND_REFUND, (REFUND, SOON), {"refunds": OURS}, (),
          gives={"key_sent_at": SOON, "tries": 4})),
    Asked("whether another refund is under way", store.ANOTHER_IS_SENT, (REFUND, CAPTURE),
          {"refunds": {**OURS, "id": OTHER, "key_sent_at": NOW}},
          ({"refunds.id": REFUND}, {"refunds.capture_id": OTHER}, {"refunds.origin": "gateway"},
           {"refunds.state": "succeeded"}, {"refunds.key_sent_at": None})),
    Asked("who waited for a refund", f"{store.WAKE_REFUNDS} RETURNING *", (REFUND, CAPTURE, NOW),
          {"refunds": {**OURS, "id": OTHER, "due_at": NOW + MOMENT}},
          ({"refunds.id": REFUND}, {"refunds.capture_id": OTHER}, {"refunds.state": "succeeded"},
           {"refunds.key_sent_at": NOW}, {"refunds.due_at": NOW}), (), {"due_at": NOW}),
)  # fmt: skip

CODES = (
    Asked("a printed code opens", store.QR_OPENED, (CODE, "qr_1", "https://i", SOON, LATER),
          {"qr_codes": {**PRINTED, "stage": "wanted", "qr_code_id": None}},
          ({"qr_codes.id": OTHER}, {"qr_codes.stage": "closed"}), (), {"printed": True},
          [(OF_PAYMENT, {"printed": False}), ({"qr_codes.retired_at": NOW}, {"printed": False})]),
    Asked("a code is open", store.QR_OPENED, (CODE, "qr_1", "https://i", SOON, LATER),
          {"qr_codes": {**PRINTED, "stage": "wanted", "qr_code_id": None,
                        "created_at": NOW - SECOND}}, (), (),
          {"stage": "open", "qr_code_id": "qr_1", "image_url": "https://i",
           "short_url": "https://i", "asked_at": NOW - SECOND, "due_at": None,
           "leased_until": None, "tries": 0},
          [(OF_PAYMENT, {"stage": "open", "asked_at": None, "due_at": SOON}),
           ({"qr_codes.retired_at": NOW}, {"stage": "closing", "due_at": LATER}),
           ({**OF_PAYMENT, "qr_codes.retired_at": NOW}, {"stage": "closing", "due_at": LATER})],
          "SELECT * FROM qr_codes"),
    written(Asked("a code is closed", store.QR_CLOSED, (CODE, SOON), {"qr_codes": PRINTED}, (),
          gives={**OFF, "stage": "closed"})),
    written(Asked("a code was asked about", store.QR_ASKED, (CODE, SOON, LATER),
          {"qr_codes": PRINTED}, (), gives={"asked_at": SOON, "tries": 0, "leased_until": None,
          "due_at": None}, others=[(change, {"due_at": LATER}) for change in ( OF_PAYMENT,
          {"qr_codes.stage": "closing"}, {"qr_codes.retired_at": NOW})])),
    written(Asked("a code is put off", store.QR_PUT_OFF, (CODE, SOON), {"qr_codes": PRINTED}, (),
          gives={"tries": 4, "leased_until": None, "due_at": None}, others=[(change,
          {"due_at": SOON}) for change in ( OF_PAYMENT, {"qr_codes.stage": "closing"},
          {"qr_codes.retired_at": NOW})])),
    Asked("an account's codes are polled", f"{store.POLL_ACCOUNT} RETURNING *",
          (ACCOUNT, ASHA, LATER, SOON), {"qr_polls": {"id": ACCOUNT, "asked_at": NOW,
                                                      "due_at": SOON + MOMENT}}, (), (),
          {"asked_at": NOW, "due_at": SOON},
          [({"qr_polls.due_at": NOW}, {"asked_at": NOW, "due_at": NOW}),
           ({"qr_polls.due_at": None}, {"asked_at": LATER, "due_at": SOON}),
           ({"qr_polls": None}, {"merchant_id": ASHA, "asked_at": LATER, "due_at": SOON})]),
    Asked("printed codes of an account", store.PRINTED_CODES, (ACCOUNT, 1),
          {"qr_codes": {**PRINTED, "asked_at": LATER},
           "qr_codes 2": {**PRINTED, "id": OTHER, "slot": "A2", "qr_code_id": "qr_2",
                          "asked_at": SOON}}, (), (), {"id": OTHER},
          [({"$2": 2}, [{"id": OTHER}, {"id": CODE}]),
           *((change, {"id": CODE}) for change in (
               {"qr_codes 2.account_id": OTHER}, {"qr_codes 2.stage": "closing"},
               {"qr_codes 2.retired_at": NOW},
               {"qr_codes 2.payment_id": PAYMENT, "qr_codes 2.attempt_id": ATTEMPT}))]),
    written(Asked("codes were polled", store.POLLED, (ACCOUNT, SOON, LATER),
          {"qr_polls": {"id": ACCOUNT, **HELD}}, (), gives={"asked_at": SOON, "due_at": LATER,
          "tries": 0, "leased_until": None})),
    written(Asked("a poll is put off", store.POLL_PUT_OFF, (ACCOUNT, SOON),
          {"qr_polls": {"id": ACCOUNT, **HELD}}, (), gives={**OFF, "tries": 4})),
    Asked("a code that takes another sum than its slot costs", store.PRINTED_AT_ANOTHER_PRICE, (),
          {"qr_codes": {**PRINTED, "slot": "A2"}, "slots": {"outlet_id": "M01", "slot": "A2",
                                                           "price_minor": 3900},
           "qr_codes 2": {**PRINTED, "id": OTHER, "qr_code_id": "qr_2"},
           "slots 2": {"outlet_id": "M01", "slot": "A1", "price_minor": 3900},
           "qr_codes 3": {**PRINTED, "id": ANOTHER, "outlet_id": "M00", "slot": "A3",
                          "qr_code_id": "qr_3"},
           "slots 3": {"outlet_id": "M00", "slot": "A3", "price_minor": 4100}}, (), (),
          [{"outlet_id": "M00", "slot": "A3", "code_takes": 4000, "slot_costs": 4100},
           {"outlet_id": "M01", "slot": "A1", "code_takes": 4000, "slot_costs": 3900,
            "currency": "INR", "qr_code_id": "qr_2"},
           {"outlet_id": "M01", "slot": "A2", "code_takes": 4000, "slot_costs": 3900}],
          [(change, [{"slot": "A3"}, {"slot": "A1"}]) for change in (
              OF_PAYMENT, {"qr_codes.retired_at": NOW}, {"slots.price_minor": 4000},
              {"slots.outlet_id": "M02"}, {"slots.slot": "A4"})]),
)  # fmt: skip


@pytest.mark.parametrize("asked", [INBOX_AND_CAPTURES, ATTEMPTS, WAYS, REFUNDS, CODES])
async def test_each_statement_of_payments_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []
