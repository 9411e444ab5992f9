"""Brand: what do customers see first? Name, colours, and where to write, with a look at both."""

from http import HTTPStatus
from typing import Final

from litestar import Response
from litestar.response import Redirect
from msgspec import Struct
from msgspec.structs import replace

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.uploads import TAKEN, FieldError, picture_of
from coinslot.kit.money import Money
from coinslot.merchants.brand import Brand, ColourError, brand_of, colour_named, set_brand
from coinslot.pages import colours
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.audit_log import Act, record
from coinslot.people.sessions import SignedIn
from coinslot.pictures import pictures

_NAME, _CONTACT = 60, 100
_SHOWN_PRICE: Final = Money(4000, "INR")  # of the preview; nothing is sold at it


class Painted(Struct, frozen=True):
    """One scheme of the preview: the text that names it, and what the brand makes of it."""

    name: str
    css: str


class BrandPages(SharedHandler):
    """Each page asks one verb of `merchants`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def first(self, request: AnyRequest) -> Redirect:
        """Of the settings, the business stands first."""
        return self._frame.to(request, "settings", "business")

    async def show(self, request: AnyRequest) -> Response[str]:
        return await self._page(request, await self._now(request))

    async def change(self, request: AnyRequest) -> Response[str] | Redirect:
        """Saves it; or, when somebody only looks, shows the same page with what they typed."""
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        before = await self._now(request)
        try:
            wanted = replace(_brand(form), own_name=before.own_name, logo=before.logo)
            picture = await picture_of(self._context, merchant, form)
        except ColourError:
            problem = self._frame.texts(request)["problem_colour"]
            return await self._page(request, before, problem, HTTPStatus.UNPROCESSABLE_ENTITY)
        except FieldError as error:
            problem = error.said(self._frame.texts(request))
            return await self._page(request, wanted, problem, HTTPStatus.UNPROCESSABLE_ENTITY)
        if picture is not None:
            wanted = replace(wanted, logo=picture or None)
        if form.one("do") == "look":
            return await self._page(request, wanted)

        async def work(who: SignedIn) -> Done:
            now = self._context.now()
            act = Act(
                action="brand.changed", merchant=merchant, subject="brand",
                before=_record(before), after=_record(wanted),
            )  # fmt: skip
            async with self._context.db.as_merchant(merchant) as conn:
                if wanted.logo and not await pictures.stored(conn, merchant, wanted.logo):
                    raise RefusedError(409, "picture_gone", "This picture is gone.")
                await set_brand(conn, merchant, wanted, now)
                await record(conn, who.actor, act, now)
            return Done(to=self._frame.to(request, "settings", "brand", done="brand"))

        return await once(self._context, request, form, work)

    async def _now(self, request: AnyRequest) -> Brand:
        merchant = merchant_of(signed_in(request))
        async with self._context.db.as_merchant(merchant) as conn:
            return await brand_of(conn, merchant)

    async def _page(
        self, request: AnyRequest, brand: Brand, problem: str = "", status: int = HTTPStatus.OK
    ) -> Response[str]:
        paint = colours.palette(brand.colour, brand.ground)
        moved = any(shade.go != brand.colour for shade in (paint.light, paint.dark))
        schemes = (
            Painted("brand_light", colours.scheme_css(paint.light, "light")),
            Painted("brand_dark", colours.scheme_css(paint.dark, "dark")),
        )
        async with self._context.db.as_merchant(merchant_of(signed_in(request))) as conn:
            shown = await pictures.shown(conn, [brand.logo] if brand.logo else [])
        return await self._frame.page(
            request, "brand.html", status=status, brand=brand, taken=TAKEN,
            logo=shown.get(brand.logo or ""), schemes=schemes, problem=problem,
            moved=moved, ours=colours.OURS, price=_SHOWN_PRICE, longest=(_NAME, _CONTACT),
        )  # fmt: skip


def _brand(form: Form) -> Brand:
    """What the form asks for; a colour that is ours is none. Raises ColourError."""
    colour = colour_named(form.one("colour", 7) or colours.OURS)
    ground = colour_named(form.one("ground", 7)) if form.one("banded") else None
    return Brand(
        name=form.one("name", _NAME), colour=None if colour == colours.OURS else colour,
        ground=ground, support=form.one("support", _CONTACT),
        nothing_out=form.one("nothing_out", _CONTACT),
    )  # fmt: skip


def _record(brand: Brand) -> dict[str, object]:
    return {
        "name": brand.name, "colour": brand.colour, "ground": brand.ground,
        "support": brand.support, "nothing_out": brand.nothing_out, "logo": brand.logo,
    }  # fmt: skip
