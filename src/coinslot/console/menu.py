"""Menus: what is offered, for how much, in which order, and when? What is changed here is what
customers see at once."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from coinslot.catalog import products
from coinslot.catalog.products import Described
from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.menu_fields import FieldsError, item_of_form, shown_text, typed_percent
from coinslot.console.uploads import TAKEN, FieldError, picture_of
from coinslot.counter import editing, menu, menu_file, menu_lines, store
from coinslot.counter.editing import CurrencyError
from coinslot.counter.menu import MenuItem, UnknownItemError
from coinslot.counter.menu_file import CHOICES, GROUPS, MenuFileError
from coinslot.counter.menu_lines import LineError, Typed
from coinslot.db.pool import Connection
from coinslot.kit.numbers import whole
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.audit_log import Act, record
from coinslot.people.sessions import SignedIn

TABLE_CHARS: Final = 300_000
_ORIGINS: Final = 20
_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
_SPARE: Final = 2  # empty rows for further choices

Change = Callable[[Connection, UUID], Awaitable[None]]


class Said(Struct, frozen=True):
    """What the audit log says of a change; `to` is what the menu is asked for after it."""

    action: str
    after: dict[str, Any]
    to: Mapping[str, str] = {}


class SharedStock(Struct, frozen=True, kw_only=True):
    """What choices of several items take from; `used_by` are their items."""

    id: UUID
    name: str
    left: int | None
    sold_out: bool
    used_by: tuple[str, ...]


class Shop(Struct, frozen=True, kw_only=True):
    """One counter, as the menu's pages name it."""

    outlet: str
    slug: str
    name: str
    place: str
    currency: str
    paused: bool
    tips: tuple[int, ...]
    tax_added: bool
    origins: tuple[str, ...]
    items: tuple[MenuItem, ...] = ()
    stocks: tuple[SharedStock, ...] = ()

    @property
    def sections(self) -> list[str]:
        return list(dict.fromkeys(item.section for item in self.items))

    @property
    def stations(self) -> list[str]:
        return sorted({item.station for item in self.items if item.station})


