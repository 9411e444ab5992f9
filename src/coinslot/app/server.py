"""The parts of a running installation, by role: web, device, worker, or all in one process."""

import asyncio
import importlib.metadata
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import structlog
import uvicorn

from coinslot.app import notify
from coinslot.app.event_tasks import EVENT_TABLES, event_tasks
from coinslot.app.kinds import KINDS, VENDORS
from coinslot.app.mirroring import mirror
from coinslot.app.notifying import notifiers
from coinslot.app.process_reports import ProcessReports
from coinslot.app.resources import Resources, Urls, broker_users, device_addresses, picture_storage
from coinslot.app.shutdown import end_on_shutdown
from coinslot.channels.price_caps import PriceCaps
from coinslot.context import Context
from coinslot.db.due import Share
from coinslot.db.migrate import MigrationError
from coinslot.db.pool import AWAY, WAIT_FOR_SERVER, Database
from coinslot.device.broker import BrokerError, BrokerUser, EmbeddedNats
from coinslot.events.mirror.mirror import Mirror
from coinslot.events.notices.browsers import signing_key as signing_key_of_push
from coinslot.events.notices.watch import watch as watch_notices
from coinslot.gateways.base import Practise
from coinslot.kit.clock import SystemClock, wait_at_most
from coinslot.kit.faults import dies_at, no_fault
from coinslot.kit.secrets import Peppers, Secret
from coinslot.merchants.accounts import Accounts
from coinslot.merchants.clocks import ClockNotes
from coinslot.outlets.machines import device_versions
from coinslot.oversight import (
    analytics,
    audit_runs,
    cases,
    daily_profit,
    day_sums,
    figures,
    nightly,
)
from coinslot.pages import peer
from coinslot.payments.webhook_batch import WebhookBatch
from coinslot.people.tokens import signing_key
from coinslot.settings import Settings
from coinslot.stock import learning
from coinslot.telemetry import counters
from coinslot.worker import prune, sweep

# The web and the channels are half of all imports: each role imports its own, so that a command
# that only asks starts in half the time.
if TYPE_CHECKING:
    from litestar import Litestar

    from coinslot.channels.mqtt import Mqtt
    from coinslot.channels.practice import Practice
    from coinslot.channels.socketio import SocketIo
    from coinslot.device.edge import Edge
    from coinslot.telemetry.report_buffer import ReportBuffer

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")

ALL = frozenset({"web", "device", "worker"})
TOOL: frozenset[str] = frozenset()  # a short command: it serves nothing
_GRACE_S = 3
_ASK_AGAIN_S = 0.5
_FOLLOW_DEVICES_S = 3.0
_MACHINES_WITHIN_S = 10.0
_FOLLOW_SECRETS_S = 30.0


class PortTakenError(Exception):
    """Another program listens where we should, or we may not listen there."""


