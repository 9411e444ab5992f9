"""What only hands can do to a device: take its power, let nothing fall, count what fell."""

from typing import Protocol


class Hands(Protocol):
    """Each answers False or None where nobody does it: then its checks are skipped."""

    async def ready(self, text: str) -> bool:
        """A person is told what comes next, before it begins: a run is over in a second."""
        ...

    async def cut_power(self, when: str) -> bool:
        """Take the power and give it back; `when` tells a person the moment."""
        ...

    async def cut_network(self, when: str) -> bool: ...

    async def jam(self, *, on: bool) -> bool:
        """From now on the motor turns and nothing falls; or things fall again."""
        ...

    async def fell(self) -> int | None:
        """How many things fell so far, counted by somebody else than the device."""
        ...


class NoHands:
    """Nobody is there."""

    async def ready(self, text: str) -> bool:
        return False

    async def cut_power(self, when: str) -> bool:
        return False

    async def cut_network(self, when: str) -> bool:
        return False

    async def jam(self, *, on: bool) -> bool:
        return False

    async def fell(self) -> int | None:
        return None
