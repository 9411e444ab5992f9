"""Bounds of what many machines are given at once, and the sentence about each that is not kept."""

from typing import Any

import pytest

from coinslot.fleet import bulk, config
from coinslot.fleet.bulk import CAPACITY_AT_MOST, MachineChange
from coinslot.fleet.config import ConfigError, MachineConfig, SlotConfig
from coinslot.kit.money import Money
from coinslot.orders.outlet_windows import WindowError
from coinslot.orders.selling_rules import WINDOWS

INR = "INR"
COLA = SlotConfig(slot="A1", sku="cola", price=Money(4000, INR), par=8)
LEAST, MOST = WINDOWS["dispatch_s"]


@pytest.mark.parametrize("by", ["typed", "template", "nobody"])
@pytest.mark.parametrize(
    ("before", "wanted", "refused"),
    [
        (90, 90, False), (None, None, False), (90, None, False), (90, LEAST, False),
        (90, MOST, False), (90, LEAST - 0.5, True), (90, MOST + 0.5, True),
        (LEAST - 1, LEAST - 1, False),
    ],
)  # fmt: skip
def test_a_window_of_time_that_is_typed_keeps_its_bounds(
    by: Any, before: float | None, wanted: float | None, refused: bool
) -> None:
    change = MachineChange(machine="M01", windows={"dispatch_s": wanted}, windows_by=by)
    changes = before != wanted
    if (by == "nobody" and changes) or (by == "typed" and refused):
        with pytest.raises(WindowError) as said:
            bulk._check_typed(change, {"dispatch_s": before})
        bounds = f"dispatch_s: from {LEAST} to {MOST} seconds"
        nobody = "dispatch_s: whoever may change machines' times changes it"
        assert str(said.value) == (nobody if by == "nobody" else bounds)
    else:
        bulk._check_typed(change, {"dispatch_s": before})


def test_a_window_without_bounds_of_its_own_is_not_below_nothing() -> None:
    def typed(seconds: float) -> None:
        change = MachineChange(machine="M01", windows={"x_s": seconds}, windows_by="typed")
        bulk._check_typed(change, {"x_s": None})

    typed(0)
    typed(10**9)
    with pytest.raises(WindowError):
        typed(-1)


@pytest.mark.parametrize(
    ("capacity", "code", "said"),
    [
        ({}, "", ""),
        ({"A1": None}, "", ""),
        ({"A1": 8}, "", ""),
        ({"A1": CAPACITY_AT_MOST}, "", ""),
        ({"A1": 7}, "par_above_capacity", "A1: it is filled up to 8, and only 7 fit."),
        ({"A1": 0}, "bad_capacity", "A1: from 1 to 10000 fit into a slot."),
        ({"A1": CAPACITY_AT_MOST + 1}, "bad_capacity", "A1: from 1 to 10000 fit into a slot."),
        ({"B1": None}, "slot_unknown", "There is no slot B1."),
        ({"A1": 9, "B1": 1}, "slot_unknown", "There is no slot B1."),
    ],
)
def test_how_many_fit_is_from_one_up_and_not_less_than_is_filled(
    capacity: dict[str, int | None], code: str, said: str
) -> None:
    if not code:
        return bulk._check_fit([COLA], capacity)
    with pytest.raises(ConfigError) as refused:
        bulk._check_fit([COLA], capacity)
    assert (refused.value.code, refused.value.field, str(refused.value)) == (
        code, said.rstrip(".")[-2:] if code == "slot_unknown" else "A1", said,
    )  # fmt: skip
    return None


def machine(*slots: SlotConfig, **device: Any) -> MachineConfig:
    return MachineConfig(
        code="M01", version=1, name="n", place="", contact="", zone=None, currency=INR,
        slots=list(slots), device=device,
    )  # fmt: skip


def test_what_changes_is_listed_slot_by_slot_and_then_setting_by_setting() -> None:
    tea = SlotConfig(slot="A2", sku="tea", price=Money(2000, INR), par=0)
    planned = config.Planned(
        before=machine(COLA, tea, theme="dark", volume=3, gone=1),
        after=machine(
            SlotConfig(slot="A1", sku="tea", price=Money(4500, INR), par=9), tea,
            SlotConfig(slot="B1", sku="cola", price=Money(1, INR), par=2),
            theme="dark", volume=4, new=True,
        ),
        codes=(),
    )  # fmt: skip
    found = bulk._differences(planned, {"A1": 9, "A2": 5, "B1": None}, {"A1": 9, "A2": 6, "B1": 4})
    assert [(one.slot, one.what, one.before, one.after) for one in found] == [
        ("A1", "sku", "cola", "tea"),
        ("A1", "price", Money(4000, INR), Money(4500, INR)),
        ("A1", "par", 8, 9),
        ("A1", "stock", None, 0),
        ("A2", "capacity", 5, 6),
        ("B1", "sku", None, "cola"),
        ("B1", "price", None, Money(1, INR)),
        ("B1", "par", None, 2),
        ("B1", "capacity", None, 4),
        ("", "gone", 1, None),
        ("", "new", None, True),
        ("", "volume", 3, 4),
    ]
    same = config.Planned(before=machine(COLA), after=machine(COLA), codes=())
    assert list(bulk._differences(same, {"A1": 9}, {})) == []


def test_machines_are_changed_in_the_order_of_their_codes() -> None:
    some = [MachineChange(machine=code) for code in ("M03", "M01", "M02")]
    assert [one.machine for one in bulk._in_order(some)] == ["M01", "M02", "M03"]
