"""Servers that run as our children: one owner of a folder at a time; a server left over from an
earlier run is stopped first; stopping is tried in order before it is forced."""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import IO

_FORCE_AFTER_S = 3.0


class FolderInUseError(Exception):
    """Another living process runs the server of this folder."""


class LeftoverError(Exception):
    """A server of an earlier run does not stop."""


async def locked(path: Path, deadline: float) -> IO[str]:
    """Held until closed. The kernel frees it when its holder dies, however it dies."""
    file = path.open("w", encoding="ascii")
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                file.close()
                raise FolderInUseError(f"{path.parent} is in use by another process") from None
            await asyncio.sleep(0.1)
        else:
            return file


def runs(pid: int, program: str, word: str) -> bool:
    """Whether this process is that program with that word among its arguments: the process id alone
    may belong to another program by now."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return Path(words[0]).name == program and word in words


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


async def end_leftover(
    pid: int, program: str, word: str, how: signal.Signals, deadline: float
) -> None:
    force_at = time.monotonic() + _FORCE_AFTER_S
    while runs(pid, program, word):
        if time.monotonic() > deadline:
            raise LeftoverError(f"{program}, left over as process {pid}, does not stop")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how if time.monotonic() < force_at else signal.SIGKILL)
        await asyncio.sleep(0.05)


async def end(
    server: subprocess.Popen[bytes], signals: Sequence[signal.Signals], patience: timedelta
) -> None:
    """Each signal in turn has `patience` to end it; the last one is a kill."""
    for how in (*signals, signal.SIGKILL):
        if server.poll() is None:
            server.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(server.wait, patience.total_seconds())
            return


def free_port(remembered: int | None = None) -> int:
    """On 127.0.0.1; the remembered one where it is still free."""
    for candidate in (remembered or 0, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", candidate))
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def write_private(path: Path, content: bytes) -> None:
    """Whole or not at all, readable by us alone."""
    staging = path.with_name(path.name + ".new")
    staging.unlink(missing_ok=True)
    with os.fdopen(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)
