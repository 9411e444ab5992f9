"""Keeps one PostgreSQL for all workers of a test run: started by the first who needs it, it stops
when the last of them is gone, however they went (the kernel frees their locks)."""

import asyncio
import fcntl
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from coinslot.db.embedded import EmbeddedPostgres

_START_WITHIN_S = 60.0


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """One process of the test run at a time."""
    with path.open("w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def server_url(folder: Path) -> tuple[str, IO[str]]:
    """The superuser's URL of the run's server, and a lock: the server lives while it is held."""
    folder.mkdir(exist_ok=True)
    with exclusively(folder / "starting"):
        in_use = (folder / "in_use").open("w", encoding="ascii")
        # Waits here for the end of a keeper whose workers are all gone.
        fcntl.flock(in_use, fcntl.LOCK_SH)
        ready = folder / "url"
        if not ready.exists():
            _start_keeper(folder, ready)
        return ready.read_text(encoding="ascii"), in_use


def _start_keeper(folder: Path, ready: Path) -> None:
    with (folder / "keeper.log").open("wb") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.postgres_keeper", str(folder)],
            cwd=Path(__file__).parent.parent,
            env={"PYTHONPATH": "src"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_WITHIN_S
    while not ready.exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError((folder / "keeper.log").read_text(encoding="utf-8"))
        time.sleep(0.02)


def keep(folder: Path) -> None:
    server = EmbeddedPostgres(folder / "server", durable=False)
    asyncio.run(server.start())
    ready = folder / "url"
    ready.with_suffix(".new").write_text(server.superuser_url, encoding="ascii")
    ready.with_suffix(".new").replace(ready)
    with (folder / "in_use").open("w", encoding="ascii") as in_use:
        fcntl.flock(in_use, fcntl.LOCK_EX)
        # The folder may be gone: pytest removes what a run without a failure has made.
        ready.unlink(missing_ok=True)
        asyncio.run(server.stop())
        shutil.rmtree(folder / "server", ignore_errors=True)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
