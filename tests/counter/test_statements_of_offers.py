"""What each statement about coupons, cards and what an auditor looks for at a counter finds or
writes: its own row, as long as nothing differs from what it asks for."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from coinslot.counter import fulfillment, offer_management, offers
from tests.counter.test_statements_of_the_counter import (
    ASHA,
    LATER,
    LINE,
    MADE,
    MOMENT,
    OF_IT,
    ORDER,
    ORDERED,
    OTHER,
    OUTLET,
    PIECE,
    SOON,
    STORE,
    UNIT,
    WITH_CODE,
    Row,
)
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

COUPON, CARD = UUID(int=81), UUID(int=82)

TEN: Row = {
    "id": COUPON, "merchant_id": ASHA, "code": "TEN", "percent_bp": 1000, "currency": "EUR",
    "least_minor": 500, "uses": 2, "begins_at": NOW, "ends_at": LATER, "made_by": "asha",
}  # fmt: skip
USED: Row = {"order_id": ORDER, "merchant_id": ASHA, "coupon_id": COUPON, "off_minor": 80}
GIVEN_BACK: Row = {**USED, "order_id": OTHER, "off_minor": 30, "given_back_at": SOON}
PROGRAM: Row = {
    "merchant_id": ASHA, "kind": "points", "currency": "EUR", "earn_minor": 100,
    "reward_points": 10, "reward_minor": 300,
}  # fmt: skip
A_CARD: Row = {"id": CARD, "merchant_id": ASHA, "token_digest": "d", "made_at": NOW}
ENTRY: Row = {
    "merchant_id": ASHA, "card_id": CARD, "order_id": ORDER, "what": "earned", "number": 1,
    "points": 7, "at": NOW,
}  # fmt: skip
TAKEN: Row = {**ENTRY, "what": "redeemed", "points": -3, "at": SOON}
KEPT = (ORDER, ASHA, None, CARD, 80, 3, "points", 100)
NOT_LIVE: Row = {"counter_coupons.ended_at": SOON}

CUSTOMERS = (
    Asked("a coupon", offers._COUPON, ("TEN",),
          {"counter_coupons": TEN, "order_offers": USED, "order_offers 2": GIVEN_BACK},
          ({"$1": "ELEVEN"}, NOT_LIVE), gives={"id": COUPON, "currency": "EUR", "used": 1},
          others=(({"order_offers.coupon_id": OTHER}, {"used": 0}),)),
    Asked("whether there are coupons", offers._HAS_COUPONS, ("EUR", SOON), {"counter_coupons": TEN},
          ({"$1": "INR"}, {"$2": NOW - MOMENT}, {"$2": LATER}, NOT_LIVE),
          ({"$2": NOW}, {"counter_coupons.ends_at": None}, {"$2": LATER - MOMENT})),
    Asked("a coupon is held", offers._HOLD_COUPON, (COUPON,), {"counter_coupons": TEN},
          ({"$1": OTHER},), locks=("counter_coupons",)),
    Asked("a card is held", offers._HOLD_CARD, (CARD,), {"loyalty_cards": A_CARD},
          ({"$1": OTHER},), locks=("loyalty_cards",)),
    Asked("what is collected", offers._PROGRAM, (), {"loyalty_programs": PROGRAM},
          ({"loyalty_programs.ended_at": SOON},),
          gives={name: value for name, value in PROGRAM.items() if name != "merchant_id"}),
    Asked("a card", offers._CARD, ("d",),
          {"loyalty_cards": A_CARD, "loyalty_entries": ENTRY, "loyalty_entries 2": TAKEN},
          ({"$1": "e"},), gives={"id": CARD, "points": 4},
          others=(({"loyalty_entries.card_id": OTHER}, {"points": -3}),
                  ({"loyalty_entries": None, "loyalty_entries 2": None}, {"points": 0}))),
    Asked("what made an order cheaper", f"{offers._KEEP} RETURNING *", KEPT, {}, (),
          gives={"order_id": ORDER, "merchant_id": ASHA, "coupon_id": None, "card_id": CARD,
                 "off_minor": 80, "points_used": 3, "kind": "points", "earn_minor": 100}),
    Asked("a card is made once", offers._MAKE_CARD.replace("RETURNING true", "RETURNING *"),
          (OTHER, ASHA, "d", SOON),
          {"loyalty_cards": {**A_CARD, "token_digest": "e"}},
          ({"loyalty_cards.token_digest": "d"},),
          gives={"id": OTHER, "merchant_id": ASHA, "token_digest": "d", "made_at": SOON}),
    Asked("lines of a card", offers._ENTRIES, ("d",),
          {"loyalty_cards": A_CARD, "loyalty_entries": ENTRY, "loyalty_entries 2": TAKEN},
          ({"$1": "e"}, {"loyalty_cards.id": OTHER}),
          gives=[{"what": "redeemed", "points": -3, "at": SOON},
                 {"what": "earned", "points": 7, "at": NOW}],
          others=(({"loyalty_entries.card_id": OTHER}, {"what": "redeemed"}),)),
)  # fmt: skip

NEW: tuple[object, ...] = (
    OTHER, ASHA, "TEN", None, 250, "EUR", 700, 3, NOW, LATER, "boris",
)  # fmt: skip
OWNERS = (
    Asked("coupons of a merchant", offer_management._COUPONS, (),
          {"counter_coupons": {**TEN, "id": UUID(int=90), "ended_at": SOON},
           "counter_coupons 2": TEN, "counter_coupons 3": {**TEN, "id": UUID(int=83),
                                                           "code": "TWO"},
           "order_offers": USED, "order_offers 2": GIVEN_BACK}, (),
          gives=[{"code": "TWO", "used": 0, "off": 0},
                 {"id": COUPON, "percent_bp": 1000, "currency": "EUR", "least_minor": 500,
                  "uses": 2, "begins_at": NOW, "ends_at": LATER, "used": 1, "off": 80},
                 {"id": UUID(int=90), "ended_at": SOON, "used": 0}]),
    Asked("a coupon is made", f"{offer_management._MAKE}, *", NEW,
          {"counter_coupons": {**TEN, "code": "ELSE"}},
          ({"counter_coupons.code": "TEN"},),
          ({"counter_coupons.code": "TEN", **NOT_LIVE},
           {"counter_coupons.code": "TEN", "counter_coupons.merchant_id": OTHER}),
          {"id": OTHER, "merchant_id": ASHA, "code": "TEN", "percent_bp": None, "off_minor": 250,
           "currency": "EUR", "least_minor": 700, "uses": 3, "begins_at": NOW, "ends_at": LATER,
           "made_by": "boris"}),
    Asked("a coupon ends", f"{offer_management._END}, ended_at", (COUPON, LATER),
          {"counter_coupons": TEN}, ({"$1": OTHER}, NOT_LIVE),
          gives={"code": "TEN", "ended_at": LATER}),
    Asked("what is collected changes", f"{offer_management._SET} RETURNING *",
          (ASHA, "stamps", "INR", 200, 6, 900), {"loyalty_programs": {**PROGRAM, "ended_at": NOW}},
          (), ({"loyalty_programs": None},),
          {"merchant_id": ASHA, "kind": "stamps", "currency": "INR", "earn_minor": 200,
           "reward_points": 6, "reward_minor": 900, "ended_at": None}),
    Asked("nothing is collected any more", f"{offer_management._STOP} RETURNING *", (LATER,),
          {"loyalty_programs": PROGRAM}, ({"loyalty_programs.ended_at": SOON},),
          gives={"ended_at": LATER}),
    Asked("what a merchant collects", offer_management._PROGRAM, (), {"loyalty_programs": PROGRAM},
          ({"loyalty_programs.ended_at": SOON},),
          gives={name: value for name, value in PROGRAM.items() if name != "merchant_id"}),
    Asked("currencies of counters", offer_management._CURRENCIES, (),
          {"counter_stores": STORE, "outlets": {**OUTLET, "currency": "INR"},
           "counter_stores 2": {**STORE, "outlet_id": "K02", "slug": "b"},
           "outlets 2": {**OUTLET, "id": "K02"},
           "counter_stores 3": {**STORE, "outlet_id": "K03", "slug": "c"},
           "outlets 3": {**OUTLET, "id": "K03"}}, (),
          gives=[{"currency": "EUR"}, {"currency": "INR"}],
          others=(({"counter_stores.outlet_id": "K09"}, {"currency": "EUR"}),)),
)  # fmt: skip

CONTACT: Row = {"order_id": ORDER, "merchant_id": ASHA, "phone": "+4915100000099",
                "email": "maria@shop.example"}  # fmt: skip
MESSAGE: Row = {"id": UUID(int=41), "merchant_id": ASHA, "outlet_id": "K01", "order_id": ORDER,
                "created_at": SOON}  # fmt: skip
ARRIVED: Row = {**MESSAGE, "purpose": "ready", "form": "sms", "stage": "delivered", "proved": True,
                "reference": "SM1", "begun_at": SOON}  # fmt: skip
NO_SHOW: Row = {**PIECE, "settlement": "fulfilled", "basis": "no_show", "settled_at": LATER}
TOLD: dict[str, Row] = {
    "counter_orders": WITH_CODE, "counter_contacts": {**CONTACT, "email": None},
    "fulfillments": PIECE, "counter_units": {**MADE, "ready_at": None},
}  # fmt: skip
CONSENTS: Row = {"order_id": ORDER, "form": "phone"}
TICKET: Row = {"id": UUID(int=62), "printer_id": UUID(int=61), "order_id": ORDER, "kind": "ticket",
               "outlet_id": "K01", "units": [UNIT], "token": "t", "created_at": SOON,
               "due_at": NOW}  # fmt: skip
STUCK: Row = {**MESSAGE, "purpose": "code", "form": "sms", "stage": "due", "due_at": NOW}
LAWS = (
    Asked("money that was kept from who was not told", fulfillment._KEPT_UNTOLD, (),
          {"fulfillments": NO_SHOW, "counter_units": MADE,
           "counter_orders": {**WITH_CODE, "no_show": "kept"},
           "counter_messages": {**ARRIVED, "order_id": OTHER}},
          ({"counter_messages.order_id": ORDER}, {"fulfillments.basis": "code"},
           {"counter_units.id": OTHER}, {"counter_orders.order_id": OTHER},
           {"counter_messages.order_id": ORDER, "counter_messages.created_at": LATER}),
          ({"counter_messages.order_id": ORDER, "counter_orders.no_show": "refund"},
           {"counter_messages.order_id": ORDER, "counter_units.ready_at": None},
           *({"counter_messages.order_id": ORDER, name: value} for name, value in (
               ("counter_messages.purpose", "code"), ("counter_messages.proved", False),
               ("counter_messages.created_at", SOON - MOMENT),
               ("counter_messages.created_at", LATER + MOMENT)))),
          {"id": UNIT}),
    Asked("a code that was never written", fulfillment._UNTOLD, (), TOLD,
          ({"counter_contacts": None}, {"counter_contacts.order_id": OTHER},
           {"fulfillments.order_id": OTHER}, {"counter_contacts.phone": None}), (),
          {"order_id": ORDER, "purpose": "code"},
          [({"counter_contacts.email": "m@x.y", "counter_contacts.phone": None},
            {"purpose": "receipt"})]),
    Asked("ready or an end that was never written", fulfillment._UNTOLD, (),
          {**TOLD, "counter_messages": {**STUCK, "dedup": "a"}},
          ({"counter_units.ready_at": None, "counter_messages.order_id": ORDER},), (),
          [], [({"counter_units.ready_at": SOON}, {"purpose": "ready"}),
               ({"fulfillments.settlement": "refund_due", "fulfillments.basis": "rejected"},
                {"purpose": "cancelled"}),
               ({"counter_messages.order_id": OTHER}, {"purpose": "code"}),
               ({"counter_messages.purpose": "ready"}, {"purpose": "code"})]),
    Asked("a message that says nothing of itself", fulfillment._UNEXPLAINED, (SOON,),
          {"counter_messages": STUCK},
          ({"$1": NOW}, {"counter_messages.stage": "withheld", "counter_messages.why": "over"},
           {"counter_messages.stage": "sent", "counter_messages.reference": "SM1",
            "counter_messages.begun_at": NOW}),
          ({"counter_messages.due_at": None},
           {"counter_messages.stage": "sending", "counter_messages.begun_at": NOW},
           {"counter_messages.stage": "unconfirmed", "counter_messages.begun_at": NOW},
           *({"counter_messages.stage": stage, "counter_messages.begun_at": NOW}
             for stage in ("queued", "sent", "delivered"))),
          {"id": UUID(int=41)}),
    Asked("somebody who never agreed", fulfillment._UNASKED, (),
          {"counter_contacts": {**CONTACT, "email": None}, "counter_consents": CONSENTS},
          ({"counter_contacts.order_id": ORDER}, {"counter_contacts.phone": None}), (),
          [], [(change, {"order_id": ORDER}) for change in (
              {"counter_consents": None}, {"counter_consents.order_id": OTHER},
              {"counter_consents.form": "email"}, {"counter_contacts.email": "m@x.y"},
              {"counter_contacts.phone": None, "counter_contacts.email": "m@x.y"})]),
    Asked("paper of what nobody had accepted", fulfillment._PAPER, (),
          {"counter_prints": TICKET, "fulfillments": PIECE,
           "events": {"subject_id": UNIT, "event": "ACCEPTED", "at": SOON}},
          ({"events.at": SOON}, {"counter_prints.kind": "cancelled", "events": None}), (),
          [], [(change, {"id": UUID(int=62)}) for change in (
              {"events": None}, {"events.event": "FINISHED"}, {"events.subject_id": OTHER},
              {"events.at": SOON + MOMENT}, {"fulfillments.order_id": OTHER},
              {"fulfillments.id": OTHER}, {"counter_prints.units": [UNIT, OTHER]})]),
    Asked("paper that was sent after its end", fulfillment._PRINTED_LATE, (),
          {"counter_prints": {**TICKET, "sent_at": SOON + MOMENT, "printed_at": SOON,
                              "due_at": None}},
          ({"counter_prints.printed_at": LATER}, {"counter_prints.sent_at": SOON}),
          ({"counter_prints.printed_at": LATER, "counter_prints.sent_at": SOON - MOMENT},
           {"counter_prints.printed_at": LATER, "counter_prints.doubted_at": SOON},
           {"counter_prints.printed_at": LATER, "counter_prints.failed_at": SOON}),
          {"id": UUID(int=62)}),
    Asked("points that do not follow", fulfillment._FOLLOWED, (),
          {"order_offers": {"order_id": ORDER, "merchant_id": ASHA, "card_id": CARD,
                            "kind": "points", "earn_minor": 100, "off_minor": 90,
                            "points_used": 3},
           "orders": ORDERED, "order_lines": {**OF_IT, "price_minor": 390},
           "fulfillments": {**PIECE, "settlement": "fulfilled", "basis": "code"},
           "loyalty_entries": {**ENTRY, "points": 3},
           "loyalty_entries 2": {**TAKEN, "points": -3}},
          ({"orders.id": ORDER}, {"order_offers.card_id": None, "order_offers.kind": None,
            "order_offers.earn_minor": None, "order_offers.points_used": 0}), (),
          [], [(change, {"order_id": ORDER}) for change in (
              {"loyalty_entries": None}, {"loyalty_entries.points": 2},
              {"loyalty_entries 2": None}, {"loyalty_entries.card_id": OTHER},
              {"loyalty_entries 2.order_id": OTHER}, {"fulfillments.amount_minor": 299},
              {"fulfillments.settlement": "refund_due", "fulfillments.basis": "rejected"})]),
    Asked("a coupon that was used too often", fulfillment._USED, (),
          {"counter_coupons": {**TEN, "uses": 1}, "order_offers": USED,
           "order_offers 2": {**GIVEN_BACK, "given_back_at": None}},
          ({"counter_coupons.uses": 2}, {"counter_coupons.uses": None},
           {"order_offers.given_back_at": SOON}, {"order_offers 2.coupon_id": OTHER}),
          gives={"id": COUPON, "code": "TEN", "uses": 1, "used": 2}),
    Asked("a discount that no piece has", fulfillment._OFF, (),
          {"order_offers": USED,
           "order_lines": {**OF_IT, "price_minor": 150, "quantity": 2, "unit_minor": [110, 110]}},
          ({"order_lines.id": LINE}, {"order_lines.unit_minor": None,
                                      "order_offers.off_minor": 0}), (),
          [], [({"order_offers.off_minor": 81}, {"off_minor": 81, "off": 80}),
               ({"order_lines.order_id": OTHER}, {"off": 0}),
               ({"order_lines.unit_minor": None}, {"off": 0}),
               ({"order_lines.unit_minor": [110, 111]}, {"off": 79})]),
    Asked("numbers with a gap", fulfillment._NUMBERS, (),
          {"counter_invoice_years": {"merchant_id": ASHA, "year": 2026, "last": 1},
           "counter_invoices": {"merchant_id": ASHA, "year": 2026, "number": 1,
                                "order_id": ORDER},
           "orders": ORDERED, "counter_orders": WITH_CODE},
          ({"orders.id": ORDER}, {"counter_orders.order_id": OTHER}), (),
          [], [({"counter_invoice_years.last": 2}, {"last": 2, "orders": 1, "highest": 1}),
               ({"counter_invoices.number": 2}, {"last": 1, "orders": 1, "highest": 2}),
               ({"counter_invoices.year": 2025}, [{"last": 1, "orders": 0, "highest": None}]),
               ({"counter_invoices.order_id": OTHER}, {"merchant_id": ASHA, "last": None}),
               ({"orders.paid_at": None}, {"merchant_id": ASHA, "last": None})]),
)  # fmt: skip


@pytest.mark.parametrize("asked", [CUSTOMERS, OWNERS, LAWS])
async def test_each_statement_about_offers_and_each_law_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []
