"""Where everything stands in the picture of a machine; the template only paints."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec

from sandbox.config import Outlet

# The glass of the machine, in units of the drawing (240 x 352).
GLASS_X, GLASS_Y, GLASS_WIDTH = 20, 58, 140
CAN_WIDTH, CAN_HEIGHT, SHELF_HEIGHT = 23, 36, 46
CANS = ("coral", "teal", "amber", "indigo", "rose", "lime", "sky", "plum")
COATS = ("pine", "navy", "rust", "plum")


class Can(msgspec.Struct, frozen=True):
    """One can on a shelf."""

    x: int
    y: int
    paint: str


class SlotDrawing(msgspec.Struct, frozen=True):
    """One slot: its part of the shelves, what stands there, and its label."""

    slot: str
    product: str
    stock: int
    paint: str
    x: int
    y: int
    width: int
    cans: list[Can]
    leaves_from: Can  # where the next can starts to fall


class MachineDrawing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the picture of one machine shows."""

    outlet: str
    name: str
    coat: str
    lit: bool
    connected: bool
    says: str
    words: str  # the same for those who do not see it
    shelves: list[int]
    slots: list[SlotDrawing]
    drops: int
    fallen: SlotDrawing | None
    faults: Mapping[str, Any]


def draw(
    place: int, outlet: Outlet, state: Mapping[str, Any], journal: Sequence[Mapping[str, Any]]
) -> MachineDrawing:
    """The picture without its faults; an empty state is a machine that was never switched on."""
    slots = _slots(outlet, state)
    lit = bool(state.get("power"))
    connected = lit and bool(state.get("connected"))
    last = journal[-1]["slot"] if journal else None
    says = _says(state, lit, connected)
    name = outlet.name or outlet.id
    held = ", ".join(f"{slot.slot} holds {slot.stock}" for slot in slots)
    return MachineDrawing(
        outlet=outlet.id,
        name=name,
        coat=COATS[place % len(COATS)],
        lit=lit,
        connected=connected,
        says=says,
        words=f"Machine {outlet.id}, {name}: {says.lower()}. {held}. {len(journal)} dropped.",
        shelves=[GLASS_Y + SHELF_HEIGHT * line for line in range(1, 5)],
        slots=slots,
        drops=len(journal),
        fallen=next((slot for slot in slots if slot.slot == last), slots[0]) if last else None,
        faults={},
    )


def _says(state: Mapping[str, Any], lit: bool, connected: bool) -> str:
    if not state:
        return "NOT STARTED"
    if not lit:
        return "NO POWER"
    if not connected:
        return "OFFLINE"
    step = str(state.get("step") or "idle")
    known = {"idle": "READY", "accepted": "PAID", "started": "VENDING", "running": "VENDING"}
    return known.get(step, step.upper()[:11])


def _slots(outlet: Outlet, state: Mapping[str, Any]) -> list[SlotDrawing]:
    """Slots of one letter share a shelf; few slots get more shelves each."""
    products = {slot.slot: slot.product for slot in outlet.slots}
    stocks = {slot.slot: slot.stock for slot in outlet.slots} | _stocks(state)
    names = sorted(stocks or {"A1": 0})
    rows = [list(row) for _, row in groupby(names, key=lambda name: name[:1])][:4]
    shelves_each = max(1, 4 // len(rows))
    drawn: list[SlotDrawing] = []
    for line, row in enumerate(rows):
        width = GLASS_WIDTH // len(row)
        for column, name in enumerate(row):
            drawn.append(
                _slot(
                    (name, products.get(name, ""), stocks.get(name, 0)),
                    CANS[len(drawn) % len(CANS)],
                    (GLASS_X + column * width, GLASS_Y + line * shelves_each * SHELF_HEIGHT),
                    (width, shelves_each),
                )
            )
    return drawn


def _stocks(state: Mapping[str, Any]) -> dict[str, int]:
    slots = state.get("slots")
    if not isinstance(slots, dict):
        return {}
    return {str(name): stock for name, stock in slots.items() if isinstance(stock, int)}


def _slot(
    what: tuple[str, str, int], paint: str, corner: tuple[int, int], size: tuple[int, int]
) -> SlotDrawing:
    (name, product, stock), (x, y), (width, shelves) = what, corner, size
    across = max(1, width // CAN_WIDTH)
    gap = (width - across * CAN_WIDTH) // (across + 1)
    spots = [
        Can(
            x + gap + column * (CAN_WIDTH + gap),
            y + shelf * SHELF_HEIGHT + SHELF_HEIGHT - CAN_HEIGHT,
            paint,
        )
        for shelf in range(shelves)
        for column in range(across)
    ]
    shown = spots[-stock:] if 0 < stock < len(spots) else spots[: min(stock, len(spots))]
    leaves = spots[-stock - 1] if 0 <= stock < len(spots) else spots[0]
    return SlotDrawing(
        slot=name,
        product=product,
        stock=stock,
        paint=paint,
        x=x,
        y=y + shelves * SHELF_HEIGHT,
        width=width,
        cans=shown,
        leaves_from=leaves,
    )