class MenuPages(SharedHandler):
    """Each form calls one verb of `counter`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def all(self, request: AnyRequest) -> Response[str] | Redirect:
        """The counters of a merchant; the menu of one that is alone."""
        shops = await self._shops(merchant_of(signed_in(request)))
        if not shops:
            return self._frame.to(request, "new-counter")
        if len(shops) == 1:
            return self._frame.to(request, "menu", shops[0].outlet)
        return await self._frame.page(request, "menus.html", shops=shops)

    async def one(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str]:
        return await self._menu(request, outlet)

    async def lines(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str] | Redirect:
        """Several items at once, a line for each."""
        form = await forms.read(request, TABLE_CHARS)
        shop, c = await self._known(request, outlet), self._frame.texts(request)
        try:
            typed = menu_lines.typed_lines(
                form.one("lines", TABLE_CHARS), shop.currency, typed_percent(form.one("tax", 6))
            )
        except LineError as error:
            return await self._menu(
                request, outlet, c[error.text].format(line=error), typed=form
            )  # fmt: skip
        except FieldsError as error:
            return await self._menu(request, outlet, error.said(c), typed=form)
        if not typed.items:
            return await self._menu(request, outlet, c["problem_menu_no_line"], typed=form)

        async def work(conn: Connection, merchant: UUID) -> None:
            for item in typed.items:
                await editing.add(conn, self._context, merchant, outlet, item)

        names = {"items": [item.name for item in typed.items]}
        said = Said("item.added", names, _added(shop, typed))
        return await self._change(request, outlet, form, said, work)

    async def new_item(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str]:
        return await self._item(request, await self._known(request, outlet), None)

    async def add_item(
        self, request: AnyRequest, outlet: FromPath[str]
    ) -> Response[str] | Redirect:
        return await self._save(request, outlet, None)

    async def item(
        self, request: AnyRequest, outlet: FromPath[str], item: FromPath[UUID]
    ) -> Response[str]:
        shop = await self._known(request, outlet)
        return await self._item(request, shop, _named(shop, item))

    async def edit_item(
        self, request: AnyRequest, outlet: FromPath[str], item: FromPath[UUID]
    ) -> Response[str] | Redirect:
        return await self._save(request, outlet, item)

    async def _save(
        self, request: AnyRequest, outlet: str, item: UUID | None
    ) -> Response[str] | Redirect:
        form, who = await forms.read(request), signed_in(request)
        shop = await self._known(request, outlet)
        before = None if item is None else _named(shop, item)
        try:
            edited = item_of_form(form, shop.currency, before)
            picture = await picture_of(self._context, merchant_of(who), form)
        except (FieldsError, FieldError) as error:
            c = self._frame.texts(request)
            said = error.said(c)
            return await self._item(request, shop, before, said, typed=form)

        async def work(conn: Connection, merchant: UUID) -> None:
            sku = edited.item.sku
            if before is None:
                made = await editing.add(conn, self._context, merchant, outlet, edited.item)
                sku = (await editing.item_of(conn, outlet, made)).sku
            else:
                await editing.edit(conn, self._context, merchant, outlet, edited)
            if picture is not None:
                known = await products.product(conn, merchant, sku)
                described = Described(
                    names=known.names, description=known.description,
                    descriptions=known.descriptions, picture=picture,
                )  # fmt: skip
                await products.describe_product(conn, merchant, sku, described)

        action = "item.added" if before is None else "item.changed"
        after = {
            "name": edited.item.name, "price": edited.item.price, "cost": edited.item.cost,
            "tax": edited.item.tax_bp, "stock": edited.item.stock,
        }  # fmt: skip
        return await self._change(request, outlet, form, Said(action, after), work)

    async def remove(
        self, request: AnyRequest, outlet: FromPath[str], item: FromPath[UUID]
    ) -> Response[str] | Redirect:
        form = await forms.read(request)
        shop = await self._known(request, outlet)
        name = _named(shop, item).name

        async def work(conn: Connection, _merchant: UUID) -> None:
            await editing.remove(conn, outlet, item, self._context.now())

        return await self._change(request, outlet, form, Said("item.removed", {"name": name}), work)

    async def stock(
        self, request: AnyRequest, outlet: FromPath[str], stock: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """How much is left of a stock that choices share, or that nothing is. A count that was not
        typed is not written: what was sold since the page was made stays sold."""
        form = await forms.read(request)
        shop = await self._known(request, outlet)
        name = next((one.name for one in shop.stocks if one.id == stock), None)
        if name is None:
            raise _unknown()
        gone, typed = form.one("sold_out") == "1", form.one("stock", 6)
        left = whole(typed, menu_file.STOCK)
        if typed and left is None:
            said = self._frame.texts(request)["problem_menu_stock"]
            return await self._menu(request, outlet, said)
        kept = typed == form.one("shown", 6)

        async def work(conn: Connection, _merchant: UUID) -> None:
            if gone:
                await menu.sold_out(conn, outlet, stock, self._context.now())
            else:
                await menu.back_on_sale(conn, outlet, stock, left, keep=kept)

        action = "item.sold_out" if gone else "item.on_sale"
        after = {"item": name, "stock": "" if gone or kept else typed}
        return await self._change(request, outlet, form, Said(action, after), work)

    async def move(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str] | Redirect:
        """Up or down by a button; before another item, or to the end of a section, by a hand."""
        form = await forms.read(request)
        await self._known(request, outlet)
        up, down, dragged = form.one("up"), form.one("down"), form.one("dragged")
        before, section = form.one("before"), form.one("section", 100)

        async def work(conn: Connection, _merchant: UUID) -> None:
            if form.one("section_up", 110):
                await editing.step_section(conn, outlet, form.one("section_up", 110)[1:], -1)
            elif form.one("section_down", 110):
                await editing.step_section(conn, outlet, form.one("section_down", 110)[1:], 1)
            elif up or down:
                await editing.step(conn, outlet, _uuid(up or down), -1 if up else 1)
            else:
                to = _uuid(before) if before else None
                await editing.move(conn, outlet, _uuid(dragged), before=to, section=section)

        said = {"moved": up or down or dragged or form.one("section_up", 110)
                or form.one("section_down", 110), "by": "up" if up else "down"}  # fmt: skip
        return await self._change(request, outlet, form, Said("menu.arranged", said), work)

    async def rename(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str] | Redirect:
        form = await forms.read(request)
        await self._known(request, outlet)
        old, new = form.one("old", 100), form.one("name", 100)

        async def work(conn: Connection, _merchant: UUID) -> None:
            await editing.rename_section(conn, outlet, old, new)

        return await self._change(
            request, outlet, form, Said("menu.arranged", {"section": new}), work
        )

    async def table(self, request: AnyRequest, outlet: FromPath[str]) -> Response[bytes]:
        """The menu as a file."""
        shop = await self._known(request, outlet)
        body = menu_file.write(shop.items, shop.currency).encode()
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="menu-{shop.slug}.csv"',
        }
        return Response(body, media_type="text/csv; charset=utf-8", headers=headers)

    async def read_table(
        self, request: AnyRequest, outlet: FromPath[str]
    ) -> Response[str] | Redirect:
        """First what a file would change; then that, as it was shown."""
        form = await forms.read(request, TABLE_CHARS)
        shop = await self._known(request, outlet)
        c = self._frame.texts(request)
        try:
            text = _text_of(form)
            wanted = menu_file.read(text, shop.currency)
        except (MenuFileError, UnicodeDecodeError) as error:
            said = c["problem_menu_table"].format(why=error)
            return await self._menu(request, outlet, said, typed=form)
        if form.one("apply") != "1":
            async with self._context.db.as_merchant(merchant_of(signed_in(request))) as conn:
                planned = await editing.plan(conn, outlet, wanted)
            return await self._frame.page(
                request, "menu_table.html", shop=shop, planned=planned, text=text,
                stock=form.one("stock"),
            )  # fmt: skip

        async def work(conn: Connection, merchant: UUID) -> None:
            await menu.write_menu(
                conn, self._context, merchant, outlet, wanted, stock=bool(form.one("stock"))
            )

        said_ = {"items": len(wanted), "stock": bool(form.one("stock"))}
        return await self._change(request, outlet, form, Said("menu.imported", said_), work)

    async def copy(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str] | Redirect:
        """The menu of another counter, beside what is here."""
        form = await forms.read(request)
        source = form.one("source", 64)
        await self._known(request, outlet)
        await self._known(request, source)

        async def work(conn: Connection, merchant: UUID) -> None:
            await editing.copy(conn, self._context, merchant, source, outlet)

        try:
            said = {"from": source}
            return await self._change(request, outlet, form, Said("menu.copied", said), work)
        except CurrencyError:
            said_ = self._frame.texts(request)["problem_menu_currency"]
            return await self._menu(request, outlet, said_)

    async def settings(
        self, request: AnyRequest, outlet: FromPath[str]
    ) -> Response[str] | Redirect:
        """What tips it suggests, and how it is taxed."""
        form = await forms.read(request)
        await self._known(request, outlet)
        typed = [part.strip(" %") for part in form.one("tips", 40).split(",") if part.strip(" %")]
        shares = {whole(one, 100, least=1) for one in typed}
        if len(typed) > 5 or None in shares:
            said = self._frame.texts(request)["problem_menu_tips"]
            return await self._menu(request, outlet, said, typed=form)
        origins = form.one("origins", 2000).lower().split()
        if len(origins) > _ORIGINS or not all(_ORIGIN.fullmatch(one) for one in origins):
            said = self._frame.texts(request)["problem_menu_origins"]
            return await self._menu(request, outlet, said, typed=form)
        tips, added = sorted(filter(None, shares)), form.one("tax") == "added"

        async def work(conn: Connection, _merchant: UUID) -> None:
            await conn.execute(store.SET_STORE, outlet, tips, added, origins)

        said_ = {"tips": tips, "tax_added": added, "origins": origins}
        return await self._change(request, outlet, form, Said("store.changed", said_), work)

    async def _change(
        self, request: AnyRequest, outlet: str, form: Form, said: Said, work: Change
    ) -> Redirect:  # fmt: skip
        """Once, with its entry in the audit log, in one transaction."""
        merchant = merchant_of(signed_in(request))

        async def worked(who: SignedIn) -> Done:
            async with self._context.db.as_merchant(merchant) as conn:
                await work(conn, merchant)
                act = Act(action=said.action, merchant=merchant, subject=outlet, after=said.after)
                await record(conn, who.actor, act, self._context.now())
            after = said.after
            more = {"moved": after["moved"], "by": after["by"]} if "moved" in after else {}
            return Done(to=self._frame.to(request, "menu", outlet, **more, **said.to))

        try:
            return await once(self._context, request, form, worked)
        except UnknownItemError:
            raise _unknown() from None

    async def _menu(
        self, request: AnyRequest, outlet: str, problem: str = "", **values: Any
    ) -> Response[str]:
        shop = await self._known(request, outlet)
        shops = await self._shops(merchant_of(signed_in(request)))
        return await self._frame.page(
            request, "menu.html", shop=shop, problem=problem,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            others=[one for one in shops if one.outlet != outlet and one.currency == shop.currency],
            moved=request.query_params.get("moved", ""), by=request.query_params.get("by", ""),
            tax=menu_file.percent(shop.items[-1].tax_bp) if shop.items else "",
            added=whole(request.query_params.get("added", ""), menu_lines.LINES) or 0,
            added_in=_sections_at(shop, request.query_params.get("in", "")),
            **{"typed": None, **values},
        )  # fmt: skip

    async def _item(
        self, request: AnyRequest, shop: Shop, item: MenuItem | None, problem: str = "",
        *, typed: Form | None = None,
    ) -> Response[str]:  # fmt: skip
        options = list(item.options) if item else []
        return await self._frame.page(
            request, "menu_edit.html", shown_text=shown_text, shop=shop, item=item,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK, problem=problem,
            typed=typed, taken=TAKEN, percent=menu_file.percent, spare=_SPARE,
            groups=min(len(options) + 1, max(GROUPS, len(options))), most=CHOICES,
            tax=menu_file.percent(shop.items[-1].tax_bp) if shop.items else "",
            section=request.query_params.get("section", ""),
        )  # fmt: skip

    async def _shops(self, merchant: UUID) -> list[Shop]:
        async with self._context.db.as_merchant(merchant) as conn:
            return [_shop(row, ()) for row in await conn.fetch(store.STORES)]

    async def _known(self, request: AnyRequest, outlet: str) -> Shop:
        """Raises RefusedError for another merchant's."""
        async with self._context.db.as_merchant(merchant_of(signed_in(request))) as conn:
            for row in await conn.fetch(store.STORES):
                if row["outlet_id"] == outlet:
                    items = await menu.menu(conn, outlet)
                    shared = await conn.fetch(store.SHARED, [outlet])
                    return _shop(row, items, [_stock(one, items) for one in shared])
        raise _unknown()


