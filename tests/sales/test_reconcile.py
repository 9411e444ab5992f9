"""The nightly pass: what every webhook and poll missed is found, and breaks are cases that heal."""

import asyncio
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from coinslot.db.pool import RawConnection
from coinslot.gateways.base import Mark, Payments, Unclear, Unread
from coinslot.kit.money import Money
from coinslot.oversight import cases, nightly
from coinslot.oversight.cases import Person
from coinslot.oversight.reconcile import Compared, Span, compare
from tests.sales.nightly import Nightly, nightly_gateway
from tests.sales.stage import Stage
from tests.sales.weather import LOST

DAY_S = 86_400


@pytest.fixture
def gateway(stage: Stage) -> Nightly:
    return nightly_gateway(stage)


async def compared(stage: Stage) -> Compared:
    """The last two days, now."""
    now = stage.clock.now()
    span = Span(now - timedelta(days=2), now + timedelta(seconds=1))
    return await compare(stage.context, stage.account, span)


async def kinds(stage: Stage) -> list[str]:
    return [case.kind for case in await cases.listed(stage.context)]


async def test_a_payment_that_nobody_told_of_is_found_and_sold(
    stage: Stage, gateway: Nightly
) -> None:
    paid = await stage.pay()
    done = await compared(stage)
    assert (done.found, done.news) == (
        1, (f"payment {paid.gateway_payment_id}, 40.00 INR: paid",)
    )  # fmt: skip
    assert await stage.value("SELECT state FROM orders") == "paid"
    (row,) = await stage.rows("SELECT event, verdict FROM inbox")
    assert row == {"event": "nightly", "verdict": "own"}
    assert (await compared(stage)).found == 0
    assert await kinds(stage) == []


async def test_an_item_that_cannot_be_read_is_named_only_when_it_is_ours(
    stage: Stage, gateway: Nightly
) -> None:
    await stage.webhook(await stage.pay())
    others = Unread(name="pay_others", reason="bgn", names=("pay_others",))
    known = Unread(name="rf_1", reason="no status", names=("rf_1", "pay_1"))
    marked = Unread(name="pay_x", reason="bgn", mark=Mark(installation="test", payment="p"))
    calm = gateway.payments_between

    async def listed(since: datetime, until: datetime) -> Payments | Unclear:
        found = await calm(since, until)
        assert isinstance(found, Payments)
        return replace(found, unread=odd)

    gateway.payments_between = listed  # type: ignore[method-assign]
    odd: tuple[Unread, ...] = (others,)
    assert (await compared(stage)).failure is None
    odd = (others, known, marked)
    failure = (await compared(stage)).failure
    assert failure is not None
    assert failure.split("; ") == [
        "payments: rf_1 cannot be read: no status", "payments: pay_x cannot be read: bgn",
    ]  # fmt: skip


async def test_one_that_is_too_late_to_be_sold_goes_back(stage: Stage, gateway: Nightly) -> None:
    await stage.pay()
    stage.later(3600)
    await compared(stage)
    await stage.sweep()
    assert stage.refunded() == 4000
    stage.later(60)
    assert await compared(stage) == Compared()


async def test_a_refund_that_nobody_told_of_is_found_and_booked(
    stage: Stage, gateway: Nightly
) -> None:
    paid = await stage.pay()
    await stage.webhook(paid)
    gateway.refund_in_dashboard(paid, 4000)
    assert (await compared(stage)).found == 1
    assert await stage.value("SELECT outside FROM captures") == 4000
    stage.later(60)
    assert (await compared(stage), await kinds(stage)) == (Compared(), [])


async def test_what_the_gateway_does_not_have_is_a_case_that_heals_when_it_has(
    stage: Stage, gateway: Nightly
) -> None:
    paid = await stage.pay()
    await stage.webhook(paid)
    gateway.forget(paid)
    assert (await compared(stage)).opened == 1
    assert await kinds(stage) == ["not_at_gateway"]
    stage.later(60)
    assert (await compared(stage)).opened == 0  # once
    (case,) = await cases.listed(stage.context)
    assert case.age_s == 60
    assert case.data["gateway_payment_id"] == paid.gateway_payment_id
    assert case.data["gateway"] == stage.account.gateway
    gateway.restate(paid, 4000)
    assert (await compared(stage)).closed == 1
    (case,) = await cases.listed(stage.context, closed=True)
    assert (case.how, case.closed_at) == ("healed", stage.clock.now())


async def test_a_break_that_a_person_closed_stays_closed(stage: Stage, gateway: Nightly) -> None:
    paid = await stage.pay()
    await stage.webhook(paid)
    gateway.forget(paid)
    await compared(stage)
    (case,) = await cases.listed(stage.context)
    await cases.close(stage.context, case.id, Person("asha", "a test of the gateway's own"))
    await compared(stage)
    assert await kinds(stage) == []


