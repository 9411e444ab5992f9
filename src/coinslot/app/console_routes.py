"""The URLs of the console, one line each, with what each needs: a permission, and whether the proof
has to be fresh."""

from litestar import get, post
from litestar.types import ControllerRouterHandler

from coinslot.api.requests import plain_only
from coinslot.app.console_counter_routes import console_counter_routes
from coinslot.app.console_machine_routes import console_machine_routes
from coinslot.app.engineer_routes import engineer_routes
from coinslot.app.urls import Urls
from coinslot.console import live
from coinslot.console.brand import BrandPages
from coinslot.console.business import BusinessPages
from coinslot.console.codes import CodePages
from coinslot.console.coffee.drinks import CoffeeDrinkPages
from coinslot.console.coffee.machines import CoffeeMachinePages
from coinslot.console.coffee.orders import CoffeeOrderPages
from coinslot.console.coffee.setup import CoffeeSetupPages
from coinslot.console.frame import HOME, VERSION, Frame, signed_in_or_none
from coinslot.console.health import HealthPage
from coinslot.console.installable import Installable
from coinslot.console.live_boards import LiveBoards
from coinslot.console.money import MoneyPages
from coinslot.console.notices import NoticePages
from coinslot.console.orders import OrderPages
from coinslot.console.overview import Overview
from coinslot.console.people import PeoplePages
from coinslot.console.privacy import PrivacyPages
from coinslot.console.products import ProductPages
from coinslot.console.proof import ProofPages
from coinslot.console.receipts import ACTS, ReceiptPages
from coinslot.console.refusals import Refusals
from coinslot.console.sign_in import SignInPages
from coinslot.console.start import StartPages
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
) -> Urls:
    """Pages that anyone may see are those for signing in."""
    access, frame = Access(auth, cookies=True), Frame(auth, site)
    parts = (
        _proof,
        _entry, _own, _business, _overview, _orders, _products, _money, _people,
        _receipts, _brand, _privacy, _codes, _notices, _coffee,
    )  # fmt: skip
    urls = [url for part in parts for url in part(access, frame)]
    urls += console_machine_routes(access, frame, devices)
    urls += console_counter_routes(access, frame, site)
    urls += engineer_routes(access, frame, hooks)
    urls += _installable(site)
    health = HealthPage(frame, backend)
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

    return Urls(
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
    orders, machines = CoffeeOrderPages(frame), CoffeeMachinePages(frame)
    drinks, setup = CoffeeDrinkPages(frame), CoffeeSetupPages(frame)
    reads, writes = [access.may("machines:read")], [access.may("machines:write")]
    return [
        get("/coffee", guards=reads)(orders.orders),
        get("/coffee/export", guards=[access.may("money:read")])(orders.export),
        get("/coffee/machines", guards=reads)(machines.machines),
        get("/coffee/machines/export", guards=reads)(machines.machines_file),
        post("/coffee/machines", guards=writes)(machines.add),
        get("/coffee/machines/{machine:str}", guards=reads)(machines.machine),
        post("/coffee/machines/{machine:str}", guards=writes)(machines.change),
        post("/coffee/import", guards=writes, status_code=200)(machines.plan),
        post("/coffee/import/apply", guards=writes)(machines.apply),
        get("/coffee/drinks", guards=reads)(drinks.drinks),
        get("/coffee/drinks/export", guards=reads)(drinks.drinks_file),
        post("/coffee/drinks", guards=writes, status_code=200)(drinks.ask_drinks),
        post("/coffee/drinks/apply", guards=writes)(drinks.keep_drinks),
        get("/coffee/setup", guards=[access.may("merchant:write")])(setup.setup),
        post("/coffee/rules", guards=[access.may("merchant:write")])(setup.rules),
        post("/coffee/accounts", guards=[access.may("gateways:write")])(setup.account),
    ]


def _business(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, opens = BusinessPages(frame), [access.may("installation:write")]
    return [
        get("/business", guards=opens)(pages.ask),
        post("/business", guards=opens)(pages.make),
        post("/switch", guards=[access.may()])(pages.switch),
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
    """A person's data is deleted for good or exported to a file: both need a fresh proof."""
    pages, may = PrivacyPages(frame), [access.may("merchant:write")]
    fresh = [access.may("merchant:write", fresh=True)]
    return [
        get("/privacy", guards=may)(pages.show),
        post("/privacy/search", guards=may, status_code=200)(pages.search),
        post("/privacy/export", guards=fresh, status_code=200)(pages.export),
        post("/privacy/forget", guards=fresh)(pages.forget),
        post("/privacy/settings", guards=may)(pages.save),
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