def _added(shop: Shop, typed: Typed) -> Mapping[str, str]:
    """How many items, and which sections of the menu, by their places, came of lines."""
    sections = list(dict.fromkeys([*shop.sections, *(item.section for item in typed.items)]))
    places = [str(sections.index(one)) for one in typed.sections]
    return {"added": str(len(typed.items)), "in": ".".join(places)}


def _sections_at(shop: Shop, places: str) -> list[str]:
    found = [whole(one, len(shop.sections) - 1) for one in places.split(".")]
    return [shop.sections[place] for place in found if place is not None]


def _stock(row: Any, items: Sequence[MenuItem]) -> SharedStock:
    users = [
        item.name for item in items
        if any(c.stock == row["name"] for option in item.options for c in option.choices)
    ]  # fmt: skip
    return SharedStock(
        id=row["id"], name=row["name"], left=row["stock"], sold_out=row["sold_out"],
        used_by=tuple(users),
    )  # fmt: skip


def _shop(row: Any, items: Sequence[MenuItem], stocks: Sequence[SharedStock] = ()) -> Shop:
    return Shop(
        outlet=row["outlet_id"], slug=row["slug"], name=row["name"], place=row["place"],
        currency=row["currency"], paused=row["paused_at"] is not None, tips=tuple(row["tips"]),
        tax_added=row["tax_added"], origins=tuple(row["origins"]), items=tuple(items),
        stocks=tuple(stocks),
    )  # fmt: skip


def _named(shop: Shop, item: UUID) -> MenuItem:
    found = next((one for one in shop.items if one.id == item), None)
    if found is None:
        raise _unknown()
    return found


def _text_of(form: Form) -> str:
    """Of the file, else of what was pasted. Raises UnicodeDecodeError."""
    file = form.files.get("file")
    return form.raw("table") if file is None else file.decode("utf-8")


def _uuid(text: str) -> UUID:
    found = forms.uuid_of(text)
    if found is None:
        raise _unknown()
    return found


def _unknown() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such counter or item.")
