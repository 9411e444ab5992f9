"""The OFFER of what was just paid for is committed with the payment and sent after that commit. A
sweep gives the same rows, and takes over wherever this does not go through."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from coinslot.channels.base import Sending
from coinslot.db.pool import RawConnection, connect
from coinslot.payments import gateway_webhooks
from coinslot.vending import dispatch
from tests.conftest import DatabaseUrls
from tests.sales.stage import SentLine, Stage
from tests.sales.test_heard_together import _but_for_its_numbers
from tests.sales.test_sold_at_once import of, owner_of, run

# A sweep's own: it leases the row that it works.
LEASED = {"lease", "leased_until"}


async def idle(stage: Stage) -> None:
    """What a webhook began beside its answer."""
    while tasks := list(stage.context.background._tasks):
        await asyncio.gather(*tasks, return_exceptions=True)


async def paid_for(stage: Stage, minor: int = 4000) -> Any:
    stage.line.at_once = True
    fact = await stage.pay(minor)
    await stage.webhook(fact)
    await idle(stage)
    return fact


async def states(stage: Stage) -> list[str]:
    rows = await stage.rows("SELECT state FROM fulfillments ORDER BY queued_at, id")
    return [row["state"] for row in rows]


def offers(stage: Stage) -> list[dict[str, Any]]:
    return [said for said in stage.line.sent if said["type"] == "OFFER"]


def wanted(stage: Stage) -> bool:
    """Whether a sweeper is woken."""
    return stage.context.wakes.of("fulfillments").is_set()


SITUATIONS: dict[str, str] = {
    "a sale": "SELECT",
    "with windows of its own": 'UPDATE outlets SET windows = \'{"offer_s": 3, "run_s": 9}\'',
    "of a merchant with windows": 'UPDATE merchants SET windows = \'{"vending": {"offer_s": 4}}\'',
    "with less time than an offer takes": "UPDATE outlets SET windows = '{\"dispatch_s\": 2}'",
    "beside another controller": "UPDATE devices SET mdb = true",
    "with a configuration that is not applied yet": "UPDATE outlets SET price_version = 7,"
    " planogram_version = 8",
}


@pytest.mark.parametrize("name", SITUATIONS)
async def test_a_sweep_and_a_payment_that_offer_give_the_same_rows(stage: Stage, name: str) -> None:
    await stage.hello()
    await run(stage, SITUATIONS[name])
    found = []
    for at_once in (True, False):
        stage.line.at_once = at_once
        fact = await stage.pay()
        await stage.webhook(fact)
        await idle(stage)
        if not at_once:
            assert offers(stage)[1:] == []
            await stage.sweep("fulfillments")
        rows = await of(stage, fact)
        for row in rows["fulfillments"]:
            assert row["state"] == "offered", name
        text = repr([{k: v for k, v in row.items() if k not in LEASED} for table in rows.values()
                     for row in table])  # fmt: skip
        unlike = {"unit_id": "a unit", "seq": 0}
        found.append((_but_for_its_numbers(text), offers(stage)[-1] | unlike))
        await run(
            stage,
            "SELECT transition_fulfillment(id, 'REJECT', '{\"basis\": \"rejected\"}',"
            " now()) FROM fulfillments WHERE state = 'offered'",
        )
        await run(stage, "UPDATE slots SET failures_in_row = 0, out_of_sale_at = NULL")
    assert found[0] == found[1]
    assert len(offers(stage)) == 2


STAYS: dict[str, str] = {
    "a machine that nobody hears": "UPDATE devices SET last_seen_at = '2020-01-01'",
    "one that was never heard": "UPDATE devices SET last_seen_at = NULL",
    "one that may not sell": "INSERT INTO outlet_stops (outlet_id, why, merchant_id, since, until,"
    " returns_money) SELECT id, 'food_lock', merchant_id, now(), NULL, true FROM outlets",
    "one that does not answer": "INSERT INTO outlet_stops (outlet_id, why, merchant_id, since,"
    " until, count) SELECT id, 'no_answer', merchant_id, now(), '2222-01-01', 9 FROM outlets",
    "one of the simple dialect": "UPDATE outlets SET dialect = 'simple'",
    "one on a channel that this process has not": "UPDATE outlets SET channel = 'socketio'",
}


@pytest.mark.parametrize("name", STAYS)
async def test_a_payment_offers_nothing_to(stage: Stage, name: str) -> None:
    await stage.hello()
    await run(stage, STAYS[name])
    stage.line.lines = ["mqtt"]
    await paid_for(stage)
    assert await states(stage) == ["queued"]
    assert stage.line.sent == []
    assert wanted(stage), "the sweep decides"
    await run(stage, "UPDATE outlets SET dialect = 'leased'")


async def test_what_is_not_in_its_slot_any_more_is_left_to_the_sweep_which_returns_its_money(
    stage: Stage,
) -> None:
    await stage.hello()
    stage.line.connected = False
    await stage.sell()
    await run(
        stage,
        "INSERT INTO products (id, merchant_id, sku, name, price_minor, currency)"
        " SELECT gen_random_uuid(), merchant_id, 'other', 'Other', 4000, 'INR' FROM products;"
        "UPDATE slots SET product_id = (SELECT id FROM products WHERE sku = 'other')",
    )
    stage.later(1)
    stage.line.connected = True
    await paid_for(stage)
    assert await states(stage) == ["queued", "queued"]
    await stage.sweep("fulfillments")
    assert await states(stage) == ["failed", "offered"]


async def test_a_machine_gets_the_oldest_unit_first_whoever_paid_now(stage: Stage) -> None:
    await stage.hello()
    stage.line.connected = False
    first = await stage.sell()
    stage.line.connected = True
    stage.later(1)
    await paid_for(stage)
    assert await states(stage) == ["offered", "queued"]
    assert [offer["unit_id"] for offer in offers(stage)] == [str(first)]


async def test_two_customers_of_one_machine_at_once_get_one_offer_and_then_the_other(
    stage: Stage,
) -> None:
    await stage.hello()
    stage.line.at_once = True
    paid = [await stage.pay() for _ in range(2)]
    await asyncio.gather(*(stage.webhook(fact) for fact in paid))
    await idle(stage)
    assert sorted(await states(stage)) == ["offered", "queued"]
    assert wanted(stage)
    assert len(offers(stage)) == 1
    await stage.accept()
    await stage.started()
    await stage.result()
    assert sorted(await states(stage)) == ["offered", "vended"]
    assert [offer["seq"] for offer in offers(stage)] == [1, 2]


HELD = {
    "the machine": "SELECT FROM devices FOR NO KEY UPDATE",
    "an older payment": "SELECT FROM captures FOR NO KEY UPDATE",
    "an older unit": "SELECT FROM fulfillments FOR NO KEY UPDATE",
}


@pytest.fixture
async def holder(urls: DatabaseUrls) -> Any:
    conn: RawConnection = await connect(urls.superuser)
    yield conn
    await conn.close()


@pytest.mark.parametrize("what", HELD)
async def test_a_payment_waits_for_nobody_who_holds(
    stage: Stage, holder: RawConnection, what: str
) -> None:
    await stage.hello()
    older = what != "the machine"
    if older:
        stage.line.connected = False
        await stage.sell()
        stage.later(1)
        stage.line.connected = True
    async with holder.transaction():
        await holder.execute(HELD[what])
        async with asyncio.timeout(5):
            await paid_for(stage)
        assert await states(stage) == ["queued"] * (1 + older)
        assert wanted(stage)
    await stage.sweep("fulfillments")
    assert await states(stage) == ["offered", "queued"][: 1 + older]


async def test_nothing_is_sent_before_the_commit_that_offers_it(stage: Stage) -> None:
    """The commit is held up by a trigger at its very end; on the wire there is nothing yet."""
    await stage.hello()
    stage.line.at_once = True
    async with owner_of(stage) as owner:
        await owner.execute(
            "CREATE FUNCTION held_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$;"
            "CREATE CONSTRAINT TRIGGER held_up AFTER INSERT ON inbox DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION held_up()"
        )
        try:
            async with owner.transaction():
                await owner.execute("SELECT pg_advisory_xact_lock(4711)")
                telling = asyncio.create_task(stage.webhook(await stage.pay()))
                done, _ = await asyncio.wait([telling], timeout=0.3)
                await idle(stage)
                assert not done
                assert stage.line.sent == []
            assert (await telling).status == 200
        finally:
            await owner.execute("DROP TRIGGER held_up ON inbox; DROP FUNCTION held_up()")
    await idle(stage)
    assert len(offers(stage)) == 1


async def test_who_dies_between_the_commit_and_the_offer_leaves_it_to_the_sweep(
    stage: Stage,
) -> None:
    await stage.hello()
    await begun(stage)
    assert await states(stage) == ["offered"]
    assert stage.line.sent == []
    await stage.sweep("fulfillments")
    assert stage.line.sent == [], "not before its time"
    stage.later(stage.context.windows.offer_s)
    await stage.sweep("fulfillments")
    assert [offer["seq"] for offer in offers(stage)] == [1]
    await stage.accept()
    assert await states(stage) == ["going"]


async def test_a_machine_that_is_connected_to_another_process_gets_its_offer_from_that(
    stage: Stage,
) -> None:
    await stage.hello()
    stage.line.connected = False
    await paid_for(stage)
    assert await states(stage) == ["queued"]
    assert wanted(stage), "and the other process is notified"
    assert await stage.value("SELECT count(*) FROM outlet_stops") == 0, "it was not silent"
    stage.line.connected = True
    await stage.sweep("fulfillments")
    assert [offer["seq"] for offer in offers(stage)] == [2]


class Cut(SentLine):
    """Nobody knows how far it came."""

    async def send(self, outlet: str, channel: str, message: Mapping[str, object]) -> Sending:
        raise ConnectionResetError


async def test_an_offer_that_may_have_been_sent_is_repeated_as_it_is(stage: Stage) -> None:
    await stage.hello()
    stage.context.line, kept = Cut(at_once=True), stage.context.line
    await stage.webhook(await stage.pay())
    await idle(stage)
    assert await states(stage) == ["offered"]
    stage.context.line = kept
    stage.later(stage.context.windows.offer_s)
    await stage.sweep("fulfillments")
    assert [offer["seq"] for offer in offers(stage)] == [1]


async def test_an_accept_that_overtakes_the_news_that_nothing_was_sent_stands(
    stage: Stage,
) -> None:
    await stage.hello()
    said = await begun(stage)
    stage.later(stage.context.windows.offer_s)
    await stage.sweep("fulfillments")
    await stage.accept()
    stage.line.connected = False
    await dispatch.send_begun(stage.context, stage.merchant, said)
    assert await states(stage) == ["going"]


async def begun(stage: Stage) -> Mapping[str, Any]:
    """What a webhook's transaction returned, in a process that has not sent it yet."""
    kept: list[Mapping[str, Any]] = []

    class Elsewhere:
        async def send_begun(self, _context: Any, _merchant: Any, said: Mapping[str, Any]) -> None:
            kept.append(said)

    stage.line.at_once = True
    kinds = stage.context.kinds
    stage.context.kinds = {**kinds, "vending": Elsewhere()}
    await stage.webhook(await stage.pay())
    await idle(stage)
    stage.context.kinds = kinds
    return kept[0]


