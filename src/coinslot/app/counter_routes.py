"""The URLs of counters: pages for customers, calls for programs of customers and of staff."""

from collections.abc import Sequence

from litestar import delete, get, post, route
from litestar.enums import HttpMethod
from litestar.types import ControllerRouterHandler, Middleware

from coinslot.api.printers import PrinterCalls
from coinslot.api.staff_orders import StaffOrders
from coinslot.api.stores import Stores
from coinslot.app.urls import Urls
from coinslot.context import Context
from coinslot.counter.account_pages import AccountPages
from coinslot.counter.callbacks import MessageCallbacks
from coinslot.counter.driver_pages import DriverPages
from coinslot.counter.history_pages import HistoryPages
from coinslot.counter.offers import Guesses
from coinslot.counter.order_pages import OrderPages
from coinslot.counter.pages import CounterPages
from coinslot.counter.wall_screen import WallPages
from coinslot.pages.access import Access
from coinslot.pages.errors import refusals
from coinslot.pages.site import Site
from coinslot.people.authentication import Authentication


def counter_routes(
    context: Context, auth: Authentication, site: Site, ordering: Sequence[Middleware]
) -> list[ControllerRouterHandler]:
    """What places orders is limited by `ordering`."""
    guesses = Guesses(context)
    pages = CounterPages(context, site, guesses)
    told, printers = MessageCallbacks(context), PrinterCalls(context)
    past, trips = HistoryPages(context, site), DriverPages(context, site)
    mine, waiting = AccountPages(context, site), OrderPages(context, site)
    found = "/s/{slug:str}/orders/{lookup:uuid}"
    urls = [
        get("/s/{slug:str}")(pages.menu),
        post("/s/{slug:str}", middleware=ordering)(pages.place),
        get("/s/{slug:str}/basket")(pages.basket),
        get("/s/{slug:str}/privacy")(pages.privacy),
        get("/s/{slug:str}/card")(pages.card),
        post("/s/{slug:str}/card", middleware=ordering)(pages.begin_card),
        get("/s/{slug:str}/{sku:str}")(pages.item),
        get("/s/{slug:str}/orders")(past.form),
        post("/s/{slug:str}/orders", middleware=ordering, status_code=200)(past.ask),
        get(found)(past.link),
        post("/s/{slug:str}/orders/{lookup:uuid}", middleware=ordering, status_code=200)(past.show),
        get("/s/{slug:str}/again/{order:str}")(mine.again),
        get("/s/{slug:str}/account")(mine.show),
        post("/s/{slug:str}/account")(mine.save),
        post("/s/{slug:str}/account/out")(mine.out),
        post("/s/{slug:str}/account/delete")(mine.delete),
        post("/o/{order:str}/cancel")(waiting.cancel),
        get("/o/worker.js")(waiting.worker),
        post("/o/{order:str}/push", middleware=ordering, status_code=200)(waiting.push),
        post("/o/{order:str}/resend")(waiting.resend),
        post("/o/{order:str}/here", middleware=ordering)(waiting.here),
        get("/driver/{secret:str}")(trips.show),
        post("/driver/{secret:str}/left")(trips.left),
        post("/driver/{secret:str}/handed")(trips.handed),
        post("/callbacks/messages", status_code=200)(told.inbound),
        post("/callbacks/messages/{message:uuid}", status_code=200)(told.message),
        get("/wall/{secret:str}")(WallPages(context, site).show),
        post("/printers/{secret:str}", status_code=200)(printers.poll),
        get("/printers/{secret:str}")(printers.job),
        delete("/printers/{secret:str}", status_code=200)(printers.told),
    ]
    return [
        Urls("/", route_handlers=urls, include_in_schema=False),
        *_described(Stores(context, guesses), StaffOrders(context), Access(auth), ordering),
    ]


def _described(
    stores: Stores, board: StaffOrders, access: Access, ordering: Sequence[Middleware]
) -> list[ControllerRouterHandler]:
    """Calls for programs, which `/openapi.json` has."""
    read, write = [access.may("board:read")], [access.may("board:write")]
    one, moving = "/api/staff/orders/{order:uuid}", (400, 401, 403, 404, 409, 422)
    customers = [
        # Before the calls themselves, which would bring an answer of the framework's.
        *(
            route(
                path, http_method=[HttpMethod.OPTIONS], status_code=204, include_in_schema=False
            )(stores.may_call)
            for path in ("/api/stores/{slug:str}/menu", "/api/checkout-session")
        ),
        get(
            "/api/stores/{slug:str}/menu", operation_id="readMenu", responses=refusals(400, 404)
        )(stores.menu),
        post(
            "/api/checkout-session", operation_id="createCheckoutSession", middleware=ordering,
            responses=refusals(400, 404, 409, 422, 429),
        )(stores.session),
    ]  # fmt: skip
    staff = [
        get(
            "/api/staff/orders", operation_id="listStaffOrders", guards=read,
            responses=refusals(400, 401, 403),
        )(board.all),
        post(
            f"{one}/status", operation_id="moveStaffOrder", guards=write, status_code=200,
            responses=refusals(*moving),
        )(board.status),
        post(
            f"{one}/complete", operation_id="completeStaffOrder", guards=write, status_code=200,
            responses=refusals(*moving, 410, 429),
        )(board.complete),
    ]  # fmt: skip
    return [
        Urls("/", route_handlers=customers, tags=["stores"]),
        Urls("/", route_handlers=staff, tags=["stores"], security=[{"accessToken": []}]),
    ]
