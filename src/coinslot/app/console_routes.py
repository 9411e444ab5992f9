"""The URLs of the console, one line each, with what each needs: a permission, and whether the proof
has to be fresh."""

from typing import Any

from litestar import Router, get, post
from litestar.types import ControllerRouterHandler

from coinslot.api.requests import plain_only
from coinslot.app.engineer_routes import engineer_routes
from coinslot.console import firmware as firmware_pages
from coinslot.console import live
from coinslot.console.brand import BrandPages
from coinslot.console.bulk import BulkPages
from coinslot.console.business import BusinessPages
from coinslot.console.codes import CodePages
from coinslot.console.coffee import CoffeePages
from coinslot.console.counter_setup import CounterSetup
from coinslot.console.delivery_zones import DeliveryPages
from coinslot.console.devices import DevicePages
from coinslot.console.firmware import FirmwarePages
from coinslot.console.frame import HOME, VERSION, Frame, signed_in_or_none
from coinslot.console.gateway_move import GatewayMovePages
from coinslot.console.health import HealthPage
from coinslot.console.installable import Installable
from coinslot.console.kitchen import KitchenPages
from coinslot.console.live_boards import LiveBoards
from coinslot.console.machine_care import MachineCare
from coinslot.console.machine_health import MachineHealthPages
from coinslot.console.machine_templates import TemplatePages
from coinslot.console.machines import MachinePages
from coinslot.console.menu import MenuPages
from coinslot.console.money import MoneyPages
from coinslot.console.notices import NoticePages
from coinslot.console.offers import OfferPages
from coinslot.console.orders import OrderPages
from coinslot.console.outlets import OutletPages
from coinslot.console.overview import Overview
from coinslot.console.people import PeoplePages
from coinslot.console.printers import PrinterPages
from coinslot.console.privacy import PrivacyPages
from coinslot.console.products import ProductPages
from coinslot.console.proof import ProofPages
from coinslot.console.receipts import ACTS, ReceiptPages
from coinslot.console.refusals import Refusals
from coinslot.console.rollouts import RolloutPages
from coinslot.console.sign_in import SignInPages
from coinslot.console.start import StartPages
from coinslot.console.stock import StockPages
from coinslot.console.store_rules import StoreRulesPages
from coinslot.console.tablets import TabletPages
from coinslot.console.uploads import FORM_BYTES
from coinslot.events.webhooks.signing import HookRules
from coinslot.fleet.enrolment import DeviceAddresses
from coinslot.oversight.changes import Changes
from coinslot.pages.access import Access, storable
from coinslot.pages.backend import Backend
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.site import Site
from coinslot.people.authentication import Authentication


def console_routes(
    auth: Authentication,
    site: Site,
    backend: Backend,
    hooks: HookRules,
    devices: DeviceAddresses,
) -> Router:
    """Pages that anyone may see are those for signing in."""
    access, frame = Access(auth, cookies=True), Frame(auth, site)
    parts = (
        _proof,
        _entry, _own, _business, _overview, _orders, _machines, _products, _money, _people,
        _receipts, _brand, _privacy, _offers, _codes, _notices, _coffee, _board, _menu,
        _printers, _tablets, _stock, _devices, _bulk, _templates, _firmware,
    )  # fmt: skip
    urls = [url for part in parts for url in part(access, frame)]
    urls += engineer_routes(access, frame, hooks)
    urls += _installable(site)
    urls += _store_rules(access, StoreRulesPages(frame), GatewayMovePages(frame))
    urls += _delivery(access, DeliveryPages(frame))
    urls += _counter_setup(access, CounterSetup(frame, site.practice_folder))
    health = HealthPage(frame, backend)
    urls += _machine_care(access, MachineCare(frame, devices))
    urls += _rollouts(access, RolloutPages(frame))
    urls += _start(access, StartPages(frame, site.practice_folder, site.base_url))
    urls.append(get("/health", guards=[access.may("installation:read")])(health.health))
    changes = Changes(auth.context)
    streams = live.LivePages(frame, changes, site)
    boards = LiveBoards(frame, streams)
    urls += [
        get(live.PATH.removeprefix(HOME), guards=[access.may()])(streams.stream),
        get(live.BOARD_PATH.removeprefix(HOME), guards=[access.may("board:read")])(boards.stream),
    ]

    async def noting(request: AnyRequest) -> None:
        """What a page shows is at least as new as the version that is noted before it reads."""
        await plain_only(request)
        who = signed_in_or_none(request)
        if who is not None and request.method == "GET" and request.url.path not in live.PATHS:
            request.scope["state"][VERSION] = changes.version(who.merchant)

    return Router(
        HOME, route_handlers=urls, before_request=noting, include_in_schema=False,
        guards=[storable], exception_handlers={RefusedError: Refusals(frame).answer},
    )  # fmt: skip


