"""YooKassa as a gateway: the merchant's form, and what the core asks of a shop."""

import ipaddress
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar, TypeVar

import msgspec
from msgspec import Struct

from coinslot.gateways import base, fiscal, marks, unread
from coinslot.gateways.asking import ABSENT, known
from coinslot.gateways.base import (
    PEER,
    Absent,
    Declined,
    PaymentFact,
    Payments,
    RefundFact,
    Refunds,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Charge, Closed, Limits, Pending, Progress
from coinslot.gateways.form import Choice, asked
from coinslot.gateways.listing import Listed, TooMany, first_found
from coinslot.gateways.receipts import (
    Receipt,
    ReceiptLimits,
    ReceiptOrder,
    ReceiptQuestion,
    ReceiptStatus,
    ReceiptTerms,
)
from coinslot.gateways.wire import Address, Call, Wire
from coinslot.gateways.yookassa import build, parse
from coinslot.gateways.yookassa.client import Client
from coinslot.gateways.yookassa.fiscal import Receipts
from coinslot.kit.clock import Clock, SystemClock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret

T = TypeVar("T")

# Where webhooks come from, as the page on them says; the official SDK names a part of the last.
NETWORKS = (
    "185.71.76.0/27",
    "185.71.77.0/27",
    "77.75.153.0/25",
    "77.75.156.11",
    "77.75.156.35",
    "77.75.154.128/25",
    "2a02:5180::/32",
)

name = "yookassa"


class Settings(Struct, frozen=True, kw_only=True):
    """One YooKassa shop. Without a `method` the payer chooses one on YooKassa's page."""

    shop_id: Annotated[
        str,
        asked(
            "shopId",
            (
                "YooKassa, Settings, Shop: the number of the shop.",
                "YooKassa, Settings, Shop: दुकान का नंबर।",
                "ЮKassa, Настройки, Магазин: номер магазина.",
            ),
        ),
    ]
    secret_key: Annotated[
        Secret,
        asked(
            ("Secret key", "गुप्त कुंजी", "Секретный ключ"),
            (
                "YooKassa, Integration, API keys. It begins with test_ or live_.",
                "YooKassa, Integration, API keys। यह test_ या live_ से शुरू होती है।",
                "ЮKassa, Интеграция, Ключи API. Начинается с test_ или live_.",
            ),
        ),
    ]
    # "sbp_qr" shows a code; "sbp", "bank_card", ... lead to a page
    method: Annotated[
        str | None,
        asked(
            ("Way to pay", "भुगतान का तरीक़ा", "Способ оплаты"),
            (
                "Left empty, the payer chooses on YooKassa's page.",
                "ख़ाली छोड़ें, तो ग्राहक YooKassa के पेज पर चुनता है।",
                "Если не выбрать, покупатель выберет на странице ЮKassa.",
            ),
            choices=(
                Choice("sbp_qr", ("SBP, a code to scan", "SBP, स्कैन का कोड", "СБП, код на экране")),
                Choice("sbp", ("SBP", "SBP", "СБП")),
                Choice("bank_card", ("Bank card", "बैंक कार्ड", "Банковская карта")),
            ),
        ),
    ] = None
    receipts: Annotated[Receipts | None, fiscal.GROUP] = None
    networks: tuple[str, ...] = NETWORKS
    base_url: str = "https://api.yookassa.ru/v3"

    def __post_init__(self) -> None:
        for network in self.networks:
            ipaddress.ip_network(network)


def address(settings: Struct) -> Address:
    assert isinstance(settings, Settings)
    auth = (settings.shop_id, settings.secret_key)
    live = {"live": True, "test": False}.get(settings.secret_key.reveal().partition("_")[0])
    # At 30 s it gives up itself.
    return Address(settings.base_url, auth, answers_within_s=35, live=live)


def practising(settings: Struct, where: base.Practise) -> Settings:
    assert isinstance(settings, Settings)
    here = ("127.0.0.0/8",)
    return msgspec.structs.replace(
        settings, base_url=f"{where.sandbox_url}/yookassa/v3", networks=here
    )


def open(settings: Struct, wire: Wire) -> base.Gateway:
    assert isinstance(settings, Settings)
    return YooKassa(settings, wire, SystemClock())


class YooKassa:
    """One shop: a `Gateway` that `Collects`, `Authorizes`, `ListsPayments`, `MakesReceipts`,
    `TakesReceipts` and `ClosesReceipts`.

    A reference is a payment's id. Payments are listed by the time at which they were made: what is
    paid later, within its hour, is of the hour before."""

    name: ClassVar[str] = name
    title: ClassVar[str] = "YooKassa"
    currencies: ClassVar[frozenset[str]] = frozenset({"RUB"})
    minimum_minor: ClassVar[Mapping[str, int]] = {"RUB": 100}
    kept_headers: ClassVar[tuple[str, ...]] = (PEER,)
    webhook_reply: ClassVar[str | None] = None
    refund_key_life_s: ClassVar[int] = int(build.KEY_LIFE.total_seconds())
    collect_key_life_s: ClassVar[int] = refund_key_life_s
    limits: ClassVar[Limits] = build.LIMITS
    receipt_limits: ClassVar[ReceiptLimits] = build.RECEIPT_LIMITS

    def __init__(self, settings: Settings, wire: Wire, clock: Clock) -> None:
        self._clock = clock
        self._settings = settings
        self._networks = [ipaddress.ip_network(network) for network in settings.networks]
        self._client = Client(wire)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> base.Verdict:
        if not self._from_them(headers.get(PEER, "")):
            return base.Forged("it does not come from YooKassa's networks")
        kind = unread.event_of(body, "event")
        try:
            told = msgspec.json.decode(body, type=parse.Notification)
            shop, reference = told.shop_id, told.payment_id
        except (ValueError, RecursionError) as error:
            return unread.unreadable(body, error, event=kind)
        if shop not in (None, self._settings.shop_id):
            return unread.elsewhere(body, "the event belongs to another shop", event=kind)
        delivery_id = unread.delivery_id(body)
        if reference is None:
            return base.Genuine(delivery_id=delivery_id, event=marks.clean(told.event), facts=())
        return base.Hint(
            event=marks.clean(told.event), reference=reference, delivery_id=delivery_id
        )

    def _from_them(self, peer: str) -> bool:
        try:
            said = ipaddress.ip_address(peer)
        except ValueError:
            return False
        plain = said.ipv4_mapped if isinstance(said, ipaddress.IPv6Address) else None
        return any((plain or said) in network for network in self._networks)

    async def check(self) -> base.Accepted | Declined | Unclear:
        call = Call(method="GET", path="/payments", params={"limit": 1})
        answer = await self._client.send(call, parse.page)
        return base.Accepted() if isinstance(answer, parse.Page) else answer

    async def collect(self, charge: Charge) -> Progress | Declined | Unclear:
        body = build.payment(charge, charge.method or self._settings.method)
        body |= self._receipt(charge.receipt, charge.description, charge.money)
        call = build.post("/payments", charge.key, body)
        answer = await self._client.send(call, parse.only(charge.money))
        if isinstance(answer, Declined) and answer.code == "key_reused":
            return Unclear(answer.reason)  # what was made under this key may have brought money
        return answer

    async def follow(self, reference: str) -> Progress | Absent | Unclear:
        return await self._client.payment(reference, parse.progress)

    async def find_charge(self, charge: Charge) -> Progress | Absent | Unclear:
        def made(item: object) -> Progress | None:
            # Other people's payments may have any shape, and must not stand in our way.
            noted = item.get("metadata") if isinstance(item, dict) else None
            ours = marks.is_of(charge.mark, charge.key, noted)
            return parse.only(charge.money)(item) if ours else None

        async def ask(since: datetime, until: datetime) -> Progress | Absent | Unclear | TooMany:
            found: list[Progress] | TooMany | Absent | Unclear
            found = await self._client.all_of("/payments", build.created(since, until), made)
            if isinstance(found, list):
                return max(found, key=parse.weight) if found else Absent()
            return Unclear("there is no list of payments") if isinstance(found, Absent) else found

        return await first_found(*build.span_of(charge, self._clock.now()), ask)

    async def cancel(self, reference: str) -> Progress | Declined | Unclear:
        """Nobody can end what waits for its payer: still `Pending`, until it lapses by itself."""
        return _sure(await self.follow(reference))

    async def capture(
        self, reference: str, money: Money, key: str, receipt: Receipt | None = None
    ) -> PaymentFact | Declined | Unclear:
        """The whole or a part, once; the rest goes back to the payer."""
        body: build.Body = {"amount": build.amount(money)}
        if self._settings.receipts is not None or receipt is not None:
            payment = _sure(await self.look(reference))
            if not isinstance(payment, PaymentFact):
                return payment
            if payment.money != money:  # of the whole it has what came with the payment
                body |= self._receipt(receipt, payment.description, money)
        call = build.post(f"/payments/{_segment(reference)}/capture", key, body)
        answer = await self._client.send(call, parse.about(reference, parse.only(money)))
        if isinstance(answer, Declined) and answer.permanent:
            now = await self.follow(reference)  # an earlier call may have done it
            answer = answer if isinstance(now, Absent | Pending) or _held(now) else now
        match answer:
            case PaymentFact(taken=Taken.CAPTURED, money=taken) if taken == money:
                return answer
            case Closed(reason=reason):
                return Declined(f"it was canceled: {reason}", "canceled")
            case Declined() | Unclear():
                return answer
            case _:
                return Unclear(f"asked to take {money}, answered with {answer}")

    async def void(self, reference: str, key: str) -> Closed | Declined | Unclear:
        call = build.post(f"/payments/{_segment(reference)}/cancel", key, {})
        answer = await self._client.send(call, parse.about(reference, parse.progress))
        if isinstance(answer, Declined) and answer.permanent:
            now = await self.follow(reference)
            answer = now if isinstance(now, Closed | Unclear) else answer
        if isinstance(answer, Closed | Declined | Unclear):
            return answer
        return Unclear(f"asked to cancel, answered with {answer}")

    async def look(self, gateway_payment_id: str) -> PaymentFact | Absent | Unclear:
        fact = await self._client.payment(gateway_payment_id, parse.payment)
        return Unclear("the payer has not paid yet") if fact is None else fact

    async def give_back(self, order: base.RefundOrder) -> RefundFact | Declined | Unclear:
        body = build.refund(order)
        if self._settings.receipts is not None and not order.without_receipt:
            payment = _sure(await self.look(order.gateway_payment_id))
            if not isinstance(payment, PaymentFact):
                return payment
            if payment.money != order.money:  # of a whole one YooKassa makes the receipt itself
                body |= self._receipt(order.receipt, payment.description, order.money)
        answer = await self._client.send(build.post("/refunds", order.key, body), parse.refund)
        if isinstance(answer, RefundFact) and (
            answer.money != order.money or answer.gateway_payment_id != order.gateway_payment_id
        ):
            return Unclear(f"asked for {order.money}, answered with {answer}")
        return answer

    async def refunds(self, gateway_payment_id: str) -> base.Refunds | Absent | Unclear:
        """No event tells of a refund that was canceled: it is seen here, or not at all."""
        if not re.fullmatch(parse.SHAPE, gateway_payment_id):
            return Absent()
        of_it = parse.refund_of(gateway_payment_id)
        found = await self._client.all_of("/refunds", {"payment_id": gateway_payment_id}, of_it)
        if found == []:  # that may be said of a payment which is not there
            payment = await self.follow(gateway_payment_id)
            return payment if isinstance(payment, Absent | Unclear) else base.Refunds(())
        if isinstance(found, TooMany):
            return Unclear(found.reason)
        return base.Refunds(tuple(found)) if isinstance(found, list) else found

    async def payments_between(self, since: datetime, until: datetime) -> Payments | Unclear:
        found = await self._client.all_between(
            "/payments", (since - parse.TIME_TO_PAY, until), parse.payment
        )
        return Payments(found.facts, unread=found.unread) if isinstance(found, Listed) else found

    async def refunds_between(self, since: datetime, until: datetime) -> Refunds | Unclear:
        found = await self._client.all_between("/refunds", (since, until), parse.refund)
        return Refunds(found.facts, unread=found.unread) if isinstance(found, Listed) else found

    @property
    def receipt_terms(self) -> ReceiptTerms | None:
        wanted = self._settings.receipts
        return None if wanted is None else wanted.terms()

    async def receipt_of(self, about: ReceiptQuestion) -> ReceiptStatus | Absent | Unclear:
        if about.receipt_id is not None:
            if not re.fullmatch(parse.SHAPE, about.receipt_id):
                return Absent()
            call = Call(method="GET", path=f"/receipts/{about.receipt_id}")
            return known(await self._client.send(call, parse.receipt_status))
        found: list[ReceiptStatus] | TooMany | Absent | Unclear
        found = await self._client.all_of(
            "/receipts", build.receipts_about(about), parse.receipt_about(about)
        )
        if isinstance(found, TooMany):
            return Unclear(found.reason)
        if not isinstance(found, list):
            return found
        return max(found, key=parse.receipt_weight) if found else Absent()

    async def send_receipt(self, order: ReceiptOrder) -> ReceiptStatus | Declined | Unclear:
        call = build.post("/receipts", order.key, build.receipt_alone(order))
        return await self._client.send(call, parse.receipt_status)

    async def close_receipt(self, order: ReceiptOrder) -> ReceiptStatus | Declined | Unclear:
        return await self.send_receipt(order)

    def _receipt(self, receipt: Receipt | None, description: str, money: Money) -> build.Body:
        if receipt is not None:
            return {"receipt": build.receipt_of(receipt, money.currency)}
        return build.receipt(self._settings.receipts, description, money)


def _sure(answer: T | Absent | Unclear) -> T | Declined | Unclear:
    """For commands: what is not there cannot be done anything with."""
    return Declined("no such payment", ABSENT) if isinstance(answer, Absent) else answer


def _held(answer: object) -> bool:
    return isinstance(answer, PaymentFact) and answer.taken is Taken.AUTHORIZED


def _segment(reference: str) -> str:
    """A reference as one step of a path. `-` alone is no id of theirs: such a one is absent."""
    return reference if re.fullmatch(parse.SHAPE, reference) else "-"
