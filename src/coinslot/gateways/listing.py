"""Drivers whose gateway lists what happened in a span of time, for the nightly comparison.

Optional protocols beside `base.Gateway`, like `PrintsQr`. An answer is complete, or it is
`Unclear`."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar, runtime_checkable

from msgspec import Struct

from coinslot.gateways.base import Absent, Payments, Refunds, Unclear, Unread
from coinslot.kit.money import Money

T = TypeVar("T")


class SettledLine(Struct, frozen=True, kw_only=True):
    """One payment as the gateway paid it out. Refunds are in the same settlements, and not here:
    what they cost is known when they are made."""

    gateway_payment_id: str
    gross: Money
    fee: Money  # tax included; what is paid out is `gross - fee`
    settlement: str
    at: datetime


class Settlements(Struct, frozen=True):
    """All payments that were paid out in a span of time."""

    lines: tuple[SettledLine, ...]
    unread: tuple[Unread, ...] = ()


class TooMany(Struct, frozen=True):
    """A list holds more than is read at once: halve its span of time."""

    reason: str


class Listed(Struct, Generic[T], frozen=True):
    """The content of a list: each thing once, and what could not be read."""

    facts: tuple[T, ...]
    unread: tuple[Unread, ...] = ()


HALVINGS = 12  # thousands of parts; more than that is no list, but one that never ends


async def whole(
    since: datetime,
    until: datetime,
    ask: Callable[[datetime, datetime], Awaitable[Listed[T] | Unclear | TooMany]],
    halvings: int = HALVINGS,
) -> Listed[T] | Unclear:
    """A list of a span of time, in as many parts as it takes: a busy day has no upper bound."""
    found = await ask(since, until)
    if not isinstance(found, TooMany):
        return found
    middle = _middle(since, until)
    if middle is None or not halvings:
        return Unclear(f"{found.reason} between {since} and {until}")
    first = await whole(since, middle, ask, halvings - 1)
    if isinstance(first, Unclear):
        return first
    rest = await whole(middle, until, ask, halvings - 1)
    if isinstance(rest, Unclear):
        return rest
    return Listed(
        tuple(dict.fromkeys(first.facts + rest.facts)),
        tuple(dict.fromkeys(first.unread + rest.unread)),
    )


async def first_found(
    since: datetime,
    until: datetime,
    ask: Callable[[datetime, datetime], Awaitable[T | Absent | Unclear | TooMany]],
    halvings: int = HALVINGS,
) -> T | Absent | Unclear:
    """The one that is searched for, newest part of the span first. Absent only when all of it was
    read."""
    found = await ask(since, until)
    if not isinstance(found, TooMany):
        return found
    middle = _middle(since, until)
    if middle is None or not halvings:
        return Unclear(f"{found.reason} between {since} and {until}")
    newer = await first_found(middle, until, ask, halvings - 1)
    if not isinstance(newer, Absent):
        return newer
    return await first_found(since, middle, ask, halvings - 1)


def _middle(since: datetime, until: datetime) -> datetime | None:
    """Gateways take whole seconds."""
    begin, end = int(since.timestamp()), int(until.timestamp())
    return datetime.fromtimestamp((begin + end) // 2, UTC) if end - begin > 1 else None


@runtime_checkable
class ListsPayments(Protocol):
    """A gateway that lists payments and refunds by the time at which they were made."""

    async def payments_between(self, since: datetime, until: datetime) -> Payments | Unclear: ...

    async def refunds_between(self, since: datetime, until: datetime) -> Refunds | Unclear: ...


@runtime_checkable
class Settles(Protocol):
    """A gateway that reports what it paid out."""

    async def settled_between(self, since: datetime, until: datetime) -> Settlements | Unclear: ...
