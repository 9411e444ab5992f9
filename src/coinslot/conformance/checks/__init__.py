"""The checks, by what they are about. Each says which rule of docs/vend-protocol.md it asks for,
and the lowest class that needs it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from coinslot.channels.base import Guarantee
from coinslot.conformance.bench import Bench

Ask = Callable[[Bench], Awaitable[str]]  # what was seen; raises what bench.py names


@dataclass(frozen=True)
class Check:
    """One question to the device."""

    name: str
    rule: str  # where docs/vend-protocol.md says it
    needs: Guarantee
    asks: str
    ask: Ask


ALL: list[Check] = []


def check(name: str, rule: str, needs: Guarantee = Guarantee.G2) -> Callable[[Ask], Ask]:
    """Registers a question; its docstring says what it asks."""

    def register(ask: Ask) -> Ask:
        asks = " ".join((ask.__doc__ or "").split())
        ALL.append(Check(name, rule, needs, asks, ask))
        return ask

    return register
