"""Each field of a machine's configuration changes by itself, and each rule names the field that is
against it."""

from typing import Any

import msgspec
import pytest

from coinslot.fleet import config
from coinslot.fleet.config import (
    DEVICE_BYTES_AT_MOST,
    ConfigChange,
    ConfigError,
    MachineConfig,
    PrintedCode,
    SlotChange,
    SlotConfig,
)
from coinslot.fleet.planning import NewMachine
from coinslot.kit.money import Money
from tests.fleet.test_config import a_product, changed
from tests.sales.stage import Stage

INR = "INR"


async def read(stage: Stage) -> dict[str, Any]:
    found = await config.read(stage.context, stage.merchant, "M01")
    return {**msgspec.structs.asdict(found), **await counted(stage)}


async def counted(stage: Stage) -> dict[str, int]:
    (row,) = await stage.rows("SELECT price_version, planogram_version FROM outlets")
    return row


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in after.items() if before[name] != value}


async def test_each_field_changes_by_itself_and_is_a_version_of_its_own(stage: Stage) -> None:
    await changed(
        stage, ConfigChange(place="Pune", contact="call", zone="Asia/Kolkata", device={"a": 1})
    )
    cases: tuple[tuple[str, Any, Any], ...] = (
        ("name", " Platform 9 ", "Platform 9"),
        ("place", "Mumbai", "Mumbai"),
        ("place", "", ""),
        ("contact", "write", "write"),
        ("zone", "Europe/Moscow", "Europe/Moscow"),
        ("zone", None, None),
        ("device", {"b": 2}, {"b": 2}),
        ("device", {}, {}),
    )
    for field, given, kept in cases:
        before = await read(stage)
        made = await changed(stage, ConfigChange(**{field: given}))
        told = difference(before, await read(stage))
        changes = {field: kept, "version": made.version, "applied_version": made.version}
        assert told == changes, field
        assert made.version == before["version"] + 1
        again = await changed(stage, ConfigChange(**{field: given}))
        assert again.version == made.version, "nothing changed"


async def test_each_part_of_a_slot_changes_by_itself(stage: Stage) -> None:
    await a_product(stage, "tea", 2000)
    await stage.rows(
        "UPDATE qr_codes SET retired_at = created_at, stage = 'closed', due_at = NULL RETURNING id"
    )

    async def told(slot: SlotChange) -> tuple[list[SlotConfig], dict[str, int]]:
        before = await counted(stage)
        await changed(stage, ConfigChange(slots=(slot,)))
        slots = (await config.read(stage.context, stage.merchant, "M01")).slots
        after = await counted(stage)
        return slots, {name: after[name] - before[name] for name in after}

    first = SlotConfig(slot="A1", sku="cola", price=Money(4000, INR), par=7)
    assert await told(SlotChange(slot="A1", par=7)) == (
        [first], {"price_version": 0, "planogram_version": 0},
    )  # fmt: skip
    first = msgspec.structs.replace(first, price=Money(4500, INR))
    assert await told(SlotChange(slot="A1", price=Money(4500, INR))) == (
        [first], {"price_version": 1, "planogram_version": 0},
    )  # fmt: skip
    first = msgspec.structs.replace(first, sku="tea")
    assert await told(SlotChange(slot="A1", sku="tea")) == (
        [first], {"price_version": 0, "planogram_version": 1},
    )  # fmt: skip
    second = SlotConfig(slot="B2", sku="tea", price=Money(2000, INR), par=0)
    assert await told(SlotChange(slot="B2", sku="tea")) == (
        [first, second], {"price_version": 1, "planogram_version": 1},
    )  # fmt: skip
    third = SlotConfig(slot="B3", sku="cola", price=Money(1, INR), par=3)
    assert await told(SlotChange(slot="B3", sku="cola", price=Money(1, INR), par=3)) == (
        [first, second, third], {"price_version": 1, "planogram_version": 1},
    )  # fmt: skip


def slots(*changes: SlotChange, **more: Any) -> ConfigChange:
    return ConfigChange(slots=changes, **more)


