"""Every URL, one line each, and the application around them."""

from litestar import Litestar, Router, get, post
from litestar.config.compression import CompressionConfig
from litestar.middleware.base import DefineMiddleware
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from coinslot.kit.clock import Clock, SystemClock
from coinslot.web import metrics, security
from coinslot.web.desk import Desk
from coinslot.web.docs import Docs
from coinslot.web.errors import Errors
from coinslot.web.health import Healths
from coinslot.web.live import Live
from coinslot.web.orders import Orders
from coinslot.web.pages import Pages
from coinslot.web.painting import Painter
from coinslot.web.site import WEBHOOK_MAX_BYTES, Site
from coinslot.web.webhooks import Webhooks


def build(desk: Desk, site: Site, clock: Clock | None = None) -> Litestar:
    """The web of one installation. Nothing starts here; the desk brings what lives."""
    clock = clock or SystemClock()
    painter = Painter(site)
    return Litestar(
        _routes(desk, painter, clock),
        before_send=[security.seal, metrics.count],
        compression_config=CompressionConfig(
            backend="gzip", gzip_compress_level=6, exclude=["/live$", "^/static/", "^/webhooks/"]
        ),
        exception_handlers={Exception: Errors(painter, clock).answer},
        logging_config=None,
        middleware=[metrics.timed],
        openapi_config=OpenAPIConfig(
            title=site.name, version=site.version, path="/schema", use_handler_docstrings=True
        ),
        request_max_body_size=WEBHOOK_MAX_BYTES,
    )


def _routes(desk: Desk, painter: Painter, clock: Clock) -> list[ControllerRouterHandler]:
    docs = Docs(painter)
    health = Healths(desk, painter.site, clock)
    hook = Webhooks(desk)
    return [
        post("/webhooks/{gateway:str}", tags=["webhooks"])(hook.take),
        post("/webhooks/{gateway:str}/{account:str}", tags=["webhooks"])(hook.take_for),
        get("/health", tags=["health"])(health.health),
        get("/health/live", tags=["health"])(health.live),
        get("/metrics", tags=["health"])(health.metrics),
        get("/openapi.json", include_in_schema=False)(docs.schema),
        get("/docs", include_in_schema=False)(docs.swagger),
        get("/static/{name:str}", include_in_schema=False)(docs.asset),
        _for_people(desk, painter, clock),
    ]


def _for_people(desk: Desk, painter: Painter, clock: Clock) -> Router:
    pages = Pages(desk, painter, clock)
    orders = Orders(desk, painter, clock)
    live = Live(desk, painter, clock, orders)
    ordering = _at_most(painter.site.orders_per_minute, "ordering")
    seeking = _at_most(painter.site.searches_per_minute, "seeking")
    urls = [
        get("/")(pages.home),
        get("/q")(pages.by_code),
        get("/q/{outlet:str}")(pages.outlet),
        post("/q/{outlet:str}", middleware=[ordering])(pages.place),
        get("/q/{outlet:str}/help", middleware=[seeking])(pages.find),
        get("/o/{order:str}")(orders.show),
        get("/o/{order:str}/fragment")(orders.fragment),
        get("/o/{order:str}/live")(live.stream),
        post("/o/{order:str}/check")(orders.check),
        post("/o/{order:str}/help")(orders.nothing_came_out),
    ]
    return Router("/", route_handlers=urls, include_in_schema=False)


def _at_most(per_minute: int, store: str) -> DefineMiddleware:
    return RateLimitConfig(("minute", per_minute), store=store).middleware
