"""A machine's configuration: in versions, never overwritten unseen, true to its printed codes."""

import asyncio
from uuid import UUID

import pytest

from coinslot.catalog.products import Product, add_product
from coinslot.channels import messages as wire
from coinslot.fleet import config
from coinslot.fleet.config import (
    Changed,
    ConfigChange,
    ConfigError,
    Editor,
    OutOfServiceError,
    PrintedCodesError,
    SlotChange,
    StaleConfigError,
)
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.orders import checkout
from coinslot.orders.checkout import OrderRequest
from coinslot.outlets.machines import UnknownOutletError
from coinslot.payments import provision
from coinslot.payments.provision import CannotPrintError
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage


def editor(stage: Stage, merchant: UUID | None = None) -> Editor:
    return Editor(merchant or stage.merchant, "asha")


async def changed(stage: Stage, wanted: ConfigChange, machine: str = "M01") -> Changed:
    return await config.change(stage.context, editor(stage), machine, wanted)


def price(minor: int, slot: str = "A1", currency: str = "INR") -> tuple[SlotChange, ...]:
    return (SlotChange(slot=slot, price=Money(minor, currency)),)


async def a_product(stage: Stage, sku: str, minor: int = 2000, currency: str = "INR") -> None:
    product = Product(id=uuid7(stage.clock.now()), sku=sku, name=sku, price=Money(minor, currency))
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await add_product(conn, stage.merchant, product)


async def printed(stage: Stage) -> list[tuple[int, bool]]:
    """The amount of each printed code of M01, oldest first, and whether it is in service."""
    rows = await stage.rows(
        "SELECT amount_minor, retired_at IS NULL AS live FROM qr_codes"
        " WHERE outlet_id = 'M01' AND payment_id IS NULL ORDER BY created_at, retired_at"
    )
    return [(row["amount_minor"], row["live"]) for row in rows]


async def test_a_change_is_a_version_that_says_who_made_it(stage: Stage) -> None:
    before = await config.read(stage.context, stage.merchant, "M01")
    assert (before.version, before.name, before.slots[0].price) == (
        1, "Platform 1", Money(4000, "INR"),
    )  # fmt: skip
    made = await changed(
        stage, ConfigChange(name="Platform 2", place="Pune, north", zone="Asia/Kolkata")
    )
    after = await config.read(stage.context, stage.merchant, "M01")
    assert (made.version, after.version, after.name, after.zone) == (
        2, 2, "Platform 2", "Asia/Kolkata",
    )  # fmt: skip
    (kept,) = await stage.rows("SELECT version, made_by, config, codes FROM config_versions")
    assert (kept["version"], kept["made_by"], kept["codes"]) == (2, "asha", {})
    assert kept["config"]["name"] == "Platform 2"
    assert kept["config"]["slots"] == [
        {"slot": "A1", "sku": "cola", "par": 0, "price": {"amount": 4000, "currency": "INR"}}
    ]


async def test_how_it_came_to_be_is_shown_a_page_at_a_time(stage: Stage) -> None:
    assert await config.versions(stage.context, stage.merchant, "M01") == []
    await changed(stage, ConfigChange(slots=price(4500), codes="replace"))
    await changed(stage, ConfigChange(name="Platform 2"))
    newest, first = await config.versions(stage.context, stage.merchant, "M01")
    assert (newest.version, newest.name, newest.made_by) == (3, "Platform 2", "asha")
    assert (first.codes, first.slots[0].price) == ({"A1": "replaced"}, Money(4500, "INR"))
    assert await config.versions(stage.context, stage.merchant, "M01", 3) == [first]
    chandra = (await chandras_machine(stage)).merchant_id
    with pytest.raises(UnknownOutletError):
        await config.versions(stage.context, chandra, "M01")


async def test_the_same_change_twice_makes_one_version(stage: Stage) -> None:
    wanted = ConfigChange(name="Platform 2")
    assert [(await changed(stage, wanted)).version for _ in range(2)] == [2, 2]


