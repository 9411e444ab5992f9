"""Settings at the console: the second of two is told, nobody locks themselves out, and a large
refund asks who it is that gives it back."""

import re
from uuid import UUID

import pytest

from coinslot.orders.outlet_windows import windows_of
from coinslot.people.roles import PERMISSIONS
from tests.console.conftest import Browser, form, signed_in
from tests.console.test_money import sold
from tests.people.conftest import HERE, PASSWORD, Staffed

BUSINESS, RULES = "/console/settings/business", "/console/settings/rules"
WINDOWS = "/console/settings/windows"


async def with_currency(staffed: Staffed) -> None:
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute("UPDATE merchants SET currency = 'INR' WHERE id = $1", staffed.merchant)


def typed(**fields: str) -> dict[str, str]:
    return {"name": "Asha", "contact": "", "zone": "Asia/Kolkata", "limit": "", **fields}


async def save(browser: Browser, **fields: str) -> object:
    page = await browser.look(BUSINESS)
    return (await browser.press(page, BUSINESS, typed(**fields))).status_code


async def test_name_contact_and_zone_are_changed_and_the_log_has_before_and_after(
    staffed: Staffed,
) -> None:
    asha = await signed_in(staffed, "asha")
    assert await save(asha, name="Asha Drinks", contact="+91 98") == 303
    page = await asha.look(BUSINESS)
    assert 'value="Asha Drinks"' in page.text
    assert "<option selected>Asia/Kolkata" in page.text
    (entry,) = await staffed.log("settings.changed")
    assert entry["before"]["name"] == "Asha"
    assert entry["after"]["name"] == "Asha Drinks"


async def test_of_two_admins_who_edit_one_form_the_second_is_told(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    first, second = await asha.look(BUSINESS), await asha.look(BUSINESS)
    await asha.press(first, BUSINESS, typed(contact="call Boris"))
    late = await asha.press(second, BUSINESS, typed(contact="call Asha"))
    assert (late.status_code, "Somebody else changed this" in late.text) == (422, True)
    assert 'value="call Asha"' in late.text, "what was typed is kept"
    assert 'value="call Boris"' in (await asha.look(BUSINESS)).text
    again = await asha.press(late, BUSINESS, typed(contact="call Asha"))
    assert again.status_code == 422, "until the page is loaded again"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "needs a name"),
        ({"zone": "Asia/Nowhere"}, "Choose a time zone"),
        ({"limit": "much"}, "Write the amount"),
    ],
)
async def test_what_cannot_be_is_refused_with_a_reason(
    staffed: Staffed, fields: dict[str, str], said: str
) -> None:
    await with_currency(staffed)
    asha = await signed_in(staffed, "asha")
    answer = await asha.press(await asha.look(BUSINESS), BUSINESS, typed(**fields))
    assert (answer.status_code, said in answer.text) == (422, True)


