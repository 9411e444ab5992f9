"""Templates: what keeping one writes, what is read of one, and what a machine would get of one,
whole; beside a template of the same name of another merchant."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.fleet import templates
from coinslot.fleet.bulk import MachineChange
from coinslot.fleet.config import ConfigError, SlotChange
from coinslot.fleet.templates import (
    SHIPPED,
    Assigned,
    StaleTemplateError,
    Template,
    TemplateSlot,
    UnknownTemplateError,
)
from coinslot.kit.money import Money
from coinslot.outlets.machines import UnknownOutletError
from coinslot.telemetry.food import FOOD_LOCK
from tests.fleet.shop import (
    ASHA,
    CHANDRA,
    COLA,
    EDITOR,
    Given,
    Row,
    acted,
    but,
    noted,
    outlet,
    product,
    slot,
)
from tests.sales.by_hand import NOW, Rows
from tests.sales.wrote import Wrote

TABLES = ("machine_templates", "audit_log", "outlets", "slots", "config_versions")
SOME = timedelta(seconds=1)
Verb = Callable[[Context], Awaitable[Any]]
NORTH = Template(
    channel="socketio", dialect="simple", device={"ssid": "hall"}, windows={"dispatch_s": 90.0},
    slots=[TemplateSlot(slot="A1", par=3, sku="tea", price=Money(2500, "INR")),
           TemplateSlot(slot="A2", par=7), TemplateSlot(slot="A3"), TemplateSlot(slot="B9", par=1),
           TemplateSlot(slot="B1", sku="tea")],
)  # fmt: skip
KEPT: Row = {
    "channel": "socketio", "dialect": "simple", "device": {"ssid": "hall"},
    "windows": {"dispatch_s": 90.0}, "slots": [
        {"slot": "A1", "par": 3, "sku": "tea", "price": {"amount": 2500, "currency": "INR"}},
        {"slot": "A2", "par": 7}, {"slot": "A3"}, {"slot": "B9", "par": 1},
        {"slot": "B1", "sku": "tea"}],
}  # fmt: skip
OLDER: Row = {"merchant_id": ASHA, "name": "north", "template": {"channel": "socketio"},
              "made_by": "asha", "changed_at": NOW - SOME}  # fmt: skip
HERS: Row = {**OLDER, "merchant_id": CHANDRA, "template": {"dialect": "simple"}}
SOUTH: Row = {**OLDER, "name": "south", "template": KEPT}
BESIDE: Given = [("machine_templates", HERS), ("machine_templates", SOUTH)]
THERE: Given = [*but(), *BESIDE, ("machine_templates", OLDER)]
FREE: Given = [*but(), *BESIDE]
SAID = noted("machine_template.saved", "north", after={"slots": 5})
NEW: Wrote = {
    "machine_templates": [{"merchant_id": ASHA, "name": "north", "template": KEPT,
                           "made_by": "boris", "changed_at": NOW}],
    "audit_log": [SAID],
}  # fmt: skip
CHANGED: Wrote = {
    "machine_templates": [((ASHA, "north"), {"template": KEPT, "made_by": "boris",
                                             "changed_at": NOW})],
    "audit_log": [SAID],
}  # fmt: skip


def saved(template: Template = NORTH, seen: Template | None = None, name: str = "north") -> Verb:
    return lambda here: templates.save(here, EDITOR, name, template, seen)


@pytest.mark.parametrize(
    ("verb", "given", "written"),
    [
        (saved(), FREE, NEW),
        (saved(), THERE, CHANGED),
        (saved(seen=Template(channel="socketio")), THERE, CHANGED),
        (saved(seen=Template(channel="socketio")), FREE, NEW),
    ],
)
async def test_a_template_is_kept_under_its_name(
    rows: Rows, verb: Verb, given: Given, written: Wrote
) -> None:
    assert await acted(rows, verb, TABLES, given) == (None, written, set())


REFUSED: Sequence[tuple[Verb, type[Exception], str]] = (
    (saved(seen=Template()), StaleTemplateError, "somebody else changed the template north"),
    (saved(seen=Template(dialect="simple")), StaleTemplateError,
     "somebody else changed the template north"),
    (saved(name="North"), ConfigError, r".*"),
    (saved(name="-a"), ConfigError, r".*"),
    (saved(name="a" * 41), ConfigError, r".*"),
    (saved(name=""), ConfigError, r".*"),
    (saved(replace(NORTH, device={"gps": {"lat": 91, "lng": 0}})), ConfigError,
     "device.gps.lat: At most 90.0 is possible."),
    (saved(replace(NORTH, windows={"poll_s": 5})), ConfigError,
     "no window poll_s: there is dispatch_s, in_doubt_s, offer_s, run_s."),
    (saved(replace(NORTH, windows={"run_s": 0})), ConfigError,
     "run_s: between 0 and 2592000 seconds, not 0."),
    (saved(replace(NORTH, slots=[TemplateSlot(slot="A 1")])), ConfigError,
     "Letters, digits, - and _ only, 16 at most."),
    (lambda here: templates.save_from(here, EDITOR, "north", "M01", anew=True),
     StaleTemplateError, "somebody else changed the template north"),
    (lambda here: templates.save_from(here, EDITOR, "new", "C01"), UnknownOutletError,
     "no machine has the code C01"),
    (lambda here: templates.template_of(here, ASHA, "west"), UnknownTemplateError,
     "there is no template west"),
    (lambda here: templates.template_of(here, CHANDRA, "south"), UnknownTemplateError,
     "there is no template south"),
    (lambda here: templates.assign(here, EDITOR, "west", ["M01"]), UnknownTemplateError,
     "there is no template west"),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(REFUSED)))
async def test_what_cannot_be_kept_or_read_is_refused_in_a_sentence(rows: Rows, case: int) -> None:
    verb, raised, said = REFUSED[case]
    with pytest.raises(raised) as refused:
        await acted(rows, verb, (), THERE)
    if said != r".*":
        assert str(refused.value) == said
    if isinstance(refused.value, ConfigError) and said.startswith(("no window", "run_s")):
        assert (refused.value.code, refused.value.field) == ("bad_window", "windows")


@pytest.mark.parametrize("name", ["a", "9", "a-9", "a" * 40])
async def test_what_a_template_may_be_called(rows: Rows, name: str) -> None:
    _, found, _ = await acted(rows, saved(name=name), TABLES, FREE)
    assert found["machine_templates"][0]["name"] == name


STANDS = but(
    outlet(channel="socketio", dialect="simple", windows={"run_s": 60},
           device_config={"ssid": "hall", "gps": {"lat": 1, "lng": 2}, "maintenance": True}),
    slot("A2", COLA, 4100, par=0), ("slots", {"outlet_id": "M01", "slot": "A3"}),
)  # fmt: skip
OF_M01: Row = {
    "channel": "socketio", "dialect": "simple", "device": {"ssid": "hall"},
    "windows": {"run_s": 60}, "slots": [
        {"slot": "A1", "par": 8, "sku": "cola", "price": {"amount": 4000, "currency": "INR"}},
        {"slot": "A2", "sku": "cola", "price": {"amount": 4100, "currency": "INR"}}],
}  # fmt: skip


@pytest.mark.parametrize("anew", [True, False])
async def test_a_template_of_a_machine_has_what_is_not_of_it_alone(
    rows: Rows, *, anew: bool
) -> None:
    def verb(here: Context) -> Awaitable[Template]:
        return templates.save_from(here, EDITOR, "north", "M01", anew=anew)

    said, found, awake = await acted(rows, verb, TABLES, [*STANDS, *BESIDE])
    assert said == Template(
        channel="socketio", dialect="simple", device={"ssid": "hall"}, windows={"run_s": 60},
        slots=[TemplateSlot(slot="A1", par=8, sku="cola", price=Money(4000, "INR")),
               TemplateSlot(slot="A2", sku="cola", price=Money(4100, "INR"))],
    )  # fmt: skip
    made = {**NEW["machine_templates"][0], "template": OF_M01}
    after = noted("machine_template.saved", "north", after={"slots": 2})
    assert (found, awake) == ({"machine_templates": [made], "audit_log": [after]}, set())


async def test_own_templates_come_before_the_shipped_ones(rows: Rows) -> None:
    mine = ("machine_templates", {**OLDER, "name": "cans-6"})
    given = [*THERE, mine]
    listed, _, _ = await acted(rows, lambda here: templates.listed(here, ASHA), (), given)
    own = {"north": Template(channel="socketio"), "south": NORTH,
           "cans-6": Template(channel="socketio")}  # fmt: skip
    assert list(listed.items()) == sorted({**SHIPPED, **own}.items())
    for name, wanted in {**SHIPPED, **own}.items():
        verb = _of(ASHA, name)
        assert (await acted(rows, verb, (), given))[0] == wanted
    assert (await acted(rows, _of(CHANDRA, "north"), (), given))[0] == Template(dialect="simple")
    assert (await acted(rows, _of(CHANDRA, "cans-6"), (), given))[0] == SHIPPED["cans-6"]


def _of(merchant: Any, name: str) -> Verb:
    return lambda here: templates.template_of(here, merchant, name)


def test_what_is_shipped() -> None:
    def trays(names: str, par: int) -> list[tuple[str, int | None]]:
        return [(name, par) for name in names.split()]

    four = "A1 A2 A3 A4 A5 A6 B1 B2 B3 B4 B5 B6 C1 C2 C3 C4 C5 C6 D1 D2 D3 D4 D5 D6"
    lock = {"limit_c": 5, "warm_s": 900, "grace_s": 1800, "silent_s": 900}
    assert {
        name: (one.channel, one.dialect, [(slot.slot, slot.par) for slot in one.slots], one.device)
        for name, one in SHIPPED.items()
    } == {
        "one-slot": ("mqtt", "leased", trays("A1", 20), {}),
        "cans-6": ("mqtt", "leased", trays("A1 A2 A3 A4 A5 A6", 8), {}),
        "snacks-24": ("mqtt", "leased", trays(four, 10), {}),
        "cooled-24": ("mqtt", "leased", trays(four, 8), {FOOD_LOCK: lock}),
        "relay-board-4": ("socketio", "simple", trays("A1 A2 A3 A4", 10), {}),
    }  # fmt: skip
    assert all((s.sku, s.price) == (None, None) for one in SHIPPED.values() for s in one.slots)
    assert all(one.windows == {} for one in SHIPPED.values())


def gets(machine: str, *slots: SlotChange) -> MachineChange:
    return MachineChange(machine=machine, device={"ssid": "hall"}, windows={"dispatch_s": 90.0},
                         slots=slots)  # fmt: skip


A1 = SlotChange(slot="A1", par=3, sku="tea", price=Money(2500, "INR"))
B1 = SlotChange(slot="B1", sku="tea")


async def test_what_each_machine_gets_of_a_template(rows: Rows) -> None:
    machines = ["M02", "M01", "M02", "M09"]
    said, found, awake = await acted(
        rows, lambda here: templates.changes(here, ASHA, NORTH, machines), TABLES, THERE
    )
    assert said == [
        gets("M02", A1, SlotChange(slot="A2", par=7), B1),
        gets("M01", A1, SlotChange(slot="A2", par=7), SlotChange(slot="A3"), B1),
        gets("M09", A1, B1),
    ]
    assert (found, awake) == ({}, set())


async def test_a_machine_that_is_given_a_template_has_it_and_one_that_cannot_says_why(
    rows: Rows,
) -> None:
    given = [*but(product(COLA, "cola", 4000)), *BESIDE]
    said, found, awake = await acted(
        rows, lambda here: templates.assign(here, EDITOR, "south", ["M01", "M09"], "keep"),
        TABLES, given,
    )  # fmt: skip
    assert said == [Assigned(machine="M01", version=4),
                    Assigned(machine="M09", problem="no machine has the code M09")]  # fmt: skip
    assert awake == {"config_pushes"}
    assert found["outlets"] == [("M01", {
        "config_version": 4, "applied_version": 4, "price_version": 6, "planogram_version": 8,
        "device_config": {"a": 1, "ssid": "hall"}, "windows": {"dispatch_s": 90.0},
    })]  # fmt: skip
    (version,) = found["config_versions"]
    assert version["codes"] == {"A1": "kept"}
    assert {one["slot"]: (one["sku"], one["par"], one["price"]["amount"])
            for one in version["config"]["slots"]} == {
        "A1": ("tea", 3, 2500), "A2": ("cola", 7, 4100), "A3": ("old", 8, 900),
        "B1": ("tea", 0, 2000),
    }  # fmt: skip
