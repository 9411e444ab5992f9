"""A real `coinslot` process on a database of the bench, and what it costs the machine."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from bench.ground import Base
from coinslot.db.child_server import free_port

_START_WITHIN_S = 60.0
_STOP_WITHIN_S = 20.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


class DidNotStartError(Exception):
    """The process ended, or did not say that it is ready."""


class Serving:
    """`coinslot <role>` on `base`; its embedded broker lives in `folder`."""

    def __init__(self, role: str, base: Base, folder: Path) -> None:
        self.role = role
        self.base = base
        self.port = free_port()
        self.mqtt_port = free_port()
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self, **more: str) -> None:
        """Ready on return. Raises DidNotStartError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        env = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": self.base.app,
            "COINSLOT_DOOR_URL": self.base.door,
            "COINSLOT_KEYS": self.base.keys,
            "COINSLOT_DATA": str(self._folder),
            "COINSLOT_PORT": str(self.port),
            "COINSLOT_MQTT_PORT": str(self.mqtt_port),
            **more,
        }
        log = (self._folder / f"{self.role}.log").open("wb")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "coinslot", self.role,
            stdout=asyncio.subprocess.PIPE, stderr=log, env=env, start_new_session=True,
        )  # fmt: skip
        log.close()
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_START_WITHIN_S):
                while b"ready" not in (line := await self._process.stdout.readline()):
                    if not line:
                        raise DidNotStartError
        except (TimeoutError, DidNotStartError) as error:
            await self.stop()
            raise DidNotStartError(self.log()[-2000:]) from error

    async def stop(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_WITHIN_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def log(self) -> str:
        return (self._folder / f"{self.role}.log").read_text(encoding="utf-8", errors="replace")


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for below in task.read_text(encoding="ascii").split():
            found += family(int(below))
    return found


def cpu_s(pids: list[int]) -> float:
    """Seconds of processor time that these have used so far, with their children that ended."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended since
            after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
            ticks += sum(map(int, after_name.split()[11:15]))
    return ticks / _TICKS_PER_S


def busy_s() -> float:
    """Seconds of processor time that everybody here has used so far, idle time left out."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    user, nice, system, _idle, _waiting, irq, softirq, steal = map(int, fields)
    return (user + nice + system + irq + softirq + steal) / _TICKS_PER_S


def rss_kib(pids: list[int]) -> int:
    """Memory that these processes hold."""
    return sum(
        int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_KIB
        for pid in pids
    )


async def listens(port: int, within_s: float) -> None:
    """Until somebody takes connections there. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return