async def test_whatever_goes_wrong_with_an_offer_the_payment_stands(stage: Stage) -> None:
    await stage.hello()
    async with owner_of(stage) as owner:
        await owner.execute("ALTER TABLE devices ADD CONSTRAINT none CHECK (next_seq < 2)")
        try:
            await paid_for(stage)
        finally:
            await owner.execute("ALTER TABLE devices DROP CONSTRAINT none")
    assert await states(stage) == ["queued"]
    assert await stage.value("SELECT count(*) FROM inbox WHERE worked_at IS NOT NULL") == 1
    assert await stage.value("SELECT state FROM orders") == "paid"
    assert await stage.value("SELECT next_seq FROM devices") == 1
    assert wanted(stage)
    await stage.sweep("fulfillments")
    assert await states(stage) == ["offered"]


async def test_money_that_buys_nothing_offers_nothing(stage: Stage) -> None:
    await stage.hello()
    stage.line.connected = False
    await stage.sell()
    stage.line.connected = True
    await paid_for(stage, 3900)
    assert await states(stage) == ["queued"]
    assert stage.line.sent == []


async def test_forty_customers_at_once_are_each_offered_one_after_the_other(
    stage: Stage,
) -> None:
    await stage.hello()
    stage.line.at_once = True
    told = [stage.gateway.webhook("payment.captured", await stage.pay()) for _ in range(40)]
    answers = await asyncio.gather(
        *(gateway_webhooks.take_webhook(stage.context, stage.account, *one) for one in told)
    )
    await idle(stage)
    assert {answer.status for answer in answers} == {200}
    assert sorted(await states(stage)) == ["offered"] + ["queued"] * 39
    assert len(offers(stage)) == 1
