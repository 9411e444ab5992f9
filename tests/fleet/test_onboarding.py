"""Machines set up from templates: whole or not at all, and what is wrong is said by its place."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest

from coinslot.fleet import config, machines, onboarding, planning, templates
from coinslot.fleet.config import ConfigChange, Editor
from coinslot.fleet.enrolment import DeviceAddresses, DeviceEnrolment
from coinslot.fleet.onboarding import OnboardError
from coinslot.fleet.planning import NewMachine, NewSlot
from coinslot.fleet.templates import Template, TemplateSlot
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.merchants.merchants import Merchant, open_merchant
from coinslot.outlets.machines import Outlet, OutletTakenError, Slot, add_outlet, is_device
from coinslot.payments import provision
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage

ADDRESSES = DeviceAddresses(mqtt="mqtt://broker.example:1883")
COLA = NewSlot(slot="A1", sku="cola")
LIME = NewSlot(slot="A2", sku="lime", product="Lime soda", price=Money(3500, "INR"), stock=3)


def machine(code: str = "M07", **given: Any) -> NewMachine:
    return NewMachine(**({"code": code, "name": "Platform 7", "slots": [COLA]} | given))


async def onboarded(
    stage: Stage, *wanted: NewMachine, merchant: UUID | None = None
) -> list[DeviceEnrolment]:
    editor = Editor(merchant or stage.merchant, "asha")
    return await onboarding.onboard(stage.context, editor, wanted, ADDRESSES)


async def problems(stage: Stage, *wanted: NewMachine) -> list[tuple[int, str, str]]:
    """Of a preview; and setting them up is refused for the same reasons, and leaves nothing."""
    before = await stage.value("SELECT count(*) FROM outlets")
    found = (await onboarding.plan(stage.context, stage.merchant, wanted)).problems
    with pytest.raises(OnboardError) as refused:
        await onboarded(stage, *wanted)
    assert list(refused.value.problems) == found
    assert await stage.value("SELECT count(*) FROM outlets") == before
    return [(problem.machine, problem.field, problem.code) for problem in found]


async def test_a_machine_is_there_whole_and_its_device_is_let_in(stage: Stage) -> None:
    given = machine(template="cans-6", slots=[COLA, LIME], place="Pune", zone="Asia/Kolkata")
    (made,) = await onboarded(stage, given)
    assert (made.machine, made.login, made.broker) == ("M07", "M07", "mqtt://broker.example:1883")
    assert await is_device(stage.context.db, "M07", made.secret) == stage.merchant
    found = await machines.status(stage.context, stage.merchant, "M07")
    assert [(s.slot, s.sku, s.product, s.price.minor, s.stock, s.par) for s in found.slots] == [
        ("A1", "cola", "Cola", 4000, 8, 8),
        ("A2", "lime", "Lime soda", 3500, 3, 8),
    ]  # of the template's six slots those that somebody filled
    (kept,) = await stage.rows("SELECT version, made_by FROM config_versions")
    assert kept == {"version": 1, "made_by": "asha"}


async def test_a_machine_that_was_just_set_up_sells(stage: Stage) -> None:
    await onboarded(stage, machine(slots=[msgspec.structs.replace(COLA, stock=2)]))
    profile = await provision.print_qr(stage.context, "M07", None)
    assert profile.qr_code_id is not None
    stage.qr_code_id = profile.qr_code_id
    await stage.sell()
    assert await stage.value("SELECT outlet_id FROM fulfillments") == "M07"


async def test_a_machine_is_set_up_like_another_from_a_template_of_the_merchants(
    stage: Stage,
) -> None:
    editor = Editor(stage.merchant, "asha")
    await templates.save_from(stage.context, editor, "platform", "M01")
    assert list(await templates.listed(stage.context, stage.merchant)) == sorted(
        [*templates.SHIPPED, "platform"]
    )
    await onboarded(stage, machine(slots=[], template="platform"))
    first, second = [
        await config.read(stage.context, stage.merchant, code) for code in ("M01", "M07")
    ]
    assert first.slots == second.slots
    mine = Template(slots=[TemplateSlot(slot="B1", sku="cola", price=Money(9900, "INR"), par=4)])
    await templates.save(stage.context, editor, "platform", mine)
    await onboarded(stage, machine("M08", slots=[], template="platform"))
    (slot,) = (await machines.status(stage.context, stage.merchant, "M08")).slots
    assert (slot.slot, slot.price, slot.stock) == ("B1", Money(9900, "INR"), 4)


async def test_a_template_takes_from_a_machine_neither_its_place_nor_that_somebody_works_at_it(
    stage: Stage,
) -> None:
    editor = Editor(stage.merchant, "asha")
    told = {"gps": {"lat": 12.9, "lng": 77.6}, "maintenance": True, "uiTheme": "dark"}
    before = await config.read(stage.context, stage.merchant, "M01")
    change = ConfigChange(device=told, version=before.version)
    await config.change(stage.context, editor, "M01", change)
    template = await templates.save_from(stage.context, editor, "platform", "M01")
    assert template.device == {"uiTheme": "dark"}


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"code": "M01"}, "code", "machine_exists"),
        ({"code": "M 7"}, "code", "bad_request"),
        ({"name": " "}, "name", "bad_request"),
        ({"zone": "Pune"}, "zone", "unknown_zone"),
        ({"template": "nosuch"}, "template", "unknown_template"),
        ({"slots": []}, "slots", "no_slots"),
        ({"slots": [], "template": "cans-6"}, "slots", "no_slots"),
        ({"slots": [COLA, COLA]}, "slots[1].slot", "slot_twice"),
        ({"slots": [NewSlot(slot="A1")]}, "slots[0].sku", "no_product"),
        ({"slots": [NewSlot(slot="A1", sku="tea")]}, "slots[0].sku", "unknown_product"),
        ({"slots": [NewSlot(slot="A1", sku="tea", product="Tea")]}, "slots[0].price", "no_price"),
        ({"slots": [NewSlot(slot="A1", sku="cola", price=Money(0, "INR"))]}, "slots[0].price",
         "bad_price"),
        ({"currency": "EUR"}, "slots", "other_currency"),
        ({"channel": "pigeon"}, "channel", "unknown_channel"),
        ({"dialect": "simple"}, "dialect", "unknown_dialect"),
        ({"device": {"ssid": "x" * 9000}}, "device", "device_config_too_large"),
        ({"code": "M7\n"}, "code", "bad_request"),
        ({"account": "mock/hers"}, "account", "unknown_account"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_by_its_place_and_nothing_is_set_up(
    stage: Stage, given: dict[str, Any], field: str, code: str
) -> None:
    assert await problems(stage, machine("M08"), machine(**given)) == [(1, field, code)]


async def test_one_code_is_one_machine_among_those_that_are_asked_for(stage: Stage) -> None:
    assert await problems(stage, machine(), machine()) == [(1, "code", "code_twice")]


async def test_a_preview_says_what_would_be_and_writes_nothing(stage: Stage) -> None:
    found = await onboarding.plan(stage.context, stage.merchant, [machine(slots=[COLA, LIME])])
    (planned,) = found.machines
    assert (planned.account, planned.currency) == ("mock/asha-mock", "INR")
    assert [(slot.sku, slot.new_product) for slot in planned.slots] == [
        ("cola", False), ("lime", True),
    ]  # fmt: skip
    assert await stage.value("SELECT count(*) FROM products") == 1


async def test_fifty_at_once_are_there_together_or_not_at_all(stage: Stage) -> None:
    fifty = [machine(f"F{n:02}", slots=[COLA, LIME]) for n in range(50)]
    assert await problems(stage, *fifty[:49], machine("M01")) == [(49, "code", "machine_exists")]
    made = await onboarded(stage, *fifty)
    assert [one.machine for one in made] == [one.code for one in fifty]
    assert len({one.secret for one in made}) == 50
    assert await stage.value("SELECT count(*) FROM slots WHERE outlet_id LIKE 'F%'") == 100


async def test_as_many_machines_at_once_as_is_said_and_not_one_more(stage: Stage) -> None:
    many = [machine(f"N{number:03}") for number in range(501)]
    assert (await onboarding.plan(stage.context, stage.merchant, many[:500])).problems == []
    for wrong in (many, []):
        (problem,) = (await onboarding.plan(stage.context, stage.merchant, wrong)).problems
        assert problem.code == "machine_count"


async def test_as_many_slots_of_a_machine_as_is_said_and_not_one_more(stage: Stage) -> None:
    slots = [NewSlot(slot=f"S{number:03}", sku="cola") for number in range(201)]
    for count, wrong in ((200, []), (201, [("slots", "too_many_slots")])):
        wanted = [machine(slots=slots[:count])]
        found = (await onboarding.plan(stage.context, stage.merchant, wanted)).problems
        assert [(problem.field, problem.code) for problem in found] == wrong


async def test_what_is_typed_around_a_name_is_no_part_of_it(stage: Stage) -> None:
    await onboarded(stage, machine(name="  Platform 7 "))
    found = await machines.status(stage.context, stage.merchant, "M07")
    assert found.machine.name == "Platform 7"


async def test_of_two_who_set_up_the_same_codes_at_once_one_is_told_that_they_exist(
    stage: Stage,
) -> None:
    wanted = [machine(f"F{n}", slots=[COLA, LIME]) for n in range(5)]
    both = await asyncio.gather(
        onboarded(stage, *wanted), onboarded(stage, *wanted[::-1]), return_exceptions=True
    )
    (refused,) = [one for one in both if isinstance(one, OnboardError)]
    assert {problem.code for problem in refused.problems} == {"machine_exists"}
    assert await stage.value("SELECT count(*) FROM outlets WHERE id LIKE 'F%'") == 5


async def test_a_process_that_dies_before_the_commit_leaves_nothing(stage: Stage) -> None:
    class DiedError(Exception):
        pass

    def reached(point: str) -> None:
        # The last transaction is the one that writes; those before it only look.
        if point == "before_commit" and next(left) == 0:
            raise DiedError

    looks = 2  # the accounts, and what is written
    left = iter(range(looks - 1, -1, -1))
    stage.context.db.reached = reached
    with pytest.raises(DiedError):
        await onboarded(stage, machine(slots=[COLA, LIME]))
    stage.context.db.reached = lambda _point: None
    for table in ("outlets", "slots", "devices", "products"):
        assert await stage.value(f"SELECT count(*) FROM {table}") == 1, table
    await onboarded(stage, machine(slots=[COLA, LIME]))


async def test_a_code_of_another_merchants_machine_is_taken_and_gets_no_slots(
    stage: Stage,
) -> None:
    chandra = (await chandras_machine(stage)).merchant_id
    assert await problems(stage, machine("C01")) == [(0, "code", "machine_exists")]
    product = await stage.value("SELECT id FROM products WHERE sku = 'cola'")
    outlet = Outlet(
        code="C01", merchant_id=stage.merchant, name="x", place="", kind="vending", channel="mqtt",
        dialect="leased", currency="INR", account_id=stage.account.id,
    )  # fmt: skip
    slot = Slot(slot="Z1", product_id=product, price_minor=1, stock=1)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        with pytest.raises(OutletTakenError):
            await add_outlet(conn, outlet, [slot], stage.clock.now())
    assert len((await machines.status(stage.context, chandra, "C01")).slots) == 1


async def test_a_merchants_templates_and_products_are_not_anothers(stage: Stage) -> None:
    chandra = (await chandras_machine(stage)).merchant_id
    await templates.save_from(stage.context, Editor(stage.merchant, "asha"), "platform", "M01")
    assert list(await templates.listed(stage.context, chandra)) == sorted(templates.SHIPPED)
    wanted = [machine(template="platform")]
    found = (await onboarding.plan(stage.context, chandra, wanted)).problems
    assert [problem.code for problem in found] == ["unknown_template"]
    found = (await onboarding.plan(stage.context, chandra, [machine()])).problems
    assert [problem.code for problem in found] == ["unknown_product"]


async def test_a_merchant_without_an_account_is_told_that_none_takes_the_money(
    stage: Stage,
) -> None:
    dev = Merchant(id=uuid7(stage.clock.now()), name="Dev", slug="dev")
    await open_merchant(stage.context.db, dev, stage.clock.now())
    tea = NewSlot(slot="A1", sku="tea", product="Tea", price=Money(1, "JPY"))
    found = await onboarding.plan(stage.context, dev.id, [machine(slots=[tea])])
    assert [(p.field, p.code, p.message) for p in found.problems] == [
        ("account", "no_account", "No account of yours takes JPY.")
    ]


def account(name: str, **given: Any) -> planning.Account:
    usual: dict[str, Any] = {
        "id": UUID(int=1), "currencies": frozenset({"INR"}), "prints": True, "test_only": False,
        "disabled": False,
    }  # fmt: skip
    return planning.Account(name=name, **(usual | given))


LINKS, PRINTS, TESTS = (
    account("first/links", prints=False), account("second/prints"),
    account("third/tests", test_only=True),
)  # fmt: skip
OFF, EUROS = account("off/prints", disabled=True), account("euros/x", currencies=frozenset({"EUR"}))


@pytest.mark.parametrize(
    ("there", "named", "practice", "chosen", "wrong"),
    [
        ((LINKS, PRINTS), None, False, "second/prints", []),  # a code on the machine is enough
        ((LINKS, account("other/links", prints=False)), None, False, "first/links", []),
        ((LINKS, OFF), None, False, "first/links", []),
        ((EUROS, LINKS), None, False, "first/links", []),
        ((TESTS, LINKS), None, False, "first/links", []),  # anyone pays with test money
        ((TESTS,), None, False, "third/tests", []),
        ((PRINTS, TESTS), None, True, "third/tests", []),
        ((PRINTS,), None, True, "", ["no_account"]),
        ((OFF,), None, False, "", ["no_account"]),
        ((EUROS,), None, False, "", ["no_account"]),
        ((PRINTS, LINKS), "first/links", False, "first/links", []),
        ((LINKS, TESTS), "third/tests", False, "third/tests", []),
        ((PRINTS, TESTS), "second/prints", True, "second/prints", ["real_money"]),
        ((PRINTS,), "hers/x", False, "hers/x", ["unknown_account"]),
    ],
)  # fmt: skip
def test_where_no_account_is_named_the_first_that_fits_is_taken_and_one_that_prints_before_others(
    there: tuple[planning.Account, ...], named: str | None, practice: bool,
    chosen: str, wrong: list[str],
) -> None:  # fmt: skip
    nobody: Any = None
    looking = planning.Planning(nobody, nobody, UUID(int=1), there, frozenset())
    wanted = machine(**({} if named is None else {"account": named}))
    assert looking._account(0, wanted, "INR", practice=practice) == chosen
    assert [problem.code for problem in looking._problems] == wrong


async def test_a_product_that_was_retired_is_not_made_anew_by_its_name(stage: Stage) -> None:
    await stage.rows("UPDATE products SET retired_at = $1 RETURNING 1", stage.clock.now())
    again = NewSlot(slot="A1", sku="cola", product="Cola", price=Money(5000, "INR"))
    found = await problems(stage, machine(slots=[again]))
    assert found == [(0, "slots[0].sku", "unknown_product")]
    (row,) = await stage.rows("SELECT price_minor, retired_at FROM products")
    assert (row["price_minor"], row["retired_at"] is None) == (4000, False)


async def test_a_product_that_nobody_knows_needs_a_name_and_a_price(stage: Stage) -> None:
    price = Money(5000, "INR")
    for unknown, wrong in (
        (NewSlot(slot="A1", sku="tea"), ("sku", "unknown_product")),
        (NewSlot(slot="A1", sku="tea", price=price), ("sku", "unknown_product")),
        (NewSlot(slot="A1", sku="tea", product="Tea"), ("price", "no_price")),
    ):
        found = await problems(stage, machine(slots=[unknown]))
        assert found == [(0, f"slots[0].{wrong[0]}", wrong[1])]
    known = NewSlot(slot="A1", sku="tea", product="Tea", price=price)
    await onboarded(stage, machine(slots=[known]))


async def test_a_product_that_is_made_has_its_category_and_description_and_others_keep_theirs(
    stage: Stage,
) -> None:
    words = {"category": "Drinks", "description": "With ice"}
    slots = [msgspec.structs.replace(one, **words) for one in (COLA, LIME)]
    await onboarded(stage, machine(slots=slots))
    rows = await stage.rows("SELECT sku, category, description FROM products ORDER BY sku")
    assert [tuple(row.values()) for row in rows] == [
        ("cola", "", ""), ("lime", "Drinks", "With ice"),
    ]  # fmt: skip
