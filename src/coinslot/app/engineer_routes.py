"""The URLs of the console for the engineer, one line each, with what each needs: a permission, and
whether the proof has to be fresh."""

from litestar import get, post
from litestar.types import ControllerRouterHandler

from coinslot.console.frame import Frame
from coinslot.console.gateways import GatewayPages
from coinslot.pages.access import Access


def engineer_routes(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    """Gateways."""
    return _gateways(access, frame)


def _gateways(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    """Forms into which secrets are typed are shown after a fresh proof: none is typed in vain."""
    pages, one = GatewayPages(frame), "/gateways/{account:uuid}"
    look, write = [access.may("gateways:write")], [access.may("gateways:write", fresh=True)]
    return [
        get("/gateways", guards=look)(pages.all),
        get("/gateways/new/{gateway:str}", guards=write)(pages.blank),
        post("/gateways/new/{gateway:str}", guards=write, status_code=200)(pages.add),
        get(one, guards=look)(pages.one),
        get(f"{one}/change", guards=write)(pages.edit),
        post(f"{one}/change", guards=write, status_code=200)(pages.change),
        post(f"{one}/test", guards=look, status_code=200)(pages.test),
        post(f"{one}/enable", guards=write, status_code=200)(pages.enable),
        post(f"{one}/end-former", guards=write, status_code=200)(pages.end_former),
    ]
