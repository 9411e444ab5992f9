"""A person gives money of an order back, by unit or by amount: once, never more than is left."""

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest

from coinslot.gateways.base import RefundStage
from coinslot.kit.money import Money
from coinslot.orders import fulfillment, order_records, outlet_pages
from coinslot.orders.order_refunds import OrderRefund, OrderRefundView, Outcome, refund
from coinslot.oversight import cases
from coinslot.oversight.cases import CaseError, Person
from coinslot.pages import order_progress
from coinslot.pages.order_progress import Phase
from coinslot.payments.idempotency import KeyReusedError
from coinslot.payments.merchant_api import RuledOutError, UnknownError
from tests import inside
from tests.conftest import DatabaseUrls
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage
from tests.sales.test_around_a_commit import dies, waiting_for_locks
from tests.sales.test_page_orders import placed
from tests.sales.test_partly import drop, jam, two_paid
from tests.sales.test_refunds import told
from tests.sales.weather import in_weather

WHY = "warm, and she sent a photo"


async def paid_order(stage: Stage) -> UUID:
    """One can, paid; nothing sent yet."""
    unit = await stage.sell()
    order: UUID = await stage.value("SELECT order_id FROM fulfillments WHERE id = $1", unit)
    return order


async def going(stage: Stage) -> UUID:
    await stage.hello()
    order = await paid_order(stage)
    await stage.sweep("fulfillments")
    await stage.accept()
    return order


async def handed_over(stage: Stage) -> UUID:
    order = await going(stage)
    await stage.result()
    return order


async def two_handed_over(stage: Stage) -> UUID:
    token = await two_paid(stage)
    await drop(stage, 1)
    await drop(stage, 2)
    order: UUID = await stage.value("SELECT id FROM orders WHERE token = $1", token)
    return order


async def ask(
    stage: Stage, order: UUID, *units: UUID, amount: int | None = None, key: str = "k",
    by: str = "asha",
) -> OrderRefundView:  # fmt: skip
    wanted = OrderRefund(order=order, key=key, by=by, reason=WHY, units=units, amount=amount)
    return await refund(stage.context, stage.merchant, wanted)


async def refused(stage: Stage, order: UUID, *units: UUID, **more: Any) -> str:
    with pytest.raises(RuledOutError) as caught:
        await ask(stage, order, *units, **more)
    return caught.value.code


async def units_of(stage: Stage, order: UUID) -> list[UUID]:
    rows = await stage.rows("SELECT id FROM fulfillments WHERE order_id = $1 ORDER BY id", order)
    return [row["id"] for row in rows]


async def earned(stage: Stage) -> int:
    """By the ledger."""
    return -int(
        await stage.value("SELECT coalesce(sum(amount), 0) FROM ledger WHERE account = 'sales'")
    )


async def test_a_unit_that_was_handed_over_is_refunded_from_what_it_earned(stage: Stage) -> None:
    order = await handed_over(stage)
    made = await ask(stage, order)
    assert [(part.amount, part.outcome, part.money) for part in made.parts] == [
        (4000, Outcome.TAKEN, "pending")
    ]
    assert (made.by, made.reason, made.amount, made.currency) == ("asha", WHY, 4000, "INR")
    await stage.sweep()
    assert stage.refunded() == 4000
    assert await earned(stage) == 0
    assert await stage.value("SELECT state FROM orders") == "completed"
    assert await stage.value("SELECT asked_reason FROM refunds") == WHY
    (said,) = await stage.rows("SELECT event, data FROM events WHERE machine = 'order_refund'")
    assert (said["event"], said["data"]["by"], said["data"]["reason"]) == ("ASKED", "asha", WHY)


async def test_a_unit_that_was_not_sent_is_withdrawn_and_never_offered(stage: Stage) -> None:
    order = await paid_order(stage)
    (part,) = (await ask(stage, order)).parts
    assert (part.outcome, part.money) == (Outcome.WITHDRAWN, "pending")
    await stage.hello()
    await stage.sweep()
    assert not [m for m in stage.line.sent if m["type"] == "OFFER"]
    assert stage.refunded() == 4000
    assert await stage.value("SELECT state FROM orders") == "failed"
    assert await stage.value("SELECT asked_reason FROM refunds") == WHY


