"""A machine as it is planned, value by value, and each sentence about what is wrong with one."""

from typing import Any, cast
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.catalog.products import Described
from coinslot.channels.price_caps import PriceCaps
from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.fleet import store
from coinslot.fleet.config import DEVICE_BYTES_AT_MOST, SLOTS_AT_MOST
from coinslot.fleet.planning import (
    MACHINES_AT_MOST,
    Account,
    NewMachine,
    NewSlot,
    Plan,
    PlannedMachine,
    PlannedSlot,
    Planning,
)
from coinslot.kit.money import Money

INR = "INR"
ASHA = UUID(int=1)
PRODUCTS = (
    {"sku": "cola", "name": "Cola", "price_minor": 4000, "currency": INR, "retired_at": None},
    {"sku": "euro", "name": "Euro", "price_minor": 100, "currency": "EUR", "retired_at": None},
    {"sku": "old", "name": "Old", "price_minor": 900, "currency": INR, "retired_at": "yesterday"},
)
PLATFORM = {
    "channel": "socketio", "dialect": "simple", "device": {"ssid": "hall"},
    "windows": {"dispatch_s": 90.0},
    "slots": [{"slot": "A1", "sku": "cola", "par": 8}, {"slot": "A2", "par": 5},
              {"slot": "A3", "sku": "cola", "price": {"amount": 4500, "currency": INR}}],
}  # fmt: skip
ACCOUNTS = (
    Account(UUID(int=2), "mock/asha", frozenset({INR}), True, False, False),
    Account(UUID(int=3), "mock/tests", frozenset({INR}), True, True, False),
)


class Books:
    """What is known of products and templates, by what a plan asks."""

    async def fetch(self, statement: str, skus: list[str]) -> list[dict[str, Any]]:
        assert statement == store.PRODUCTS_BY_SKU
        return [row for row in PRODUCTS if row["sku"] in skus]

    async def fetchval(self, statement: str, merchant: UUID, name: str) -> object:
        assert (statement, merchant) == (store.TEMPLATE, ASHA)
        return PLATFORM if name == "platform" else None


class Caps:
    price_caps = PriceCaps.parse("G0:INR=9000,G2:INR=50000")


async def planned(*wanted: NewMachine, taken: str = "M01") -> Plan:
    looking = Planning(
        cast("Connection", Books()), cast("Context", Caps()), ASHA, ACCOUNTS, frozenset({taken})
    )
    return await looking.plan(wanted)


COLA = NewSlot(slot="A1", sku="cola")
M07 = NewMachine(code="M07", name=" Seven ", slots=[COLA])
SLOT = PlannedSlot(
    slot="A1", sku="cola", product="Cola", price=Money(4000, INR), usual_price=Money(4000, INR),
    par=0, stock=0, new_product=False,
)  # fmt: skip
MACHINE = PlannedMachine(
    code="M07", name="Seven", place="", contact="", zone=None, channel="mqtt", dialect="leased",
    currency=INR, account="mock/asha", slots=[SLOT], device={}, windows={},
)  # fmt: skip
OF_PLATFORM = replace(
    MACHINE, channel="socketio", dialect="simple", device={"ssid": "hall"},
    windows={"dispatch_s": 90.0},
    slots=[replace(SLOT, par=8, stock=8), replace(SLOT, slot="A3", price=Money(4500, INR))],
)  # fmt: skip
TEA = NewSlot(slot="A1", sku="tea", product="Tea", price=Money(2000, INR))
PLANNED_TEA = replace(
    SLOT, sku="tea", product="Tea", price=Money(2000, INR), usual_price=Money(2000, INR),
    new_product=True,
)  # fmt: skip
WORDS = Described(names={}, descriptions={}, category="Hot", description="With milk")


