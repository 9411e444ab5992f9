"""The first account names a business, works for it at once, and goes back and forth."""

import asyncio
from typing import Any

from coinslot.people import first_run
from tests.console.conftest import OURS, Browser, a_browser, form, signed_in
from tests.people.conftest import PASSWORD, Staffed
from tests.people.test_members import nobody_runs_it

BUSINESS = {
    "name": "Gita's Coolers", "contact": "+91 20 5550 0001", "zone": "Asia/Kolkata",
    "currency": "INR",
}  # fmt: skip


async def first_account(staffed: Staffed, urls: Any) -> tuple[Browser, Any]:
    """A browser after the first-run page, and the page that it was led to."""
    await nobody_runs_it(staffed, urls)
    browser, token = a_browser(staffed), await first_run.offer(staffed.auth)
    page = await browser.look(f"/console/first-run?token={token}")
    fields = {"login": "gita", "password": PASSWORD}
    answer = await browser.press(page, "/console/first-run", fields)
    assert answer.status_code == 303, answer.text
    return browser, await browser.look(answer.headers["location"])


async def test_the_first_account_is_led_to_its_business_and_works_for_it_as_admin(
    staffed: Staffed, urls: Any
) -> None:
    gita, page = await first_account(staffed, urls)
    assert page.url.path == "/console/business"
    answer = await gita.press(page, "/console/business", BUSINESS)
    assert answer.status_code == 303, answer.text
    today = await gita.look("/console/today")
    assert today.status_code == 200
    assert "Gita&#39;s Coolers" in today.text
    async with staffed.stage.context.db.system_transaction() as conn:
        made = await conn.fetchrow("SELECT * FROM merchants WHERE name = $1", BUSINESS["name"])
    assert made is not None
    assert (made["slug"], made["zone"], made["currency"]) == (
        "gita-s-coolers", "Asia/Kolkata", "INR",
    )  # fmt: skip
    (entry,) = await staffed.log("merchant.opened")
    assert entry["merchant_id"] == made["id"]


async def test_a_business_that_is_sent_twice_is_one(staffed: Staffed) -> None:
    meera = await signed_in(staffed, "meera")
    page = await meera.look("/console/business")
    fields = form(page, "/console/business") | BUSINESS
    answers = await asyncio.gather(
        *(meera.client.post("/console/business", data=fields, headers=OURS) for _ in range(3))
    )
    assert 303 in [one.status_code for one in answers]
    assert len(await staffed.log("merchant.opened")) == 1
    async with staffed.stage.context.db.system_transaction() as conn:
        assert await conn.fetchval("SELECT count(*) FROM merchants WHERE name LIKE 'Gita%'") == 1


async def test_two_businesses_of_one_name_have_two_slugs(staffed: Staffed) -> None:
    for _ in range(2):
        meera = a_browser(staffed)
        await meera.sign_in("meera", merchant="installation")
        page = await meera.look("/console/business")
        answer = await meera.press(page, "/console/business", {**BUSINESS, "name": "Asha"})
        assert answer.status_code == 303
    async with staffed.stage.context.db.system_transaction() as conn:
        rows = await conn.fetch("SELECT slug FROM merchants WHERE name = 'Asha'")
    slugs = {row["slug"] for row in rows}
    assert len(slugs) == 3
    assert all(slug.startswith("asha") for slug in slugs)


async def test_what_cannot_be_is_said_and_what_was_typed_is_kept(staffed: Staffed) -> None:
    meera = await signed_in(staffed, "meera")
    page = await meera.look("/console/business")
    for wrong in ({"zone": "Mars/Olympus"}, {"name": " "}, {"currency": "XXX"}, {"zone": ""}):
        answer = await meera.press(page, "/console/business", {**BUSINESS, **wrong})
        assert answer.status_code == 422, wrong
        assert "+91 20 5550 0001" in answer.text
    assert await staffed.log("merchant.opened") == []


async def test_someone_goes_from_one_business_to_another_and_no_proof_gets_fresher(
    staffed: Staffed,
) -> None:
    meera = await signed_in(staffed, "meera")
    page = await meera.look("/console/business")
    await meera.press(page, "/console/business", BUSINESS)
    staffed.later(700)  # too old for what needs a fresh proof
    account = await meera.look("/console/account")
    old = dict(meera.client.cookies)
    answer = await meera.press(account, "/console/switch", {"merchant": "installation"})
    assert answer.status_code == 303
    assert (await meera.look("/console/health")).status_code == 200
    assert (await meera.look("/console/today")).status_code == 403
    thief = a_browser(staffed)
    thief.client.cookies.update(old)
    assert (await thief.look("/console/account")).url.path == "/console/sign-in"
    account = await meera.look("/console/account")
    (merchant,) = [entry["merchant_id"] for entry in await staffed.log("merchant.opened")]
    await meera.press(account, "/console/switch", {"merchant": str(merchant)})
    people = await meera.look("/console/people")
    invited = await meera.press(people, "/console/people/invite", {"address": "x@y.example"})
    assert (invited.status_code, "Show that it is you" in invited.text) == (403, True)


async def test_nobody_switches_to_where_they_do_not_work(staffed: Staffed) -> None:
    chandra = await signed_in(staffed, "chandra")
    fields = form(await chandra.look("/console/account"), "/console/sign-out")
    for wanted in (str(staffed.merchant), "installation", "nonsense"):
        answer = await chandra.send("/console/switch", {**fields, "merchant": wanted})
        assert answer.status_code in (400, 403), wanted
    assert "Asha" not in (await chandra.look("/console/machines")).text
