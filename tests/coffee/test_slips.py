"""Small slips in this room that nothing else noticed, each of which would cost a cup, a sum or the
truth."""

import asyncio
import copy
import time
from typing import Any

import pytest

from coinslot.channels.tmetr import Heartbeat, Taken, Unclear
from coinslot.coffee import management, store
from coinslot.coffee.management import Asked
from coinslot.coffee.rules import Rule, Rules, save_rules
from coinslot.coffee.statuses import Status, status
from coinslot.context import Context
from coinslot.db.lease import HeldDatabase, Lease, LeaseLostError
from coinslot.orders import fulfillment
from tests.coffee.stage import PRICE, Cafe
from tests.coffee.test_pages import Phone, address, form
from tests.coffee.test_pages import phone as phone
from tests.coffee.test_pages import web as web

DAY_S = 86_400


async def with_rules(cafe: Cafe, **rules: Any) -> None:
    async with cafe.stage.context.db.as_merchant(cafe.stage.merchant) as conn:
        await save_rules(conn, cafe.stage.merchant, Rules(**rules))


async def row(cafe: Cafe, token: str) -> Any:
    unit = await cafe.unit(token)
    async with cafe.stage.context.db.as_merchant(cafe.stage.merchant) as conn:
        return await conn.fetchrow("SELECT * FROM fulfillments WHERE id = $1", unit["id"])


def held(cafe: Cafe, unit: Any, until: float) -> Context:
    """As the worker of this row has it."""
    context = copy.copy(cafe.stage.context)
    lease = Lease("fulfillments", unit["id"], unit["lease"], until)
    context.db = HeldDatabase(context.db, lease)
    return context


async def test_who_stood_still_past_its_lease_sends_no_command(cafe: Cafe) -> None:
    token = await cafe.paid()
    unit = await row(cafe, token)
    with pytest.raises(LeaseLostError):
        await cafe.coffee.start(held(cafe, unit, until=0), unit)
    assert cafe.roaster.makes == []
    assert (await cafe.ends(token))[0] == "making", "and whoever is next takes it for sent"


async def test_an_answer_is_written_whoever_has_the_row_by_then(cafe: Cafe) -> None:
    token = await cafe.paid()
    unit = await row(cafe, token)

    async def slowly(wanted: object) -> Taken:
        assert cafe.stage.owner is not None
        await cafe.stage.owner.execute("UPDATE fulfillments SET lease = lease + 1")
        return Taken()

    cafe.roaster.make = slowly  # type: ignore[method-assign]
    await cafe.coffee.start(held(cafe, unit, until=time.monotonic() + 60), unit)
    assert (await cafe.ends(token))[0] == "in_grace"


async def test_an_order_whose_time_ends_while_its_machine_is_asked_for_is_not_commanded(
    cafe: Cafe,
) -> None:
    token = await cafe.paid()

    async def slowly(device: str) -> Heartbeat:
        cafe.stage.later(121)
        return Heartbeat(cafe.stage.clock.now())

    cafe.roaster.last_heartbeat = slowly  # type: ignore[method-assign]
    await cafe.stage.sweep("fulfillments")
    assert cafe.roaster.makes == []
    cafe.stage.later(30)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("not_made", "refund_due", "never_sent")


@pytest.mark.parametrize("by", ["customer", "boris"])
@pytest.mark.parametrize("came", [True, False])
async def test_a_word_about_a_cup_that_was_not_commanded_moves_and_leaves_nothing(
    cafe: Cafe, came: bool, by: str
) -> None:
    token = await cafe.paid()
    unit = await row(cafe, token)
    said = fulfillment.Testimony(came=came, by=by)
    await fulfillment.handler(cafe.stage.context, "coffee").prove(cafe.stage.context, unit, said)
    assert (await cafe.ends(token))[0] == "to_make"
    assert await cafe.stage.value("SELECT count(*) FROM strays") == 0
    await cafe.stage.sweep("fulfillments")
    assert len(cafe.roaster.makes) == 1


