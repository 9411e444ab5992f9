"""Stripe's lists of a span of time: charges, refunds, and what came into the balance. Part of
`stripe.py`."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

import msgspec

from coinslot.gateways import stripe_facts as read
from coinslot.gateways import stripe_shapes as shapes
from coinslot.gateways import unread
from coinslot.gateways.base import Absent, Payments, Refunds, Unclear, Unread
from coinslot.gateways.listing import Listed, SettledLine, Settlements, TooMany, whole
from coinslot.kit.money import Money

T = TypeVar("T")

PENDING_AT_MOST = timedelta(days=14)  # from the movement to the day on which it can be paid out


DAY = timedelta(days=1)


class _Pages(Protocol):
    """What `stripe.py` asks a list with: all pages, or why not."""

    async def _list(
        self, path: str, filters: Mapping[str, str | int]
    ) -> list[object] | TooMany | Absent | Unclear: ...


class Lists:
    """`ListsPayments` and `Settles`. A charge is listed by the time at which it was made."""

    async def payments_between(
        self: _Pages, since: datetime, until: datetime
    ) -> Payments | Unclear:
        more = {"expand[0]": "data.balance_transaction"}
        found = await _all(self, "/v1/charges", more, (since, until), read.charge)
        return Payments(found.facts, unread=found.unread) if isinstance(found, Listed) else found

    async def refunds_between(self: _Pages, since: datetime, until: datetime) -> Refunds | Unclear:
        found = await _all(self, "/v1/refunds", {}, (since, until), read.refund_of_payment)
        return Refunds(found.facts, unread=found.unread) if isinstance(found, Listed) else found

    async def settled_between(
        self: _Pages, since: datetime, until: datetime
    ) -> Settlements | Unclear:
        """It lists movements by the time at which they were made; they are available later. A day
        at a time is read, and of it kept what was paid out in the span."""
        more: dict[str, str | int] = {"type": "charge", "expand[0]": "data.source"}
        lines: dict[SettledLine, None] = {}
        odd: dict[Unread, None] = {}
        begin = since - PENDING_AT_MOST
        while begin < until:
            day = (begin, min(begin + DAY, until))
            found = await _all(self, "/v1/balance_transactions", more, day, _line)
            if not isinstance(found, Listed):
                return found
            lines |= dict.fromkeys(line for line in found.facts if since <= line.at < until)
            odd |= dict.fromkeys(found.unread)
            begin += DAY
        return Settlements(tuple(lines), tuple(odd))


async def _all(
    pages: _Pages,
    path: str,
    more: Mapping[str, str | int],
    span: tuple[datetime, datetime],
    read_one: Callable[[object], T | None],
) -> Listed[T] | Unclear:
    async def ask(since: datetime, until: datetime) -> Listed[T] | Unclear | TooMany:
        listed = await pages._list(path, {**more, **created(since, until)})
        if not isinstance(listed, list):
            return Unclear("there is no such list") if isinstance(listed, Absent) else listed
        facts, odd = unread.read_each(listed, read_one)
        return Listed(tuple(dict.fromkeys(facts)), tuple(odd))

    return await whole(*span, ask)


def _line(body: object) -> SettledLine | None:
    said = msgspec.convert(body, shapes.Balance)
    source = msgspec.convert(said.source, shapes.Charge)
    if source.payment_intent is None or said.available_on is None:
        return None
    currency = said.currency.upper()
    return SettledLine(
        gateway_payment_id=source.payment_intent,
        gross=Money(said.amount, currency),
        fee=Money(said.fee, currency),
        settlement=said.id,
        at=datetime.fromtimestamp(said.available_on, UTC),
    )


def created(since: datetime, until: datetime) -> dict[str, int]:
    return {"created[gte]": int(since.timestamp()), "created[lt]": int(until.timestamp())}
