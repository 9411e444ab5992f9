"""The simulator as a real process, for any test that needs machines: start, kill, stop."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.warm import PYTHONPATH, How, Program

READY_S = 20
LOOK_S = 0.05


class SimulatorProcess:
    """A fleet with its files in `data_dir`; what fell is read from there, not from the wire."""

    def __init__(
        self,
        fleet: Sequence[Mapping[str, Any]],
        data_dir: Path,
        timing: Mapping[str, float] | None = None,
    ) -> None:
        self.fleet = list(fleet)
        self.data_dir = data_dir
        self._timing = dict(timing or {})
        self._process: Program | None = None

    async def start(self) -> None:
        """Returns once it printed that it is ready."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        fleet_file = self._write_fleet()
        seconds = {f"SIMULATOR_{name.upper()}": str(s) for name, s in self._timing.items()}
        words = ["machine_simulator", "--fleet", str(fleet_file), "--data", str(self.data_dir)]
        with (self.data_dir / "simulator.log").open("ab") as log:
            self._process = Program(
                words,
                os.environ | {"PYTHONPATH": PYTHONPATH} | seconds,
                How(cwd=self.data_dir),
                stdout=subprocess.PIPE,
                stderr=log,
            )
        await self._ready()

    async def reload(self) -> None:
        """Take over what was added to `fleet`."""
        self._write_fleet()
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)
        await self._ready()

    async def _ready(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(READY_S):
            line = await asyncio.to_thread(self._process.stdout.readline)
        ready = f"simulator ready: {len(self.fleet)} machines\n"
        assert line.decode() == ready, (line, self.log())

    def _write_fleet(self) -> Path:
        fleet_file = self.data_dir / "fleet.json"
        fleet_file.write_text(json.dumps(self.fleet))
        return fleet_file

    async def kill(self) -> None:
        """kill -9: a power cut of every machine."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(number)
            await asyncio.to_thread(process.communicate)

    async def __aenter__(self) -> "SimulatorProcess":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    def log(self) -> str:
        return (self.data_dir / "simulator.log").read_text()

    def fault(self, outlet: str, **faults: object) -> None:
        """Set faults as the sandbox does: merged, and written all at once."""
        path = self.data_dir / outlet / "faults.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        now = json.loads(path.read_text()) if path.exists() else {}
        draft = path.with_name("faults.json.draft")
        draft.write_text(json.dumps(now | faults))
        draft.replace(path)

    def faults(self, outlet: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data_dir / outlet / "faults.json").read_text())
        return found

    def drops(self, outlet: str) -> list[dict[str, Any]]:
        """What physically fell, in order."""
        path = self.data_dir / outlet / "drops.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text().splitlines()]

    async def until(self, holds: Callable[[], bool], timeout_s: float = 10) -> None:
        """Files call nobody: look again and again."""
        async with asyncio.timeout(timeout_s):
            while not holds():  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S)

    def state(self, outlet: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data_dir / outlet / "state.json").read_text())
        return found
