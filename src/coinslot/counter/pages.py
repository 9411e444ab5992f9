"""The menu behind the code on a table or counter, and the basket. The basket travels in the address
and in the form: nothing is kept here before an order is placed, and no script is needed."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated, Final

from litestar import Response
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter
from litestar.response import Redirect
from msgspec import Struct
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.counter import (
    account_cookie,
    accounts,
    contacts,
    delivery,
    delivery_texts,
    offer_texts,
    offers,
    ordering,
    pickup,
    privacy,
)
from coinslot.counter import menu as menus
from coinslot.counter.basket import (
    NOTE,
    PIECES,
    BasketError,
    Line,
    Wish,
    least_of,
    lines_of,
    sum_of,
    tip_of,
)
from coinslot.counter.basket_query import (
    ADDRESS_CHARS,
    SMALL,
    Basket,
    PlaceForm,
    changed_by_one,
    choices_in,
    delivery_in,
    offer_of,
    query_of,
    query_with_more,
    slot_name,
    slot_named,
    spot_in,
    unreadable,
    wishes_in,
    with_added,
)
from coinslot.counter.contacts import CONSENT, Contact, ContactError
from coinslot.counter.delivery import DeliveryError, Zone
from coinslot.counter.flow import COUNTER
from coinslot.counter.hours import served
from coinslot.counter.limits import LatelyTried
from coinslot.counter.menu import MenuItem, Store
from coinslot.counter.offers import Guesses, Offer, OfferError
from coinslot.counter.ordering import ClosedError, Order, PriceChangedError, TooManyUnpaidError
from coinslot.counter.pickup import NoSlotError, SlotFullError
from coinslot.counter.texts import CounterWords, words_in
from coinslot.kit.ids import token, uuid_of
from coinslot.kit.money import EXPONENTS, Money
from coinslot.orders import checkout
from coinslot.orders.checkout import WayTap
from coinslot.orders.page_views import NotNowError
from coinslot.pages import browser, peer
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, Answer, AnyRequest, Renderer
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.site import Site
from coinslot.payments import gateway_accounts, ways_to_pay
from coinslot.payments.ways_to_pay import Way

TEMPLATES: Final = Path(__file__).parent / "templates"
_CARDS: Final = 60  # that one network begins in an hour

There = tuple[Store, Sequence[MenuItem]]
Slug = Annotated[str, PathParameter(max_length=63, pattern=STORABLE)]
Sku = Annotated[str, PathParameter(max_length=64, pattern=STORABLE)]


Form = Annotated[PlaceForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


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
        chosen = set(choices_in(request))
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
        changed = changed_by_one(request, wishes)
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
        together = with_added(wishes, self._added(request, item))
        where = self._link(request, slug, "basket")
        return Redirect(
            f"{where}{'&' if '?' in where else '?'}{query_of(together, spot_in(request))}",
            status_code=303,
        )

    def _added(self, request: AnyRequest, item: MenuItem) -> Wish:
        query = request.query_params
        quantity = query.get("quantity", "1")
        return Wish(
            sku=item.sku, quantity=int(quantity) if SMALL.fullmatch(quantity) else 0,
            choices=choices_in(request),
            note=" ".join(query.get("note", "").split())[: NOTE + 1],
        )  # fmt: skip

    async def place(self, request: AnyRequest, slug: Slug, data: Form) -> Response[str]:
        at, items = there = await self._known(slug, slot_named(data.at))
        wishes = wishes_in(data)
        basket = replace(
            self._basket(request, at, items, wishes, data.tip),
            slot=data.at,
            name=data.name,
            spot=data.spot,
            offer=offer_of(request, data.coupon, data.reward),
            deliver=uuid_of(data.deliver),
        )
        name = browser.named(request)
        wanted = Order(
            wishes=wishes, shown=int(data.shown), tip=tip_of(basket.lines, basket.percent),
            name=" ".join(data.name.split()),
            key=data.key, browser=name, network=peer.network(request),
            wanted_at=slot_named(data.at), spot=" ".join(data.spot.split()),
            offer=basket.offer, deliver=delivery_in(data),
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
            query=lambda wishes, to=None: query_with_more(
                query_of(wishes, basket.spot or spot_in(request)), basket, to
            ),
            o=offer_texts.WORDS.get(self._renderer.words(request).code, offer_texts.WORDS["en"]),
        )  # fmt: skip

    async def _zones(self, request: AnyRequest, at: Store, basket: Basket) -> list[Zone]:
        """None for whoever sits at a table."""
        if not basket.lines or basket.spot or spot_in(request):
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
            offer = offer_of(request, query.get("coupon", ""), query.get("reward", ""))
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
        if len(request.url.query) > ADDRESS_CHARS:
            raise unreadable()
        try:
            return tuple(Wish.read(t) for t in request.query_params.getall("line", []))
        except BasketError:
            raise unreadable() from None

    def _basket(
        self, request: AnyRequest, at: Store, items: Sequence[MenuItem], wishes: tuple[Wish, ...],
        tip: str | None = None,
    ) -> Basket:  # fmt: skip
        """Priced as far as it can be ordered."""
        asked = request.query_params.get("tip", "") if tip is None else tip
        percent = int(asked) if SMALL.fullmatch(asked) and int(asked) in at.tips else 0
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
        spot = str(values.pop("spot", "")) or spot_in(request)
        here = request.query_params.getall("line", []) if request.method == "GET" else []
        kept = query_of([Wish.read(text) for text in here], spot)
        return self._renderer.page(
            request, template, Answer(status=status), COUNTER.name, w=self._words(request),
            at=at, outlet=at.outlet,
            finds=bool(contacts.forms(self._context, at.phones)), brand=at.outlet.brand,
            kept_query=f"{kept}&" if kept else "",
            opens_at=None if at.open else at.hours.opens_next(at.now),
            kept=kept, money=Money, tip_of=tip_of, spot=spot,
            query=values.pop("query", None) or (lambda wishes: query_of(wishes, spot)),
            accept_min=max(1, round(at.windows.dispatch_s / 60)),
            fetch_h=max(1, round(at.windows.pickup_s / 3600)),
            privacy=privacy.WORDS.get(self._renderer.words(request).code, privacy.WORDS["en"])[
                "link"
            ], **values,
        )  # fmt: skip


def _one(items: Sequence[MenuItem], sku: str) -> MenuItem:
    for item in items:
        if item.sku == sku:
            return item
    raise RefusedError(404, "no_such_item", "The menu has no such item.", sentence="nothing_here")


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
