"""The menu behind the code on a table or counter, and the basket. The basket travels in the address
and in the form: nothing is kept here before an order is placed, and no script is needed."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter
from litestar.response import Redirect
from msgspec import Meta, Struct
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.counter import (
    account_cookie,
    accounts,
    arrival_texts,
    arrivals,
    contacts,
    delivery,
    delivery_texts,
    offer_texts,
    offers,
    ordering,
    pickup,
    privacy,
    pushing,
    resending,
    staff,
)
from coinslot.counter import menu as menus
from coinslot.counter.arrivals import Arrival, Position, TooFarError
from coinslot.counter.basket import (
    NOTE,
    PIECES,
    BasketError,
    Line,
    Sum,
    Wish,
    least_of,
    lines_of,
    sum_of,
    tip_of,
)
from coinslot.counter.contacts import CONSENT, Contact, ContactError
from coinslot.counter.delivery import Delivery, DeliveryError, Zone
from coinslot.counter.flow import COUNTER
from coinslot.counter.hours import served
from coinslot.counter.limits import LatelyTried
from coinslot.counter.menu import MenuItem, Store
from coinslot.counter.offers import Card, Guesses, Offer, OfferError
from coinslot.counter.ordering import ClosedError, Order, PriceChangedError, TooManyUnpaidError
from coinslot.counter.pickup import NoSlotError, SlotFullError
from coinslot.counter.staff import CounterError, Why
from coinslot.counter.texts import CounterWords, words_in
from coinslot.events.notices.browsers import BadSubscriptionError
from coinslot.kit.ids import token, uuid_of
from coinslot.kit.money import EXPONENTS, Money
from coinslot.orders import checkout, outlet_pages
from coinslot.orders.checkout import WayTap
from coinslot.orders.page_views import NotNowError
from coinslot.pages import assets, browser, peer, security
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, Answer, AnyRequest, Renderer
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.site import Site
from coinslot.payments import gateway_accounts, ways_to_pay
from coinslot.payments.ways_to_pay import Way

TEMPLATES: Final = Path(__file__).parent / "templates"
_SPOT: Final = 20
_CARDS: Final = 60  # that one network begins in an hour
_ADDRESS: Final = 6000  # characters of a basket in an address
_SMALL: Final = re.compile(r"[0-9]{1,3}")

There = tuple[Store, Sequence[MenuItem]]
Slug = Annotated[str, PathParameter(max_length=63, pattern=STORABLE)]
Sku = Annotated[str, PathParameter(max_length=64, pattern=STORABLE)]
Token = Annotated[str, PathParameter(max_length=64, pattern=STORABLE)]


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


class HereForm(Struct):
    """Where somebody waits; the position of their phone in degrees, and by how many metres it may
    be wrong."""

    note: Annotated[str, Meta(max_length=60, pattern=STORABLE)] = ""
    lat: Annotated[str, Meta(max_length=24)] = ""
    lng: Annotated[str, Meta(max_length=24)] = ""
    accuracy: Annotated[str, Meta(max_length=24)] = ""
    insists: Annotated[str, Meta(pattern=r"\A1?\Z")] = ""


class PushForm(Struct):
    """A subscription, as a browser writes it."""

    subscription: Annotated[str, Meta(max_length=4000)]


Push = Annotated[PushForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
Here = Annotated[HereForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
Form = Annotated[PlaceForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


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


class Trouble(Struct, frozen=True, kw_only=True):
    """Why nothing was placed, and what was typed, so that nobody types it twice."""

    said: str = ""
    status: int = 409
    typed: PlaceForm | None = None


_NO_TROUBLE: Final = Trouble(status=200)


class CounterPages(SharedHandler):
    """Reads the address, calls one verb, shows or redirects."""

    def __init__(self, context: Context, site: Site, guesses: Guesses) -> None:
        self._context, self._guesses = context, guesses
        self._cards = LatelyTried(context, _CARDS)
        self._renderer = Renderer(site, more=(TEMPLATES,))

    async def menu(self, request: AnyRequest, slug: Slug) -> Response[str]:
        at, items = await self._known(slug)
        basket = self._basket(request, at, items, self._wishes(request))
        sections = [
            (name, list(group)) for name, group in groupby(items, key=lambda item: item.section)
        ]
        return self._page(request, "menu.html", at, sections=sections, basket=basket)

    async def privacy(self, request: AnyRequest, slug: Slug) -> Response[str]:
        at, _ = await self._known(slug)
        said = await privacy.view(self._context, at)
        return self._page(
            request, "privacy.html", at, said=said,
            p=privacy.WORDS.get(self._renderer.words(request).code, privacy.WORDS["en"]),
        )  # fmt: skip

    async def item(self, request: AnyRequest, slug: Slug, sku: Sku) -> Response[str]:
        at, items = await self._known(slug)
        basket = self._basket(request, at, items, self._wishes(request))
        return await self._item(request, at, _one(items, sku), basket)

    async def _item(
        self, request: AnyRequest, at: Store, item: MenuItem, basket: Basket, problem: str = ""
    ) -> Response[str]:
        chosen = set(_choices(request))
        note = request.query_params.get("note")
        if note is None:
            who = await accounts.signed_in(self._context, at, account_cookie.held(request, at))
            note = who.note if who is not None else ""
        return self._page(
            request, "menu_item.html", at, 422 if problem else 200, item=item, basket=basket,
            problem=problem, chosen=chosen, most=min(PIECES, item.left or PIECES),
            note_most=NOTE, note=note[:NOTE], exponents=EXPONENTS, least=least_of(item.priced()),
            varies=any(choice.price for option in item.options for choice in option.choices),
        )  # fmt: skip

    async def basket(self, request: AnyRequest, slug: Slug) -> Response[str]:
        """The basket; with `sku`, after that was added to it."""
        at, items = there = await self._known(slug)
        wishes = self._wishes(request)
        added = request.query_params.get("sku")
        changed = _changed_by_one(request, wishes)
        if changed is not None:
            where = self._link(request, slug, "basket").partition("?")[0]
            return Redirect(f"{where}?{changed}", status_code=303)
        if added is None:
            return await self._show(request, there, self._basket(request, at, items, wishes))
        item = _one(items, added)
        try:
            lines_of({item.sku: item.priced()}, [self._added(request, item)])
        except BasketError as error:
            basket = self._basket(request, at, items, wishes)
            said = self._said(request, error, items)
            return await self._item(request, at, item, basket, said)
        together = _together(wishes, self._added(request, item))
        where = self._link(request, slug, "basket")
        return Redirect(
            f"{where}{'&' if '?' in where else '?'}{_query(together, _spot(request))}",
            status_code=303,
        )

    def _added(self, request: AnyRequest, item: MenuItem) -> Wish:
        query = request.query_params
        quantity = query.get("quantity", "1")
        return Wish(
            sku=item.sku, quantity=int(quantity) if _SMALL.fullmatch(quantity) else 0,
            choices=_choices(request),
            note=" ".join(query.get("note", "").split())[: NOTE + 1],
        )  # fmt: skip

    async def place(self, request: AnyRequest, slug: Slug, data: Form) -> Response[str]:
        at, items = there = await self._known(slug, slot_named(data.at))
        wishes = _wishes_of(data)
        basket = replace(
            self._basket(request, at, items, wishes, data.tip),
            slot=data.at,
            name=data.name,
            spot=data.spot,
            offer=_offer(request, data.coupon, data.reward),
            deliver=uuid_of(data.deliver),
        )
        name = browser.named(request)
        wanted = Order(
            wishes=wishes, shown=int(data.shown), tip=tip_of(basket.lines, basket.percent),
            name=" ".join(data.name.split()),
            key=data.key, browser=name, network=peer.network(request),
            wanted_at=slot_named(data.at), spot=" ".join(data.spot.split()),
            offer=basket.offer, deliver=_delivery(data),
            contact=self._contact(request, data),
        )  # fmt: skip
        try:
            self._guesses.look(at, peer.network(request), wanted.offer)
            order = await ordering.place(self._context, at, wanted)
        except BasketError as error:
            trouble = Trouble(said=self._said(request, error, items), typed=data)
        except OfferError as error:
            self._guesses.note(at, peer.network(request), error)
            basket = replace(basket, offer=Offer())  # its page does not look it up again
            trouble = Trouble(said=self._no_offer(request, at, error), typed=data)
        except DeliveryError as error:
            trouble = Trouble(said=self._not_there(request, at, error), status=422, typed=data)
        except ContactError as error:
            said = str(getattr(self._words(request), f"bad_{error.code}"))
            trouble = Trouble(said=said, status=422, typed=data)
        except PriceChangedError as changed:
            trouble = Trouble(said=self._changed(request, at, changed), typed=data)
        except TooManyUnpaidError:
            trouble = Trouble(said=self._words(request).busy, status=429)
        except (NoSlotError, SlotFullError) as error:
            trouble = Trouble(said=self._no_slot(request, at, error), typed=data)
        except ClosedError:
            trouble = Trouble(said=self._words(request).closed)
        else:
            answer = await self._begin(request, order, data)
            browser.remember(request, answer, name, "/s")
            return answer
        return await self._show(request, there, basket, trouble)

    def _contact(self, request: AnyRequest, data: PlaceForm) -> Contact:
        return Contact(
            phone=data.phone, email=data.email, agreed=data.agreed == CONSENT,
            language=self._renderer.words(request).code, network=peer.network(request),
        )  # fmt: skip

    async def _begin(self, request: AnyRequest, order: str, data: PlaceForm) -> Response[str]:
        """The order's page shows what became of the step to the gateway."""
        try:
            begun = await checkout.pay(
                self._context, WayTap(order=order, way=data.way, key=data.key)
            )
        except NotNowError:
            begun = None  # placed, and its page offers the ways that work
        more = {"go": "1"} if begun else {}
        return Redirect(self._renderer.formatter(request).link("o", order, **more), status_code=303)

    async def cancel(self, request: AnyRequest, order: Token) -> Response[str]:
        """The customer's, while nobody has begun with it."""
        try:
            await staff.cancel(self._context, order)
        except CounterError as error:
            if error.why is not Why.ACCEPTED:
                raise RefusedError(
                    404, "no_such_order", "No order has this link.", sentence="unknown_order"
                ) from None
        return Redirect(self._renderer.formatter(request).link("o", order), status_code=303)

    async def here(self, request: AnyRequest, order: Token, data: Here) -> Response[str]:
        """The customer waits outside. One whose phone is elsewhere is told so, and may insist."""
        note = " ".join(data.note.split())
        said = Arrival(
            note=note, position=Position.read(data.lat, data.lng, data.accuracy),
            insists=data.insists == "1",
        )  # fmt: skip
        try:
            await arrivals.arrived(self._context, order, said)
        except TooFarError as error:
            return await self._too_far(request, order, note, error.metres)
        except CounterError:
            raise RefusedError(
                404, "no_such_order", "No order has this link.", sentence="unknown_order"
            ) from None
        return Redirect(self._renderer.formatter(request).link("o", order), status_code=303)

    async def _too_far(
        self, request: AnyRequest, order: str, note: str, metres: float
    ) -> Response[str]:
        view = await outlet_pages.order(self._context, order)
        assert view is not None
        formatter = self._renderer.formatter(request, view.brand.languages)
        page = self._renderer.page(
            request, "too_far.html", Answer(status=422), COUNTER.name, brand=view.brand,
            order=view, note=note, distance=formatter.distance(metres),
            w=arrival_texts.WORDS.get(formatter.words.code, arrival_texts.WORDS["en"]),
        )  # fmt: skip
        security.may_ask_where(page)
        return page

    async def resend(self, request: AnyRequest, order: Token) -> Response[str]:
        """The customer asks for the code once more."""
        try:
            await resending.again(self._context, order)
        except CounterError as error:
            if error.why is Why.UNKNOWN:
                raise RefusedError(
                    404, "no_such_order", "No order has this link.", sentence="unknown_order"
                ) from None
        return Redirect(self._renderer.formatter(request).link("o", order), status_code=303)

    async def push(self, request: AnyRequest, order: Token, data: Push) -> Response[str]:
        """This browser shows notices of the order."""
        language = self._renderer.words(request).code
        try:
            await pushing.subscribe(
                self._context, order, data.subscription, language, peer.network(request)
            )
        except CounterError:
            raise RefusedError(404, "no_such_order", "No order has this link.") from None
        except BadSubscriptionError:
            raise RefusedError(400, "bad_request", "This is no subscription.") from None
        return Response("")

    async def worker(self) -> Response[bytes]:
        return Response(
            assets.load(pushing.WORKER).body, media_type="text/javascript; charset=utf-8",
            headers={
                "Cache-Control": "no-cache",
                "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
                "Service-Worker-Allowed": "/o/",
            },
        )  # fmt: skip

    async def _show(
        self, request: AnyRequest, there: There, basket: Basket, trouble: Trouble = _NO_TROUBLE
    ) -> Response[str]:
        at, items = there
        try:
            basket = await self._offered(request, at, basket)
        except OfferError as error:
            self._guesses.note(at, peer.network(request), error)
            trouble = replace(trouble, said=trouble.said or self._no_offer(request, at, error))
            basket = replace(basket, offer=Offer())
        if trouble.typed is None and not basket.name:
            who = await accounts.signed_in(self._context, at, account_cookie.held(request, at))
            basket = replace(basket, name=who.name if who is not None else "")
        zones = await self._zones(request, at, basket)
        try:
            basket = self._delivered(request, basket, zones)
        except DeliveryError as error:
            trouble = replace(trouble, said=trouble.said or self._not_there(request, at, error))
            basket = replace(basket, deliver=None)
        ways: list[Way] = []
        slots: list[datetime] = []
        least = 1
        if basket.total is not None and basket.total.total:
            price = Money(basket.total.total, at.outlet.currency)
            slots = await self._slots(at, items, basket)
            ways = await ways_to_pay.offered(self._context, at.merchant, at.outlet.code, price)
            least = await ways_to_pay.least(
                self._context, at.merchant, at.outlet.code, at.outlet.currency
            )
        return self._page(
            request, "basket.html", at, trouble.status, basket=basket, ways=ways,
            problem=trouble.said or basket.problem, keys=token, typed=trouble.typed,
            consent=CONSENT, is_real=gateway_accounts.is_real, slots=slots,
            grows=_grows(items, basket.wishes),
            slot_name=slot_name, chosen_slot=basket.slot,
            typed_name=basket.name, spot=basket.spot,
            too_little=basket.total is not None and 0 < basket.total.total < least,
            least=Money(least, at.outlet.currency),
            asked={form.value for form in contacts.forms(self._context, at.phones)},
            coupons=await self._has_coupons(at), zones=zones,
            d=delivery_texts.WORDS.get(
                self._renderer.words(request).code, delivery_texts.WORDS["en"]
            ),
            query=lambda wishes, to=None: _more_query(
                _query(wishes, basket.spot or _spot(request)), basket, to
            ),
            o=offer_texts.WORDS.get(self._renderer.words(request).code, offer_texts.WORDS["en"]),
        )  # fmt: skip

    async def _zones(self, request: AnyRequest, at: Store, basket: Basket) -> list[Zone]:
        """None for whoever sits at a table."""
        if not basket.lines or basket.spot or _spot(request):
            return []
        async with self._context.db.as_merchant(at.merchant) as conn:
            return await delivery.zones(conn, at.outlet.code)

    def _delivered(self, request: AnyRequest, basket: Basket, zones: Sequence[Zone]) -> Basket:
        """With the fee of the zone that was chosen. Raises DeliveryError."""
        chosen = basket.deliver or uuid_of(request.query_params.get("deliver", ""))
        if chosen is None or basket.total is None or not zones:
            return replace(basket, deliver=None)
        zone = delivery.named(zones, chosen, basket.total.goods - basket.total.off)
        return replace(basket, deliver=zone.id, total=replace(basket.total, delivery=zone.fee))

    def _not_there(self, request: AnyRequest, at: Store, error: DeliveryError) -> str:
        words = delivery_texts.WORDS.get(
            self._renderer.words(request).code, delivery_texts.WORDS["en"]
        )
        least = Money(error.least, at.outlet.currency)
        return words[f"no_{error.code}"].format(
            least=self._renderer.formatter(request).money(least)
        )

    async def _has_coupons(self, at: Store) -> bool:
        async with self._context.db.as_merchant(at.merchant) as conn:
            return await offers.has_coupons(conn, at, self._context.now())

    async def _offered(self, request: AnyRequest, at: Store, basket: Basket) -> Basket:
        """With what a coupon or a card takes off it. Raises OfferError."""
        offer = basket.offer
        if offer == Offer():
            query = request.query_params
            offer = _offer(request, query.get("coupon", ""), query.get("reward", ""))
        goods = sum(line.total for line in basket.lines)
        self._guesses.look(at, peer.network(request), offer)
        async with self._context.db.as_merchant(at.merchant) as conn:
            collects = await offers.program_of(conn, at) is not None
            card = await offers.card_of(conn, self._context, at, offer.card)
            taken = await offers.look(conn, self._context, at, offer, goods)
        total = sum_of(
            basket.lines, tax_added=at.tax_added, tip=tip_of(basket.lines, basket.percent),
            off=taken.off,
        )  # fmt: skip
        return replace(basket, total=total, offer=offer, card=card, collects=collects)

    def _no_offer(self, request: AnyRequest, at: Store, error: OfferError) -> str:
        words = offer_texts.WORDS.get(self._renderer.words(request).code, offer_texts.WORDS["en"])
        least = Money(error.least, at.outlet.currency)
        return words[f"no_{error.code}"].format(
            least=self._renderer.formatter(request).money(least)
        )

    async def card(self, request: AnyRequest, slug: Slug) -> Response[str]:
        """What is on this browser's card, and how to begin one."""
        at, _ = await self._known(slug)
        held = browser.known(request) or ""
        async with self._context.db.as_merchant(at.merchant) as conn:
            program = await offers.program_of(conn, at)
            card = await offers.card_of(conn, self._context, at, held)
            lines = [] if card is None else await offers.entries(conn, self._context, at, held)
        if program is None:
            raise RefusedError(404, "no_such_page", "Nothing is here.", sentence="nothing_here")
        return self._page(
            request, "card.html", at, program=program, card=card, lines=lines,
            o=offer_texts.WORDS.get(self._renderer.words(request).code, offer_texts.WORDS["en"]),
        )  # fmt: skip

    async def begin_card(self, request: AnyRequest, slug: Slug) -> Response[str]:
        """This browser collects from now on. Twice begins one card."""
        at, _ = await self._known(slug)
        name, network = browser.named(request), peer.network(request)
        if self._cards.is_spent(slug, network):
            raise RefusedError(429, "too_many_requests", "Too often.", sentence="too_often")
        if await offers.begin_card(self._context, at, name):
            self._cards.note(slug, network)
        answer: Response[str] = Redirect(self._link(request, slug, "card"), status_code=303)
        browser.remember(request, answer, name, "/s")
        return answer

    async def _slots(self, at: Store, items: Sequence[MenuItem], basket: Basket) -> list[datetime]:
        """In which all of it can be picked up."""
        wanted = {item.sku: item for item in items}
        work = sum(wanted[wish.sku].prep_min * wish.quantity for wish in basket.wishes)
        async with self._context.db.as_merchant(at.merchant) as conn:
            found = await pickup.free_slots(conn, at.kitchen, work)
        hours = [wanted[wish.sku].hours for wish in basket.wishes]
        return [slot for slot in found if all(served(week, slot, at.hours.zone) for week in hours)]

    def _no_slot(self, request: AnyRequest, at: Store, error: NoSlotError | SlotFullError) -> str:
        words = self._words(request)
        if isinstance(error, NoSlotError):
            return words.no_slot
        if error.following is None:
            return words.kitchen_full
        said = self._renderer.formatter(request).day_and_hour(error.following, at.hours.zone.key)
        return words.kitchen_full_until.format(time=said)

    async def _known(
        self, slug: str, chosen: datetime | None = None
    ) -> tuple[Store, list[MenuItem]]:
        """Raises RefusedError where there is no such store."""
        at = await menus.store_of(self._context, slug)
        if at is None:
            raise RefusedError(
                404, "no_such_store", "No store has this address.", sentence="no_counter"
            )
        async with self._context.db.as_merchant(at.merchant) as conn:
            return at, await menus.menu_at(conn, at, chosen)

    def _wishes(self, request: AnyRequest) -> tuple[Wish, ...]:
        """Raises RefusedError for an address that no page of ours made."""
        if len(request.url.query) > _ADDRESS:
            raise _unreadable()
        try:
            return tuple(Wish.read(t) for t in request.query_params.getall("line", []))
        except BasketError:
            raise _unreadable() from None

    def _basket(
        self, request: AnyRequest, at: Store, items: Sequence[MenuItem], wishes: tuple[Wish, ...],
        tip: str | None = None,
    ) -> Basket:  # fmt: skip
        """Priced as far as it can be ordered."""
        asked = request.query_params.get("tip", "") if tip is None else tip
        percent = int(asked) if _SMALL.fullmatch(asked) and int(asked) in at.tips else 0
        kept: list[Line] = []
        problems: dict[str, None] = {}  # each once, in their order
        menu = {item.sku: item.priced() for item in items}
        for wish in wishes:
            try:
                kept += lines_of(menu, [wish])
            except BasketError as error:
                problems[self._said(request, error, items)] = None
        tip_minor = tip_of(kept, percent)
        return Basket(
            wishes=tuple(line.wish for line in kept), lines=tuple(kept), percent=percent,
            total=sum_of(kept, tax_added=at.tax_added, tip=tip_minor),
            problem=" ".join(problems),
        )  # fmt: skip

    def _said(self, request: AnyRequest, error: BasketError, items: Sequence[MenuItem]) -> str:
        words = self._words(request)
        language = self._renderer.words(request).code
        name = next((i.name_in(language) for i in items if i.sku == error.item), error.item)
        return str(getattr(words, error.code, words.unreadable)).format(item=name)

    def _changed(self, request: AnyRequest, at: Store, changed: PriceChangedError) -> str:
        formatter, currency = self._renderer.formatter(request), at.outlet.currency
        return self._words(request).price_changed.format(
            old=formatter.money(Money(changed.shown, currency)),
            new=formatter.money(Money(changed.total.total, currency)),
        )

    def _words(self, request: AnyRequest) -> CounterWords:
        return words_in(self._renderer.words(request).code)

    def _link(self, request: AnyRequest, *parts: str) -> str:
        return self._renderer.formatter(request).link("s", *parts)

    def _page(
        self, request: AnyRequest, template: str, at: Store, status: int = 200, **values: object
    ) -> Response[str]:
        spot = str(values.pop("spot", "")) or _spot(request)
        here = request.query_params.getall("line", []) if request.method == "GET" else []
        kept = _query([Wish.read(text) for text in here], spot)
        return self._renderer.page(
            request, template, Answer(status=status), COUNTER.name, w=self._words(request),
            at=at, outlet=at.outlet,
            finds=bool(contacts.forms(self._context, at.phones)), brand=at.outlet.brand,
            kept_query=f"{kept}&" if kept else "",
            opens_at=None if at.open else at.hours.opens_next(at.now),
            kept=kept, money=Money, tip_of=tip_of, spot=spot,
            query=values.pop("query", None) or (lambda wishes: _query(wishes, spot)),
            accept_min=max(1, round(at.windows.dispatch_s / 60)),
            fetch_h=max(1, round(at.windows.pickup_s / 3600)),
            privacy=privacy.WORDS.get(self._renderer.words(request).code, privacy.WORDS["en"])[
                "link"
            ], **values,
        )  # fmt: skip


