"""Products: what is sold, and what does it cost? What a slot costs is set at its machine."""

import re
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from coinslot.catalog import products
from coinslot.catalog.products import Described, Product, ProductChange, UnknownProductError
from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.uploads import TAKEN, FieldError, picture_of
from coinslot.db.pool import Connection
from coinslot.gateways.fiscal import RATES
from coinslot.gateways.form import read_at
from coinslot.gateways.receipts import VATS
from coinslot.kit.ids import uuid7
from coinslot.kit.money import (
    EXPONENTS,
    Money,
    MoneyRangeError,
    MoneyTextError,
    UnknownCurrencyError,
)
from coinslot.merchants.merchants import currencies
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.texts import LANGUAGES
from coinslot.people.audit_log import Act, record
from coinslot.people.sessions import SignedIn
from coinslot.pictures import pictures

_TAXED: Final = "RUB"  # a product of this currency has a rate of its own
_PAGE: Final = 100
_NAME, _DESCRIPTION, _CATEGORY = 100, 200, 40
_SKU: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class Typed(Struct, frozen=True, kw_only=True):
    """What the form asks for."""

    name: str
    price: Money
    cost: Money
    described: Described
    vat: str = ""


class ProductPages(SharedHandler):
    """Each page asks one verb of `catalog`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def all(self, request: AnyRequest) -> Response[str]:
        merchant = merchant_of(signed_in(request))
        async with self._context.db.as_merchant(merchant) as conn:
            after = request.query_params.get("after") or None
            found = await products.products(conn, merchant, after, _PAGE)
            shown = await pictures.shown(conn, [one.picture for one in found if one.picture])
        return await self._frame.page(
            request, "products.html", found=found, pictures=shown,
            following=found[-1].sku if len(found) == _PAGE else "",
        )  # fmt: skip

    async def one(self, request: AnyRequest, sku: FromPath[str]) -> Response[str]:
        return await self._product(request, await self._known(request, sku))

    async def new(self, request: AnyRequest) -> Response[str]:
        return await self._product(request, None)

    async def add(self, request: AnyRequest) -> Response[str] | Redirect:
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        sku = form.one("sku", 40)
        try:
            typed = await self._typed(form, merchant)
            if not _SKU.fullmatch(sku):
                raise FieldError("problem_sku")
        except (FieldError, MoneyTextError) as error:
            return await self._again(request, None, form, error)

        async def work(who: SignedIn) -> Done:
            now = self._context.now()
            async with self._context.db.as_merchant(merchant) as conn:
                made = Product(
                    id=uuid7(now), sku=sku, name=typed.name, price=typed.price,
                    cost_minor=typed.cost.minor, vat=typed.vat or None,
                )  # fmt: skip
                if await products.add_product(conn, merchant, made) != made.id:
                    raise FieldError("problem_sku_taken")
                await _describe(conn, merchant, sku, typed.described)
                await record(conn, who.actor, _act("product.added", merchant, sku, typed), now)
            return Done(to=self._frame.to(request, "products", done="product_added"))

        try:
            return await once(self._context, request, form, work)
        except FieldError as error:
            return await self._again(request, None, form, error)

    async def edit(self, request: AnyRequest, sku: FromPath[str]) -> Response[str] | Redirect:
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        before = await self._known(request, sku)
        try:
            typed = await self._typed(form, merchant, before.price.currency)
        except (FieldError, MoneyTextError) as error:
            return await self._again(request, before, form, error)

        async def work(who: SignedIn) -> Done:
            now = self._context.now()
            async with self._context.db.as_merchant(merchant) as conn:
                change = ProductChange(
                    name=typed.name,
                    price=typed.price,
                    cost_minor=typed.cost.minor,
                    vat=typed.vat,
                )
                await products.edit_product(conn, merchant, sku, change)
                await _describe(conn, merchant, sku, typed.described)
                await record(conn, who.actor, _act("product.changed", merchant, sku, typed), now)
            return Done(to=self._frame.to(request, "products", done="product"))

        return await once(self._context, request, form, work)

    async def retire(self, request: AnyRequest, sku: FromPath[str]) -> Response[str] | Redirect:
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        retired = form.one("to") == "retired"
        await self._known(request, sku)

        async def work(who: SignedIn) -> Done:
            now, name = self._context.now(), "product_retired" if retired else "product_offered"
            act = Act(action=name.replace("_", "."), merchant=merchant, subject=sku)
            async with self._context.db.as_merchant(merchant) as conn:
                await products.retire_product(conn, merchant, sku, retired, now)
                await record(conn, who.actor, act, now)
            return Done(to=self._frame.to(request, "products", sku, done=name))

        return await once(self._context, request, form, work)

    async def _typed(self, form: Form, merchant: UUID, currency: str = "") -> Typed:
        """Reads the form, and keeps its picture. Raises MoneyTextError and FieldError."""
        name, currency = form.one("name", _NAME), currency or form.one("currency", 3).upper()
        try:
            price = Money.typed(form.one("price", 40), currency)
            cost = Money.typed(form.one("cost", 40) or "0", currency)
        except (MoneyRangeError, UnknownCurrencyError) as error:
            raise MoneyTextError(str(error)) from error
        if price.minor <= 0 or cost.minor < 0 or not name:
            raise MoneyTextError(form.one("price"))
        described = Described(
            names=_by_language(form, "name", _NAME), description=form.one("text", _DESCRIPTION),
            descriptions=_by_language(form, "text", _DESCRIPTION),
            category=" ".join(form.one("category", _CATEGORY).split()),
            picture=await picture_of(self._context, merchant, form),
        )  # fmt: skip
        vat = form.one("vat", 10)
        if vat and vat not in VATS:
            raise FieldError("problem_vat")
        return Typed(name=name, price=price, cost=cost, described=described, vat=vat)

    async def _known(self, request: AnyRequest, sku: str) -> Product:
        merchant = merchant_of(signed_in(request))
        try:
            async with self._context.db.as_merchant(merchant) as conn:
                return await products.product(conn, merchant, sku)
        except UnknownProductError:
            raise RefusedError(404, "not_found", "There is no such product.") from None

    async def _again(
        self, request: AnyRequest, product: Product | None, form: Form, error: Exception
    ) -> Response[str]:
        """The page once more, with what was typed and what is wrong with it."""
        c = self._frame.texts(request)
        currency = product.price.currency if product else form.one("currency", 3)
        said = (
            error.said(c)
            if isinstance(error, FieldError)
            else c["problem_product"].format(currency=currency)
        )
        return await self._product(
            request, product, problem=said, status=HTTPStatus.UNPROCESSABLE_ENTITY, typed=form
        )

    async def _product(
        self, request: AnyRequest, product: Product | None, **values: Any
    ) -> Response[str]:
        who = signed_in(request)
        merchant = merchant_of(who)
        async with self._context.db.as_merchant(merchant) as conn:
            digests = [product.picture] if product and product.picture else []
            shown = await pictures.shown(conn, digests)
            known = await currencies(conn)
            categories = await products.categories(conn, merchant)
        known += sorted(set(EXPONENTS) - set(known))
        return await self._frame.page(
            request, "product.html", product=product, picture=next(iter(shown.values()), None),
            currencies=known, categories=categories, others=tuple(LANGUAGES.values()), taken=TAKEN,
            rates=_rates(self._frame.texts(request)["language"]),
            taxed=(product.price.currency if product else known[0]) == _TAXED,
            longest=(_NAME, _DESCRIPTION, _CATEGORY), **{"typed": None, **values},
        )  # fmt: skip


def _rates(language: str) -> dict[str, str]:
    return {vat: words[read_at(language)] for vat, words in RATES.items()}


def _by_language(form: Form, field: str, longest: int) -> dict[str, str]:
    found = {code: form.one(f"{field}_{code}", longest) for code in LANGUAGES}
    return {code: text for code, text in found.items() if text}


async def _describe(conn: Connection, merchant: UUID, sku: str, wanted: Described) -> None:
    """Raises RefusedError when its picture ended between the upload and now."""
    if wanted.picture and not await pictures.stored(conn, merchant, wanted.picture):
        raise RefusedError(409, "picture_gone", "This picture is gone: choose it again.")
    await products.describe_product(conn, merchant, sku, wanted)


def _act(action: str, merchant: UUID, sku: str, typed: Typed) -> Act:
    after = {"name": typed.name, "price": str(typed.price), "cost": str(typed.cost)}
    if typed.described.picture is not None:
        after["picture"] = typed.described.picture
    return Act(action=action, merchant=merchant, subject=sku, after=after)
