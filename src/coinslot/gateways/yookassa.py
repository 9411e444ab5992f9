"""YooKassa: payments by page or SBP code, captures, refunds and receipts over its API v3 (RUB).

Its webhooks are not signed: they are hints. What was checked of it, by whom, and what could not
be: docs/gateways/yookassa.md.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar, TypeVar

import msgspec
from msgspec import Struct

from coinslot.gateways import base, marks, unread
from coinslot.gateways import yookassa_facts as read
from coinslot.gateways import yookassa_words as words
from coinslot.gateways.asking import ABSENT, ask, known
from coinslot.gateways.base import PEER, Absent, Declined, PaymentFact, RefundFact, Taken, Unclear
from coinslot.gateways.collecting import Charge, Closed, Limits, Pending, Progress
from coinslot.gateways.listing import TooMany, first_found
from coinslot.gateways.wire import Address, Call, Wire
from coinslot.gateways.yookassa_lists import Lists, created
from coinslot.gateways.yookassa_words import Receipts
from coinslot.kit.clock import Clock, SystemClock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret

T = TypeVar("T")

PAGE, MAX_PAGES = 100, 50

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

    shop_id: str
    secret_key: Secret
    method: str | None = None  # "sbp_qr" shows a code; "sbp", "bank_card", ... lead to a page
    receipts: Receipts | None = None
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


def open(settings: Struct, wire: Wire) -> base.Gateway:
    assert isinstance(settings, Settings)
    return YooKassa(settings, wire, SystemClock())


class YooKassa(Lists):
    """One shop: a `Gateway` that `Collects` and `Authorizes`. A reference is a payment's id."""

    name: ClassVar[str] = name
    currencies: ClassVar[frozenset[str]] = frozenset({"RUB"})
    minimum_minor: ClassVar[Mapping[str, int]] = {"RUB": 100}
    kept_headers: ClassVar[tuple[str, ...]] = (PEER,)
    webhook_reply: ClassVar[str | None] = None
    refund_key_life_s: ClassVar[int] = int(words.KEY_LIFE.total_seconds())
    collect_key_life_s: ClassVar[int] = refund_key_life_s
    limits: ClassVar[Limits] = words.LIMITS

    def __init__(self, settings: Settings, wire: Wire, clock: Clock) -> None:
        self._clock = clock
        self._settings = settings
        self._networks = [ipaddress.ip_network(network) for network in settings.networks]
        self._wire = wire

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> base.Verdict:
        if not self._from_them(headers.get(PEER, "")):
            return base.Forged("it does not come from YooKassa's networks")
        kind = unread.event_of(body, "event")
        try:
            told = msgspec.json.decode(body, type=read.Notification)
            context, reference = told.shop_id, told.payment_id
        except (ValueError, RecursionError) as error:
            return unread.unreadable(body, error, event=kind)
        if context not in (None, self._settings.shop_id):
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

    async def look(self, gateway_payment_id: str) -> PaymentFact | Absent | Unclear:
        fact = await self._fetch(gateway_payment_id, read.payment)
        return Unclear("the payer has not paid yet") if fact is None else fact

    async def give_back(self, order: base.RefundOrder) -> RefundFact | Declined | Unclear:
        body = words.refund(order)
        if self._settings.receipts is not None:
            payment = _sure(await self.look(order.gateway_payment_id))
            if not isinstance(payment, PaymentFact):
                return payment
            if payment.money != order.money:  # of a whole one YooKassa makes the receipt itself
                body |= self._receipt(payment.description, order.money)
        answer = await self._ask(words.post("/refunds", order.key, body), read.refund)
        if isinstance(answer, RefundFact) and (
            answer.money != order.money or answer.gateway_payment_id != order.gateway_payment_id
        ):
            return Unclear(f"asked for {order.money}, answered with {answer}")
        return answer

    async def refunds(self, gateway_payment_id: str) -> base.Refunds | Absent | Unclear:
        """No event tells of a refund that was canceled: it is seen here, or not at all."""
        if not re.fullmatch(read.SHAPE, gateway_payment_id):
            return Absent()
        of_it = read.refund_of(gateway_payment_id)
        found = await self._list("/refunds", {"payment_id": gateway_payment_id}, of_it)
        if found == []:  # that may be said of a payment which is not there
            payment = await self.follow(gateway_payment_id)
            return payment if isinstance(payment, Absent | Unclear) else base.Refunds(())
        if isinstance(found, TooMany):
            return Unclear(found.reason)
        return base.Refunds(tuple(found)) if isinstance(found, list) else found

    async def collect(self, charge: Charge) -> Progress | Declined | Unclear:
        body = words.payment(charge, charge.method or self._settings.method)
        body |= self._receipt(charge.description, charge.money)
        call = words.post("/payments", charge.key, body)
        answer = await self._ask(call, read.only(charge.money))
        if isinstance(answer, Declined) and answer.code == "key_reused":
            return Unclear(answer.reason)  # what was made under this key may have brought money
        return answer

    async def follow(self, reference: str) -> Progress | Absent | Unclear:
        return await self._fetch(reference, read.progress)

    async def find_charge(self, charge: Charge) -> Progress | Absent | Unclear:
        def made(item: object) -> Progress | None:
            # Other people's payments may have any shape, and must not stand in our way.
            noted = item.get("metadata") if isinstance(item, dict) else None
            ours = marks.is_of(charge.mark, charge.key, noted)
            return read.only(charge.money)(item) if ours else None

        async def ask(since: datetime, until: datetime) -> Progress | Absent | Unclear | TooMany:
            found: list[Progress] | TooMany | Absent | Unclear
            found = await self._list("/payments", created(since, until), made)
            if isinstance(found, list):
                return max(found, key=read.weight) if found else Absent()
            return Unclear("there is no list of payments") if isinstance(found, Absent) else found

        return await first_found(*words.span_of(charge, self._clock.now()), ask)

    async def stop(self, reference: str) -> Progress | Declined | Unclear:
        """Nobody can end what waits for its payer: still `Pending`, until it lapses by itself."""
        return _sure(await self.follow(reference))

    async def take(
        self, reference: str, money: Money, key: str
    ) -> PaymentFact | Declined | Unclear:
        """The whole or a part, once; the rest goes back to the payer."""
        body: words.Body = {"amount": words.amount(money)}
        if self._settings.receipts is not None:
            payment = _sure(await self.look(reference))
            if not isinstance(payment, PaymentFact):
                return payment
            body |= self._receipt(payment.description, money)
        call = words.post(f"/payments/{_segment(reference)}/capture", key, body)
        answer = await self._ask(call, read.about(reference, read.only(money)))
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

    async def let_go(self, reference: str, key: str) -> Closed | Declined | Unclear:
        call = words.post(f"/payments/{_segment(reference)}/cancel", key, {})
        answer = await self._ask(call, read.about(reference, read.progress))
        if isinstance(answer, Declined) and answer.permanent:
            now = await self.follow(reference)
            answer = now if isinstance(now, Closed | Unclear) else answer
        if isinstance(answer, Closed | Declined | Unclear):
            return answer
        return Unclear(f"asked to cancel, answered with {answer}")

    def _receipt(self, description: str, money: Money) -> words.Body:
        return words.receipt(self._settings.receipts, description, money)

    async def _fetch(
        self, reference: str, read_body: Callable[[object], T]
    ) -> T | Absent | Unclear:
        if not re.fullmatch(read.SHAPE, reference):
            return Absent()
        call = Call(method="GET", path=f"/payments/{reference}")
        return known(await self._ask(call, read.about(reference, read_body)))

    async def _list(
        self, path: str, params: Mapping[str, str | int], read_one: Callable[[object], T | None]
    ) -> list[T] | TooMany | Absent | Unclear:
        """All of it or nothing: a list with a gap would prove absence falsely."""
        items = await self._items(path, params)
        if not isinstance(items, list):
            return items
        try:
            told = [read_one(item) for item in items]
        except ValueError as error:
            return Unclear(f"unreadable item: {error}")
        return [one for one in told if one is not None]

    async def _items(
        self, path: str, params: Mapping[str, str | int]
    ) -> list[object] | TooMany | Absent | Unclear:
        """All pages, or nothing."""
        found: list[object] = []
        asked = {"limit": PAGE, **params}
        for _ in range(MAX_PAGES):
            call = Call(method="GET", path=path, params=asked)
            page = known(await self._ask(call, read.page))
            if not isinstance(page, read.Page):
                return page
            found += page.items
            if not page.next_cursor:
                return found
            asked = asked | {"cursor": page.next_cursor}
        return TooMany(f"more than {MAX_PAGES} pages")

    async def _ask(self, call: Call, read_body: Callable[[object], T]) -> T | Declined | Unclear:
        return await ask(self._wire, call, read_body, words.refused)


def _sure(answer: T | Absent | Unclear) -> T | Declined | Unclear:
    """For commands: what is not there cannot be done anything with."""
    return Declined("no such payment", ABSENT) if isinstance(answer, Absent) else answer


def _held(answer: object) -> bool:
    return isinstance(answer, PaymentFact) and answer.taken is Taken.AUTHORIZED


def _segment(reference: str) -> str:
    """A reference as one step of a path. `-` alone is no id of theirs: such a one is absent."""
    return reference if re.fullmatch(read.SHAPE, reference) else "-"