class _Server(uvicorn.Server):
    """RunningServer handles signals, since they end its other parts too."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class RunningServer:
    """An installation opened for some roles: `RunningServer(...).open()`, then `run()`."""

    def __init__(self, settings: Settings, roles: frozenset[str], stack: AsyncExitStack) -> None:
        self.settings = settings
        self.roles = roles
        self._stack = stack
        self._resources = Resources(settings, stack, may_join=not roles & ALL)
        self.clock = SystemClock()
        self._reached = dies_at(settings.fault) if settings.fault is not None else no_fault
        self.urls: Urls
        self.db: Database
        self.context: Context
        self.nats: EmbeddedNats | None = None
        self._mqtt: Mqtt | None = None
        self._socketio: SocketIo | None = None
        self._practice: Practice | None = None
        self.demo_logins: tuple[tuple[str, str, str], ...] = ()  # set by `coinslot demo` alone
        self._edge: Edge | None = None
        self._telemetry: ReportBuffer | None = None
        self._accounts: Accounts
        self._devices_changed, self._secrets_changed = asyncio.Event(), asyncio.Event()
        self._devices_known = asyncio.Event()  # by the embedded broker, as of when this began
        self._mirror: Mirror | None = None
        self._reports: ProcessReports

    async def open(self) -> "RunningServer":
        """Open what the roles need. It waits for a server that is down, and logs a clear line."""
        self.vault = self._resources.vault()
        self.urls, self.db = await self._resources.database()
        accounts = Accounts(
            self.db, self.vault, self.clock, timeout_s=self.settings.gateway_timeout_s
        )
        self._clocks = accounts.clocks = ClockNotes(
            self.db, socket.gethostname(), self.settings.windows.span("clock_skew_s")
        )
        accounts.reached = self.db.reached = VENDORS.reached = self._reached
        self._accounts = accounts
        self._stack.push_async_callback(accounts.close)
        mark = await asked_at_start(lambda: installation(self.db))
        await asked_at_start(accounts.check)
        self.context = Context(
            db=self.db,
            clock=self.clock,
            windows=self.settings.windows,
            accounts=accounts,
            vault=self.vault,
            installation=mark,
            open_inbox=WebhookBatch,
            kinds=KINDS,
            zone=ZoneInfo(self.settings.zone),
            public_url=self.settings.base_url,
            printer_networks=peer.networks(self.settings.printer_networks),
            price_caps=PriceCaps.parse(self.settings.price_caps),
            practise=self._practise(),
            pictures_prefix=self.settings.pictures_url,
            storage=picture_storage(self.settings, self.clock, self._stack),
        )
        if self.settings.code_peppers is not None:
            self.context.peppers = Peppers.parse(self.settings.code_peppers)
        self._stack.push_async_callback(self.context.inbox.close)
        self._stack.push_async_callback(self.context.background.close)
        await self._open_notifiers()
        if "web" in self.roles:
            given = self.settings.jwt_secret
            self.context.signing_key = (
                Secret(given)
                if given
                else await asked_at_start(lambda: signing_key(self.db, self.vault))
            )
        self._open_mirror()
        self._reports = ProcessReports(self.db, self.clock, self.context.failures, self.roles)
        if "device" in self.roles:
            await self._open_device()
        return self

    def _open_mirror(self) -> None:
        self._mirror = mirror(self.settings, self.db, self.clock, self._stack)
        if self._mirror is not None:
            self._mirror.remote.reached = self._reached
            self._mirror.failures = self.context.failures

    async def _open_notifiers(self) -> None:
        """Where people are told, and where they say how."""
        if not self.roles & {"web", "worker"}:
            return
        key = await asked_at_start(lambda: signing_key_of_push(self.db, self.vault))
        self.context.notifiers = notifiers(self.settings, self.clock, key)
        for one in self.context.notifiers.values():
            self._stack.push_async_callback(one.close)

    async def _open_device(self) -> None:
        from coinslot.app.machine_bridge import EdgeLink, MachineBridge
        from coinslot.app.machine_reports import REPORTS, ReportHandler
        from coinslot.channels.mqtt import Mqtt, MqttOptions
        from coinslot.channels.practice import Practice
        from coinslot.channels.reports import HealthReport, Logs
        from coinslot.channels.socketio import SocketIo, SocketIoOptions
        from coinslot.device.edge import Edge, EdgeOptions
        from coinslot.fleet.practice import KeptMachines
        from coinslot.telemetry.report_buffer import ReportBuffer

        url, self.nats = await self._resources.broker(self.db)
        ca_file = self.settings.mqtt_ca_file if self.nats is None else self.nats.ca_file
        options = MqttOptions(
            url=url, qos=1 if self.nats is None else 0, ca_file=str(ca_file) if ca_file else None
        )
        self._mqtt = Mqtt(options, self.clock)
        self._socketio = SocketIo(SocketIoOptions(), self.clock)
        self._practice = Practice(KeptMachines(self.db, self.vault), self.clock)
        self._practice.failures = self.context.failures
        channels = (self._mqtt, self._socketio, self._practice)
        line = EdgeLink(channels)
        self._telemetry = ReportBuffer(self.context)
        reports: dict[type[Any], ReportHandler] = {
            **REPORTS, HealthReport: self._telemetry.health, Logs: self._telemetry.logs,
        }  # fmt: skip
        bridge = MachineBridge(self.context, reports)
        self._stack.push_async_callback(bridge.heard.close)
        self._edge = Edge(bridge, channels, self.clock, EdgeOptions(), self.context.failures)
        self._edge.reached = self._reached
        line.edge = self._edge
        self.context.line = line

    async def machines_changed(self) -> None:
        """Devices were added or removed: reload the users of the embedded broker; no connection is
        dropped."""
        if self.nats is not None:
            await self.nats.reload(await broker_users(self.db))

    async def run(self, ready: Callable[[], Awaitable[None]] | None = None) -> None:
        """Serve until SIGTERM or SIGINT; `ready` is called once everything listens."""
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        server = self._server() if self.roles & {"web", "device"} else None
        # It listens from here on: clients that connect while the server starts wait in its queue.
        listener = self._listener() if server is not None else None
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(part) for part in self._parts()]
                if server is not None and listener is not None:
                    serving = group.create_task(server.serve(sockets=[listener]))
                if ready is not None:
                    await self._machines_can_come()
                    await ready()
                await stopping.wait()
                if server is not None:
                    server.should_exit = True
                    await serving
                for task in tasks:
                    task.cancel()
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def _machines_can_come(self) -> None:
        """The embedded broker knows every machine of this moment, and we listen at the broker. One
        that is away is not waited for longer: machines find it when it comes."""
        waited = [self._devices_known] if self.nats is not None else []
        if self._mqtt is not None:
            waited.append(self._mqtt.standing)
        try:
            async with asyncio.timeout(_MACHINES_WITHIN_S):
                for event in waited:
                    await event.wait()
        except TimeoutError:
            log.warning("ready_without_broker", waited_s=_MACHINES_WITHIN_S)

    def _parts(self) -> list[Any]:
        settings = self.settings
        pace = sweep.Pace(
            poll_s=settings.poll_sweep_s,
            lease_s=settings.row_lease_s,
            share=Share(lane=settings.calls_per_account),
        )
        parts: list[Any] = [
            self._clocks.watch(self.clock, self.context.failures),
            self._reports.run(self.urls.door),
        ]
        if self._edge is not None:
            parts.append(self._edge.run())
        if self._telemetry is not None:
            parts.append(self._telemetry.run())
        chores = frozenset(sweep.chores(self.context.kinds))
        tables = sweep.tables_of(self.roles, self.context.kinds)
        worked = tables | EVENT_TABLES if "worker" in self.roles else tables
        if tables:
            parts.append(sweep.sweep(self.context, pace, tables))
            parts.append(notify.listen(self.urls.door, self.context.wakes, worked))
        if "worker" in self.roles:
            parts += event_tasks(self.context, settings.hooks, self._reached)
            parts.append(prune.keep_pruning(self.context))
        elsewhere = (chores | EVENT_TABLES) - worked
        if elsewhere:
            parts.append(notify.notify(self.db, self.context.wakes, elsewhere))
        if "worker" in self.roles:
            parts += [
                cases.watch(self.context), nightly.watch(self.context),
                day_sums.watch(self.context), figures.watch(self.context),
                watch_notices(self.context),
                learning.watch(self.context), counters.watch(self.context),
                daily_profit.watch(self.context), analytics.watch(self.context),
                audit_runs.watch(self.context, self.urls.door),
            ]  # fmt: skip
        if self._mirror is not None and "web" in self.roles:
            parts.append(self._mirror.watch(settings.mirror_round_s))
        if self._mirror is not None and "worker" in self.roles:
            parts.append(self._mirror.run(settings.mirror_round_s))
        parts.append(notify.follow_changes(self.urls.door, self._changed))
        if self.nats is not None:
            parts.append(self._follow_devices())
        if self._socketio is not None:
            parts.append(self._follow_secrets(self._socketio))
        return parts

    def _changed(self, table: str, key: str) -> None:
        """Some process has set new credentials. Both empty: any row may have changed."""
        if table in ("", "gateway_accounts"):
            self._accounts.changed(UUID(key) if key else None)
        if table in ("", "devices", "outlets"):
            self._devices_changed.set()
            self._secrets_changed.set()
            if self._practice is not None:
                self._practice.changed.set()

    async def _follow_secrets(self, channel: "SocketIo") -> None:
        """A machine that got a new secret, or was taken out of service, has to show its secret
        again: at once when a notification says so, otherwise found by polling."""
        known: dict[str, int] = {}
        while True:
            await wait_at_most(self._secrets_changed, _FOLLOW_SECRETS_S)
            self._secrets_changed.clear()
            try:
                there = channel.connected()
                now = await device_versions(self.db, there)
                for outlet in there:
                    if now.get(outlet) != known.get(outlet, now.get(outlet, -1)):
                        await channel.hang_up(outlet)
                known = now
                self.context.failures.succeeded("secrets_not_followed")
            except (asyncpg.PostgresError, *AWAY) as error:
                log.warning("secrets_not_followed", error=repr(error))
                self.context.failures.failed("secrets_not_followed", error)

    async def _follow_devices(self) -> None:
        """Other processes add and remove machines; the embedded broker is updated."""
        known: list[BrokerUser] | None = None
        self._devices_changed.set()  # at once, for what came while it opened
        while True:
            await wait_at_most(self._devices_changed, _FOLLOW_DEVICES_S)
            self._devices_changed.clear()
            try:
                now = await broker_users(self.db)
                if now != known:
                    await self.machines_changed()
                known = now
                self._devices_known.set()
                self.context.failures.succeeded("devices_not_followed")
            except (asyncpg.PostgresError, *AWAY, BrokerError) as error:
                log.warning("devices_not_followed", error=repr(error))
                self.context.failures.failed("devices_not_followed", error)

    def _listener(self) -> socket.socket:
        try:
            return socket.create_server((self.settings.host, self.settings.port), backlog=2048)
        except OSError as error:
            where = f"{self.settings.host}:{self.settings.port}"
            why = os.strerror(error.errno or 0)
            raise PortTakenError(
                f"cannot listen on {where}: {why}; name another with --port or COINSLOT_PORT"
            ) from error

    def _practise(self) -> Practise:
        folder = str(self.settings.data.resolve())
        return Practise(sandbox_url=self.settings.sandbox_url, folder=folder)

    def _server(self) -> uvicorn.Server:
        from coinslot.app.connections import Bounds, served

        bounds = Bounds(
            request_s=self.settings.request_s, trusted=peer.networks(self.settings.trusted_proxies)
        )
        config = served(self._asgi(), bounds, self.clock)
        config.timeout_graceful_shutdown = _GRACE_S
        return _Server(config)

    def _asgi(self) -> Any:
        web = self._web() if "web" in self.roles else None
        machines = self._socketio.asgi if self._socketio is not None else None

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if machines is not None and scope.get("path", "").startswith("/socket.io"):
                await machines(scope, receive, send)
            elif web is not None:
                await end_on_shutdown(web, scope, receive, send)
            elif scope["type"] == "lifespan":
                await _live(receive, send)
            else:
                await _nothing_here(send)

        return app

    def _web(self) -> "Litestar":
        from coinslot.app import routes
        from coinslot.app.page_backend import ContextBackend
        from coinslot.pages.site import Site

        mqtt = self._mqtt
        version = importlib.metadata.version("coinslot")
        backend = ContextBackend(
            self.context,
            version,
            mqtt.standing.is_set if mqtt is not None else None,
            self._mirror.lag if self._mirror is not None else None,
            self.settings.webhook_answer_s,
        )
        backend.failing = self._reports.failing
        site = Site(
            version=version,
            base_url=self.settings.base_url,
            zone=ZoneInfo(self.settings.zone),
            practice_folder=str(self.settings.data),
            demo_logins=self.demo_logins,
            support=self.settings.support,
            pictures_prefix=self.settings.pictures_url,
            image_sources=tuple(self.settings.image_sources.split()),
            outages=AWAY,
            metrics_token=self.settings.metrics_token,
            texts={name: kind.texts for name, kind in KINDS.items()},
        )
        hooks, devices = self.settings.hooks, device_addresses(self.settings)
        return routes.build(backend, site, self.clock, self.context, hooks, devices)


async def _live(receive: Any, send: Any) -> None:
    """A process that serves only machines has nothing to start for the web."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _nothing_here(send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def asked_at_start(question: Callable[[], Awaitable[Answer]]) -> Answer:
    """The first questions to the database: if it goes away while we start, wait for it."""
    until = monotonic() + WAIT_FOR_SERVER.total_seconds()
    while True:
        try:
            return await question()
        except AWAY as error:
            if monotonic() > until:
                raise
            log.warning("database_went_away_at_start", error=repr(error))
        await asyncio.sleep(_ASK_AGAIN_S)


async def installation(db: Database) -> str:
    """The mark on everything that this installation makes at a gateway. Raises MigrationError."""
    try:
        async with db.system_transaction() as conn:
            mark: str = await conn.fetchval("SELECT id::text FROM installation")
    except asyncpg.UndefinedTableError as error:
        raise MigrationError("this database has no tables: run `coinslot migrate`") from error
    return mark
