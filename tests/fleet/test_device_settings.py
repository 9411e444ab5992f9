"""What a configuration says of the device: known names within their bounds; where it stands; and a
template that is given to many machines."""

from typing import Any

import pytest

from coinslot.fleet import config, distance, onboarding, templates
from coinslot.fleet.config import ConfigChange, ConfigError
from coinslot.fleet.planning import NewMachine, NewSlot
from coinslot.fleet.templates import Template, TemplateSlot, UnknownTemplateError
from coinslot.kit.money import Money
from tests.fleet.test_config import a_product, changed, editor
from tests.sales.stage import Stage

WHOLE = {
    "gps": {"lat": 18.5204, "lng": 73.8567}, "deviceType": "esp32", "pins": {"motorA1": 4},
    "sensors": [{"kind": "drop", "pin": 5}], "actuators": [{"kind": "motor", "slot": "A1"}],
    "paymentHardware": {"nfc": False}, "uiTheme": "dark", "features": ["dex"],
    "maintenance": True, "of_its_own": {"any": ["thing", 1, None]},
}  # fmt: skip


async def test_what_is_said_of_a_device_is_kept_as_it_was_given(stage: Stage) -> None:
    await changed(stage, ConfigChange(device=WHOLE))
    found = await config.read(stage.context, stage.merchant, "M01")
    assert found.device == WHOLE


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"gps": {"lat": 91, "lng": 0}}, "device.gps.lat"),
        ({"gps": {"lat": 0}}, "device.gps"),
        ({"gps": {"lat": 0, "lng": 0, "height": 5}}, "device.gps"),
        ({"gps": "here"}, "device.gps"),
        ({"pins": {"motor": "four"}}, "device.pins[...]"),
        ({"features": "all"}, "device.features"),
        ({"sensors": ["drop"]}, "device.sensors[0]"),
        ({"maintenance": "yes"}, "device.maintenance"),
        ({"uiTheme": ""}, "device.uiTheme"),
        ({"food_lock": "on"}, "device.food_lock"),
        ({"food_lock": {"limit_c": "5"}}, "device.food_lock.limit_c"),
        ({"food_lock": {"limit_c": True}}, "device.food_lock.limit_c"),
        ({"food_lock": {"limit_c": 61}}, "device.food_lock.limit_c"),
        ({"food_lock": {"limit_f": 41}}, "device.food_lock"),
        ({"food_lock": {"warm_s": 0}}, "device.food_lock.warm_s"),
        ({"food_lock": {"grace_s": -1}}, "device.food_lock.grace_s"),
        ({"food_lock": {"silent_s": 86401}}, "device.food_lock.silent_s"),
    ],
)
async def test_a_known_name_with_a_wrong_value_is_refused_by_its_path(
    stage: Stage, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        await changed(stage, ConfigChange(device=wrong))
    assert (refused.value.code, refused.value.field) == ("bad_device", field)
    found = await config.read(stage.context, stage.merchant, "M01")
    assert (found.version, found.device) == (1, {})


async def test_a_new_machine_with_a_wrong_value_is_not_set_up(stage: Stage) -> None:
    wanted = NewMachine(
        code="M07", name="Lobby", slots=[NewSlot(slot="A1", sku="cola")], device={"gps": 7}
    )
    planned = await onboarding.plan(stage.context, stage.merchant, [wanted])
    assert [(one.field, one.code) for one in planned.problems] == [("device.gps", "bad_device")]


async def test_a_food_lock_is_kept_as_given_and_its_refusal_says_what_is_possible(
    stage: Stage,
) -> None:
    for lock in ({}, None, {"limit_c": 5, "warm_s": 900, "grace_s": 0, "silent_s": 60.5}):
        await changed(stage, ConfigChange(device={"food_lock": lock}))
        found = await config.read(stage.context, stage.merchant, "M01")
        assert found.device == {"food_lock": lock}
    for wrong, said in (
        ({"limit_c": 61}, "limit_c: At most 60.0 is possible."),
        ({"limit_c": -41}, "limit_c: At least -40.0 is possible."),
        ({"warm_s": "a while"}, "warm_s: A number is wanted."),
    ):
        with pytest.raises(ConfigError) as refused:
            await changed(stage, ConfigChange(device={"food_lock": wrong}))
        assert str(refused.value) == f"device.food_lock.{said}"


async def test_a_food_lock_of_before_that_cannot_be_read_refuses_no_other_change(
    stage: Stage,
) -> None:
    await stage.value(
        """UPDATE outlets SET device_config = '{"food_lock": {"limit_c": "five"}}'"""
        " WHERE id = 'M01' RETURNING true"
    )
    await changed(stage, ConfigChange(name="Hall"))
    assert (await config.read(stage.context, stage.merchant, "M01")).name == "Hall"


async def test_a_template_with_a_wrong_food_lock_is_not_kept(stage: Stage) -> None:
    wrong = Template(device={"food_lock": {"limit_c": "five"}})
    with pytest.raises(ConfigError) as refused:
        await templates.save(stage.context, editor(stage), "cold", wrong)
    assert (refused.value.code, refused.value.field) == ("bad_device", "device.food_lock.limit_c")
    assert "cold" not in await templates.listed(stage.context, stage.merchant)


async def test_a_shipped_template_has_a_food_lock_that_its_machine_keeps(stage: Stage) -> None:
    await templates.assign(stage.context, editor(stage), "cooled-24", ["M01"])
    found = await config.read(stage.context, stage.merchant, "M01")
    assert found.device["food_lock"] == {
        "limit_c": 5, "warm_s": 900, "grace_s": 1800, "silent_s": 900
    }  # fmt: skip
    for template in templates.SHIPPED.values():
        config.look_at_device(template.device)


async def test_machines_are_listed_by_their_distance(stage: Stage) -> None:
    await stage.value(
        "INSERT INTO outlets SELECT (jsonb_populate_record(o, jsonb_build_object('id', n.id,"
        " 'device_config', n.device::jsonb))).* FROM outlets o, (VALUES"
        """ ('M02', '{"gps": {"lat": 19.076, "lng": 72.8777}}'),"""  # Mumbai
        """ ('M03', '{"gps": {"lat": 18.53, "lng": 73.85}}'), ('M04', '{"gps": {"lat": "x"}}'),"""
        """ ('M05', '{"gps": 7}')) n (id, device) WHERE o.id = 'M01'"""
    )
    await changed(stage, ConfigChange(device=WHOLE))
    near = await distance.nearest(stage.context, stage.merchant, 18.5204, 73.8567)
    assert [one.code for one in near] == ["M01", "M03", "M02"]
    assert near[0].metres == 0
    assert 1_200 < near[1].metres < 1_400
    assert 119_000 < near[2].metres < 121_000
    assert len(await distance.nearest(stage.context, stage.merchant, 0, 0, limit=1)) == 1


async def test_a_template_is_given_to_many_and_each_says_what_became_of_it(stage: Stage) -> None:
    await a_product(stage, "tea", 2500)
    template = Template(
        slots=[
            TemplateSlot(slot="A1", par=12),  # it names no product: that of the machine stays
            TemplateSlot(slot="A2", par=6, sku="tea", price=Money(3000, "INR")),
            TemplateSlot(slot="A3", par=4),  # nothing is known of it
        ],
        device={"uiTheme": "dark"},
    )
    await templates.save(stage.context, editor(stage), "platform", template)
    await changed(stage, ConfigChange(device={"pins": {"motor": 4}}))

    async def give() -> list[templates.Assigned]:
        return await templates.assign(
            stage.context, editor(stage), "platform", ["M01", "M99", "M01"]
        )

    one, unknown = await give()
    assert (one.machine, one.version) == ("M01", 3)
    assert (unknown.machine, unknown.version) == ("M99", None)
    assert "M99" in unknown.problem
    found = await config.read(stage.context, stage.merchant, "M01")
    assert [(s.slot, s.sku, s.price.minor, s.par) for s in found.slots] == [
        ("A1", "cola", 4000, 12), ("A2", "tea", 3000, 6)
    ]  # fmt: skip
    assert found.device == {"pins": {"motor": 4}, "uiTheme": "dark"}
    assert (await give())[0].version == 3  # again changes nothing
    with pytest.raises(UnknownTemplateError):
        await templates.assign(stage.context, editor(stage), "nothing", ["M01"])
