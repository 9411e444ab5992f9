"""An order that nobody accepts: what happens, step by step, until somebody does or its money has
gone back."""

import pytest

from coinslot.counter import boards, messages, staff
from coinslot.counter.boards import Said
from coinslot.counter.staff import Status
from coinslot.kit.ids import uuid7
from coinslot.notices.base import Cost, Form, Report, Stage
from coinslot.notices.mock import Mock, Settings
from coinslot.people import members
from tests.counter.stage import Counter
from tests.counter.telling import row_of
from tests.people.conftest import HASHED
from tests.sales.test_ways_races import DiedError

PHONE = "+491721234555"


@pytest.fixture
async def watched(counter: Counter) -> tuple[Counter, Mock]:
    """Lena works at S01, Ravi at another counter; both are reached by mail. S01 has a phone."""
    stage = counter.stage
    notifier = Mock(Settings(), stage.clock)
    stage.context.notifiers = {Form.CALL: notifier, Form.EMAIL: notifier}
    for login, outlet in (("lena@cafe.example", "S01"), ("ravi@cafe.example", "M01")):
        person, now = uuid7(stage.clock.now()), stage.clock.now()
        async with stage.context.db.as_person(person, stage.merchant) as conn:
            await members.add_person(conn, person, login, HASHED, now)
            role = members.Role(role="staff", outlets=(outlet,))
            await members.join(conn, person, stage.merchant, role, now)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE counter_stores SET alarm_phone = $1", PHONE)
    return counter, notifier


def told(notifier: Mock) -> list[tuple[str, str]]:
    return [(box.form.value, box.notice.to) for box in notifier.sent]


async def repeated(counter: Counter) -> int:
    return int(await counter.stage.value(
        "SELECT count(*) FROM counter_alarms WHERE repeated_at IS NOT NULL"
    ))  # fmt: skip


async def later(counter: Counter, seconds: float, *, with_board: bool) -> None:
    counter.stage.later(seconds)
    if with_board:
        await boards.here(counter.stage.context, counter.who, Said())
    await counter.stage.sweep()


async def test_it_sounds_again_then_mail_goes_out_then_the_phone_is_called_then_the_money_goes_back(
    watched: tuple[Counter, Mock],
) -> None:
    counter, notifier = watched
    await counter.paid()
    await later(counter, 10, with_board=True)
    assert await repeated(counter) == 0
    await later(counter, 10, with_board=True)
    assert (await repeated(counter), told(notifier)) == (1, [])
    await later(counter, 25, with_board=True)
    assert told(notifier) == [("email", "lena@cafe.example")], "not Ravi's counter"
    assert "waits at Corner café" in notifier.sent[0].notice.subject
    await later(counter, 24, with_board=True)
    assert len(told(notifier)) == 1
    await later(counter, 1, with_board=True)
    assert told(notifier)[1:] == [("call", PHONE)]
    assert "Corner café" in notifier.sent[1].notice.text
    await later(counter, 530, with_board=True)
    assert counter.stage.refunded() == 350
    assert len(told(notifier)) == 2, "each step once"
    assert await counter.stage.value("SELECT ended_at FROM counter_alarms") is not None


async def test_where_no_board_is_open_nobody_waits_for_somebody_to_look(
    watched: tuple[Counter, Mock],
) -> None:
    counter, notifier = watched
    await counter.paid()
    await later(counter, 20, with_board=False)
    assert told(notifier) == [("email", "lena@cafe.example")]


async def test_acceptance_ends_it_and_taking_that_back_begins_it_again(
    watched: tuple[Counter, Mock],
) -> None:
    counter, notifier = watched
    order = await counter.preparing()
    await later(counter, 300, with_board=True)
    assert told(notifier) == []
    await staff.undo(counter.stage.context, counter.who, order, Status.PLACED)
    await later(counter, 70, with_board=True)
    assert {form for form, _ in told(notifier)} == {"email", "call"}


async def test_many_orders_at_once_are_one_call(watched: tuple[Counter, Mock]) -> None:
    counter, notifier = watched
    for _ in range(3):
        await counter.paid()
    await later(counter, 70, with_board=True)
    assert [form for form, _ in told(notifier)].count("call") == 1
    await counter.paid()
    await later(counter, 301, with_board=True)
    assert [form for form, _ in told(notifier)].count("call") == 2


@pytest.mark.parametrize("answer", ["+491721234501", "+491721234503"])
async def test_a_call_that_was_refused_or_that_nobody_answered_for_is_not_made_again(
    watched: tuple[Counter, Mock], answer: str
) -> None:
    counter, notifier = watched
    async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
        await conn.execute("UPDATE counter_stores SET alarm_phone = $1", answer)
    await counter.paid()
    await later(counter, 70, with_board=True)
    await later(counter, 120, with_board=True)
    await later(counter, 120, with_board=True)
    assert told(notifier).count(("call", answer)) <= 1, "only what no list has goes again"
    assert await counter.stage.value(
        "SELECT count(*) FROM counter_messages WHERE purpose = 'alarm'"
    ) == 1  # fmt: skip


async def test_what_a_call_to_the_counter_came_to_and_cost_stands_at_its_order(
    watched: tuple[Counter, Mock],
) -> None:
    counter, _ = watched
    order = await counter.paid()
    await later(counter, 70, with_board=True)
    row = await row_of(counter, order, "call", "alarm")
    cost = Cost(amount="0.0140", currency="USD")
    said = Report(reference=row["reference"], stage=Stage.DELIVERED, cost=cost)
    await messages.reported(counter.stage.context, row, said)  # type: ignore[arg-type]
    costs = await counter.stage.rows(
        "SELECT amount::text, currency FROM counter_message_costs WHERE order_id = $1", order
    )
    assert [tuple(one.values()) for one in costs] == [("0.0140", "USD")]
    assert (await counter.view(order)).told == (), "the customer was not called"


async def test_a_counter_is_not_called_for_what_was_accepted_meanwhile(
    watched: tuple[Counter, Mock],
) -> None:
    counter, notifier = watched
    order = await counter.paid()
    counter.stage.later(70)
    await counter.stage.sweep("counter_alarms")
    await staff.accept(counter.stage.context, counter.who, order)
    await later(counter, 1, with_board=True)
    assert ("call", PHONE) not in told(notifier)


async def test_a_process_that_dies_after_the_call_does_not_call_twice(
    watched: tuple[Counter, Mock],
) -> None:
    counter, notifier = watched
    order = await counter.paid()
    counter.stage.later(70)

    def reached(point: str) -> None:
        if point == "after_send":
            raise DiedError

    await counter.stage.sweep("counter_alarms")
    counter.stage.context.db.reached = reached
    await counter.stage.sweep("counter_messages")
    counter.stage.context.db.reached = lambda _: None
    await counter.stage.rows("UPDATE counter_messages SET leased_until = NULL RETURNING id")
    assert await counter.stage.value("SELECT called_at FROM counter_alarms WHERE id = $1", order)
    await later(counter, 60, with_board=True)
    assert told(notifier).count(("call", PHONE)) == 1