async def test_of_two_who_read_the_same_version_one_is_told_to_read_again(stage: Stage) -> None:
    names = ("one", "two")
    both = await asyncio.gather(
        *(changed(stage, ConfigChange(name=name, version=1)) for name in names),
        return_exceptions=True,
    )
    (stale,) = [one for one in both if isinstance(one, StaleConfigError)]
    assert stale.version == 2
    won = next(name for name, one in zip(names, both, strict=True) if isinstance(one, Changed))
    assert (await config.read(stage.context, stage.merchant, "M01")).name == won


async def test_a_price_under_a_printed_code_changes_only_when_its_fate_is_said(
    stage: Stage,
) -> None:
    with pytest.raises(PrintedCodesError) as asked:
        await changed(stage, ConfigChange(slots=price(4500)))
    (code,) = asked.value.codes
    assert (code.slot, code.takes, code.price) == ("A1", Money(4000, "INR"), Money(4500, "INR"))
    assert "money paid through it goes back" in str(asked.value)
    assert (await config.read(stage.context, stage.merchant, "M01")).version == 1
    assert await printed(stage) == [(4000, True)]


async def test_a_confirmed_price_retires_the_old_code_and_has_a_new_one_made(stage: Stage) -> None:
    old = stage.qr_code_id
    made = await changed(stage, ConfigChange(slots=price(4500), codes="replace"))
    assert (made.replaced, [code.slot for code in made.codes]) == (True, ["A1"])
    assert await printed(stage) == [(4000, False), (4500, True)]
    # The process died here: what is owed to the gateway are rows that are due for any worker.
    await stage.sweep("qr_codes")
    rows = await stage.rows(
        "SELECT stage, qr_code_id FROM qr_codes WHERE outlet_id = 'M01' ORDER BY amount_minor"
    )
    assert [row["stage"] for row in rows] == ["closed", "open"]
    assert rows[0]["qr_code_id"] == old
    stage.later(1)
    await stage.webhook(await stage.pay(4000))  # through the old print
    await stage.sweep()
    assert stage.refunded() == 4000
    stage.qr_code_id = rows[1]["qr_code_id"]
    await stage.webhook(await stage.pay(4500))
    assert await stage.value("SELECT price_minor FROM order_lines") == 4500


async def test_a_person_may_keep_a_code_at_another_price_and_the_record_says_so(
    stage: Stage,
) -> None:
    await changed(stage, ConfigChange(slots=price(4500), codes="keep"))
    assert await printed(stage) == [(4000, True)]
    assert await stage.value("SELECT codes FROM config_versions") == {"A1": "kept"}
    assert await provision.at_another_price(stage.context.db) == [
        "M01's printed code takes 40.00 INR, slot A1 costs 45.00 INR"
    ]
    # Back at the code's price nothing is asked: the code is true again.
    back = await changed(stage, ConfigChange(slots=price(4000)))
    assert (back.version, back.codes) == (3, ())


async def test_another_product_in_a_slot_with_a_printed_code_is_asked_about_too(
    stage: Stage,
) -> None:
    await a_product(stage, "lime")
    lime = (SlotChange(slot="A1", sku="lime"),)
    with pytest.raises(PrintedCodesError):
        await changed(stage, ConfigChange(slots=lime))
    await changed(stage, ConfigChange(slots=lime, codes="replace"))
    assert await printed(stage) == [(4000, False), (4000, True)]
    versions = await stage.rows("SELECT price_version, planogram_version FROM outlets")
    assert versions == [{"price_version": 1, "planogram_version": 2}]


async def test_a_code_is_never_printed_at_a_price_that_is_changed_meanwhile(stage: Stage) -> None:
    await a_product(stage, "lime", 3000)
    await changed(stage, ConfigChange(slots=(SlotChange(slot="A2", sku="lime"),)))
    for minor in (3100, 3200, 3300):
        await asyncio.gather(
            provision.print_qr(stage.context, "M01", None, "A2"),
            changed(stage, ConfigChange(slots=price(minor, "A2"), codes="replace")),
        )
        assert await provision.at_another_price(stage.context.db) == []


