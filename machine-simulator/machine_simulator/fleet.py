"""Any number of machines in one process and on one loop."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from machine_simulator.leased import LeasedMachine
from machine_simulator.machine import Machine
from machine_simulator.settings import MachineSpec, Timing
from machine_simulator.simple import SimpleMachine

log = logging.getLogger(__name__)

POLL_S = 0.1


class Fleet:
    """A machine that fails in an unforeseen way is logged; its neighbours live on."""

    def __init__(self, folder: Path, timing: Timing) -> None:
        self._folder = folder
        self._timing = timing
        self.machines: dict[str, Machine] = {}
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._poller: asyncio.Task[None] | None = None

    def start(self, specs: Sequence[MachineSpec]) -> int:
        """Switch on those that do not run yet; how many run now."""
        for spec in specs:
            if spec.id not in self.machines:
                kind = LeasedMachine if spec.dialect == "leased" else SimpleMachine
                machine = kind(spec, self._timing, self._folder / spec.id)
                machine.draw()
                self.machines[spec.id] = machine
                life = asyncio.create_task(machine.live(), name=spec.id)
                life.add_done_callback(_tell_if_it_died)
                self._lives[spec.id] = life
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll())
        return len(self.machines)

    async def stop(self) -> None:
        """Politely, all at once."""
        if self._poller is not None:
            self._poller.cancel()
        await asyncio.gather(*(machine.stop() for machine in self.machines.values()))
        tasks = list(self._lives.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll(self) -> None:
        while True:
            for machine in self.machines.values():
                try:
                    machine.poll()
                except OSError as error:
                    log.warning("%s: %s", machine.spec.id, error)
            await asyncio.sleep(POLL_S)


def _tell_if_it_died(life: asyncio.Task[None]) -> None:
    if not life.cancelled() and (error := life.exception()) is not None:
        log.error("machine %s is broken", life.get_name(), exc_info=error)
