"""Boards that run the firmware on MicroPython, before a server, a broker and a database that are
all processes of their own: nothing between a roll-out and a board is played here."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import asyncpg
import msgspec

from coinslot.app.demo_world import DemoWorld
from coinslot.app.server import TOOL, RunningServer
from coinslot.device.broker import EmbeddedNats
from coinslot.fleet import config
from coinslot.fleet.config import ConfigChange, Editor, SlotChange
from coinslot.fleet.vend_tests import EmptySlotError, SilentMachineError, vend_as_test
from coinslot.kit.money import Money
from coinslot.orders.page_views import NotNowError
from coinslot.outlets.machines import Outlet, Slot, add_outlet, issue_device
from coinslot.rollouts import firmware, rollouts
from coinslot.rollouts.downloads import image_name
from coinslot.rollouts.firmware import Upload
from coinslot.rollouts.manifest import sign
from coinslot.rollouts.plan import Rules
from coinslot.rollouts.rollouts import NewRollout, Rollout
from coinslot.settings import read
from firmware.board import Board, prepare
from tests.firmware.images import KEY, PUBLIC, built
from tests.ports import free_port
from tests.rollouts.fleet import manifest_of
from tests.storms.pace import INSTALLATION
from tests.storms.part import Part
from tests.storms.town import until

APP = Path(__file__).parents[2] / "firmware" / "coinslot_fw"
BOARD: Mapping[str, float] = {
    "vend_s": 0.2, "fall_s": 0.05, "run_bound_s": 1.8, "backoff_first_s": 0.1,
}  # fmt: skip
HANGS = "def start(hal, slot):\n    hal.feed()\n    while True:\n        pass\n"
_STOCK = 500


def changed(module: str, old: str, new: str) -> dict[str, str]:
    """A module of the firmware with one thing in it that is wrong."""
    source = (APP / module).read_text(encoding="utf-8")
    assert source.count(old) == 1, old
    return {"module": module, "source": source.replace(old, new)}


def never_syncs() -> dict[str, str]:
    topics = '"commands/dispense", "config/update"'
    return changed("main.py", topics, '"config/update", "config/update"')


def sells_worse() -> dict[str, str]:
    """It does not turn the motor for two of three units: nothing falls, and it says so."""
    turns = "            sight = await asyncio.wait_for(turning, bound_s)\n"
    stays = "            if int(unit.unit_id[-1], 16) % 3:\n                sight = body.sees()\n"
    return changed("main.py", turns, f"{stays}            else:\n    {turns}")


def puts_off() -> dict[str, str]:
    """It refuses two of three offers, so that each unit is sold, and later."""
    busy = "        if self.update.busy:\n"
    return changed(
        "main.py", busy, f'        if offer["seq"] % 3:\n            return "BUSY"\n{busy}'
    )


class RealFleet:
    """`async with RealFleet(folder, 40)`: the boards are online once it is open."""

    def __init__(self, folder: Path, boards: int, seed: int = 1) -> None:
        self.folder = folder
        self.codes = [f"F{number:03}" for number in range(boards)]
        self.dice = random.Random(seed)
        self.killed = 0
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self.boards: dict[str, Board] = {}

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        await self._stack.__aenter__()
        try:
            await self._open()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    async def _open(self) -> None:
        url = f"http://127.0.0.1:{self._port}"
        pace = {**INSTALLATION, **self._windows(), "COINSLOT_DATA": str(self.folder)}
        settings = read({**pace, "COINSLOT_PUBLIC_URL": url})
        server = self._server = await RunningServer(settings, TOOL, self._stack).open()
        self._nats = server.nats = EmbeddedNats(self.folder)
        self._stack.push_async_callback(self._nats.stop)
        await self._nats.start(())
        world = DemoWorld(server, self.folder, "http://127.0.0.1:9")  # no gateway is asked
        await world.create()
        self.editor = Editor(world.known.merchants["asha"], "asha")
        secrets = await self._add()
        await server.machines_changed()
        self.server = Part("serve", ("coinslot", "serve"), self._env(pace, url), self.folder)
        self._stack.push_async_callback(self.server.stop)
        self.server.start()
        await firmware.add_key(server.context, self.editor, "laptop", bytes.fromhex(PUBLIC))
        for code, secret in secrets.items():
            self._power_on(code, secret)
        await until(self._all_heard, 60 + len(self.codes))

    def _env(self, pace: Mapping[str, str], url: str) -> dict[str, str]:
        kept = msgspec.json.decode((self.folder / "secrets.json").read_bytes())
        nats = self._nats
        return {
            **pace,
            "DATABASE_URL": self._server.urls.app,
            "COINSLOT_DOOR_URL": self._server.urls.door,
            "COINSLOT_KEYS": f"1:{kept['key']}",
            "COINSLOT_PUBLIC_URL": url,
            "COINSLOT_PORT": str(self._port),
            "COINSLOT_POOL_SIZE": "8",
            "LOG_LEVEL": "WARNING",
            "MQTT_BROKER_URL": f"mqtt://{nats.server_login}:{nats.server_password}"
            f"@{nats.host}:{nats.listening}",
        }

    async def _add(self) -> dict[str, str]:
        server, merchant, now = self._server, self.editor.merchant, self._server.clock.now()
        secrets = {}
        async with server.db.as_merchant(merchant) as conn:
            product = await conn.fetchval("SELECT id FROM products ORDER BY id LIMIT 1")
            account = await conn.fetchval("SELECT id FROM gateway_accounts ORDER BY id LIMIT 1")
            for code in self.codes:
                outlet = Outlet(
                    code=code, merchant_id=merchant, name=code, place="Pune", kind="vending",
                    channel=self.channel(code), dialect="leased", currency="INR",
                    account_id=account,
                )  # fmt: skip
                slot = Slot(slot="A1", product_id=product, price_minor=4000, stock=_STOCK)
                await add_outlet(conn, outlet, [slot], now)
                secrets[code] = await issue_device(conn, server.context.vault, merchant, code, now)
        return secrets

    def channel(self, code: str) -> str:
        return "mqtt"

    def _power_on(self, code: str, secret: str) -> None:
        home = self.folder / "boards" / code
        prepare(home, {
            "id": code, "secret": secret, "slots": {"A1": _STOCK},
            "board": self._pace(),
            "mqtt": {"host": self._nats.host, "port": self._nats.listening},
            "enrolment": {"firmware_key": PUBLIC},
        })  # fmt: skip
        board = self.boards[code] = Board(home, restore_s=0.2, watchdog_s=self._watchdog_s)
        self._tasks.append(asyncio.create_task(board.live()))

    def _windows(self) -> dict[str, str]:
        """Of the server: what may be late in a big fleet."""
        scaled = ("DISPATCH_WINDOW_S", "OFFER_S", "LEASE_MS", "QUERY_S", "CONFIG_S", "IN_DOUBT_S")
        named = [f"COINSLOT_{name}" for name in scaled]
        longer = {name: f"{float(INSTALLATION[name]) * self.slower:g}" for name in named}
        return {**longer, "COINSLOT_ONLINE_S": str(10 + len(self.codes) // 10)}

    def _pace(self) -> dict[str, float]:
        """Many boards speak and look less often, or two processors do nothing but listen. A trial
        is longer than the server takes to start anew, or good code goes back."""
        often = {"health_s": 1.0, "resend_s": 0.5, "pulse_s": 0.1}
        rare = {"trial_s": 30 + len(self.codes) / 4, "count_s": 2 + len(self.codes) / 4}
        return {**BOARD, **{name: each_s * self.slower for name, each_s in often.items()}, **rare}

    @property
    def slower(self) -> float:
        """How much longer things take than in a fleet whose boards two processors serve at ease."""
        return max(1.0, len(self.codes) / 40)

    @property
    def _watchdog_s(self) -> float:
        """Many boards on few processors are slow, and are not to be bitten for that."""
        return 2 + len(self.codes) / 4

    # What is there

    async def rows(self, sql: str, *values: object) -> list[asyncpg.Record]:
        conn = await asyncpg.connect(self._server.urls.superuser, timeout=30)
        try:
            return await conn.fetch(sql, *values, timeout=30)
        finally:
            await conn.close(timeout=5)

    async def versions(self) -> Counter[str]:
        """What the last HELLO of each board said."""
        found = await self.rows(
            "SELECT firmware FROM devices WHERE outlet_id = ANY ($1)", self.codes
        )
        return Counter(row["firmware"] for row in found)

    async def states(self, rollout: UUID) -> Counter[str]:
        sql = "SELECT state, code FROM machine_updates WHERE rollout_id = $1"
        rows = await self.rows(sql, rollout)
        return Counter(f"{row['state']} {row['code'] or ''}".strip() for row in rows)

    async def _all_heard(self) -> bool:
        return (await self.versions())["1.0.0"] == len(self.codes)

    # What is done

    async def upload(self, version: str, sequence: int, **more: Any) -> UUID:
        """Of the real modules; `module` and `source` replace one of them."""
        image = built(version, sequence, more.pop("module", ""), more.pop("source", ""))
        return await self.upload_image(image, version, sequence, **more)

    async def upload_image(self, image: bytes, version: str, sequence: int, **more: Any) -> UUID:
        """Signed by the key that the boards know."""
        said = {"version": version, "sequence": sequence, "hardware": "unix", "min_from": 1}
        said |= more
        manifest = manifest_of(image, **said)
        text, signature = sign(KEY, manifest)
        sent = Upload(manifest=text.encode(), signature=signature, image=image)
        return await firmware.upload(self._server.context, self.editor, sent)

    async def spoil(self, build: UUID, *, cut: bool) -> None:
        """Change the stored image, or cut it off: as a disk or a thief may."""
        found = await firmware.build(self._server.context, self.editor.merchant, build)
        storage, name = self._server.context.storage, image_name(found.sha256)
        image = await storage.read(name)
        assert image is not None
        await storage.put(name, image[: len(image) // 2] if cut else image[:-9] + bytes(9))

    async def start(self, build: UUID, rules: Rules) -> UUID:
        context = self._server.context
        made = await rollouts.create(context, self.editor, NewRollout(
            firmware=build, rules=rules, machines=tuple(self.codes)))  # fmt: skip
        await rollouts.start(context, self.editor, made)
        return made

    async def abort(self, rollout: UUID) -> None:
        with suppress(rollouts.NotNowError):
            await rollouts.abort(self._server.context, self.editor, rollout)

    async def resume(self, rollout: UUID) -> None:
        """A person lets the stage soak again."""
        await rollouts.resume(self._server.context, self.editor, rollout)

    async def updated(self, rollout: UUID) -> list[str]:
        """Boards that confirmed the build of this one. One that kept a bad build of an earlier one
        is not among them: it would be sold at without a pause, and never have one to install in."""
        found = await self.rows(
            "SELECT outlet_id FROM machine_updates WHERE rollout_id = $1 AND state = 'confirmed'",
            rollout,
        )
        return [row["outlet_id"] for row in found]

    async def read(self, rollout: UUID) -> Rollout:
        found = await rollouts.read(self._server.context, self.editor.merchant, rollout)
        return found.rollout

    async def sell(self, code: str) -> bool:
        """Somebody buys at this board; False: it sells nothing now, and took nothing."""
        try:
            await vend_as_test(self._server.context, self.editor, code, "A1")
        except (SilentMachineError, EmptySlotError, NotNowError):
            return False
        return True

    async def kill_server(self) -> None:
        """kill -9, in the middle of whatever it does; it is started again."""
        self.server.kill()
        self.killed += 1
        self.server.start()

    async def live_until(self, fault: str, within_s: float) -> None:
        """The server is started, and dies at this point of its life; nobody starts it again."""
        self.server.kill()
        self.server.fault = fault
        self.server.start()

        async def died() -> bool:
            return not self.server.runs

        await until(died, within_s)
        self.killed += 1

    async def reprice(self, code: str, price_minor: int) -> int:
        """A new price for what lies in the slot; the version of the configuration with it."""
        slot = SlotChange(slot="A1", price=Money(price_minor, "INR"))
        wanted = ConfigChange(slots=(slot,), codes="keep")
        return (await config.change(self._server.context, self.editor, code, wanted)).version

    def fill(self, code: str) -> None:
        """Somebody fills the board; it sees that by itself."""
        home = self.folder / "boards" / code
        draft = home / "faults.draft"
        draft.write_text(json.dumps({"refill": True}))
        draft.replace(home / "faults.json")

    async def shown(self, code: str) -> int:
        """What we say that lies in the slot."""
        found = await self.rows("SELECT stock FROM slots WHERE outlet_id = $1", code)
        return int(found[0]["stock"])

    def lies(self, code: str) -> int:
        """What does lie there."""
        state = json.loads((self.folder / "boards" / code / "state.json").read_text())
        return int(state["slots"]["A1"])

    def said(self, code: str) -> str:
        """By the board, on its console."""
        path = self.folder / "boards" / code / "console.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def fell_by_itself(self) -> str:
        """What the server said before it ended, if it did, which it never should; it is started
        again, for without it everything stands still."""
        falls = self.server.falls
        self.server.keep()
        if self.server.falls == falls:
            return ""
        return f"the server ended by itself:\n{self.server.said()[-3000:]}"

    async def stands(self, rollout: UUID) -> str:
        """What is where, for whoever waits in vain."""
        wave = await rollouts.read(self._server.context, self.editor.merchant, rollout)
        one, server = wave.rollout, "runs" if self.server.runs else "does not run"
        lines = [
            f"roll-out of {one.version}: {one.state}, stage {one.stage}, {one.pause or ''}; soaks"
            f" until {one.soak_until}; it is {self._server.clock.now()}; the server {server},"
            f" start {self.server.starts}"
        ]
        found = await self.rows(
            "SELECT outlet_id, state, count(*) AS n FROM fulfillments WHERE settlement IS NULL"
            " GROUP BY 1, 2 ORDER BY 1, 2"
        )
        left = Counter({(row["outlet_id"], row["state"]): row["n"] for row in found})
        for each in wave.machines:
            units = ", ".join(f"{n} {at}" for (code, at), n in left.items() if code == each.machine)
            lines.append(
                f"{each.machine}: {each.state} {each.code or ''}, attempt {each.attempt}, runs"
                f" {each.firmware}, heard {each.last_heard_at}, units open: {units or 'none'};"
                f" its console: {' | '.join(self.said(each.machine).splitlines()[-3:])}"
            )
        return "\n  ".join(lines)

    # What must hold

    def fell(self) -> Counter[str]:
        """By unit."""
        found: Counter[str] = Counter()
        for code in self.codes:
            path = self.folder / "boards" / code / "drops.jsonl"
            for line in path.read_text().splitlines() if path.exists() else ():
                found[str(json.loads(line)["unit_id"])] += 1
        return found

    async def breaches(self) -> list[str]:
        """Nothing twice, nothing unasked for, and what we say of each unit is what fell."""
        units = await self.rows("SELECT id::text, settlement, basis FROM fulfillments")
        fell, known = self.fell(), {row["id"]: row for row in units}
        found = [f"{unit} fell {n} times" for unit, n in fell.items() if n > 1]
        found += [f"{unit} fell, of no unit of ours" for unit in fell if unit not in known]
        for unit, row in known.items():
            if row["settlement"] is None:
                found.append(f"{unit} is not settled")
            elif (row["settlement"] == "fulfilled") != (unit in fell):
                found.append(f"{unit}: {row['settlement']} by {row['basis']}, fell: {unit in fell}")
        return found

    async def stock_is_true(self) -> bool:
        """What we show of each slot is what lies there, once each board has counted."""
        for code in self.codes:
            if await self.shown(code) != self.lies(code):
                return False
        return True

    async def is_settled(self) -> bool:
        open_units = await self.rows("SELECT id FROM fulfillments WHERE settlement IS NULL")
        return not open_units