def _installable(site: Site) -> list[ControllerRouterHandler]:
    files = Installable(site)
    return [
        get("/manifest.webmanifest")(files.manifest),
        get("/worker.js")(files.worker),
        get("/icon-192.png")(files.small_icon),
        get("/icon-512.png")(files.large_icon),
    ]


def _entry(_access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages = SignInPages(frame)
    return [
        get("/sign-in")(pages.ask),
        post("/sign-in", status_code=200)(pages.sign_in),
        get("/first-run")(pages.first),
        post("/first-run", status_code=200)(pages.make_first),
        get("/forgot")(pages.forgot),
        post("/forgot", status_code=200)(pages.ask_reset),
        get("/reset")(pages.new_password),
        post("/reset", status_code=200)(pages.reset),
        get("/join")(pages.invited),
        post("/join", status_code=200)(pages.join),
    ]


def _own(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, own = SignInPages(frame), [access.may()]
    return [
        get("/", guards=own)(pages.home),
        get("/account", guards=own)(pages.account),
        post("/account/sessions/{session:uuid}", guards=own)(pages.end_session),
        post("/step-up", guards=own, status_code=200)(pages.step_up),
        post("/sign-out", guards=own)(pages.sign_out),
        post("/sign-out-everywhere", guards=own)(pages.sign_out_everywhere),
    ]


def _coffee(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, reads = CoffeePages(frame), [access.may("machines:read")]
    writes = [access.may("machines:write")]
    return [
        get("/coffee", guards=reads)(pages.orders),
        get("/coffee/export", guards=[access.may("money:read")])(pages.export),
        get("/coffee/machines", guards=reads)(pages.machines),
        get("/coffee/machines/export", guards=reads)(pages.machines_file),
        post("/coffee/machines", guards=writes)(pages.add),
        get("/coffee/machines/{machine:str}", guards=reads)(pages.machine),
        post("/coffee/machines/{machine:str}", guards=writes)(pages.change),
        post("/coffee/import", guards=writes, status_code=200)(pages.plan),
        post("/coffee/import/apply", guards=writes)(pages.apply),
        get("/coffee/drinks", guards=reads)(pages.drinks),
        get("/coffee/drinks/export", guards=reads)(pages.drinks_file),
        post("/coffee/drinks", guards=writes, status_code=200)(pages.ask_drinks),
        post("/coffee/drinks/apply", guards=writes)(pages.keep_drinks),
        get("/coffee/setup", guards=[access.may("merchant:write")])(pages.setup),
        post("/coffee/rules", guards=[access.may("merchant:write")])(pages.rules),
        post("/coffee/accounts", guards=[access.may("gateways:write")])(pages.account),
    ]


def _business(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, opens = BusinessPages(frame), [access.may("installation:write")]
    return [
        get("/business", guards=opens)(pages.ask),
        post("/business", guards=opens)(pages.make),
        post("/switch", guards=[access.may()])(pages.switch),
    ]


def _machine_care(access: Access, pages: MachineCare) -> list[ControllerRouterHandler]:
    write, read = [access.may("machines:write")], [access.may("machines:read")]
    one, secret = "/machines/{machine:str}", [access.may("devices:write", fresh=True)]
    return [
        get("/new-machine", guards=write)(pages.new),
        post("/new-machine", guards=write, status_code=200)(pages.make),
        post("/new-machine/table", guards=write, status_code=200, request_max_body_size=FORM_BYTES)(
            pages.table
        ),
        get(f"{one}/history", guards=read)(pages.history),
        post(f"{one}/test-vend", guards=write)(pages.test_vend),
        post(f"{one}/sale", guards=write)(pages.sale),
        post(f"{one}/config", guards=write)(pages.configure),
        post(f"{one}/provision", guards=secret, status_code=200)(pages.provision),
        get(f"{one}/withdraw", guards=write)(pages.ask_to_withdraw),
        post(f"{one}/withdraw", guards=write)(pages.withdraw),
    ]


def _rollouts(access: Access, pages: RolloutPages) -> list[ControllerRouterHandler]:
    read, write = [access.may("machines:read")], [access.may("machines:write")]
    one, decide = "/rollouts/{rollout:uuid}", [access.may("devices:write", fresh=True)]
    return [
        get("/rollouts", guards=read)(pages.listed),
        post("/rollouts", guards=write)(pages.make),
        get(one, guards=read)(pages.one),
        post(f"{one}/start", guards=decide)(pages.start),
        post(f"{one}/pause", guards=write)(pages.pause),
        post(f"{one}/resume", guards=decide)(pages.resume),
        post(f"{one}/abort", guards=write)(pages.abort),
        post(f"{one}/machines/{{machine:str}}/give-up", guards=write)(pages.give_up),
    ]


def _start(access: Access, pages: StartPages) -> list[ControllerRouterHandler]:
    own = [access.may("merchant:write")]
    return [
        get("/start", guards=own)(pages.show),
        post("/start/practice", guards=own)(pages.practise),
        post("/start/machine", guards=own)(pages.machine),
        post("/start/products", guards=own)(pages.products),
        post("/start/books", guards=own)(pages.books),
        post("/start/languages", guards=own)(pages.languages),
        post("/start/away", guards=own)(pages.put_away),
    ]


def _proof(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, read = ProofPages(frame), [access.may("installation:read")]
    of_order, one = [access.may("orders:read")], "/orders/{order:uuid}/proof"
    return [
        get("/proof", guards=read)(pages.audits),
        get("/proof/owed", guards=read)(pages.owed),
        post("/proof/run", guards=[access.may("installation:write")])(pages.run),
        get(one, guards=of_order)(pages.order),
        get(f"{one}/file", guards=of_order)(pages.file),
    ]


def _overview(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages = Overview(frame)
    return [
        get("/today", guards=[access.may("orders:read")])(pages.today),
        get("/inbox", guards=[access.may("money:read")])(pages.inbox),
        post("/inbox/{case:int}", guards=[access.may("cases:write")])(pages.settle),
    ]


def _orders(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, read, one = OrderPages(frame), [access.may("orders:read")], "/orders/{order:uuid}"
    return [
        get("/find", guards=read)(pages.find),
        get(one, guards=read)(pages.one),
        post(f"{one}/refund", guards=[access.may("refunds:write")])(pages.refund),
        post(f"{one}/print-credit", guards=[access.may("board:write")])(pages.print_credit),
        post(f"{one}/ask-machine", guards=[access.may("machines:write")])(pages.ask_machine),
    ]


def _machines(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, read, write = (
        MachinePages(frame), [access.may("machines:read")], [access.may("machines:write")],
    )  # fmt: skip
    one, slot = "/machines/{machine:str}", "/machines/{machine:str}/slots/{slot:str}"
    return [
        get("/machines", guards=read)(pages.all),
        get("/outlets/{outlet:str}", guards=read, status_code=303)(OutletPages(frame).one),
        get(one, guards=read)(pages.one),
        post(f"{slot}/price", guards=[access.may("products:write")])(pages.price),
        post(f"{slot}/sale", guards=write)(pages.sale),
        post(f"{slot}/refill", guards=write)(pages.refill),
        post(f"{one}/practice", guards=write)(pages.break_it),
        *_machine_health(frame, one, read, write),
    ]


def _machine_health(
    frame: Frame, one: str, read: list[Any], write: list[Any]
) -> list[ControllerRouterHandler]:
    pages = MachineHealthPages(frame)
    return [
        get(f"{one}/health", guards=read)(pages.show),
        post(f"{one}/unlock", guards=write)(pages.unlock),
        post(f"{one}/maintenance", guards=write)(pages.maintain),
        get(f"{one}/counts", guards=read)(pages.counts),
        post(f"{one}/counts", guards=write)(pages.bring_counts),
    ]


def _stock(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, one = StockPages(frame), "/machines/{machine:str}"
    read, write = [access.may("machines:read")], [access.may("machines:write")]
    return [
        get(f"{one}/stock", guards=read)(pages.machine),
        get(f"{one}/refill", guards=write)(pages.ask),
        post(f"{one}/refill", guards=write, status_code=200)(pages.refill),
        get("/refills", guards=read)(pages.refills),
        get("/refills/export", guards=read)(pages.refills_file),
        get("/refills/routes", guards=write)(pages.routes),
        post("/refills/routes", guards=write, status_code=200)(pages.put_route),
    ]


def _devices(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, write = DevicePages(frame), [access.may("machines:write")]
    return [
        get("/near", guards=[access.may("machines:read")])(pages.near),
        get("/machines/{machine:str}/device", guards=write)(pages.ask),
        post("/machines/{machine:str}/device", guards=write)(pages.save),
    ]


def _bulk(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, write = BulkPages(frame), [access.may("products:write")]
    return [
        get("/slots", guards=write)(pages.ask),
        get("/slots/export", guards=[access.may("machines:read")])(pages.file),
        post("/slots", guards=write, status_code=200, request_max_body_size=FORM_BYTES)(
            pages.bring
        ),
    ]


def _templates(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, write, one = (
        TemplatePages(frame),
        [access.may("machines:write")],
        "/templates/{template:str}",
    )
    prices = [access.may("products:write")]
    return [
        get("/templates", guards=write)(pages.all),
        post("/templates", guards=write)(pages.make),
        get(one, guards=write)(pages.ask),
        post(one, guards=write)(pages.save),
        post(f"{one}/assign", guards=prices, status_code=200)(pages.assign),
    ]


def _firmware(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, write = FirmwarePages(frame), [access.may("devices:write", fresh=True)]
    return [
        get("/firmware", guards=[access.may("devices:write")])(pages.show),
        post("/firmware", guards=write, request_max_body_size=firmware_pages.FORM_BYTES)(
            pages.upload
        ),
        post("/firmware/keys", guards=write)(pages.add_key),
        post("/firmware/keys/{key:uuid}/retire", guards=write)(pages.retire_key),
    ]


def _people(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, read = PeoplePages(frame), [access.may("people:read")]
    write = [access.may("people:write", fresh=True)]
    return [
        get("/people", guards=read)(pages.people),
        post("/people/invite", guards=write, status_code=200)(pages.invite),
        post("/people/invitations/{invitation:uuid}", guards=write)(pages.revoke),
        post("/people/{person:uuid}", guards=write)(pages.change),
        get("/log", guards=[access.may("audit_log:read")])(pages.log),
    ]


def _notices(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    """One's own: whoever is signed in may say how they are told. A link to set a new password goes
    to the address, so another one needs a fresh proof."""
    pages, own, fresh = NoticePages(frame), [access.may()], [access.may(fresh=True)]
    return [
        get("/notices", guards=own)(pages.notices),
        post("/notices", guards=own)(pages.save),
        post("/notices/test", guards=own)(pages.test),
        post("/notices/address", guards=fresh)(pages.address),
        post("/notices/browsers", guards=own)(pages.subscribe),
        post("/notices/browsers/{browser:uuid}", guards=own)(pages.forget),
        get("/confirm-address")(pages.confirm),
        post("/confirm-address", status_code=200)(pages.confirmed),
    ]


def _products(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, write, one = ProductPages(frame), [access.may("products:write")], "/products/{sku:str}"
    return [
        get("/products", guards=[access.may("products:read")])(pages.all),
        get("/new-product", guards=write)(pages.new),
        post("/new-product", guards=write, request_max_body_size=FORM_BYTES)(pages.add),
        get(one, guards=write)(pages.one),
        post(one, guards=write, request_max_body_size=FORM_BYTES)(pages.edit),
        post(f"{one}/retire", guards=write)(pages.retire),
    ]


def _receipts(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, read, act = ReceiptPages(frame), [access.may("money:read")], [access.may(ACTS)]
    return [
        get("/receipts", guards=read)(pages.all),
        get("/receipts/export", guards=read)(pages.export),
        get("/receipts/{receipt:uuid}", guards=read)(pages.one),
        post("/receipts/{receipt:uuid}/again", guards=act)(pages.again),
        post("/receipts/{receipt:uuid}/by-hand", guards=act)(pages.by_hand),
    ]


def _money(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, read = MoneyPages(frame), [access.may("money:read")]
    return [
        get("/money", guards=read)(pages.days),
        get("/money/reports", guards=read)(pages.reports),
        get("/money/profit", guards=read)(pages.profit),
        get("/money/analytics", guards=read)(pages.analytics),
        get("/money/{listing:str}", guards=read)(pages.rows),
        get("/money/{listing:str}/export", guards=read)(pages.export),
    ]


def _brand(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, may = BrandPages(frame), [access.may("merchant:write")]
    return [
        get("/settings", guards=may)(pages.first),
        get("/settings/brand", guards=may)(pages.show),
        post("/settings/brand", guards=may, status_code=200, request_max_body_size=FORM_BYTES)(
            pages.change
        ),
    ]


def _privacy(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    """To let a person go cannot be undone, and their data is a file: both ask who it is."""
    pages, may = PrivacyPages(frame), [access.may("merchant:write")]
    fresh = [access.may("merchant:write", fresh=True)]
    return [
        get("/privacy", guards=may)(pages.show),
        post("/privacy/search", guards=may, status_code=200)(pages.search),
        post("/privacy/export", guards=fresh, status_code=200)(pages.export),
        post("/privacy/forget", guards=fresh)(pages.forget),
        post("/privacy/settings", guards=may)(pages.save),
    ]


def _offers(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, may = OfferPages(frame), [access.may("merchant:write")]
    return [
        get("/offers", guards=may)(pages.show),
        post("/offers", guards=may)(pages.make),
        post("/offers/card", guards=may)(pages.collect),
        post("/offers/{coupon:uuid}/end", guards=may)(pages.end),
    ]


def _codes(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, read, write = (
        CodePages(frame), [access.may("machines:read")], [access.may("machines:write")],
    )  # fmt: skip
    return [
        get("/codes", guards=read)(pages.all),
        post("/codes", guards=write)(pages.make),
        get("/codes/ready", guards=read)(pages.ready),
        get("/codes/sheet", guards=read)(pages.sheet),
        post("/codes/gone", guards=write)(pages.gone),
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
