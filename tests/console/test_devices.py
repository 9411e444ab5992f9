"""What a machine's device is told, typed by somebody who writes no JSON; and machines by their
distance."""

from typing import Any

import pytest

from coinslot.console import device_fields
from coinslot.console.device_fields import DeviceFieldError
from coinslot.console.forms import Form
from coinslot.fleet import config
from tests.console.conftest import signed_in
from tests.people.conftest import Staffed

M01 = "/console/machines/M01"
DEVICE: dict[str, Any] = {
    "gps": {"lat": 18.5204, "lng": 73.8567},
    "deviceType": "esp32",
    "uiTheme": "dark",
    "features": ["nfc", "camera"],
    "pins": {"motor_a1": 12, "door": 0},
    "sensors": [{"kind": "temperature", "pin": 4}, {"kind": "drop", "inverted": True}],
    "actuators": [{"kind": "motor", "pin": 12, "steps": [1, 2]}],
    "paymentHardware": {"nfc": True, "model": "PN532"},
    "maintenance": True,
    "food_lock": {"limit_c": 4.5, "warm_s": 600},
    "volume": {"day": 3},
}


def form_of(device: dict[str, Any]) -> Form:
    """What a browser sends of the page as it is shown."""
    shown = device_fields.shown(device)
    pairs = {**shown.plain, "rest": shown.rest}
    if shown.maintenance:
        pairs["maintenance"] = "1"
    if shown.locks:
        pairs["locks"] = "1"
    return Form(tuple(pairs.items()))


@pytest.mark.parametrize(
    "device",
    [
        {}, DEVICE,
        {"pins": {"a=b": 1}}, {"features": ["a, b"]}, {"sensors": [{"kind": "a;b"}]},
        {"sensors": [{}]}, {"paymentHardware": {"code": "12", "old": "true", "list": [1, "x"]}},
        {"uiTheme": " "}, {"actuators": [{"say": "a\nb"}]}, {"deviceType": "a  b"},
    ],
)  # fmt: skip
def test_a_page_that_is_sent_as_it_is_shown_changes_nothing(device: dict[str, Any]) -> None:
    assert device_fields.read(form_of(device), device) == device


def test_of_the_food_lock_only_what_the_form_shows_is_changed() -> None:
    form = form_of(DEVICE)
    warmer = Form(tuple((n, "7,5" if n == "limit_c" else v) for n, v in form.pairs))
    assert device_fields.read(warmer, DEVICE)["food_lock"] == {"limit_c": 7.5, "warm_s": 600}
    assert "food_lock" not in device_fields.read(form.without("locks"), DEVICE)


@pytest.mark.parametrize(
    ("name", "typed", "why"),
    [
        ("pins", "motor 12", "problem_dev_line"), ("pins", "motor =", "problem_dev_line"),
        ("lat", "north", "problem_dev_number"), ("rest", "[1]", "problem_dev_rest"),
        ("rest", "{", "problem_dev_rest"), ("rest", '{"pins": {}}', "problem_dev_twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_by_its_field(name: str, typed: str, why: str) -> None:
    pairs = {"pins": "motor = 1", name: typed}
    with pytest.raises(DeviceFieldError) as refused:
        device_fields.read(Form(tuple(pairs.items())), {})
    assert refused.value.text == why


async def test_settings_are_typed_and_become_a_version(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(f"{M01}/device")
    fields = {"deviceType": "esp32", "pins": "motor = 12", "lat": "18.5", "lng": "73,8"}
    answer = await boris.press(page, f"{M01}/device", fields)
    assert answer.status_code == 303
    again = await boris.look(answer.headers["location"])
    assert "The settings are saved" in again.text
    assert "motor = 12" in again.text
    stage = staffed.stage
    found = await config.read(stage.context, stage.merchant, "M01")
    assert found.device == {
        "deviceType": "esp32", "pins": {"motor": 12}, "gps": {"lat": 18.5, "lng": 73.8}
    }  # fmt: skip
    stale = await boris.press(page, f"{M01}/device", {"uiTheme": "dark", "key": "k" * 20})
    assert stale.status_code == 422
    assert "dark" in stale.text, "what was typed is kept"
    assert (await config.read(stage.context, stage.merchant, "M01")).device == found.device


async def test_a_setting_of_the_wrong_kind_is_refused_and_what_was_typed_is_kept(
    staffed: Staffed,
) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(f"{M01}/device")
    answer = await boris.press(page, f"{M01}/device", {"pins": "motor = left", "lat": "91"})
    assert answer.status_code == 422
    assert "motor = left" in answer.text
    assert (await config.read(staffed.stage.context, staffed.stage.merchant, "M01")).version == 1


async def test_machines_are_found_by_distance_with_and_without_a_position(staffed: Staffed) -> None:
    vera = await signed_in(staffed, "vera")
    assert "No machine says where it stands" in (await vera.look("/console/near")).text
    async with staffed.stage.context.db.as_merchant(staffed.stage.merchant) as conn:
        await conn.execute(
            'UPDATE outlets SET device_config = \'{"gps": {"lat": 18.52, "lng": 73.85}}\''
        )
    near = await vera.look("/console/near?lat=18.53&lng=73,85")
    assert "1.1 km" in near.text
    assert "geolocation=(self)" in near.headers["permissions-policy"]
    assert "0 m" in (await vera.look("/console/near?from=M01")).text
    for wrong in ("lat=x&lng=1", "lat=95&lng=1", "lat=1", "lat=nan&lng=1"):
        assert (await vera.look(f"/console/near?{wrong}")).status_code == 422, wrong
    chandra = await signed_in(staffed, "chandra")
    assert "M01" not in (await chandra.look("/console/near?lat=18.53&lng=73.85")).text
