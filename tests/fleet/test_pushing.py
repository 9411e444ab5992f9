"""A machine sells what it has applied: a new configuration waits for paid units, is sent until the
machine has it, and never makes it sell another thing than what was bought."""

import hashlib
import json
from typing import Any

import pytest

from coinslot.channels import messages as wire
from coinslot.fleet import config, pushing
from coinslot.fleet.config import ConfigChange, Editor, SlotChange
from coinslot.fleet.decommission import decommission
from coinslot.vending import machine_messages
from tests.fleet.test_config import a_product, changed, price
from tests.sales.stage import Stage

TEA = ConfigChange(slots=(SlotChange(slot="A1", sku="tea"),), codes="keep")


async def says(stage: Stage, version: int | None, **more: Any) -> list[Any]:
    """The machine's HELLO, worked as the bridge does."""
    await pushing.heard(stage.context, stage.merchant, "M01", version)
    hello = wire.Hello(
        journal_id="j1", boot_id="b1", mono_ms=1000, last_seq=0, config_version=version,
        capabilities=wire.Capabilities(journal=True, sensor=True), **more,
    )  # fmt: skip
    return await stage.hear(hello)


def pushed(stage: Stage) -> list[int]:
    return [m["version"] for m in stage.line.sent if m["type"] == "CONFIG"]


async def sold(stage: Stage) -> tuple[str, int]:
    """What pages sell in slot A1, and for how much."""
    (row,) = await stage.rows(
        "SELECT p.sku, s.price_minor FROM slots s JOIN products p ON p.id = s.product_id"
        " WHERE s.slot = 'A1'"
    )
    return row["sku"], row["price_minor"]


async def wanted(stage: Stage) -> tuple[int, int, int | None]:
    """The version that it should have, the one that is sold, the one that it says it has."""
    found = await config.read(stage.context, stage.merchant, "M01")
    return found.version, found.applied_version, found.device_version


@pytest.fixture
async def aware(stage: Stage) -> Stage:
    """M01 takes configurations, and has the first one."""
    await a_product(stage, "tea")
    await says(stage, 1)
    stage.line.sent.clear()
    return stage


async def test_pages_sell_by_a_new_configuration_once_the_machine_has_it(aware: Stage) -> None:
    await changed(aware, TEA)
    await aware.sweep("config_pushes")
    assert pushed(aware) == [2]
    assert await sold(aware) == ("cola", 4000)
    assert await wanted(aware) == (2, 1, 1)
    found = await config.read(aware.context, aware.merchant, "M01")
    assert found.slots[0].sku == "tea"  # the editor sees what was asked for
    await says(aware, 2)
    assert await sold(aware) == ("tea", 4000)
    assert await wanted(aware) == (2, 2, 2)
    assert await aware.rows("SELECT id FROM config_pushes WHERE ended_at IS NULL") == []


