"""Times and limits that a merchant sets: they hold for who orders next, within bounds, and for
nobody else's machines."""

import pytest

from coinslot.orders import checkout, outlet_pages
from coinslot.orders.checkout import OrderRequest
from coinslot.orders.outlet_windows import set_windows, windows_of
from coinslot.orders.page_views import NotNowError
from tests.conftest import DatabaseUrls
from tests.console.conftest import Browser, form, signed_in
from tests.people.conftest import Staffed
from tests.people.test_races import held

SELLING, WINDOWS = "/console/settings/selling", "/console/settings/windows"
BUSINESS = "/console/settings/business"
NOTHING = dict.fromkeys(("vending-dispatch_s", "vending-in_doubt_s"), "")


async def save(browser: Browser, **fields: str) -> int:
    page = await browser.look(SELLING)
    typed = NOTHING | {name.replace("__", "-"): value for name, value in fields.items()}
    return (await browser.press(page, SELLING, typed)).status_code


async def seconds_until(staffed: Staffed, column: str) -> float:
    sql = f"SELECT extract(epoch FROM {column} - queued_at)::float8 FROM fulfillments"
    return float(await staffed.stage.value(f"{sql} ORDER BY queued_at DESC LIMIT 1"))


async def wish(staffed: Staffed, key: str) -> str:
    context = staffed.stage.context
    return await checkout.place(
        context, OrderRequest(outlet="M01", slot="A1", key=key, browser="b")
    )