async def test_a_unit_that_is_offered_is_withdrawn_and_its_accept_gets_no_go(stage: Stage) -> None:
    await stage.hello()
    order = await paid_order(stage)
    await stage.sweep("fulfillments")
    await ask(stage, order)
    assert [m for m in await stage.accept() if getattr(m, "type", "") == "GO"] == []
    await stage.sweep()
    assert stage.refunded() == 4000
    assert await stage.value("SELECT sent_at FROM fulfillments") is None


async def nothing_more(stage: Stage) -> None:
    """Ten minutes without a word."""
    await stage.silence()


@pytest.mark.parametrize(
    ("end", "outcome", "state"),
    [
        (lambda stage: stage.result(), Outcome.TAKEN, "completed"),
        (lambda stage: stage.result("FAILED", drop="no"), Outcome.WENT_BACK, "failed"),
        (nothing_more, Outcome.WENT_BACK, "failed"),
    ],
    ids=["it drops", "it jams", "silence"],
)
async def test_a_unit_in_doubt_is_refunded_once_when_it_is_settled_and_shown_as_waiting_until_then(
    stage: Stage, end: Callable[[Stage], Awaitable[object]], outcome: Outcome, state: str
) -> None:
    order = await going(stage)
    made = await ask(stage, order)
    assert made.is_waiting
    assert [part.money for part in made.parts] == ["waiting"]
    await stage.sweep("refunds")
    assert stage.refunded() == 0
    assert await refused(stage, order, key="again") == "nothing_left"
    await end(stage)
    await stage.sweep()
    (part,) = (await ask(stage, order)).parts
    assert (part.outcome, part.money) == (outcome, "succeeded")
    assert stage.refunded() == 4000
    assert await earned(stage) == 0
    assert await stage.value("SELECT state FROM orders") == state


async def test_a_part_of_a_unit_in_doubt_goes_back_alone_when_it_drops(stage: Stage) -> None:
    order = await going(stage)
    await ask(stage, order, amount=1500)
    await stage.result()
    await stage.sweep()
    assert stage.refunded() == 1500
    assert await earned(stage) == 2500


async def test_a_part_of_a_unit_in_doubt_is_swallowed_by_the_whole_when_it_jams(
    stage: Stage,
) -> None:
    order = await going(stage)
    await ask(stage, order, amount=1500)
    await stage.result("FAILED", drop="no")
    await stage.sweep()
    assert stage.refunded() == 4000
    assert await refused(stage, order, key="again") == "nothing_left"


async def test_amounts_are_taken_until_nothing_is_left_and_never_more(stage: Stage) -> None:
    order = await two_handed_over(stage)
    first = await ask(stage, order, amount=5000, key="one")
    assert sorted(part.amount for part in first.parts) == [1000, 4000]
    with pytest.raises(RuledOutError, match="3000") as caught:
        await ask(stage, order, amount=3001, key="two")
    assert caught.value.code == "refund_exceeds_order"
    await ask(stage, order, amount=3000, key="three")
    assert await refused(stage, order, amount=1, key="four") == "refund_exceeds_order"
    assert await refused(stage, order, key="five") == "nothing_left"
    await stage.sweep()
    assert stage.refunded() == 8000
    assert await earned(stage) == 0


async def test_an_amount_of_named_units_is_taken_from_these_alone(stage: Stage) -> None:
    order = await two_handed_over(stage)
    one, other = await units_of(stage, order)
    (part,) = (await ask(stage, order, other, amount=500)).parts
    assert (part.unit, part.amount) == (other, 500)
    assert await refused(stage, order, other, amount=3501, key="more") == "refund_exceeds_order"
    rest = await ask(stage, order, key="rest")
    assert {part.unit: part.amount for part in rest.parts} == {one: 4000, other: 3500}
    await stage.sweep()
    assert stage.refunded() == 8000


async def test_an_amount_withdraws_nothing(stage: Stage) -> None:
    order = await paid_order(stage)
    assert await refused(stage, order, amount=100) == "not_sent_yet"
    assert await stage.value("SELECT state FROM fulfillments") == "queued"


