"""The web on a free port of this machine, in a thread of its own, for tests that speak HTTP."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from typing import Any
from zoneinfo import ZoneInfo

import uvicorn
from litestar import Litestar, Response, get
from msgspec.structs import replace

from coinslot.app.routes import build
from coinslot.kit import qr
from coinslot.kit.clock import SystemClock
from coinslot.orders.page_views import OrderView
from coinslot.pages.site import Site
from tests.web import cast
from tests.web.fake_backend import FakeBackend

_PATIENCE_S = 10
SITE = Site(
    version="1.2.3",
    zone=ZoneInfo("Asia/Kolkata"),
    mirror_language=True,
    orders_per_minute=10_000,
    searches_per_minute=10_000,
    references_per_minute=10_000,
)


@get("/picture.png", include_in_schema=False)
async def picture() -> Response[bytes]:
    """Stands for the gateway's picture of a code."""
    return Response(qr.png("pay here"), media_type="image/png")


class Served:
    """A started server over a FakeDesk; `show` and `tell` reach into its loop."""

    def __init__(self, site: Site = SITE) -> None:
        self.backend = FakeBackend()
        self.app: Litestar = build(self.backend, site)
        self.app.register(picture)
        self.app.on_startup.append(self._listening)
        self._loop = asyncio.new_event_loop()
        config = uvicorn.Config(
            self.app, "127.0.0.1", 0, log_level="warning", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self.url = ""

    def __enter__(self) -> "Served":
        self._thread.start()
        if not self._ready.wait(_PATIENCE_S):
            raise TimeoutError("the server did not start")
        self.refill()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(_PATIENCE_S)

    def refill(self) -> None:
        """Every outlet and order as the cast has them, now."""
        self.backend.outlets = cast.outlets()
        self.backend.orders = cast.orders(SystemClock().now(), f"{self.url}/picture.png")
        self.backend.placed = {}
        self.backend.asked = []
        self.backend.keys = []
        self.backend.refuse = self.backend.broken = self.backend.paid_when_asked = None
        self.backend.when_wanted = None
        self.backend.own = {}

    def show(self, order: OrderView, **changes: Any) -> OrderView:
        """The order, changed, is what its pages are told next."""
        changed = replace(order, **changes)
        self.tell(self.backend.show(changed))
        return changed

    def live(self, token: str) -> str:
        return f"{self.url}/o/{token}/live?seen=1"

    def tell(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_S)

    def _listening(self) -> None:
        self._ready.set()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as ear:
            self.url = "http://{}:{}".format(*ear.getsockname())
            await self._server.serve([ear])
