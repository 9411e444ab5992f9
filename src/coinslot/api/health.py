"""How the installation is: for load balancers, for people, for Prometheus."""

import hmac
from datetime import datetime

from litestar import Response
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from coinslot.kit.clock import Clock
from coinslot.orders.page_views import Check, Devices
from coinslot.pages.backend import Backend
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.site import Site

# The same checks under the names that dashboards of older installations read.
_SERVICES = {
    "database": "database",
    "broker": "mqtt",
    "gateway": "paymentGateway",
    "shared": "redis",
}


class HealthAnswer(Struct, frozen=True, kw_only=True):
    """What GET /health says."""

    status: str
    timestamp: datetime
    version: str
    checks: dict[str, Check]
    services: dict[str, Check]
    devices: Devices


class Healths(SharedHandler):
    """Unhealthy answers with 503, so that a load balancer looks elsewhere."""

    def __init__(self, backend: Backend, site: Site, clock: Clock) -> None:
        self._backend = backend
        self._site = site
        self._clock = clock

    async def health(self) -> Response[HealthAnswer]:
        """Each thing that was looked at; 503 when it is unhealthy."""
        found = await self._backend.health()
        services = {
            _SERVICES[name]: check for name, check in found.checks.items() if name in _SERVICES
        }
        answer = HealthAnswer(
            status=found.status,
            timestamp=self._clock.now(),
            version=found.version,
            checks=found.checks,
            services=services,
            devices=found.devices,
        )
        return Response(answer, status_code=503 if found.status == "unhealthy" else 200)

    async def live(self) -> dict[str, str]:
        """The process answers; nothing else is asked."""
        return {"status": "healthy"}

    async def metrics(self, request: AnyRequest) -> Response[bytes]:
        """Wants `COINSLOT_METRICS_TOKEN` as a bearer token when that is set."""
        wanted = self._site.metrics_token
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if wanted and not hmac.compare_digest(wanted.encode(), given.encode()):
            raise RefusedError(401, "unauthorized", "This needs the bearer token for metrics.")
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