async def test_one_unit_of_two_is_refunded_and_the_other_goes_on(stage: Stage) -> None:
    token = await two_paid(stage)
    order = await stage.value("SELECT id FROM orders WHERE token = $1", token)
    queued = await stage.value("SELECT id FROM fulfillments WHERE state = 'queued'")
    await ask(stage, order, queued)
    assert await stage.value("SELECT state FROM orders") == "paid"
    await drop(stage, 1)
    assert await stage.value("SELECT state FROM orders") == "completed"
    assert (stage.refunded(), await earned(stage)) == (4000, 4000)


async def test_all_that_is_left_is_what_did_not_go_back_before(stage: Stage) -> None:
    token = await two_paid(stage)
    await jam(stage, 1)
    await drop(stage, 2)
    order = await stage.value("SELECT id FROM orders WHERE token = $1", token)
    (part,) = (await ask(stage, order)).parts
    assert part.amount == 4000
    await stage.sweep()
    assert stage.refunded() == 8000


@pytest.mark.parametrize("left_out", ["key", "by", "reason"])
async def test_a_refund_without_a_key_a_name_or_a_reason_is_refused(
    stage: Stage, left_out: str
) -> None:
    said = {"key": "k", "by": "asha", "reason": WHY} | {left_out: " "}
    wanted = OrderRefund(order=await handed_over(stage), **said)  # type: ignore[arg-type]
    with pytest.raises(RuledOutError, match="name and a reason"):
        await refund(stage.context, stage.merchant, wanted)
    assert await refused(stage, wanted.order, amount=0) == "incomplete"


# Once.


async def test_the_same_key_gives_the_same_refund_and_no_other(stage: Stage) -> None:
    order = await two_handed_over(stage)
    first = await ask(stage, order, amount=100)
    assert (await ask(stage, order, amount=100)).id == first.id
    for other in ({"amount": 101}, {"by": "boris", "amount": 100}, {}):
        with pytest.raises(KeyReusedError):
            await ask(stage, order, **other)
    await stage.sweep()
    assert stage.refunded() == 100


async def test_the_same_key_for_another_order_is_refused(stage: Stage) -> None:
    order = await handed_over(stage)
    stage.later(1)
    other = await paid_order(stage)
    await ask(stage, order)
    with pytest.raises(KeyReusedError):
        await ask(stage, other)


async def test_a_refund_sent_twice_at_once_counts_once(stage: Stage) -> None:
    order = await handed_over(stage)
    made = await asyncio.gather(*[ask(stage, order, amount=1500) for _ in range(4)])
    assert len({one.id for one in made}) == 1
    await stage.sweep()
    assert stage.refunded() == 1500


async def test_of_two_persons_who_refund_the_same_unit_at_once_one_is_told_that_nothing_is_left(
    stage: Stage,
) -> None:
    order = await handed_over(stage)
    (unit,) = await units_of(stage, order)
    both = [ask(stage, order, unit, key=name, by=name) for name in ("asha", "boris")]
    made = await asyncio.gather(*both, return_exceptions=True)
    late = [one.code for one in made if isinstance(one, RuledOutError)]
    assert late == ["nothing_left"]
    await stage.sweep()
    assert stage.refunded() == 4000


async def test_a_process_that_dies_before_its_commit_has_refunded_nothing(stage: Stage) -> None:
    order = await handed_over(stage)
    await dies(stage, "before_commit", ask(stage, order))
    assert await stage.value("SELECT count(*) FROM order_refunds") == 0
    await stage.sweep()
    assert stage.refunded() == 0
    await ask(stage, order)
    await stage.sweep()
    assert stage.refunded() == 4000


async def test_a_process_that_dies_after_its_commit_leaves_a_refund_that_is_driven(
    stage: Stage,
) -> None:
    order = await handed_over(stage)

    async def then_dies() -> None:
        await ask(stage, order)
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await then_dies()
    await stage.sweep()
    assert stage.refunded() == 4000


# Meanwhile.


async def in_this_order(stage: Stage, *calls: Callable[[], Awaitable[object]]) -> list[object]:
    """All of them wait for the capture, and get it in this order."""
    async with stage.context.db.as_merchant(stage.merchant) as holder:
        await holder.execute("SELECT FROM captures FOR UPDATE")
        begun = []
        for number, call in enumerate(calls, 1):
            begun.append(asyncio.ensure_future(call()))
            await waiting_for_locks(stage, number)
    return list(await asyncio.gather(*begun))