A1 = SlotChange(slot="A1", par=1)
AGAINST = (
    (slots(A1, A1), "slot_twice", "slots[1].slot"),
    (slots(SlotChange(slot="B1", sku="cola"), whole=True), "slot_left_out", "slots"),
    (slots(SlotChange(slot="B1")), "slot_unknown", "slots[0].slot"),
    (slots(A1, SlotChange(slot="B1", sku="fanta")), "unknown_product", "slots[1].sku"),
    (slots(SlotChange(slot="A1", price=Money(1, "RUB"))), "other_currency", "slots[0].price"),
    (slots(SlotChange(slot="A1", price=Money(0, INR))), "bad_price", "slots[0].price"),
    (slots(A1, SlotChange(slot="B1", sku="chai")), "other_currency", "slots[1].price"),
    (ConfigChange(zone="Mars/Base"), "unknown_zone", "zone"),
    (ConfigChange(device={"a": "x" * DEVICE_BYTES_AT_MOST}), "device_config_too_large", "device"),
    (ConfigChange(name="  "), "bad_request", "name"),
    (ConfigChange(name=""), "bad_request", "name"),
    (ConfigChange(place="x" * 201), "bad_request", "place"),
    (slots(SlotChange(slot="A1", par=10_001)), "bad_request", "slots[0].par"),
    (slots(SlotChange(slot="A1", par=-1)), "bad_request", "slots[0].par"),
    (slots(SlotChange(slot="A 1", sku="cola")), "bad_request", "slots[0].slot"),
)


async def test_what_is_against_a_rule_is_named_and_changes_nothing(stage: Stage) -> None:
    await a_product(stage, "chai", 2000, "RUB")
    before = await read(stage)
    for wanted, code, field in AGAINST:
        with pytest.raises(ConfigError) as refused:
            await changed(stage, wanted)
        assert (refused.value.code, refused.value.field) == (code, field), wanted
    assert await read(stage) == before


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (ConfigChange(name=""), "This may not be empty."),
        (ConfigChange(name=" "), "This may not be empty."),
        (ConfigChange(name="x" * 101), "At most 100 characters fit."),
        (ConfigChange(place="x" * 201), "At most 200 characters fit."),
        (ConfigChange(place="a\0b"), "It has a character that cannot be kept."),
        (slots(SlotChange(slot="A 1")), "Letters, digits, - and _ only, 16 at most."),
        (slots(SlotChange(slot="A1", par=-1)), "A count is 0 or more."),
        (slots(SlotChange(slot="A1", par=10_001)), "At most 10000 is possible."),
        (NewMachine(code="M7", name="Seven", currency="inr"),
         "A currency has three capital letters, such as INR."),
    ],
)  # fmt: skip
def test_what_is_out_of_its_bounds_is_said_in_words(
    wanted: ConfigChange | NewMachine, said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        config.checked(wanted)
    assert str(refused.value) == said


async def test_what_just_fits_is_taken(stage: Stage) -> None:
    longest = {"a": "x" * (DEVICE_BYTES_AT_MOST - len('{"a":""}'))}
    await changed(stage, ConfigChange(device=longest, place="x" * 200, name="x" * 100))
    await changed(stage, slots(SlotChange(slot="A1", par=10_000), whole=True))
    many = tuple(SlotChange(slot=f"S{n}", sku="cola") for n in range(199))
    await changed(stage, slots(*many))
    with pytest.raises(ConfigError, match="At most 200 are possible") as refused:
        await changed(stage, slots(SlotChange(slot="T1", sku="cola")))
    assert (refused.value.code, refused.value.field) == ("too_many_slots", "slots")
    await changed(stage, slots(SlotChange(slot="S1", par=1)))


def had(price: int = 4000, sku: str = "cola") -> MachineConfig:
    slot = SlotConfig(slot="A1", sku=sku, price=Money(price, INR))
    return MachineConfig(
        code="M01", version=1, name="n", place="", contact="", zone=None, currency=INR,
        slots=[slot], device={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("price", "sku", "takes", "untrue"),
    [
        (4000, "cola", 4000, False),
        (5000, "cola", 4000, True),
        (5000, "cola", 5000, False),  # it took another amount before, and is right by now
        (4000, "cola", 9000, False),  # at another price on purpose, and that stays
        (4000, "tea", 4000, True),
        (5000, "tea", 5000, True),
        (5000, "cola", None, False),
    ],
)
def test_a_printed_code_is_untrue_by_its_amount_or_its_product(
    price: int, sku: str, takes: int | None, untrue: bool
) -> None:
    after = SlotConfig(slot="A1", sku=sku, price=Money(price, INR))
    codes = {} if takes is None else {"A1": Money(takes, INR)}
    found = list(config._untrue(had(), [after], codes))
    told = PrintedCode(slot="A1", takes=Money(takes or 1, INR), price=Money(price, INR), sku=sku)
    assert found == ([told] if untrue else [])
    other = msgspec.structs.replace(after, slot="B1")
    assert list(config._untrue(had(), [other], {"B1": Money(1, INR)})) == []
