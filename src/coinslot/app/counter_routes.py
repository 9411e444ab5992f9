"""The URLs of counters: pages for customers, calls for programs of customers and of staff."""

from litestar import Router, delete, get, post, route
from litestar.enums import HttpMethod
from litestar.types import ControllerRouterHandler, Middleware

from coinslot.api.printers import PrinterCalls
from coinslot.api.stores import StaffOrders, Stores
from coinslot.context import Context
from coinslot.counter.callbacks import MessageCallbacks
from coinslot.counter.history_pages import HistoryPages
from coinslot.counter.pages import CounterPages
from coinslot.counter.wall import WallPages
from coinslot.pages.access import Access
from coinslot.pages.site import Site
from coinslot.people.authentication import Authentication


def counter_routes(
    context: Context, auth: Authentication, site: Site, ordering: Middleware
) -> list[ControllerRouterHandler]:
    """What places orders is limited by `ordering`."""
    pages, stores, board = CounterPages(context, site), Stores(context), StaffOrders(context)
    told, printers = MessageCallbacks(context), PrinterCalls(context)
    past = HistoryPages(context, site)
    access = Access(auth)
    read, write = [access.may("board:read")], [access.may("board:write")]
    one = "/api/staff/orders/{order:uuid}"
    found = "/s/{slug:str}/orders/{lookup:uuid}"
    urls = [
        # Before the calls themselves, which would bring an answer of the framework's.
        *(
            route(path, http_method=[HttpMethod.OPTIONS], status_code=204)(stores.may_call)
            for path in ("/api/stores/{slug:str}/menu", "/api/checkout-session")
        ),
        get("/s/{slug:str}")(pages.menu),
        post("/s/{slug:str}", middleware=[ordering])(pages.place),
        get("/s/{slug:str}/basket")(pages.basket),
        get("/s/{slug:str}/privacy")(pages.privacy),
        get("/s/{slug:str}/card")(pages.card),
        post("/s/{slug:str}/card", middleware=[ordering])(pages.begin_card),
        get("/s/{slug:str}/{sku:str}")(pages.item),
        get("/s/{slug:str}/orders")(past.form),
        post("/s/{slug:str}/orders", middleware=[ordering], status_code=200)(past.ask),
        get(found)(past.link),
        post("/s/{slug:str}/orders/{lookup:uuid}", middleware=[ordering], status_code=200)(
            past.show
        ),
        post("/o/{order:str}/cancel")(pages.cancel),
        get("/o/worker.js")(pages.worker),
        post("/o/{order:str}/push", middleware=[ordering], status_code=200)(pages.push),
        post("/o/{order:str}/resend")(pages.resend),
        post("/callbacks/messages", status_code=200)(told.inbound),
        post("/callbacks/messages/{message:uuid}", status_code=200)(told.message),
        get("/api/stores/{slug:str}/menu")(stores.menu),
        post("/api/checkout-session", middleware=[ordering])(stores.session),
        get("/wall/{secret:str}")(WallPages(context, site).show),
        post("/printers/{secret:str}", status_code=200)(printers.poll),
        get("/printers/{secret:str}")(printers.job),
        delete("/printers/{secret:str}", status_code=200)(printers.told),
        get("/api/staff/orders", guards=read)(board.all),
        post(f"{one}/status", guards=write, status_code=200)(board.status),
        post(f"{one}/complete", guards=write, status_code=200)(board.complete),
    ]
    return [Router("/", route_handlers=urls, include_in_schema=False)]