def unless_nothing_is_left(stage: Stage, order: UUID) -> Callable[[], Awaitable[object]]:
    async def call() -> None:
        with contextlib.suppress(RuledOutError):
            await ask(stage, order)

    return call


@pytest.mark.parametrize("refund_is_first", [True, False])
@pytest.mark.parametrize("outcome", ["VENDED", "FAILED"])
async def test_a_machines_result_and_a_persons_refund_at_once_give_the_money_back_once(
    stage: Stage, refund_is_first: bool, outcome: str
) -> None:
    order = await going(stage)

    async def by_machine() -> None:
        await stage.result(outcome, drop="yes" if outcome == "VENDED" else "no")

    calls = [unless_nothing_is_left(stage, order), by_machine]
    await in_this_order(stage, *(calls if refund_is_first else reversed(calls)))
    await stage.sweep()
    assert stage.refunded() == 4000
    assert await earned(stage) == 0


@pytest.mark.parametrize("refund_is_first", [True, False])
async def test_an_accept_and_a_persons_refund_at_once_are_a_go_or_money(
    stage: Stage, refund_is_first: bool
) -> None:
    await stage.hello()
    order = await paid_order(stage)
    await stage.sweep("fulfillments")
    calls = [lambda: ask(stage, order), stage.accept]
    made = await in_this_order(stage, *(calls if refund_is_first else reversed(calls)))
    view = made[0 if refund_is_first else 1]
    assert isinstance(view, OrderRefundView)
    sent = await stage.value("SELECT sent_at FROM fulfillments")
    assert view.parts[0].outcome is (Outcome.WITHDRAWN if refund_is_first else Outcome.WAITING)
    assert (sent is None) is refund_is_first
    if not refund_is_first:
        await stage.result()
    await stage.sweep()
    assert stage.refunded() == 4000


@pytest.mark.parametrize("refund_is_first", [True, False])
async def test_the_end_of_the_window_and_a_persons_refund_at_once_give_the_money_back_once(
    stage: Stage, refund_is_first: bool
) -> None:
    order = await paid_order(stage)
    stage.later(121)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        row = await conn.fetchrow("SELECT * FROM fulfillments")
    assert row is not None

    calls = [unless_nothing_is_left(stage, order), lambda: fulfillment.drive(stage.context, row)]
    await in_this_order(stage, *(calls if refund_is_first else reversed(calls)))
    await stage.sweep()
    assert stage.refunded() == 4000
    assert await stage.value("SELECT count(*) FROM refunds") == 1


@pytest.mark.parametrize("sequence", list(permutations(["result", "person", "dashboard"])))
async def test_a_result_a_person_and_the_dashboard_in_any_order_give_the_money_back_once(
    stage: Stage, sequence: tuple[str, ...]
) -> None:
    weather = in_weather(stage)
    await stage.hello()
    paid = await stage.pay()
    await stage.webhook(paid)
    order = await stage.value("SELECT id FROM orders")
    await stage.sweep("fulfillments")
    await stage.accept()
    for what in sequence:
        if what == "result":
            await stage.result()
        elif what == "person":
            await ask(stage, order)
        else:
            await told(stage, weather.refund_in_dashboard(paid, 4000))
    await stage.sweep()
    assert stage.refunded() == 4000
    assert weather.sent == []
    assert await earned(stage) == 0
    # What a person decided to give back is nobody's loss any more.
    assert await stage.value("SELECT count(*) FROM discrepancies WHERE closed_at IS NULL") == 0
    assert await cases.listed(stage.context) == []


async def test_a_part_in_the_dashboard_leaves_the_rest_of_a_persons_refund_to_us(
    stage: Stage,
) -> None:
    weather = in_weather(stage)
    order = await handed_over(stage)
    paid = next(iter(stage.books.payments.values()))
    await ask(stage, order)
    weather.refund_in_dashboard(paid, 1000)  # and no webhook tells of it
    for _ in range(4):
        await stage.sweep("refunds")
        stage.later(400)
    assert [one.money.minor for one in weather.sent] == [3000]
    assert stage.refunded() == 4000
    (part,) = (await ask(stage, order)).parts
    assert part.money == "succeeded"