async def test_the_message_has_the_hash_of_its_own_bytes_and_the_numbers_to_compare(
    aware: Stage,
) -> None:
    await changed(
        aware, ConfigChange(slots=price(4500), device={"pins": {"motor": 4}}, codes="keep")
    )
    await aware.sweep("config_pushes")
    message = aware.line.sent[-1]
    text = message["config"]
    assert message["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    said = json.loads(text)
    assert (said["version"], said["price_version"], said["planogram_version"]) == (2, 2, 1)
    assert said["slots"] == [
        {"slot": "A1", "sku": "cola", "name": "Cola", "price_minor": 4500, "par": 0}
    ]
    assert said["device"] == {"pins": {"motor": 4}}
    await says(aware, 2)
    unit = await aware.sell()
    await aware.sweep("fulfillments")
    assert (aware.offered()["price_version"], aware.offered()["unit_id"]) == (2, str(unit))


async def test_it_waits_while_a_unit_is_queued_and_the_unit_is_sold_as_it_was_bought(
    aware: Stage,
) -> None:
    aware.line.connected = False
    await aware.sell()
    await changed(aware, TEA)
    aware.line.connected = True
    await aware.sweep("config_pushes")
    assert pushed(aware) == []
    await says(aware, 1)
    offer = aware.offered()
    assert (offer["sku"], offer["planogram_version"]) == ("cola", 1)
    assert pushed(aware) == []  # now it is open
    await aware.accept()
    await aware.started()
    await aware.result()
    aware.later(6)
    await aware.sweep("config_pushes")
    assert pushed(aware) == [2]
    await says(aware, 2)
    assert await sold(aware) == ("tea", 4000)
    assert aware.refunded() == 0
    assert (await aware.audit()).ok


async def test_one_that_does_not_arrive_is_sent_again_and_one_that_came_twice_changes_nothing(
    aware: Stage,
) -> None:
    await changed(aware, TEA)
    await aware.sweep("config_pushes")
    for _ in range(2):
        aware.later(15)
        await says(aware, 1)  # alive, and without it: it gets it at once
    assert pushed(aware) == [2, 2, 2]
    await says(aware, 2)
    await says(aware, 2)
    aware.later(10_000)
    await aware.sweep("config_pushes")
    assert pushed(aware) == [2, 2, 2]


async def test_a_machine_that_is_silent_is_not_sent_it_without_end(aware: Stage) -> None:
    await changed(aware, TEA)
    for _ in range(100):
        await pushing.heard(aware.context, aware.merchant, "M01", None)
        aware.later(18)
        await aware.value("UPDATE devices SET last_seen_at = $1", aware.clock.now())
        await aware.sweep("config_pushes")
    assert 4 <= len(pushed(aware)) <= 10
    aware.later(3600)
    before = len(pushed(aware))
    await aware.sweep("config_pushes")
    assert len(pushed(aware)) == before  # it is offline: its HELLO is answered with it
    await says(aware, 1)
    assert len(pushed(aware)) == before + 1


async def test_a_machine_that_was_silent_for_a_moment_gets_it_without_a_hello(
    aware: Stage,
) -> None:
    aware.later(25)
    await changed(aware, TEA)
    await aware.sweep("config_pushes")
    assert pushed(aware) == []  # it seems to be offline
    await machine_messages.record_heartbeats(aware.context, {"M01": aware.clock.now()})
    aware.later(31)
    await machine_messages.record_heartbeats(aware.context, {"M01": aware.clock.now()})
    await aware.sweep("config_pushes")
    assert pushed(aware) == [2]


async def test_units_that_never_settle_hold_it_back_for_an_hour_and_are_given_back(
    aware: Stage,
) -> None:
    async def online() -> None:
        await aware.value("UPDATE devices SET last_seen_at = $1", aware.clock.now())

    await aware.value("""UPDATE outlets SET windows = '{"dispatch_s": 80000}'""")
    await aware.sell()
    await aware.value("UPDATE fulfillments SET due_at = hard_deadline")  # nobody begins it
    await changed(aware, TEA)
    for _ in range(3):
        await online()
        await aware.sweep("config_pushes")
        aware.later(1700)
    assert pushed(aware) == []
    aware.later(300)
    await online()
    await aware.sweep("config_pushes")
    assert pushed(aware) == [2]
    await says(aware, 2)
    await aware.sweep()
    assert [m for m in aware.line.sent if m["type"] == "OFFER"] == []
    assert aware.refunded() == 4000
    (unit,) = await aware.rows("SELECT state, basis, failure_code FROM fulfillments")
    assert tuple(unit.values()) == ("failed", "never_sent", "PLANOGRAM")
    (slot,) = await aware.rows("SELECT failures_in_row FROM slots")
    assert slot["failures_in_row"] == 0


async def test_a_newer_change_replaces_one_that_waits(aware: Stage) -> None:
    await changed(aware, TEA)
    await changed(aware, ConfigChange(slots=price(5000), codes="keep"))
    await aware.sweep("config_pushes")
    assert pushed(aware) == [3]
    said = json.loads(aware.line.sent[-1]["config"])
    assert [(s["sku"], s["price_minor"]) for s in said["slots"]] == [("tea", 5000)]
    assert (said["price_version"], said["planogram_version"]) == (2, 2)
    await says(aware, 3)
    assert await sold(aware) == ("tea", 5000)


async def test_a_machine_that_fell_back_to_an_older_one_sells_by_that_until_it_has_the_newest(
    aware: Stage,
) -> None:
    await changed(aware, TEA)
    await aware.sweep("config_pushes")
    await says(aware, 2)
    await changed(aware, ConfigChange(slots=price(5000), codes="keep"))
    await aware.sweep("config_pushes")
    await says(aware, 3)
    assert await sold(aware) == ("tea", 5000)
    await says(aware, 2)
    assert await sold(aware) == ("tea", 4000)
    assert pushed(aware)[-1] == 3
    await says(aware, 3)
    assert await sold(aware) == ("tea", 5000)


async def test_a_device_that_was_replaced_gets_what_there_is(aware: Stage) -> None:
    await says(aware, 0)
    assert pushed(aware) == [1]
    assert await sold(aware) == ("cola", 4000)
    await says(aware, 1)
    assert await wanted(aware) == (1, 1, 1)


async def test_a_version_that_we_never_made_is_overtaken_and_no_number_means_two_things(
    aware: Stage,
) -> None:
    """A database was restored from a backup; the machine knows later versions."""
    await says(aware, 9)
    assert pushed(aware) == [10]
    said = json.loads(aware.line.sent[-1]["config"])
    assert (said["price_version"], said["planogram_version"]) == (10, 10)
    await says(aware, 10)
    assert await wanted(aware) == (10, 10, 10)
    await aware.sell()
    await aware.sweep("fulfillments")
    assert aware.offered()["planogram_version"] == 10
    await says(aware, 2**40)  # nonsense
    assert await wanted(aware) == (10, 10, 0)


async def test_a_machine_that_knows_no_configurations_sells_by_a_new_one_once_nothing_is_owed(
    stage: Stage,
) -> None:
    await a_product(stage, "tea")
    await stage.hello()
    await stage.sell()
    await changed(stage, TEA)
    assert await sold(stage) == ("cola", 4000)
    await stage.sweep("fulfillments")
    assert stage.offered()["sku"] == "cola"
    await stage.accept()
    await stage.result()
    stage.later(6)
    await stage.sweep("config_pushes")
    assert await sold(stage) == ("tea", 4000)
    assert pushed(stage) == []
    await changed(stage, ConfigChange(slots=price(5000), codes="keep"))
    assert await sold(stage) == ("tea", 5000)  # nothing is owed: at once


async def test_what_was_bought_and_is_not_in_its_slot_any_more_is_given_back(stage: Stage) -> None:
    """Paid in the moment in which the configuration was applied."""
    await a_product(stage, "tea")
    stage.line.connected = False
    await stage.sell()
    await changed(stage, TEA)
    await stage.value("SELECT apply_config('M01', 2)")
    stage.line.connected = True
    await stage.hello()
    await stage.sweep()
    assert [m for m in stage.line.sent if m["type"] == "OFFER"] == []
    assert stage.refunded() == 4000
    assert (await stage.audit()).ok


async def test_a_change_of_the_name_alone_waits_for_no_unit(aware: Stage) -> None:
    aware.line.connected = False
    await aware.sell()
    await aware.value("UPDATE fulfillments SET due_at = hard_deadline")
    await changed(aware, ConfigChange(name="Platform 9"))
    aware.line.connected = True
    await aware.sweep("config_pushes")
    assert pushed(aware) == [2]


async def test_what_fell_out_of_service_is_not_sent_anything(aware: Stage) -> None:
    await changed(aware, TEA)
    await decommission(aware.context, Editor(aware.merchant, "asha"), "M01")
    await aware.sweep("config_pushes")
    assert pushed(aware) == []
    assert await aware.rows("SELECT id FROM config_pushes WHERE ended_at IS NULL") == []