@pytest.mark.parametrize(
    ("wanted", "plan"),
    [
        (M07, MACHINE),
        (replace(M07, place="Pune", contact="call", zone="Berlin"),
         replace(MACHINE, place="Pune", contact="call", zone="Europe/Berlin")),
        (replace(M07, slots=[replace(COLA, par=7)]),
         replace(MACHINE, slots=[replace(SLOT, par=7, stock=7)])),
        (replace(M07, slots=[replace(COLA, par=7, stock=0)]),
         replace(MACHINE, slots=[replace(SLOT, par=7, stock=0)])),
        (replace(M07, slots=[replace(COLA, price=Money(1, INR))]),
         replace(MACHINE, slots=[replace(SLOT, price=Money(1, INR))])),
        (replace(M07, slots=[replace(COLA, product="Other", category="x")]), MACHINE),
        (replace(M07, slots=[replace(COLA, slot="B1"), COLA]),
         replace(MACHINE, slots=[SLOT, replace(SLOT, slot="B1")])),
        (replace(M07, template="platform", slots=[]), OF_PLATFORM),
        (replace(M07, template="platform", slots=[replace(COLA, slot="A2")]),
         replace(OF_PLATFORM, slots=[OF_PLATFORM.slots[0], replace(SLOT, slot="A2", par=5, stock=5),
                                     OF_PLATFORM.slots[1]])),
        (replace(M07, template="platform", slots=[replace(TEA, par=2)]),
         replace(OF_PLATFORM, slots=[replace(PLANNED_TEA, par=2, stock=2), OF_PLATFORM.slots[1]])),
        (replace(M07, template="platform", slots=[], channel="mqtt", dialect="leased",
                 device={"a": 1}),
         replace(OF_PLATFORM, channel="mqtt", dialect="leased", device={"a": 1})),
        (replace(M07, channel="practice"),
         replace(MACHINE, channel="practice", account="mock/tests")),
        (replace(M07, account="mock/tests"), replace(MACHINE, account="mock/tests")),
        (replace(M07, currency=INR), MACHINE),
        (replace(M07, slots=[TEA]), replace(MACHINE, slots=[PLANNED_TEA])),
        (replace(M07, slots=[TEA, replace(TEA, slot="A2", product="x", price=Money(9, INR))]),
         replace(MACHINE, slots=[PLANNED_TEA,
                                 replace(PLANNED_TEA, slot="A2", price=Money(9, INR))])),
        (replace(M07, slots=[replace(TEA, category=" Hot ", description=" With milk ")]),
         replace(MACHINE, slots=[replace(PLANNED_TEA, described=WORDS)])),
        (replace(M07, slots=[replace(TEA, category="Hot")]),
         replace(MACHINE, slots=[replace(PLANNED_TEA, described=replace(WORDS, description=""))])),
        (replace(M07, slots=[replace(TEA, description="With milk")]),
         replace(MACHINE, slots=[replace(PLANNED_TEA, described=replace(WORDS, category=""))])),
        (replace(M07, slots=[replace(TEA, category=" ", description=" ")]),
         replace(MACHINE, slots=[PLANNED_TEA])),
    ],
)  # fmt: skip
async def test_a_machine_is_planned_with_each_value_of_its_own_of_its_template_or_of_the_product(
    wanted: NewMachine, plan: PlannedMachine
) -> None:
    found = await planned(wanted)
    assert (found.machines, found.problems) == ([plan], [])


def slots(*some: NewSlot, **more: Any) -> NewMachine:
    return replace(M07, slots=list(some), **more)


MANY = tuple(replace(COLA, slot=f"S{number}") for number in range(SLOTS_AT_MOST + 1))
FULL = {"ssid": "x" * (DEVICE_BYTES_AT_MOST - len('{"ssid":""}'))}


