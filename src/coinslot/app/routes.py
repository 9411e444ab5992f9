"""Every URL, one line each, and the application around them. Those of people and machines are in
`people_routes.py`, `machine_routes.py` and `console_routes.py`."""

from litestar import Litestar, MediaType, delete, get, patch, post
from litestar.config.compression import CompressionConfig
from litestar.middleware.base import DefineMiddleware
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.openapi import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Components, Reference, SecurityScheme
from litestar.types import ControllerRouterHandler, Middleware

from coinslot import channels, gateways
from coinslot.api import metrics
from coinslot.api.api_calls import with_key_only
from coinslot.api.docs import Docs
from coinslot.api.events import Events
from coinslot.api.gateway_webhooks import Webhooks
from coinslot.api.health import HealthAnswer, Healths
from coinslot.api.openapi.strict_bodies import StrictBodies
from coinslot.api.openapi.words import TAGS
from coinslot.api.payments import Payments
from coinslot.api.proof_keys import ProofKeys
from coinslot.api.requests import heads, plain_only
from coinslot.api.webhook_endpoints import Hooks
from coinslot.app.console_routes import console_routes
from coinslot.app.counter_routes import counter_routes
from coinslot.app.machine_routes import machine_routes
from coinslot.app.order_routes import order_routes
from coinslot.app.people_routes import people_routes
from coinslot.app.rollout_routes import rollout_routes
from coinslot.app.urls import Urls
from coinslot.coffee.pages import CoffeePages
from coinslot.context import Context
from coinslot.events.webhooks.signing import HookRules
from coinslot.fleet.enrolment import DeviceAddresses
from coinslot.kit.clock import Clock, SystemClock
from coinslot.pages import browser, peer, security
from coinslot.pages.backend import Backend
from coinslot.pages.errors import Errors, refusals
from coinslot.pages.form_request import FormRequest
from coinslot.pages.live import Live
from coinslot.pages.orders import Orders
from coinslot.pages.pages import Pages
from coinslot.pages.pictures import Pictures
from coinslot.pages.rendering import AnyRequest, Renderer
from coinslot.pages.screen import ScreenPages
from coinslot.pages.site import WEBHOOK_MAX_BYTES, Site
from coinslot.people.authentication import Authentication

# They are looked for when a page asks first: that customer waited half a second.
channels.drivers()
gateways.drivers()

_HOOKS, _DEVICES = HookRules(), DeviceAddresses()

_BROWSERS_OF_A_NETWORK = 5  # that order at once, each as often as it may


def build(  # noqa: PLR0913  the wiring
    backend: Backend,
    site: Site,
    clock: Clock | None = None,
    context: Context | None = None,
    hooks: HookRules = _HOOKS,
    devices: DeviceAddresses = _DEVICES,
) -> Litestar:
    """The web of one installation. Nothing starts here. Without a context there is no merchant
    API."""
    clock = clock or SystemClock()
    renderer = Renderer(site)
    calls: list[ControllerRouterHandler] = []
    if context is not None:
        auth = Authentication(context, site.base_url)
        machines = [machine_routes(context, auth, devices), *rollout_routes(context, auth)]
        orders = order_routes(context, auth)
        calls = [*_merchants(context, hooks), *machines, orders, *people_routes(auth)]
        shown = Pictures(context)
        calls.append(get("/pictures/{name:str}", include_in_schema=False)(shown.show))
        calls.append(_proof_keys(context))
        calls.append(_coffee(context, renderer.site))
        ordering = _ordering(site)
        calls += counter_routes(context, auth, site, ordering)
        calls.append(console_routes(auth, site, backend, hooks, devices))
    app = Litestar(
        [*calls, *_routes(backend, renderer, clock)],
        before_request=plain_only,
        before_send=[security.seal, metrics.count],
        compression_config=CompressionConfig(
            backend="gzip",
            gzip_compress_level=6,
            exclude=["/live$", "^/static/", "^/webhooks/", "^/firmware/"],
        ),
        exception_handlers={Exception: Errors(renderer, clock).answer},
        logging_config=None,
        middleware=[metrics.timed],
        openapi_config=_described(site),
        plugins=[StrictBodies()],
        request_class=FormRequest,
        request_max_body_size=WEBHOOK_MAX_BYTES,
    )
    app.asgi_handler = heads(app.asgi_handler)
    return app


def _described(site: Site) -> OpenAPIConfig:
    return OpenAPIConfig(
        title=site.name,
        version=site.version,
        path="/schema",
        use_handler_docstrings=True,
        tags=list(TAGS),
        components=Components(security_schemes=_ways_in()),
    )


