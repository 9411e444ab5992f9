"""Coffee in the console: set up from nothing, imported with a preview, looked through, and what
only a person can decide."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from coinslot.channels.tmetr import Drink, Heartbeat, Size, Unclear
from coinslot.coffee import management, selling
from coinslot.coffee.rules import Rule, Rules, save_rules
from coinslot.coffee.statuses import status
from coinslot.kit.money import Money
from coinslot.oversight import cases
from coinslot.oversight.cases import Case, Person
from tests.coffee.stage import DEVICE, Cafe, DiedError, in_cafe
from tests.console.conftest import Browser, a_browser
from tests.notices.telling import telling
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

PAGE = "/console/coffee"


@pytest.fixture
async def cafe(staffed: Staffed) -> Cafe:
    """Asha's people, and her coffee machine."""
    return await in_cafe(staffed.stage)


@pytest.fixture
async def boris(staffed: Staffed, cafe: Cafe) -> AsyncIterator[Browser]:
    browser = a_browser(staffed)
    await browser.sign_in("boris")
    yield browser
    await browser.client.aclose()


async def as_(staffed: Staffed, login: str) -> Browser:
    browser = a_browser(staffed)
    await browser.sign_in(login)
    return browser


async def test_orders_are_found_by_words_and_by_status_and_exported(
    cafe: Cafe, boris: Browser
) -> None:
    done = await cafe.sell()
    await cafe.says(done, came=True)
    code = cafe.code("20250317-mine")
    making = await cafe.sell(code=code)
    page = await boris.look(PAGE)
    assert page.status_code == 200
    assert page.text.count("Капучино") == 2
    assert "being made" in page.text
    found = await boris.look(
        f"{PAGE}?{urlencode({'q': '20250317-mine', 'status': 'make_pending'})}"
    )
    assert found.text.count("<strong>Капучино") == 1
    none = await boris.look(f"{PAGE}?status=not_paid")
    assert "No such order." in none.text
    told = await boris.look(f"{PAGE}.csv?q=20250317-mine")
    (line,) = list(csv.DictReader(io.StringIO(told.text.lstrip("\ufeff"))))
    assert (line["status"], line["money"], line["machine"]) == ("make_pending", "175.00", "K01")
    assert (await cafe.order(making)).number == line["number"]


async def test_a_drink_whose_name_a_spreadsheet_would_run_is_text_in_the_file(
    cafe: Cafe, boris: Browser, staffed: Staffed
) -> None:
    """The name is the vendor's: who changes it there must run nothing in an office."""
    cafe.roaster.price = Drink('=HYPERLINK("http://evil")', Money(17_500, "RUB"))
    await cafe.sell()
    told = await boris.look(f"{PAGE}.csv?status=make_pending")
    (line,) = list(csv.DictReader(io.StringIO(told.text.lstrip("\ufeff"))))
    assert line["drink"] == '\'=HYPERLINK("http://evil")'
    (entry,) = await staffed.log("coffee.exported")
    assert (entry["person_id"], entry["after"]) == (
        staffed.people["boris"], {"status": "make_pending"}
    )  # fmt: skip


async def test_a_coffee_machine_is_not_missed_among_those_that_report_by_themselves(
    cafe: Cafe, boris: Browser
) -> None:
    """It is asked for when somebody orders: that it said nothing means nothing."""
    assert "/ 1</span>" in (await boris.look("/console/today")).text  # the other one
    listed = (await boris.look("/console/machines")).text
    (line,) = [line for line in listed.splitlines() if "machines/K01" in line]
    assert "Coffee" in line
    assert "stock" not in line
    assert "never heard" not in line


async def test_each_status_is_the_one_that_the_customers_page_has(
    cafe: Cafe, boris: Browser
) -> None:
    tokens = [await cafe.place(cafe.code()), await cafe.paid()]
    tokens.append(await cafe.sell())
    denied = await cafe.sell()
    await cafe.says(denied, came=False)
    late = await cafe.place(cafe.code())
    cafe.stage.later(901)
    await cafe.stage.sweep()
    for token in (*tokens, denied, late):
        order = await cafe.order(token)
        asked = management.Asked(text=order.number)
        (line,) = await management.orders(cafe.stage.context, cafe.stage.merchant, asked)
        assert line.status is status(order)


@pytest.mark.parametrize(("how", "end"), [("leave", "made"), ("refund", "not_made")])
async def test_a_person_decides_in_the_inbox_what_its_customer_denies(
    cafe: Cafe, boris: Browser, staffed: Staffed, how: str, end: str
) -> None:
    await with_rules(cafe, denied=Rule.PERSON)
    token = await cafe.sell()
    await cafe.says(token, came=False)
    assert "A person has to decide" in (await boris.look(PAGE)).text
    page = await boris.look("/console/inbox")
    assert "Did the customer get it?" in page.text
    assert "If nobody decides, it ends by itself" in page.text
    assert "₽175.00" in page.text or "RUB" in page.text
    (case,) = await cases.listed(cafe.stage.context)
    unit = await cafe.unit(token)
    assert f"/console/orders/{unit['order_id']}" in page.text
    pressed = await boris.press(page, f"/console/inbox/{case.id}", {"how": how})
    assert pressed.headers["location"] == f"/console/inbox?done=case_{how}"
    await cafe.stage.sweep()
    row = await cafe.unit(token)
    assert (row["state"], row["basis"]) == (end, "person_said")
    (closed,) = await cases.listed(cafe.stage.context, closed=True)
    assert (closed.closed_by, closed.how) == ("boris", {"refund": "refund", "leave": "left"}[how])
    (entry,) = await staffed.log(f"case.{how}")
    assert entry["person_id"] == staffed.people["boris"]
    assert "A person has to decide" not in (await boris.look(PAGE)).text
    assert "Nothing needs you" in (await boris.look("/console/inbox")).text


async def with_rules(cafe: Cafe, **rules: Any) -> None:
    async with cafe.stage.context.db.as_merchant(cafe.stage.merchant) as conn:
        await save_rules(conn, cafe.stage.merchant, Rules(**rules))


async def waiting_for_a_person(cafe: Cafe) -> tuple[str, Case]:
    await with_rules(cafe, denied=Rule.PERSON)
    token = await cafe.sell()
    await cafe.says(token, came=False)
    (case,) = await cases.listed(cafe.stage.context)
    return token, case


async def test_a_cup_that_waits_for_a_person_counts_in_the_inbox_and_is_told_to_people(
    cafe: Cafe, boris: Browser, staffed: Staffed
) -> None:
    _, case = await waiting_for_a_person(cafe)
    assert (case.kind, case.amount, case.currency) == ("handover_unknown", 17_500, "RUB")
    assert "1 waiting for you" in (await boris.look("/console/today")).text
    told = await telling(staffed)
    said = "A case is waiting for you: goods of which nobody knows whether they came, 175.00 RUB"
    heard = [one for one in await told.pass_(120) if "case" in one[1]]
    assert sorted(heard) == [("asha", said), ("boris", said)]


async def test_a_customer_who_finds_the_cup_ends_the_case_that_waits_for_a_person(
    cafe: Cafe,
) -> None:
    token, case = await waiting_for_a_person(cafe)
    await cafe.says(token, came=True)
    assert await cases.listed(cafe.stage.context) == []
    (closed,) = await cases.listed(cafe.stage.context, closed=True)
    assert (closed.id, closed.closed_by, closed.how) == (case.id, None, "healed")


async def test_two_people_who_decide_differently_at_once_settle_it_once(cafe: Cafe) -> None:
    token, case = await waiting_for_a_person(cafe)
    hands = [Person(name, "", cafe.stage.merchant) for name in ("boris", "asha")]
    verbs = zip((cases.refund, cases.leave), hands, strict=True)
    said = await asyncio.gather(
        *(verb(cafe.stage.context, case.id, hand) for verb, hand in verbs), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in said) == ["CaseError", "NoneType"]
    await cafe.stage.sweep()
    state, settlement, _ = await cafe.ends(token)
    won = said.index(None)
    assert (state, settlement) == [("not_made", "refund_due"), ("made", "fulfilled")][won]
    assert cafe.stage.refunded() == (17_500 if won == 0 else 0)
    (closed,) = await cases.listed(cafe.stage.context, closed=True)
    assert closed.closed_by == hands[won].by


async def test_a_decision_after_the_cups_own_end_says_so_and_moves_nothing(
    cafe: Cafe, boris: Browser
) -> None:
    token, case = await waiting_for_a_person(cafe)
    page = await boris.look("/console/inbox")
    unit = await cafe.unit(token)
    await cafe.stage.value(
        "UPDATE fulfillments SET due_at = $1, hard_deadline = $1 WHERE id = $2 RETURNING id",
        cafe.stage.clock.now(), unit["id"],
    )  # fmt: skip
    await cafe.stage.sweep("fulfillments")
    answer = await boris.press(page, f"/console/inbox/{case.id}", {"how": "leave"})
    assert (answer.status_code, "was decided meanwhile" in answer.text) == (409, True)
    assert await cafe.ends(token) == ("not_made", "refund_due", "policy")


async def test_an_unclear_command_waits_for_a_person_where_the_rule_says_so(cafe: Cafe) -> None:
    """Its customer has left, and nobody denies anything: it is asked about all the same."""
    await with_rules(cafe, unclear=Rule.PERSON)
    cafe.roaster.answer = Unclear("HTTP 500")
    token = await cafe.sell()
    (case,) = await cases.listed(cafe.stage.context)
    assert case.kind == "handover_unknown"
    cafe.stage.later(3600)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("in_doubt", None, None)
    assert (await cafe.order(token)).asks, "and its customer may say so, too"
    await cases.leave(cafe.stage.context, case.id, Person("boris", "", cafe.stage.merchant))
    assert await cafe.ends(token) == ("made", "fulfilled", "person_said")


async def test_who_is_asked_about_an_unclear_command_is_given_no_second_day_by_its_customer(
    cafe: Cafe,
) -> None:
    await with_rules(cafe, unclear=Rule.PERSON)
    cafe.roaster.answer = Unclear("HTTP 500")
    token = await cafe.sell()
    before = await cafe.unit(token)
    cafe.stage.later(3600)
    await cafe.says(token, came=False)
    after = await cafe.unit(token)
    assert after["hard_deadline"] == before["hard_deadline"]
    assert len(await cases.listed(cafe.stage.context, closed=True)) == 1, "one case, all along"
    cafe.stage.later(86_400)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("not_made", "refund_due", "policy")


async def test_a_command_that_nobody_looked_after_until_its_end_waits_for_a_person_too(
    cafe: Cafe,
) -> None:
    """Every process was down for longer than the doubt may last."""
    await with_rules(cafe, unclear=Rule.PERSON)
    cafe.roaster.answer = DiedError()
    token = await cafe.paid()
    await cafe.stage.sweep("fulfillments")
    cafe.stage.later(3600)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("in_doubt", None, None)
    (case,) = await cases.listed(cafe.stage.context)
    await cases.refund(cafe.stage.context, case.id, Person("boris", "", cafe.stage.merchant))
    assert (await cafe.ends(token))[2] == "person_said"


async def test_what_a_limit_leaves_to_a_person_waits_in_the_inbox(
    cafe: Cafe, boris: Browser
) -> None:
    """Money back was due, and too often before: else its time would run out unseen."""
    await with_rules(cafe, day_limit=0)
    token = await cafe.sell()
    await cafe.says(token, came=False)
    assert (await cafe.unit(token))["rule"] == "limit"
    context, merchant = cafe.stage.context, cafe.stage.merchant
    (line,) = await management.to_decide(context, merchant)
    assert line.number == (await cafe.order(token)).number
    (case,) = await cases.listed(context)
    page = await boris.look("/console/inbox")
    await boris.press(page, f"/console/inbox/{case.id}", {"how": "refund"})
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("not_made", "refund_due", "person_said")
    assert await management.to_decide(context, merchant) == []


async def test_a_heartbeat_that_is_told_late_takes_no_machine_back(cafe: Cafe) -> None:
    """Two customers ask at once, and the older answer is written last."""
    context, merchant, now = cafe.stage.context, cafe.stage.merchant, cafe.stage.clock.now()
    for ago_s in (60, 5, 200):
        cafe.roaster.beat = Heartbeat(now - timedelta(seconds=ago_s))
        await selling.look(context, cafe.vendors, cafe.code(), None)
    (machine,) = await management.machines(context, merchant)
    assert machine.heard_at == now - timedelta(seconds=5)


async def test_an_account_and_a_machine_are_set_up_from_nothing(
    staffed: Staffed, cafe: Cafe
) -> None:
    asha = await as_(staffed, "asha")
    page = await asha.look(PAGE)
    fields = {"name": "second", "host": "https://tmetr.example", "secret-token": "jwt-secret"}
    assert (await asha.press(page, f"{PAGE}/accounts", fields)).status_code == 303
    page = await asha.look(PAGE)
    assert "jwt-secret" not in page.text
    chosen = await choices(cafe, "second")
    machine = {"code": "K02", "device": "device-2", "name": "Hall", "place": "Pune", **chosen}
    assert (await asha.press(page, f"{PAGE}/machines", machine)).status_code == 303
    for action, subject in (("account_set", "second"), ("machines_set", "K02")):
        (entry,) = await staffed.log(f"coffee.{action}")
        assert (entry["person_id"], entry["subject"]) == (staffed.people["asha"], subject)
    rows = await cafe.stage.rows(
        "SELECT w.way FROM ways_to_pay w WHERE w.outlet_id = 'K02' AND w.place IS NOT NULL"
    )
    assert [row["way"] for row in rows] == ["link"], "its customers can pay at once"
    taken = await asha.press(await asha.look(PAGE), f"{PAGE}/machines",
                             machine | {"code": "K03"})  # fmt: skip
    assert (taken.status_code, "in use already" in taken.text) == (422, True)
    await asha.client.aclose()


