"""What is ready and not fetched: its time runs while a board is open, and its money is kept only
where that was said before and its customer provably was told."""

import asyncio
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.counter import messages, staff
from coinslot.counter.basket import Wish
from coinslot.counter.staff import CounterError, Why
from coinslot.notices.base import Form, Report, Stage
from coinslot.notices.mock import Mock
from coinslot.orders.page_views import OrderView
from coinslot.pages.order_progress import Phase, phase
from tests.counter.stage import Counter
from tests.counter.telling import EMAIL, reach, row_of, service, swept
from tests.sales.test_ways_races import dies_at, taken_over

HOUR = 3600
REFUNDED = [("not_picked_up", "never_sent", "not_fetched")]
KEPT = [("picked_up", "no_show", None)]


@pytest.fixture
def sent(counter: Counter) -> Mock:
    return service(counter)


async def keeping(counter: Counter) -> None:
    """The store keeps the money of what is not fetched, and its board is open."""
    await counter.stage.rows("UPDATE counter_stores SET no_show = 'kept' RETURNING outlet_id")
    await counter.board_open()


async def told(counter: Counter, order: UUID, form: str = "sms", **more: bool) -> None:
    """The service says that the message of this form arrived."""
    await swept(counter)
    row = await row_of(counter, order, form, "ready")
    said = Report(reference=row["reference"], stage=Stage.DELIVERED)
    await messages.reported(counter.stage.context, row, said, **more)  # type: ignore[arg-type]


async def not_fetched(counter: Counter) -> None:
    counter.stage.later(2 * HOUR)
    await counter.stage.sweep()


async def shown(counter: Counter, order: UUID) -> OrderView:
    return await counter.view(order)


async def test_money_is_kept_from_who_had_read_it_and_was_told_and_is_an_exposure(
    counter: Counter, sent: Mock
) -> None:
    await keeping(counter)
    order = await counter.ready(contact=reach())
    assert (await shown(counter, order)).refund_by is not None, "nobody knows yet that it arrived"
    await told(counter, order)
    view = await shown(counter, order)
    assert (view.refund_by, view.kept_by is None) == (None, False)
    await not_fetched(counter)
    assert await counter.ends(order) == KEPT
    assert counter.stage.refunded() == 0
    (exposure,) = await counter.stage.rows("SELECT why, amount_minor FROM exposures")
    assert (exposure["why"], exposure["amount_minor"]) == ("no_show", 350)
    view = await shown(counter, order)
    assert phase(view, counter.stage.clock.now()) is Phase.KEPT


UNPROVED = {
    "nothing was sent": None,
    "it is on its way": Stage.QUEUED,
    "it left, and nobody knows whether it arrived": Stage.SENT,
    "it did not arrive": Stage.FAILED,
}


@pytest.mark.parametrize("why", UNPROVED)
async def test_without_a_message_that_provably_arrived_the_money_goes_back(
    counter: Counter, sent: Mock, why: str
) -> None:
    await keeping(counter)
    end = UNPROVED[why]
    blind = {form: replace(power, looks=False) for form, power in sent.powers.items()}
    sent.powers = blind  # type: ignore[misc]
    order = await counter.ready(contact=reach() if end else reach(phone=""))
    await swept(counter)
    for form in ("sms", "call") if end else ():
        row = await row_of(counter, order, form, "ready")
        said = Report(reference=row["reference"], stage=end or Stage.SENT)
        await messages.reported(counter.stage.context, row, said)  # type: ignore[arg-type]
    await not_fetched(counter)
    assert await counter.ends(order) == REFUNDED
    assert counter.stage.refunded() == 350


async def test_a_call_that_ended_proves_nothing_and_a_pressed_key_does(
    counter: Counter, sent: Mock
) -> None:
    def calls_prove_nothing() -> None:
        powers = {**sent.powers, Form.CALL: replace(sent.powers[Form.CALL], proves_delivery=False)}
        sent.powers = powers  # type: ignore[misc]
        counter.stage.context.notifiers = {Form.CALL: sent, Form.EMAIL: sent}

    await keeping(counter)
    calls_prove_nothing()
    mailbox = await counter.ready(contact=reach(email=EMAIL))
    await told(counter, mailbox, "call")
    listener = await counter.ready(contact=reach(phone="+4915100000098"))
    await told(counter, listener, "call", answered=True)
    await not_fetched(counter)
    assert await counter.ends(mailbox) == REFUNDED
    assert await counter.ends(listener) == KEPT


