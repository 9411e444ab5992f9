"""Checkout sessions: made, paid, expired on demand or by their time."""

from sandbox import chores
from sandbox.clock import now_s
from sandbox.shelf import find, new_id, put
from sandbox.stripe.desk import Desk
from sandbox.stripe.forms import Fields
from sandbox.stripe.intents import CAPTURES
from sandbox.stripe.refusals import ApiError, invalid
from sandbox.stripe.things import Intent, Session

EXPIRES = "stripe.session.expires"
REFERENCE_CHARS_LIMIT = 200


def create(desk: Desk, account: tuple[str, bool], fields: Fields) -> Session:
    """A new page to pay on; `account` is its id and whether it is live."""
    fields.choice("mode", ("payment",))
    amount, currency, name = _items(fields)
    inside = fields.inner("payment_intent_data")
    account_id, live = account
    session = Session(
        id=new_id("cs_live_" if live else "cs_test_", 58),
        account_id=account_id,
        created_at=now_s(),
        notes=fields.metadata(),
        amount=amount,
        currency=currency,
        name=name,
        success_url=fields.needed("success_url"),
        cancel_url=fields.text("cancel_url"),
        client_reference_id=fields.text("client_reference_id", at_most=REFERENCE_CHARS_LIMIT),
        expires_at=_expires_at(desk, fields),
        intent_notes=inside.metadata(),
        intent_description=inside.text("description"),
        capture_method=inside.choice("capture_method", CAPTURES, "automatic_async"),
    )
    inside.end()
    for known in ("customer_email", "phone_number_collection", "locale"):
        fields.raw(known)
    fields.end()
    put(desk.change, session)
    chores.later(desk.change, EXPIRES, session.id, (session.expires_at - now_s()) * 1_000)
    desk.change.tell(f"checkout session of {amount} {currency} made")
    return session


def _items(fields: Fields) -> tuple[int, str, str]:
    """The sum, the one currency, and what the first item is called."""
    items = fields.raw("line_items")
    if not isinstance(items, list) or not items:
        raise fields.missing("line_items")
    total, currencies, names = 0, set(), []
    for number, item in enumerate(items):
        one = Fields(item if isinstance(item, dict) else {}, f"line_items[{number}]")
        price = one.inner("price_data")
        product = price.inner("product_data")
        unit, quantity = price.amount("unit_amount"), one.whole("quantity") or 1
        if unit is None:
            raise price.missing("unit_amount")
        currencies.add(price.needed("currency").lower())
        names.append(product.needed("name"))
        total += unit * quantity
        for level in (one, price, product):
            level.end()
    if len(currencies) > 1:
        raise invalid("All line items must have the same currency.", "line_items")
    return total, currencies.pop(), names[0]


def _expires_at(desk: Desk, fields: Fields) -> int:
    asked, now, tempo = fields.whole("expires_at"), now_s(), desk.tempo
    if asked is None:
        return now + tempo.session_longest_s
    if asked < now + tempo.session_shortest_s:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session"
            " creation.",
            "expires_at",
        )
    if asked > now + tempo.session_longest_s:
        raise invalid(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            "expires_at",
        )
    return asked


def expire(desk: Desk, session: Session) -> Session:
    if session.status != "open":
        raise ApiError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout'
            f" Session has a status of `{session.status}`."
        )
    session.status = "expired"
    put(desk.change, session)
    desk.tell("checkout.session.expired", session.payment_intent or session.id, session)
    desk.change.tell(f"checkout session {session.id[:16]} expired")
    return session


def expire_by_itself(desk: Desk, session_id: str) -> None:
    session = find(desk.change, Session, session_id)
    if session is not None and session.status == "open":
        expire(desk, session)


def complete(desk: Desk, session: Session, intent: Intent) -> None:
    """The payer is through; the money may still be on its way, or only held."""
    session.status = "complete"
    if intent.status == "succeeded":
        session.payment_status = "paid"
    put(desk.change, session)
    desk.tell("checkout.session.completed", intent.id, session)


def settle(desk: Desk, session: Session, intent: Intent) -> None:
    """A method that takes its time has ended well or badly."""
    paid = intent.status == "succeeded"
    session.payment_status = "paid" if paid else "unpaid"
    put(desk.change, session)
    how = "succeeded" if paid else "failed"
    desk.tell(f"checkout.session.async_payment_{how}", intent.id, session)