@pytest.mark.parametrize(("later_s", "rule"), [(DAY_S - 60, "limit"), (DAY_S + 60, "refund")])
async def test_the_limits_are_of_a_day(cafe: Cafe, later_s: float, rule: str) -> None:
    first = await cafe.sell(browser="phone")
    await cafe.says(first, came=False)
    cafe.stage.later(later_s)
    second = await cafe.sell(browser="phone")
    await cafe.says(second, came=False)
    assert (await cafe.unit(second))["rule"] == rule


async def test_a_denial_waits_for_another_one_of_the_same_merchant(cafe: Cafe) -> None:
    """Else both would count the refunds before them, and both pass a limit of one."""
    token = await cafe.sell()
    owner = cafe.stage.owner
    assert owner is not None
    async with owner.transaction():
        await owner.execute(store.LOCK_DENIALS, str(cafe.stage.merchant))
        said = asyncio.create_task(cafe.says(token, came=False))
        done, _ = await asyncio.wait({said}, timeout=1)
        assert not done
    await said
    assert (await cafe.unit(token))["rule"] == "refund"


async def test_what_a_person_decides_uses_up_no_limit(cafe: Cafe) -> None:
    await with_rules(cafe, denied=Rule.PERSON, day_limit=1)
    await cafe.says(await cafe.sell(), came=False)
    await with_rules(cafe, day_limit=1)
    token = await cafe.sell()
    await cafe.says(token, came=False)
    assert (await cafe.unit(token))["rule"] == "refund"


async def test_a_denial_of_an_unclear_command_is_judged_by_the_rule_for_those(cafe: Cafe) -> None:
    await with_rules(cafe, unclear=Rule.GOODS)
    cafe.roaster.answer = Unclear("HTTP 500")
    token = await cafe.sell()
    await cafe.says(token, came=False)
    assert await cafe.ends(token) == ("made", "fulfilled", "policy_goods")
    assert (await cafe.unit(token))["denied_at"] is not None


async def test_a_denial_that_no_person_decides_ends_with_money_back_whatever_the_other_rule_says(
    cafe: Cafe,
) -> None:
    await with_rules(cafe, denied=Rule.PERSON, unclear=Rule.GOODS)
    token = await cafe.sell()
    await cafe.says(token, came=False)
    cafe.stage.later(DAY_S)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("not_made", "refund_due", "policy")
    assert cafe.stage.refunded() == PRICE


async def test_a_customer_is_asked_only_once_there_is_something_to_say(cafe: Cafe) -> None:
    """Not while the command is under way, nor after they denied it."""
    await with_rules(cafe, denied=Rule.PERSON)
    token = await cafe.paid()

    async def meanwhile(wanted: object) -> Taken:
        assert not (await cafe.order(token)).asks
        return Taken()

    cafe.roaster.make = meanwhile  # type: ignore[method-assign]
    await cafe.stage.sweep("fulfillments")
    assert (await cafe.order(token)).asks
    await cafe.says(token, came=False)
    assert not (await cafe.order(token)).asks


async def test_a_doubt_is_make_pending_on_the_page_and_in_the_console(cafe: Cafe) -> None:
    cafe.roaster.answer = Unclear("HTTP 500")
    order = await cafe.order(await cafe.sell())
    asked = Asked(text=order.number)
    (line,) = await management.orders(cafe.stage.context, cafe.stage.merchant, asked)
    assert line.status is status(order) is Status.MAKE_PENDING


async def test_a_contact_and_a_browser_are_kept_from_scripts_of_other_pages(
    cafe: Cafe, phone: Phone
) -> None:
    where, fields = form(await phone.get(address(cafe)), contact="ivan@example.com")
    tapped = await phone.post(where, data=fields)
    cookies = tapped.headers.get_list("set-cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert "httponly" in cookie.lower()
        assert "samesite=lax" in cookie.lower()
