"""The URLs of the console's pages of counters, one line each, with what each needs."""

from litestar import get, post
from litestar.types import ControllerRouterHandler

from coinslot.console.counter_setup import CounterSetup
from coinslot.console.delivery_zones import DeliveryPages
from coinslot.console.frame import Frame
from coinslot.console.gateway_move import GatewayMovePages
from coinslot.console.kitchen import KitchenPages
from coinslot.console.menu import MenuPages
from coinslot.console.offers import OfferPages
from coinslot.console.printers import PrinterPages
from coinslot.console.store_rules import StoreRulesPages
from coinslot.console.tablets import TabletPages
from coinslot.console.uploads import FORM_BYTES
from coinslot.pages.access import Access
from coinslot.pages.site import Site


def console_counter_routes(
    access: Access, frame: Frame, site: Site
) -> list[ControllerRouterHandler]:
    """The board, menus, paper, tablets, offers, and the rules of a store."""
    parts = (_offers, _tablets, _printers, _board, _menu)
    return [
        *(url for part in parts for url in part(access, frame)),
        *_store_rules(access, StoreRulesPages(frame), GatewayMovePages(frame)),
        *_delivery(access, DeliveryPages(frame)),
        *_counter_setup(access, CounterSetup(frame, site.practice_folder)),
    ]


def _offers(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, may = OfferPages(frame), [access.may("merchant:write")]
    return [
        get("/offers", guards=may)(pages.show),
        post("/offers", guards=may)(pages.make),
        post("/offers/card", guards=may)(pages.collect),
        post("/offers/{coupon:uuid}/end", guards=may)(pages.end),
    ]


def _tablets(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages = TabletPages(frame)
    return [
        get("/pin")(pages.ask_pin),
        post("/pin", status_code=200)(pages.enter_pin),
        get("/board/tablets", guards=[access.may("board:write")])(pages.show),
        post("/board/tablets", guards=[access.may("people:write", fresh=True)])(pages.enrol),
        post("/board/tablets/{tablet:uuid}/end", guards=[access.may("people:write")])(pages.end),
        post("/board/pin", guards=[access.may("board:write", fresh=True)])(pages.set_pin),
    ]


def _printers(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, write = PrinterPages(frame), [access.may("machines:write")]
    one = "/board/printers/{printer:uuid}"
    return [
        get("/board/printers", guards=[access.may("machines:read")])(pages.show),
        post("/board/printers", guards=write, status_code=200)(pages.add),
        post(f"{one}/retire", guards=write)(pages.retire),
        post(f"{one}/test", guards=write)(pages.test),
        post("/board/stores/{outlet:str}/phone", guards=write)(pages.phone),
    ]


def _board(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    """Whoever hands over without a code shows a fresh proof of who they are."""
    pages, write, one = KitchenPages(frame), [access.may("board:write")], "/board/{order:uuid}"
    store = "/board/stores/{outlet:str}"
    return [
        get("/board", guards=[access.may("board:read")])(pages.show),
        post("/board/here", guards=write, status_code=204)(pages.here),
        post(f"{one}/accept", guards=write)(pages.accept),
        post(f"{one}/ready", guards=write)(pages.ready),
        post(f"{one}/back", guards=write)(pages.back),
        post(f"{one}/tick", guards=write)(pages.tick),
        post(f"{one}/reject", guards=write)(pages.reject),
        post(f"{one}/complete", guards=write)(pages.complete),
        post(f"{one}/vouch", guards=[access.may("board:write", fresh=True)])(pages.vouch),
        post(f"{one}/print", guards=write)(pages.paper),
        post("/board/paper/{job:uuid}/looked", guards=write)(pages.looked),
        post("/board/paper/{job:uuid}/again", guards=write)(pages.paper_again),
        get("/board/kitchen", guards=[access.may("board:read")])(pages.kitchen),
        get(f"{store}/walk-in", guards=write)(pages.new_walk_in),
        post(f"{store}/walk-in", guards=write)(pages.enter),
        post("/board/walk-ins/{walk_in:uuid}", guards=write)(pages.step),
        post("/board/walk-ins/{walk_in:uuid}/print", guards=write)(pages.print_again),
        post(f"{store}/pause", guards=write)(pages.pause),
        post(f"{store}/items/{{item:uuid}}", guards=write)(pages.item),
    ]


def _menu(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, read = MenuPages(frame), [access.may("products:read")]
    write, one = [access.may("products:write")], "/menu/{outlet:str}"
    return [
        get("/menu", guards=read)(pages.all),
        get(one, guards=read)(pages.one),
        get(f"{one}/table.csv", guards=read)(pages.table),
        post(f"{one}/table", guards=write, status_code=200, request_max_body_size=FORM_BYTES)(
            pages.read_table
        ),
        post(f"{one}/lines", guards=write)(pages.lines),
        get(f"{one}/new-item", guards=write)(pages.new_item),
        post(f"{one}/new-item", guards=write, request_max_body_size=FORM_BYTES)(pages.add_item),
        get(f"{one}/items/{{item:uuid}}", guards=write)(pages.item),
        post(f"{one}/items/{{item:uuid}}", guards=write, request_max_body_size=FORM_BYTES)(
            pages.edit_item
        ),
        post(f"{one}/items/{{item:uuid}}/remove", guards=write)(pages.remove),
        post(f"{one}/stocks/{{stock:uuid}}", guards=write)(pages.stock),
        post(f"{one}/move", guards=write)(pages.move),
        post(f"{one}/rename", guards=write)(pages.rename),
        post(f"{one}/copy", guards=write)(pages.copy),
        post(f"{one}/settings", guards=write)(pages.settings),
    ]


def _delivery(access: Access, pages: DeliveryPages) -> list[ControllerRouterHandler]:
    write, at = [access.may("merchant:write")], "/menu/{outlet:str}/delivery"
    return [get(at, guards=write)(pages.show), post(at, guards=write)(pages.set_zones)]


def _store_rules(
    access: Access, pages: StoreRulesPages, moves: GatewayMovePages
) -> list[ControllerRouterHandler]:
    write, at = [access.may("merchant:write")], "/menu/{outlet:str}/rules"
    pay = "/menu/{outlet:str}/gateway"
    return [
        get(at, guards=write)(pages.rules), post(at, guards=write)(pages.set_rules),
        get(pay, guards=write)(moves.show), post(pay, guards=write)(moves.move),
    ]  # fmt: skip


def _counter_setup(access: Access, pages: CounterSetup) -> list[ControllerRouterHandler]:
    read, write = [access.may("machines:read")], [access.may("machines:write")]
    one = "/menu/{outlet:str}"
    return [
        get("/new-counter", guards=write)(pages.ask),
        post("/new-counter", guards=write)(pages.make),
        get(f"{one}/hours", guards=write)(pages.hours),
        post(f"{one}/hours", guards=write)(pages.set_hours),
        get(f"{one}/codes", guards=read)(pages.codes),
        get(f"{one}/codes/sheet", guards=read)(pages.sheet),
    ]