async def test_an_address_list_that_leaves_out_its_author_changes_nothing(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    page = await asha.look(RULES.replace("rules", "business"))
    refused = await asha.press(page, RULES, {"networks": "198.51.100.0/24"})
    assert (refused.status_code, "lock you out yourself" in refused.text) == (422, True)
    page = await asha.look(BUSINESS)
    kept = await asha.press(page, RULES, {"networks": f"198.51.100.0/24\n{HERE}"})
    assert kept.status_code == 303
    assert "198.51.100.0/24" in (await asha.look(BUSINESS)).text


async def test_a_second_factor_for_all_needs_one_of_its_author(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    page = await asha.look(BUSINESS)
    refused = await asha.press(page, RULES, {"second_factor": "yes"})
    assert (refused.status_code, "lock you out yourself" in refused.text) == (422, True)


async def test_of_two_admins_who_set_rules_the_second_is_told(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    first, second = await asha.look(BUSINESS), await asha.look(BUSINESS)
    assert (await asha.press(first, RULES, {"networks": HERE})).status_code == 303
    late = await asha.press(second, RULES, {"networks": f"{HERE} 10.0.0.0/8"})
    assert (late.status_code, "Somebody else changed this" in late.text) == (422, True)


async def test_settings_are_changed_with_a_fresh_proof_only(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    page = await asha.look(BUSINESS)
    staffed.later(3600)
    assert (await asha.press(page, BUSINESS, typed())).status_code == 403
    assert (await asha.press(page, RULES)).status_code == 403


async def paid_order(staffed: Staffed, browser: Browser) -> str:
    """The page of an order of 40.00 that was paid."""
    await staffed.stage.sell()
    page = await browser.look("/console/find")
    return str(re.findall(r"/console/orders/[0-9a-f-]{36}", page.text)[0])


async def test_a_refund_above_the_limit_asks_for_a_proof_and_then_goes_on(staffed: Staffed) -> None:
    await with_currency(staffed)
    asha, boris = await signed_in(staffed, "asha"), await signed_in(staffed, "boris")
    order = await paid_order(staffed, boris)
    assert await save(asha, limit="30") == 303
    staffed.later(700)
    page = await boris.look(order)
    unit = re.findall(r'name="unit" value="([^"]+)"', page.text)[0]
    fields = {"unit": unit, "reason": "nothing came out"}
    asked = await boris.press(page, f"{order}/refund", fields)
    assert asked.status_code == 403
    assert await staffed.stage.value("SELECT count(*) FROM order_refunds") == 0
    back = await boris.press(asked, "/console/step-up", {"password": PASSWORD})
    done = await boris.press(back, f"{order}/refund")
    assert done.headers["location"] == f"{order}?done=refunded"
    assert await staffed.stage.value("SELECT count(*) FROM order_refunds") == 1


async def given_back(browser: Browser, order: UUID, amount: str) -> int:
    """The status that a refund of this much is answered with."""
    page = await browser.look(f"/console/orders/{order}")
    unit = re.findall(r'name="unit" value="([^"]+)"', page.text)[0]
    fields = {"unit": unit, "amount": amount, "reason": "it was warm"}
    answer = await browser.press(page, f"/console/orders/{order}/refund", fields)
    return answer.status_code


async def test_at_the_limit_nobody_is_asked_and_one_paisa_above_it_somebody_is(
    staffed: Staffed,
) -> None:
    await with_currency(staffed)
    asha, boris = await signed_in(staffed, "asha"), await signed_in(staffed, "boris")
    first, second = await sold(staffed), await sold(staffed)
    assert await save(asha, limit="30") == 303
    staffed.later(700)  # Boris's proof is too old now
    assert await given_back(boris, first, "30") == 303
    assert await given_back(boris, second, "30.01") == 403
    rows = await staffed.stage.rows("SELECT amount_minor FROM refunds")
    assert [row["amount_minor"] for row in rows] == [3000]


async def test_without_a_limit_nobody_is_asked(staffed: Staffed) -> None:
    await with_currency(staffed)
    boris = await signed_in(staffed, "boris")
    order = await sold(staffed)
    staffed.later(700)
    assert await given_back(boris, order, "40") == 303
    assert await staffed.stage.value("SELECT sum(amount_minor)::bigint FROM refunds") == 4000


async def test_a_machines_time_is_set_within_bounds_and_taken_away_again(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    place = f"{WINDOWS}/M01"
    page = await asha.look(WINDOWS)
    assert (await asha.press(page, place, {"dispatch_s": "300"})).status_code == 303
    found = {one.name: one for one in await windows_of(staffed.stage.context, "M01")}
    assert (found["dispatch_s"].seconds, found["dispatch_s"].own) == (300, True)
    for value in ("5", "99999999", "-1", "ten"):
        page = await asha.look(WINDOWS)
        assert (await asha.press(page, place, {"dispatch_s": value})).status_code == 422, value
    stale = await asha.look(WINDOWS)
    await asha.press(await asha.look(WINDOWS), place, {"dispatch_s": ""})
    found = {one.name: one for one in await windows_of(staffed.stage.context, "M01")}
    assert not found["dispatch_s"].own
    late = await asha.press(stale, place, {"dispatch_s": "400"})
    assert (late.status_code, "Somebody else changed this" in late.text) == (422, True)


async def test_chandra_changes_nothing_of_ashas(staffed: Staffed) -> None:
    chandra = await signed_in(staffed, "chandra")
    page = await chandra.look(WINDOWS)
    assert "M01" not in page.text
    fields = form(page, "/console/sign-out") | {"key": "k" * 20, "dispatch_s": "300"}
    assert (await chandra.send(f"{WINDOWS}/M01", fields)).status_code == 404
    assert await save(chandra, name="Mine") == 303
    asha = await signed_in(staffed, "asha")
    assert 'value="Asha"' in (await asha.look(BUSINESS)).text
    assert "merchant:write" in PERMISSIONS["admin"]
