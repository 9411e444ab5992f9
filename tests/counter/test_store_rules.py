"""What a merchant sets for one counter: times, what nobody fetches, and whose phones."""

from datetime import timedelta

import pytest

from coinslot.counter import menu, messages, rules, staff
from coinslot.counter.basket import Wish
from coinslot.counter.menu import NewStore
from coinslot.counter.rules import Rules, RulesError, StaleRulesError
from coinslot.notices.base import Report, Stage
from coinslot.people.audit_log import COMMAND_LINE
from tests.counter.stage import Counter
from tests.counter.telling import reach, row_of, service, stages, swept


async def decide(counter: Counter, wanted: Rules, seen: str | None = None) -> None:
    stage = counter.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        known = await rules.rules_of(conn, stage.context, "S01")
        assert known is not None
        await rules.set_rules(
            conn, stage.context, COMMAND_LINE, stage.merchant, "S01", wanted,
            known.rules.seen if seen is None else seen,
        )  # fmt: skip


async def read(counter: Counter) -> Rules:
    async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
        known = await rules.rules_of(conn, counter.stage.context, "S01")
    assert known is not None
    return known.rules


async def test_a_counter_accepts_makes_and_hands_over_within_times_of_its_own(
    counter: Counter,
) -> None:
    await decide(counter, Rules(times={"dispatch_s": 120, "prepare_s": 900, "pickup_s": 3 * 3600}))
    now = counter.stage.clock.now
    order = await counter.paid()
    by = "SELECT dispatch_by FROM fulfillments WHERE order_id = $1"
    assert await counter.stage.value(by, order) == now() + timedelta(seconds=120)
    await staff.accept(counter.stage.context, counter.who, order)
    assert await counter.stage.value(by, order) == now() + timedelta(seconds=900)
    await staff.ready(counter.stage.context, counter.who, order)
    assert await counter.stage.value(by, order) == now() + timedelta(hours=3)
    assert (await counter.store()).windows.pickup_s == 3 * 3600, "its pages say it"


async def test_an_order_keeps_the_time_to_pick_up_that_its_customer_read(counter: Counter) -> None:
    service(counter)
    await decide(counter, Rules(keeps=True, times={"pickup_s": 5 * 3600}))
    await counter.board_open()
    order = await counter.preparing(contact=reach())
    await decide(counter, Rules(keeps=True, times={"pickup_s": 3600}))
    await staff.ready(counter.stage.context, counter.who, order)
    await swept(counter)
    row = await row_of(counter, order, "sms", "ready")
    report = Report(reference=row["reference"], stage=Stage.DELIVERED)
    await messages.reported(counter.stage.context, row, report)  # type: ignore[arg-type]
    counter.stage.later(4 * 3600)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("to_pick_up", None, None)], "it was promised five hours"
    counter.stage.later(3600 + 1)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("picked_up", "no_show", None)]


async def test_a_counter_that_is_added_again_keeps_the_rules_that_are_not_named(
    counter: Counter,
) -> None:
    await decide(counter, Rules(keeps=True))
    stage = counter.stage
    new = NewStore(
        code="S01", merchant=stage.merchant, slug="corner", name="Corner", currency="EUR",
        gateway_account=stage.account.id, tax_added=True,
    )  # fmt: skip
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        assert not await menu.add_store(conn, new, stage.clock.now())
    assert (await counter.store()).keeps, "nobody said that it goes back"
    again = NewStore(
        code="S01", merchant=stage.merchant, slug="corner", name="Corner", currency="EUR",
        gateway_account=stage.account.id, keeps=False,
    )  # fmt: skip
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await menu.add_store(conn, again, stage.clock.now())
    at = await counter.store()
    assert (at.keeps, at.tax_added) == (False, True)


async def test_a_counter_sends_to_its_countries_alone_calls_only_if_it_wants_and_within_its_caps(
    counter: Counter,
) -> None:
    service(counter)
    order = await counter.paid(contact=reach())
    await decide(counter, Rules(prefixes=("+43",), calls=False))
    await swept(counter)
    assert await stages(counter, order) == {"code sms": ("withheld", "country")}
    await decide(counter, Rules(calls=False, caps={"outlet_messages": 1}))
    first = await counter.paid(contact=reach("+4915100000077"))
    await swept(counter)
    second = await counter.ready(contact=reach("+4915100000088"))
    await swept(counter)
    assert (await stages(counter, first))["code sms"][0] == "queued"
    told = await stages(counter, second)
    assert told["ready sms"] == ("withheld", "too_many_outlet")
    assert "ready call" not in told
    await decide(counter, Rules(caps={"phone_messages": 1}))
    third = await counter.preparing(contact=reach("+4915100000077"))
    await swept(counter)
    assert (await stages(counter, third))["code sms"] == ("withheld", "too_many_phone")


async def test_nobody_sets_what_keeps_money_too_long_or_sends_more_than_the_installation_allows(
    counter: Counter,
) -> None:
    most = counter.stage.context.windows.outlet_messages
    for wanted, field in (
        (Rules(times={"pickup_s": 86_401}), "pickup_s"),
        (Rules(times={"dispatch_s": 59}), "dispatch_s"),
        (Rules(caps={"outlet_messages": most + 1}), "outlet_messages"),
        (Rules(prefixes=("49",)), "prefixes"),
        (Rules(prefixes=("+",)), "prefixes"),
    ):
        with pytest.raises(RulesError) as said:
            await decide(counter, wanted)
        assert said.value.field == field
    assert await read(counter) == Rules()


async def test_a_page_that_is_older_than_what_somebody_else_set_changes_nothing(
    counter: Counter,
) -> None:
    seen = (await read(counter)).seen
    await decide(counter, Rules(keeps=True))
    with pytest.raises(StaleRulesError):
        await decide(counter, Rules(calls=False), seen)
    assert await read(counter) == Rules(keeps=True)


async def test_an_own_time_that_is_taken_away_is_as_everywhere_again(counter: Counter) -> None:
    await decide(counter, Rules(times={"dispatch_s": 120}))
    await decide(counter, Rules())
    order = await counter.paid(Wish(sku="tea"))
    by = await counter.stage.value(
        "SELECT dispatch_by FROM fulfillments WHERE order_id = $1", order
    )
    usual = counter.stage.context.windows.counter_dispatch_s
    assert by == counter.stage.clock.now() + timedelta(seconds=usual)