async def test_what_was_told_before_ready_was_taken_back_proves_nothing_of_the_next(
    counter: Counter, sent: Mock
) -> None:
    await keeping(counter)
    order = await counter.ready(contact=reach())
    await told(counter, order)
    await staff.undo(counter.stage.context, counter.who, order, staff.Status.PREPARING)
    counter.stage.later(60)
    counter.stage.context.notifiers = {}
    await staff.ready(counter.stage.context, counter.who, order)
    await not_fetched(counter)
    assert await counter.ends(order) == REFUNDED


async def test_the_policy_is_the_one_that_stood_on_the_page_before_the_payment(
    counter: Counter, sent: Mock
) -> None:
    order = await counter.ready(contact=reach())
    await keeping(counter)
    await told(counter, order)
    await not_fetched(counter)
    assert await counter.ends(order) == REFUNDED


async def test_the_code_and_the_end_of_its_time_race_and_one_of_them_counts(
    counter: Counter, sent: Mock
) -> None:
    await keeping(counter)
    order = await counter.ready(contact=reach())
    await told(counter, order)
    counter.stage.later(2 * HOUR - 0.001)
    context = counter.stage.context
    context.windows = replace(context.windows, code_s=9 * HOUR)
    code = await counter.code(order)
    answers = await asyncio.gather(
        staff.complete(context, counter.who, order, code), counter.stage.sweep(),
        return_exceptions=True,
    )  # fmt: skip
    counter.stage.later(1)
    await counter.stage.sweep()
    assert answers[0] is None
    assert await counter.ends(order) == [("picked_up", "code", None)]
    assert await counter.stage.rows("SELECT * FROM exposures") == []


async def test_wherever_a_process_dies_it_is_kept_once(counter: Counter, sent: Mock) -> None:
    await keeping(counter)
    for step in range(1, 8):
        order = await counter.ready(contact=reach())
        await told(counter, order)
        counter.stage.later(2 * HOUR)
        (unit,) = await counter.stage.rows("SELECT * FROM fulfillments WHERE order_id = $1", order)
        kind = counter.stage.context.kinds["counter"]
        died = await dies_at(counter.stage, step, kind.deadline(counter.stage.context, unit))
        await taken_over(counter.stage)
        assert await counter.ends(order) == KEPT
        if not died:
            return
    pytest.fail("it never ended")


async def test_time_without_a_board_does_not_count(counter: Counter) -> None:
    order = await counter.ready(Wish(sku="cake"))
    counter.stage.later(2 * HOUR)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("to_pick_up", None, None)], "no board was open"
    view = await shown(counter, order)
    assert view.refund_by is not None
    assert view.refund_by > counter.stage.clock.now(), "the page says until when"
    await counter.board_open()
    counter.stage.later(2 * HOUR - 1)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("to_pick_up", None, None)]
    counter.stage.later(1)
    await counter.stage.sweep()
    assert await counter.ends(order) == REFUNDED


async def test_without_any_board_the_money_goes_back_a_day_later_at_the_latest(
    counter: Counter,
) -> None:
    order = await counter.ready(Wish(sku="cake"))
    for _ in range(13):
        counter.stage.later(2 * HOUR - 1)
        await counter.stage.sweep()
    assert await counter.ends(order) == [("to_pick_up", None, None)]
    counter.stage.later(60)
    await counter.stage.sweep()
    assert await counter.ends(order) == REFUNDED
    assert counter.stage.refunded() == 420


async def test_who_comes_in_the_time_that_does_not_count_gets_it_though_nothing_was_swept(
    counter: Counter,
) -> None:
    order = await counter.ready(Wish(sku="cake"))
    counter.stage.later(3 * HOUR)
    await staff.vouch(counter.stage.context, counter.who, order, "Knows her")
    assert await counter.ends(order) == [("picked_up", "staff_word", None)]
    late = await counter.ready()
    counter.stage.later(27 * HOUR)
    with pytest.raises(CounterError) as refusal:
        await staff.vouch(counter.stage.context, counter.who, late, "Knows her")
    assert refusal.value.why is Why.TOO_LATE
