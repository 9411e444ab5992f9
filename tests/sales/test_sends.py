"""Two processes at one attempt, and looks that fail: charged once, and nothing is taken from the
payer."""

import asyncio
from typing import Any

import pytest

from coinslot.gateways.base import Declined
from coinslot.gateways.collecting import Charge, Progress
from coinslot.kit.money import Money
from coinslot.payments import attempts, merchant_api
from coinslot.payments import idempotency as keys
from coinslot.payments.attempts import PaymentRequest
from coinslot.states.payment_flow import PAYMENT
from tests.sales.stage import Stage
from tests.sales.taking import Taking, confirmed, made, once, taking
from tests.sales.tills import another, charged, two_tills
from tests.sales.weather import LOST

AT_A_PAGE = 5010


@pytest.fixture
def gateway(stage: Stage) -> Taking:
    return taking(stage)


async def moves_of(stage: Stage, machine: str) -> list[str]:
    rows = await stage.rows(
        "SELECT state FROM events WHERE machine = $1 AND state IS DISTINCT FROM was ORDER BY seq",
        machine,
    )
    return [row["state"] for row in rows]


async def test_a_passing_no_to_one_of_two_senders_sends_nobody_to_the_next_gateway(
    stage: Stage,
) -> None:
    """Who confirmed died before he sent: the sweeper takes it up, and the same call comes again."""
    first, second = await two_tills(stage)
    payment = await another(stage, "k")
    row = (await stage.rows("SELECT * FROM payments WHERE id = $1", payment))[0]
    key = once(stage, f"POST /payments/{payment}/confirm", "c")
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await keys.begin(conn, stage.context, key)
        attempt = await attempts.begin(conn, stage.context, row, stage.account, None)  # type: ignore[arg-type]
        assert attempt is not None
        await keys.name(conn, key, attempt.row["id"])
    await stage.rows("UPDATE attempts SET leased_until = NULL")  # his lease has ended
    stage.later(stage.context.windows.answer_s + 1)
    asked, refused, calm = asyncio.Event(), asyncio.Event(), first._collect

    async def charges_the_first_and_refuses_the_second(charge: Charge) -> Progress | Declined:
        if asked.is_set():
            return Declined("too many requests", permanent=False)
        asked.set()
        await refused.wait()
        return await calm(charge)

    first._collect = charges_the_first_and_refuses_the_second  # type: ignore[method-assign]
    due = (await stage.rows("SELECT * FROM attempts"))[0]
    sweeper = asyncio.create_task(attempts.drive(stage.context, due))  # type: ignore[arg-type]
    await asked.wait()
    assert (await confirmed(stage, payment)).body["status"] == "processing"
    refused.set()
    await sweeper
    assert charged(first) + charged(second) == 5000
    shown = await merchant_api.payment(stage.context, stage.merchant, payment)
    assert (shown.status, len(shown.attempts)) == ("succeeded", 1)


async def test_a_look_that_fails_leaves_the_payer_his_page(stage: Stage, gateway: Taking) -> None:
    payment = await made(stage, AT_A_PAGE)
    shown = (await confirmed(stage, payment)).body["next_action"]
    gateway.fails("follow", LOST, LOST)
    for _ in range(2):
        stage.later(60)
        await stage.sweep("attempts")
    seen = await merchant_api.payment(stage.context, stage.merchant, payment)
    assert (seen.status, seen.next_action.url) == ("requires_action", shown["url"])  # type: ignore[union-attr]
    assert await moves_of(stage, "payment") == ["processing", "requires_action"]


async def test_what_is_unclear_a_second_time_has_a_new_deadline_and_is_driven(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage)
    gateway.fails("collect", Declined("no", "no"))
    await confirmed(stage, payment)
    stage.later(5000)
    await stage.sweep()
    gateway.fails("collect", LOST)
    await confirmed(stage, payment, key="again")
    row = (await stage.rows("SELECT * FROM payments"))[0]
    assert row["state"] == "processing"
    assert row["due_at"] == row["processing_deadline_at"] == stage.context.after("processing_s")