def _ways_in() -> dict[str, SecurityScheme | Reference]:
    """For the schema: how a caller says who it is."""
    return {
        "apiKey": SecurityScheme(
            type="http", scheme="bearer", description="An API key: `sk_test_...`"
        ),
        "accessToken": SecurityScheme(
            type="http", scheme="bearer", bearer_format="JWT",
            description="The access token of someone who signed in",
        ),
    }  # fmt: skip


def _routes(backend: Backend, renderer: Renderer, clock: Clock) -> list[ControllerRouterHandler]:
    docs = Docs(renderer)
    hook = Webhooks(backend)
    return [
        *_looks(Healths(backend, renderer.site, clock)),
        _taking("", "takeWebhook")(hook.take),
        _taking("/{account:str}", "takeAccountWebhook")(hook.take_for),
        get("/openapi.json", include_in_schema=False)(docs.schema),
        get("/docs", include_in_schema=False)(docs.swagger),
        get("/static/{name:str}", include_in_schema=False)(docs.asset),
        _for_people(backend, renderer, clock),
    ]


def _looks(health: Healths) -> list[ControllerRouterHandler]:
    ill = {503: ResponseSpec(HealthAnswer, generate_examples=False)}
    return [
        get("/health", operation_id="readHealth", tags=["health"], responses=ill)(health.health),
        get("/health/live", operation_id="readLiveness", tags=["health"])(health.live),
        get(
            "/metrics", operation_id="readMetrics", tags=["health"], media_type=MediaType.TEXT,
            responses=refusals(401),
        )(health.metrics),
    ]  # fmt: skip


def _proof_keys(context: Context) -> ControllerRouterHandler:
    return get(
        "/.well-known/coinslot-proof-keys", operation_id="readProofKeys", tags=["health"],
        media_type="application/jwk-set+json",
    )(ProofKeys(context).all)  # fmt: skip


def _taking(account: str, name: str) -> post:
    """Routes by which a gateway sends webhooks."""
    return post(
        f"/webhooks/{{gateway:str}}{account}", operation_id=name, status_code=200,
        tags=["gateways"], responses=refusals(400, 401, 404, 413, 429),
    )  # fmt: skip


def _merchants(context: Context, rules: HookRules) -> list[ControllerRouterHandler]:
    payments = Payments(context)
    return [
        Urls(
            "/", route_handlers=urls, tags=[tag], security=[{"apiKey": []}],
            guards=[with_key_only(context)],
        )
        for tag, urls in (
            ("payments", _payments(payments)),
            ("refunds", _refunds(payments)),
            ("events", _events(Events(context))),
            ("webhooks", _feeds(Hooks(context, rules))),
        )
    ]  # fmt: skip


def _payments(payments: Payments) -> list[ControllerRouterHandler]:
    making, listing = refusals(400, 401, 403, 409, 422), refusals(400, 401, 403)
    found, one = refusals(400, 401, 403, 404), "/payments/{payment:uuid}"
    return [
        post("/payments", operation_id="createPayment", responses=making)(payments.create),
        get("/payments", operation_id="listPayments", responses=listing)(payments.listed),
        get(one, operation_id="readPayment", responses=found)(payments.one),
        _doing("confirm", also=(503,))(payments.confirm),
        _doing("capture")(payments.capture),
        _doing("cancel")(payments.cancel),
    ]


def _refunds(payments: Payments) -> list[ControllerRouterHandler]:
    found, all_of = refusals(400, 401, 403, 404), "/payments/{payment:uuid}/refunds"
    return [
        _doing("refund", 201, path="refunds")(payments.give_back),
        get(all_of, operation_id="listRefunds", responses=found)(payments.refunds),
        get("/refunds/{refund:uuid}", operation_id="readRefund", responses=found)(payments.refund),
    ]


def _doing(verb: str, status: int = 200, *, also: tuple[int, ...] = (), path: str = "") -> post:
    """Routes that change a payment."""
    return post(
        f"/payments/{{payment:uuid}}/{path or verb}",
        operation_id=f"{verb}Payment",
        status_code=status,
        responses=refusals(400, 401, 403, 404, 409, 422, *also),
    )


def _events(events: Events) -> list[ControllerRouterHandler]:
    read, found = refusals(400, 401, 403, 404, 422), refusals(400, 401, 403, 404)
    return [
        get("/events", operation_id="listEvents", responses=read)(events.listed),
        get("/events/{event:str}", operation_id="readEvent", responses=found)(events.one),
    ]


