"""A counter over HTTP: its menu and checkout for customers' programs. Fields are named as programs
of that system know them; `staff_orders.py` has the board."""

from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from litestar import Response
from litestar.params import HeaderParameter, JSONBody, PathParameter
from msgspec import Meta, Struct

from coinslot.context import Context
from coinslot.counter import menu, ordering
from coinslot.counter.basket import BasketError, Choice, Option, Wish
from coinslot.counter.contacts import CONSENT, Contact, ContactError
from coinslot.counter.delivery import Delivery, DeliveryError, Point
from coinslot.counter.menu import MenuItem, Store
from coinslot.counter.offers import Guesses, Offer, OfferError
from coinslot.counter.ordering import ClosedError, Order, PriceChangedError, TooManyUnpaidError
from coinslot.counter.pickup import NoSlotError, SlotFullError
from coinslot.orders import checkout, outlet_pages
from coinslot.orders.checkout import WayTap
from coinslot.orders.page_views import NotNowError
from coinslot.pages import peer
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, AnyRequest
from coinslot.pages.shared_handler import SharedHandler

NOT_PLACED: Final = (
    BasketError, ContactError, PriceChangedError, ClosedError, TooManyUnpaidError, NoSlotError,
    SlotFullError, OfferError, DeliveryError,
)  # fmt: skip
Slug = Annotated[str, PathParameter(max_length=63, pattern=STORABLE)]
Text = Annotated[str, Meta(max_length=200, pattern=STORABLE)]
Cents = Annotated[int, Meta(ge=0, le=10**12)]
_VARIES: Final = {"Vary": "Origin"}
_ALLOWED: Final = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "600",
}
_KEY: Final = r"\A[A-Za-z0-9_-]{16,64}\Z"
Key = Annotated[str | None, HeaderParameter(name="Idempotency-Key", required=False, pattern=_KEY)]


CONTACT_CODES: Final = {
    "phone": "bad_phone", "phone_country": "phone_country", "email": "bad_email",
    "consent": "consent_missing",
}  # fmt: skip
_CONTACT_SAYS: Final = {
    "phone": "The phone is not a number by E.164, such as +4915112345678.",
    "phone_country": "The store sends no messages to phones of this country.",
    "email": "This is no e-mail address.",
    "consent": f"A phone or an e-mail needs consentVersion {CONSENT}: the text that was shown.",
}


class WantedItem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One line of POST /api/checkout-session."""

    menu_item_id: UUID
    quantity: Annotated[int, Meta(ge=1, le=10)] = 1
    choices: Annotated[list[Text], Meta(max_length=40)] = []
    notes: Text = ""


class WantedDelivery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an order goes: as people read it, and as the zones are asked."""

    address: Annotated[str, Meta(min_length=1, max_length=300, pattern=STORABLE)]
    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]


class WantedSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What POST /api/checkout-session takes. `total_cents` is what the customer was shown."""

    store_slug: Text
    items: Annotated[list[WantedItem], Meta(min_length=1, max_length=20)]
    total_cents: Cents | None = None
    tip_cents: Cents = 0
    customer_name: Annotated[str, Meta(max_length=80, pattern=STORABLE)] = ""
    pickup_at: Annotated[datetime, Meta(tz=True)] | None = None  # None: as soon as it can be
    table: Annotated[str, Meta(max_length=20, pattern=STORABLE)] = ""
    customer_phone: Annotated[str, Meta(max_length=40, pattern=STORABLE)] = ""
    customer_email: Annotated[str, Meta(max_length=254, pattern=STORABLE)] = ""
    consent_version: Text = ""
    coupon_code: Annotated[str, Meta(max_length=40, pattern=STORABLE)] = ""
    deliver_to: WantedDelivery | None = None  # None: it is picked up


Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class StoreStatement(Struct, frozen=True, kw_only=True, rename="camel"):
    """A counter, as its customers see it now."""

    slug: str
    name: str
    currency: str
    is_open: bool
    tax_included: bool
    tip_percents: list[int]
    opens_at: Moment | None
    pickup_times: list[Moment]
    consent_version: str


class MenuChoice(Struct, frozen=True, kw_only=True, rename="camel"):
    """One choice of an option."""

    id: str
    name: str
    price_cents: int
    is_available: bool
    allergens: list[str]


class MenuOption(Struct, frozen=True, kw_only=True, rename="camel"):
    """What may be chosen for an item."""

    id: str
    name: str
    min: int
    max: int
    free: int
    choices: list[MenuChoice]


class MenuItemStatement(Struct, frozen=True, kw_only=True, rename="camel"):
    """One item of a menu; never what it costs its merchant."""

    id: str
    name: str
    description: str
    section: str
    price_cents: int
    is_available: bool
    sort_order: int
    allergens: list[str]
    image_url: str | None
    options: list[MenuOption]


class MenuStatement(Struct, frozen=True, kw_only=True, rename="camel"):
    """What GET /api/stores/{slug}/menu answers."""

    store: StoreStatement
    items: list[MenuItemStatement]


class SessionStatement(Struct, frozen=True, kw_only=True, rename="camel"):
    """What POST /api/checkout-session answers: `url` is where the customer goes now."""

    order_number: str
    total_cents: int
    currency: str
    payment_status: str
    order_url: str
    url: str


class Stores(SharedHandler):
    """For customers' programs: no sign-in."""

    def __init__(self, context: Context, guesses: Guesses) -> None:
        self._context, self._guesses = context, guesses

    async def may_call(self, request: AnyRequest) -> Response[None]:
        """A browser asks whether a page of another website may call (CORS)."""
        origin = request.headers.get("origin", "")
        allowed = bool(origin) and await menu.may_call(self._context, origin)
        headers = {**_ALLOWED, "Access-Control-Allow-Origin": origin} if allowed else {}
        return Response(None, status_code=HTTPStatus.NO_CONTENT, headers=headers | _VARIES)

    async def menu(self, request: AnyRequest, slug: Slug) -> Response[MenuStatement]:
        """The store and its menu, as customers are offered it now."""
        at, items = await self._known(slug)
        return Response(self._menu(at, items), headers=_shared(request, at))

    def _menu(self, at: Store, items: list[MenuItem]) -> MenuStatement:
        opens = None if at.open else at.hours.opens_next(at.now)
        slots = at.hours.slots(at.now) if at.works else []
        shop = StoreStatement(
            slug=at.slug, name=at.outlet.name, currency=at.outlet.currency, is_open=at.open,
            tax_included=not at.tax_added, tip_percents=list(at.tips),
            opens_at=opens.isoformat() if opens else None,
            pickup_times=[slot.isoformat() for slot in slots], consent_version=CONSENT,
        )  # fmt: skip
        return MenuStatement(
            store=shop, items=[_item(item, self._context.pictures_prefix) for item in items]
        )

    async def session(
        self, request: AnyRequest, data: JSONBody[WantedSession], key: Key = None
    ) -> Response[SessionStatement]:
        """Place an order, at the menu's prices, and begin to pay for it. `url` is where the
        customer goes now."""
        at, items = await self._known(data.store_slug, data.pickup_at)
        wanted = Order(
            wishes=tuple(_wish(item, items) for item in data.items), shown=data.total_cents,
            tip=data.tip_cents, name=" ".join(data.customer_name.split()), key=key,
            network=peer.network(request), wanted_at=data.pickup_at,
            spot=" ".join(data.table.split()), offer=Offer(coupon=data.coupon_code),
            deliver=_delivery(data.deliver_to),
            contact=Contact(
                phone=data.customer_phone, email=data.customer_email,
                agreed=data.consent_version == CONSENT, network=peer.network(request),
            ),
        )  # fmt: skip
        network = peer.network(request)
        try:
            self._guesses.look(at, network, wanted.offer)
            token = await ordering.place(self._context, at, wanted)
        except NOT_PLACED as error:
            if isinstance(error, OfferError):
                self._guesses.note(at, network, error)
            refused_ = _not_placed(error, items)
            for name, value in _shared(request, at).items():
                refused_.with_header(name, value)
            raise refused_ from None
        return Response(
            await self._begun(token), status_code=HTTPStatus.CREATED, headers=_shared(request, at)
        )

    async def _begun(self, token: str) -> SessionStatement:
        with suppress(NotNowError):  # placed, and its page offers the ways that work
            await checkout.pay(self._context, WayTap(order=token))
        view = await outlet_pages.order(self._context, token)
        assert view is not None
        page = f"{self._context.public_url}/o/{token}"
        link = view.pay.url if view.pay is not None else None
        return SessionStatement(
            order_number=view.number, total_cents=view.money.minor, currency=view.currency,
            payment_status="PAID" if view.paid_at else "PENDING", order_url=page,
            url=link or page,
        )  # fmt: skip

    async def _known(
        self, slug: str, wanted: datetime | None = None
    ) -> tuple[Store, list[MenuItem]]:
        """Raises RefusedError."""
        at = await menu.store_of(self._context, slug)
        if at is None:
            raise RefusedError(404, "no_such_store", "No store has this address.")
        async with self._context.db.as_merchant(at.merchant) as conn:
            return at, await menu.menu_at(conn, at, wanted)


