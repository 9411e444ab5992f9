"""The page of an order, for the whole of its life."""

from datetime import datetime
from typing import Annotated

from litestar import Response
from litestar.params import FromQuery, PathParameter
from litestar.response import Redirect

from coinslot.kit.clock import Clock
from coinslot.sales.views import OrderView
from coinslot.web import assets, security, story
from coinslot.web.desk import Desk
from coinslot.web.errors import RefusedError
from coinslot.web.painting import STORABLE, Answer, AnyRequest, Painter
from coinslot.web.single import Single
from coinslot.web.story import Phase

Token = Annotated[str, PathParameter(max_length=64, pattern=STORABLE)]


class Orders(Single):
    """Reads the link, calls one verb, shows or redirects."""

    def __init__(self, desk: Desk, painter: Painter, clock: Clock) -> None:
        self._desk = desk
        self._painter = painter
        self._clock = clock

    async def show(
        self,
        request: AnyRequest,
        order: Token,
        check: FromQuery[bool] = False,
        asked: FromQuery[bool] = False,
    ) -> Response[str]:
        """`check` is how a page without JavaScript has the gateway asked when it comes back."""
        if check:
            await self._desk.ask_gateway(order)
        view = await self.known(order)
        values = self.telling(view, asked)
        picture = security.origin(view.pay.image_url) if view.pay else None
        images = (*self._painter.site.image_sources, *((picture,) if picture else ()))
        pen = self._painter.pen(request)
        again = {"check": "1"} if values["unpaid"] else {}
        again |= {"asked": "1"} if asked else {}
        return self._painter.page(
            request,
            "order.html",
            Answer(images=images),
            here_again=pen.link("o", view.token, **again),
            script=assets.address("live.js"),
            **values,
        )

    async def fragment(
        self,
        request: AnyRequest,
        order: Token,
        seen: FromQuery[int] = 0,
        asked: FromQuery[bool] = False,
    ) -> Response[str | None]:
        """For polling: nothing when the version was seen already."""
        view = await self.known(order)
        if view.version == seen:
            return Response(None, status_code=204)
        text = self._painter.fragment(request, "tale.html", **self.telling(view, asked))
        headers = {"Cache-Control": "no-store"}
        return Response(text, media_type="text/html; charset=utf-8", headers=headers)

    async def check(self, request: AnyRequest, order: Token) -> Redirect:
        await self.known(order)
        await self._desk.ask_gateway(order)
        back = self._painter.pen(request).link("o", order, asked="1")
        return Redirect(back, status_code=303)

    async def nothing_came_out(self, request: AnyRequest, order: Token) -> Redirect:
        await self.known(order)
        await self._desk.ask_machine(order)
        back = self._painter.pen(request).link("o", order, asked="1")
        return Redirect(back, status_code=303)

    async def known(self, order: str) -> OrderView:
        view = await self._desk.order(order)
        if view is None:
            message = "No order has this link."
            raise RefusedError(404, "no_such_order", message, sentence="unknown_order")
        return view

    def telling(self, order: OrderView, asked: bool) -> dict[str, object]:
        """Everything the templates say about an order."""
        now = self._clock.now()
        shown = story.phase(order, now)
        site = self._painter.site
        final = story.is_final(shown) and not asked
        refresh_s = story.REFRESH_S.get(shown, None if final else 5)
        return {
            "order": order,
            "phase": shown.value,
            "steps": story.steps(order, shown),
            "waiting": shown in story.WAITING,
            "unpaid": shown in story.UNPAID,
            "picture": _picture(order, shown),
            "helpful": story.may_ask_machine(order, shown),
            "countdown_from": self._countdown_from(order, shown),
            "refresh_s": refresh_s,
            "ask_after_s": site.ask_gateway_after.total_seconds(),
            "final": final,
            "asked": asked,
            "now": now,
        }

    def _countdown_from(self, order: OrderView, shown: Phase) -> datetime | None:
        """From when on the countdown to the refund is shown; None for no countdown."""
        if order.refund_by is None or order.paid_at is None or shown not in story.WAITING:
            return None
        return order.paid_at + self._painter.site.countdown_after


def _picture(order: OrderView, shown: Phase) -> str | None:
    """The address of the code to pay, where it is one that a page may show."""
    if shown is not Phase.SCAN or order.pay is None:
        return None
    return order.pay.image_url if security.origin(order.pay.image_url) else None
