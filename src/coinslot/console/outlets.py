"""Where the code of an outlet leads: to the page of its kind."""

from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console.current_merchant import merchant_of
from coinslot.console.frame import Frame
from coinslot.outlets.machines import UnknownOutletError, named
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler


def page_of(kind: str, outlet: str) -> tuple[str, ...]:
    """The parts of its address in the console."""
    match kind:
        case "counter":
            return ("menu", outlet)
        case "coffee":
            return ("coffee", "machines", outlet)
        case _:
            return ("machines", outlet)


class OutletPages(SharedHandler):
    """Lists know the code of an outlet, and not always its kind."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def one(self, request: AnyRequest, outlet: FromPath[str]) -> Redirect:
        try:
            found = await named(self._context.db, merchant_of(signed_in(request)), outlet)
        except UnknownOutletError:
            raise RefusedError(404, "not_found", "There is no such outlet.") from None
        return self._frame.to(request, *page_of(found.kind, found.code))
