"""Wires the sandbox together: store, gateways, senders, machines, pages."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Receive, Scope, Send

from sandbox.chores import Chores
from sandbox.config import Config, load
from sandbox.control.feed import Feed
from sandbox.control.pages import PAGES
from sandbox.control.view import Scene
from sandbox.endpoints import ENDPOINTS
from sandbox.errors import SandboxError
from sandbox.firebase import endpoints as firebase
from sandbox.firebase.stream import Listeners
from sandbox.gateway_endpoints import router
from sandbox.machines import Machines
from sandbox.party import Outsider, Party
from sandbox.ports import Ports
from sandbox.printers.party import Printers
from sandbox.razorpay.party import Razorpay
from sandbox.smtp.party import Smtp
from sandbox.store import Store
from sandbox.stripe.party import Stripe
from sandbox.tbank.party import TBank
from sandbox.tmetr.party import Tmetr
from sandbox.twilio.party import Twilio
from sandbox.webhook_sender import WebhookSender
from sandbox.yookassa.party import YooKassa

log = logging.getLogger("sandbox")


class Place(msgspec.Struct, frozen=True):
    """Where everything lies: folders, the configuration's file, the address seen from outside."""

    data: Path
    machines: Path
    config: Path | None
    public_url: str


class Sandbox:
    """The running parts, and the ASGI application over them."""

    def __init__(self, place: Place) -> None:
        self.place = place
        config = load(place.config)
        self.store = Store(place.data)
        self.machines = Machines(place.machines, [])
        razorpay = Razorpay(self.store, place.public_url)
        others = [made(self.store, place.public_url) for made in (Stripe, TBank, YooKassa)]
        parties: list[Party] = [razorpay, *others, Twilio(self.store, place.public_url)]
        self.ports = Ports()
        self.printers = Printers(self.store, self.ports, place.public_url)
        self.outsiders: list[Outsider] = [
            *parties, Tmetr(), Smtp(self.store, self.ports), self.printers,
        ]  # fmt: skip
        self.sender = WebhookSender(self.store, {party.name: party for party in parties})
        work = {name: verb for one in self.outsiders for name, verb in one.work.items()}
        self.chores = Chores(self.store, work)
        self.scene = Scene(razorpay.gateway, self.machines, config)
        self.feed = Feed(self.store, self.machines)
        self.listeners = Listeners(self.store)
        self.use(config)

    def use(self, config: Config) -> None:
        """Take over a configuration, at the start and again on SIGHUP."""
        self.scene.config = config
        self.machines.known = [outlet.id for outlet in config.outlets]
        with self.store.change() as change:
            for outsider in self.outsiders:
                outsider.use(change, config)

    def reload(self) -> None:
        """Read the file again; one that cannot be read changes nothing."""
        try:
            self.use(load(self.place.config))
        except SandboxError as problem:
            log.error("configuration not taken over: %s", problem)

    def end_streams(self) -> None:
        """Let everybody go who only listens, so that the server can stop at once."""
        self.feed.end()
        self.listeners.end()

    @asynccontextmanager
    async def running(self, _app: Litestar) -> AsyncIterator[None]:
        loops = (self.sender, self.chores, self.feed, self.ports, self.printers)
        tasks = [asyncio.create_task(loop.run()) for loop in loops]
        for task in tasks:
            task.add_done_callback(_say_why)
        try:
            await self.ports.settled()
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.store.close()

    def application(self) -> ASGIApp:
        parts: dict[str, object] = {
            "store": self.store,
            "machines": self.machines,
            "outsiders": self.outsiders,
            "scene": self.scene,
            "feed": self.feed,
            "listeners": self.listeners,
        }
        app = Litestar(
            route_handlers=[
                *ENDPOINTS,
                *PAGES,
                firebase.ROUTER,
                *(router(outsider) for outsider in self.outsiders),
            ],
            dependencies={
                name: Provide(_giver(part), sync_to_thread=False) for name, part in parts.items()
            },
            lifespan=[self.running],
            exception_handlers={SandboxError: _refused, HTTPException: _unread},
            openapi_config=None,
            logging_config=None,
        )
        return _with_cut(firebase.at_the_root(app))


def _giver(part: object) -> Callable[[], Any]:
    def give() -> Any:
        return part

    return give


def _say_why(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("a loop of the sandbox ended", exc_info=task.exception())


def _refused(_request: Request[Any, Any, Any], problem: SandboxError) -> Response[dict[str, str]]:
    return Response({"error": str(problem)}, status_code=problem.status)


def _unread(_request: Request[Any, Any, Any], problem: HTTPException) -> Response[dict[str, str]]:
    detail = f"{problem.detail} {problem.extra or ''}".strip()
    return Response({"error": detail}, status_code=problem.status_code)


def _with_cut(app: ASGIApp) -> ASGIApp:
    """Give every request the power to break its own TCP connection, as bad networks do."""

    async def cuttable(scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn's `send` is a method of the cycle that owns the connection.
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is not None:
            scope["state"]["cut"] = transport.abort
        await app(scope, receive, send)

    return cuttable
