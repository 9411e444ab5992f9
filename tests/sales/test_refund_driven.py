"""One turn of a refund: what the gateway says of its list and of the payment, whether anything is
sent, and what is written of the answer."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct
from msgspec.structs import replace

from coinslot.db.pool import Database
from coinslot.gateways.base import (
    Absent,
    Declined,
    Mark,
    PaymentFact,
    RefundFact,
    RefundOrder,
    Refunds,
    RefundStage,
    Taken,
    Unclear,
)
from coinslot.gateways.mock import Mock
from coinslot.gateways.mock import Settings as MockSettings
from coinslot.kit.money import Money
from coinslot.payments import refunds
from tests.conftest import DatabaseUrls
from tests.sales.by_hand import Rows
from tests.sales.stage import START, Stage, set_stage

NO = Unclear("no answer")
SECOND = timedelta(seconds=1)


class Scripted(Mock):
    """Says what it is told to say, and keeps what it was asked."""

    refund_key_life_s = 100

    def __init__(self, stage: Stage) -> None:
        super().__init__(MockSettings(), stage.books)
        self.says: dict[str, Any] = {}
        self.asked: list[str] = []
        self.sent: list[RefundOrder] = []

    async def look(self, gateway_payment_id: str) -> Any:
        self.asked.append(f"look {gateway_payment_id}")
        return self.says["look"]

    async def refunds(self, gateway_payment_id: str) -> Any:
        self.asked.append(f"refunds {gateway_payment_id}")
        return self.says["refunds"]

    async def give_back(self, order: RefundOrder) -> Any:
        self.asked.append("give_back")
        self.sent.append(order)
        return self.says["give_back"]


class Turn(Struct):
    """A refund of 40.00 that is due, beside another one of 5.00 of the same payment."""

    stage: Stage
    rows: Rows
    gateway: Scripted
    refund: UUID
    capture: UUID

    async def change(self, table: str, **values: Any) -> None:
        columns = ", ".join(f"{name} = ${n + 2}" for n, name in enumerate(values))
        key = self.refund if table == "refunds" else self.capture
        await self.rows.conn.execute(
            f"UPDATE {table} SET {columns} WHERE id = $1", key, *values.values()
        )

    async def row(self) -> dict[str, Any]:
        found = await self.rows.conn.fetchrow("SELECT * FROM refunds WHERE id = $1", self.refund)
        assert found is not None
        return dict(found)

    async def driven(self, **says: Any) -> dict[str, Any]:
        """The row after it."""
        self.gateway.says = {"refunds": Refunds(()), "look": Absent(), "give_back": NO} | says
        row = await self.rows.conn.fetchrow("SELECT * FROM refunds WHERE id = $1", self.refund)
        assert row is not None
        await refunds.drive(self.stage.context, row)
        return await self.row()


@pytest.fixture
async def turn(database: Database, urls: DatabaseUrls) -> AsyncIterator[Turn]:
    stage = await set_stage(database)
    await stage.webhook(await stage.pay())
    stage.later(121)
    await stage.sweep("fulfillments")
    rows = await Rows.open(urls.superuser)
    (row,) = await rows.conn.fetch("SELECT * FROM refunds")
    gateway = Scripted(stage)
    stage.account = replace(stage.account, driver=gateway)
    stage.context.accounts.account = stage.account  # type: ignore[attr-defined]
    yield Turn(stage, rows, gateway, row["id"], row["capture_id"])
    await rows.conn.close()


def back(turn: Turn, **more: Any) -> RefundFact:
    said: dict[str, Any] = {
        "gateway_refund_id": "rf_1", "gateway_payment_id": "pay_1", "money": Money(4000, "INR"),
        "stage": RefundStage.PROCESSED, "at": turn.stage.context.now(), "mark": None,
    }  # fmt: skip
    return RefundFact(**(said | more))


def mine(turn: Turn) -> Mark:
    return Mark(installation="test", refund=str(turn.refund))


def paid(**more: Any) -> PaymentFact:
    said: dict[str, Any] = {
        "gateway_payment_id": "pay_1", "taken": Taken.CAPTURED, "money": Money(4000, "INR"),
        "at": START,
    }  # fmt: skip
    return PaymentFact(**(said | more))


async def test_it_is_looked_for_and_sent_in_these_words(turn: Turn) -> None:
    now = turn.stage.context.now()
    row = await turn.driven(give_back=back(turn))
    assert turn.gateway.asked == ["refunds pay_1", "give_back"]
    (order,) = turn.gateway.sent
    assert order == RefundOrder(
        gateway_payment_id="pay_1", money=Money(4000, "INR"), key=row["key"], mark=mine(turn),
        reason=row["reason"], others=Money(0, "INR"), taken_up=False,
    )  # fmt: skip
    assert (row["state"], row["key_sent_at"], row["ended_at"]) == ("succeeded", now, now)
    assert (row["gateway_refund_id"], row["due_at"], row["leased_until"]) == ("rf_1", None, None)


@pytest.mark.parametrize(
    ("answer", "state", "failure"),
    [
        (NO, "pending", "no answer"),
        (Declined("later", "busy", permanent=False), "pending", "later"),
        (Declined("never", "closed"), "owed", "never"),
        (Unclear("x" * 501), "pending", "x" * 500),
    ],
)
async def test_what_was_sent_is_tried_again_ever_more_rarely(
    turn: Turn, answer: Any, state: str, failure: str
) -> None:
    now = turn.stage.context.now()
    for tries, pause in ((0, 5), (1, 10), (6, 320), (7, 600), (40, 600)):
        await turn.change("refunds", tries=tries, state="pending", due_at=now)
        row = await turn.driven(give_back=answer)
        due = None if state == "owed" else now + pause * SECOND
        assert (row["state"], row["failure"], row["due_at"]) == (state, failure, due)
        assert row["key_sent_at"] == now
        assert row["tries"] == tries + 1


async def test_a_passing_no_becomes_a_persons_after_an_hour(turn: Turn) -> None:
    now = turn.stage.context.now()
    busy = Declined("no balance", "insufficient_balance", permanent=False)
    for age, state in ((timedelta(hours=1), "pending"), (timedelta(hours=1, seconds=1), "owed")):
        await turn.change("refunds", created_at=now - age, state="pending", due_at=now)
        assert (await turn.driven(give_back=busy))["state"] == state


async def test_the_time_of_the_first_sending_stays_while_its_key_lives(turn: Turn) -> None:
    now = turn.stage.context.now()
    for ago, kept in ((0, True), (99.9, True), (100, False)):
        sent = now - ago * SECOND
        await turn.change("refunds", key_sent_at=sent)
        row = await turn.driven()
        assert row["key_sent_at"] == (sent if kept else now)
    await turn.change("refunds", gateway_refund_id="rf_1")
    await turn.driven()
    assert turn.gateway.sent[-1].taken_up is True


@pytest.mark.parametrize(
    ("fact", "found"),
    [
        ({"gateway_refund_id": "rf_known"}, True),
        ({"mark": "mine"}, True),
        ({"mark": "mine", "money": Money(3999, "INR")}, False),
        ({"mark": "elsewhere"}, False),
        ({"mark": "another"}, False),
        ({}, False),
    ],
)
async def test_one_that_is_in_the_list_is_not_sent(
    turn: Turn, fact: dict[str, Any], found: bool
) -> None:
    await turn.change("refunds", gateway_refund_id="rf_known", tries=3)
    kinds = {"mine": mine(turn), "another": Mark(installation="test", refund="r"),
             "elsewhere": replace(mine(turn), installation="elsewhere")}  # fmt: skip
    said = fact | ({"mark": kinds[fact["mark"]]} if "mark" in fact else {})
    # On its way there, so that it moves nothing here.
    told = back(turn, **({"stage": RefundStage.PENDING, "money": Money(4000, "INR")} | said))
    now = turn.stage.context.now()
    row = await turn.driven(refunds=Refunds((told,)))
    assert ("give_back" in turn.gateway.asked) is not found
    assert (row["due_at"], row["tries"]) == (now + 40 * SECOND, 4)


async def test_a_list_that_cannot_be_read_sends_nothing(turn: Turn) -> None:
    row = await turn.driven(refunds=NO)
    assert turn.gateway.asked == ["refunds pay_1"]
    assert (row["state"], row["failure"], row["tries"]) == ("pending", "no answer", 1)
    assert row["key_sent_at"] is None
    await turn.driven(refunds=Absent())
    assert turn.gateway.asked[1:] == ["refunds pay_1", "give_back"]


LISTLESS = Refunds((), complete=False)


@pytest.mark.parametrize(
    ("sent_ago", "payment", "sends", "failure"),
    [
        (None, paid(refunded=Money(0, "INR")), True, "no answer"),
        (None, Absent(), True, "no answer"),
        (None, Unclear("who knows"), False, "who knows"),
        (50, paid(), True, "no answer"),
        (50, Unclear("who knows"), False, "who knows"),
        (100, paid(refunded=Money(0, "INR")), True, "no answer"),
        (100, paid(refunded=Money(4000, "INR")), True, "no answer"),
        (100, paid(refunded=Money(1, "INR")), False, "keeps no list"),
        (100, paid(), False, "keeps no list"),
        (100, Absent(), False, "keeps no list"),
    ],
)
async def test_without_a_list_it_is_sent_only_where_it_cannot_be_a_second_one(
    turn: Turn, sent_ago: int | None, payment: Any, sends: bool, failure: str
) -> None:
    now = turn.stage.context.now()
    if sent_ago is not None:
        await turn.change("refunds", key_sent_at=now - sent_ago * SECOND)
    row = await turn.driven(refunds=LISTLESS, look=payment)
    assert turn.gateway.asked == ["refunds pay_1", "look pay_1", *(["give_back"] if sends else [])]
    assert failure in row["failure"]
    assert row["state"] == ("owed" if failure == "keeps no list" else "pending")


async def test_others_of_the_same_payment_are_told_and_counted(turn: Turn) -> None:
    now = turn.stage.context.now()
    await turn.rows.put(
        "refunds", merchant_id=turn.stage.merchant, account_id=turn.stage.account.id, key="o",
        capture_id=turn.capture, state="succeeded", origin="gateway", amount_minor=500,
        currency="INR", gateway_refund_id="rf_other", ended_at=now, created_at=now,
    )  # fmt: skip
    await turn.change("refunds", key_sent_at=now - 100 * SECOND)
    for told, sends in ((500, True), (4500, True), (0, False), (4000, False)):
        turn.gateway.asked.clear()
        await turn.change("refunds", state="pending", due_at=now, key_sent_at=now - 100 * SECOND)
        await turn.driven(refunds=LISTLESS, look=paid(refunded=Money(told, "INR")))
        assert ("give_back" in turn.gateway.asked) is sends, told
    assert {order.others for order in turn.gateway.sent} == {Money(500, "INR")}


@pytest.mark.parametrize("state", ["succeeded", "owed", "failed"])
async def test_one_that_is_over_is_due_no_more_and_nobody_is_asked(turn: Turn, state: str) -> None:
    ended = None if state == "owed" else turn.stage.context.now()
    await turn.change("refunds", state=state, ended_at=ended)
    row = await turn.driven()
    assert (row["due_at"], row["leased_until"], row["state"]) == (None, None, state)
    assert turn.gateway.asked == []


async def test_while_the_bank_decides_it_is_held(turn: Turn) -> None:
    now = turn.stage.context.now()
    dispute = await turn.rows.put(
        "disputes", merchant_id=turn.stage.merchant, account_id=turn.stage.account.id,
        capture_id=turn.capture, stage="open",
    )  # fmt: skip
    row = await turn.driven()
    assert turn.gateway.asked == ["refunds pay_1"]
    assert (row["state"], row["due_at"], row["leased_until"]) == (
        "pending", now + 600 * SECOND, None,
    )  # fmt: skip
    assert "disputes the payment" in row["failure"]
    await turn.rows.conn.execute("UPDATE disputes SET stage = 'won' WHERE id = $1", dispute["id"])
    await turn.driven()
    assert turn.gateway.asked[-1] == "give_back"


@pytest.mark.parametrize(
    ("outside", "used", "state"),
    [(4000, 0, "succeeded"), (3999, 0, "failed"), (1, 0, "failed"), (0, 0, "pending")],
)
async def test_what_went_back_outside_is_not_sent_once_more(
    turn: Turn, outside: int, used: int, state: str
) -> None:
    await turn.change("captures", outside=outside, outside_used=used)
    wake = turn.stage.context.wakes.of("refunds")
    wake.clear()
    row = await turn.driven()
    assert row["state"] == state
    assert ("give_back" in turn.gateway.asked) is (state == "pending")
    assert wake.is_set() is (state != "pending")
    if state != "pending":
        assert (row["ended_at"], row["due_at"]) == (turn.stage.context.now(), None)
