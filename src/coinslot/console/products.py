"""Products: what does it cost? What a slot costs is set at its machine."""

from http import HTTPStatus
from typing import Final

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.catalog.products import (
    ProductChange,
    UnknownProductError,
    edit_product,
    products,
)
from coinslot.console import forms
from coinslot.console.forms import Done, once
from coinslot.console.frame import Frame
from coinslot.console.whose import merchant_of
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.audit_log import Act

_PAGE: Final = 100


class ProductPages(SharedHandler):
    """Each page asks one verb of `catalog`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def all(self, request: AnyRequest) -> Response[str]:
        return await self._products(request)

    async def edit(self, request: AnyRequest, sku: FromPath[str]) -> Response[str] | Redirect:
        form, who = await forms.read(request), signed_in(request)
        merchant, name, currency = merchant_of(who), form.one("name", 100), form.one("currency", 3)
        try:
            price = Money.typed(form.one("price", 40), currency)
            if price.minor <= 0 or not name:
                raise MoneyTextError(form.one("price"))
        except (MoneyTextError, MoneyRangeError):
            problem = self._frame.texts(request)["problem_product"].format(currency=currency)
            return await self._products(request, problem, HTTPStatus.UNPROCESSABLE_ENTITY)

        async def work() -> Done:
            async with self._context.db.as_merchant(merchant) as conn:
                change = ProductChange(name=name, price=price)
                await edit_product(conn, merchant, sku, change)
            act = Act(
                action="product.changed", merchant=merchant, subject=sku,
                after={"name": name, "price": str(price)},
            )  # fmt: skip
            return Done(to=self._frame.to(request, "products", done="product"), act=act)

        try:
            return await once(self._context, who, request, form, work)
        except UnknownProductError:
            raise RefusedError(404, "not_found", "There is no such product.") from None

    async def _products(
        self, request: AnyRequest, problem: str = "", status: int = 200
    ) -> Response[str]:
        merchant = merchant_of(signed_in(request))
        async with self._context.db.as_merchant(merchant) as conn:
            after = request.query_params.get("after") or None
            found = await products(conn, merchant, after, _PAGE)
        return await self._frame.page(
            request, "products.html", status=status, found=found, problem=problem,
            following=found[-1].sku if len(found) == _PAGE else "",
        )  # fmt: skip