def slot_name(slot: datetime) -> str:
    """In forms and addresses."""
    return str(int(slot.timestamp()) // 60)


def slot_named(name: str) -> datetime | None:
    """None: as soon as it can be. Raises RefusedError for a time that no calendar has."""
    try:
        return datetime.fromtimestamp(int(name) * 60, UTC) if name else None
    except (ValueError, OverflowError, OSError):
        raise _unreadable() from None


def _choices(request: AnyRequest) -> tuple[str, ...]:
    """Of the form of an item. Where one of several is chosen, the field has the option's name."""
    pairs = request.query_params.multi_items()
    return tuple(sorted(v for k, v in pairs if v and (k == "choice" or k.startswith("choice."))))


def _one(items: Sequence[MenuItem], sku: str) -> MenuItem:
    for item in items:
        if item.sku == sku:
            return item
    raise RefusedError(404, "no_such_item", "The menu has no such item.", sentence="nothing_here")


def _together(wishes: Sequence[Wish], added: Wish) -> list[Wish]:
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


def _changed_by_one(request: AnyRequest, wishes: tuple[Wish, ...]) -> str | None:
    """The query of the basket after the button for one more, or one fewer, of a line; None: there
    was none. What else was chosen stays."""
    query = request.query_params
    step = 1 if "more" in query else -1 if "fewer" in query else 0
    if not step:
        return None
    named = query.get("more" if step > 0 else "fewer", "")
    place = int(named) if _SMALL.fullmatch(named) else len(wishes)
    found = [
        replace(wish, quantity=min(wish.quantity + step, PIECES)) if n == place else wish
        for n, wish in enumerate(wishes)
    ]
    rest = [(k, v) for k, v in query.multi_items() if k not in ("line", "more", "fewer")]
    return urlencode([*rest, *(("line", wish.text()) for wish in found if wish.quantity > 0)])


def _grows(items: Sequence[MenuItem], wishes: Sequence[Wish]) -> list[bool]:
    """Of each line, whether there is one more."""
    menu = {item.sku: item.priced() for item in items}
    found = []
    for place, wish in enumerate(wishes):
        more = replace(wish, quantity=wish.quantity + 1)
        try:
            lines_of(menu, [*wishes[:place], more, *wishes[place + 1 :]])
        except BasketError:
            found.append(False)
        else:
            found.append(True)
    return found


def _query(wishes: Sequence[Wish], spot: str = "") -> str:
    """Of an address."""
    return urlencode([*([("spot", spot)] if spot else []), *(("line", w.text()) for w in wishes)])


def _offer(request: AnyRequest, coupon: str, reward: str) -> Offer:
    """What was typed, with the card of this browser."""
    return Offer(
        coupon=offers.normal(coupon)[:40], reward=reward == "1", card=browser.known(request) or ""
    )


def _wishes_of(data: PlaceForm) -> tuple[Wish, ...]:
    """Raises RefusedError."""
    typed = [data.line] if isinstance(data.line, str) else data.line
    try:
        return tuple(Wish.read(text) for text in typed)
    except BasketError:
        raise _unreadable() from None


def _delivery(data: PlaceForm) -> Delivery | None:
    """Raises RefusedError for a zone that no page of ours named."""
    if not data.deliver:
        return None
    zone = uuid_of(data.deliver)
    if zone is None:
        raise _unreadable()
    return Delivery(address=" ".join(data.address.split()), zone=zone)


def _more_query(query: str, basket: Basket, to: str | None = None) -> str:
    """Of an address, with what was chosen beside the dishes; `to`: another zone, or none."""
    offer = basket.offer
    more = {"coupon": offer.coupon} if offer.coupon else {"reward": "1"} if offer.reward else {}
    zone = str(basket.deliver or "") if to is None else to
    more |= {"deliver": zone} if zone else {}
    return "&".join(filter(None, (query, urlencode(more))))


def _spot(request: AnyRequest) -> str:
    """The table whose code was scanned."""
    return " ".join(request.query_params.get("spot", "").split())[:_SPOT]


def _unreadable() -> RefusedError:
    return RefusedError(400, "bad_request", "This is no order.", sentence="unreadable")
