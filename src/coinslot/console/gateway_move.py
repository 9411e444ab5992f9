"""Where a counter's customers pay: from practice to a real gateway, and back."""

from http import HTTPStatus
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, once
from coinslot.console.frame import Frame
from coinslot.counter import gateway_move
from coinslot.counter.gateway_move import NotReadyError
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.sessions import SignedIn


class GatewayMovePages(SharedHandler):
    """One page and its button."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def show(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str]:
        return await self._page(request, outlet)

    async def move(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str] | Redirect:
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        try:
            account = UUID(form.one("account", 40))
        except ValueError:
            raise RefusedError(400, "bad_request", "This form is none of ours.") from None

        async def work(who: SignedIn) -> Done:
            await gateway_move.move(self._context, who.actor, merchant, outlet, account)
            return Done(to=self._frame.to(request, "menu", outlet, "gateway", done="settings"))

        try:
            return await once(self._context, request, form, work)
        except LookupError:
            raise _unknown() from None
        except NotReadyError as error:
            return await self._page(request, outlet, f"problem_move_{error.why}")

    async def _page(self, request: AnyRequest, outlet: str, problem: str = "") -> Response[str]:
        merchant = merchant_of(signed_in(request))
        ready = await gateway_move.readiness(self._context, merchant, outlet)
        if ready is None:
            raise _unknown()
        return await self._frame.page(
            request, "menu_gateway.html", outlet=outlet, ready=ready,
            for_money=gateway_move.is_for_money,
            problem=self._frame.texts(request)[problem] if problem else "",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )  # fmt: skip


def _unknown() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such counter.")
