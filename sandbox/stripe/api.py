"""Every URL of the emulated API, one line each, with the verb behind it."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from sandbox.shelf import Thing, find
from sandbox.stripe import intents, refunds, sessions, wire
from sandbox.stripe.desk import Desk, Subject
from sandbox.stripe.forms import Fields, Tree
from sandbox.stripe.lists import listed
from sandbox.stripe.refusals import no_such_thing, no_such_url
from sandbox.stripe.settings import Account
from sandbox.stripe.things import Charge, Dispute, Intent, Movement, Refund, Session, Told

Entity = dict[str, Any]
Said = tuple[int, Entity]
T = TypeVar("T", bound=Thing)
KINDS: dict[str, type[Subject]] = {
    "pi": Intent,
    "ch": Charge,
    "re": Refund,
    "cs": Session,
    "txn": Movement,
    "dp": Dispute,
}
WORDS: dict[type[Thing], str] = {
    Session: "checkout.session",
    Intent: "payment_intent",
    Charge: "charge",
    Refund: "refund",
    Movement: "balance_transaction",
    Dispute: "dispute",
    Told: "event",
}


class Call(msgspec.Struct, frozen=True):
    """One authenticated request; `thing_id` is the variable part of its path."""

    desk: Desk
    account: Account
    method: str
    path: str
    tree: Tree
    thing_id: str = ""

    @property
    def fields(self) -> Fields:
        return Fields(self.tree)

    def mine(self, kind: type[T]) -> T:
        """The merchant's own thing; another's does not exist."""
        found = find(self.desk.change, kind, self.thing_id, self.account.account_id)
        if found is None:
            raise no_such_thing(WORDS[kind], self.thing_id, "id", in_path=True)
        return found

    def named(self, kind: type[T], thing_id: str, param: str) -> T:
        found = find(self.desk.change, kind, thing_id, self.account.account_id)
        if found is None:
            raise no_such_thing(WORDS[kind], thing_id, param, in_path=False)
        return found


def answer(call: Call) -> Said:
    """Find the line of the table for this request and do what it says."""
    for method, pattern, verb in ROUTES:
        found = re.fullmatch(pattern, call.path)
        if found and method == call.method:
            thing_id = found[1] if found.groups() else ""
            status, entity = verb(msgspec.structs.replace(call, thing_id=thing_id))
            return status, _expanded(call, entity)
    raise no_such_url(call.method, f"/v1{call.path}")


def _said(call: Call, subject: Subject) -> Said:
    return 200, call.desk.entity(subject)


def create_session(call: Call) -> Said:
    account = (call.account.account_id, call.account.live)
    return _said(call, sessions.create(call.desk, account, call.fields))


def fetch_session(call: Call) -> Said:
    return _said(call, call.mine(Session))


def expire_session(call: Call) -> Said:
    call.fields.end()
    return _said(call, sessions.expire(call.desk, call.mine(Session)))


def list_line_items(call: Call) -> Said:
    session = call.mine(Session)
    item = {
        "id": f"li_{session.id[-24:]}",
        "object": "item",
        "amount_total": session.amount,
        "currency": session.currency,
        "description": session.name,
        "quantity": 1,
    }
    return 200, wire.listed(f"/v1{call.path}", [item], more=False)


def create_intent(call: Call) -> Said:
    fields = call.fields
    intent = intents.create(call.desk, call.account.account_id, fields)
    confirmed = fields.choice("confirm", ("true", "false"), "false") == "true"
    for known in ("automatic_payment_methods", "payment_method_types", "receipt_email"):
        fields.raw(known)
    fields.end()
    intents.begin(call.desk, intent)
    return _confirmed(call, intent) if confirmed else _said(call, intent)


def confirm_intent(call: Call) -> Said:
    intent, fields = call.mine(Intent), call.fields
    method = intents.known_method(fields.text("payment_method"))
    intent.payment_method = method or intent.payment_method
    intent.return_url = fields.text("return_url") or intent.return_url
    fields.end()
    return _confirmed(call, intent)


def _confirmed(call: Call, intent: Intent) -> Said:
    """A decline is an answer of its own kind, and its effects stay."""
    declined = intents.confirm(call.desk, intent)
    if declined is None:
        return _said(call, intent)
    return 402, {"error": {**declined, "payment_intent": call.desk.entity(intent)}}


def fetch_intent(call: Call) -> Said:
    return _said(call, call.mine(Intent))


def capture_intent(call: Call) -> Said:
    fields = call.fields
    amount = fields.amount("amount_to_capture")
    fields.end()
    return _said(call, intents.capture(call.desk, call.mine(Intent), amount))


def cancel_intent(call: Call) -> Said:
    fields = call.fields
    given = fields.raw("cancellation_reason") is not None
    reason = fields.choice("cancellation_reason", intents.REASONS) if given else None
    fields.end()
    return _said(call, intents.cancel(call.desk, call.mine(Intent), reason))


def fetch_charge(call: Call) -> Said:
    return _said(call, call.mine(Charge))


def create_refund(call: Call) -> Said:
    fields = call.fields
    intent_id, charge_id = fields.text("payment_intent"), fields.text("charge")
    amount, notes = fields.amount("amount"), fields.metadata()
    reason = fields.text("reason") and fields.choice("reason", refunds.REASONS)
    if intent_id is None and charge_id is None:
        raise fields.missing("payment_intent")
    fields.end()
    if intent_id is None:
        intent_id = call.named(Charge, charge_id or "", "charge").payment_intent
    intent = call.named(Intent, intent_id, "payment_intent")
    return _said(call, refunds.give_back(call.desk, intent, amount, reason, notes))


def fetch_refund(call: Call) -> Said:
    return _said(call, call.mine(Refund))


def list_refunds(call: Call) -> Said:
    if intent_id := call.fields.text("payment_intent"):
        call.named(Intent, intent_id, "payment_intent")
    return _list(call, Refund, "payment_intent", "charge")


def list_events(call: Call) -> Said:
    change, account_id = call.desk.change, call.account.account_id
    found, more = listed(change, Told, account_id, call.fields, "type")
    return 200, wire.listed("/v1/events", [wire.event(one) for one in found], more=more)


def fetch_event(call: Call) -> Said:
    return 200, wire.event(call.mine(Told))


def list_sessions(call: Call) -> Said:
    return _list(call, Session, "payment_intent", "status")


def list_intents(call: Call) -> Said:
    return _list(call, Intent)


def list_charges(call: Call) -> Said:
    return _list(call, Charge, "payment_intent")


def list_movements(call: Call) -> Said:
    return _list(call, Movement, "type", "source")


def fetch_movement(call: Call) -> Said:
    return _said(call, call.mine(Movement))


def list_disputes(call: Call) -> Said:
    return _list(call, Dispute, "payment_intent", "charge")


def fetch_dispute(call: Call) -> Said:
    return _said(call, call.mine(Dispute))


def _list(call: Call, kind: type[Subject], *filters: str) -> Said:
    account_id = call.account.account_id
    found, more = listed(call.desk.change, kind, account_id, call.fields, *filters)
    items = [call.desk.entity(one) for one in found]
    return 200, wire.listed(f"/v1{call.path}", items, more=more)


def _expanded(call: Call, entity: Entity) -> Entity:
    """`expand[]=payment_intent.latest_charge`: ids replaced by what they name."""
    wanted = call.tree.get("expand")
    for path in wanted if isinstance(wanted, list) else []:
        steps = str(path).split(".")
        roots = [entity]
        if steps[0] == "data" and isinstance(entity.get("data"), list):
            roots, steps = entity["data"], steps[1:]
        for root in roots:
            _expand(call, root, steps)
    return entity


def _expand(call: Call, entity: Entity, steps: list[str]) -> None:
    for step in steps:
        inner = entity.get(step)
        if isinstance(inner, str):
            kind = KINDS.get(inner.partition("_")[0])
            if kind is not None:
                found = find(call.desk.change, kind, inner, call.account.account_id)
                inner = entity[step] = call.desk.entity(found) if found else inner
        if not isinstance(inner, dict):
            return
        entity = inner


SESSION, INTENT = r"/checkout/sessions/([^/]+)", r"/payment_intents/([^/]+)"
ROUTES: tuple[tuple[str, str, Callable[[Call], Said]], ...] = (
    ("POST", r"/checkout/sessions", create_session),
    ("GET", r"/checkout/sessions", list_sessions),
    ("GET", SESSION, fetch_session),
    ("POST", SESSION + r"/expire", expire_session),
    ("GET", SESSION + r"/line_items", list_line_items),
    ("POST", r"/payment_intents", create_intent),
    ("GET", r"/payment_intents", list_intents),
    ("GET", INTENT, fetch_intent),
    ("POST", INTENT + r"/confirm", confirm_intent),
    ("POST", INTENT + r"/capture", capture_intent),
    ("POST", INTENT + r"/cancel", cancel_intent),
    ("GET", r"/charges", list_charges),
    ("GET", r"/charges/([^/]+)", fetch_charge),
    ("POST", r"/refunds", create_refund),
    ("GET", r"/refunds", list_refunds),
    ("GET", r"/refunds/([^/]+)", fetch_refund),
    ("GET", r"/balance_transactions", list_movements),
    ("GET", r"/balance_transactions/([^/]+)", fetch_movement),
    ("GET", r"/disputes", list_disputes),
    ("GET", r"/disputes/([^/]+)", fetch_dispute),
    ("GET", r"/events", list_events),
    ("GET", r"/events/([^/]+)", fetch_event),
)