@pytest.mark.parametrize("there", [1500, 4000])
async def test_what_the_dashboard_gave_back_of_a_persons_refund_is_no_loss_beside_the_other_unit(
    stage: Stage, there: int
) -> None:
    weather = in_weather(stage)
    order = await two_handed_over(stage)
    paid = next(iter(stage.books.payments.values()))
    await ask(stage, order, (await units_of(stage, order))[0])
    await told(stage, weather.refund_in_dashboard(paid, there))
    for _ in range(4):
        await stage.sweep("refunds")
        stage.later(400)
    assert stage.refunded() == 4000
    assert await stage.value("SELECT count(*) FROM discrepancies") == 0


async def test_what_the_dashboard_gave_back_of_one_unit_is_no_loss_when_the_other_drops(
    stage: Stage,
) -> None:
    weather = in_weather(stage)
    await two_paid(stage)
    weather.pending_first = True
    await stage.accept()
    await stage.result("FAILED", drop="no", event_seq=1, failure_code="JAM")
    await stage.sweep("fulfillments")  # the other one is offered, and the refund is not sent yet
    await stage.accept()
    paid = next(iter(stage.books.payments.values()))
    await told(stage, weather.refund_in_dashboard(paid, 4000))
    await stage.result(event_seq=2)
    await stage.sweep()
    assert weather.sent == []
    assert stage.refunded() == 4000
    assert await stage.value("SELECT count(*) FROM discrepancies") == 0


async def test_a_refund_that_fails_there_is_replaced_for_the_same_part(stage: Stage) -> None:
    weather = in_weather(stage)
    order = await handed_over(stage)
    await ask(stage, order, amount=1500)
    await stage.sweep("refunds")
    await stage.webhook(weather.end_refund(weather.sent[0].key, RefundStage.FAILED))
    (part,) = (await ask(stage, order, amount=1500)).parts
    assert part.money == "pending"
    await stage.sweep()
    rows = await stage.rows("SELECT DISTINCT part_id, asked_reason FROM refunds")
    assert [row["asked_reason"] for row in rows] == [WHY]
    assert stage.refunded() == 1500


async def test_what_a_person_gave_back_of_a_unit_is_not_given_again_when_its_drop_is_denied(
    stage: Stage,
) -> None:
    order = await handed_over(stage)
    await ask(stage, order, amount=1500)
    await stage.result("FAILED", drop="no", event_seq=3)
    await stage.sweep()
    (case,) = await cases.listed(stage.context)
    await cases.refund(stage.context, case.id, Person("asha", "seen on the camera"))
    await stage.sweep()
    assert stage.refunded() == 4000
    assert await refused(stage, order, key="again") == "nothing_left"


async def test_a_case_gives_nothing_back_of_a_unit_that_a_person_refunded_whole(
    stage: Stage,
) -> None:
    await ask(stage, await handed_over(stage))
    await stage.result("FAILED", drop="no", event_seq=3)
    await stage.sweep()
    (case,) = await cases.listed(stage.context)
    with pytest.raises(CaseError, match="went back before"):
        await cases.refund(stage.context, case.id, Person("asha", "seen on the camera"))
    await cases.leave(stage.context, case.id, Person("asha", "refunded already"))
    assert stage.refunded() == 4000


async def test_the_simple_dialect_waits_for_its_word_too(simple_stage: Stage) -> None:
    stage = simple_stage
    await stage.hello()
    order = await paid_order(stage)
    await stage.sweep("fulfillments")
    assert await stage.value("SELECT sent_at FROM fulfillments") is not None
    assert (await ask(stage, order)).is_waiting
    await nothing_more(stage)
    assert stage.refunded() == 4000


# Whose, and of what.


async def test_an_order_that_was_not_paid_gives_nothing_back(stage: Stage) -> None:
    await stage.hello()
    token = await placed(stage)
    order = await stage.value("SELECT id FROM orders WHERE token = $1", token)
    assert await refused(stage, order) == "not_paid"


async def test_chandra_refunds_nothing_of_ashas(stage: Stage) -> None:
    order = await handed_over(stage)
    chandra = (await chandras_machine(stage)).merchant_id
    wanted = OrderRefund(order=order, key="k", by="chandra", reason="mine")
    with pytest.raises(UnknownError):
        await refund(stage.context, chandra, wanted)
    with pytest.raises(UnknownError):
        await ask(stage, order, uuid4())
    assert await stage.value("SELECT count(*) FROM order_refunds") == 0


