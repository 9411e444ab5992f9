"""A person asks for their data, or for its end: the order stays for the books, the person goes.
What is kept for a time ends after it."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from coinslot.counter import history
from coinslot.counter.basket import Wish
from coinslot.counter.contacts import Contact
from coinslot.db.pool import RawConnection
from coinslot.oversight import privacy
from coinslot.worker import prune
from tests.console.conftest import Browser, form, signed_in
from tests.counter.stage import Counter
from tests.people.conftest import Staffed, with_people

DAY_S = 86_400
PHONE, MAIL = "+4915112345678", "maria@example.com"
MARIA = Contact(phone=PHONE, email=MAIL, agreed=True, network="10.9.8.7")
NOISY = Wish(sku="latte", note="For Maria, no sugar")


async def of_maria(counter: Counter, *, over: bool = True) -> UUID:
    order = await counter.ready(NOISY, name="Maria Schmidt", contact=MARIA)
    if over:
        await counter.complete(order)
        await end_messages(counter)
    return order


async def end_messages(counter: Counter) -> None:
    """Each was sent, or was not: the carrier is no part of these tests."""
    stage = counter.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "UPDATE counter_messages SET stage = 'failed', why = 'test', ended_at = $1,"
            " due_at = NULL WHERE ended_at IS NULL", stage.clock.now(),
        )  # fmt: skip


@pytest.fixture
async def staffed(counter: Counter) -> Staffed:
    return await with_people(counter.stage)


@pytest.fixture
async def office(staffed: Staffed) -> Browser:
    """Asha's browser, right after she showed who she is."""
    return await signed_in(staffed, "asha")


async def found(counter: Counter, said: str) -> list[UUID]:
    stage = counter.stage
    return [one.id for one in await privacy.find(stage.context, stage.merchant, said)]


async def forget(counter: Counter, office: Browser, said: str, reason: str = "asked") -> Any:
    orders = await found(counter, said)
    page = await office.send(
        "/console/privacy/search", {"said": said} | token(await office.look("/console/privacy"))
    )
    hidden = form(page, "/console/privacy/forget")
    return await office.client.post(
        "/console/privacy/forget",
        data={**hidden, "order": [str(one) for one in orders], "reason": reason},
        headers={"sec-fetch-site": "same-origin", "accept": "text/html"},
    )


def token(page: Any) -> dict[str, str]:
    return form(page, "/console/privacy/search")


def owner(counter: Counter) -> RawConnection:
    found = counter.stage.owner
    assert found is not None
    return found


async def traces(counter: Counter) -> int:
    """How often Maria is named anywhere in the tables of orders, messages and logs. The proof that
    she agreed stays: a digest of her address, the text, the time, and from where."""
    count = 0
    for table in (
        "orders", "order_lines", "counter_orders", "counter_lines", "counter_contacts",
        "counter_messages", "counter_deliveries", "audit_log", "events", "public_events",
        "forgotten_orders", "notices",
    ):  # fmt: skip
        rows = await owner(counter).fetch(f"SELECT to_jsonb(t)::text AS row FROM {table} t")
        count += sum(
            any(one in row["row"] for one in ("Maria", "maria", PHONE, "10.9.8.7")) for row in rows
        )
    return count


@pytest.mark.parametrize("said", [PHONE, "+49 151 1234 5678", MAIL.upper()])
async def test_a_person_is_found_by_phone_and_mail(counter: Counter, said: str) -> None:
    order = await of_maria(counter)
    await counter.paid(Wish(sku="tea"))
    assert await found(counter, said) == [order]


async def test_a_person_is_found_by_the_code_of_an_order_and_nobody_by_nothing(
    counter: Counter,
) -> None:
    order = await counter.paid(NOISY, name="Maria")
    number = await counter.stage.value("SELECT number FROM orders")
    assert await found(counter, f" {number.lower()} ") == [order]
    assert await found(counter, "") == []
    assert await found(counter, "+4915100000000") == []


async def test_a_person_gets_all_that_is_kept_of_them_as_one_file(
    counter: Counter, office: Browser
) -> None:
    order = await of_maria(counter)
    page = await office.send(
        "/console/privacy/search", {"said": PHONE} | token(await office.look("/console/privacy"))
    )
    hidden = form(page, "/console/privacy/forget")
    told = await office.send("/console/privacy/export", {**hidden, "order": str(order)})
    assert told.status_code == 200, told.text
    (one,) = told.json()["orders"]
    assert (one["name"], one["phone"], one["email"]) == ("Maria Schmidt", PHONE, MAIL)
    assert one["lines"][0]["note"] == "For Maria, no sugar"
    assert {said["form"] for said in one["consents"]} == {"phone", "email"}
    assert one["payments"][0]["amount"] == 350


async def test_a_person_who_goes_leaves_the_order_and_its_money(
    counter: Counter, office: Browser
) -> None:
    await of_maria(counter)
    assert await traces(counter) > 0
    before = await counter.stage.rows("SELECT captured, fulfilled FROM captures")
    answer = await forget(counter, office, PHONE)
    assert answer.status_code == 303, answer.text
    assert await traces(counter) == 0
    assert await counter.stage.rows("SELECT captured, fulfilled FROM captures") == before
    assert await counter.stage.value("SELECT count(*) FROM order_lines") == 1
    assert await counter.stage.value("SELECT count(*) FROM counter_consents") == 2
    assert await found(counter, PHONE) == []


