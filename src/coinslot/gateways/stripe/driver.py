"""Stripe as a gateway: the merchant's form, and what the core asks of an account."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, TypeVar

import msgspec
from msgspec import Struct

from coinslot.gateways import base, marks, unread
from coinslot.gateways.asking import ABSENT, known
from coinslot.gateways.base import (
    Absent,
    Declined,
    PaymentFact,
    Payments,
    RefundFact,
    Refunds,
    Taken,
    Unclear,
    Unread,
)
from coinslot.gateways.collecting import Charge, Closed, Limits, Pending, Progress
from coinslot.gateways.form import asked
from coinslot.gateways.listing import Listed, SettledLine, Settlements, TooMany, first_found
from coinslot.gateways.receipts import Receipt
from coinslot.gateways.stripe import build, parse
from coinslot.gateways.stripe.client import Client
from coinslot.gateways.wire import Address, Wire
from coinslot.kit.clock import Clock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret

T = TypeVar("T")

PENDING_AT_MOST = timedelta(days=14)  # from the movement to the day on which it can be paid out
DAY = timedelta(days=1)

name = "stripe"


class Settings(Struct, frozen=True, kw_only=True):
    """One Stripe account. Old webhook secrets stay listed until Stripe has dropped them."""

    secret_key: Annotated[
        Secret,
        asked(  # sk_... or a restricted rk_...
            ("Secret key", "गुप्त कुंजी (Secret key)", "Секретный ключ (Secret key)"),
            (
                "Stripe Dashboard, Developers, API keys. It begins with sk_ or rk_.",
                "Stripe Dashboard, Developers, API keys। यह sk_test_, sk_live_ या rk_ से शुरू होती है।",
                "Stripe Dashboard, Developers, API keys. Начинается с sk_ или rk_.",
            ),
        ),
    ]
    webhook_secrets: Annotated[
        tuple[Secret, ...],
        asked(
            (
                "Signing secret",
                "हस्ताक्षर का गुप्त शब्द (Signing secret)",
                "Секрет подписи (Signing secret)",
            ),
            (
                "Add the webhook URL in Developers, Webhooks; it is shown there (whsec_).",
                "Developers, Webhooks में वेबहुक URL जोड़ें; वहीं यह दिखता है (whsec_)।",
                "Добавьте адрес вебхука в Developers, Webhooks; там он и виден (whsec_).",
            ),
            former="webhook_secrets",
        ),
    ] = ()
    account_id: str | None = None
    base_url: str = "https://api.stripe.com"


def address(settings: Struct) -> Address:
    assert isinstance(settings, Settings)
    live = settings.secret_key.reveal().startswith(("sk_live_", "rk_live_"))
    return Address(settings.base_url, (settings.secret_key, Secret("")), live=live)


def practising(settings: Struct, where: base.Practise) -> Settings:
    assert isinstance(settings, Settings)
    return msgspec.structs.replace(settings, base_url=f"{where.sandbox_url}/stripe")


def open(settings: Struct, wire: Wire) -> base.Gateway:
    assert isinstance(settings, Settings)
    return Stripe(settings, wire, wire.there)  # times are signed and read there


class Stripe:
    """One account: a `Gateway` that `Collects`, `Authorizes`, `ListsPayments` and `Settles`."""

    name: ClassVar[str] = name
    title: ClassVar[str] = "Stripe"
    currencies: ClassVar[frozenset[str]] = frozenset(build.MINIMUM_MINOR)
    minimum_minor: ClassVar[Mapping[str, int]] = build.MINIMUM_MINOR
    kept_headers: ClassVar[tuple[str, ...]] = ("stripe-signature",)
    webhook_reply: ClassVar[str | None] = None
    refund_key_life_s: ClassVar[int] = int(build.KEY_LIFE.total_seconds())
    collect_key_life_s: ClassVar[int] = refund_key_life_s
    limits: ClassVar[Limits] = build.LIMITS

    def __init__(self, settings: Settings, wire: Wire, clock: Clock) -> None:
        self._secrets = [s.reveal().encode() for s in settings.webhook_secrets if s]
        self._account_id = settings.account_id
        self._live = parse.is_live(settings.secret_key)
        self._client = Client(wire)
        self._clock = clock

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> base.Verdict:
        signed = headers.get("stripe-signature", "")
        if flaw := parse.flaw(signed, body, self._secrets, self._clock.now()):
            return base.Forged(flaw)
        kind = unread.event_of(body, "type")
        try:
            event = msgspec.json.decode(body, type=parse.Event)
            if event.account and self._account_id not in (None, event.account):
                reason = "the event belongs to another account"
                return unread.elsewhere(body, reason, event=kind)
            if self._live not in (None, event.livemode):
                return unread.elsewhere(body, "live and test mode do not mix", event=kind)
            facts = parse.facts(event)
        except (ValueError, RecursionError) as error:
            return unread.unreadable(body, error, event=kind)
        return base.Genuine(delivery_id=event.id, event=marks.clean(event.type), facts=facts)

    async def check(self) -> base.Accepted | Declined | Unclear:
        """By a list that a restricted key has to read for us anyway."""
        call = build.ask("/v1/charges", {"limit": 1})
        answer = await self._client.send(call, lambda body: msgspec.convert(body, parse.Page))
        return base.Accepted() if isinstance(answer, parse.Page) else answer

    async def collect(self, charge: Charge) -> Progress | Declined | Unclear:
        def made(body: object) -> Progress:
            return parse.progress_of(charge, body)

        async def back() -> Progress | Absent | Unclear:
            return await self.find_charge(charge)

        answer = await self._client.send_once(build.create(charge), charge.key, made, back)
        if isinstance(answer, Declined) and answer.code == "expires_at":
            # Too soon or too late for them: without it the core ends the session when it is time.
            found = await back()  # or an earlier call made it while there was time
            if not isinstance(found, Absent):
                return found
            lasting = msgspec.structs.replace(charge, expires_at=None)
            answer = await self._client.send_once(
                build.create(lasting), f"{charge.key}-open", made, back
            )
        if isinstance(answer, Declined) and answer.code == "key_reused":
            return Unclear(answer.reason)  # something was made under this key, and not this
        return answer

    async def follow(self, reference: str) -> Progress | Absent | Unclear:
        return known(await self._client.send(build.look(reference), parse.progress))

    async def find_charge(self, charge: Charge) -> Progress | Absent | Unclear:
        """Through the list of all that was made while its key could be sent: a search index lags.
        Other people's may have any shape, and must not stand in our way."""
        path = build.SESSIONS if charge.method is None else build.INTENTS

        async def ask(since: datetime, until: datetime) -> str | Absent | Unclear | TooMany:
            listed = await self._client.all_pages(path, build.created(since, until))
            if not isinstance(listed, list):
                return Unclear("there is no such list") if isinstance(listed, Absent) else listed
            for item in listed:
                noted = item.get("metadata") if isinstance(item, dict) else None
                if isinstance(item, dict) and marks.is_of(charge.mark, charge.key, noted):
                    return str(item.get("id"))
            return Absent()

        named = await first_found(*build.span_of(charge, self._clock.now()), ask)
        if not isinstance(named, str):
            return named
        found = await self.follow(named)
        return Unclear("listed, and not there") if isinstance(found, Absent) else found

    async def cancel(self, reference: str) -> Progress | Declined | Unclear:
        stands: Progress | Declined | Unclear = _sure(await self.follow(reference))
        if not (isinstance(stands, Pending) or _failed(stands)):
            return stands
        answer = await self._client.send(build.end(reference), parse.progress)
        if isinstance(answer, Declined) and answer.permanent:
            now = await self.follow(reference)  # the payer was quicker than we were
            return answer if isinstance(now, Absent | Pending) else now
        return answer

    async def capture(
        self, reference: str, money: Money, key: str, receipt: Receipt | None = None
    ) -> PaymentFact | Declined | Unclear:
        """Needs no key of theirs: they capture once, whatever is sent."""
        held: PaymentFact | Declined | Unclear = _sure(await self.look(reference))
        if isinstance(held, PaymentFact) and held.taken is not Taken.CAPTURED:
            intent = held.gateway_payment_id
            held = await self._client.send(build.capture(intent, money), parse.captured)
            if isinstance(held, Declined) and held.permanent:
                now = await self.look(intent)  # an earlier call may have done it
                done = isinstance(now, PaymentFact) and now.taken is Taken.CAPTURED
                held = now if isinstance(now, PaymentFact) and done else held
        if isinstance(held, PaymentFact) and held.money != money:
            return Unclear(f"asked for {money}, answered with {held}")
        return held

    async def void(self, reference: str, key: str) -> Closed | Declined | Unclear:
        held = _sure(await self.look(reference))
        if not isinstance(held, PaymentFact):
            return held
        answer = await self._client.send(build.end(held.gateway_payment_id), parse.progress)
        if isinstance(answer, Declined):
            now = await self.follow(held.gateway_payment_id)
            return now if isinstance(now, Closed) else answer
        if isinstance(answer, Closed):
            return Closed(reference=reference, reason=answer.reason)
        return answer if isinstance(answer, Unclear) else Unclear(f"not let go: {answer}")

    async def look(self, gateway_payment_id: str) -> PaymentFact | Absent | Unclear:
        """Also by the reference of a session."""
        fact = known(await self._client.send(build.look(gateway_payment_id), parse.payment))
        return Unclear("no money yet") if fact is None else fact

    async def give_back(self, order: base.RefundOrder) -> RefundFact | Declined | Unclear:
        async def back() -> RefundFact | Absent | Unclear:
            listed = await self.refunds(order.gateway_payment_id)
            if not isinstance(listed, base.Refunds):
                return listed
            return next((fact for fact in listed.facts if fact.mark == order.mark), Absent())

        answer = await self._client.send_once(build.refund(order), order.key, parse.refund, back)
        if isinstance(answer, RefundFact) and (
            answer.money != order.money or answer.gateway_payment_id != order.gateway_payment_id
        ):
            return Unclear(f"asked for {order.money}, answered with {answer}")
        return answer

    async def refunds(self, gateway_payment_id: str) -> base.Refunds | Absent | Unclear:
        intent = gateway_payment_id
        if intent.startswith(build.SESSION):
            paid = await self.look(intent)
            if not isinstance(paid, PaymentFact):
                return paid
            intent = paid.gateway_payment_id
        listed = await self._client.all_pages(
            "/v1/refunds", {"payment_intent": build.segment(intent)}
        )
        if isinstance(listed, TooMany):
            return Unclear(listed.reason)
        if listed == []:  # of a payment that there is, or of none?
            looked = await self.look(intent)
            return base.Refunds(()) if isinstance(looked, PaymentFact) else looked
        if not isinstance(listed, list):
            return listed
        try:
            return base.Refunds(tuple(dict.fromkeys(parse.refund(item) for item in listed)))
        except ValueError as error:  # a list with a gap would prove absence falsely
            return Unclear(f"unreadable refund: {error}")

    async def payments_between(self, since: datetime, until: datetime) -> Payments | Unclear:
        more = {"expand[0]": "data.balance_transaction"}
        found = await self._client.all_between("/v1/charges", more, (since, until), parse.charge)
        return Payments(found.facts, unread=found.unread) if isinstance(found, Listed) else found

    async def refunds_between(self, since: datetime, until: datetime) -> Refunds | Unclear:
        found = await self._client.all_between(
            "/v1/refunds", {}, (since, until), parse.refund_of_payment
        )
        return Refunds(found.facts, unread=found.unread) if isinstance(found, Listed) else found

    async def settled_between(self, since: datetime, until: datetime) -> Settlements | Unclear:
        """It lists movements by the time at which they were made; they are available later. A day
        at a time is read, and of it kept what was paid out in the span."""
        more: dict[str, str | int] = {"type": "charge", "expand[0]": "data.source"}
        lines: dict[SettledLine, None] = {}
        odd: dict[Unread, None] = {}
        begin = since - PENDING_AT_MOST
        while begin < until:
            day = (begin, min(begin + DAY, until))
            found = await self._client.all_between(
                "/v1/balance_transactions", more, day, parse.settled_line
            )
            if not isinstance(found, Listed):
                return found
            lines |= dict.fromkeys(line for line in found.facts if since <= line.at < until)
            odd |= dict.fromkeys(found.unread)
            begin += DAY
        return Settlements(tuple(lines), tuple(odd))


def _sure(answer: T | Absent | Unclear) -> T | Declined | Unclear:
    """Of what is not there nothing can be taken or ended."""
    return Declined("there is no such thing", ABSENT) if isinstance(answer, Absent) else answer


def _failed(stands: object) -> bool:
    return isinstance(stands, PaymentFact) and stands.taken is Taken.FAILED