# Seen.


async def test_the_customers_page_says_what_waits_and_that_money_comes_back_beside_the_goods(
    stage: Stage,
) -> None:
    order = await going(stage)
    token = str(await stage.value("SELECT token FROM orders"))
    before = await outlet_pages.order(stage.context, token)
    await ask(stage, order, amount=1500)
    waiting = await outlet_pages.order(stage.context, token)
    await stage.result()
    after = await outlet_pages.order(stage.context, token)
    assert before is not None
    assert waiting is not None
    assert after is not None
    assert before.version < waiting.version < after.version
    assert [view.refund_waiting for view in (before, waiting, after)] == [
        None, Money(1500, "INR"), None,
    ]  # fmt: skip
    assert order_progress.phase(after, stage.clock.now()) is Phase.RETURNED


async def test_its_record_shows_what_is_left_of_each_unit_and_who_refunded_what(
    stage: Stage,
) -> None:
    order = await two_handed_over(stage)
    one, other = await units_of(stage, order)
    await ask(stage, order, other, amount=1500)
    await stage.sweep()
    record = await order_records.order(stage.context, stage.merchant, order)
    assert record is not None
    assert [(unit.id, unit.left, unit.waiting) for unit in record.units] == [
        (one, 4000, 0), (other, 2500, 0),
    ]  # fmt: skip
    assert (record.state, record.amount, record.left) == ("completed", 8000, 6500)
    assert [(back.amount, back.state, back.reason) for back in record.refunds] == [
        (1500, "succeeded", WHY)
    ]
    assert [(made.by, made.amount) for made in record.made] == [("asha", 1500)]
    chandra = (await chandras_machine(stage)).merchant_id
    assert await order_records.order(stage.context, chandra, order) is None


async def test_an_order_is_found_by_what_its_customer_can_say(stage: Stage) -> None:
    order = await paid_order(stage)
    (row,) = await stage.rows("SELECT number, token FROM orders")
    for text in (str(order), row["number"].lower(), f"https://x.test/o/{row['token']}"):
        assert [found.id for found in await order_records.find(stage.context, text)] == [order]
    assert await order_records.find(stage.context, "ZZZZ") == []


async def said(urls: DatabaseUrls, *words: str) -> tuple[int, str]:
    env = {
        "COLUMNS": "200", "LOG_LEVEL": "ERROR", "DATABASE_URL": urls.app,
        "COINSLOT_DOOR_URL": urls.door,
        "COINSLOT_KEYS": f"1:{base64.b64encode(b'k' * 32).decode()}",
    }  # fmt: skip
    done = await asyncio.to_thread(inside.coinslot, "orders", *words, env=env)
    return done.returncode, done.stdout + done.stderr


async def test_a_person_shows_and_refunds_at_the_command_line(
    stage: Stage, urls: DatabaseUrls
) -> None:
    order = await handed_over(stage)
    number = await stage.value("SELECT number FROM orders")
    (unit,) = await units_of(stage, order)
    give = ("refund", number, "--unit", str(unit), "--amount", "15", "--key", "k1")
    hand = ("--by", "Asha", "--reason", "warm")
    for _ in range(2):  # she does not know whether the first one went through
        code, out = await said(urls, *give, *hand)
        assert (code, out) == (
            0,
            "15.00 INR by Asha: warm (key k1)\n"
            f"  15.00 INR of Cola {unit}: is taken from what was earned; pending\n",
        )
    code, out = await said(urls, "refund", number, "--amount", "25.01", *hand)
    assert (code, out) == (1, "coinslot: only 25.00 INR is left to give back\n")
    stage.later(365 * 86400)  # the command has a clock of its own
    await stage.sweep()
    code, out = await said(urls, "show", number)
    assert code == 0
    assert f"unit {unit}: Cola, 40.00 INR, vended, fulfilled by vended, 25.00 INR left" in out
    assert "15.00 INR, succeeded" in out
    assert out.endswith("left to give back: 25.00 INR\n")
    assert (await said(urls, "show", "ZZZZ")) == (1, "coinslot: there is no order ZZZZ\n")