async def test_a_typed_amount_is_compared_with_the_price_of_the_moment_of_printing(
    stage: Stage,
) -> None:
    typed = await provision.amount_of(stage.context, "M01", "A1", "40")
    await changed(stage, ConfigChange(slots=price(4500), codes="replace"))
    with pytest.raises(CannotPrintError, match="not the price"):
        await provision.print_qr(stage.context, "M01", typed, "A1", different=False)
    assert await printed(stage) == [(4000, False), (4500, True)]


async def test_an_order_that_is_open_keeps_the_price_that_it_showed(stage: Stage) -> None:
    await stage.hello()
    await checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key="tap"))
    await changed(stage, ConfigChange(slots=price(4500), codes="replace"))
    (order,) = await stage.rows(
        "SELECT o.amount_minor, l.price_minor FROM orders o JOIN order_lines l ON l.order_id = o.id"
    )
    assert order == {"amount_minor": 4000, "price_minor": 4000}


async def test_new_slots_take_the_products_price_and_no_slot_is_left_out(stage: Stage) -> None:
    await a_product(stage, "lime", 3500)
    lime = SlotChange(slot="A2", sku="lime", par=8)
    with pytest.raises(ConfigError) as left_out:
        await changed(stage, ConfigChange(slots=(lime,), whole=True))
    assert (left_out.value.code, left_out.value.field) == ("slot_left_out", "slots")
    await changed(stage, ConfigChange(slots=(lime,)))
    slots = (await config.read(stage.context, stage.merchant, "M01")).slots
    assert [(s.slot, s.sku, s.price.minor, s.par) for s in slots] == [
        ("A1", "cola", 4000, 0), ("A2", "lime", 3500, 8),
    ]  # fmt: skip
    assert await stage.rows("SELECT slot, stock FROM slots ORDER BY slot") == [
        {"slot": "A1", "stock": 10}, {"slot": "A2", "stock": 0},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "code", "field"),
    [
        (ConfigChange(slots=price(4500, "Z9")), "slot_unknown", "slots[0].slot"),
        (ConfigChange(slots=price(4500, currency="EUR")), "other_currency", "slots[0].price"),
        (ConfigChange(slots=price(0)), "bad_price", "slots[0].price"),
        (ConfigChange(slots=(*price(1), *price(2))), "slot_twice", "slots[1].slot"),
        (ConfigChange(slots=(SlotChange(slot="A1", sku="tea"),)), "unknown_product",
         "slots[0].sku"),
        (ConfigChange(slots=(SlotChange(slot="A1", par=-1),)), "bad_request", "slots[0].par"),
        (ConfigChange(slots=(SlotChange(slot="A 1", sku="cola"),)), "bad_request",
         "slots[0].slot"),
        (ConfigChange(name=" "), "bad_request", "name"),
        (ConfigChange(zone="Pune"), "unknown_zone", "zone"),
        (ConfigChange(device={"ssid": "x" * 9000}), "device_config_too_large", "device"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused_and_names_its_field(
    stage: Stage, wanted: ConfigChange, code: str, field: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        await changed(stage, wanted)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert (await config.read(stage.context, stage.merchant, "M01")).version == 1


async def test_a_price_change_says_its_new_version_to_the_machine(stage: Stage) -> None:
    await changed(stage, ConfigChange(slots=price(4500), codes="keep"))
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    assert stage.offered()["price_version"] == 2


async def test_a_machine_out_of_service_changes_no_more(stage: Stage) -> None:
    await provision.decommission(stage.context, "M01")
    with pytest.raises(OutOfServiceError):
        await changed(stage, ConfigChange(name="Platform 2"))


async def test_chandra_neither_reads_nor_changes_ashas_machine(stage: Stage) -> None:
    chandra = (await chandras_machine(stage)).merchant_id
    with pytest.raises(UnknownOutletError):
        await config.read(stage.context, chandra, "M01")
    with pytest.raises(UnknownOutletError):
        await config.change(stage.context, editor(stage, chandra), "M01", ConfigChange(name="hers"))


async def test_a_sale_that_runs_is_not_stopped_by_a_change(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await changed(stage, ConfigChange(slots=price(4500), codes="replace"))
    assert isinstance((await stage.accept())[0], wire.Go)
    await stage.result()
    assert await stage.value("SELECT settlement FROM fulfillments") == "fulfilled"
