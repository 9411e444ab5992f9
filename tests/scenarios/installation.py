"""An installation as an operator runs it: an external PostgreSQL and broker, and our processes one
by one. The test is the supervisor; what it kills stays dead until the test starts it again."""

import asyncio
import base64
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

import asyncpg
import httpx

from coinslot.app.demo_world import DEMO_MACHINES, MERCHANTS, SHELF, STOCK, DemoWorld
from coinslot.app.server import TOOL, RunningServer
from coinslot.db.migrate import APP, DOOR
from coinslot.kit.secrets import Vault
from coinslot.settings import read
from tests import inside
from tests.inside import FOREIGN
from tests.ports import free_port
from tests.sandbox.running import SandboxProcess
from tests.scenarios.external import Broker, Server
from tests.scenarios.running import assert_every_invariant_holds
from tests.simulator.running import SimulatorProcess
from tests.storms.part import Part
from tests.warm import PYTHONPATH, ROOT

READY_S = 60.0
POLL_S = 0.1
# Nothing here waits for a window to end unless it says so: a slow computer must not end one.
PATIENT = {
    "COINSLOT_DISPATCH_WINDOW_S": "90",
    "COINSLOT_LEASE_MS": "8000",
    "COINSLOT_RUN_S": "8",
    "COINSLOT_OFFER_S": "2",
    "COINSLOT_QUERY_S": "1",
    "COINSLOT_IN_DOUBT_S": "60",
    "COINSLOT_POLL_S": "2",
    "COINSLOT_MATCH_S": "1",
    "COINSLOT_REFUND_LOOK_S": "0.5",
    "COINSLOT_ROW_LEASE_S": "3",
    "COINSLOT_POOL_SIZE": "4",
}
SERVING = ("serve", "web", "device", "worker")
TEMPO = {"retry_base_ms": 200, "retry_cap_ms": 500}


