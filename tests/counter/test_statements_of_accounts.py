"""What each statement about customers' accounts finds or writes: its own row, as long as nothing
differs from what it asks for. Each case differs in one thing."""

from datetime import timedelta
from uuid import UUID

from coinslot.counter import accounts
from tests.counter.test_statements_of_the_counter import (
    ASHA,
    CHOSEN,
    LATER,
    LINE,
    MOMENT,
    OF_IT,
    ORDER,
    ORDERED,
    OTHER,
    SOON,
    Row,
)
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

ACCOUNT, SESSION, CARD = UUID(int=91), UUID(int=92), UUID(int=93)
SHE: Row = {
    "id": ACCOUNT, "merchant_id": ASHA, "form": "sms", "digest": "p", "name": "Noor", "note": "hot",
    "card_version": 2, "made_at": NOW,
}  # fmt: skip
GONE: Row = {"counter_accounts.deleted_at": NOW, "counter_accounts.digest": "",
             "counter_accounts.name": "", "counter_accounts.note": ""}  # fmt: skip
SIGNED_IN: Row = {
    "id": SESSION, "merchant_id": ASHA, "account_id": ACCOUNT, "token_digest": "t", "began_at": NOW,
    "expires_at": LATER,
}  # fmt: skip
ENDED: Row = {"counter_sessions.ended_at": NOW}
HERS: dict[str, Row] = {"counter_accounts": SHE}
SESSIONS: dict[str, Row] = {"counter_sessions": SIGNED_IN}
BOTH: dict[str, Row] = {**HERS, **SESSIONS}
STAMPS: Row = {"id": CARD, "merchant_id": ASHA, "token_digest": "d"}
NEW: tuple[object, ...] = (OTHER, ASHA, "sms", "p", SOON)
CONTACT: Row = {
    "order_id": ORDER, "merchant_id": ASHA, "phone_digest": "p", "email_digest": "m",
}  # fmt: skip
FORGET: tuple[object, ...] = ("sms", "p", "the customer", SOON)
FORGOTTEN: Row = {
    "order_id": ORDER, "merchant_id": ASHA, "asked_by": "the customer", "reason": "the customer",
    "asked_at": SOON,
}  # fmt: skip
ALL_FORGOTTEN = "SELECT * FROM forgotten_orders"
OF_ACCOUNTS = (
    Asked("an account that is there", f"{accounts._ACCOUNT}, made_at, name", NEW, HERS, (), (),
          {"id": ACCOUNT, "card_version": 2, "made_at": NOW, "name": "Noor"},
          [(change, {"id": OTHER, "card_version": 0, "made_at": SOON, "name": ""}) for change in (
              {"$3": "email"}, {"$4": "q"}, {"counter_accounts.merchant_id": OTHER}, GONE)]),
    Asked("a session begins", f"{accounts._SESSION} RETURNING *",
          (SESSION, ASHA, ACCOUNT, "t", NOW, LATER), {}, (), gives=SIGNED_IN),
    Asked("whose session it is", accounts._OF_TOKEN, ("t", LATER - MOMENT), BOTH,
          ({"$1": "u"}, {"$2": LATER}, ENDED, GONE, {"counter_accounts.id": OTHER}), (),
          {"id": ACCOUNT, "form": "sms", "digest": "p", "name": "Noor", "note": "hot",
           "card_version": 2, "session": SESSION}),
    Asked("a name is saved", f"{accounts._SAVE} RETURNING *", (ACCOUNT, "Lev", "cold"), HERS,
          ({"$1": OTHER}, GONE), gives={"name": "Lev", "note": "cold"}),
    Asked("a session ends", f"{accounts._END} RETURNING *", (SESSION, SOON), SESSIONS,
          ({"$1": OTHER}, ENDED), gives={"ended_at": SOON}),
    Asked("all of them end", f"{accounts._END_ALL} RETURNING *", (ACCOUNT, SOON),
          {**SESSIONS, "counter_sessions 2": {**SIGNED_IN, "id": OTHER, "token_digest": "u"}},
          ({"$1": OTHER},), gives=[{"ended_at": SOON}, {"ended_at": SOON}],
          others=((ENDED, {"id": OTHER}),
                  ({"counter_sessions.account_id": OTHER}, {"id": OTHER}))),
    Asked("an account is held", accounts._HOLD, (ACCOUNT,), HERS, ({"$1": OTHER},),
          gives={"card_version": 2}, locks=("counter_accounts",)),
    Asked("its card has another token", f"{accounts._NEXT_CARD} RETURNING *", (ACCOUNT,), HERS,
          ({"$1": OTHER},), gives={"card_version": 3}),
    Asked("a card moves", f"{accounts._MOVE_CARD} RETURNING *", ("d", "e"),
          {"loyalty_cards": STAMPS},
          ({"$1": "x"}, {"$2": "d"}), gives={"id": CARD, "token_digest": "e"}),
    Asked("to no token that another card has", f"{accounts._MOVE_CARD} RETURNING *", ("d", "e"),
          {"loyalty_cards": STAMPS,
           "loyalty_cards 2": {**STAMPS, "id": OTHER, "token_digest": "f"}},
          ({"loyalty_cards 2.token_digest": "e"},)),
    Asked("whether something was collected", accounts._HAS_POINTS, ("d",),
          {"loyalty_cards": STAMPS,
           "loyalty_entries": {"card_id": CARD, "points": 1, "what": "earned"}},
          ({"$1": "x"}, {"loyalty_entries.card_id": OTHER})),
    Asked("whether there is a card", accounts._HAS_CARD, ("d",), {"loyalty_cards": STAMPS},
          ({"$1": "x"},)),
    Asked("orders of a phone lose the person", accounts._FORGET_ORDERS, FORGET,
          {"counter_contacts": CONTACT},
          ({"$2": "q"}, {"$1": "email"}, {"counter_contacts.phone_digest": "q"}),
          gives=FORGOTTEN, others=(({"$1": "email", "$2": "m"}, FORGOTTEN),), after=ALL_FORGOTTEN),
    Asked("what was asked for before stays as it was", accounts._FORGET_ORDERS, FORGET,
          {"counter_contacts": CONTACT,
           "forgotten_orders": {**FORGOTTEN, "asked_by": "asha", "asked_at": NOW}}, (),
          gives={"asked_by": "asha", "asked_at": NOW}, after=ALL_FORGOTTEN),
    Asked("an account is deleted", f"{accounts._DELETE} RETURNING *", (ACCOUNT, SOON), HERS,
          ({"$1": OTHER}, GONE),
          gives={"digest": "", "name": "", "note": "", "deleted_at": SOON}),
    Asked("what was ordered then", accounts._LINES, ("tok",),
          {"orders": ORDERED, "order_lines": OF_IT, "counter_lines": CHOSEN,
           "order_lines 2": {**OF_IT, "id": UUID(int=1), "sku": "cake", "quantity": 1},
           "counter_lines 2": {**CHOSEN, "line_id": UUID(int=1), "note": ""}},
          ({"$1": "else"}, {"orders.id": OTHER}), (),
          [{"sku": "cake", "quantity": 1},
           {"sku": "tea", "quantity": 2, "options": ["big"], "note": "no sugar"}],
          [(change, {"sku": "cake"}) for change in (
              {"order_lines.order_id": OTHER}, {"counter_lines.line_id": OTHER})]),
)  # fmt: skip


async def test_each_statement_of_accounts_finds_and_writes_what_it_should(rows: Rows) -> None:
    assert UUID(int=1) < LINE, "lines come in the order of their ids"
    assert timedelta(days=30) < accounts.LIFE
    assert await mistaken(rows, OF_ACCOUNTS) == []
