"""What is left of a person, what goes, and when: each row and column that names somebody, at both
sides of the moment that counts. And what messages of an order cost, what it reserves, and how it is
numbered."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

import pytest

from tests.counter.test_statements_of_messages import (
    ARRIVED,
    CONTACT,
    DUE,
    PHONE,
    SEARCH,
    SENT,
    SOUGHT,
)
from tests.counter.test_statements_of_the_counter import (
    AN_ITEM,
    ASHA,
    CHOSEN,
    ITEM,
    LATER,
    MOMENT,
    ORDER,
    ORDERED,
    OTHER,
    SOON,
    WITH_CODE,
    Row,
)
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

LEFT = "SELECT person_left($1) AS n"
PAYMENT, ATTEMPT, PAID, BACK, DESK, STOCK = (UUID(int=n) for n in range(61, 67))
NOBODY: Row = {"n": 0}
ONE: Row = {"n": 1}
NAMED: Row = {"order_id": ORDER, "merchant_id": ASHA, "outlet_id": "K01", "name": "", "spot": "7"}
ACCOUNT: Row = {"id": DESK, "merchant_id": ASHA, "form": "sms", "digest": "p", "name": "Maria",
                "note": "vegan", "made_at": NOW}  # fmt: skip
AGREED: Row = {"merchant_id": ASHA, "order_id": ORDER, "form": "phone", "address": "p"}
ASKED: Row = {"order_id": ORDER, "merchant_id": ASHA, "asked_at": NOW}
CAPTURED: Row = {"id": PAID, "order_id": ORDER, "payer_reference": "u", "captured_at": NOW}
RECEIPT: Row = {
    "id": UUID(int=69), "merchant_id": ASHA, "kind": "payment", "attempt_id": ATTEMPT,
    "state": "sent", "contact": "a@b.example", "ended_at": NOW,
}  # fmt: skip
OF_PAYMENT: dict[str, Row] = {
    "receipts": RECEIPT, "attempts": {"id": ATTEMPT, "payment_id": PAYMENT, "way": "link"},
    "payments": {"id": PAYMENT, "order_id": ORDER},
}  # fmt: skip
OF_REFUND: dict[str, Row] = {
    "receipts": {**RECEIPT, "kind": "refund", "attempt_id": None, "refund_id": BACK},
    "refunds": {"id": BACK, "capture_id": PAID, "origin": "ours", "state": "done"},
    "captures": {"id": PAID, "order_id": ORDER},
}  # fmt: skip
DELIVERED: Row = {"order_id": ORDER, "merchant_id": ASHA, "address": "Lane 1"}
PLAIN: Row = {"order_id": ORDER, "merchant_id": ASHA, "phone": None, "email": None, "push": None,
              "phone_digest": None, "email_digest": None, "network": "",
              "language": "de"}  # fmt: skip


def left(
    name: str, rows: Mapping[str, Row], nobody: Sequence[Row], as_much: Sequence[Row] = ()
) -> Asked:
    """One thing is left of somebody, as long as nothing differs."""
    return Asked(f"left: {name}", LEFT, (ORDER,), rows, (), as_much, ONE,
                 [(row, NOBODY) for row in ({"$1": OTHER}, *nobody)])  # fmt: skip


IS_LEFT = (
    left("a name", {"counter_orders": {**NAMED, "name": "Boris"}}, [{"counter_orders.name": ""}],
         [{"counter_orders.name": "", "counter_orders.here_note": "red coat"},
          {"counter_orders.here_note": "red coat"}]),
    left("a note", {"counter_lines": CHOSEN}, [{"counter_lines.note": ""}]),
    left("where a receipt goes", {"orders": {**ORDERED, "receipt_contact": "a@b.example"}},
         [{"orders.receipt_contact": None}],
         [{"orders.receipt_contact": None, "orders.browser": "b"},
          {"orders.receipt_contact": None, "orders.network": "n"}]),
    left("a receipt of a payment", OF_PAYMENT,
         [{"receipts.contact": None}, {"receipts.ended_at": None}, {"attempts.id": OTHER},
          {"payments.id": OTHER}, {"payments.order_id": OTHER}, {"receipts.attempt_id": OTHER}]),
    left("a receipt of a refund", OF_REFUND,
         [{"receipts.contact": None}, {"receipts.ended_at": None}, {"refunds.id": OTHER},
          {"captures.id": OTHER}, {"captures.order_id": OTHER}]),
    left("who paid", {"captures": CAPTURED}, [{"captures.payer_reference": None}],
         [{"captures.payer_reference": None, "captures.receipt_url": "https://r"},
          {"captures.receipt_url": "https://r"}]),
    left("a contact", {"counter_contacts": {**PLAIN, "phone": PHONE}},
         [{"counter_contacts.phone": None}],
         [{"counter_contacts.phone": None, "counter_contacts.email": "a@b.example"}]
         + [{"counter_contacts.phone": None, f"counter_contacts.{name}": "x"}
          for name in ("push", "phone_digest", "email_digest", "network")]),
    left("whom a message reached", {"counter_messages": {**ARRIVED, "network": ""}},
         [{"counter_messages.phone_digest": None}, {"counter_messages.ended_at": None}],
         [{"counter_messages.phone_digest": None, "counter_messages.network": "n"}]),
    left("where it was brought", {"counter_deliveries": DELIVERED},
         [{"counter_deliveries.address": ""}],
         [{"counter_deliveries.address": "", "counter_deliveries.latitude": 1.5},
          {"counter_deliveries.address": "", "counter_deliveries.longitude": 1.5}]),
    left("a search", {"counter_lookups": SOUGHT, "counter_consents": AGREED,
                      "forgotten_orders": ASKED},
         [{"counter_lookups.digest": "q"}, {"counter_lookups.digest": ""},
          {"counter_lookups.merchant_id": OTHER}, {"counter_consents.order_id": OTHER},
          {"forgotten_orders.order_id": OTHER}, {"forgotten_orders": None},
          {"counter_lookups.created_at": NOW + MOMENT},
          {"counter_lookups.digest": "", "counter_consents.address": ""}]),
    left("an account", {"counter_accounts": ACCOUNT, "counter_consents": AGREED,
                        "forgotten_orders": ASKED},
         [{"counter_accounts.digest": "q"}, {"counter_accounts.merchant_id": OTHER},
          {"counter_consents.order_id": OTHER}, {"forgotten_orders.order_id": OTHER},
          {"forgotten_orders": None}, {"counter_accounts.made_at": NOW + MOMENT},
          {"counter_accounts.deleted_at": NOW, "counter_accounts.digest": "",
           "counter_accounts.name": "", "counter_accounts.note": "",
           "counter_consents.address": ""}]),
)  # fmt: skip

FORGET = "SELECT forget_person($1)"


def goes(name: str, rows: Mapping[str, Row], gone: Row, stays: Sequence[Row] = ()) -> Asked:
    """A row of the first table loses what names somebody; it is found whole where one thing
    differs."""
    table, row = next(iter(rows.items()))
    kept = [
        (differs, {column: differs.get(f"{table}.{column}", row.get(column)) for column in gone})
        for differs in ({"$1": OTHER}, *stays)
    ]
    return Asked(f"goes: {name}", FORGET, (ORDER,), rows, (), gives=gone, others=kept,
                 after=f"SELECT * FROM {table}")  # fmt: skip


GOES = (
    goes("a name", {"counter_orders": {**NAMED, "name": "Boris", "here_note": "red coat"}},
         {"name": "", "here_note": "", "spot": "7"}),
    goes("a name alone", {"counter_orders": {**NAMED, "name": "Boris"}}, {"name": ""}),
    goes("a note to an arrival", {"counter_orders": {**NAMED, "here_note": "red"}},
         {"here_note": ""}),
    goes("a note", {"counter_lines": CHOSEN}, {"note": "", "options": ["big"]}),
    goes("an order's browser", {"orders": {**ORDERED, "receipt_contact": "a@b.example",
                                           "browser": "b", "network": "n"}},
         {"receipt_contact": None, "browser": None, "network": None, "token": "tok"}),
    goes("a receipt's contact", OF_PAYMENT, {"contact": None, "state": "sent"},
         [{"receipts.ended_at": None}, {"payments.order_id": OTHER}]),
    goes("a payer", {"captures": {**CAPTURED, "receipt_url": "https://r"}},
         {"payer_reference": None, "receipt_url": None, "captured_at": NOW}),
    goes("a contact", {"counter_contacts": CONTACT},
         {"phone": None, "email": None, "push": None, "phone_digest": None, "email_digest": None,
          "network": "", "language": "de"}),
    goes("whom a message reached", {"counter_messages": ARRIVED},
         {"phone_digest": None, "network": "", "stage": "delivered"},
         [{"counter_messages.ended_at": None}]),
    goes("whom an answer reached", {
        "counter_messages": {**ARRIVED, "purpose": "history", "order_id": None,
                             "lookup_id": SEARCH},
        "counter_lookups": SOUGHT, "counter_consents": AGREED},
         {"phone_digest": None, "network": ""},
         [{"counter_messages.ended_at": None}, {"counter_lookups.digest": "q"},
          {"counter_messages.lookup_id": OTHER}]),
    goes("a search", {"counter_lookups": SOUGHT, "counter_consents": AGREED},
         {"digest": "", "network": "", "tries": 4},
         [{"counter_lookups.digest": "q"}, {"counter_consents.order_id": OTHER}]),
    goes("where it was brought", {"counter_deliveries": {
        **DELIVERED, "latitude": 1.5, "longitude": 2.5, "driver_token": "t" * 20}},
         {"address": "", "latitude": None, "longitude": None, "driver_token": None}),
    goes("an account", {"counter_accounts": ACCOUNT, "counter_consents": AGREED,
                        "forgotten_orders": {**ASKED, "asked_at": SOON}},
         {"digest": "", "name": "", "note": "", "deleted_at": SOON, "form": "sms"},
         [{"counter_accounts.made_at": SOON + MOMENT}, {"counter_accounts.digest": "q"},
          {"forgotten_orders.order_id": OTHER}, {"counter_consents.order_id": OTHER}]),
    Asked("an account of the same moment goes", FORGET, (ORDER,),
          {"counter_accounts": ACCOUNT, "counter_consents": AGREED, "forgotten_orders": ASKED},
          (), gives={"digest": "", "deleted_at": NOW}, after="SELECT * FROM counter_accounts"),
)  # fmt: skip

OVER: dict[str, Row] = {"orders": {**ORDERED, "state": "completed"}, **OF_PAYMENT,
                        "counter_messages": ARRIVED}  # fmt: skip
MAY = (
    Asked("whether somebody may be forgotten", "SELECT may_be_forgotten($1) AS may", (ORDER,),
          OVER, ({"orders.state": "paid"}, {"orders.state": "awaiting_payment"},
                 {"receipts.ended_at": None}, {"counter_messages.ended_at": None}),
          ({"orders.state": "failed"}, {"orders.state": "expired"},
           {"receipts.ended_at": None, "payments.order_id": OTHER},
           {"counter_messages.ended_at": None, "counter_messages.order_id": OTHER},
           {"orders.state": "paid", "orders.id": OTHER}), {"may": True}),
)  # fmt: skip

BEFORE, LIMIT = SOON, 9
WALK_IN: Row = {"id": DESK, "merchant_id": ASHA, "outlet_id": "K01", "name": "Gita",
                "lines": [{"name": "Tea", "note": "hot"}, {"name": "Cake", "note": ""}],
                "entered_at": NOW}  # fmt: skip
OLD: tuple[tuple[str, str, Row, Sequence[Row], Sequence[Row]], ...] = (
    # What ends it, its table, the row, what is not ended, what is as well.
    ("forget_calls", "counter_messages", {**ARRIVED, "ended_at": NOW},
     [{"counter_messages.ended_at": BEFORE}, {"counter_messages.ended_at": None},
      {"counter_messages.phone_digest": None, "counter_messages.network": ""}],
     [{"counter_messages.phone_digest": None}, {"counter_messages.network": ""}]),
    ("forget_logs", "counter_wrong_codes", {"order_id": ORDER, "at": NOW},
     [{"counter_wrong_codes.at": BEFORE}], []),
    ("forget_logs", "orders", {**ORDERED, "network": "n", "ended_at": NOW},
     [{"orders.network": None}, {"orders.ended_at": None}, {"orders.ended_at": BEFORE}], []),
    ("forget_logs", "counter_presence", {"began_at": NOW, "seen_at": NOW},
     [{"counter_presence.seen_at": BEFORE}], []),
    ("forget_logs", "counter_lookups", SOUGHT,
     [{"counter_lookups.created_at": BEFORE},
      {"counter_lookups.digest": "", "counter_lookups.network": ""}],
     [{"counter_lookups.digest": ""}, {"counter_lookups.network": ""}]),
    ("forget_logs", "counter_walk_ins", WALK_IN,
     [{"counter_walk_ins.entered_at": BEFORE},
      {"counter_walk_ins.name": "", "counter_walk_ins.lines": [{"note": ""}, {}]}],
     [{"counter_walk_ins.name": ""}, {"counter_walk_ins.lines": []}]),
    ("forget_logs", "counter_sessions",
     {"id": DESK, "began_at": NOW - MOMENT, "expires_at": NOW},
     [{"counter_sessions.expires_at": BEFORE},
      {"counter_sessions.expires_at": LATER, "counter_sessions.ended_at": BEFORE}],
     [{"counter_sessions.expires_at": LATER, "counter_sessions.ended_at": NOW}]),
    ("forget_payers", "captures", CAPTURED,
     [{"captures.captured_at": BEFORE}, {"captures.payer_reference": None}],
     [{"captures.payer_reference": None, "captures.receipt_url": "https://r"},
      {"captures.receipt_url": "https://r"}]),
)  # fmt: skip
WHAT = {"forget_calls": "call_logs", "forget_logs": "logs", "forget_payers": "payers"}
ENDS = [
    Asked(f"{verb}: {table}", f"SELECT {asks} AS n", given, {table: row}, (), as_well, ONE,
          [(differs, NOBODY) for differs in stays])
    for verb, table, row, stays, as_well in OLD
    for asks, given in ((f"{verb}($1, $2)", (BEFORE, LIMIT)),
                        (f"retention_left('{WHAT[verb]}', $1)", (BEFORE,)))
]  # fmt: skip
BECOMES = (
    Asked("a call", "SELECT forget_calls($1, $2)", (BEFORE, LIMIT),
          {"counter_messages": {**ARRIVED, "ended_at": NOW}}, (),
          gives={"phone_digest": None, "network": "", "stage": "delivered"},
          others=(({"$2": 0}, {"phone_digest": "p", "network": "n"}),),
          after="SELECT * FROM counter_messages"),
    Asked("a network", "SELECT forget_logs($1, $2)", (BEFORE, LIMIT),
          {"orders": {**ORDERED, "network": "n", "browser": "b", "ended_at": NOW}}, (),
          gives={"network": None, "browser": "b"}, after="SELECT * FROM orders"),
    Asked("a search", "SELECT forget_logs($1, $2)", (BEFORE, LIMIT), {"counter_lookups": SOUGHT},
          (), gives={"digest": "", "network": "", "tries": 4},
          after="SELECT * FROM counter_lookups"),
    Asked("a walk-in", "SELECT forget_logs($1, $2)", (BEFORE, LIMIT),
          {"counter_walk_ins": WALK_IN}, (),
          gives={"name": "", "lines": [{"name": "Tea", "note": ""}, {"name": "Cake", "note": ""}]},
          others=(({"counter_walk_ins.lines": []}, {"name": "", "lines": []}),),
          after="SELECT * FROM counter_walk_ins"),
    Asked("a payer", "SELECT forget_payers($1, $2)", (BEFORE, LIMIT),
          {"captures": {**CAPTURED, "receipt_url": "https://r"}}, (),
          gives={"payer_reference": None, "receipt_url": None}, after="SELECT * FROM captures"),
)  # fmt: skip

COSTS: Row = {"minor": 75, "unknown": 0}
NONE_KNOWN: Row = {"minor": 0, "unknown": 1}
PRICED: Row = {**SENT, "price": Decimal("0.75"), "price_currency": "EUR"}
MESSAGES = (
    Asked("what messages cost", "SELECT * FROM message_costs($1, $2)", (ORDER, "EUR"),
          {"counter_messages": PRICED}, (),
          ({"counter_messages.form": "call"},
           {"counter_messages.stage": "failed", "counter_messages.why": "x"}), COSTS,
          [({"$1": OTHER}, {"minor": 0, "unknown": 0}),
           ({"counter_messages.form": "email"}, {"minor": 0, "unknown": 0}),
           ({"counter_messages.form": "push"}, {"minor": 0, "unknown": 0}),
           ({"$2": "USD"}, NONE_KNOWN), ({"$2": "JPY", "counter_messages.price_currency": "JPY"},
                                         {"minor": 1, "unknown": 0}),
           ({"counter_messages.price": None, "counter_messages.price_currency": None}, NONE_KNOWN),
           ({"counter_messages.reference": None, "counter_messages.stage": "unconfirmed"}, COSTS),
           ({"counter_messages.reference": None, "counter_messages.stage": "sending"}, COSTS),
           ({"counter_messages.reference": None, "counter_messages.stage": "due"},
            {"minor": 0, "unknown": 0})]),
    Asked("what two cost together", "SELECT * FROM message_costs($1, $2)", (ORDER, "EUR"),
          {"counter_messages": {**PRICED, "price": Decimal("0.004")},
           "counter_messages 2": {**PRICED, "id": OTHER, "dedup": "2", "reference": "SM2",
                                  "price": Decimal("0.004")}}, (), gives={"minor": 1}),
    Asked("what became of messages", "SELECT * FROM message_outcomes($1)", (ORDER,),
          {"counter_messages": ARRIVED}, (),
          gives={"sms_ok": 1, "sms_failed": 0, "calls_ok": 0, "calls_failed": 0}, others=[
              (change, dict(zip(("sms_ok", "sms_failed", "calls_ok", "calls_failed"), counts,
                                strict=True)))
              for change, counts in (
                  ({"$1": OTHER}, (0, 0, 0, 0)),
                  ({"counter_messages.form": "call"}, (0, 0, 1, 0)),
                  ({"counter_messages.form": "email"}, (0, 0, 0, 0)),
                  ({"counter_messages.stage": "sent", "counter_messages.proved": False},
                   (0, 0, 0, 0)),
                  ({"counter_messages.stage": "failed", "counter_messages.why": "x",
                    "counter_messages.proved": False}, (0, 1, 0, 0)),
                  ({"counter_messages.stage": "failed", "counter_messages.why": "x",
                    "counter_messages.proved": False, "counter_messages.form": "call"},
                   (0, 0, 0, 1)))]),
    Asked("what a page shows beside an order", "SELECT counter_shown($1) AS n", (ORDER,),
          {"counter_messages": {**DUE, "changes": 4},
           "counter_deliveries": {**DELIVERED, "left_at": NOW},
           "counter_orders": {**WITH_CODE, "here_changes": 5}}, (), gives={"n": 11},
          others=[({"$1": OTHER}, {"n": 0}), ({"counter_messages.order_id": OTHER}, {"n": 6}),
                  ({"counter_deliveries.left_at": None}, {"n": 10}),
                  ({"counter_deliveries.order_id": OTHER}, {"n": 10}),
                  ({"counter_orders.order_id": OTHER}, {"n": 6})]),
    Asked("the number of a receipt", "SELECT number_of_year($1, $2) AS n", (2026, 7), {}, (),
          gives={"n": "2026-000007"},
          others=[({"$2": 999_999}, {"n": "2026-999999"}), ({"$2": 1_000_000},
                                                            {"n": "2026-1000000"})]),
    Asked("stock of choices", "SELECT counter_option_stock($1, $2) AS n",
          ({"oat": 3, "soy": 2}, {"oat": -1, "rye": 9}), {}, (), gives={"n": {"oat": 2, "soy": 2}},
          others=[({"$1": {}}, {"n": {}}), ({"$2": {}}, {"n": {"oat": 3, "soy": 2}})]),
)  # fmt: skip

TOOK: Row = {
    **CHOSEN, "reserved": 2, "item_counted": True, "counted_choices": ["oat"],
    "shared_stocks": [STOCK],
}  # fmt: skip
FREED: dict[str, Row] = {
    "counter_lines": TOOK, "counter_items": {**AN_ITEM, "option_stock": {"oat": 1, "soy": 1}},
    "counter_stocks": {"id": STOCK, "merchant_id": ASHA, "outlet_id": "K01", "name": "x",
                       "stock": 3},
}  # fmt: skip
EXPIRES = (
    Asked("what nobody paid for is for sale again", "SELECT counter_expired($1, $2)", (ORDER, NOW),
          FREED, (), gives={"stock": 7, "option_stock": {"oat": 3, "soy": 1}}, others=[
              ({"$1": OTHER}, {"stock": 5, "option_stock": {"oat": 1, "soy": 1}}),
              ({"counter_lines.item_counted": False}, {"stock": 5, "option_stock": {"oat": 3,
                                                                                    "soy": 1}}),
              ({"counter_lines.counted_choices": []}, {"stock": 7, "option_stock": {"oat": 1,
                                                                                    "soy": 1}}),
              ({"counter_lines.reserved": 0}, {"stock": 5, "option_stock": {"oat": 1, "soy": 1}}),
              ({"counter_items.id": OTHER}, {"stock": 5})],
          after="SELECT * FROM counter_items"),
    Asked("it is reserved no more", "SELECT counter_expired($1, $2)", (ORDER, NOW), FREED, (),
          gives={"reserved": 0}, others=(({"$1": OTHER}, {"reserved": 2}),),
          after="SELECT * FROM counter_lines"),
    Asked("portions that are shared", "SELECT counter_expired($1, $2)", (ORDER, NOW), FREED, (),
          gives={"stock": 5}, others=[
              ({"$1": OTHER}, {"stock": 3}), ({"counter_lines.reserved": 0}, {"stock": 3}),
              ({"counter_lines.shared_stocks": [STOCK, STOCK]}, {"stock": 7}),
              ({"counter_lines.shared_stocks": []}, {"stock": 3}),
              ({"counter_stocks.id": OTHER}, {"stock": 3})],
          after="SELECT * FROM counter_stocks"),
    Asked("choices that were taken", "SELECT counter_reserved_choices($1, $2) AS n", (ORDER, ITEM),
          {"counter_lines": TOOK, "counter_lines 2": {**TOOK, "line_id": OTHER, "reserved": 3,
                                                      "counted_choices": ["oat", "soy"]}}, (),
          gives={"n": {"oat": 5, "soy": 3}},
          others=[({"$1": OTHER}, {"n": {}}), ({"$2": OTHER}, {"n": {}}),
                  ({"counter_lines 2.item_id": OTHER}, {"n": {"oat": 2}})]),
)  # fmt: skip


@pytest.mark.parametrize(
    "asked", [IS_LEFT, GOES, MAY, ENDS, BECOMES, MESSAGES, EXPIRES],
    ids=["left", "goes", "may", "ends", "becomes", "messages", "expires"],
)  # fmt: skip
async def test_each_thing_that_names_somebody_is_counted_goes_and_stays_in_its_time(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []
