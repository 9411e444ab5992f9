"""How Razorpay collects: a payment link, which is a page of theirs with an order behind it.

The order's payments are what `follow` counts: a link that was cancelled may have been paid before.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar, Literal, TypeVar

import msgspec
from msgspec import Struct

from coinslot.gateways import marks
from coinslot.gateways import razorpay_facts as read
from coinslot.gateways import razorpay_words as words
from coinslot.gateways.asking import ABSENT, ask, known
from coinslot.gateways.base import Absent, Declined, PaymentFact, Taken, Unclear
from coinslot.gateways.collecting import Charge, Closed, Limits, Pending, Progress, Redirect
from coinslot.gateways.wire import Call, Wire
from coinslot.kit.money import Money

T = TypeVar("T")

LINK, LINKS = "plink_", "/v1/payment_links"
REFERENCE_CHARS = 40
# 15 notes, three of them ours.
LIMITS = Limits(pairs=12, name_chars=256, value_chars=256, description_chars=2048)


class Link(Struct):
    """A payment link as the API gives it."""

    id: read.Ident
    amount: read.Paid
    currency: str
    status: Literal["created", "partially_paid", "paid", "cancelled", "expired"]
    short_url: str = ""
    order_id: read.Ident | None = None
    expire_by: read.Seconds | None = None
    notes: object = None

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class _Listed(Struct):
    payment_links: list[object]


class Collecting:
    """`Collects`. Their reference is our key, which they take once and for ever."""

    collect_key_life_s: ClassVar[int] = 24 * 60 * 60
    limits: ClassVar[Limits] = LIMITS
    _wire: Wire

    async def collect(self, charge: Charge) -> Progress | Declined | Unclear:
        if charge.method is not None or not charge.capture:
            return Declined("a link asks the payer for his instrument, and takes", "method")
        made = await self._send(Call(method="POST", path=LINKS, body=_body(charge)), link)
        if isinstance(made, Declined) and made.code == "key_reused":
            found = await self.find_charge(charge)  # an earlier call made it
            return Unclear(made.reason) if isinstance(found, Absent) else found
        if not isinstance(made, Link):
            return made
        if made.money != charge.money or not marks.is_of(charge.mark, charge.key, made.notes):
            return Unclear(f"asked for {charge.money}, answered with {made}")
        return await self._stands(made)

    async def follow(self, reference: str) -> Progress | Absent | Unclear:
        if not reference.startswith(LINK):
            return Absent()
        call = Call(method="GET", path=f"{LINKS}/{words.segment(reference)}")
        found = known(await self._send(call, link))
        return await self._stands(found) if isinstance(found, Link) else found

    async def find_charge(self, charge: Charge) -> Progress | Absent | Unclear:
        params = {"reference_id": _reference(charge.key)}
        listed = await self._send(Call(method="GET", path=LINKS, params=params), _listed)
        if isinstance(listed, Declined):
            return Unclear(listed.reason)
        if isinstance(listed, Unclear):
            return listed
        for one in listed:
            if one.money != charge.money:
                return Unclear(f"asked for {charge.money}, and there is {one}")
            if marks.is_of(charge.mark, charge.key, one.notes):
                return await self._stands(one)
        return Absent()

    async def stop(self, reference: str) -> Progress | Declined | Unclear:
        if not reference.startswith(LINK):
            return Declined("there is no such link", ABSENT)
        path = f"{LINKS}/{words.segment(reference)}/cancel"
        answer = await self._send(Call(method="POST", path=path, body={}), link)
        if isinstance(answer, Link):
            return await self._stands(answer)
        if isinstance(answer, Declined) and answer.code == "wrong_state":
            now = await self.follow(reference)  # paid, expired, or cancelled before
            return answer if isinstance(now, Absent | Pending) else now
        return answer

    async def _stands(self, said: Link) -> Progress | Unclear:
        """Money counts, whatever the link says of itself."""
        if said.order_id is not None:
            paid = await self._paid(said.order_id)
            if paid is not None:
                return paid
        match said.status:
            case "created":
                ends = None
                if said.expire_by:
                    ends = datetime.fromtimestamp(said.expire_by, UTC)
                action = Redirect(said.short_url) if said.short_url else None
                return Pending(reference=said.id, action=action, expires_at=ends)
            case "cancelled" | "expired":
                return Closed(reference=said.id, reason=said.status)
            case "paid" | "partially_paid":
                return Unclear(f"the link is {said.status}, and no payment of it is captured")

    async def _paid(self, order_id: str) -> PaymentFact | Unclear | None:
        path = f"/v1/orders/{words.segment(order_id)}/payments"
        found = await self._send(Call(method="GET", path=path), _payments)
        if isinstance(found, Declined):
            return Unclear(found.reason)
        if isinstance(found, Unclear):
            return found
        return next((fact for fact in found if fact.taken is Taken.CAPTURED), None)

    async def _send(self, call: Call, read_body: Callable[[object], T]) -> T | Declined | Unclear:
        return await ask(self._wire, call, read_body, words.refused)


def link(body: object) -> Link:
    return msgspec.convert(body, Link)


def _listed(body: object) -> list[Link]:
    return [link(one) for one in msgspec.convert(body, _Listed).payment_links]


def _payments(body: object) -> list[PaymentFact]:
    found = [read.payment(one) for one in read.items(body)]
    return [fact for fact in found if fact is not None]


def _reference(key: str) -> str:
    return key if 0 < len(key) <= REFERENCE_CHARS and key.isascii() else marks.key_sign(key)


def _body(charge: Charge) -> dict[str, object]:
    body: dict[str, object] = {
        "amount": charge.money.minor,
        "currency": charge.money.currency,
        "accept_partial": False,
        "reference_id": _reference(charge.key),
        "notes": _notes(charge),
        "notify": {"sms": False, "email": False},
        "reminder_enable": False,
        "callback_url": charge.return_url,
        "callback_method": "get",
    }
    if charge.description:
        body["description"] = charge.description[: LIMITS.description_chars]
    if charge.expires_at is not None:
        body["expire_by"] = int(charge.expires_at.timestamp())
    return body


def _notes(charge: Charge) -> dict[str, str]:
    """Our mark, and of the merchant's own pairs what Razorpay has room for."""
    ours = marks.written(charge.mark) | {marks.CHARGE: marks.key_sign(charge.key)}
    return ours | LIMITS.fitting(charge.metadata)
