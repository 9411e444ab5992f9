"""The basket in an address and in a form: read, changed by one line, and written again."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import replace

from coinslot.counter import offers
from coinslot.counter.basket import PIECES, BasketError, Line, Sum, Wish
from coinslot.counter.delivery import Delivery
from coinslot.counter.offers import Card, Offer
from coinslot.kit.ids import uuid_of
from coinslot.pages import browser
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, AnyRequest

SPOT_CHARS: Final = 20
ADDRESS_CHARS: Final = 6000  # characters of a basket in an address
SMALL: Final = re.compile(r"[0-9]{1,3}")


class PlaceForm(Struct):
    """The form behind the pay button of a basket."""

    key: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{16,64}\Z")]
    shown: Annotated[str, Meta(pattern=r"\A[0-9]{1,12}\Z")]  # minor units, as the page showed
    line: Annotated[list[str], Meta(max_length=40)] | Annotated[str, Meta(max_length=400)] = []
    tip: Annotated[str, Meta(pattern=r"\A[0-9]{0,3}\Z")] = ""
    name: Annotated[str, Meta(max_length=80, pattern=STORABLE)] = ""
    phone: Annotated[str, Meta(max_length=40, pattern=STORABLE)] = ""
    email: Annotated[str, Meta(max_length=254, pattern=STORABLE)] = ""
    agreed: Annotated[str, Meta(max_length=20, pattern=STORABLE)] = ""
    way: Annotated[str, Meta(max_length=64, pattern=STORABLE)] = ""
    at: Annotated[str, Meta(pattern=r"\A([0-9]{1,12})?\Z")] = ""  # its slot, in minutes of UTC
    spot: Annotated[str, Meta(max_length=20, pattern=STORABLE)] = ""
    coupon: Annotated[str, Meta(max_length=40, pattern=STORABLE)] = ""
    reward: Annotated[str, Meta(pattern=r"\A1?\Z")] = ""
    deliver: Annotated[str, Meta(max_length=40, pattern=STORABLE)] = ""  # the zone; else picked up
    address: Annotated[str, Meta(max_length=300, pattern=STORABLE)] = ""


class Basket(Struct, frozen=True, kw_only=True):
    """What an address or a form holds, and what of it can be ordered. `problem` says what not."""

    wishes: tuple[Wish, ...]
    lines: tuple[Line, ...] = ()
    total: Sum | None = None
    percent: int = 0
    problem: str = ""
    slot: str = ""  # what was chosen and typed in its form
    name: str = ""
    spot: str = ""
    offer: Offer = Offer()
    deliver: UUID | None = None  # the zone that it goes to; None: it is picked up
    card: Card | None = None
    collects: bool = False  # the store has something to collect

    @property
    def texts(self) -> list[str]:
        return [wish.text() for wish in self.wishes]


def slot_name(slot: datetime) -> str:
    """In forms and addresses."""
    return str(int(slot.timestamp()) // 60)


def slot_named(name: str) -> datetime | None:
    """None: as soon as it can be. Raises RefusedError for a time that no calendar has."""
    try:
        return datetime.fromtimestamp(int(name) * 60, UTC) if name else None
    except (ValueError, OverflowError, OSError):
        raise unreadable() from None


def choices_in(request: AnyRequest) -> tuple[str, ...]:
    """Of the form of an item. Where one of several is chosen, the field has the option's name."""
    pairs = request.query_params.multi_items()
    return tuple(sorted(v for k, v in pairs if v and (k == "choice" or k.startswith("choice."))))


def with_added(wishes: Sequence[Wish], added: Wish) -> list[Wish]:
    """The same item with the same choices is one line, while that has room."""
    found = list(wishes)
    for place, wish in enumerate(found):
        same = (wish.sku, wish.choices, wish.note) == (added.sku, added.choices, added.note)
        if same and wish.quantity + added.quantity <= PIECES:
            found[place] = Wish(
                sku=wish.sku, quantity=wish.quantity + added.quantity, choices=wish.choices,
                note=wish.note,
            )  # fmt: skip
            return found
    return [*found, added]


def changed_by_one(request: AnyRequest, wishes: tuple[Wish, ...]) -> str | None:
    """The query of the basket after the button for one more, or one fewer, of a line; None: there
    was none. What else was chosen stays."""
    query = request.query_params
    step = 1 if "more" in query else -1 if "fewer" in query else 0
    if not step:
        return None
    named = query.get("more" if step > 0 else "fewer", "")
    place = int(named) if SMALL.fullmatch(named) else len(wishes)
    found = [
        replace(wish, quantity=min(wish.quantity + step, PIECES)) if n == place else wish
        for n, wish in enumerate(wishes)
    ]
    rest = [(k, v) for k, v in query.multi_items() if k not in ("line", "more", "fewer")]
    return urlencode([*rest, *(("line", wish.text()) for wish in found if wish.quantity > 0)])


def query_of(wishes: Sequence[Wish], spot: str = "") -> str:
    """Of an address."""
    return urlencode([*([("spot", spot)] if spot else []), *(("line", w.text()) for w in wishes)])


def offer_of(request: AnyRequest, coupon: str, reward: str) -> Offer:
    """What was typed, with the card of this browser."""
    return Offer(
        coupon=offers.normal(coupon)[:40], reward=reward == "1", card=browser.known(request) or ""
    )


def wishes_in(data: PlaceForm) -> tuple[Wish, ...]:
    """Raises RefusedError."""
    typed = [data.line] if isinstance(data.line, str) else data.line
    try:
        return tuple(Wish.read(text) for text in typed)
    except BasketError:
        raise unreadable() from None


def delivery_in(data: PlaceForm) -> Delivery | None:
    """Raises RefusedError for a zone that no page of ours named."""
    if not data.deliver:
        return None
    zone = uuid_of(data.deliver)
    if zone is None:
        raise unreadable()
    return Delivery(address=" ".join(data.address.split()), zone=zone)


def query_with_more(query: str, basket: Basket, to: str | None = None) -> str:
    """Of an address, with what was chosen beside the dishes; `to`: another zone, or none."""
    offer = basket.offer
    more = {"coupon": offer.coupon} if offer.coupon else {"reward": "1"} if offer.reward else {}
    zone = str(basket.deliver or "") if to is None else to
    more |= {"deliver": zone} if zone else {}
    return "&".join(filter(None, (query, urlencode(more))))


def spot_in(request: AnyRequest) -> str:
    """The table whose code was scanned."""
    return " ".join(request.query_params.get("spot", "").split())[:SPOT_CHARS]


def unreadable() -> RefusedError:
    return RefusedError(400, "bad_request", "This is no order.", sentence="unreadable")