async def test_who_goes_leaves_no_search_for_their_orders_and_searches_end_like_logs(
    counter: Counter, office: Browser
) -> None:
    stage = counter.stage
    await of_maria(counter)
    at = await counter.store()
    for said in (PHONE, MAIL, "+4915199999999"):  # the last one is nobody's
        await history.ask(stage.context, at, said, "10.9.8.7")
    await end_messages(counter)
    left = "SELECT count(*) FROM counter_lookups WHERE digest <> '' OR network <> ''"
    assert (await forget(counter, office, PHONE)).status_code == 303
    assert await stage.value(left) == 1
    stage.later(31 * DAY_S)
    await prune.prune(stage.context, "logs")
    assert await stage.value(left) == 0


async def test_an_order_that_is_not_over_loses_the_person_once_it_is(
    counter: Counter, office: Browser
) -> None:
    order = await of_maria(counter, over=False)
    await forget(counter, office, PHONE)
    assert await counter.stage.value("SELECT name FROM counter_orders") == "Maria Schmidt"
    assert await privacy.forget_waiting(counter.stage.context) == 0
    await counter.complete(order)
    await end_messages(counter)
    assert await privacy.forget_waiting(counter.stage.context) == 1
    assert await traces(counter) == 0
    assert await privacy.forget_waiting(counter.stage.context) == 0


async def test_several_workers_let_a_person_go_once(counter: Counter, office: Browser) -> None:
    order = await of_maria(counter, over=False)
    await forget(counter, office, PHONE)
    await counter.complete(order)
    await end_messages(counter)
    done = await asyncio.gather(*(privacy.forget_waiting(counter.stage.context) for _ in range(3)))
    assert sum(done) == 1


async def test_nobody_goes_without_a_reason(counter: Counter, office: Browser) -> None:
    await of_maria(counter)
    answer = await forget(counter, office, PHONE, reason=" ")
    assert answer.status_code == 422
    assert await counter.stage.value("SELECT name FROM counter_orders") == "Maria Schmidt"


async def test_chandra_finds_and_ends_nothing_of_ashas_customers(
    counter: Counter, staffed: Staffed
) -> None:
    order = await of_maria(counter)
    chandra = await signed_in(staffed, "chandra")
    page = await chandra.send(
        "/console/privacy/search", {"said": PHONE} | token(await chandra.look("/console/privacy"))
    )
    assert "Nothing is kept of them." in page.text
    hidden = token(page) | {"key": "k" * 20, "order": str(order), "reason": "mine"}
    assert (await chandra.send("/console/privacy/forget", hidden)).status_code == 422
    assert await counter.stage.value("SELECT name FROM counter_orders") == "Maria Schmidt"


async def test_calls_logs_and_payers_are_forgotten_each_after_its_time_and_not_before(
    counter: Counter,
) -> None:
    stage = counter.stage
    order = await of_maria(counter)
    with pytest.raises(Exception, match="wrong_code"):
        await counter.complete(await counter.ready(), "000000")
    await owner(counter).execute("UPDATE captures SET payer_reference = 'maria@bank'")

    async def left(later_s: float) -> tuple[int, int, int]:
        stage.later(later_s)
        for what in ("call_logs", "logs", "payers"):
            await prune.prune(stage.context, what)
        return (
            await stage.value("SELECT count(phone_digest) FROM counter_messages"
                              " WHERE order_id = $1", order),
            await stage.value("SELECT count(*) FROM counter_wrong_codes"),
            await stage.value("SELECT count(payer_reference) FROM captures LIMIT 1"),
        )  # fmt: skip

    calls, wrong, payers = await left(29 * DAY_S)
    assert calls > 0
    assert (wrong, payers) == (1, 2)
    assert await left(2 * DAY_S) == (calls, 0, 2)
    assert await left(60 * DAY_S) == (0, 0, 2)
    assert await left(2500 * DAY_S) == (0, 0, 0)
    assert await stage.value("SELECT count(*) FROM counter_messages WHERE order_id = $1", order)


async def test_the_privacy_page_says_who_is_responsible_and_how_long_things_are_kept(
    counter: Counter, office: Browser, staffed: Staffed
) -> None:
    async with staffed.client() as stranger:
        page = await stranger.get("/s/corner/privacy")
    assert "It has not named anybody here yet." in page.text
    at = await office.look("/console/privacy")
    saved = await office.press(
        at, "/console/privacy/settings",
        {"controller": "Asha & Co", "address": "1 Mill Road\nPune", "contact": "data@asha.example",
         "more": ""},
    )  # fmt: skip
    assert saved.status_code == 303, saved.text
    async with staffed.client() as stranger:
        page = await stranger.get("/s/corner/privacy")
        menu = await stranger.get("/s/corner")
    assert "Asha &amp; Co" in page.text
    assert "data@asha.example" in page.text
    assert "30 days" in page.text
    assert 'href="/s/corner/privacy"' in menu.text
