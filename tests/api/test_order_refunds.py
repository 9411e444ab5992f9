"""Orders over HTTP: found, read, and given back by unit, by line or whole; once for each key,
within the merchant's limit, and never beside what the console or the sweeper gives back."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec.structs import replace

from coinslot.merchants.keys import KeyRequest, issue_key
from coinslot.orders import fulfillment
from tests.console.conftest import a_browser, form
from tests.console.test_lost_answers import Death, DiedError
from tests.console.test_money import sold
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.stage import MockAccounts
from tests.sales.test_order_refunds import (
    earned,
    handed_over,
    in_this_order,
    paid_order,
    two_handed_over,
)

BOTH = ("orders:read", "refunds:write")


class Shop:
    """A merchant's own program, with a key of these scopes."""

    def __init__(self, staffed: Staffed, key: str) -> None:
        self._client = staffed.client()
        self._client.headers["authorization"] = f"Bearer {key}"

    async def read(self, path: str) -> httpx.Response:
        return await self._client.get(path)

    async def refund(self, order: UUID, key: str = "k", **body: Any) -> httpx.Response:
        return await self._client.post(
            f"/orders/{order}/refunds", json={"reason": "warm"} | body,
            headers={"idempotency-key": key},
        )  # fmt: skip


async def shop(
    staffed: Staffed, scopes: Sequence[str] = BOTH, *, live: bool = False, of: UUID | None = None
) -> Shop:
    stage = staffed.stage
    wanted = KeyRequest(scopes=tuple(scopes), live=live)
    key = await issue_key(stage.context.db, of or stage.merchant, stage.clock.now(), wanted)
    return Shop(staffed, key)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["error"]["code"])


async def limited(staffed: Staffed, minor: int) -> None:
    """From here on a person shows a factor again for a refund above it."""
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute("UPDATE merchants SET currency = coalesce(currency, 'INR')")
        await conn.execute("UPDATE merchants SET refund_proof_minor = $1", minor)


async def test_an_order_is_found_by_its_number_read_and_one_of_its_units_given_back(
    staffed: Staffed,
) -> None:
    order, asha = await two_handed_over(staffed.stage), await shop(staffed)
    number = await staffed.stage.value("SELECT number FROM orders WHERE id = $1", order)
    listed = (await asha.read(f"/orders?text={number}")).json()
    assert [one["id"] for one in listed["data"]] == [str(order)]
    read = (await asha.read(f"/orders/{order}")).json()
    assert [unit["amount_left"] for unit in read["units"]] == [4000, 4000]
    unit = read["units"][1]["id"]
    made = await asha.refund(order, units=[unit])
    assert made.status_code == 201, made.text
    assert [(part["unit"], part["amount"], part["outcome"]) for part in made.json()["parts"]] == [
        (unit, 4000, "taken")
    ]
    await staffed.stage.sweep()
    after = (await asha.read(f"/orders/{order}/refunds")).json()["data"]
    assert [(one["amount"], one["reason"], one["parts"][0]["money"]) for one in after] == [
        (4000, "warm", "succeeded")
    ]
    assert (staffed.stage.refunded(), await earned(staffed.stage)) == (4000, 4000)
    (entry,) = await staffed.log("order.refunded")
    assert (entry["person_id"], entry["address"].startswith("API key ")) == (None, True)
    assert (await staffed.stage.audit()).ok


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_orders_are_read_page_by_page_and_each_is_there_once(
    staffed: Staffed, limit: int
) -> None:
    for _ in range(3):
        await sold(staffed)
    asha, pages, after = await shop(staffed), list[list[str]](), ""
    while True:
        page = (await asha.read(f"/orders?limit={limit}{after}")).json()
        pages.append([one["number"] for one in page["data"]])
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    rows = await staffed.stage.rows("SELECT number FROM orders ORDER BY id DESC")
    assert [number for page in pages for number in page] == [row["number"] for row in rows]
    assert len(pages[0]) == limit
    for wrong in ("limit=0", "limit=101", "after=nothing"):
        assert (await asha.read(f"/orders?{wrong}")).status_code == 400, wrong