class Installation:
    """`await open()` makes everything but our processes; `start(role)` starts one of them."""

    def __init__(self, folder: Path, broker: Broker, server: Server) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.broker = broker
        self.server = server
        self.parts: dict[str, Part] = {}
        self.ports: dict[str, int] = {}
        self.sandbox: SandboxProcess
        self.simulator: SimulatorProcess
        self.world: DemoWorld
        self.http = httpx.AsyncClient(timeout=15, trust_env=False)
        self._key = base64.b64encode(Vault.new_key()).decode()

    @property
    def env(self) -> dict[str, str]:
        """What an operator sets."""
        return {
            "DATABASE_URL": self.server.url(APP, "password-of-app"),
            "COINSLOT_DOOR_URL": self.server.url(DOOR, "password-of-door"),
            "COINSLOT_OWNER_URL": self.server.owner_url,
            "COINSLOT_KEYS": f"1:{self._key}",
            "MQTT_BROKER_URL": self.broker.url,
            "PYTHONPATH": PYTHONPATH,
            **PATIENT,
        }

    async def open(self, *, printed: bool = True) -> Self:
        """Migrated by the command, furnished, the broker told of its machines; codes printed."""
        migrated = await self.command("migrate")
        assert migrated.returncode == 0, migrated.stderr
        self.ports["web"] = free_port()
        self.sandbox = SandboxProcess(self.folder / "sandbox", self.folder / "machines")
        async with AsyncExitStack() as stack:
            server = await RunningServer(read(self.env), TOOL, stack).open()
            self.world = DemoWorld(server, self.folder, self.sandbox.base_url)
            await self.world.create()
            self.sandbox.config["razorpay"] = {"accounts": self._accounts(), "tempo": TEMPO}
            self.sandbox.start()
            if printed:
                await self.world.print_codes()
        await self.broker.start(self.world.known.devices)
        return self

    def _accounts(self) -> list[dict[str, str]]:
        hooks = f"{self.web_url}/webhooks/razorpay"
        return [
            {**self.world.account(slug), "webhook_url": f"{hooks}/{slug}"} for slug in MERCHANTS
        ]

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['web']}"

    async def start(self, name: str, **env: str) -> Part:
        """Start `web`, `device-1`, `worker-2`; returns when it says that it is ready."""
        part = self.part(name, **env)
        part.start()
        await eventually(lambda: "Coinslot ready" in part.said(), READY_S)
        return part

    def part(self, name: str, **env: str) -> Part:
        """Not started."""
        role = name.split("-")[0]
        if role != "worker":
            port = self.ports.setdefault(name, free_port())
            env = {"COINSLOT_PORT": str(port), **env}
        self.parts[name] = Part(name, ("coinslot", role), {**self.env, **env}, self.folder)
        return self.parts[name]

    async def power_on(self, machines: dict[str, str]) -> None:
        """Switch simulated machines on; those of Socket.IO go to the device process named."""
        fleet = [
            {
                "id": machine.code, "channel": machine.channel, "dialect": machine.dialect,
                "login": machine.code, "secret": self.world.known.devices[machine.code],
                "mqtt": {"host": "127.0.0.1", "port": self.broker.port},
                "url": f"http://127.0.0.1:{self.ports.get(machines[machine.code], 1)}",
                "slots": {goods.slot: STOCK for goods in SHELF},
            }
            for machine in DEMO_MACHINES if machine.code in machines
        ]  # fmt: skip
        timing = {"vend_s": 0.3, "health_s": 1, "resend_s": 0.5, "backoff_last_s": 1}
        self.simulator = SimulatorProcess(fleet, self.folder / "machines", timing)
        await self.simulator.start()
        for code in machines:
            await eventually(lambda code=code: self.seen(code), READY_S)  # type: ignore[misc]

    async def seen(self, code: str) -> bool:
        """Whether a device process heard of the machine."""
        found = await self.rows("SELECT journal_id FROM devices WHERE outlet_id = $1", code)
        return found[0]["journal_id"] is not None

    def scan(self, code: str, **more: Any) -> str:
        """A customer pays the machine's printed QR; the gateway's reference."""
        return self.sandbox.scan(self.world.qr_codes[code], **more)

    async def order(self, reference: str) -> str | None:
        """The state of the order that this payment bought."""
        found = await self.rows(
            "SELECT o.state FROM captures c JOIN orders o ON o.id = c.order_id"
            " WHERE c.gateway_payment_id = $1",
            reference,
        )
        return found[0]["state"] if found else None

    async def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Everything, past row-level security."""
        conn = await asyncpg.connect(self.server.superuser_url, timeout=10)
        try:
            return await conn.fetch(sql, *arguments)
        finally:
            await conn.close()

    async def command(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run one of our commands to its end: in a process of its own where it dies or serves."""
        alone = words[0] in SERVING or "COINSLOT_FAULT" in env
        run = coinslot if alone else inside.coinslot
        return await asyncio.to_thread(run, *words, env={**self.env, **env})

    async def assert_books_are_right(self) -> None:
        await assert_every_invariant_holds(self.server.owner_url)

    async def close(self) -> None:
        if hasattr(self, "simulator"):
            await self.simulator.stop()
        await asyncio.gather(*(part.stop() for part in self.parts.values()))
        if hasattr(self, "sandbox"):
            self.sandbox.stop()
        await self.broker.stop()
        await self.http.aclose()


def coinslot(
    *words: str, env: dict[str, str], cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """`coinslot ...` with these variables and none of the developer's."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return subprocess.run(
        [sys.executable, "-m", "coinslot", *words],
        env={**own, "PYTHONPATH": PYTHONPATH, "COLUMNS": "100", **env},
        cwd=cwd, capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip


async def eventually(true: Callable[[], Any], bound_s: float) -> None:
    """Ask until it is true; another process has no event to await."""
    last: object = None
    try:
        async with asyncio.timeout(bound_s):
            while True:
                last = true()
                if asyncio.iscoroutine(last):
                    last = await last
                if last:
                    return
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"not within {bound_s} s; the last answer was {last!r}") from None
