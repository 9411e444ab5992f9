"""A PostgreSQL on a small disk of its own, which can be filled. `python -m tests.scenarios.disk`
is the process that holds both; it ends when its input does, and the disk with it."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from coinslot.commands.terms import log_to_stderr
from coinslot.db.embedded import EmbeddedPostgres
from tests.warm import PYTHONPATH, ROOT

DISK_MB = 256
CHUNK_BYTES = 1 << 16
ANSWER_S = 90.0
# A mount of the process alone: nothing is left of it however the process ends.
WAYS = (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"])
MOUNT = f'mount -t tmpfs -o size={DISK_MB}m,mode=0700 tmpfs "$0"'


def private_mount(folder: Path) -> list[str] | None:
    """What stands before a command that is to have its own disk at the folder; None: refused."""
    for way in WAYS:
        if shutil.which(way[0]) is not None:
            tried = [*way, "sh", "-c", MOUNT, str(folder)]
            if subprocess.run(tried, capture_output=True, check=False).returncode == 0:
                return [*way, "sh", "-c", f'{MOUNT} && exec "$@"', str(folder)]
    return None


class Disk:
    """The test's end. `small` tells whether it may be filled."""

    def __init__(self, folder: Path, port: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._port = folder, port
        self._mount = private_mount(folder)
        self.small = self._mount is not None
        self.superuser_url = self.owner_url = ""
        self._process: asyncio.subprocess.Process | None = None

    def url(self, login: str, password: str) -> str:
        place = self.superuser_url.split("@", 1)[1]
        return f"postgresql://{login}:{password}@{place}"

    async def open(self) -> None:
        """Its server accepts connections on return."""
        self._process = await asyncio.create_subprocess_exec(
            *(self._mount or ()), sys.executable, "-m", "tests.scenarios.disk",
            str(self._folder), str(self._port),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": PYTHONPATH},
        )  # fmt: skip
        await self.ask("start")

    async def ask(self, deed: str) -> None:
        """start (again), stop in order, crash, fill, free."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{deed}\n".encode())
        async with asyncio.timeout(ANSWER_S):
            answer = await process.stdout.readline()
        assert answer, f"the process of PostgreSQL ended at {deed!r}"
        said: dict[str, Any] = json.loads(answer)
        self.superuser_url, self.owner_url = said["superuser"], said["owner"]

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            await process.communicate()


class Holder:
    """The process's end: one word is one deed."""

    def __init__(self, folder: Path, port: int) -> None:
        self._ballast = folder / "ballast"
        self._pid_file = folder / "postgres" / "data" / "postmaster.pid"
        self._server = EmbeddedPostgres(folder, port)
        self._deeds: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "start": self._start, "stop": self._server.stop, "crash": self._crash,
            "fill": self._fill, "free": self._free,
        }  # fmt: skip

    def serve(self) -> None:
        with asyncio.Runner() as runner:
            for line in sys.stdin:
                runner.run(self._deeds[line.strip()]())
                urls = {"superuser": self._server.superuser_url, "owner": self._server.owner_url}
                print(json.dumps(urls), flush=True)
            runner.run(self._server.stop())

    async def _start(self) -> None:
        await self._server.stop()
        await self._server.start()

    async def _crash(self) -> None:
        os.kill(int(self._pid_file.read_text().split()[0]), signal.SIGQUIT)

    async def _fill(self) -> None:
        # Never anyone's real disk.
        assert shutil.disk_usage(self._ballast.parent).total <= DISK_MB << 20
        with contextlib.suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(CHUNK_BYTES))

    async def _free(self) -> None:
        self._ballast.unlink(missing_ok=True)


if __name__ == "__main__":
    log_to_stderr("ERROR")
    Holder(Path(sys.argv[1]), int(sys.argv[2])).serve()