async def test_the_same_key_is_one_refund_however_often_it_is_sent_and_says_so(
    staffed: Staffed,
) -> None:
    order, asha = await handed_over(staffed.stage), await shop(staffed)
    at_once = await asyncio.gather(*(asha.refund(order, amount=1500) for _ in range(4)))
    again = await asha.refund(order, amount=1500)
    assert {answer.status_code for answer in (*at_once, again)} == {201}
    assert len({answer.json()["id"] for answer in (*at_once, again)}) == 1
    assert again.headers["idempotency-replayed"] == "true"
    assert code_of(await asha.refund(order, amount=1501)) == (422, "idempotency_key_reused")
    await staffed.stage.sweep()
    assert staffed.stage.refunded() == 1500
    assert len(await staffed.log("order.refunded")) == 1


async def test_who_asks_again_after_a_death_at_any_commit_is_told_of_the_one_refund(
    staffed: Staffed,
) -> None:
    order, asha = await handed_over(staffed.stage), await shop(staffed)
    for last in range(1, 20):
        with Death(staffed, last):
            try:
                await asha.refund(order, amount=1500)
                break
            except DiedError:
                continue
    again = await asha.refund(order, amount=1500)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    await staffed.stage.sweep()
    assert staffed.stage.refunded() == 1500
    assert len(await staffed.log("order.refunded")) == 1


async def test_the_same_key_at_another_order_is_another_refund(staffed: Staffed) -> None:
    first, asha = await handed_over(staffed.stage), await shop(staffed)
    staffed.later(1)
    second = await paid_order(staffed.stage)
    answers = [await asha.refund(first), await asha.refund(second)]
    assert [answer.status_code for answer in answers] == [201, 201]
    await staffed.stage.sweep()
    assert staffed.stage.refunded() == 8000


async def test_a_line_is_all_of_its_units_that_have_anything_left(staffed: Staffed) -> None:
    order, asha = await two_handed_over(staffed.stage), await shop(staffed)
    units = (await asha.read(f"/orders/{order}")).json()["units"]
    await asha.refund(order, "one", units=[units[0]["id"]])
    lines = sorted({unit["line"] for unit in units})
    rest = await asha.refund(order, "rest", lines=lines)
    if len(lines) > 1:  # a line each: of the first nothing is left, and that is said
        assert code_of(rest) == (422, "nothing_left")
        rest = await asha.refund(order, "second", lines=[units[1]["line"]])
    assert [part["unit"] for part in rest.json()["parts"]] == [units[1]["id"]]
    assert code_of(await asha.refund(order, "over", lines=lines)) == (422, "nothing_left")
    assert code_of(await asha.refund(order, "no", lines=[str(uuid4())])) == (404, "not_found")


async def test_a_key_needs_to_read_orders_and_to_give_back(staffed: Staffed) -> None:
    order = await handed_over(staffed.stage)
    for scope in BOTH:
        one = await shop(staffed, [scope])
        assert code_of(await one.refund(order)) == (403, "forbidden"), scope
    assert (await (await shop(staffed, ["orders:read"])).read(f"/orders/{order}")).is_success
    assert await staffed.stage.value("SELECT count(*) FROM order_refunds") == 0


async def test_a_test_key_reaches_no_order_that_was_paid_with_real_money(staffed: Staffed) -> None:
    order, context = await handed_over(staffed.stage), staffed.stage.context
    for of_live in (True, False):
        context.accounts = MockAccounts(replace(staffed.stage.account, live=of_live))
        other = await shop(staffed, live=not of_live)
        assert code_of(await other.refund(order, str(of_live))) == (404, "not_found")
        assert code_of(await other.read(f"/orders/{order}")) == (404, "not_found")
        own = await shop(staffed, live=of_live)
        assert (await own.refund(order, str(of_live), amount=100)).status_code == 201


async def test_chandras_key_finds_and_refunds_nothing_of_ashas(staffed: Staffed) -> None:
    order, chandra = await handed_over(staffed.stage), await shop(staffed, of=staffed.chandra)
    assert (await chandra.read("/orders")).json()["data"] == []
    assert (await chandra.read(f"/orders?text={order}")).json()["data"] == []
    assert code_of(await chandra.read(f"/orders/{order}")) == (404, "not_found")
    assert code_of(await chandra.refund(order)) == (404, "not_found")
    assert await staffed.stage.value("SELECT count(*) FROM order_refunds") == 0