async def test_a_time_of_all_machines_holds_for_what_is_paid_next(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    await staffed.stage.sell()
    before = await seconds_until(staffed, "dispatch_by")
    assert await save(asha, vending__dispatch_s="45") == 303
    staffed.later(1)
    await staffed.stage.sell()
    assert before > 100
    assert await seconds_until(staffed, "dispatch_by") == pytest.approx(45, abs=10)
    assert 'value="45"' in (await asha.look(SELLING)).text
    (entry,) = await staffed.log("selling.changed")
    assert entry["after"]["windows"] == {"vending": {"dispatch_s": 45}}
    staffed.later(300)


async def test_minutes_are_typed_and_the_doubt_ends_by_them(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    assert await save(asha, vending__in_doubt_s="20") == 303
    stage = staffed.stage
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    sql = "SELECT extract(epoch FROM hard_deadline - sent_at)::float8 FROM fulfillments"
    assert float(await stage.value(sql)) == pytest.approx(20 * 60, abs=5)
    await stage.started()
    await stage.result()


async def test_a_machines_own_time_comes_before_that_of_all(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    assert await save(asha, vending__dispatch_s="45") == 303
    await set_windows(staffed.stage.context, "M01", {"dispatch_s": 300}, staffed.merchant)
    found = {one.name: one for one in await windows_of(staffed.stage.context, "M01")}
    assert (found["dispatch_s"].seconds, found["dispatch_s"].own) == (300, True)
    await set_windows(staffed.stage.context, "M01", {"dispatch_s": None}, staffed.merchant)
    found = {one.name: one for one in await windows_of(staffed.stage.context, "M01")}
    assert (found["dispatch_s"].seconds, found["dispatch_s"].own) == (45, False)


async def test_chandras_machines_keep_their_times(staffed: Staffed) -> None:
    asha, chandra = await signed_in(staffed, "asha"), await signed_in(staffed, "chandra")
    assert await save(asha, vending__dispatch_s="45", browser_orders="1") == 303
    theirs = {one.name: one for one in await windows_of(staffed.stage.context, "C01")}
    assert theirs["dispatch_s"].seconds == 120
    assert 'value="45"' not in (await chandra.look(SELLING)).text


async def test_a_phone_may_have_so_many_unpaid_orders_and_no_more(staffed: Staffed) -> None:
    await staffed.stage.hello()
    asha = await signed_in(staffed, "asha")
    assert await save(asha, browser_orders="1", order_s="5", unpaid_s="10") == 303
    await wish(staffed, "k" * 20)
    left = await staffed.stage.value(
        "SELECT extract(epoch FROM expires_at - placed_at)::float8 FROM orders"
    )
    assert float(left) == 300
    with pytest.raises(NotNowError):
        await wish(staffed, "m" * 20)
    staffed.later(601)  # it counts for ten minutes
    asha = await signed_in(staffed, "asha")
    await staffed.stage.hello(boot="b2")
    await wish(staffed, "n" * 20)
    assert await save(asha) == 303  # as everywhere: three of one phone
    await wish(staffed, "p" * 20)


@pytest.mark.parametrize(
    "fields",
    [
        {"vending__dispatch_s": "5"}, {"vending__dispatch_s": "one"},
        {"vending__in_doubt_s": "0,5"}, {"browser_orders": "1.5"}, {"order_s": "121"},
        {"network_orders": "-1"},
    ],
)  # fmt: skip
async def test_what_is_too_short_too_long_or_no_number_is_refused_and_kept_to_be_mended(
    staffed: Staffed, fields: dict[str, str]
) -> None:
    asha = await signed_in(staffed, "asha")
    page = await asha.look(SELLING)
    typed = {name.replace("__", "-"): value for name, value in fields.items()}
    answer = await asha.press(page, SELLING, NOTHING | typed)
    assert (answer.status_code, "too short or too long" in answer.text) == (422, True)
    assert f'value="{next(iter(fields.values()))}"' in answer.text
    assert await staffed.log("selling.changed") == []


async def test_of_two_admins_who_set_limits_the_second_is_told(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    first, second = await asha.look(SELLING), await asha.look(SELLING)
    assert (await asha.press(first, SELLING, {"browser_orders": "5"})).status_code == 303
    late = await asha.press(second, SELLING, {"browser_orders": "7"})
    assert (late.status_code, "Somebody else changed this" in late.text) == (422, True)
    assert 'value="7"' in late.text
    assert 'value="5"' in (await asha.look(SELLING)).text


async def test_of_two_who_set_a_machines_time_at_one_moment_one_is_told(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    """What the page had shown is compared under the lock with which it is written."""
    asha = await signed_in(staffed, "asha")
    place = f"{WINDOWS}/M01"
    pages = [await asha.look(WINDOWS), await asha.look(WINDOWS)]
    calls = [
        asha.press(page, place, {"dispatch_s": seconds})
        for page, seconds in zip(pages, ("300", "90"), strict=True)
    ]
    async with held(urls, "SELECT FROM outlets WHERE id = 'M01' FOR UPDATE") as together:
        ended = await together(*calls)
    assert sorted(answer.status_code for answer in ended) == [303, 422]
    assert len(await staffed.log("windows.changed")) == 1


async def business(browser: Browser, **fields: str | list[str]) -> int:
    page = await browser.look(BUSINESS)
    typed: dict[str, str] = {"name": "Asha", "contact": "", "zone": "", "limit": ""}
    data = form(page, BUSINESS) | typed | fields
    answer = await browser.client.post(
        BUSINESS, data=data, headers={"sec-fetch-site": "same-origin", "accept": "text/html"}
    )
    return answer.status_code


async def test_customers_are_shown_the_languages_of_the_business(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    await staffed.stage.hello()
    assert await business(asha, language=["hi", "en"], first_language="hi") == 303
    view = await outlet_languages(staffed)
    assert view == ("hi", "en")
    assert await business(asha, language=["en", "hi", "ru"], first_language="en") == 303
    assert await outlet_languages(staffed) == ()


async def outlet_languages(staffed: Staffed) -> tuple[str, ...]:
    view = await outlet_pages.outlet(staffed.stage.context, "M01")
    assert view is not None
    return view.brand.languages


async def test_the_currency_of_new_machines_is_chosen_and_a_limit_is_in_it(
    staffed: Staffed,
) -> None:
    asha = await signed_in(staffed, "asha")
    assert await business(asha, currency="RUB", limit="1500") == 303
    (row,) = await staffed.stage.rows(
        "SELECT currency::text, refund_proof_minor FROM merchants WHERE slug = 'asha'"
    )
    assert row == {"currency": "RUB", "refund_proof_minor": 150_000}
    assert "RUB" in (await asha.look("/console/new-product")).text
    assert await business(asha, currency="XXX") == 400
    assert await staffed.stage.value("SELECT currency::text FROM outlets WHERE id = 'M01'") == "INR"
