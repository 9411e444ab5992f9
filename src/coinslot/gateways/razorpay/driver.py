"""Razorpay as a gateway: the merchant's form, and what the core asks of an account."""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, ClassVar

import msgspec
from msgspec import Struct

from coinslot.gateways import base, marks, unread
from coinslot.gateways.asking import ABSENT, known
from coinslot.gateways.base import (
    Absent,
    Declined,
    Mark,
    PaymentFact,
    Payments,
    QrFact,
    RefundFact,
    Refunds,
    Taken,
    Unclear,
    Unread,
)
from coinslot.gateways.collecting import Charge, Closed, Limits, Pending, Progress, Redirect
from coinslot.gateways.form import asked
from coinslot.gateways.listing import Listed, SettledLine, Settlements
from coinslot.gateways.razorpay import build, parse
from coinslot.gateways.razorpay.client import Client, Found, unclear
from coinslot.gateways.wire import Address, Call, Wire
from coinslot.kit.secrets import Secret, hmac_hex

DAY_PAGES = 2_000  # of settlements, which are listed by whole days alone
RECON = "/v1/settlements/recon/combined"
INDIA = timezone(timedelta(hours=5, minutes=30))  # its days

name = "razorpay"


class Settings(Struct, frozen=True, kw_only=True):
    """One Razorpay account. Old webhook secrets stay listed: retries are signed with them."""

    key_id: Annotated[
        str,
        asked(
            ("Key ID", "कुंजी का नाम (Key ID)", "Идентификатор ключа (Key ID)"),
            (
                "Dashboard, Account & Settings, API Keys. It begins with rzp_test_ or rzp_live_.",
                "Dashboard, Account & Settings, API Keys। यह rzp_test_ या rzp_live_ से शुरू होती है।",
                "Dashboard, Account & Settings, API Keys. Начинается с rzp_test_ или rzp_live_.",
            ),
        ),
    ]
    key_secret: Annotated[
        Secret,
        asked(
            ("Key Secret", "कुंजी का गुप्त भाग (Key Secret)", "Секрет ключа (Key Secret)"),
            (
                "Razorpay shows it once, when the key is made.",
                "कुंजी बनते समय Razorpay इसे एक बार दिखाता है।",
                "Razorpay показывает его один раз, при создании ключа.",
            ),
        ),
    ]
    webhook_secrets: Annotated[
        tuple[Secret, ...],
        asked(
            (
                "Webhook Secret",
                "वेबहुक का गुप्त शब्द (Webhook Secret)",
                "Секрет вебхука (Webhook Secret)",
            ),
            (
                "Choose one yourself, and type the same into Account & Settings, Webhooks.",
                "ख़ुद चुनें, और वही Account & Settings, Webhooks में लिखें।",
                "Придумайте сами и впишите тот же в Account & Settings, Webhooks.",
            ),
            former="webhook_secrets",
        ),
    ] = ()
    account_id: str | None = None
    base_url: str = "https://api.razorpay.com"


def address(settings: Struct) -> Address:
    assert isinstance(settings, Settings)
    auth = (settings.key_id, settings.key_secret)
    return Address(settings.base_url, auth, live=settings.key_id.startswith("rzp_live_"))


def practising(settings: Struct, where: base.Practise) -> Settings:
    assert isinstance(settings, Settings)
    return msgspec.structs.replace(settings, base_url=f"{where.sandbox_url}/razorpay")


def open(settings: Struct, wire: Wire) -> base.Gateway:
    assert isinstance(settings, Settings)
    return Razorpay(settings, wire)