# The limit above which a person shows a factor again.


async def test_a_key_gives_back_no_more_of_an_order_than_the_limit_in_one_refund_or_in_several(
    staffed: Staffed,
) -> None:
    await limited(staffed, 3000)
    order, asha = await handed_over(staffed.stage), await shop(staffed)
    assert code_of(await asha.refund(order)) == (403, "refund_above_limit")
    at_once = await asyncio.gather(*(asha.refund(order, f"{n}", amount=2000) for n in range(2)))
    assert sorted(answer.status_code for answer in at_once) == [201, 403]
    assert (await asha.refund(order, "rest", amount=1000)).status_code == 201
    assert code_of(await asha.refund(order, "more", amount=1)) == (403, "refund_above_limit")
    large = await shop(staffed, (*BOTH, "refunds:large"))
    assert (await large.refund(order, "large")).status_code == 201
    await staffed.stage.sweep()
    assert staffed.stage.refunded() == 4000


async def test_a_person_shows_a_factor_again_and_then_may(staffed: Staffed) -> None:
    await limited(staffed, 3000)
    order = await handed_over(staffed.stage)
    token = await staffed.token("boris")
    boris = Shop(staffed, token)
    staffed.later(500)
    assert (await boris.refund(order, "small", amount=1000)).status_code == 201
    staffed.later(95)  # the token lasts for ten minutes, a proof for as long as the windows say
    context = staffed.stage.context
    context.windows = replace(context.windows, step_up_s=60)
    assert code_of(await boris.refund(order, "rest")) == (403, "step_up_required")
    fresh = Shop(staffed, await staffed.token("boris"))
    assert (await fresh.refund(order, "rest")).status_code == 201
    vera = Shop(staffed, await staffed.token("vera"))
    assert code_of(await vera.refund(order, "v")) == (403, "forbidden")
    assert [one["person_id"] for one in await staffed.log("order.refunded")] == [
        staffed.people["boris"]
    ] * 2


# Beside others.


@pytest.mark.parametrize("first", ["shop", "sweeper"])
async def test_a_refund_over_the_api_and_the_sweepers_own_give_the_money_back_once(
    staffed: Staffed, first: str
) -> None:
    stage, order, asha = staffed.stage, await paid_order(staffed.stage), await shop(staffed)
    stage.later(121)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        row = await conn.fetchrow("SELECT * FROM fulfillments")
    assert row is not None
    calls = [lambda: asha.refund(order), lambda: fulfillment.drive(stage.context, row)]
    answers = await in_this_order(stage, *(calls if first == "shop" else reversed(calls)))
    answer = answers[0 if first == "shop" else 1]
    assert isinstance(answer, httpx.Response)
    assert answer.status_code == (201 if first == "shop" else 422)
    await stage.sweep()
    assert stage.refunded() == 4000
    assert await stage.value("SELECT count(*) FROM refunds") == 1


@pytest.mark.parametrize("first", ["shop", "person"])
async def test_a_refund_over_the_api_and_a_click_at_the_console_give_the_money_back_once(
    staffed: Staffed, first: str
) -> None:
    stage, order, asha = staffed.stage, await handed_over(staffed.stage), await shop(staffed)
    boris = a_browser(staffed)
    await boris.sign_in("boris")
    place = f"/console/orders/{order}/refund"
    unit = await stage.value("SELECT id::text FROM fulfillments")
    fields = form(await boris.look(f"/console/orders/{order}"), place)
    fields |= {"unit": unit, "reason": "warm"}
    calls = [lambda: asha.refund(order), lambda: boris.send(place, fields)]
    answers = await in_this_order(stage, *(calls if first == "shop" else reversed(calls)))
    statuses = [getattr(answer, "status_code", 0) for answer in answers]
    assert statuses == ([201, 422] if first == "shop" else [303, 422])
    await stage.sweep()
    assert stage.refunded() == 4000
    assert len(await staffed.log("order.refunded")) == 1
    assert (await stage.audit()).ok