def _feeds(hooks: Hooks) -> list[ControllerRouterHandler]:
    asked, found = refusals(400, 401, 403), refusals(400, 401, 403, 404)
    making, changing = refusals(400, 401, 403, 409, 422), refusals(400, 401, 403, 404, 422)
    place, sent = "/webhook_endpoints", "/webhook_deliveries"
    one, delivery = f"{place}/{{endpoint:uuid}}", f"{sent}/{{delivery:uuid}}"
    return [
        post(place, operation_id="createWebhookEndpoint", responses=making)(hooks.create),
        get(place, operation_id="listWebhookEndpoints", responses=refusals(401, 403))(hooks.listed),
        get(one, operation_id="readWebhookEndpoint", responses=found)(hooks.one),
        patch(one, operation_id="changeWebhookEndpoint", responses=changing)(hooks.change),
        delete(one, operation_id="removeWebhookEndpoint", responses=found)(hooks.remove),
        _asking(f"{one}/rotate_secret", "rotateWebhookSecret", 200)(hooks.rotate),
        _asking(f"{one}/test", "testWebhookEndpoint")(hooks.test),
        _asking(f"{one}/replay", "replayWebhookEndpoint")(hooks.replay),
        get(sent, operation_id="listWebhookDeliveries", responses=asked)(hooks.log),
        get(delivery, operation_id="readWebhookDelivery", responses=found)(hooks.delivery),
        _asking(f"{delivery}/redeliver", "redeliverWebhook")(hooks.redeliver),
    ]


def _asking(path: str, name: str, status: int = 202) -> post:
    """Routes that change an endpoint or a delivery."""
    known = refusals(400, 401, 403, 404, 409, 422)
    return post(path, operation_id=name, status_code=status, responses=known)


def _for_people(backend: Backend, renderer: Renderer, clock: Clock) -> Urls:
    pages = Pages(backend, renderer, clock)
    orders = Orders(backend, renderer, clock)
    live = Live(backend, renderer, clock, orders)
    screen = ScreenPages(backend, renderer)
    ordering = _ordering(renderer.site)
    seeking = _at_most(renderer.site.searches_per_minute, "seeking")
    naming = _at_most(renderer.site.references_per_minute, "naming")
    urls = [
        get("/")(pages.home),
        get("/q")(pages.by_code),
        get("/q/{outlet:str}")(pages.outlet),
        post("/q/{outlet:str}", middleware=ordering)(pages.place),
        get("/q/{outlet:str}/help", middleware=[seeking])(pages.find),
        post("/q/{outlet:str}/help", middleware=[naming])(pages.open),
        get("/m/{outlet:str}/screen")(screen.show),
        get("/m/{outlet:str}/screen/state")(screen.state),
        get("/m/{outlet:str}/worker.js")(screen.worker),
        get("/o/{order:str}")(orders.show),
        get("/o/{order:str}/fragment")(orders.fragment),
        get("/o/{order:str}/live")(live.stream),
        post("/o/{order:str}/pay", middleware=ordering)(orders.pay),
        post("/o/{order:str}/check")(orders.check),
        post("/o/{order:str}/help")(orders.nothing_came_out),
        post("/o/{order:str}/came")(orders.came),
    ]
    return Urls("/", route_handlers=urls, include_in_schema=False)


def _coffee(context: Context, site: Site) -> Urls:
    """The code on a coffee machine's screen."""
    pages = CoffeePages(context, site)
    looking = _at_most(site.orders_per_minute, "looking")
    ordering = _ordering(site)
    urls = [
        get("/v1/pay", middleware=[looking])(pages.show),
        post("/v1/pay", middleware=ordering)(pages.place),
    ]
    return Urls("/", route_handlers=urls, include_in_schema=False)


def _ordering(site: Site) -> list[Middleware]:
    """Guests of a cafe share the address of its Wi-Fi: each browser that ordered before has the
    limit for itself, and all of a network together several times as much. Cookies that are made up
    get no further than that."""
    of_all = _at_most(site.orders_per_minute * _BROWSERS_OF_A_NETWORK, "ordering of a network")
    each = RateLimitConfig(
        ("minute", site.orders_per_minute), store="ordering", identifier_for_request=_orderer
    )
    return [of_all, each.middleware]


def _orderer(request: AnyRequest) -> str:
    return f"{peer.network(request)} {browser.known(request) or ''}"


def _at_most(per_minute: int, store: str) -> DefineMiddleware:
    return RateLimitConfig(
        ("minute", per_minute), store=store, identifier_for_request=peer.network
    ).middleware