async def test_another_amount_there_is_a_break(stage: Stage, gateway: Nightly) -> None:
    paid = await stage.pay()
    await stage.webhook(paid)
    gateway.restate(paid, 3900)
    await compared(stage)
    assert await kinds(stage) == ["amount_differs"]


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        ("DELETE FROM ledger WHERE account IN ('gateway', 'obligations')", "ledger_differs"),
        ("UPDATE ledger SET account = 'sales' WHERE account = 'obligations'", "goods_differ"),
        (
            "UPDATE captures SET hard_deadline = seen_at - interval '1 day';"
            " DELETE FROM fulfillments",
            "neither_goods_nor_money_back",
        ),
    ],
)
async def test_each_book_is_held_against_the_others(
    stage: Stage, gateway: Nightly, hand: RawConnection, spoil: str, kind: str
) -> None:
    await stage.webhook(await stage.pay())
    await hand.execute("BEGIN")  # undone below: the books close well afterwards
    await hand.execute(spoil)
    rows = await hand.fetch(
        "SELECT b.kind FROM gateway_accounts a, breaks_in(a.id,"
        " (SELECT array_agg(id) FROM captures), '[]', $1, NULL) b",
        stage.clock.now(),
    )
    await hand.execute("ROLLBACK")
    assert [row["kind"] for row in rows] == [kind]


async def test_a_settlement_states_the_fee_that_counts(stage: Stage, gateway: Nightly) -> None:
    paid = await stage.pay()
    await stage.webhook(paid)
    gateway.paid_out[paid.gateway_payment_id] = Money(118, "INR")
    await compared(stage)
    (row,) = await stage.rows("SELECT fee_minor, settlement, settled_at FROM captures")
    assert (row["fee_minor"], row["settlement"]) == (118, "setl_1")
    assert await stage.value("SELECT sum(amount) FROM ledger WHERE account = 'gateway'") == 3882
    await stage.webhook(replace(paid, fee=Money(94, "INR")), event="told late")
    assert await stage.value("SELECT fee_minor FROM captures") == 118


async def test_what_is_not_paid_out_in_time_is_a_case_until_it_is(
    stage: Stage, gateway: Nightly
) -> None:
    await stage.hello()
    paid = await stage.pay()
    await stage.webhook(paid)
    await stage.sweep()
    await stage.accept()
    await stage.started()
    await stage.result()
    for day in range(12):
        stage.later(DAY_S)
        assert await nightly.due(stage.context) == 1
        assert await kinds(stage) == (["not_paid_out"] if day >= 7 else [])
    gateway.paid_out[paid.gateway_payment_id] = Money(0, "INR")
    stage.later(DAY_S)
    assert await nightly.due(stage.context) == 1
    assert await kinds(stage) == []


async def test_days_before_there_was_an_account_are_not_compared(
    stage: Stage, gateway: Nightly
) -> None:
    assert await nightly.due(stage.context) == 0


async def test_nights_that_were_missed_are_made_up_for(stage: Stage, gateway: Nightly) -> None:
    stage.later(DAY_S)  # noon of the next day
    assert await nightly.due(stage.context) == 1
    stage.later(3 * DAY_S)
    await stage.pay()
    assert await nightly.due(stage.context) == 3
    assert await nightly.due(stage.context) == 0
    days = await stage.rows("SELECT day FROM reconciliations ORDER BY day")
    assert [str(row["day"]) for row in days] == [f"2026-11-{day}" for day in (21, 22, 23, 24)]
    assert await stage.value("SELECT count(*) FROM orders") == 0  # today's is tomorrow's
    stage.later(DAY_S)
    assert await nightly.due(stage.context) == 1
    await stage.sweep()
    assert stage.refunded() == 4000


async def test_a_night_compares_its_whole_day_and_nothing_of_the_next(
    stage: Stage, gateway: Nightly
) -> None:
    stage.later(DAY_S / 2)  # midnight, as the 22nd begins
    for hours in (0, 24 - 1 / 60, 24):  # its first second, its last minute, the next day's first
        paid = await stage.pay()
        there = replace(paid, at=stage.clock.now() + timedelta(hours=hours))
        stage.books.payments[paid.gateway_payment_id] = there
    stage.later(DAY_S + 3 * 3600)
    assert await nightly.due(stage.context) == 1
    found = await stage.rows("SELECT gateway_payment_id AS id FROM captures ORDER BY 1")
    assert [row["id"] for row in found] == ["pay_1", "pay_2"]


async def test_a_gateway_that_does_not_answer_is_asked_again_and_then_a_person_is(
    stage: Stage, gateway: Nightly, hand: RawConnection
) -> None:
    gateway.fails("payments_between", *[LOST] * 5)
    stage.later(DAY_S)
    for _ in range(5):
        assert await nightly.due(stage.context) == 0
        assert await nightly.due(stage.context) == 0  # leased: not at once
        await hand.execute("UPDATE reconciliations SET leased_until = NULL")
    await cases.update(stage.context)
    (case,) = await cases.listed(stage.context)
    assert case.kind == "day_not_compared"
    assert "time-out" in case.data["failure"]
    assert await nightly.due(stage.context) == 1
    await cases.update(stage.context)
    assert await kinds(stage) == []


async def test_two_workers_compare_a_night_once(stage: Stage, gateway: Nightly) -> None:
    stage.later(DAY_S)
    done = await asyncio.gather(*(nightly.due(stage.context) for _ in range(4)))
    assert sum(done) == 1
    assert await stage.value("SELECT tries FROM reconciliations") == 1