def _shared(request: AnyRequest, at: Store) -> dict[str, str]:
    """Headers by which a browser lets a page of a listed website read the answer."""
    origin = request.headers.get("origin", "")
    return _VARIES | ({"Access-Control-Allow-Origin": origin} if origin in at.origins else {})


def _delivery(wanted: WantedDelivery | None) -> Delivery | None:
    if wanted is None:
        return None
    point = Point(wanted.latitude, wanted.longitude)
    return Delivery(address=wanted.address, point=point)


def _not_placed(error: Exception, items: list[MenuItem]) -> RefusedError:
    match error:
        case PriceChangedError():
            now = error.total.total
            details: dict[str, object] = {
                "shownCents": error.shown, "totalCents": now,
                "differenceCents": now - error.shown,
            }  # fmt: skip
            return RefusedError(409, "price_changed", "It costs something else now.", details)
        case BasketError():
            named = next((str(i.id) for i in items if i.sku == error.item), None)
            status = 409 if error.code in ("sold_out", "choice_sold_out") else 422
            return RefusedError(
                status, error.code, str(error), None if named is None else {"menuItemId": named}
            )
        case DeliveryError(code="least"):
            told: dict[str, object] = {"leastCents": error.least}
            return RefusedError(422, "below_minimum", "It is too little to be delivered.", told)
        case DeliveryError():
            return RefusedError(422, "not_delivered_there", "It is not delivered there.")
        case OfferError():
            least: dict[str, object] | None = {"leastCents": error.least} if error.least else None
            return RefusedError(422, "no_discount", f"Nothing is taken off: {error.code}.", least)
        case NoSlotError():
            return RefusedError(409, "no_such_slot", "Nothing is picked up at this time.")
        case SlotFullError():
            later = None if error.following is None else error.following.isoformat()
            return RefusedError(
                409, "slot_full", "The kitchen has no time for it then.", {"nextPickupAt": later}
            )
        case ContactError():
            return RefusedError(422, CONTACT_CODES[error.code], _CONTACT_SAYS[error.code])
        case TooManyUnpaidError():
            return RefusedError(429, "too_many_unpaid", "Pay an order that was placed before.")
        case _:
            return RefusedError(409, "store_closed", "The store takes no orders now.")


def _wish(wanted: WantedItem, items: list[MenuItem]) -> Wish:
    """Raises RefusedError."""
    found = next((item for item in items if item.id == wanted.menu_item_id), None)
    if found is None:
        raise RefusedError(
            422, "unknown_item", "The menu has no such item.",
            {"menuItemId": str(wanted.menu_item_id)},
        )  # fmt: skip
    return Wish(
        sku=found.sku, quantity=wanted.quantity, choices=tuple(sorted(wanted.choices)),
        note=" ".join(wanted.notes.split()),
    )  # fmt: skip


def _item(item: MenuItem, prefix: str) -> MenuItemStatement:
    return MenuItemStatement(
        id=str(item.id), name=item.name, description=item.description, section=item.section,
        price_cents=item.price, is_available=item.available, sort_order=item.place,
        allergens=list(item.allergens),
        image_url=None if item.picture is None else item.picture.src(prefix),
        options=[_option(option) for option in item.options],
    )  # fmt: skip


def _option(option: Option) -> MenuOption:
    return MenuOption(
        id=option.id, name=option.name, min=option.min, max=option.max, free=option.free,
        choices=[_choice(choice) for choice in option.choices],
    )  # fmt: skip


def _choice(choice: Choice) -> MenuChoice:
    return MenuChoice(
        id=choice.id, name=choice.name, price_cents=choice.price, is_available=choice.there,
        allergens=list(choice.allergens),
    )  # fmt: skip