@pytest.mark.parametrize(
    ("wanted", "field", "code", "said"),
    [
        (replace(M07, code="M01"), "code", "machine_exists", "There is a machine M01 already."),
        (replace(M07, name=" "), "name", "bad_request", "This may not be empty."),
        (replace(M07, template="none"), "template", "unknown_template",
         "there is no template none."),
        (slots(COLA, COLA), "slots[1].slot", "slot_twice", "A1 is there twice."),
        (slots(COLA, NewSlot(slot="A2")), "slots[1].sku", "no_product",
         "Say which product is in slot A2."),
        (slots(template="cans-6"), "slots", "no_slots", "It has no slot with a product in it."),
        (slots(*MANY), "slots", "too_many_slots", "At most 200 are possible."),
        (slots(replace(COLA, price=Money(0, INR))), "slots[0].price", "bad_price",
         "A price is more than nothing."),
        (slots(replace(COLA, sku="old", product="New", price=Money(1, INR))), "slots[0].sku",
         "unknown_product", "The product old is retired: offer it again first."),
        (slots(COLA, NewSlot(slot="A2", sku="tea")), "slots[1].sku", "unknown_product",
         "There is no product tea; name it to have it made."),
        (slots(NewSlot(slot="A2", sku="tea", product="Tea")), "slots[0].price", "no_price",
         "The new product tea needs a price."),
        (slots(COLA, NewSlot(slot="A2", sku="euro")), "slots", "other_currency",
         "Slot A2 costs 1.00 EUR, and the machine sells in INR."),
        (slots(COLA, currency="EUR", account="mock/asha"), "slots", "other_currency",
         "Slot A1 costs 40.00 INR, and the machine sells in EUR."),
        (slots(replace(COLA, price=Money(9001, INR)), channel="socketio", dialect="simple"),
         "slots", "price_above_cap",
         "Slot A1 costs 90.01 INR. A machine of class G0 sells for at most 90.00 INR."),
        (replace(M07, account="mock/hers"), "account", "unknown_account",
         "There is no account mock/hers."),
        (replace(M07, channel="practice", account="mock/asha"), "account", "real_money",
         "mock/asha may move real money: no practice machine takes it."),
        (replace(M07, device={"ssid": FULL["ssid"] + "x"}), "device", "device_config_too_large",
         "At most 8192 bytes fit."),
        (replace(M07, channel="pigeon"), "channel", "unknown_channel",
         "There is no channel pigeon: mqtt, practice, socketio."),
        (replace(M07, channel="socketio", dialect="x"), "dialect", "unknown_dialect",
         "socketio speaks leased, simple, not x."),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_in_a_sentence_by_its_place(
    wanted: NewMachine, field: str, code: str, said: str
) -> None:
    found = await planned(replace(M07, code="M06"), wanted)
    assert [(p.machine, p.field, p.code, p.message) for p in found.problems] == [
        (1, field, code, said)
    ]
    assert found.machines == [], "all of them or none"


async def test_what_just_fits_is_planned() -> None:
    at_cap = replace(COLA, price=Money(9000, INR))
    found = await planned(
        slots(*MANY[1:]), slots(at_cap, code="M08", channel="socketio", dialect="simple"),
        slots(COLA, code="M09", device=FULL),
    )  # fmt: skip
    assert found.problems == []
    assert [len(machine.slots) for machine in found.machines] == [SLOTS_AT_MOST, 1, 1]
    many = [replace(M07, code=f"N{number}") for number in range(MACHINES_AT_MOST)]
    assert len((await planned(*many)).machines) == MACHINES_AT_MOST


@pytest.mark.parametrize("count", [0, MACHINES_AT_MOST + 1])
async def test_how_many_are_planned_at_once_is_said(count: int) -> None:
    found = await planned(*([M07] * count))
    (problem,) = found.problems
    assert (problem.machine, problem.field, problem.message) == (0, "", "From 1 to 500 at once.")
    assert found.machines == []


async def test_everything_that_is_wrong_with_a_machine_is_said_at_once() -> None:
    found = await planned(
        replace(M07, code="M06", template="none"),
        slots(NewSlot(slot="B1"), replace(COLA, sku="tea"), code="M01", channel="pigeon",
              account="hers/x", device={"ssid": FULL["ssid"] + "x"}),
        replace(M07, zone="Mars"),
        replace(M07, code="M06"),
    )  # fmt: skip
    assert [(p.machine, p.field, p.code) for p in found.problems] == [
        (0, "template", "unknown_template"),
        (1, "code", "machine_exists"),
        (1, "device", "device_config_too_large"),
        (1, "channel", "unknown_channel"),
        (1, "slots[1].sku", "unknown_product"),
        (1, "slots[0].sku", "no_product"),
        (1, "account", "unknown_account"),
        (2, "zone", "unknown_zone"),
        (3, "code", "code_twice"),
    ]
