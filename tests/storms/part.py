"""One process of the town: started, killed, stopped, and started again when it is dead."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from coinslot.kit.clock import SystemClock
from tests.warm import PYTHONPATH, How, Program

STOP_S = 10.0
_CLOCK = SystemClock()


class Part:
    """A command of ours that dies with us, whatever kills us. Its output goes to `<name>.log`."""

    def __init__(
        self, name: str, arguments: Sequence[str], env: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self.starts = 0
        self.fault = ""  # COINSLOT_FAULT of the next start
        self.armed = False  # it was started with a fault
        self.deaths = 0  # at a commit or a send, by COINSLOT_FAULT
        self.died_at: datetime | None = None  # when it was last found so
        self.falls = 0  # those that nobody asked for: a bug
        self._arguments = list(arguments)
        self._env = dict(env)
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        fault, self.fault = self.fault, ""
        self.armed = bool(fault)
        extra = {"COINSLOT_FAULT": fault} if fault else {}
        self.starts += 1
        with self._log.open("ab") as output:
            output.write(f"--- start {self.starts} {fault}\n".encode())
            output.flush()
            self._process = Program(
                self._arguments,
                {**os.environ, "PYTHONPATH": PYTHONPATH, **self._env, **extra},
                # Until it listens for SIGHUP it ignores it, instead of ending.
                How(alone=True, dies_with_us=True),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """A dead process hears nothing."""
        if self._process is not None and self.runs:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9; whoever keeps it starts it again."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(STOP_S)
            self._process = None

    def keep(self) -> None:
        """Start it if it is dead; to be called again and again."""
        if self._process is not None and self._process.poll() is not None:
            if self.armed and self._process.returncode == -signal.SIGKILL:
                self.deaths += 1
                self.died_at = _CLOCK.now()
            else:
                self.falls += 1
            self._process = None
        if self._process is None:
            self.start()

    async def stop(self) -> None:
        """In order, then by force."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def ready(self) -> bool:
        """Whether it said so since its last start."""
        return self.runs and "Coinslot ready" in self.said().rpartition("--- start ")[2]

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")


def signal_tree(pid: int, number: signal.Signals) -> None:
    """A process and its children: PostgreSQL gives each connection a session of its own."""
    for each in (pid, *_children(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, number)


def _children(pid: int) -> list[int]:
    try:
        words = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except FileNotFoundError:
        return []
    return [int(word) for word in words]
