"""One command for each cup, and what becomes of it: taken, refused, in doubt, denied, too late."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count

import pytest

from coinslot.channels.tmetr import Drink, Heartbeat, Refused, Silent, Size, Taken, Unclear
from coinslot.coffee.fulfillment import reported
from coinslot.coffee.rules import Rule, Rules, save_rules
from coinslot.coffee.statuses import Status, status
from coinslot.kit.faults import no_fault
from coinslot.kit.money import Money
from coinslot.orders import checkout, fulfillment
from tests.coffee.stage import DEVICE, DRINK, PRICE, Cafe, DiedError


async def test_a_paid_cup_is_commanded_once_and_handed_over_after_its_grace(cafe: Cafe) -> None:
    code = cafe.code("20250317110122659ba6d7-9ace-cndn")
    token = await cafe.sell(code=code)
    (make,) = cafe.roaster.makes
    assert (make.device, make.order, make.drink, make.size) == (
        DEVICE, code.order, DRINK, Size.MEDIUM,
    )  # fmt: skip
    assert (make.price.minor, make.price.currency) == (PRICE, "RUB")
    assert await cafe.ends(token) == ("in_grace", None, None)
    assert status(await cafe.order(token)) is Status.MAKE_PENDING
    cafe.stage.later(181)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("made", "fulfilled", "command_taken")
    assert status(await cafe.order(token)) is Status.SUCCESSFUL
    assert cafe.stage.refunded() == 0
    assert len(cafe.roaster.makes) == 1


async def test_a_refused_command_made_nothing_and_its_money_goes_back(cafe: Cafe) -> None:
    cafe.roaster.answer, cafe.roaster.brews = Refused("HTTP 404 no such device", 404), False
    token = await cafe.sell()
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("not_made", "refund_due", "refused")
    assert cafe.stage.refunded() == PRICE
    assert status(await cafe.order(token)) is Status.FAILED


async def test_an_unclear_command_is_never_sent_again_and_ends_by_policy(cafe: Cafe) -> None:
    cafe.roaster.answer = Unclear("HTTP 500")
    token = await cafe.sell()
    assert await cafe.ends(token) == ("in_doubt", None, None)
    assert (await cafe.order(token)).asks, "only the customer knows"
    for _ in range(11):
        cafe.stage.later(60)
        await cafe.stage.sweep()
    assert await cafe.ends(token) == ("not_made", "refund_due", "policy")
    assert (len(cafe.roaster.makes), cafe.stage.refunded()) == (1, PRICE)


async def test_a_process_that_dies_after_its_command_leaves_doubt_and_no_second_cup(
    cafe: Cafe,
) -> None:
    cafe.roaster.answer = DiedError()
    token = await cafe.paid()
    await cafe.stage.sweep("fulfillments")
    assert await cafe.ends(token) == ("making", None, None)
    cafe.stage.later(21)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("in_doubt", None, None)
    assert cafe.roaster.cups == [cafe.roaster.makes[0].order]
    await cafe.says(token, came=True)
    assert await cafe.ends(token) == ("made", "fulfilled", "customer_confirmed")


async def test_who_dies_before_the_commit_of_a_command_has_sent_none(cafe: Cafe) -> None:
    token = await cafe.paid()
    async with cafe.stage.context.db.as_merchant(cafe.stage.merchant) as conn:
        unit = await conn.fetchrow("SELECT * FROM fulfillments")
    assert unit is not None
    commits = count(1)

    def reached(here: str) -> None:
        if here == "before_commit" and next(commits) == 2:  # the first only reads what to make
            raise DiedError

    cafe.stage.context.db.reached = reached
    with pytest.raises(DiedError):
        await cafe.coffee.start(cafe.stage.context, unit)
    cafe.stage.context.db.reached = no_fault
    assert next(commits) == 3, "it died at the commit of the command"
    assert cafe.roaster.makes == []
    assert await cafe.ends(token) == ("to_make", None, None)
    await cafe.stage.sweep("fulfillments")
    assert len(cafe.roaster.makes) == 1


async def test_an_answer_that_comes_after_its_command_was_given_up_starts_no_grace(
    cafe: Cafe,
) -> None:
    token = await cafe.paid()
    unit = await cafe.unit(token)

    async def late(wanted: object) -> Taken:
        cafe.stage.later(30)
        await cafe.stage.sweep("fulfillments")  # another process finds it due
        assert (await cafe.ends(token))[0] == "in_doubt"
        return Taken()

    cafe.roaster.make = late  # type: ignore[method-assign]
    async with cafe.stage.context.db.as_merchant(cafe.stage.merchant) as conn:
        row = await conn.fetchrow("SELECT * FROM fulfillments WHERE id = $1", unit["id"])
    assert row is not None
    await cafe.coffee.start(cafe.stage.context, row)
    now = await cafe.unit(token)
    assert (now["state"], now["answer"], now["grace_until"]) == ("in_doubt", "taken", None)


# Time.


@pytest.mark.parametrize("beat", [Silent(), Unclear("HTTP 502"), Refused("HTTP 401", 401)])
async def test_a_machine_that_falls_silent_after_payment_gets_no_command(
    cafe: Cafe, beat: Silent | Unclear | Refused
) -> None:
    token = await cafe.paid()
    cafe.roaster.beat = beat
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("to_make", None, None)
    cafe.stage.later(121)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("not_made", "refund_due", "never_sent")
    assert (cafe.roaster.makes, cafe.stage.refunded()) == ([], PRICE)


async def test_a_machine_that_is_back_in_time_makes_the_cup(cafe: Cafe) -> None:
    token = await cafe.paid()
    cafe.roaster.beat = Silent()
    await cafe.stage.sweep()
    cafe.roaster.beat = None
    cafe.stage.later(30)
    await cafe.stage.sweep()
    assert (await cafe.ends(token))[0] == "in_grace"


async def test_an_order_that_expired_before_its_command_is_never_made(cafe: Cafe) -> None:
    """Paid a minute before its end; the machine is silent until that is over."""
    token = await cafe.place(cafe.code())
    cafe.stage.later(14 * 60)
    await checkout.pay(cafe.stage.context, checkout.WayTap(order=token))
    cafe.roaster.beat = Silent()
    await cafe.stage.sweep()
    cafe.roaster.beat = None
    cafe.stage.later(61)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("not_made", "refund_due", "never_sent")
    assert (cafe.roaster.makes, cafe.stage.refunded()) == ([], PRICE)


async def test_a_cup_whose_grace_ended_while_everything_was_down_is_handed_over(
    cafe: Cafe,
) -> None:
    token = await cafe.sell()
    cafe.stage.later(24 * 3600)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("made", "fulfilled", "command_taken")


# What people say.


async def test_a_customer_who_got_nothing_has_the_money_back_at_once(cafe: Cafe) -> None:
    token = await cafe.sell()
    await cafe.says(token, came=False)
    assert await cafe.ends(token) == ("not_made", "refund_due", "policy")
    assert (await cafe.unit(token))["rule"] == "refund"
    assert cafe.stage.refunded() == PRICE


async def test_after_the_grace_a_customers_word_moves_nothing(cafe: Cafe) -> None:
    token = await cafe.sell()
    cafe.stage.later(181)
    await cafe.stage.sweep()
    await cafe.says(token, came=False)
    assert await cafe.ends(token) == ("made", "fulfilled", "command_taken")
    assert cafe.stage.refunded() == 0


async def with_rules(cafe: Cafe, **rules: object) -> None:
    async with cafe.stage.context.db.as_merchant(cafe.stage.merchant) as conn:
        await save_rules(conn, cafe.stage.merchant, Rules(**rules))  # type: ignore[arg-type]


async def test_where_the_rule_says_goods_a_denied_cup_counts_as_made(cafe: Cafe) -> None:
    await with_rules(cafe, denied=Rule.GOODS)
    token = await cafe.sell()
    await cafe.says(token, came=False)
    assert await cafe.ends(token) == ("made", "fulfilled", "policy_goods")


async def test_where_the_rule_says_goods_an_unclear_cup_counts_as_made_at_the_end(
    cafe: Cafe,
) -> None:
    await with_rules(cafe, unclear=Rule.GOODS)
    cafe.roaster.answer = Unclear("ReadTimeout")
    token = await cafe.sell()
    cafe.stage.later(601)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("made", "fulfilled", "policy_goods")


@pytest.mark.parametrize(
    ("came", "end"),
    [(True, ("made", "fulfilled", "person_said")),
     (False, ("not_made", "refund_due", "person_said"))],
)  # fmt: skip
async def test_where_the_rule_says_so_a_person_decides(
    cafe: Cafe, came: bool, end: tuple[str, ...]
) -> None:
    await with_rules(cafe, denied=Rule.PERSON)
    token = await cafe.sell()
    await cafe.says(token, came=False)
    cafe.stage.later(3600)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("in_doubt", None, None)
    await cafe.says(token, came=came, by="Boris")
    assert await cafe.ends(token) == end
    assert cafe.stage.refunded() == (0 if came else PRICE)


async def test_a_person_who_does_not_decide_leaves_it_to_policy(cafe: Cafe) -> None:
    await with_rules(cafe, denied=Rule.PERSON)
    token = await cafe.sell()
    await cafe.says(token, came=False)
    cafe.stage.later(86_400)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("not_made", "refund_due", "policy")


@pytest.mark.parametrize(
    ("limit", "first", "second"),
    [("contact_limit", {"contact": "Ivan@example.com"}, {"contact": "ivan@example.com"}),
     ("browser_limit", {"browser": "phone"}, {"browser": "phone"}),
     ("device_limit", {}, {}),
     ("day_limit", {}, {})],
)  # fmt: skip
async def test_a_second_free_cup_in_a_day_is_for_a_person(
    cafe: Cafe, limit: str, first: dict[str, str], second: dict[str, str]
) -> None:
    cafe.makes_receipts()
    many = {"contact_limit": 9, "browser_limit": 9, "device_limit": 9, "day_limit": 9}
    await with_rules(cafe, **(many | {limit: 1}))
    one = await cafe.sell(**({"contact": "a@example.com"} | first))
    await cafe.says(one, came=False)
    two = await cafe.sell(**({"contact": "b@example.com"} | second))
    await cafe.says(two, came=False)
    assert await cafe.ends(two) == ("in_doubt", None, None)
    assert (await cafe.unit(two))["rule"] == "limit"
    assert cafe.stage.refunded() == PRICE
    cafe.stage.later(86_400)
    await cafe.stage.sweep()
    assert await cafe.ends(two) == ("made", "fulfilled", "command_taken"), "the vendor took it"


async def test_another_customer_is_not_held_to_what_one_used_up(cafe: Cafe) -> None:
    cafe.makes_receipts()
    for browser in ("one", "two"):
        token = await cafe.sell(browser=browser, contact=f"{browser}@example.com")
        await cafe.says(token, came=False)
        assert (await cafe.ends(token))[1] == "refund_due"


async def test_a_limit_of_a_doubt_about_the_command_itself_ends_with_money_back(
    cafe: Cafe,
) -> None:
    await with_rules(cafe, browser_limit=0)
    cafe.roaster.answer = Unclear("HTTP 500")
    token = await cafe.sell()
    await cafe.says(token, came=False)
    assert await cafe.ends(token) == ("in_doubt", None, None)
    cafe.stage.later(86_400)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("not_made", "refund_due", "policy")


@pytest.mark.parametrize(("named", "shown"), [("Flat white", "Flat white"), ("", DRINK)])
async def test_a_drink_has_its_vendors_name_and_without_one_its_number(
    cafe: Cafe, named: str, shown: str
) -> None:
    cafe.roaster.price = Drink(named, Money(PRICE, "RUB"))
    token = await cafe.place(cafe.code())
    lines = await cafe.stage.rows("SELECT name, sku FROM order_lines")
    assert [dict(line) for line in lines] == [{"name": shown, "sku": DRINK}]
    (product,) = await cafe.stage.rows("SELECT name FROM products WHERE sku = $1", DRINK)
    assert product["name"] == shown
    assert shown in [line.name for line in (await cafe.order(token)).lines]


# A vendor that reports.


async def test_a_vendors_report_settles_before_the_grace_ends(cafe: Cafe) -> None:
    codes = {brewed: cafe.code() for brewed in (True, False)}
    for brewed, code in codes.items():
        token = await cafe.sell(code=code)
        assert await reported(cafe.stage.context, DEVICE, code.order, brewed=brewed)
        await cafe.stage.sweep()
        end = ("made", "fulfilled") if brewed else ("not_made", "refund_due")
        assert await cafe.ends(token) == (*end, "reported")


async def test_a_report_about_what_was_not_commanded_is_not_ours(cafe: Cafe) -> None:
    code = cafe.code()
    await cafe.place(code)
    assert not await reported(cafe.stage.context, DEVICE, code.order, brewed=True)
    assert not await reported(cafe.stage.context, DEVICE, "unknown", brewed=True)


async def test_a_report_about_what_is_paid_and_not_yet_commanded_is_not_ours(cafe: Cafe) -> None:
    """The machine made somebody else's, or lies: nothing is out, and the money is still owed."""
    code = cafe.code()
    token = await cafe.paid(code)
    assert (await cafe.unit(token))["state"] == "to_make"
    for brewed in (True, False):
        assert not await reported(cafe.stage.context, DEVICE, code.order, brewed=brewed)
        assert (await cafe.unit(token))["settlement"] is None


