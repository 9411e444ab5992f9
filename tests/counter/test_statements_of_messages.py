"""What each statement about messages, searches for orders, and orders that nobody fetches finds or
writes: its own row, as long as nothing differs from what it asks for."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import pytest

from coinslot.counter import history, no_show, privacy
from coinslot.counter import message_store as store
from tests.counter.test_statements_of_the_counter import (
    ASHA,
    LATER,
    MOMENT,
    ORDER,
    ORDERED,
    ORDERS,
    OTHER,
    OUTLET,
    PIECE,
    SETTLED,
    SOON,
    STORE,
    UNIT,
    Row,
)
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MESSAGE, SEARCH = UUID(int=41), UUID(int=42)
PHONE, EMAIL = "+4915100000099", "maria@shop.example"

CONTACT: Row = {
    "order_id": ORDER, "merchant_id": ASHA, "phone": PHONE, "email": EMAIL, "phone_digest": "p",
    "email_digest": "e", "network": "n", "language": "de", "push": "browser",
}  # fmt: skip
DUE: Row = {
    "id": MESSAGE, "merchant_id": ASHA, "outlet_id": "K01", "order_id": ORDER, "purpose": "ready",
    "form": "sms", "dedup": "o.ready.2.sms", "stage": "due", "lease": 3, "phone_digest": "p",
    "network": "n", "created_at": NOW, "due_at": NOW, "leased_until": LATER, "tries": 1, "looks": 2,
}  # fmt: skip
SENDING: Row = {**DUE, "stage": "sending", "begun_at": NOW}
DOUBT: Row = {**SENDING, "stage": "unconfirmed", "why": "no answer"}
SENT: Row = {**SENDING, "stage": "sent", "reference": "SM1"}
ARRIVED: Row = {**SENT, "stage": "delivered", "proved": True, "ended_at": SOON}
SOUGHT: Row = {
    "id": SEARCH, "merchant_id": ASHA, "outlet_id": "K01", "form": "sms", "digest": "p",
    "network": "n", "tries": 4, "created_at": NOW, "expires_at": LATER,
}  # fmt: skip
# A search whose code was written: one that was sent to nobody opens nothing.
TOLD_OF_SEARCH: dict[str, Row] = {
    "counter_lookups": SOUGHT,
    "counter_messages": {**DUE, "purpose": "history", "order_id": None, "lookup_id": SEARCH},
}
NOT_HIS: Row = {"counter_messages.id": OTHER}
NOT_IN_DOUBT: list[Row] = [
    NOT_HIS, {"counter_messages.stage": "due", "counter_messages.begun_at": None},
    {"counter_messages.reference": "SM1"},
    {"counter_messages.stage": "sent", "counter_messages.reference": "SM1"},
]  # fmt: skip
BESIDE: dict[str, Row] = {
    **ORDERS, "counter_stores": {**STORE, "phone_prefixes": ["+49"]}, "outlets": OUTLET,
    "merchants": {"id": ASHA, "name": "Asha", "zone": "Asia/Kolkata"}, "counter_contacts": CONTACT,
    "fulfillments": {**PIECE, "state": "to_pick_up"},
}  # fmt: skip

CONTACTS = (
    Asked("a contact is kept", f"{store.KEEP_CONTACT} RETURNING *",
          (ORDER, ASHA, PHONE, EMAIL, "p", "e", "n", "de"), {}, (),
          gives={name: value for name, value in CONTACT.items() if name != "push"}),
    Asked("a browser is kept beside it", f"{store.KEEP_PUSH} RETURNING *",
          (ORDER, ASHA, "new", "m", "hi"), {"counter_contacts": CONTACT}, (),
          gives={"phone": PHONE, "email": EMAIL, "push": "new", "network": "n", "language": "de"},
          others=(({"counter_contacts": None},
                   {"phone": None, "push": "new", "network": "m", "language": "hi"}),)),
    Asked("what was agreed to", f"{store.CONSENT} RETURNING *",
          (ASHA, ORDER, "phone", "p", "2026-11", "de", "n", SOON), {}, (),
          gives={"merchant_id": ASHA, "order_id": ORDER, "form": "phone", "address": "p",
                 "text_version": "2026-11", "language": "de", "network": "n", "at": SOON}),
    Asked("what a message is written from", store.TOLD, (ORDER,), BESIDE,
          ({"$1": OTHER}, {"orders.id": OTHER}, {"counter_orders.order_id": OTHER},
           {"counter_stores.outlet_id": "K02"}, {"outlets.id": "K02"}, {"merchants.id": OTHER}),
          gives={"id": ORDER, "number": "AB", "token": "tok", "state": "paid", "phone": PHONE,
                 "email": EMAIL, "push": "browser", "language": "de", "code_version": 2,
                 "outlet_id": "K01", "outlet_name": "Kiosk", "zone": "Asia/Kolkata",
                 "merchant_name": "Asha", "phone_prefixes": ["+49"], "amount_minor": 300,
                 "currency": "EUR", "open": ["to_pick_up"], "some_handed_over": False},
          others=(({"outlets.zone": "Europe/Berlin"}, {"zone": "Europe/Berlin"}),
                  ({"counter_contacts": None}, {"phone": None, "language": None}),
                  ({"counter_contacts.order_id": OTHER}, {"phone": None}),
                  ({"fulfillments.order_id": OTHER}, {"open": None}),
                  (SETTLED, {"open": None, "some_handed_over": True}),
                  ({"fulfillments.settlement": "refund_due", "fulfillments.basis": "rejected"},
                   {"open": None, "some_handed_over": False}))),
    Asked("where a search is answered to", store.HISTORY_TOLD, (SEARCH,),
          {"counter_lookups": SOUGHT, "outlets": OUTLET, "counter_stores": STORE,
           "counter_contacts": CONTACT, "counter_contacts 2": {**CONTACT, "order_id": UUID(int=1),
                                                                "language": "hi"}},
          ({"$1": OTHER}, {"counter_lookups.digest": "q"}, {"counter_lookups.form": "email"},
           {"outlets.id": "K02"}, {"counter_stores.outlet_id": "K02"}),
          ({"counter_lookups.form": "email", "counter_lookups.digest": "e"},),
          {"id": SEARCH, "number": "", "token": "kiosk", "expires_at": LATER, "currency": "EUR",
           "phone": PHONE, "email": EMAIL, "language": "de", "outlet_name": "Kiosk"},
          (({"counter_contacts": None}, {"language": "hi"}),)),
    Asked("lines of a receipt", store.RECEIPT_LINES, (ORDER,),
          {"order_lines": {"id": UUID(int=3), "order_id": ORDER, "name": "Tea", "quantity": 2,
                           "price_minor": 150},
           "order_lines 2": {"id": UUID(int=2), "order_id": ORDER, "name": "Cake", "quantity": 1,
                             "price_minor": 420}}, ({"$1": OTHER},),
          gives=[{"name": "Cake", "quantity": 1, "price_minor": 420}, {"name": "Tea"}]),
    Asked("what stands beside them", store.RECEIPT_EXTRAS, (ORDER,),
          {"order_extras": {"order_id": ORDER, "kind": "tip", "amount_minor": 50},
           "order_extras 2": {"order_id": ORDER, "kind": "added_tax", "amount_minor": 19}},
          ({"$1": OTHER},), gives=[{"kind": "added_tax", "amount_minor": 19}, {"kind": "tip"}]),
)  # fmt: skip

SPENT: Row = {"phone": 1, "network": 1, "outlet": 1, "money": Decimal("0.07")}
NOTHING: Row = {"phone": 0, "network": 0, "outlet": 0, "money": Decimal(0)}
CAPS = (
    Asked("what was sent lately", store.SPENT,
          (OTHER, "p", "n", "K01", NOW, SOON, Decimal("0.07")),
          {"counter_messages": {**SENT, "begun_at": LATER}}, (),
          ({"counter_messages.form": "call"}, {"counter_messages.merchant_id": OTHER}), SPENT,
          [({"counter_messages.begun_at": SOON}, {**SPENT, "outlet": 0}),
           ({"counter_messages.begun_at": NOW}, NOTHING), ({"$1": MESSAGE}, NOTHING),
           ({"counter_messages.form": "email"}, NOTHING),
           ({"counter_messages.form": "push"}, NOTHING),
           ({"counter_messages.phone_digest": "q"}, {**SPENT, "phone": 0}),
           ({"counter_messages.network": "m"}, {**SPENT, "network": 0}),
           ({"counter_messages.network": "", "$3": ""}, {**SPENT, "network": 0}),
           ({"counter_messages.outlet_id": "K02"}, {**SPENT, "outlet": 0}),
           ({"counter_messages.price": Decimal("0.25"), "counter_messages.price_currency": "USD"},
            {**SPENT, "money": Decimal("0.25")})]),
    Asked("who wants none", store.OPTED_OUT, (["p", "p.calls"],),
          {"message_opt_outs": {"phone_digest": "p.calls", "since": NOW, "told_by": "x"}},
          ({"$1": ["p"]}, {"message_opt_outs.ended_at": SOON})),
    Asked("somebody wants none", f"{store.OPT_OUT} RETURNING *", ("p", LATER, "STOP"),
          {"message_opt_outs": {"phone_digest": "p", "since": NOW, "told_by": "x",
                                "ended_at": SOON}},
          ({"message_opt_outs.ended_at": None},), ({"message_opt_outs": None},),
          {"phone_digest": "p", "since": LATER, "told_by": "STOP", "ended_at": None}),
    Asked("somebody wants them again", f"{store.OPT_IN} RETURNING *", ("p", LATER),
          {"message_opt_outs": {"phone_digest": "p", "since": NOW, "told_by": "x"}},
          ({"message_opt_outs.phone_digest": "q"}, {"message_opt_outs.ended_at": SOON}),
          gives={"ended_at": LATER}),
)  # fmt: skip

NOT_DUE: list[Row] = [
    NOT_HIS, {"counter_messages.lease": 4},
    {"counter_messages.stage": "sending", "counter_messages.begun_at": NOW},
]  # fmt: skip
STEPS = (
    Asked("it is withheld", f"{store.WITHHOLD} RETURNING *", (MESSAGE, 3, "over", SOON),
          {"counter_messages": DUE}, NOT_DUE,
          gives={"stage": "withheld", "why": "over", "ended_at": SOON, "due_at": None,
                 "leased_until": None}),
    Asked("it is begun", store.BEGIN, (MESSAGE, 3, SOON, LATER, False),
          {"counter_messages": DUE}, NOT_DUE,
          gives={"stage": "sending", "begun_at": SOON, "tries": 2, "looks": 0, "due_at": LATER,
                 "all_of_it": False}),
    Asked("it was not sent", f"{store.NOT_SENT} RETURNING *", (MESSAGE, "busy", "429", LATER),
          {"counter_messages": SENDING}, NOT_IN_DOUBT, ({"counter_messages.stage": "unconfirmed"},),
          {"stage": "due", "begun_at": None, "why": "busy", "error_code": "429", "due_at": LATER,
           "leased_until": None, "tries": 1}),
    Asked("it failed", f"{store.FAILED} RETURNING *", (MESSAGE, "recipient", "21211", LATER),
          {"counter_messages": SENDING},
          (NOT_HIS, {"counter_messages.reference": "SM1"},
           {"counter_messages.stage": "sent", "counter_messages.reference": "SM1"},
           {"counter_messages.stage": "withheld", "counter_messages.why": "over"}),
          ({"counter_messages.stage": "due"}, {"counter_messages.stage": "unconfirmed"}),
          {"stage": "failed", "why": "recipient", "error_code": "21211", "ended_at": LATER,
           "due_at": None, "leased_until": None}),
    Asked("nobody knows", f"{store.UNCONFIRMED} RETURNING *", (MESSAGE, "time-out", LATER, SOON),
          {"counter_messages": SENDING}, NOT_IN_DOUBT, ({"counter_messages.stage": "unconfirmed"},),
          {"stage": "unconfirmed", "why": "time-out", "looks": 3, "due_at": LATER,
           "ended_at": SOON, "leased_until": None}),
    Asked("references that are known", store.KNOWN_REFERENCES, (["SM1", "SM2"],),
          {"counter_messages": SENT}, ({"counter_messages.reference": "SM3"},),
          gives={"reference": "SM1"}),
    Asked("whether another call is in doubt", store.ANOTHER_IN_DOUBT, (OTHER, "p"),
          {"counter_messages": {**SENDING, "form": "call"}},
          ({"$1": MESSAGE}, {"counter_messages.phone_digest": "q"},
           {"counter_messages.form": "sms"}, {"counter_messages.ended_at": SOON},
           {"counter_messages.stage": "sent", "counter_messages.reference": "SM1"}),
          ({"counter_messages.stage": "unconfirmed"},)),
    Asked("one message", store.ONE, (MESSAGE,), {"counter_messages": DUE}, (NOT_HIS,),
          gives={"dedup": "o.ready.2.sms"}),
    Asked("one message is held", store.HOLD, (MESSAGE,), {"counter_messages": DUE}, (NOT_HIS,),
          locks=("counter_messages",)),
    Asked("whose message it is", store.OWNER, (MESSAGE,), {"counter_messages": DUE}, (NOT_HIS,),
          gives={"merchant_id": ASHA}),
    Asked("what a service said", f"{store.REPORTED} RETURNING *",
          (MESSAGE, "SM1", "delivered", None, None, Decimal("0.07"), "USD", SOON, LATER, 5, True),
          {"counter_messages": {**DOUBT, "error_code": "30"}}, (NOT_HIS,),
          gives={"reference": "SM1", "stage": "delivered", "why": None, "error_code": "30",
                 "price": Decimal("0.07"), "price_currency": "USD", "ended_at": SOON,
                 "due_at": LATER, "looks": 5, "proved": True, "leased_until": None},
          others=(({"counter_messages.ended_at": NOW}, {"ended_at": NOW}),
                  ({"$11": False, "counter_messages.stage": "delivered",
                    "counter_messages.proved": True}, {"proved": True}),
                  ({"$6": None, "$7": None, "counter_messages.price": Decimal(1),
                    "counter_messages.price_currency": "EUR"},
                   {"price": Decimal(1), "price_currency": "EUR"}),
                  ({"$3": "failed", "$11": False}, {"why": "no answer"}),
                  ({"$3": "failed", "$11": False, "counter_messages.why": None},
                   {"why": "not delivered"}),
                  ({"$3": "failed", "$11": False, "$4": "31", "$5": "31"},
                   {"why": "31", "error_code": "31"}))),
)  # fmt: skip

SHOWN: dict[str, Row] = {"counter_messages": DUE, "counter_contacts": CONTACT}
AGAIN: Row = {**SENT, "dedup": "o.code.again.1.sms", "purpose": "code"}
PAGES = (
    Asked("messages of an order", store.OF_ORDER, (ORDER,),
          {**SHOWN, "counter_messages 2": {**SENT, "id": UUID(int=39), "dedup": "b",
                                           "created_at": NOW + MOMENT},
           "counter_messages 3": {**DUE, "id": UUID(int=40), "dedup": "c", "form": "email"}},
          ({"$1": OTHER},),
          gives=[{"form": "email", "stage": "due", "phone": PHONE, "email": EMAIL},
                 {"form": "sms", "stage": "sent"}],
          others=(({"counter_messages 2.created_at": NOW, "counter_messages.stage": "due"},
                   [{"form": "email"}, {"stage": "due"}]),
                  ({"counter_contacts": None}, [{"phone": None}, {"stage": "sent"}]),
                  ({"counter_messages 2.stage": "withheld", "counter_messages 2.why": "over",
                    "counter_messages 2.reference": None}, [{"form": "email"}, {"stage": "due"}]),
                  ({"counter_messages 3.order_id": OTHER}, {"form": "sms"}))),
    Asked("whether it may be sent again", store.RESENDS, (ORDER,),
          {"counter_orders": ORDERS["counter_orders"], "counter_contacts": CONTACT,
           "counter_messages": {**AGAIN, "created_at": SOON}, "fulfillments": PIECE},
          ({"counter_orders.order_id": OTHER},), (),
          {"times": 1, "last": SOON, "phone": PHONE, "open": True},
          [({"counter_messages.order_id": OTHER}, {"times": 0, "last": None}),
           ({"counter_messages.dedup": "o.code.1.sms"}, {"times": 0, "last": SOON}),
           ({"counter_messages.form": "email"}, {"times": 1, "last": None}),
           ({"counter_contacts.order_id": OTHER}, {"phone": None}),
           ({"fulfillments.order_id": OTHER}, {"open": False}), (SETTLED, {"open": False})]),
    Asked("how often it was sent again", store.RESENT, (ORDER,), {"counter_messages": AGAIN}, (),
          gives={"count": 1},
          others=[(change, {"count": 0}) for change in (
              {"$1": OTHER}, {"counter_messages.dedup": "o.code.1.sms"})]),
    Asked("an order's code is held", store.HOLD_CODE, (ORDER,),
          {"counter_orders": ORDERS["counter_orders"]}, ({"counter_orders.order_id": OTHER},),
          locks=("counter_orders",)),
    Asked("whether somebody provably knows", store.PROVED_READY, (ORDER, NOW),
          {"counter_messages": ARRIVED},
          ({"$1": OTHER}, {"$2": NOW + MOMENT}, {"counter_messages.purpose": "code"},
           {"counter_messages.proved": False})),
    Asked("what was said of no-shows", no_show._KEPT, (ORDER,),
          {"counter_orders": ORDERS["counter_orders"]}, ({"counter_orders.order_id": OTHER},)),
    Asked("a piece has longer to be fetched", f"{no_show._LONGER} RETURNING *", (UNIT, SOON, LATER),
          {"fulfillments": {**PIECE, "dispatch_by": NOW, "hard_deadline": SOON}},
          ({"fulfillments.id": OTHER}, SETTLED, {"$2": NOW}),
          gives={"dispatch_by": SOON, "hard_deadline": LATER, "due_at": SOON}),
    Asked("gateways of a counter", privacy._GATEWAYS, ("K01",),
          {"gateway_accounts": {"id": UUID(int=51), "gateway": "stripe"},
           "ways_to_pay": {"outlet_id": "K01", "account_id": UUID(int=51), "way": "link",
                           "place": 1},
           "ways_to_pay 2": {"outlet_id": "K01", "account_id": UUID(int=51), "way": "code",
                             "place": None}},
          ({"$1": "K02"}, {"gateway_accounts.id": OTHER}, {"ways_to_pay.place": None},
           {"gateway_accounts.disabled_at": NOW}),
          ({"ways_to_pay 2.place": 2},), {"gateway": "stripe"}),
)  # fmt: skip

WROTE = "SELECT * FROM counter_messages"
SEARCHES = (
    Asked("how often somebody asked", history._ASKED, ("p", "n", NOW),
          {"counter_lookups": {**SOUGHT, "created_at": SOON}}, (), (),
          {"of_one": 1, "of_network": 1},
          [({"$1": "q"}, {"of_one": 0, "of_network": 1}),
           ({"$2": "m"}, {"of_one": 1, "of_network": 0}),
           ({"counter_lookups.created_at": NOW}, {"of_one": 0, "of_network": 0})]),
    Asked("a search is kept", f"{history._ADD} RETURNING *",
          (SEARCH, ASHA, "K01", "sms", "p", "n", NOW, LATER), {}, (),
          gives={**SOUGHT, "tries": 0, "used_at": None}),
    Asked("a search is answered", history._TELL, (SEARCH, SOON, True),
          {"counter_lookups": SOUGHT, "counter_contacts": CONTACT, "orders": ORDERED},
          ({"$1": OTHER}, {"$3": False}, {"orders.paid_at": None}, {"orders.id": OTHER},
           {"counter_lookups.digest": "e"}, {"counter_lookups.form": "email"}), (),
          {"merchant_id": ASHA, "outlet_id": "K01", "lookup_id": SEARCH, "order_id": None,
           "purpose": "history", "form": "sms", "dedup": f"history.{SEARCH}", "phone_digest": "p",
           "network": "n", "created_at": SOON, "due_at": SOON},
          (({"counter_lookups.form": "email", "counter_lookups.digest": "e"},
            {"form": "email", "phone_digest": None}),), WROTE),
    Asked("a code is tried", history._TRY, (SEARCH, 5, SOON), TOLD_OF_SEARCH,
          ({"$1": OTHER}, {"$2": 4}, {"$3": LATER}, {"counter_lookups.used_at": NOW},
           {"counter_messages.lookup_id": OTHER}),
          gives={"form": "sms", "digest": "p"}),
    Asked("a try is counted", history._TRY, (SEARCH, 5, SOON), TOLD_OF_SEARCH, (),
          gives={"tries": 5}, others=(({"$2": 4}, {"tries": 4}),),
          after="SELECT * FROM counter_lookups"),
    Asked("a code is used", f"{history._USE}, *", (SEARCH, SOON), {"counter_lookups": SOUGHT},
          ({"$1": OTHER}, {"counter_lookups.used_at": NOW}), gives={"used_at": SOON}),
    Asked("orders that are found", history._ORDERS, ("sms", "p"),
          {"orders": ORDERED, "counter_contacts": CONTACT, "outlets": {**OUTLET, "zone": "UTC"},
           "orders 2": {**ORDERED, "id": OTHER, "token": "t2", "client_key": None,
                        "paid_at": SOON},
           "counter_contacts 2": {**CONTACT, "order_id": OTHER}},
          ({"$2": "q"}, {"$1": "email"}, {"outlets.id": "K02"}), ({"$1": "email", "$2": "e"},),
          [{"token": "t2", "paid_at": SOON},
           {"number": "AB", "token": "tok", "state": "paid", "amount_minor": 300,
            "currency": "EUR", "paid_at": NOW, "name": "Kiosk", "zone": "UTC"}],
          (({"orders 2.paid_at": None}, {"token": "tok"}),)),
)  # fmt: skip


@pytest.mark.parametrize("asked", [CONTACTS, CAPS, STEPS, PAGES, SEARCHES])
async def test_each_statement_about_messages_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []
