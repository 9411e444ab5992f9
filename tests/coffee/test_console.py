"""Coffee in the console: set up from nothing, imported with a preview, looked through, changed, and
what only a person can decide."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pytest
from msgspec.structs import replace

from coinslot.channels.tmetr import Broker as MqttBroker
from coinslot.channels.tmetr import Drink, Heartbeat, NoPrice, Settings, Size, Unclear
from coinslot.coffee import management, selling
from coinslot.coffee.rules import Rule, Rules, save_rules
from coinslot.coffee.statuses import status
from coinslot.coffee.vendors import VendorAccount, kept_settings, save_vendor_account
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from coinslot.oversight import cases
from coinslot.oversight.cases import Case, Person
from tests.coffee.stage import DEVICE, DRINK, Cafe, DiedError, in_cafe
from tests.console.conftest import Browser, a_browser, form
from tests.notices.telling import telling
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

PAGE = "/console/coffee"
MACHINES, DRINKS = f"{PAGE}/machines", f"{PAGE}/drinks"


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
    line, *totals = table(await boris.look(f"{PAGE}/export?q=20250317-mine"))
    assert (line["Status"], line["Amount"], line["Machine"]) == ("being made", "175.00", "K01")
    assert (await cafe.order(making)).number == line["Order"]
    assert [one["Amount"] for one in totals] == ["175.00"], "and their sum"


def table(answer: httpx.Response, between: str = ",") -> list[dict[str, str]]:
    lines = io.StringIO(answer.text.lstrip("\ufeff"))
    return list(csv.DictReader(lines, delimiter=between))


async def test_orders_are_filtered_by_the_days_of_the_merchants_zone(
    cafe: Cafe, boris: Browser
) -> None:
    """In Pune it is the next day since half past six in the evening of UTC."""
    assert cafe.stage.owner is not None
    await cafe.stage.owner.execute("UPDATE merchants SET zone = 'Asia/Kolkata'")
    cafe.stage.clock.advance(timedelta(hours=18, minutes=29) - timedelta(hours=12))
    await cafe.paid()
    cafe.stage.later(120)
    await cafe.paid(cafe.code(drink="b4" * 16))
    today, tomorrow = "2026-11-21", "2026-11-22"
    for query, lines in (
        ({"from": today, "to": today}, 1), ({"from": tomorrow}, 1), ({"to": tomorrow}, 2),
        ({"from": "2026-11-23"}, 0),
    ):  # fmt: skip
        page = await boris.look(f"{PAGE}?{urlencode(query)}")
        assert page.text.count("<strong>Капучино") == lines, query
        assert len(table(await boris.look(f"{PAGE}/export?{urlencode(query)}"))) == lines + (
            1 if lines else 0
        )
    for bad in ("from=yesterday", "to=9999-12-31", "status=brewed", "before=x"):
        assert (await boris.look(f"{PAGE}?{bad}")).status_code == 400


async def test_a_file_of_orders_speaks_the_readers_language(cafe: Cafe, boris: Browser) -> None:
    await cafe.sell()
    line, _ = table(await boris.look(f"{PAGE}/export?lang=ru"), ";")
    assert (line["Статус"], line["Сумма"], line["Напиток"]) == ("готовится", "175,00", "Капучино")


async def test_a_file_of_many_orders_has_each_of_them_once(cafe: Cafe, boris: Browser) -> None:
    """It was cut without a word behind ten thousand."""
    await cafe.place(cafe.code())
    assert cafe.stage.owner is not None
    many = 2100  # more than is read at one time, twice
    ids = [uuid7(cafe.stage.clock.now()) for _ in range(many)]
    await copied(cafe, ids)
    lines = table(await boris.look(f"{PAGE}/export"))
    orders = [one["The machine's order id"] for one in lines]
    assert len({one for one in orders if one}) == many + 1
    assert len([one for one in orders if one]) == many + 1


async def copied(cafe: Cafe, ids: list[UUID]) -> None:
    """The one order there is, so often again."""
    owner = cafe.stage.owner
    assert owner is not None
    await owner.execute(
        "INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('id', n.id,"
        " 'token', n.id, 'number', 'N' || n.at, 'client_key', NULL))).* FROM orders o,"
        " unnest($1::uuid[]) WITH ORDINALITY AS n (id, at)",
        ids,
    )
    await owner.execute(
        "INSERT INTO order_lines SELECT (jsonb_populate_record(l, jsonb_build_object('id',"
        " gen_random_uuid(), 'order_id', n))).* FROM order_lines l, unnest($1::uuid[]) n",
        ids,
    )
    await owner.execute(
        "INSERT INTO coffee_orders SELECT (jsonb_populate_record(c, jsonb_build_object("
        "'order_id', n, 'machine_order', n))).* FROM coffee_orders c, unnest($1::uuid[]) n",
        ids,
    )


async def test_a_drink_whose_name_a_spreadsheet_would_run_is_text_in_the_file(
    cafe: Cafe, boris: Browser, staffed: Staffed
) -> None:
    """The name is the vendor's: who changes it there must run nothing in an office."""
    cafe.roaster.price = Drink('=HYPERLINK("http://evil")', Money(17_500, "RUB"))
    await cafe.sell()
    line, _ = table(await boris.look(f"{PAGE}/export?status=make_pending"))
    assert line["Drink"] == '\'=HYPERLINK("http://evil")'
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
    assert "/console/coffee/machines/K01" in line, "it leads to the page on which it is changed"
    led = await boris.look("/console/outlets/K01")
    assert led.url.path == "/console/coffee/machines/K01"
    itself = (await boris.look("/console/machines/K01")).text
    for word in (">Slots<", "A new secret for its device", "Take the whole machine out of sale"):
        assert word not in itself, word
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
    fields = {"name": "second", "host": "https://tmetr.example", "secret-token": "jwt-secret"}
    page = await asha.look(f"{PAGE}/setup")
    assert (await asha.press(page, f"{PAGE}/accounts", fields)).status_code == 303
    shown = (await asha.look(f"{PAGE}/setup")).text
    assert "https://tmetr.example" in shown
    assert "jwt-secret" not in shown
    page = await asha.look(MACHINES)
    machine = {"code": "K02", "device": "device-2", "name": "Hall", "place": "Pune"}
    machine |= await choices(cafe, "second")
    added = await asha.press(page, MACHINES, machine)
    assert added.headers["location"] == f"{MACHINES}/K02?done=saved"
    for action, subject in (("account_set", "second"), ("machines_set", "K02")):
        (entry,) = await staffed.log(f"coffee.{action}")
        assert (entry["person_id"], entry["subject"]) == (staffed.people["asha"], subject)
    rows = await cafe.stage.rows(
        "SELECT w.way FROM ways_to_pay w WHERE w.outlet_id = 'K02' AND w.place IS NOT NULL"
    )
    assert [row["way"] for row in rows] == ["link"], "its customers can pay at once"
    await asha.client.aclose()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"code": "K03"}, "in use already"), ({"code": "K 3"}, "A code has 1 to 32"),
     ({"device": "a/b"}, "no id of a device"), ({"name": " "}, "needs a name"),
     ({"code": "K01", "device": "device-3"}, "in use already"),
     ({"code": "M01", "device": "device-3"}, "in use already"),
     ({"account": "other"}, "needs a telemetry account")],
)  # fmt: skip
async def test_a_machine_that_cannot_be_added_says_why_and_adds_nothing(
    cafe: Cafe, boris: Browser, wrong: dict[str, str], said: str
) -> None:
    """Another one has the code or the device, also one that sells otherwise; or a field is none."""
    known = {"code": "K03", "device": DEVICE, "name": "Hall", "place": "Pune"}
    fields = known | await choices(cafe) | wrong
    answer = await boris.press(await boris.look(MACHINES), MACHINES, fields)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert f'value="{fields["device"]}"' in answer.text, "what was typed is still there"
    rows = await cafe.stage.rows("SELECT outlet_id, device FROM coffee_machines")
    assert [tuple(row.values()) for row in rows] == [("K01", DEVICE)]


async def test_a_token_that_is_replaced_leaves_the_accounts_broker_as_it_was(
    staffed: Staffed, cafe: Cafe
) -> None:
    """Its commands would go another way from then on, where no machine listens."""
    broker = MqttBroker(host="mqtt.example", topic="t/{device}", password=Secret("p"))
    settings = Settings(host="https://old.example", token=Secret("old"), mqtt=broker, read_s=3)
    context = cafe.stage.context
    async with context.db.as_merchant(cafe.stage.merchant) as conn:
        account = VendorAccount(merchant_id=cafe.stage.merchant, slug="asha", settings=settings)
        await save_vendor_account(conn, context.vault, context.clock, account)
    asha = await as_(staffed, "asha")
    page = await asha.look(f"{PAGE}/setup")
    assert "MQTT mqtt.example:8883 t/{device}" in page.text
    fields = {"name": "asha", "host": "https://new.example", "secret-token": "new"}
    assert (await asha.press(page, f"{PAGE}/accounts", fields)).status_code == 303
    async with context.db.as_merchant(cafe.stage.merchant) as conn:
        kept = await kept_settings(conn, context.vault, "asha")
    assert kept == replace(settings, host="https://new.example", token=Secret("new"))
    await asha.client.aclose()


async def choices(cafe: Cafe, slug: str = "asha") -> dict[str, str]:
    account = await cafe.stage.value("SELECT id FROM coffee_accounts WHERE slug = $1", slug)
    return {"account": str(account)}


# One machine.


async def machine_form(cafe: Cafe, page: httpx.Response, **more: str) -> dict[str, str]:
    known = {
        "name": "Foyer", "place": "Pune", "contact": "", "device": DEVICE,
        "pay_at": str(cafe.stage.account.id), **await choices(cafe),
    }  # fmt: skip
    return form(page, f"{MACHINES}/K01") | known | more


async def test_a_machine_has_a_page_on_which_it_is_changed(
    cafe: Cafe, boris: Browser, staffed: Staffed
) -> None:
    await cafe.sell()
    page = await boris.look(f"{MACHINES}/K01")
    assert [word in page.text for word in ("Foyer", DEVICE, "Капучино", "being made")] == [True] * 4
    fields = await machine_form(
        cafe, page, name="Холл", place="1 этаж", contact="+7 495 1234567", device="dev-9"
    )
    answer = await boris.send(f"{MACHINES}/K01", fields)
    assert answer.headers["location"] == f"{MACHINES}/K01?done=saved"
    (row,) = await cafe.stage.rows(
        "SELECT o.name, o.place, o.contact, c.device FROM coffee_machines c JOIN outlets o"
        " ON o.id = c.outlet_id"
    )
    assert tuple(row.values()) == ("Холл", "1 этаж", "+7 495 1234567", "dev-9")
    (entry,) = await staffed.log("coffee.machine_changed")
    assert (entry["before"]["device"], entry["after"]["device"]) == (DEVICE, "dev-9")
    assert (await boris.look(f"{MACHINES}/K07")).status_code == 404
    assert (await boris.look(f"{MACHINES}/M01")).status_code == 404


async def test_two_people_who_change_a_machine_at_once_do_not_undo_each_other(
    cafe: Cafe, boris: Browser, staffed: Staffed
) -> None:
    asha = await as_(staffed, "asha")
    pages = [await one.look(f"{MACHINES}/K01") for one in (boris, asha)]
    first = await machine_form(cafe, pages[0], name="Boris")
    second = await machine_form(cafe, pages[1], name="Asha")
    assert (await boris.send(f"{MACHINES}/K01", first)).status_code == 303
    late = await asha.send(f"{MACHINES}/K01", second)
    assert (late.status_code, "Somebody has changed this machine" in late.text) == (422, True)
    assert await cafe.stage.value("SELECT name FROM outlets WHERE id = 'K01'") == "Boris"
    again = await machine_form(cafe, late, name="Asha")
    assert (await asha.send(f"{MACHINES}/K01", again)).status_code == 303
    await asha.client.aclose()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"name": ""}, "needs a name"), ({"device": "a/b"}, "no id of a device"),
     ({"account": "x"}, "needs a telemetry account"),
     ({"pay_at": "x"}, "Choose at least one account")],
)  # fmt: skip
async def test_a_machine_is_not_changed_to_what_cannot_sell(
    cafe: Cafe, boris: Browser, wrong: dict[str, str], said: str
) -> None:
    page = await boris.look(f"{MACHINES}/K01")
    answer = await boris.send(f"{MACHINES}/K01", await machine_form(cafe, page, **wrong))
    assert (answer.status_code, said in answer.text) == (422, True)
    assert await cafe.stage.value("SELECT device FROM coffee_machines") == DEVICE
    assert await cafe.place(cafe.code()), "it sells as before"


async def test_a_viewer_sees_a_machine_and_changes_nothing(
    cafe: Cafe, boris: Browser, staffed: Staffed
) -> None:
    fields = await machine_form(cafe, await boris.look(f"{MACHINES}/K01"), name="Mine")
    vera = await as_(staffed, "vera")
    page = await vera.look(f"{MACHINES}/K01")
    assert (page.status_code, "Foyer" in page.text) == (200, True)
    assert f'action="{MACHINES}/K01"' not in page.text
    hidden = form(page, "/console/sign-out")
    assert (await vera.send(f"{MACHINES}/K01", fields | hidden)).status_code == 403
    await vera.client.aclose()


async def test_a_stranger_neither_sees_nor_changes_a_machine(
    cafe: Cafe, boris: Browser, staffed: Staffed
) -> None:
    fields = await machine_form(cafe, await boris.look(f"{MACHINES}/K01"), name="Mine")
    chandra = await as_(staffed, "chandra")
    assert (await chandra.look(f"{MACHINES}/K01")).status_code == 404
    hidden = form(await chandra.look(MACHINES), "/console/sign-out")
    assert (await chandra.send(f"{MACHINES}/K01", fields | hidden)).status_code in (404, 422)
    assert await cafe.stage.value("SELECT name FROM outlets WHERE id = 'K01'") == "Foyer"
    assert table(await chandra.look(f"{MACHINES}/export")) == []
    await chandra.client.aclose()


# Imports.

TABLE = "code,device,name,place\n"


async def previewed(boris: Browser, cafe: Cafe, lines: str) -> httpx.Response:
    fields = {"table": lines, **await choices(cafe)}
    return await boris.press(await boris.look(MACHINES), f"{PAGE}/import", fields)


async def test_an_import_is_shown_before_it_changes_anything(cafe: Cafe, boris: Browser) -> None:
    lines = (
        f"{TABLE}K01,{DEVICE},Renamed,Pune\nK04,dev-4,New,\nK05,a/b,Bad,\nK04,dev-6,Twice,\n"
        f"K06,{DEVICE},Twice,\nM01,dev-7,Vending,\nK 8,dev-8,Code,\nK09,dev-9,,\n"
    )
    preview = await previewed(boris, cafe, lines)
    assert preview.status_code == 200
    for word, times in ((">changed<", 1), (">new<", 1), (">left out<", 6), ("was: Foyer", 1),
                        ("twice in the table", 2), ("in use by another machine", 1),
                        ("not a valid code", 1), ("Do this (2)", 1)):  # fmt: skip
        assert preview.text.count(word) == times, word
    assert await cafe.stage.value("SELECT count(*) FROM coffee_machines") == 1
    applied = await boris.send(f"{PAGE}/import/apply", form(preview, f"{PAGE}/import/apply"))
    assert applied.status_code == 303
    names = await cafe.stage.rows("SELECT o.id, o.name FROM coffee_machines c JOIN outlets o"
                                  " ON o.id = c.outlet_id ORDER BY o.id")  # fmt: skip
    assert [(row["id"], row["name"]) for row in names] == [("K01", "Renamed"), ("K04", "New")]
    ways = "SELECT count(*) FROM ways_to_pay WHERE outlet_id = 'K04' AND place IS NOT NULL"
    assert await cafe.stage.value(ways) == 1


async def test_an_import_does_what_was_shown_or_shows_it_anew(cafe: Cafe, boris: Browser) -> None:
    preview = await previewed(boris, cafe, f"K01,{DEVICE},Renamed,Pune\n")
    async with cafe.stage.context.db.as_merchant(cafe.stage.merchant) as conn:
        await conn.execute("UPDATE outlets SET name = 'Other' WHERE id = 'K01'")
    answer = await boris.send(f"{PAGE}/import/apply", form(preview, f"{PAGE}/import/apply"))
    assert (answer.status_code, "was: Other" in answer.text) == (422, True)
    assert await cafe.stage.value("SELECT name FROM outlets WHERE id = 'K01'") == "Other"
    again = await boris.send(f"{PAGE}/import/apply", form(answer, f"{PAGE}/import/apply"))
    assert again.status_code == 303
    assert await cafe.stage.value("SELECT name FROM outlets WHERE id = 'K01'") == "Renamed"


async def test_a_table_that_is_too_long_is_not_cut_without_a_word(
    cafe: Cafe, boris: Browser
) -> None:
    lines = "".join(f"K{number},dev-{number},Name,\n" for number in range(100, 301))
    answer = await previewed(boris, cafe, lines)
    assert (answer.status_code, "201 lines, and 200 are read" in answer.text) == (422, True)
    assert cafe.roaster.asked == []


@pytest.mark.parametrize("between", [",", ";", "\t"])
async def test_a_file_that_was_downloaded_is_taken_back_and_changes_nothing(
    cafe: Cafe, boris: Browser, between: str
) -> None:
    """Also as a spreadsheet of another country writes it."""
    told = await boris.look(f"{MACHINES}/export")
    preview = await previewed(boris, cafe, told.text.replace(",", between))
    assert "as it is" in preview.text
    assert "Nothing of it would change anything." in preview.text


async def test_a_vendor_that_does_not_answer_holds_up_no_import(cafe: Cafe, boris: Browser) -> None:
    cafe.roaster.beat = Unclear("ReadTimeout")
    preview = await previewed(boris, cafe, "K04,dev-4,New,\n")
    assert [word in preview.text for word in (">new<", "Not heard lately")] == [True] * 2


async def test_drinks_are_taken_over_from_the_vendor_after_a_look(
    cafe: Cafe, boris: Browser, staffed: Staffed
) -> None:
    cafe.roaster.price = Drink("Раф", Money(25_000, "RUB"))
    wanted = {"table": "raf-1\nmocha,Мокко\n", "machine": "K01"}
    shown = await boris.press(await boris.look(DRINKS), DRINKS, wanted)
    assert [word in shown.text for word in ("Раф", "Мокко", "Do this (2)")] == [True] * 3
    assert sorted(cafe.roaster.asked) == sorted(
        (DEVICE, drink, size) for drink in ("raf-1", "mocha") for size in Size
    )
    count = "SELECT count(*) FROM products WHERE sku = ANY (ARRAY['raf-1', 'mocha'])"
    assert await cafe.stage.value(count) == 0
    await boris.send(f"{DRINKS}/apply", form(shown, f"{DRINKS}/apply"))
    rows = await cafe.stage.rows("SELECT name FROM products WHERE currency = 'RUB' ORDER BY sku")
    assert [row["name"] for row in rows] == ["Мокко", "Раф"]
    assert [row["subject"] for row in await staffed.log("coffee.drinks_set")] == ["raf-1, mocha"]
    listed = await boris.look(DRINKS)
    assert [word in listed.text for word in ("Раф", "Мокко", "/console/products/raf-1")] == [
        True
    ] * 3
    assert "Раф" not in (await boris.look(f"{DRINKS}?q=mocha")).text
    raf = table(await boris.look(f"{DRINKS}/export"))[1]
    assert raf == {"drink": "raf-1", "name": "Раф", "small": "250.00", "medium": "250.00",
                   "big": "250.00"}  # fmt: skip


async def test_a_price_that_changed_since_the_look_is_shown_before_it_is_kept(
    cafe: Cafe, boris: Browser
) -> None:
    cafe.roaster.price = Drink("Раф", Money(25_000, "RUB"))
    wanted = {"table": "raf-1", "machine": "K01"}
    shown = await boris.press(await boris.look(DRINKS), DRINKS, wanted)
    cafe.roaster.price = Drink("Раф", Money(26_000, "RUB"))
    answer = await boris.send(f"{DRINKS}/apply", form(shown, f"{DRINKS}/apply"))
    assert (answer.status_code, "260" in answer.text) == (422, True)
    assert await cafe.stage.value("SELECT count(*) FROM coffee_drinks") == 0


async def test_a_drink_without_price_or_name_is_left_out_and_says_why(
    cafe: Cafe, boris: Browser
) -> None:
    page = await boris.look(DRINKS)
    cafe.roaster.price = NoPrice()
    shown = await boris.press(page, DRINKS, {"table": "raf-1", "machine": "K01"})
    assert [word in shown.text for word in (">left out<", "no price there")] == [True] * 2
    cafe.roaster.price = Drink("", Money(100, "RUB"))
    shown = await boris.press(shown, DRINKS, {"table": "raf-1", "machine": "K01"})
    assert "no name there" in shown.text
    many = "\n".join(f"d{number}" for number in range(101))
    answer = await boris.press(shown, DRINKS, {"table": many, "machine": "K01"})
    assert (answer.status_code, "101 lines" in answer.text) == (422, True)


async def test_a_sold_drink_stands_in_the_list_with_its_price_and_a_name_of_ones_own(
    cafe: Cafe, boris: Browser
) -> None:
    """Where the vendor has no name for it, its customer reads the merchant's."""
    cafe.roaster.price = Drink("", Money(17_500, "RUB"))
    wanted = {"table": f"{DRINK},Капучино с собой", "machine": "K01"}
    shown = await boris.press(await boris.look(DRINKS), DRINKS, wanted)
    await boris.send(f"{DRINKS}/apply", form(shown, f"{DRINKS}/apply"))
    offer = await selling.look(cafe.stage.context, cafe.vendors, cafe.code(), None)
    assert offer.drink == "Капучино с собой"
    cafe.roaster.price = Drink("Капучино", Money(18_000, "RUB"))
    await cafe.place(cafe.code(size=Size.BIG), price_minor=18_000)
    (drink,) = await management.drinks_known(cafe.stage.context, cafe.stage.merchant)
    assert [price.minor if price else None for price in drink.prices] == [17_500, 17_500, 18_000]


async def test_rules_are_set_and_read_back(staffed: Staffed, cafe: Cafe) -> None:
    asha = await as_(staffed, "asha")
    fields = {
        "denied": "person", "unclear": "goods", "contact_limit": "2", "browser_limit": "3",
        "device_limit": "4", "day_limit": "0",
    }  # fmt: skip
    page = await asha.look(f"{PAGE}/setup")
    assert (await asha.press(page, f"{PAGE}/rules", fields)).status_code == 303
    (row,) = await cafe.stage.rows("SELECT * FROM coffee_rules")
    assert (row["denied"], row["unclear"], row["day_limit"]) == ("person", "goods", 0)
    (entry,) = await staffed.log("coffee.rules_set")
    assert entry["after"] == {"denied": "person", "unclear": "goods"}
    bad = await asha.press(
        await asha.look(f"{PAGE}/setup"), f"{PAGE}/rules", fields | {"denied": "limit"}
    )
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
async def test_the_pages_are_read_in_every_language(
    staffed: Staffed, cafe: Cafe, language: str
) -> None:
    await cafe.sell()
    asha = await as_(staffed, "asha")
    said = {"ru": "Автоматы", "hi": "मशीनें"}[language]
    for place in ("", "/machines", "/machines/K01", "/drinks", "/setup"):
        page = await asha.look(f"{PAGE}{place}?lang={language}")
        assert (page.status_code, said in page.text) == (200, True), place
    await asha.client.aclose()