async def test_a_report_against_a_refund_is_a_discrepancy_for_a_person(cafe: Cafe) -> None:
    code = cafe.code()
    token = await cafe.sell(code=code)
    await cafe.says(token, came=False)
    assert await reported(cafe.stage.context, DEVICE, code.order, brewed=True)
    assert (await cafe.ends(token))[1] == "refund_due"
    kinds = await cafe.stage.rows("SELECT kind FROM discrepancies")
    assert [row["kind"] for row in kinds] == ["dropped_after_refund"]


async def test_an_old_heartbeat_is_silence(cafe: Cafe) -> None:
    token = await cafe.paid()
    cafe.roaster.beat = Heartbeat(cafe.stage.clock.now() - timedelta(seconds=300))
    await cafe.stage.sweep()
    assert cafe.roaster.makes == []
    cafe.roaster.beat = Heartbeat(cafe.stage.clock.now() - timedelta(seconds=290))
    cafe.stage.later(6)
    await cafe.stage.sweep()
    assert len(cafe.roaster.makes) == 1
    assert (await cafe.ends(token))[0] == "in_grace"


# What follows is begun at once: a customer waits at the machine, and the next look is a while away.


async def refused_there(cafe: Cafe) -> None:
    await cafe.stage.sweep("fulfillments")


async def denied(cafe: Cafe) -> None:
    (unit,) = await cafe.stage.rows("SELECT * FROM fulfillments")
    said = fulfillment.Testimony(came=False, by=fulfillment.CUSTOMER)
    await cafe.coffee.prove(cafe.stage.context, unit, said)  # type: ignore[arg-type]


async def reported_not_made(cafe: Cafe) -> None:
    (order,) = await cafe.stage.rows("SELECT machine_order FROM coffee_orders")
    assert await reported(cafe.stage.context, DEVICE, order["machine_order"], brewed=False)


@pytest.mark.parametrize("ends", [refused_there, denied, reported_not_made])
async def test_money_that_is_due_for_a_cup_is_given_back_at_once(
    cafe: Cafe, ends: Callable[[Cafe], Awaitable[None]]
) -> None:
    if ends is refused_there:
        cafe.roaster.answer, cafe.roaster.brews = Refused("HTTP 404 no such device", 404), False
        await cafe.paid()
    else:
        await cafe.sell()
    wakes = cafe.stage.context.wakes
    wakes.of("refunds").clear()
    await ends(cafe)
    assert wakes.of("refunds").is_set()
    await cafe.stage.sweep()
    assert cafe.stage.refunded() == PRICE
