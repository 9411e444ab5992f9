"""Counts and durations of requests, by route and never by address."""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import Counter, Histogram

from coinslot.kit.clock import monotonic_ms

_ANSWERS = Counter("coinslot_http_answers_total", "HTTP answers", ("method", "route", "status"))
_SECONDS = Histogram(
    "coinslot_http_seconds",
    "Time from a request to the start of its answer",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BEGAN = "began_ms"


def timed(app: ASGIApp) -> ASGIApp:
    """Middleware: remember when a request began. Requests without a route never come here."""

    async def begin(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"][_BEGAN] = monotonic_ms()
        await app(scope, receive, send)

    return begin


async def count(message: Message, scope: Scope) -> None:
    """Count the start of an answer, whichever part of the application gave it."""
    if message["type"] != "http.response.start" or scope["type"] != ScopeType.HTTP:
        return
    route = str(scope.get("path_template", "")) or "none"
    method = scope["method"] if scope["method"] in _METHODS else "other"
    _ANSWERS.labels(method, route, str(message["status"])).inc()
    began_ms = scope["state"].get(_BEGAN)
    if began_ms is not None:
        _SECONDS.labels(route).observe((monotonic_ms() - began_ms) / 1000)
