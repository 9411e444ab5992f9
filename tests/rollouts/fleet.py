"""Simulated machines in this process, with real journals, bodies and updaters, and no network: what
the server sends is delivered by `Fleet.settle`, on the clock of the test."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coinslot.channels import messages as wire
from coinslot.channels.base import Sending
from coinslot.channels.reports import FirmwareProgress
from coinslot.fleet.config import Editor
from coinslot.fleet.vend_tests import vend_as_test
from coinslot.outlets.machines import Outlet, Slot, add_outlet, issue_device
from coinslot.rollouts import downloads, firmware, rollouts, updates
from coinslot.rollouts.firmware import Upload
from coinslot.rollouts.manifest import Manifest, sign
from coinslot.rollouts.plan import Rules
from coinslot.rollouts.rollouts import NewRollout
from coinslot.storage.folder import FolderStorage
from coinslot.vending import machine_messages
from machine_simulator.clock import Ticks
from machine_simulator.device import Device, Identity
from machine_simulator.effects import Effect, Say, Turn
from machine_simulator.faults import Faults
from machine_simulator.journal import Journal
from machine_simulator.physics import Physics, Tempo
from machine_simulator.update import (
    BRICKS,
    GOOD,
    HANGS,
    NEVER_SYNCS,
    SELLS_WORSE,
    Code,
    Hardware,
    Updater,
)
from tests.sales.stage import Stage

IN_NO_TIME = Tempo(vend_s=0, slow_s=0, fall_s=0)
WATCHDOG_S = 60  # code that hangs, or is never confirmed, is started anew
BOARD = "esp32-v1"
OLD = Code("1.0.0", 1)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
FAST = Rules(
    soak_s=600,
    soak_vends=4,
    level=0.02,
    downloads=50,
    attempt_s=300,
    install_s=400,
    trial_s=400,
    stage_s=600,
)


@dataclass
class FleetLine:
    """What the server sends, by machine."""

    waiting: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def channels(self) -> list[str]:
        return []

    def reaches(self, outlet: str, channel: str) -> bool:
        return True

    async def send(self, outlet: str, channel: str, message: Mapping[str, object]) -> Sending:
        self.waiting.setdefault(outlet, []).append(dict(message))
        self.sent.append({"to": outlet, **message})
        return Sending.SENT


class SimMachine:
    """One machine: the brain of the simulator, its body and its updater."""

    def __init__(self, fleet: "Fleet", code: str, secret: str, folder: Path) -> None:
        self.fleet, self.code, self.folder = fleet, code, folder
        self.secret = secret
        self.updater = Updater(folder, Hardware(BOARD, (PUBLIC,)), OLD)
        self.boots = 0
        self.sold = 0
        self.alive = True  # it runs code that speaks
        self.online = True
        self.deaf = False  # to what is said of updates
        self.hold_offers = False
        self.mute_reports = False
        self.puts_off = 0  # so many offers of each unit are refused for the moment
        self.put_off: Counter[str] = Counter()
        self.watchdog_at: float | None = None
        self.boot()

    def boot(self) -> None:
        """A start: only what lies in the folder is left."""
        self.boots += 1
        runs = self.updater.boot()
        folder = self.folder
        self.faults = Faults(folder / "faults.json")
        self.body = Physics(folder, {"A1": 50}, self.faults, IN_NO_TIME, sensor=True)
        identity = Identity(secret=self.secret, firmware=runs.version)
        ticks = Ticks(1_000, monotonic=lambda: self.fleet.seconds)
        self.device = Device(
            identity, Journal(folder / "journal.jsonl"), self.body, ticks,
            f"{self.code}-boot-{self.boots}",
        )  # fmt: skip
        self.device.wake()
        self.synced = False
        self.alive = runs.behaviour not in (HANGS, BRICKS)
        watched = runs.behaviour in (HANGS, NEVER_SYNCS) and self.updater.flash.on_trial
        self.watchdog_at = self.fleet.seconds + WATCHDOG_S if watched else None

    @property
    def speaks(self) -> bool:
        return self.alive and self.online

    def hello(self) -> wire.Hello:
        runs = self.updater.flash.runs
        said = self.device.hello(1) | {"hardware": BOARD, "build": runs.sequence}
        return msgspec.convert(said, wire.Hello)

    def jams(self) -> bool:
        """Code that sells worse fails every other vend."""
        return self.updater.flash.runs.behaviour == SELLS_WORSE and self.sold % 2 == 1

    def drops(self) -> list[str]:
        path = self.folder / "drops.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)["unit_id"] for line in lines]


class Fleet:
    """All machines of a stage."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage, self.folder = stage, folder
        self.line = FleetLine()
        stage.context.line = self.line
        stage.context.storage = FolderStorage(folder / "storage")
        self.machines: dict[str, SimMachine] = {}
        self.began = stage.clock.now()
        self.editor = Editor(stage.merchant, "asha")
        self.spoil: bytes | None = None  # served instead of the image
        self.rollout = UUID(int=0)  # the last that was started

    @property
    def seconds(self) -> float:
        return (self.stage.clock.now() - self.began).total_seconds()

    async def add(self, count: int, first: int = 0) -> list[str]:
        """New machines, each with fifty cans."""
        stage, codes = self.stage, [f"V{n:03}" for n in range(first, first + count)]
        product = await stage.value("SELECT id FROM products")
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            for code in codes:
                outlet = Outlet(
                    code=code, merchant_id=stage.merchant, name=code, place="Pune", kind="vending",
                    channel="mqtt", dialect="leased", currency="INR", account_id=stage.account.id,
                )  # fmt: skip
                slot = Slot(slot="A1", product_id=product, price_minor=4000, stock=50)
                await add_outlet(conn, outlet, [slot], stage.clock.now())
                secret = await issue_device(
                    conn, stage.context.vault, stage.merchant, code, stage.clock.now()
                )
                folder = self.folder / code
                self.machines[code] = SimMachine(self, code, secret, folder)
        # The machine of the stage is of another make.
        await stage.rows("UPDATE devices SET hardware = 'old' WHERE outlet_id = 'M01' RETURNING 1")
        for code in codes:
            await self.greet(self.machines[code])
        return codes

    async def greet(self, machine: SimMachine) -> None:
        """HELLO, and what the server answers."""
        if not machine.speaks:
            return
        await self.tell(machine, machine.hello())
        await updates.greeted(self.stage.context, self.sender(machine))

    def sender(self, machine: SimMachine) -> machine_messages.Machine:
        return machine_messages.Machine(machine.code, self.stage.merchant)

    async def tell(self, machine: SimMachine, up: wire.Up) -> None:
        downs = await machine_messages.receive(
            self.stage.context, self.sender(machine), up, self.stage.clock.now()
        )
        for down in downs:
            await self._hear(machine, wire.to_wire(down))

    async def _hear(self, machine: SimMachine, message: dict[str, Any]) -> None:
        if not machine.speaks:
            return
        if message["type"] == "FIRMWARE":
            if not machine.deaf:
                await self._command(machine, message)
            return
        if message["type"] == "OFFER" and machine.hold_offers:
            return
        if message["type"] == "OFFER" and machine.put_off[message["unit_id"]] < machine.puts_off:
            machine.put_off[message["unit_id"]] += 1
            busy = {"unit_id": message["unit_id"], "seq": message["seq"], "code": "BUSY"}
            busy |= {"journal_id": machine.device.journal.journal_id}
            await self.tell(machine, msgspec.convert(busy, wire.Reject))
            return
        if message["type"] == "SYNC":
            machine.synced = machine.updater.flash.runs.behaviour != NEVER_SYNCS
            if machine.synced:
                machine.watchdog_at = None
                await self._report(machine, machine.updater.synced())
        await self._perform(machine, machine.device.receive(message))

    async def _perform(self, machine: SimMachine, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Say(message):
                    await self.tell(machine, msgspec.convert(message, wire.Up))
                case Turn(unit_id, slot):
                    if machine.jams():
                        (machine.folder / "faults.json").write_text('{"jam": true}')
                        machine.faults.refresh()
                    machine.sold += 1
                    sight = await machine.body.turn(slot, unit_id, lambda: None)
                    (machine.folder / "faults.json").unlink(missing_ok=True)
                    machine.faults.refresh()
                    await self._perform(machine, machine.device.finished(sight))
                case _:
                    pass

    async def _command(self, machine: SimMachine, message: dict[str, Any]) -> None:
        updater = machine.updater
        if updater.command(message, boot_id=machine.device.boot_id, idle=machine.device.idle):
            machine.boot()
            await self.greet(machine)
            return
        if updater.asked:
            updater.asked = False
            await self._report(machine, updater.report())
        if updater.manifest_url is None:
            return
        name = updater.manifest_url.rpartition("/")[2]
        try:
            found = await downloads.download(self.stage.context, name)
        except downloads.NoDownloadError:
            return  # of an attempt that is over
        answer = {"manifest": found.manifest, "signature": found.signature}
        reports = updater.take_manifest(answer)
        await self._report(machine, reports)
        if updater.flash.state != "DOWNLOADING":
            return
        image = self.spoil or (await downloads.part(self.stage.context, found, None)).body
        await self._report(machine, updater.take_image(image))

    async def _report(self, machine: SimMachine, reports: list[dict[str, Any]]) -> None:
        for report in reports:
            if report["state"] and not machine.mute_reports:
                said = msgspec.convert(report, FirmwareProgress)
                await updates.receive(
                    self.stage.context, self.sender(machine), said, self.stage.clock.now()
                )

    # Time

    async def beat(self) -> None:
        """Heartbeats of all that speak, in one statement; and watchdogs."""
        for machine in self.machines.values():
            if machine.watchdog_at is not None and self.seconds >= machine.watchdog_at:
                machine.boot()
            if not machine.synced:  # HELLO until SYNC
                await self.greet(machine)
        now = self.stage.clock.now()
        heard = {code: now for code, machine in self.machines.items() if machine.speaks}
        if heard:
            await machine_messages.record_heartbeats(self.stage.context, heard)

    async def beat_without_offers(self) -> None:
        """Machines are heard, and nobody looks at what waits for them."""
        await self.stage.rows(
            "UPDATE devices SET last_seen_at = $1 RETURNING 1", self.stage.clock.now()
        )

    async def deliver(self) -> bool:
        """What was sent reaches its machines; whether there was anything."""
        waiting, self.line.waiting = self.line.waiting, {}
        for code, messages in waiting.items():
            for message in messages:
                await self._hear(self.machines[code], message)
        return bool(waiting)

    async def settle(self) -> None:
        """Everything that is due now is worked, and all that is sent arrives."""
        await self.beat()
        for _ in range(30):
            await self.stage.sweep(
                "rollouts", "machine_updates", "fulfillments", "refunds", "captures", "orders"
            )
            if not await self.deliver():
                return
        raise AssertionError("it does not come to rest")

    async def settle_but_go(self) -> None:
        """The same, up to the first GO to install, which waits for its machine."""
        await self.beat()
        for _ in range(30):
            await self.stage.sweep("rollouts", "machine_updates")
            if any(m.get("go") for some in self.line.waiting.values() for m in some):
                return
            await self.deliver()

    async def say(self, machine: SimMachine, state: str, code: str | None = None) -> None:
        """A machine says how far it is, true or not."""
        attempt = machine.updater.flash.attempt
        said = FirmwareProgress(rollout=self.rollout, attempt=attempt, state=state, code=code)
        await updates.receive(
            self.stage.context, self.sender(machine), said, self.stage.clock.now()
        )

    async def unit_state(self, unit: UUID) -> str:
        return str(await self.stage.value("SELECT state FROM fulfillments WHERE id = $1", unit))

    async def wait(self, seconds: float, step: float = 10) -> None:
        for _ in range(int(seconds / step)):
            self.stage.clock.advance(timedelta(seconds=step))
            await self.settle()

    # Roll-outs

    async def upload(self, version: str = "2.0.0", behaviour: str = GOOD, **more: Any) -> UUID:
        image = json.dumps({"version": version, "behaviour": behaviour}).encode()
        return await self.upload_image(image, version=version, **more)

    async def upload_image(self, image: bytes, **more: Any) -> UUID:
        manifest = manifest_of(image, **more)
        text, signature = sign(KEY, manifest)
        if not await firmware.keys(self.stage.context, self.stage.merchant):
            await firmware.add_key(self.stage.context, self.editor, "laptop", PUBLIC)
        return await firmware.upload(
            self.stage.context,
            self.editor,
            Upload(manifest=text.encode(), signature=signature, image=image),
        )

    async def roll_out(self, build: UUID, rules: Rules = FAST, **more: Any) -> UUID:
        made = await rollouts.create(
            self.stage.context, self.editor, NewRollout(firmware=build, rules=rules, **more)
        )
        await rollouts.start(self.stage.context, self.editor, made)
        self.rollout = made
        return made

    async def abort(self) -> None:
        await rollouts.abort(self.stage.context, self.editor, self.rollout)

    async def give_up(self, code: str) -> None:
        await rollouts.give_up(self.stage.context, self.editor, self.rollout, code, "seen")

    async def read(self, rollout: UUID) -> rollouts.Wave:
        return await rollouts.read(self.stage.context, self.stage.merchant, rollout)

    async def state_of(self, code: str) -> str:
        return str(
            await self.stage.value("SELECT state FROM machine_updates WHERE outlet_id = $1", code)
        )

    def versions(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for machine in self.machines.values():
            version = machine.updater.flash.runs.version
            found[version] = found.get(version, 0) + 1
        return found

    # Sales

    async def sell(self, code: str) -> UUID:
        """Somebody pays for a can at this machine."""
        return await sell_at(self.stage, code)


def manifest_of(image: bytes, **more: Any) -> Manifest:
    values: dict[str, Any] = {
        "version": "2.0.0", "sequence": 2, "hardware": BOARD, "kind": "app", "size": len(image),
        "sha256": hashlib.sha256(image).hexdigest(), "min_from": 0, "journal_formats": [1],
        "expires": "2027-11-21T00:00:00Z",
    }  # fmt: skip
    return msgspec.convert(values | more, Manifest)


async def sell_at(stage: Stage, code: str) -> UUID:
    """A test vend: a unit of an order of nothing, which goes the way of a paid one."""
    order = await vend_as_test(stage.context, Editor(stage.merchant, "asha"), code, "A1")
    return UUID(str(await stage.value("SELECT id FROM fulfillments WHERE order_id = $1", order)))
