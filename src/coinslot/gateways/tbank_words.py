"""What T-Bank is told: tokens, order ids and the bodies of its calls; and its no, in our words."""

import hashlib
import re
import string
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Literal, TypeVar
from uuid import UUID

from msgspec import Struct

from coinslot.gateways import marks
from coinslot.gateways.asking import ABSENT
from coinslot.gateways.base import Declined, Mark, RefundOrder, Unclear
from coinslot.gateways.collecting import Charge, Limits
from coinslot.kit.money import Money

CURRENCY = "RUB"
DESCRIPTION_CHARS, ITEM_CHARS, KEY_CHARS = 140, 128, 100
# 20 pairs of DATA, three of them kept for ours.
LIMITS = Limits(pairs=17, name_chars=20, value_chars=100, description_chars=DESCRIPTION_CHARS)
MOSCOW = timezone(timedelta(hours=3))

# An order id: whose it is, what it pays for, for how much, and under which key. All that T-Bank
# tells again of a payment is this id; without the amount a part that went back could not be told.
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase + "._"
ORDER_ID = re.compile(r"([0-9A-Za-z._]{6})([0-9A-Za-z._]{22})([0-9A-Za-z._]{5})[0-9A-Za-z._]{3}")
THING_CHARS, AMOUNT_CHARS, KEY_SIGN_CHARS = 22, 5, 3
PAYMENT, QR, NEITHER = range(3)
LARGEST_MINOR = len(ALPHABET) ** AMOUNT_CHARS - 1

# Error codes: ours, and whether the same call will never succeed.
REFUSALS = {
    **dict.fromkeys(("4", "8"), ("wrong_state", False)),
    **dict.fromkeys(("202", "204", "205"), ("unauthorized", False)),
    **dict.fromkeys(("255", "325", "914"), (ABSENT, True)),
    **dict.fromkeys(("308", "309", "329", "334"), ("receipt", True)),
    **dict.fromkeys(("3001", "3019"), ("not_enabled", False)),
    **dict.fromkeys(("3029", "3030"), ("rate_limited", False)),
    "7": ("customer", True),
    "99": ("declined", True),
    "251": ("below_minimum", True),
    "330": ("exceeds_capture", True),
    "1014": ("declined", True),
    "1051": ("insufficient_funds", True),
    "3002": ("insufficient_balance", False),
    "3016": ("amount_out_of_range", True),
    "3017": ("due_date", True),
}

Body = dict[str, object]
T = TypeVar("T")


class Receipts(Struct, frozen=True, kw_only=True):
    """Fiscal receipts (54-FZ, FFD 1.05) through T-Bank: one line, named by the description."""

    email: str  # a machine does not know its customer: receipts go here
    taxation: Literal["osn", "usn_income", "usn_income_outcome", "esn", "patent"]
    tax: str = "none"  # vat20, vat10, ...: the list changes with the law
    payment_object: str = "commodity"


def token(said: Mapping[str, object], password: str) -> str:
    """SHA-256 over the values of all scalars of the root, in the order of their names."""
    signed = {
        name: value
        for name, value in said.items()
        if name != "Token" and value is not None and not isinstance(value, dict | list)
    } | {"Password": password}
    joined = "".join(_written(signed[name]) for name in sorted(signed))
    return hashlib.sha256(joined.encode(errors="surrogatepass")).hexdigest()


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def order_id(charge: Charge) -> str:
    """The same for the same mark, amount and key."""
    digest = hashlib.sha256(charge.key.encode()).digest()
    kind, thing = _thing(charge.mark, digest)
    return (
        marks.brief(charge.mark.installation).ljust(marks.BRIEF_CHARS, ".")
        + _digits(thing << 4 | kind, THING_CHARS)
        + _digits(charge.money.minor, AMOUNT_CHARS)
        + _digits(int.from_bytes(digest), KEY_SIGN_CHARS)
    )


def mark_of(said: str) -> Mark | None:
    """Our sign in an order id, with the installation's name in brief (`marks.is_ours`)."""
    found = ORDER_ID.fullmatch(said)
    if found is None:
        return None
    thing, kind = divmod(_number(found[2]), 16)
    if kind > NEITHER or thing >= 1 << 128:
        return None
    known = None if kind == NEITHER else str(UUID(int=thing))
    return Mark(
        installation=found[1].rstrip("."),
        payment=known if kind == PAYMENT else None,
        qr=known if kind == QR else None,
    )


