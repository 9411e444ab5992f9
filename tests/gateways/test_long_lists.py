"""Lists with more in them than is read at once, and with items that nobody can read."""

from bisect import bisect_left
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from aiohttp import web

from coinslot.gateways import marks, razorpay, stripe, yookassa
from coinslot.gateways.base import Absent, Gateway, Mark, Payments, Refunds, Unclear
from coinslot.gateways.collecting import Charge, Closed, Collects
from coinslot.gateways.listing import ListsPayments, Settlements, Settles
from coinslot.kit.clock import SettableClock
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.canned import wire_to

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MADE = NOON - timedelta(hours=1)
DAY = timedelta(days=1)
MANY = 12_000
Item = dict[str, Any]
Params = dict[str, str]


def when(number: int) -> datetime:
    """Of a busy day: a thing every few seconds."""
    return NOON + timedelta(seconds=number * 7)


class Busy:
    """A gateway that lists so many things, newest first, in pages of at most 100."""

    def __init__(self, items: list[tuple[datetime, Item]]) -> None:
        self._items = sorted(items, key=lambda pair: pair[0])
        self._times = [at for at, _ in self._items]
        self._spans: dict[tuple[datetime, datetime], list[Item]] = {}
        self._places: dict[int, dict[str, int]] = {}  # in the list with this identity, by name
        self.asked: list[Params] = []

    def lose(self, lost: Item) -> None:
        self._items = [pair for pair in self._items if pair[1] is not lost]
        self._times = [at for at, _ in self._items]
        self._spans, self._places = {}, {}

    def between(self, since: datetime, until: datetime, *, closed: bool = False) -> list[Item]:
        last = until + timedelta(seconds=1) if closed else until
        if (since, last) not in self._spans:  # asked anew for each page
            first, behind = bisect_left(self._times, since), bisect_left(self._times, last)
            self._spans[since, last] = [item for _, item in self._items[first:behind]][::-1]
        return self._spans[since, last]

    def behind(self, name: str, found: list[Item]) -> int:
        """Where the list goes on."""
        if id(found) not in self._places:
            self._places[id(found)] = {item["id"]: n for n, item in enumerate(found, 1)}
        return self._places[id(found)][name]


def from_seconds(text: str) -> datetime:
    return datetime.fromtimestamp(int(text), UTC)


def as_stripe(busy: Busy, params: Params) -> Item:
    found = busy.between(from_seconds(params["created[gte]"]), from_seconds(params["created[lt]"]))
    begin = busy.behind(params["starting_after"], found) if "starting_after" in params else 0
    page = found[begin : begin + 100]
    return {"object": "list", "data": page, "has_more": begin + 100 < len(found)}


def as_razorpay(busy: Busy, params: Params) -> Item:
    if "year" in params:
        day = datetime(int(params["year"]), int(params["month"]), int(params["day"]), tzinfo=UTC)
        found = busy.between(day, day + DAY)
    else:
        found = busy.between(from_seconds(params["from"]), from_seconds(params["to"]), closed=True)
    skip = int(params["skip"])
    return {"entity": "collection", "items": found[skip : skip + int(params["count"])]}


def as_yookassa(busy: Busy, params: Params) -> Item:
    since, until = (datetime.fromisoformat(params[f"created_at.{word}"]) for word in ("gte", "lt"))
    found = busy.between(since, until)
    begin = int(params.get("cursor", 0))
    more = {"next_cursor": f"{begin + 100}"} if begin + 100 < len(found) else {}
    return {"type": "list", "items": found[begin : begin + 100], **more}


def as_json(item: Item) -> web.Response:
    return web.Response(body=msgspec.json.encode(item), content_type="application/json")


