"""The picture of a practice machine: where everything stands; the template only paints."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from msgspec import Struct

from coinslot.channels.practice_machine import Broken
from coinslot.fleet.machines import SlotLine
from coinslot.fleet.practice import PracticeView

_LEFT, _TOP, _WIDTH, _SHELF = 20, 46, 140, 46  # of the glass, in units of the drawing
_CAN, _CAN_HEIGHT = 22, 34
_SHELVES, _PAINTS = 4, 6
_FALLS_FOR: Final = timedelta(seconds=4)


class DrawnSlot(Struct, frozen=True, kw_only=True):
    """A slot with its cans: each a place from the left, all on one shelf."""

    name: str
    paint: int
    x: int
    y: int
    cans: tuple[int, ...]
    stuck: int | None  # where one hangs


class DrawnMachine(Struct, frozen=True, kw_only=True):
    """Everything that the picture shows. `falls`: just now."""

    step: str
    lit: bool
    broken: Broken
    slots: tuple[DrawnSlot, ...]
    shelves: tuple[int, ...]
    drops: int
    fallen: DrawnSlot | None
    falls: bool

    @property
    def version(self) -> str:
        """Another one where the picture differs."""
        held = ".".join(f"{len(slot.cans)}{slot.stuck}" for slot in self.slots)
        return f"{self.step}.{self.broken}.{self.drops}.{held}"


def drawn(view: PracticeView, slots: Sequence[SlotLine], now: datetime) -> DrawnMachine:
    """The machine as it is now."""
    state = view.state
    places = _slots(slots, state.stuck)
    fell = state.fallen
    return DrawnMachine(
        step=state.step, lit=state.step not in ("off", "dark"), broken=view.broken, slots=places,
        shelves=tuple(_TOP + _SHELF * line for line in range(1, _SHELVES + 1)),
        drops=state.counter, falls=fell is not None and now - fell.at < _FALLS_FOR,
        fallen=next((one for one in places if fell is not None and one.name == fell.slot), None),
    )  # fmt: skip


def _slots(slots: Sequence[SlotLine], stuck: str) -> tuple[DrawnSlot, ...]:
    """Slots of one letter share a shelf."""
    rows = [list(row) for _, row in groupby(slots, key=lambda slot: slot.slot[:1])][:_SHELVES]
    made: list[DrawnSlot] = []
    for line, row in enumerate(rows):
        width = _WIDTH // len(row)
        across = max(1, (width - 4) // _CAN)
        for column, slot in enumerate(row):
            left = _LEFT + column * width
            hangs = slot.slot == stuck
            count = min(slot.stock, across - (1 if hangs and across > 1 else 0))
            made.append(
                DrawnSlot(
                    name=slot.slot, paint=len(made) % _PAINTS, x=left,
                    y=_TOP + _SHELF * (line + 1),
                    cans=tuple(left + 3 + _CAN * place for place in range(count)),
                    stuck=left + 3 + _CAN * count if hangs else None,
                )
            )  # fmt: skip
    return tuple(made)
