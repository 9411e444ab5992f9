"""How results leave a machine whose voice has faults: three times, or much too late."""

import asyncio
from collections.abc import Callable
from typing import Any

from machine_simulator.faults import Faults

TIMES_WHEN_DUPLICATED = 3


class Voice:
    """Everything is said through here. What is held back lives in volatile memory."""

    def __init__(
        self, say: Callable[[str, dict[str, Any]], bool], faults: Faults, late_s: float
    ) -> None:
        self._say = say
        self._faults = faults
        self._late_s = late_s
        self._held: dict[object, asyncio.TimerHandle] = {}

    def say(self, event: str, message: dict[str, Any]) -> bool:
        return self._say(event, message)

    def result(self, key: object, event: str, message: dict[str, Any]) -> bool:
        """Say a result, as the faults have it; `key` tells results apart. False: not sent."""
        faults = self._faults.refresh()
        if faults.late_done:
            if key not in self._held:
                loop = asyncio.get_running_loop()
                self._held[key] = loop.call_later(self._late_s, self._release, key, event, message)
            return True
        times = TIMES_WHEN_DUPLICATED if faults.duplicate_done else 1
        return all(self._say(event, message) for _ in range(times))

    def silence(self) -> None:
        """The power is gone, and with it what was held back."""
        for handle in self._held.values():
            handle.cancel()
        self._held.clear()

    def _release(self, key: object, event: str, message: dict[str, Any]) -> None:
        self._held.pop(key, None)
        self._say(event, message)