async def choices(cafe: Cafe, slug: str = "asha") -> dict[str, str]:
    account = await cafe.stage.value("SELECT id FROM coffee_accounts WHERE slug = $1", slug)
    return {"account": str(account), "gateway": str(cafe.stage.account.id)}


async def test_an_import_is_shown_before_it_changes_anything(cafe: Cafe, boris: Browser) -> None:
    table = f"code,device,name,place\nK01,{DEVICE},Renamed,Pune\nK04,dev-4,New,\nK05,a/b,Bad,\n"
    page = await boris.look(PAGE)
    preview = await boris.press(page, f"{PAGE}/import",
                                {"table": table, **await choices(cafe)})  # fmt: skip
    assert preview.status_code == 200
    assert [word in preview.text for word in (">changed<", ">new<", ">left out<")] == [True] * 3
    assert await cafe.stage.value("SELECT count(*) FROM coffee_machines") == 1
    fields = {"table": table, **await choices(cafe)}
    applied = await boris.press(preview, f"{PAGE}/import/apply", fields)
    assert applied.status_code == 303
    names = await cafe.stage.rows("SELECT o.id, o.name FROM coffee_machines c JOIN outlets o"
                                  " ON o.id = c.outlet_id ORDER BY o.id")  # fmt: skip
    assert [(row["id"], row["name"]) for row in names] == [("K01", "Renamed"), ("K04", "New")]


async def test_drinks_are_taken_over_from_the_vendor_after_a_look(
    cafe: Cafe, boris: Browser, staffed: Staffed
) -> None:
    cafe.roaster.price = Drink("Раф", Money(25_000, "RUB"))
    page = await boris.look(PAGE)
    shown = await boris.press(page, f"{PAGE}/drinks", {"ids": "raf-1", "machine": "K01"})
    assert "Раф" in shown.text
    assert cafe.roaster.asked == [(DEVICE, "raf-1", size) for size in Size]
    assert await cafe.stage.value("SELECT count(*) FROM products WHERE sku = 'raf-1'") == 0
    await boris.press(shown, f"{PAGE}/drinks/apply", {"ids": "raf-1", "machine": "K01"})
    assert await cafe.stage.value("SELECT name FROM products WHERE sku = 'raf-1'") == "Раф"
    assert [row["subject"] for row in await staffed.log("coffee.drinks_set")] == ["raf-1"]


async def test_rules_are_set_and_read_back(staffed: Staffed, cafe: Cafe) -> None:
    asha = await as_(staffed, "asha")
    fields = {
        "denied": "person", "unclear": "goods", "contact_limit": "2", "browser_limit": "3",
        "device_limit": "4", "day_limit": "0",
    }  # fmt: skip
    page = await asha.look(PAGE)
    assert (await asha.press(page, f"{PAGE}/rules", fields)).status_code == 303
    (row,) = await cafe.stage.rows("SELECT * FROM coffee_rules")
    assert (row["denied"], row["unclear"], row["day_limit"]) == ("person", "goods", 0)
    (entry,) = await staffed.log("coffee.rules_set")
    assert entry["after"] == {"denied": "person", "unclear": "goods"}
    bad = await asha.press(await asha.look(PAGE), f"{PAGE}/rules", fields | {"denied": "limit"})
    assert bad.status_code == 422
    await asha.client.aclose()


async def test_a_stranger_sees_and_decides_nothing(staffed: Staffed, cafe: Cafe) -> None:
    token = await cafe.sell()
    unit = await cafe.unit(token)
    chandra = await as_(staffed, "chandra")
    page = await chandra.look(PAGE)
    assert "Капучино" not in page.text
    assert DEVICE not in page.text
    assert (await chandra.look(f"/console/orders/{unit['order_id']}")).status_code == 404
    await chandra.client.aclose()


@pytest.mark.parametrize("language", ["ru", "hi"])
async def test_the_page_is_read_in_every_language(boris: Browser, language: str) -> None:
    page = await boris.look(f"{PAGE}?lang={language}")
    assert page.status_code == 200
    assert {"ru": "Автоматы", "hi": "मशीनें"}[language] in page.text