def ordered(said: str) -> Money | None:
    """The amount in an order id of ours."""
    found = ORDER_ID.fullmatch(said)
    if found is None or mark_of(said) is None:
        return None
    return Money(_number(found[3]), CURRENCY)


def _thing(mark: Mark, digest: bytes) -> tuple[int, int]:
    for kind, said in ((PAYMENT, mark.payment), (QR, mark.qr)):
        if said is not None:
            try:
                return kind, UUID(said).int
            except ValueError:
                break
    return NEITHER, int.from_bytes(digest[:16])


def _digits(number: int, width: int) -> str:
    """The last digits of a number to the base of the alphabet."""
    written = ""
    for _ in range(width):
        number, digit = divmod(number, len(ALPHABET))
        written = ALPHABET[digit] + written
    return written


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * len(ALPHABET) + ALPHABET.index(digit)
    return number


def init(charge: Charge, receipts: Receipts | None, notification_url: str | None) -> Body:
    """A session in which the payer pays: one stage, or two where the money is only held."""
    body: Body = {
        "Amount": charge.money.minor,
        "OrderId": order_id(charge),
        "PayType": "O" if charge.capture else "T",
        "SuccessURL": charge.return_url,
        "FailURL": charge.return_url,
        "DATA": _pairs(charge),
    }
    if charge.description:
        body["Description"] = charge.description[:DESCRIPTION_CHARS]
    if notification_url is not None:
        body["NotificationURL"] = notification_url
    if charge.expires_at is not None:
        body["RedirectDueDate"] = _due(charge.expires_at)
    return body | receipt(receipts, charge.description, charge.money)


def cancel(order: RefundOrder, whole: bool, receipts: Receipts | None) -> Body:
    """The key makes it safe to send again, but not for SBP. Of a part the receipt is told too."""
    body: Body = {
        "PaymentId": order.gateway_payment_id,
        "Amount": order.money.minor,
        "ExternalRequestId": request_id(order.key),
    }
    return body if whole else body | receipt(receipts, order.reason, order.money)


def request_id(key: str) -> str:
    if 0 < len(key) <= KEY_CHARS and key.isascii():
        return key
    return hashlib.sha256(key.encode()).hexdigest()


def receipt(wanted: Receipts | None, name: str, money: Money) -> Body:
    """Nothing for a shop whose receipts are made elsewhere."""
    if wanted is None:
        return {}
    line = {
        "Name": name[:ITEM_CHARS] or "Товар",
        "Price": money.minor,
        "Quantity": 1,
        "Amount": money.minor,
        "Tax": wanted.tax,
        "PaymentMethod": "full_payment",
        "PaymentObject": wanted.payment_object,
    }
    return {"Receipt": {"Email": wanted.email, "Taxation": wanted.taxation, "Items": [line]}}


def impossible(money: Money) -> Declined | None:
    """What need not be sent."""
    if money.currency != CURRENCY:
        return Declined("T-Bank knows roubles alone", "currency")
    if money.minor > LARGEST_MINOR:
        return Declined("our order ids have no room for this amount", "amount_out_of_range")
    return None


def judged(read: Callable[[object], T]) -> Callable[[object], T | Declined | Unclear]:
    """Their no, or what `read` makes of their yes."""

    def judge(body: object) -> T | Declined | Unclear:
        no = refused(body) if isinstance(body, dict) else None
        return read(body) if no is None else no

    return judge


def refused(body: Mapping[str, object]) -> Declined | Unclear | None:
    """Their no, which comes with HTTP 200; None is a yes. An unknown code may hide an effect."""
    code = str(body.get("ErrorCode", ""))
    if body.get("Success") in (True, "true") and code == "0":
        return None
    said: Iterable[object] = (body.get("Message"), body.get("Details"), f"code {code}")
    reason = marks.clean(", ".join(str(part) for part in said if part))
    if code in REFUSALS:
        ours, permanent = REFUSALS[code]
        return Declined(reason, ours, permanent)
    if code.isdecimal() and 201 <= int(code) <= 253:
        return Declined(reason, "invalid")
    return Unclear(reason)


def _due(at: datetime) -> str:
    return at.astimezone(MOSCOW).isoformat(timespec="seconds")


def _pairs(charge: Charge) -> dict[str, str]:
    """For people who look at the payment: our mark, and of the merchant's pairs what fits."""
    return marks.written(charge.mark) | LIMITS.fitting(charge.metadata)