@asynccontextmanager
async def served(
    busy: Busy, answer: Callable[[Busy, Params], Item], one: Item | None = None
) -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.Response:
        query = parse_qs(urlsplit(str(request.rel_url)).query)
        params = {name: values[0] for name, values in query.items()}
        if one is not None and request.path.rstrip("/").endswith(str(one["id"])):
            return as_json(one)
        busy.asked.append(params)
        return as_json(answer(busy, params))

    app = web.Application()
    app.router.add_route("GET", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def stripe_at(url: str) -> stripe.Stripe:
    settings = stripe.Settings(secret_key=Secret("sk_test_1"), base_url=url)
    wire = wire_to(stripe.address(settings), timeout_s=10)
    return stripe.Stripe(settings, wire, SettableClock(NOON + 5 * DAY))


def razorpay_at(url: str) -> razorpay.Razorpay:
    settings = razorpay.Settings(key_id="rzp_test_1", key_secret=Secret("shh"), base_url=url)
    return razorpay.Razorpay(settings, wire_to(razorpay.address(settings), timeout_s=10))


def yookassa_at(url: str) -> yookassa.YooKassa:
    settings = yookassa.Settings(shop_id="1", secret_key=Secret("test_k"), base_url=f"{url}/v3")
    wire = wire_to(yookassa.address(settings), timeout_s=10)
    return yookassa.YooKassa(settings, wire, SettableClock(NOON + 5 * DAY))


def charge_of(number: int, **more: Any) -> Item:
    return {
        "id": f"ch_{number}", "amount": 4000, "amount_captured": 4000, "amount_refunded": 0,
        "captured": True, "currency": "usd", "created": int(when(number).timestamp()),
        "payment_intent": f"pi_{number}", "metadata": {}, **more,
    }  # fmt: skip


def payment_of(number: int, **more: Any) -> Item:
    return {
        "id": f"pay_{number}", "amount": 4000, "currency": "INR", "status": "captured",
        "captured": True, "created_at": int(when(number).timestamp()), "notes": [], **more,
    }  # fmt: skip


def moved(number: int, **more: Any) -> Item:
    return {
        "id": f"{number:08}-000f-5000-8000-18db351245c7", "status": "succeeded",
        "amount": {"value": "40.00", "currency": "RUB"},
        "created_at": when(number).isoformat(), "metadata": {}, **more,
    }  # fmt: skip


BUSY: dict[str, tuple[Callable[..., Gateway], Callable[..., Item], Callable[..., Item]]] = {
    "stripe": (stripe_at, as_stripe, charge_of),
    "razorpay": (razorpay_at, as_razorpay, payment_of),
    "yookassa": (yookassa_at, as_yookassa, moved),
}


@pytest.mark.parametrize("gateway", sorted(BUSY))
async def test_a_busy_day_is_read_in_parts_and_whole(gateway: str) -> None:
    open_at, answer, item = BUSY[gateway]
    busy = Busy([(when(n), item(n)) for n in range(MANY)])
    async with served(busy, answer) as url:
        till = open_at(url)
        assert isinstance(till, ListsPayments)
        found = await till.payments_between(NOON, NOON + DAY)
    assert isinstance(found, Payments), found
    assert found.complete
    assert len({fact.gateway_payment_id for fact in found.facts}) == MANY == len(found.facts)


@pytest.mark.parametrize("gateway", sorted(BUSY))
async def test_one_item_that_cannot_be_read_is_named_and_hides_none_of_the_others(
    gateway: str,
) -> None:
    open_at, answer, item = BUSY[gateway]
    noted = {"coinslot": "here", "payment": "p1"}
    bad = {"amount": None} if gateway == "yookassa" else {"currency": "bgn"}
    odd = [item(1, **bad), item(2, **bad, metadata=noted, notes=noted)]
    items = [(when(n), item(n)) for n in (0, 3)]
    busy = Busy([*items, *((when(n + 1), one) for n, one in enumerate(odd))])
    async with served(busy, answer) as url:
        till = open_at(url)
        assert isinstance(till, ListsPayments)
        found = await till.payments_between(NOON, NOON + DAY)
    assert isinstance(found, Payments), found
    assert found.complete
    assert len(found.facts) == 2
    assert {one.name for one in found.unread} == {one["id"] for one in odd}
    ours = [one for one in found.unread if one.mark and marks.is_ours(one.mark, "here")]
    assert [one.name for one in ours] == [odd[1]["id"]]
    assert all(
        one["id"] in unread.names for one, unread in zip(odd[::-1], found.unread, strict=True)
    )


async def test_refunds_that_cannot_be_read_are_named_too() -> None:
    back = {
        "id": "re_1", "amount": 1, "currency": "usd", "created": int(NOON.timestamp()),
        "payment_intent": "pi_1", "status": None, "metadata": {},
    }  # fmt: skip
    async with served(Busy([(NOON, back)]), as_stripe) as url:
        found = await stripe_at(url).refunds_between(NOON, NOON + DAY)
        assert isinstance(found, Refunds)
        assert [one.name for one in found.unread] == ["re_1"]


async def test_settlements_of_busy_weeks_are_read_a_day_at_a_time() -> None:
    def movement(number: int) -> Item:
        at = NOON - 9 * DAY + timedelta(seconds=number * 60)
        return {
            "id": f"txn_{number}", "amount": 4000, "fee": 10, "net": 3990, "currency": "usd",
            "type": "charge", "created": int(at.timestamp()),
            "available_on": int((at + 2 * DAY).timestamp()), "source": charge_of(number),
        }  # fmt: skip

    def at(item: Item) -> datetime:
        return datetime.fromtimestamp(item["created"], UTC)

    items = [movement(n) for n in range(MANY)]
    items += [items[0] | {"id": "txn_odd", "source": "ch_bare"}]
    busy = Busy([(at(item), item) for item in items])
    async with served(busy, as_stripe) as url:
        till = stripe_at(url)
        assert isinstance(till, Settles)
        found = await till.settled_between(NOON - DAY, NOON)
    assert isinstance(found, Settlements), found
    assert len(found.lines) == 24 * 60
    assert [one.name for one in found.unread] == ["txn_odd"]
    spans = [int(p["created[lt]"]) - int(p["created[gte]"]) for p in busy.asked]
    assert max(spans) == 86_400


def mine(number: int, charge: Charge, item: Callable[..., Item]) -> Item:
    noted = marks.written(charge.mark) | {marks.CHARGE: marks.key_sign(charge.key)}
    ended = {"status": "expired", "payment_status": "unpaid", "amount_total": 4000}
    return item(number, metadata=noted, **ended) | {"id": "cs_mine"}


@pytest.mark.parametrize("number", [0, 6_000, MANY - 1])
async def test_a_charge_among_many_is_found_within_its_keys_life(number: int) -> None:
    charge = Charge(
        money=Money(4000, "USD"), key="k", mark=Mark(installation="here", payment=str(uuid7(MADE))),
        description="", return_url="https://shop.example/", sent_at=NOON,
    )  # fmt: skip
    one = mine(number, charge, charge_of) | {"object": "checkout.session"}
    items = [(when(n), charge_of(n) if n != number else one) for n in range(MANY)]
    busy = Busy(items)
    async with served(busy, as_stripe, one) as url:
        till = stripe_at(url)
        assert isinstance(till, Collects)
        assert isinstance(await till.find_charge(charge), Closed)
        latest = max(int(p["created[lt]"]) for p in busy.asked)
        assert latest == (NOON + timedelta(hours=24)).timestamp()
        busy.lose(one)
        assert await till.find_charge(charge) == Absent()


async def test_what_is_more_in_one_second_than_is_read_at_once_is_unclear() -> None:
    busy = Busy([(NOON, charge_of(n) | {"created": int(NOON.timestamp())}) for n in range(5_100)])
    async with served(busy, as_stripe) as url:
        found = await stripe_at(url).payments_between(NOON, NOON + timedelta(minutes=1))
    assert isinstance(found, Unclear)
    assert "more than" in found.reason