async def test_a_payment_that_was_called_off_stays_so_and_nothing_of_it_moves(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage, AT_A_PAGE)
    await confirmed(stage, payment)
    await merchant_api.cancel(stage.context, once(stage, "cancel", "x"), payment)
    assert await moves_of(stage, "payment") == ["processing", "requires_action", "canceled"]
    before = await stage.rows("SELECT * FROM payments")
    with pytest.raises(merchant_api.RuledOutError, match="called off"):
        await confirmed(stage, payment, key="late")
    assert await stage.rows("SELECT * FROM payments") == before
    replayed = await confirmed(stage, payment)
    assert replayed.replayed
    assert PAYMENT.next("canceled", "CONFIRM") is not None


async def test_an_instrument_of_one_gateway_is_taken_to_no_other(stage: Stage) -> None:
    first, second = await two_tills(stage)
    ask = PaymentRequest(money=Money(5001, "INR"))
    made_ = await merchant_api.create(stage.context, once(stage, "create", "i", 5001), ask)
    payment = made_.body["id"]
    key = once(stage, f"POST /payments/{payment}/confirm", "i")
    answer = await merchant_api.confirm(stage.context, key, payment, "a card of the first")
    assert answer.body["status"] == "failed"
    assert [one["status"] for one in answer.body["attempts"]] == ["failed"]
    assert charged(first) + charged(second) == 0


async def test_before_a_gateway_is_asked_it_is_on_record_that_it_may_have_been(
    stage: Stage, gateway: Taking
) -> None:
    """Also where the attempt is sent by the call that began it: it dies at any instruction."""
    payment, calm = await made(stage), gateway._collect
    seen: list[dict[str, Any]] = []

    async def looked_at(charge: Charge) -> Progress | Declined:
        seen.extend(await stage.rows("SELECT key_sent_at, sends, leased_until FROM attempts"))
        return await calm(charge)

    gateway._collect = looked_at  # type: ignore[method-assign]
    await confirmed(stage, payment)
    (row,) = seen
    assert (row["key_sent_at"], row["sends"]) == (stage.context.now(), 1)
    assert row["leased_until"] is not None
    assert await stage.rows("SELECT leased_until, due_at FROM attempts") == [
        {"leased_until": None, "due_at": None}
    ]


@pytest.mark.parametrize(("seconds", "verb"), [(3599.9, "collect"), (3600, "find_charge")])
async def test_a_lost_call_is_sent_again_while_its_key_lives_and_only_looked_for_afterwards(
    stage: Stage, gateway: Taking, seconds: float, verb: str
) -> None:
    payment = await made(stage)
    gateway.fails("collect", LOST)
    await confirmed(stage, payment)
    gateway.fails("collect", LOST)
    gateway.fails("find_charge", LOST)
    stage.later(seconds)
    row = (await stage.rows("SELECT * FROM attempts"))[0]
    await attempts.drive(stage.context, row)  # type: ignore[arg-type]
    asked = [name for name, left in gateway.script.items() if not left]
    assert asked == [verb]


async def test_an_attempt_that_was_never_sent_is_sent_and_not_looked_for(
    stage: Stage, gateway: Taking
) -> None:
    """Its process died between its own row and the call."""
    payment = await made(stage)
    gateway.fails("collect", LOST)
    await confirmed(stage, payment)
    await stage.rows("UPDATE attempts SET key_sent_at = NULL RETURNING 1")
    stage.later(3600)
    row = (await stage.rows("SELECT * FROM attempts"))[0]
    await attempts.drive(stage.context, row)  # type: ignore[arg-type]
    assert charged(gateway) == 5000
    assert await stage.value("SELECT key_sent_at FROM attempts") == stage.context.now()
