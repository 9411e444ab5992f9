"""Real brokers on a free port for one test: the wheel's NATS, and Mosquitto where installed."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from tests.ports import free_port

MACHINES = ("M01", "M02", "M03")
SERVER_URL = "mqtt://coinslot:of-the-server@127.0.0.1"


def secret_of(outlet: str) -> str:
    return f"secret-of-{outlet}"


class Broker:
    """A child process that says in its log when it is ready."""

    ready_line: ClassVar[bytes]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.logins = {machine: secret_of(machine) for machine in MACHINES}
        self._child: asyncio.subprocess.Process | None = None
        self._drain: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"{SERVER_URL}:{self.port}"

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    async def start(self) -> None:
        self._child = await asyncio.create_subprocess_exec(
            *self.command(), stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
        )
        log = self._child.stderr
        assert log is not None
        said = b""
        async with asyncio.timeout(15):
            while self.ready_line not in said:
                said = await log.readline()
                assert said, f"{self.command()[0]} ended before it was ready"
        self._drain = asyncio.create_task(self._forget(log))

    async def stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            await self._child.wait()
            self._child = None
        if self._drain is not None:
            await self._drain
            self._drain = None

    @staticmethod
    async def _forget(log: asyncio.StreamReader) -> None:
        while await log.readline():
            pass


class Nats(Broker):
    ready_line = b"Server is ready"

    def command(self) -> Sequence[str]:
        users = "".join(
            f"{{user: {m}, password: {secret}, permissions: "
            f'{{publish: ["devices.{m}.status.>", "devices.{m}.logs"], '
            f'subscribe: ["devices.{m}.commands", "devices.{m}.commands.>", "devices.{m}.config", '
            f'"devices.{m}.config.>", "$MQTT.sub.>"]}}}}\n'
            for m, secret in self.logins.items()
        )
        config = self.folder / "nats.conf"
        config.write_text(
            f"server_name: test\nlisten: 127.0.0.1:{free_port()}\n"
            f"mqtt {{ listen: 127.0.0.1:{self.port} }}\n"
            f'jetstream {{ store_dir: "{self.folder}/store" }}\n'
            "authorization { users = [\n"
            f"{{user: coinslot, password: of-the-server}}\n{users}] }}\n",
            encoding="ascii",
        )
        return [str(Path(sys.executable).with_name("nats-server")), "-c", str(config)]


class Mosquitto(Broker):
    ready_line = b"running"

    def command(self) -> Sequence[str]:
        logins = {"coinslot": "of-the-server", **self.logins}
        passwords, rights = self.folder / "passwords", self.folder / "rights"
        passwords.write_text("".join(f"{n}:{p}\n" for n, p in logins.items()), encoding="ascii")
        passwords.chmod(0o600)
        program = shutil.which("mosquitto_passwd") or "mosquitto_passwd"
        subprocess.run([program, "-U", str(passwords)], check=True, capture_output=True)
        rights.write_text(
            "user coinslot\ntopic readwrite devices/#\n"
            "pattern write devices/%u/status/#\npattern write devices/%u/logs\n"
            "pattern read devices/%u/commands/#\npattern read devices/%u/config/#\n",
            encoding="ascii",
        )
        rights.chmod(0o600)
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\nuser root\n"
            f"password_file {passwords}\nacl_file {rights}\nmax_inflight_messages 200\n",
            encoding="ascii",
        )
        return [_mosquitto() or "mosquitto", "-c", str(config)]

    @staticmethod
    def installed() -> bool:
        return _mosquitto() is not None


def _mosquitto() -> str | None:
    return shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/sbin")
