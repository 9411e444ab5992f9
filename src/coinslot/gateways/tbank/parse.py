"""What T-Bank says, read strictly and turned into facts: answers, notifications, refusals.

Types wander there: a PaymentId is a text in one answer and a number in the next. No answer and no
notification holds a time: the moment of hearing it is all there is.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from coinslot.gateways import marks
from coinslot.gateways.asking import ABSENT
from coinslot.gateways.base import (
    Declined,
    Genuine,
    Hint,
    PaymentFact,
    ReceiptFact,
    Taken,
    Unclear,
    Verdict,
)
from coinslot.gateways.collecting import Closed, Pending, Progress
from coinslot.gateways.tbank.order_ids import CURRENCY, mark_of, ordered
from coinslot.kit.money import Money
from coinslot.kit.numbers import whole

T = TypeVar("T")

SHAPE = r"[0-9]{1,20}"
Ident = Annotated[str, Meta(pattern=rf"\A{SHAPE}\Z")]
Minor = Annotated[int, Meta(ge=0, le=2**63 - 1)]

OPEN = frozenset(
    [
        "NEW",
        "FORM_SHOWED",
        "AUTHORIZING",
        "3DS_CHECKING",
        "3DS_CHECKED",
        "PAY_CHECKING",
        "CHECKING",
        "CHECKED",
        "PREAUTHORIZING",
        "PROCESSING",
        "COMPLETING",
    ]
)
HELD = frozenset({"AUTHORIZED", "CONFIRMING", "PARTIAL_REVERSED"})
GOING_BACK = frozenset({"REFUNDING", "ASYNC_REFUNDING"})
CAPTURED = frozenset({"CONFIRMED", "PARTIAL_REFUNDED", "REFUNDED"}) | GOING_BACK
FAILED = frozenset({"REJECTED", "AUTH_FAIL"})  # the payer may try again in the same session
CLOSED = frozenset({"CANCELED", "DEADLINE_EXPIRED", "ATTEMPTS_EXPIRED", "REVERSED"})
NOT_CAPTURED = OPEN | HELD | FAILED | CLOSED

# Notifications that state what they mean; all others only say what to ask about.
TOLD = {
    "AUTHORIZED": Taken.AUTHORIZED,
    "CONFIRMED": Taken.CAPTURED,
    "REJECTED": Taken.FAILED,
    "AUTH_FAIL": Taken.FAILED,
    "CANCELED": Taken.FAILED,
    "DEADLINE_EXPIRED": Taken.FAILED,
    "ATTEMPTS_EXPIRED": Taken.FAILED,
}

# The numbers of a receipt, by ours.
NUMBERS = {
    "FiscalDocumentNumber": "document", "FnNumber": "storage",
    "FiscalDocumentAttribute": "attribute", "ReceiptDatetime": "registered_at",
    "FiscalNumber": "number", "Url": "url",
}  # fmt: skip

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


class State(Struct, frozen=True, kw_only=True, rename="pascal"):
    """One payment as GetState and CheckOrder give it. `amount` is what has not gone back yet."""

    payment_id: Ident
    status: str
    amount: Minor
    order_id: str = ""
    params: Sequence["Param"] = ()

    @property
    def by_sbp(self) -> bool:
        return any(p.key == "Source" and p.value.lower() == "qrsbp" for p in self.params)

    @property
    def money(self) -> Money:
        """What was taken or is to be taken. Once some went back only our order id tells."""
        whole = ordered(self.order_id)
        gone = self.status in GOING_BACK | {"PARTIAL_REFUNDED", "REFUNDED", "REVERSED"}
        return whole if whole is not None and gone else Money(self.amount, CURRENCY)

    @property
    def refunded(self) -> Money | None:
        """What went back for certain; None when T-Bank does not say how much."""
        whole = ordered(self.order_id)
        if self.status in ("CONFIRMED", *HELD):
            return Money.zero(CURRENCY)
        if self.status == "REFUNDED":
            return self.money
        if self.status == "PARTIAL_REFUNDED" and whole and self.amount < whole.minor:
            return whole - Money(self.amount, CURRENCY)
        return None


class Param(Struct, frozen=True, rename="pascal"):
    key: str = ""
    value: str = ""


class Made(Struct, frozen=True, kw_only=True, rename="pascal"):
    """The answer to Init."""

    payment_id: Ident
    order_id: str
    amount: Minor
    payment_url: str = msgspec.field(name="PaymentURL", default="")


class Canceled(Struct, frozen=True, kw_only=True, rename="pascal"):
    """The answer to Cancel: the amount before it, and after it."""

    payment_id: Ident
    status: str
    original_amount: Minor
    new_amount: Minor


class Confirmed(Struct, frozen=True, kw_only=True, rename="pascal"):
    payment_id: Ident
    status: str


class Code(Struct, frozen=True, kw_only=True, rename="pascal"):
    """The answer to GetQr: what the SBP code holds."""

    payment_id: Ident
    data: Annotated[str, Meta(min_length=1)]


class _Order(Struct, rename="pascal"):
    order_id: str
    payments: list[dict[str, object]]


class _Notification(Struct, rename="pascal"):
    status: str = ""
    success: bool | None = None
    payment_id: Ident | None = None
    order_id: str = ""
    amount: Minor | None = None
    notification_type: str = ""


def one(kind: type[T]) -> Callable[[object], T]:
    """A reader of answers of one kind."""
    return lambda body: msgspec.convert(_texts(body), kind, strict=False)


def done(body: object) -> None:
    """A yes that says nothing more."""


def order(order_id: str) -> Callable[[object], list[State]]:
    """The payments of one order id, which may be several: T-Bank does not hold it to be unique."""

    def payments(body: object) -> list[State]:
        said = one(_Order)(body)
        if said.order_id != order_id:
            raise ValueError(f"asked for {order_id}, answered with {said.order_id}")
        return [one(State)(payment | {"OrderId": order_id}) for payment in said.payments]

    return payments


def scalars(body: bytes) -> dict[str, object]:
    """A notification with its numbers as they were written: the token is made of that text."""
    said = json.loads(body, parse_int=str, parse_float=str, parse_constant=str)
    if not isinstance(said, dict):
        raise ValueError("not an object")
    return said


def notification(said: dict[str, object], at: datetime) -> Verdict:
    """What a notification means whose token is true. It may be an old one, told once more."""
    told = msgspec.convert(said, _Notification, strict=False)
    token = str(said.get("Token"))  # it covers all that is read here, and nothing else
    event = marks.clean(told.status or told.notification_type)
    if told.status == "RECEIPT":
        receipt = None if told.payment_id is None else _receipt(said, told, at)
        facts = () if receipt is None else (receipt,)
        # The whole receipt stands in it, with where it went. The token covers none of that. What is
        # kept of it is how its goods were settled: that only chooses among receipts of ours.
        plain = {name: value for name, value in said.items() if not isinstance(value, dict | list)}
        if mode := _mode(said):
            plain["Receipt"] = {"Items": [{"PaymentMethod": mode}]}
        kept = json.dumps(plain, ensure_ascii=False).encode()
        return Genuine(delivery_id=token, event=event, facts=facts, kept=kept)
    if told.notification_type and told.payment_id is None:
        return Genuine(delivery_id=token, event=event, facts=())
    if told.payment_id is None or not told.status:
        raise ValueError("a notification that names no payment, or no status of it")
    taken = TOLD.get(told.status)
    sure = told.success or taken is Taken.FAILED
    if taken is None or not sure or not told.amount:
        return Hint(event=event, reference=told.payment_id, delivery_id=token)
    fact = PaymentFact(
        gateway_payment_id=told.payment_id,
        taken=taken,
        money=Money(told.amount, CURRENCY),
        at=at,
        gateway_order_id=marks.clean(told.order_id) or None,
        mark=mark_of(told.order_id),
    )
    # Told once more with another card it would state the same.
    delivery_id = f"{told.payment_id}:{told.status}:{told.amount}"
    return Genuine(delivery_id=delivery_id, event=event, facts=(fact,))


def _receipt(said: Mapping[str, object], told: _Notification, at: datetime) -> ReceiptFact | None:
    """A fiscal notification, or None where it says neither that the receipt is registered nor that
    it failed. Without a `Type` it is of the payment; refunds have no id there."""
    assert told.payment_id is not None
    numbers = {
        name: marks.clean(str(said[field]))
        for field, name in NUMBERS.items()
        if said.get(field) not in (None, "")
    }
    if told.success is not False and not numbers:
        return None
    reasons = [str(said[name]) for name in ("Message", "ErrorMessage", "Details") if said.get(name)]
    refund = str(said.get("Type", "")).lower().endswith("return")
    return ReceiptFact(
        gateway_payment_id=told.payment_id, refund=refund, at=at,
        money=Money(told.amount, CURRENCY) if told.amount else None,
        registered=told.success is not False, numbers=numbers,
        reason=marks.clean(", ".join([*reasons, f"code {said.get('ErrorCode')}"])),
        mode=_mode(said),
    )  # fmt: skip


class _Settled(Struct, rename="pascal"):
    payment_method: str = ""


class _Settling(Struct, rename="pascal"):
    items: list[_Settled] = []


def _mode(said: Mapping[str, object]) -> str:
    """How the goods of a receipt were settled; empty where that cannot be read."""
    try:
        receipt = msgspec.convert(said.get("Receipt"), _Settling)
    except msgspec.ValidationError:
        return ""
    return marks.clean(receipt.items[0].payment_method) if receipt.items else ""


def progress(said: State, at: datetime) -> Progress | Unclear:
    """Where a session stands."""
    if said.status in OPEN or said.status == "REVERSING":
        return Pending(reference=said.payment_id)
    if said.status in CLOSED:
        return Closed(reference=said.payment_id, reason=said.status)
    return payment(said, at)


def payment(said: State, at: datetime) -> PaymentFact | Unclear:
    """What was paid in a session, or failed to be."""
    if said.status in HELD:
        taken = Taken.AUTHORIZED
    elif said.status in CAPTURED:
        taken = Taken.CAPTURED
    elif said.status in FAILED | CLOSED:
        taken = Taken.FAILED
    else:
        return Unclear(f"the payment is {marks.clean(said.status)}")
    return PaymentFact(
        gateway_payment_id=said.payment_id,
        taken=taken,
        money=said.money,
        at=at,
        gateway_order_id=marks.clean(said.order_id) or None,
        mark=mark_of(said.order_id),
        refunded=said.refunded,
    )


def weight(said: State) -> int:
    """Of several payments of one order the one with money counts, then the one still open."""
    ranks = (FAILED | CLOSED, OPEN, HELD, CAPTURED)
    return next((n for n, statuses in enumerate(ranks) if said.status in statuses), len(ranks))


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
    if whole(code, 253, least=201):
        return Declined(reason, "invalid")
    return Unclear(reason)


def _texts(body: object) -> object:
    """Ids as texts, whichever way they came; a null is as good as nothing."""
    if not isinstance(body, dict):
        return body
    kept = {name: value for name, value in body.items() if value is not None}
    if isinstance(kept.get("PaymentId"), int):
        kept["PaymentId"] = str(kept["PaymentId"])
    return kept
