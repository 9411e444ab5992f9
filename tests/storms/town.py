"""A whole installation as real processes, kept running by us as an operator's supervisor would."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import asyncpg
import httpx
import msgspec

from coinslot.app.demo_world import DEMO_MACHINES, MERCHANTS, PRINTER, SHELF, DemoWorld
from coinslot.app.server import TOOL, RunningServer
from coinslot.context import Context
from coinslot.device.broker import EmbeddedNats
from coinslot.merchants.keys import KeyRequest, issue_key
from coinslot.settings import read
from tests.firmware.images import PUBLIC
from tests.ports import free_port
from tests.storms.listeners import Listeners
from tests.storms.pace import BOARDS, GATEWAY, INSTALLATION, MACHINES, STOCK
from tests.storms.part import Part, signal_tree
from tests.storms.tills import coffee_section, open_tills, sections
from tests.warm import PYTHONPATH, Program

_GIVES_BACK = KeyRequest(name="refunds", scopes=("orders:read", "refunds:write"))
# Leased machines on MQTT may be the firmware itself.
BOARDS_AT_MOST = tuple(
    one.code for one in DEMO_MACHINES if (one.channel, one.dialect) == ("mqtt", "leased")
)
OURS = ("web", "device", "worker")
SERVERS = ("postgres", "broker")
_PRINTER_POLL_MS = 300
PARTS = (*OURS, *SERVERS, "sandbox", "simulator")
KEEP_S = 0.1
READY_S = 60.0
LOOK_S = 0.1
# A call may fail while the sandbox or PostgreSQL is down: that payment did not happen.
AWAY = (httpx.HTTPError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError,
        asyncpg.InternalClientError)  # fmt: skip


class Town:
    """`async with Town(folder)`; everything in it listens once it is open."""

    def __init__(self, folder: Path, boards: int = 0) -> None:
        self.folder = folder
        self.boards = BOARDS_AT_MOST[:boards]  # these run the firmware, the others are simulated
        self.machines = folder / "machines"
        self.ports = {name: free_port() for name in ("web", "device", "sandbox")}
        self.sandbox_url = f"http://127.0.0.1:{self.ports['sandbox']}"
        self.web_url = f"http://127.0.0.1:{self.ports['web']}"
        self.parts: dict[str, Part] = {}
        self.http = httpx.AsyncClient(timeout=5, trust_env=False, verify=False)
        self.world: DemoWorld
        self.by_socket = {one.code for one in DEMO_MACHINES if one.channel == "socketio"}
        self._former: dict[str, list[str]] = {}  # key secrets that the gateway still lets in
        self.programs: dict[str, str] = {}  # keys that give orders back, by merchant
        self.accounts: dict[str, str] = {}  # account id at the gateway, by merchant
        self.listeners = Listeners(self)
        self.died: Callable[[str], None] = _unmoved  # told of each death at a commit or a send
        self._server: RunningServer
        self._nats: EmbeddedNats
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        await self._stack.__aenter__()
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _open(self) -> None:
        settings = read({**INSTALLATION, "COINSLOT_DATA": str(self.folder)})
        self._server = server = await RunningServer(settings, TOOL, self._stack).open()
        self._nats = server.nats = EmbeddedNats(self.folder)
        self._stack.push_async_callback(self._nats.stop)
        self._stack.push_async_callback(self.http.aclose)
        await self._nats.start(())
        self.world = DemoWorld(server, self.folder, self.sandbox_url)
        await self.world.create()
        await open_tills(server, self.world, self.sandbox_url)
        for slug in MERCHANTS:
            self.programs[slug] = await issue_key(
                server.db, self.world.known.merchants[slug], server.clock.now(), _GIVES_BACK
            )
        self.accounts = {slug: self.world.account(slug)["account_id"] for slug in MERCHANTS}
        self._make_parts()
        self._stack.push_async_callback(self._stop_parts)
        self.parts["sandbox"].start()
        await until(self._sandbox_answers, READY_S)
        await self.world.print_codes()
        self._write_sandbox()
        self.parts["sandbox"].signal(signal.SIGHUP)
        keeper = asyncio.create_task(self._keep())
        self._stack.push_async_callback(_ended, keeper)
        await until(self._is_open, READY_S)
        await self.listeners.open()
        self._stack.push_async_callback(self.listeners.close)

    # What it is made of

    def _make_parts(self) -> None:
        urls, kept = (
            self._server.urls,
            msgspec.json.decode((self.folder / "secrets.json").read_bytes()),
        )
        env = {
            **INSTALLATION,
            "COINSLOT_DATA": str(self.folder.resolve()),  # where pictures and builds are
            "DATABASE_URL": urls.app,
            "COINSLOT_DOOR_URL": urls.door,
            "COINSLOT_KEYS": f"1:{kept['key']}",
            "COINSLOT_PUBLIC_URL": self.web_url,
            "COINSLOT_POOL_SIZE": "5",
            "MQTT_BROKER_URL": f"mqtt://{self._nats.server_login}:{self._nats.server_password}"
            f"@{self._nats.host}:{self._nats.listening}",
        }
        for role in OURS:
            port = {"COINSLOT_PORT": str(self.ports[role])} if role in self.ports else {}
            self.parts[role] = Part(role, ("coinslot", role), env | port, self.folder)
        sandbox = (
            "sandbox", "--port", str(self.ports["sandbox"]), "--data", str(self.folder / "sandbox"),
            "--machines", str(self.machines), "--config", str(self._write_sandbox()),
        )  # fmt: skip
        self.parts["sandbox"] = Part("sandbox", sandbox, {}, self.folder)
        simulated, boards = map(str, self._write_fleet())
        fleet = ("machine_simulator", "--fleet", simulated, "--data", str(self.machines))
        self.parts["simulator"] = Part("simulator", fleet, MACHINES, self.folder)
        if self.boards:
            fleet = ("firmware.board", "--fleet", boards, "--data", str(self.machines))
            self.parts["boards"] = Part("boards", fleet, {}, self.folder)

    def _write_sandbox(self) -> Path:
        accounts = [
            {
                **self.world.account(slug),
                "former_secrets": self._former.get(slug, []),
                "webhook_url": f"{self.web_url}/webhooks/razorpay/{slug}",
            }
            for slug in MERCHANTS
        ]
        outlets = [{"id": machine.code, "qr_code_id": self.world.qr_codes.get(machine.code)}
                   for machine in DEMO_MACHINES]  # fmt: skip
        return _written(
            self.folder / "sandbox.json",
            {
                "razorpay": {"accounts": accounts, "tempo": GATEWAY},
                **sections(self.world, self.web_url),
                "tmetr": coffee_section(self.world),
                "printers": {"printers": [self._printer()]},
                "coinslot_url": self.web_url,
                "outlets": outlets,
            },
        )

    def _printer(self) -> dict[str, Any]:
        """The counter's; it asks more often than a real one."""
        url = f"{self.web_url}/printers/{self.world.known.printer}"
        return {"printer_id": PRINTER, "kind": "star", "url": url, "poll_ms": _PRINTER_POLL_MS}

    def _write_fleet(self) -> tuple[Path, Path]:
        fleet: list[dict[str, Any]] = [
            {
                "id": machine.code, "channel": machine.channel, "dialect": machine.dialect,
                "login": machine.code, "secret": self.world.known.devices[machine.code],
                "mqtt": {"host": self._nats.host, "port": self._nats.listening},
                "url": f"http://127.0.0.1:{self.ports['device']}",
                "slots": {goods.slot: STOCK for goods in SHELF},
            }
            for machine in DEMO_MACHINES
        ]  # fmt: skip
        simulated = [one for one in fleet if one["id"] not in self.boards]
        boards = [
            one | {"board": BOARDS, "restore_s": 0.5, "enrolment": {"firmware_key": PUBLIC}}
            for one in fleet if one["id"] in self.boards
        ]  # fmt: skip
        return (
            _written(self.folder / "fleet.json", simulated),
            _written(self.folder / "boards.json", boards),
        )

    @property
    def broker(self) -> tuple[str, int]:
        """Where machines, and whoever has a secret of theirs, connect by MQTT."""
        return self._nats.host, self._nats.listening

    # What can be done to it

    async def rotate_keys(
        self, slug: str, key_secret: str, webhook_secret: str | None = None
    ) -> None:
        """At the gateway, by hand: a new secret beside those there are, and of webhooks in their
        place."""
        account = self.world.account(slug)
        if account["key_secret"] != key_secret:
            self._former.setdefault(slug, []).append(account["key_secret"])
        account["key_secret"] = key_secret
        account["webhook_secret"] = webhook_secret or account["webhook_secret"]
        self._write_sandbox()
        await until(self._sandbox_answers, READY_S)  # one that starts may have read the old file
        self.parts["sandbox"].signal(signal.SIGHUP)

    def merchants_of_boards(self) -> dict[str, UUID]:
        """Of those that run the firmware."""
        return {
            one.code: self.world.known.merchants[one.merchant]
            for one in DEMO_MACHINES if one.code in self.boards
        }  # fmt: skip

    def put_secret(self, code: str, secret: str) -> None:
        """Put a new secret into a machine. All start anew: they are one process."""
        self.world.known.devices[code] = secret
        self._write_fleet()
        self.kill("boards" if code in self.boards else "simulator")

    async def uses(self, code: str, key_id: str) -> bool:
        """Whether the machine has used its secret of this number."""
        rows = await self.rows("SELECT key_id FROM devices WHERE outlet_id = $1", code)
        return str(rows[0]["key_id"]) == key_id

    def kill(self, name: str) -> None:
        """kill -9 of a part; it is started again."""
        if name in self.parts:
            self.parts[name].kill()
        else:
            self._signal_server(name, signal.SIGKILL)

    def stop(self, name: str) -> None:
        """SIGSTOP: it neither dies nor answers."""
        self._send(name, signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        self._send(name, signal.SIGCONT)

    def _send(self, name: str, number: signal.Signals) -> None:
        if name in self.parts:
            self.parts[name].signal(number)
        else:
            self._signal_server(name, number)

    def _signal_server(self, name: str, number: signal.Signals) -> None:
        pid = self._server_pid(name)
        if pid is None:
            return
        if number is signal.SIGKILL:
            # A stopped backend would outlive its postmaster.
            signal_tree(pid, signal.SIGCONT)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        else:
            signal_tree(pid, number)

    def _server_pid(self, name: str) -> int | None:
        path = {"postgres": "postgres/data/postmaster.pid", "broker": "nats/server.pid"}[name]
        try:
            return int((self.folder / path).read_text(encoding="ascii").split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None

    async def _keep(self) -> None:
        while True:
            for name, part in self.parts.items():
                deaths = part.deaths
                part.keep()
                if part.deaths > deaths:
                    self.died(name)
            await asyncio.sleep(KEEP_S)

    def falls(self) -> list[str]:
        """Processes that ended by themselves, which none ever should, whatever is down."""
        fallen = [part for part in self.parts.values() if part.falls]
        told = [f"{part.name} ended by itself:\n{part.said()[-3000:]}" for part in fallen]
        for part in fallen:
            part.falls = 0
        return told

    async def _stop_parts(self) -> None:
        for name in (*self.parts, *SERVERS):
            self.go_on(name)
        await asyncio.gather(*(part.stop() for part in self.parts.values()))

    @property
    def context(self) -> Context:
        """Of a person at the command line of this installation."""
        return self._server.context

    # What can be asked

    async def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Everything, past row-level security. Raises when PostgreSQL is away."""
        conn = await asyncpg.connect(self._server.urls.superuser, timeout=5)
        try:
            return await conn.fetch(sql, *arguments, timeout=10)
        finally:
            await conn.close(timeout=5)

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """The sandbox's interface. Raises httpx.HTTPError while it is away."""
        answer = await self.http.request(method, f"{self.sandbox_url}{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    async def refill(self) -> None:
        """Somebody comes by, fills every slot and puts it back on sale."""
        await self.rows(
            "UPDATE slots SET stock = $1, counted = NULL, counted_journal = NULL,"
            " counted_event = NULL, failures_in_row = 0, out_of_sale_at = NULL,"
            " withheld_at = NULL, other_product = false",
            STOCK,
        )

    async def audit(self) -> dict[str, Any]:
        """What `coinslot audit` says, the gateways' own lists included."""
        words = ("coinslot", "audit", "--json", "--gateways", "--grace-s", "10", "--data",
                 str(self.folder))  # fmt: skip
        asked = Program(
            words, {**os.environ, "PYTHONPATH": PYTHONPATH, **INSTALLATION},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        said, complaint = await asyncio.to_thread(asked.communicate)
        try:
            return msgspec.json.decode(said, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise AssertionError(f"the audit said nothing: {complaint.decode()[-2000:]}") from error

    async def machines_are_online(self, since: datetime | None = None) -> bool:
        """Whether every machine was heard in the last seconds, or since then."""
        seen = await self.rows(
            "SELECT count(*) AS n FROM devices WHERE last_seen_at >"
            " coalesce($1, clock_timestamp() - interval '3 seconds')",
            since,
        )
        return bool(seen[0]["n"] == len(DEMO_MACHINES))

    async def _is_open(self) -> bool:
        return self.parts["web"].ready and await self.machines_are_online()

    async def _sandbox_answers(self) -> bool:
        await self.ask("GET", "/books")
        return True


async def until(holds: Callable[[], Awaitable[bool]], within_s: float) -> None:
    """Ask until it holds; who cannot be asked now may be later."""
    last: object = None
    try:
        async with asyncio.timeout(within_s):
            while True:
                try:
                    if await holds():
                        return
                    last = "no"
                except AWAY as error:
                    last = error
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise AssertionError(f"not within {within_s} s; the last answer was {last!r}") from None


def _unmoved(_name: str) -> None:
    """Nobody wants to know."""


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})


def _written(path: Path, content: object) -> Path:
    half = path.with_suffix(".half")
    half.write_bytes(msgspec.json.encode(content))
    half.replace(path)
    return path
