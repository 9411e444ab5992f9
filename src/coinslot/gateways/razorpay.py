"""Razorpay: UPI QR codes, payments, refunds and webhooks over its REST API (INR, integer paise).

What was checked of it, by whom, and what could not be: docs/gateways/razorpay.md.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar, TypeVar

import msgspec
from msgspec import Struct

from coinslot.gateways import base, marks, unread
from coinslot.gateways import razorpay_facts as read
from coinslot.gateways import razorpay_words as words
from coinslot.gateways.asking import ask, known
from coinslot.gateways.base import Absent, Declined, Mark, PaymentFact, QrFact, RefundFact, Unclear
from coinslot.gateways.razorpay_links import LINK, Collecting
from coinslot.gateways.razorpay_lists import Found, Lists
from coinslot.gateways.wire import Address, Call, Wire
from coinslot.kit.secrets import Secret, hmac_hex

T = TypeVar("T")

QR_CODES = "/v1/payments/qr_codes"
REFUND_KEY = re.compile(r"[A-Za-z0-9_-]{10,64}")

name = "razorpay"


class Settings(Struct, frozen=True, kw_only=True):
    """One Razorpay account. Old webhook secrets stay listed: retries are signed with them."""

    key_id: str
    key_secret: Secret
    webhook_secrets: tuple[Secret, ...] = ()
    account_id: str | None = None
    base_url: str = "https://api.razorpay.com"


def address(settings: Struct) -> Address:
    assert isinstance(settings, Settings)
    auth = (settings.key_id, settings.key_secret)
    return Address(settings.base_url, auth, live=settings.key_id.startswith("rzp_live_"))


def open(settings: Struct, wire: Wire) -> base.Gateway:
    assert isinstance(settings, Settings)
    return Razorpay(settings, wire)


class Razorpay(Collecting, Lists):
    """One account: a `Gateway` that `PrintsQr`, and `Collects` by payment links."""

    name: ClassVar[str] = name
    currencies: ClassVar[frozenset[str]] = frozenset({"INR"})
    minimum_minor: ClassVar[Mapping[str, int]] = {"INR": 100}
    kept_headers: ClassVar[tuple[str, ...]] = ("x-razorpay-signature", "x-razorpay-event-id")
    webhook_reply: ClassVar[str | None] = None
    refund_key_life_s: ClassVar[int] = 600  # it states none; after ten minutes the core looks first

    def __init__(self, settings: Settings, wire: Wire) -> None:
        self._secrets = [s.reveal().encode() for s in settings.webhook_secrets if s]
        self._account_id = settings.account_id
        self._wire = wire

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> base.Verdict:
        given = headers.get("x-razorpay-signature", "").encode(errors="replace")
        # Every secret is tried, so that the time taken does not tell which one matched.
        matches = [hmac.compare_digest(hmac_hex(s, body).encode(), given) for s in self._secrets]
        if not any(matches):
            return base.Forged("the signature is missing or of another secret")
        kind = unread.event_of(body, "event")
        try:
            event = msgspec.json.decode(body, type=read.Event)
            if event.account_id and self._account_id not in (None, event.account_id):
                reason = "the event belongs to another account"
                return unread.elsewhere(body, reason, event=kind)
            facts = read.facts(event)
        except (ValueError, RecursionError) as error:
            return unread.unreadable(body, error, event=kind)
        # Its own id of the event stands in a header, and no header is signed.
        delivery_id = unread.delivery_id(body)
        return base.Genuine(delivery_id=delivery_id, event=marks.clean(event.event), facts=facts)

    async def look(self, gateway_payment_id: str) -> PaymentFact | Absent | Unclear:
        if gateway_payment_id.startswith(LINK):
            stands = await self.follow(gateway_payment_id)
            if isinstance(stands, PaymentFact | Absent | Unclear):
                return stands
            return Unclear("no money yet")
        path = f"/v1/payments/{words.segment(gateway_payment_id)}"
        fact = known(await self._ask(Call(method="GET", path=path), read.payment))
        return Unclear("the payment is only created yet") if fact is None else fact

    async def give_back(self, order: base.RefundOrder) -> RefundFact | Declined | Unclear:
        notes = marks.written(order.mark) | ({"reason": order.reason[:256]} if order.reason else {})
        key = order.key
        if not REFUND_KEY.fullmatch(key):
            key = hashlib.sha256(key.encode()).hexdigest()
        call = Call(
            method="POST",
            path=f"/v1/payments/{words.segment(order.gateway_payment_id)}/refund",
            body={"amount": order.money.minor, "speed": "normal", "notes": notes},
            headers={"X-Refund-Idempotency": key},
        )
        answer = await self._ask(call, read.refund)
        if isinstance(answer, RefundFact) and (
            answer.money != order.money or answer.gateway_payment_id != order.gateway_payment_id
        ):
            return Unclear(f"asked for {order.money}, answered with {answer}")
        return answer

    async def refunds(self, gateway_payment_id: str) -> base.Refunds | Absent | Unclear:
        path = f"/v1/payments/{words.segment(gateway_payment_id)}/refunds"
        found = await self._list(path, read.refund)
        if isinstance(found, Found):  # a list with a gap would prove absence falsely
            return Unclear(found.doubt) if found.doubt else base.Refunds(found.facts)
        return found

    async def print_qr(self, order: base.QrOrder) -> QrFact | Declined | Unclear:
        notes = marks.written(order.mark) | {"outlet": order.outlet, "slot": order.slot}
        body: dict[str, object] = {
            "type": "upi_qr",
            "usage": "multiple_use" if order.reusable else "single_use",
            "name": order.name,
            "fixed_amount": True,
            "payment_amount": order.money.minor,
            "description": order.description,
            "notes": notes,
        }
        if order.close_by is not None and not order.reusable:  # refused on reusable ones
            body["close_by"] = int(order.close_by.timestamp())
        answer = await self._ask(Call(method="POST", path=QR_CODES, body=body), read.printable_qr)
        if isinstance(answer, QrFact) and (
            answer.money != order.money or answer.reusable != order.reusable
        ):
            return Unclear(f"asked for {order.money}, answered with {answer}")
        return answer

    async def find_qr(self, mark: Mark) -> QrFact | Absent | Unclear:
        def ours(item: object) -> QrFact | None:
            # Other people's codes may have any shape, and must not stand in our way.
            noted = marks.read(item.get("notes")) if isinstance(item, dict) else None
            same = noted and (noted.installation, noted.qr) == (mark.installation, mark.qr)
            return read.printable_qr(item) if same else None

        found = await self._list(QR_CODES, ours)
        if not isinstance(found, Found):
            return found
        if still_open := [qr for qr in found.facts if qr.open]:
            return still_open[0]
        if found.doubt:
            return Unclear(found.doubt)
        return found.facts[0] if found.facts else Absent()

    async def close_qr(self, qr_code_id: str) -> QrFact | Declined | Unclear:
        path = f"{QR_CODES}/{words.segment(qr_code_id)}"
        answer = await self._ask(Call(method="POST", path=f"{path}/close", body={}), read.qr)
        if isinstance(answer, Declined) and answer.code == "already_closed":
            return await self._ask(Call(method="GET", path=path), read.qr)
        return answer

    async def qr_payments(
        self, qr_code_id: str, since: datetime
    ) -> base.Payments | Absent | Unclear:
        def through(item: object) -> PaymentFact | None:
            return read.payment(item, qr_code_id=qr_code_id)

        path = f"{QR_CODES}/{words.segment(qr_code_id)}/payments"
        params = {"from": max(0, int(since.timestamp()))}
        found = await self._list(path, through, params)
        if isinstance(found, Found):
            return base.Payments(found.facts, complete=not found.doubt)
        return found

    async def qr_of_payment(self, gateway_payment_id: str) -> QrFact | Absent | Unclear:
        params = {"payment_id": words.segment(gateway_payment_id)}
        call = Call(method="GET", path=QR_CODES, params=params)
        return known(await self._ask(call, read.first_qr))

    async def _ask(self, call: Call, read_body: Callable[[object], T]) -> T | Declined | Unclear:
        return await ask(self._wire, call, read_body, words.refused)
