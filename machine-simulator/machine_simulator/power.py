"""Power, and where it fails: a cut at a named step takes all volatile memory with it."""

from machine_simulator.faults import Faults


class PowerCutError(Exception):
    """The machine has lost power."""


class Power:
    """Asked at every step of a vend whether this is where the plug is pulled."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def fails_at(self, step: str) -> bool:
        return self._faults.refresh().power_cut_at == step

    def reached(self, step: str) -> None:
        """Raise PowerCutError if the cut was set for this step; it fires once."""
        if self.fails_at(step):
            self._faults.spend("power_cut_at")
            raise PowerCutError(step)
