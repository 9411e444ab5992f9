"""From a paid order to its hand-over, or to its money back: whoever is first, and never both."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from coinslot.context import Context
from coinslot.counter import staff
from coinslot.counter.basket import BasketError, Wish
from coinslot.counter.staff import CounterError, Staff, Status, Why
from coinslot.kit.secrets import Vault
from coinslot.orders import order_refunds
from coinslot.orders.order_refunds import OrderRefund
from coinslot.orders.page_views import Progress
from coinslot.people.audit_log import COMMAND_LINE
from tests.counter.stage import Counter
from tests.sales.test_ways_races import dies_at

CAKE = Wish(sku="cake")
FIRST_COMMITTED, SECOND_COMMITTED = 2, 4  # right after the first, and the second commit


async def refused(work: object, why: Why) -> CounterError:
    with pytest.raises(CounterError) as caught:
        await work  # type: ignore[misc]
    assert caught.value.why is why
    return caught.value


async def test_an_order_is_accepted_made_ready_and_handed_over_against_its_code(
    counter: Counter,
) -> None:
    order = await counter.paid(Wish(sku="latte", quantity=2), CAKE)
    assert (await counter.view(order)).progress is Progress.QUEUED
    assert (await counter.view(order)).code == await counter.code(order), "from the payment on"
    await staff.accept(counter.stage.context, counter.who, order)
    assert (await counter.view(order)).progress is Progress.SENDING
    await staff.ready(counter.stage.context, counter.who, order)
    shown = await counter.view(order)
    assert (shown.progress, shown.code) == (Progress.WORKING, await counter.code(order))
    await counter.complete(order)
    assert await counter.ends(order) == [("picked_up", "code", None)] * 3
    assert (await counter.view(order)).state == "completed"
    assert (await counter.view(order)).code is None
    assert counter.stage.refunded() == 0
    assert await counter.left("cake") == 2


async def test_an_order_that_nobody_accepts_goes_back_by_itself(counter: Counter) -> None:
    order = await counter.paid(CAKE)
    counter.stage.later(599)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("to_accept", None, None)]
    counter.stage.later(1)
    await refused(staff.accept(counter.stage.context, counter.who, order), Why.TOO_LATE)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("not_picked_up", "never_sent", "not_accepted")]
    assert counter.stage.refunded() == 420
    assert await counter.left("cake") == 3, "it was never made"


async def test_what_was_accepted_and_not_fetched_goes_back_after_the_time_to_fetch_it(
    counter: Counter,
) -> None:
    await counter.board_open()
    order = await counter.preparing(CAKE)
    counter.stage.later(3600)
    await staff.ready(counter.stage.context, counter.who, order)
    counter.stage.later(7199)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("to_pick_up", None, None)]
    counter.stage.later(1)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("not_picked_up", "never_sent", "not_fetched")]
    assert counter.stage.refunded() == 420
    assert await counter.left("cake") == 2, "it was made"


async def test_acceptance_and_the_end_of_its_time_race_and_one_of_them_counts(
    counter: Counter,
) -> None:
    order = await counter.paid(Wish(sku="tea", quantity=3))
    counter.stage.later(600)
    answers = await asyncio.gather(
        staff.accept(counter.stage.context, counter.who, order), counter.stage.sweep(),
        return_exceptions=True,
    )  # fmt: skip
    assert isinstance(answers[0], CounterError)
    await counter.stage.sweep()
    assert {state for state, _, _ in await counter.ends(order)} == {"not_picked_up"}


async def test_a_customer_cancels_until_somebody_accepts(counter: Counter) -> None:
    first, second = await counter.paid(CAKE), await counter.paid(CAKE)
    assert (await counter.view(first)).may_cancel
    await staff.cancel(counter.stage.context, (await counter.view(first)).token)
    assert await counter.ends(first) == [("not_picked_up", "never_sent", "cancelled")]
    await staff.accept(counter.stage.context, counter.who, second)
    shown = await counter.view(second)
    assert not shown.may_cancel
    await refused(staff.cancel(counter.stage.context, shown.token), Why.ACCEPTED)
    await counter.stage.sweep()
    assert counter.stage.refunded() == 420
    assert await counter.left("cake") == 2


async def test_cancelling_and_accepting_at_once_end_in_one_of_them_for_all_pieces(
    counter: Counter,
) -> None:
    for _ in range(3):
        order = await counter.paid(Wish(sku="tea", quantity=4))
        token = (await counter.view(order)).token
        await asyncio.gather(
            staff.accept(counter.stage.context, counter.who, order),
            staff.cancel(counter.stage.context, token), return_exceptions=True,
        )  # fmt: skip
        assert {state for state, _, _ in await counter.ends(order)} in (
            {"in_preparation"},
            {"not_picked_up"},
        )


async def test_staff_reject_a_piece_with_a_reason_and_hand_over_the_rest(counter: Counter) -> None:
    order = await counter.preparing(Wish(sku="latte"), Wish(sku="tea"))
    latte = next(u.unit_id for u in (await counter.view(order)).units if u.name == "Latte")
    context = counter.stage.context
    await refused(staff.reject(context, counter.who, order, " ", [latte]), Why.NO_REASON)
    await staff.reject(context, counter.who, order, "No milk", [latte])
    await staff.ready(context, counter.who, order)
    await counter.complete(order)
    assert sorted(state for state, _, _ in await counter.ends(order)) == [
        "not_picked_up", "picked_up",
    ]  # fmt: skip
    await counter.stage.sweep()
    assert (await counter.view(order)).state == "completed"
    assert counter.stage.refunded() == 350


async def test_a_step_back_keeps_the_order_and_gives_it_its_time_again(counter: Counter) -> None:
    order = await counter.ready()
    context, who = counter.stage.context, counter.who
    await staff.undo(context, who, order, Status.PREPARING)
    await staff.undo(context, who, order, Status.PLACED)
    await refused(staff.undo(context, who, order, Status.PLACED), Why.WRONG_ORDER)
    await refused(staff.ready(context, who, order), Why.NOT_ACCEPTED)
    counter.stage.later(599)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("to_accept", None, None)]
    counter.stage.later(2)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("not_picked_up", "never_sent", "not_accepted")]


async def test_two_boards_that_tap_at_once_move_an_order_one_step(counter: Counter) -> None:
    order = await counter.paid(Wish(sku="tea", quantity=2))
    other = Staff(merchant=counter.who.merchant, login="asha", actor=COMMAND_LINE)
    context = counter.stage.context
    await asyncio.gather(*(staff.accept(context, who, order) for who in (counter.who, other)))
    await asyncio.gather(*(staff.ready(context, who, order) for who in (counter.who, other)))
    moves = await counter.stage.rows(
        "SELECT event FROM events WHERE machine = 'fulfillment' ORDER BY seq"
    )
    assert [row["event"] for row in moves] == ["ACCEPTED"] * 2 + ["FINISHED"] * 2
    version = "SELECT code_version FROM counter_orders"
    assert await counter.stage.value(version) == 2, "one new code for one step"


# The code.


async def test_five_wrong_codes_lock_an_order_and_then_the_right_one_opens_nothing(
    counter: Counter,
) -> None:
    order = await counter.ready()
    wrong = await counter.wrong_code(order)
    left = [(await refused(counter.complete(order, wrong), Why.WRONG_CODE)).left for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    await refused(counter.complete(order), Why.LOCKED)
    assert await counter.ends(order) == [("to_pick_up", None, None)]
    await staff.vouch(counter.stage.context, counter.who, order, "Showed the page")
    assert await counter.ends(order) == [("picked_up", "staff_word", None)]
    assert await counter.stage.value("SELECT why FROM exposures") == "staff_word"


async def test_of_any_number_of_codes_that_come_at_once_five_are_compared(counter: Counter) -> None:
    order = await counter.ready()
    right = int(await counter.code(order))
    guesses = [f"{(right + n) % 10**6:06}" for n in range(1, 13)]
    answers = await asyncio.gather(
        *(counter.complete(order, guess) for guess in guesses), return_exceptions=True
    )
    whys = [answer.why for answer in answers if isinstance(answer, CounterError)]
    assert whys.count(Why.WRONG_CODE) == 5
    assert whys.count(Why.LOCKED) == 7


async def test_wrong_codes_at_one_outlet_end_for_an_hour(counter: Counter) -> None:
    order = await counter.ready()
    await counter.stage.rows(
        "INSERT INTO counter_wrong_codes (merchant_id, outlet_id, order_id, at)"
        " SELECT merchant_id, outlet_id, order_id, $1 FROM counter_orders,"
        " generate_series(1, 60)", counter.stage.clock.now(),
    )  # fmt: skip
    await refused(counter.complete(order), Why.CROWDED)
    counter.stage.later(3599)
    await refused(counter.complete(order), Why.CROWDED)
    counter.stage.later(1)
    await staff.undo(counter.stage.context, counter.who, order, Status.PREPARING)
    await staff.ready(counter.stage.context, counter.who, order)
    await counter.complete(order)


async def test_a_code_is_good_for_an_hour_from_the_payment_and_a_new_one_from_ready(
    counter: Counter,
) -> None:
    order = await counter.preparing()
    first = await counter.code(order)
    counter.stage.later(3600)
    await refused(counter.complete(order), Why.EXPIRED)
    await staff.ready(counter.stage.context, counter.who, order)
    assert await counter.code(order) != first
    await refused(counter.complete(order, first), Why.WRONG_CODE)
    counter.stage.later(3599)
    await counter.complete(order)


async def test_an_expired_code_gives_no_money_back_by_itself(counter: Counter) -> None:
    order = await counter.ready()
    counter.stage.later(3601)
    await refused(counter.complete(order), Why.EXPIRED)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("to_pick_up", None, None)]


async def test_a_code_opens_its_own_order_alone_and_only_after_somebody_accepted(
    counter: Counter,
) -> None:
    one, two = await counter.ready(), await counter.paid()
    await refused(counter.complete(two, await counter.code(one)), Why.WRONG_CODE)
    await refused(counter.complete(two), Why.NOT_ACCEPTED)
    assert await counter.ends(two) == [("to_accept", None, None)]


async def test_neither_rows_nor_the_record_have_the_digits(counter: Counter) -> None:
    order = await counter.ready()
    digits = await counter.code(order)
    await refused(counter.complete(order, await counter.wrong_code(order)), Why.WRONG_CODE)
    await counter.complete(order)
    tables = await counter.stage.rows(
        "SELECT relname AS name FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = 'public'::regnamespace AND has_table_privilege(oid, 'SELECT')"
    )
    for table in tables:
        rows = await counter.stage.rows(f"SELECT * FROM {table['name']}")
        held = [row for row in rows if any(value == digits for value in row.values())]
        assert held == [], table["name"]
    told = str([row["data"] for row in await counter.stage.rows("SELECT data FROM events")])
    assert digits not in told


async def test_after_the_key_was_changed_the_page_shows_other_digits_and_they_open(
    counter: Counter,
) -> None:
    order = await counter.ready()
    old = await counter.code(order)
    context: Context = counter.stage.context
    context.vault = Vault({"2": b"n" * 32, "1": b"k" * 32}, "2")
    await refused(counter.complete(order, old), Why.WRONG_CODE)
    shown = (await counter.view(order)).code
    assert shown is not None
    assert shown != old
    await counter.complete(order, shown)


async def test_the_same_code_again_finds_it_handed_over(counter: Counter) -> None:
    order = await counter.ready(Wish(sku="tea", quantity=2))
    code = await counter.code(order)
    await asyncio.gather(*(counter.complete(order, code) for _ in range(3)))
    assert await counter.ends(order) == [("picked_up", "code", None)] * 2
    sold = "SELECT count(*) FROM ledger WHERE why = 'handed_over'"
    assert await counter.stage.value(sold) == 4, "two lines for each piece"


async def test_staff_of_another_outlet_and_another_merchant_find_no_order(counter: Counter) -> None:
    order = await counter.ready()
    context, merchant = counter.stage.context, counter.who.merchant
    elsewhere = Staff(
        merchant=merchant, login="chandra", actor=COMMAND_LINE, outlets=("S02",)
    )  # fmt: skip
    code = await counter.code(order)
    for work in (
        staff.accept(context, elsewhere, order), staff.ready(context, elsewhere, order),
        staff.undo(context, elsewhere, order, Status.PLACED),
        staff.reject(context, elsewhere, order, "no"), staff.vouch(context, elsewhere, order, "x"),
        staff.complete(context, elsewhere, order, code),
        staff.tick(context, elsewhere, order, order, done=True),
    ):  # fmt: skip
        await refused(work, Why.UNKNOWN)
    stranger = Staff(merchant=UUID(int=7), login="chandra", actor=COMMAND_LINE)
    await refused(staff.complete(context, stranger, order, code), Why.UNKNOWN)


# Money that goes back at the same time.


async def give_all_back(counter: Counter, order: UUID, key: str = "k") -> None:
    wanted = OrderRefund(order=order, key=key, by="asha", reason="asked for it")
    await order_refunds.refund(counter.stage.context, counter.who.merchant, wanted)


async def test_a_refund_before_the_hand_over_ends_the_pieces_at_once(counter: Counter) -> None:
    order = await counter.ready(CAKE)
    await give_all_back(counter, order)
    assert await counter.ends(order) == [("not_picked_up", "never_sent", None)]
    await refused(counter.complete(order), Why.OVER)
    await counter.stage.sweep()
    assert counter.stage.refunded() == 420


async def test_a_refund_and_a_hand_over_at_once_give_goods_or_money_and_never_both(
    counter: Counter,
) -> None:
    outcomes = set()
    for number in range(6):
        order = await counter.ready(Wish(sku="tea", quantity=2))
        code = await counter.code(order)
        works = [counter.complete(order, code), give_all_back(counter, order, f"k{number}")]
        await asyncio.gather(*(works if number % 2 else reversed(works)), return_exceptions=True)
        await counter.stage.sweep()
        states = {state for state, _, _ in await counter.ends(order)}
        outcomes |= states
        assert len(states) == 1, "all pieces, or none"
    assert outcomes <= {"picked_up", "not_picked_up"}


async def test_goods_given_back_after_the_hand_over_are_a_refund_of_a_person(
    counter: Counter,
) -> None:
    order = await counter.ready(CAKE)
    await counter.complete(order)
    await give_all_back(counter, order)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("picked_up", "code", None)]
    assert counter.stage.refunded() == 420
    await refused(staff.undo(counter.stage.context, counter.who, order, Status.PREPARING), Why.OVER)


async def test_what_was_handed_over_on_paper_after_its_money_went_back_is_a_case(
    counter: Counter,
) -> None:
    await counter.board_open()
    order = await counter.ready(CAKE)
    counter.stage.later(7200)
    await counter.stage.sweep()
    context, who = counter.stage.context, counter.who
    await staff.vouch(context, who, order, "The network was gone, she had the code")
    assert await counter.ends(order) == [("not_picked_up", "never_sent", "not_fetched")]
    kinds = await counter.stage.rows("SELECT kind, amount_minor FROM discrepancies")
    assert [(row["kind"], row["amount_minor"]) for row in kinds] == [("dropped_after_refund", 420)]
    assert counter.stage.refunded() == 420


# The process dies.


async def test_a_try_counts_though_the_process_dies_before_it_hands_over(counter: Counter) -> None:
    order = await counter.ready()
    code = await counter.code(order)
    assert await dies_at(counter.stage, FIRST_COMMITTED, counter.complete(order, code))
    assert await counter.stage.value("SELECT tries FROM counter_orders") == 1
    assert await counter.ends(order) == [("to_pick_up", None, None)]
    await counter.complete(order, code)
    assert await counter.ends(order) == [("picked_up", "code", None)]


async def test_a_hand_over_counts_though_the_process_dies_right_after_its_commit(
    counter: Counter,
) -> None:
    order = await counter.ready()
    code = await counter.code(order)
    assert await dies_at(counter.stage, SECOND_COMMITTED, counter.complete(order, code))
    assert await counter.ends(order) == [("picked_up", "code", None)]
    await counter.complete(order, code)
    counter.stage.later(timedelta(days=1).total_seconds())
    await counter.stage.sweep()
    assert counter.stage.refunded() == 0


# Stock.


async def test_the_last_pieces_are_sold_once_to_any_number_of_customers(counter: Counter) -> None:
    answers = await asyncio.gather(
        *(counter.place(CAKE) for _ in range(100)), return_exceptions=True
    )
    placed = [answer for answer in answers if isinstance(answer, str)]
    refusals = [answer for answer in answers if isinstance(answer, BasketError)]
    assert (len(placed), len(refusals)) == (3, 97)
    assert {error.code for error in refusals} == {"sold_out"}
    assert await counter.left("cake") == 0


async def test_an_order_that_nobody_pays_gives_its_pieces_back(counter: Counter) -> None:
    await counter.place(Wish(sku="cake", quantity=2), CAKE)
    assert await counter.left("cake") == 0
    counter.stage.later(901)
    await counter.stage.sweep()
    assert await counter.left("cake") == 3


async def test_orders_of_the_same_things_in_another_order_do_not_block_each_other(
    counter: Counter,
) -> None:
    await counter.stage.rows("UPDATE counter_items SET stock = 50 RETURNING id")
    tea = Wish(sku="tea")
    answers = await asyncio.gather(
        *(counter.place(*pair) for pair in [(CAKE, tea), (tea, CAKE)] * 10)
    )
    assert len(answers) == 20
    assert (await counter.left("cake"), await counter.left("tea")) == (30, 30)