class Razorpay:
    """One account: a `Gateway` that `PrintsQr`, `ListsPayments` and `Settles`, and `Collects`.

    It collects by a payment link, a page of theirs with an order behind it. `follow` counts the
    payments of that order: a link that was cancelled may have been paid before."""

    name: ClassVar[str] = name
    title: ClassVar[str] = "Razorpay"
    currencies: ClassVar[frozenset[str]] = frozenset({"INR"})
    minimum_minor: ClassVar[Mapping[str, int]] = {"INR": 100}
    kept_headers: ClassVar[tuple[str, ...]] = ("x-razorpay-signature", "x-razorpay-event-id")
    webhook_reply: ClassVar[str | None] = None
    refund_key_life_s: ClassVar[int] = 600  # it states none; after ten minutes the core looks first
    collect_key_life_s: ClassVar[int] = 24 * 60 * 60  # a link's reference is taken once, for ever
    limits: ClassVar[Limits] = build.LIMITS

    def __init__(self, settings: Settings, wire: Wire) -> None:
        self._secrets = [s.reveal().encode() for s in settings.webhook_secrets if s]
        self._account_id = settings.account_id
        self._client = Client(wire)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> base.Verdict:
        given = headers.get("x-razorpay-signature", "").encode(errors="replace")
        # Every secret is tried, so that the time taken does not tell which one matched.
        matches = [hmac.compare_digest(hmac_hex(s, body).encode(), given) for s in self._secrets]
        if not any(matches):
            return base.Forged("the signature is missing or of another secret")
        kind = unread.event_of(body, "event")
        try:
            event = msgspec.json.decode(body, type=parse.Event)
            if event.account_id and self._account_id not in (None, event.account_id):
                reason = "the event belongs to another account"
                return unread.elsewhere(body, reason, event=kind)
            facts = parse.facts(event)
        except (ValueError, RecursionError) as error:
            return unread.unreadable(body, error, event=kind)
        # Its own id of the event stands in a header, and no header is signed.
        delivery_id = unread.delivery_id(body)
        return base.Genuine(delivery_id=delivery_id, event=marks.clean(event.event), facts=facts)

    async def check(self) -> base.Accepted | Declined | Unclear:
        call = Call(method="GET", path="/v1/payments", params={"count": 1})
        answer = await self._client.send(call, parse.items)
        return base.Accepted() if isinstance(answer, list) else answer

    async def collect(self, charge: Charge) -> Progress | Declined | Unclear:
        if charge.method is not None or not charge.capture:
            return Declined("a link asks the payer for his instrument, and takes", "method")
        made = await self._client.send(build.link(charge), parse.link)
        if isinstance(made, Declined) and made.code == "key_reused":
            found = await self.find_charge(charge)  # an earlier call made it
            return Unclear(made.reason) if isinstance(found, Absent) else found
        if not isinstance(made, parse.Link):
            return made
        if made.money != charge.money or not marks.is_of(charge.mark, charge.key, made.notes):
            return Unclear(f"asked for {charge.money}, answered with {made}")
        return await self._stands(made)

    async def follow(self, reference: str) -> Progress | Absent | Unclear:
        if not reference.startswith(build.LINK):
            return Absent()
        call = Call(method="GET", path=f"{build.LINKS}/{build.segment(reference)}")
        found = known(await self._client.send(call, parse.link))
        return await self._stands(found) if isinstance(found, parse.Link) else found

    async def find_charge(self, charge: Charge) -> Progress | Absent | Unclear:
        params = {"reference_id": build.reference(charge.key)}
        listed = await self._client.send(
            Call(method="GET", path=build.LINKS, params=params), parse.links
        )
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

    async def cancel(self, reference: str) -> Progress | Declined | Unclear:
        if not reference.startswith(build.LINK):
            return Declined("there is no such link", ABSENT)
        path = f"{build.LINKS}/{build.segment(reference)}/cancel"
        answer = await self._client.send(Call(method="POST", path=path, body={}), parse.link)
        if isinstance(answer, parse.Link):
            return await self._stands(answer)
        if isinstance(answer, Declined) and answer.code == "wrong_state":
            now = await self.follow(reference)  # paid, expired, or cancelled before
            return answer if isinstance(now, Absent | Pending) else now
        return answer

    async def look(self, gateway_payment_id: str) -> PaymentFact | Absent | Unclear:
        if gateway_payment_id.startswith(build.LINK):
            stands = await self.follow(gateway_payment_id)
            if isinstance(stands, PaymentFact | Absent | Unclear):
                return stands
            return Unclear("no money yet")
        path = f"/v1/payments/{build.segment(gateway_payment_id)}"
        fact = known(await self._client.send(Call(method="GET", path=path), parse.payment))
        return Unclear("the payment is only created yet") if fact is None else fact

    async def give_back(self, order: base.RefundOrder) -> RefundFact | Declined | Unclear:
        answer = await self._client.send(build.refund(order), parse.refund)
        if isinstance(answer, RefundFact) and (
            answer.money != order.money or answer.gateway_payment_id != order.gateway_payment_id
        ):
            return Unclear(f"asked for {order.money}, answered with {answer}")
        return answer

    async def refunds(self, gateway_payment_id: str) -> base.Refunds | Absent | Unclear:
        path = f"/v1/payments/{build.segment(gateway_payment_id)}/refunds"
        found = await self._client.all_pages(path, parse.refund)
        if isinstance(found, Found):  # a list with a gap would prove absence falsely
            return Unclear(found.doubt) if found.doubt else base.Refunds(found.facts)
        return found

    async def print_qr(self, order: base.QrOrder) -> QrFact | Declined | Unclear:
        answer = await self._client.send(build.qr(order), parse.printable_qr)
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
            return parse.printable_qr(item) if same else None

        found = await self._client.all_pages(build.QR_CODES, ours)
        if not isinstance(found, Found):
            return found
        if still_open := [qr for qr in found.facts if qr.open]:
            return still_open[0]
        if found.doubt:
            return Unclear(found.doubt)
        return found.facts[0] if found.facts else Absent()

    async def close_qr(self, qr_code_id: str) -> QrFact | Declined | Unclear:
        path = f"{build.QR_CODES}/{build.segment(qr_code_id)}"
        answer = await self._client.send(
            Call(method="POST", path=f"{path}/close", body={}), parse.qr
        )
        if isinstance(answer, Declined) and answer.code == "already_closed":
            return await self._client.send(Call(method="GET", path=path), parse.qr)
        return answer

    async def qr_payments(
        self, qr_code_id: str, since: datetime
    ) -> base.Payments | Absent | Unclear:
        def through(item: object) -> PaymentFact | None:
            return parse.payment(item, qr_code_id=qr_code_id)

        path = f"{build.QR_CODES}/{build.segment(qr_code_id)}/payments"
        params = {"from": max(0, int(since.timestamp()))}
        found = await self._client.all_pages(path, through, params)
        if isinstance(found, Found):
            return base.Payments(found.facts, complete=not found.doubt)
        return found

    async def qr_of_payment(self, gateway_payment_id: str) -> QrFact | Absent | Unclear:
        params = {"payment_id": build.segment(gateway_payment_id)}
        call = Call(method="GET", path=build.QR_CODES, params=params)
        return known(await self._client.send(call, parse.first_qr))

    async def payments_between(self, since: datetime, until: datetime) -> Payments | Unclear:
        found = await self._client.all_between("/v1/payments", (since, until), parse.payment)
        return Payments(found.facts, unread=found.unread) if isinstance(found, Listed) else found

    async def refunds_between(self, since: datetime, until: datetime) -> Refunds | Unclear:
        found = await self._client.all_between("/v1/refunds", (since, until), parse.refund)
        return Refunds(found.facts, unread=found.unread) if isinstance(found, Listed) else found

    async def settled_between(self, since: datetime, until: datetime) -> Settlements | Unclear:
        """It lists settlements by the day, as days are in India."""
        lines: list[SettledLine] = []
        odd: list[Unread] = []
        day = since.astimezone(INDIA).date()
        while day <= until.astimezone(INDIA).date():
            params = {"year": day.year, "month": day.month, "day": day.day}
            found = await self._client.all_pages(RECON, parse.settled_line, params, DAY_PAGES)
            if not isinstance(found, Found) or found.gap:
                return Unclear(found.gap) if isinstance(found, Found) else unclear(found)
            lines += [line for line in found.facts if since <= line.at < until]
            odd += found.unread
            day += timedelta(days=1)
        return Settlements(tuple(dict.fromkeys(lines)), tuple(dict.fromkeys(odd)))

    async def _stands(self, said: parse.Link) -> Progress | Unclear:
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
        path = f"/v1/orders/{build.segment(order_id)}/payments"
        found = await self._client.send(Call(method="GET", path=path), parse.payments)
        if isinstance(found, Declined):
            return Unclear(found.reason)
        if isinstance(found, Unclear):
            return found
        return next((fact for fact in found if fact.taken is Taken.CAPTURED), None)
