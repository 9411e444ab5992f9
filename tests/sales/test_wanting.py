"""What wants a person: each kind with all that is told of it, and beside each its nearest
neighbours that want nobody."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import Struct

from tests.conftest import DatabaseUrls
from tests.sales.by_hand import NOW, Rows

HOUR = timedelta(hours=1)
MOMENT = timedelta(microseconds=1)
BEGAN = NOW - timedelta(hours=5)


def odds(*given: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Each in one thing other than what wants a person."""
    return given


class Shop(Struct):
    """Asha's account and a payment of 50.00 there; Chandra's are others."""

    rows: Rows
    merchant: UUID
    account: UUID
    capture: UUID

    async def put(self, table: str, **given: Any) -> dict[str, Any]:
        return await self.rows.put(table, **({"merchant_id": self.merchant} | given))

    async def wanting(self) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.rows.conn.fetch("SELECT * FROM wanting($1)", NOW)]


ACCOUNT = {"merchant": "asha", "gateway": "mock", "account": "asha-mock"}
MONEY = ACCOUNT | {"gateway_payment_id": "pay_1"}


@pytest.fixture
async def shop(urls: DatabaseUrls) -> AsyncIterator[Shop]:
    rows = await Rows.open(urls.superuser)
    shops: list[Shop] = []
    for name in ("chandra", "asha"):
        merchant = (await rows.put("merchants", slug=name))["id"]
        account = await rows.put(
            "gateway_accounts", merchant_id=merchant, gateway="mock", slug=f"{name}-mock"
        )
        number = len(shops)
        capture = await rows.put(
            "captures", merchant_id=merchant, account_id=account["id"], seen_at=BEGAN,
            gateway_payment_id=f"pay_{number}", captured=5000 + 1000 * (1 - number),
        )  # fmt: skip
        shops.append(Shop(rows, merchant, account["id"], capture["id"]))
    yield shops[1]
    await rows.conn.close()


async def only(shop: Shop, kind: str, owner: str, **more: Any) -> dict[str, Any]:
    """The one that wants a person, by what is told of it."""
    (row,) = await shop.wanting()
    expected = {"merchant_id": shop.merchant, "kind": kind, "owner": owner, "since": BEGAN}
    expected |= {"amount_minor": None, "currency": None} | more
    assert {name: row[name] for name in expected} == expected
    return row


async def test_a_payment_that_nobody_can_resolve(shop: Shop) -> None:
    wants = {
        "state": "processing", "due_at": NOW, "processing_deadline_at": NOW, "amount_minor": 5000,
        "source": "api", "reference": "order-7",
    }  # fmt: skip
    for odd in odds(
        {"state": "succeeded"}, {"due_at": None}, {"processing_deadline_at": NOW + MOMENT},
    ):  # fmt: skip
        await shop.put("payments", **wants | odd)
    assert await shop.wanting() == []
    made = await shop.put("payments", **wants)
    other = await shop.put("payments", state="succeeded", source="api")
    row = await only(shop, "payment_unresolved", "operator", subject=str(made["id"]), since=NOW,
                     amount_minor=5000, currency="INR")  # fmt: skip
    untried = {"merchant": "asha", "payment": str(made["id"]), "reference": "order-7"}
    assert row["data"] == untried
    for number, of, said in (
        (2, made, {"gateway_payment_id": "pay_x", "reference": "session_x"}),
        (1, made, {"gateway_payment_id": "pay_old"}),
        (3, other, {"gateway_payment_id": "pay_others"}),
    ):
        await shop.put("attempts", payment_id=of["id"], account_id=shop.account, number=number,
                       state="unknown", key=str(number), **said)  # fmt: skip
    (row,) = await shop.wanting()
    assert row["data"] == untried | ACCOUNT | {"gateway_payment_id": "pay_x"}
    await shop.put("attempts", payment_id=made["id"], account_id=shop.account, number=4,
                   state="unknown", key="4", reference="session_y")  # fmt: skip
    (row,) = await shop.wanting()
    assert row["data"]["gateway_payment_id"] == "session_y"


async def test_a_refund_that_is_owed(shop: Shop) -> None:
    wants = {
        "account_id": shop.account, "capture_id": shop.capture, "origin": "ours", "state": "owed",
        "amount_minor": 1500, "created_at": BEGAN, "failure": "closed account",
    }  # fmt: skip
    await shop.put("refunds", key="a", **wants | {"state": "succeeded"})
    made = await shop.put("refunds", key="b", **wants)
    row = await only(shop, "refund_owed", "merchant", subject=str(made["id"]), amount_minor=1500,
                     currency="INR")  # fmt: skip
    assert row["data"] == MONEY | {"refund": str(made["id"]), "failure": "closed account"}


async def test_a_refund_that_the_gateway_does_not_take_up(shop: Shop) -> None:
    wants = {
        "account_id": shop.account, "capture_id": shop.capture, "origin": "ours", "due_at": NOW,
        "state": "pending", "amount_minor": 1500, "created_at": NOW - HOUR, "failure": "no answer",
    }  # fmt: skip
    for number, odd in enumerate(odds(
        {"state": "failed"}, {"due_at": None}, {"gateway_refund_id": "rf_1"},
        {"created_at": NOW - HOUR + MOMENT},
    )):  # fmt: skip
        await shop.put("refunds", key=f"odd {number}", **wants | odd)
    assert await shop.wanting() == []
    made = await shop.put("refunds", key="one", **wants)
    # A dispute that is over, or another payment's, holds nothing up.
    dispute = {"account_id": shop.account, "capture_id": shop.capture, "stage": "won"}
    await shop.put("disputes", gateway_dispute_id="d1", **dispute)
    row = await only(shop, "refund_not_taken_up", "operator", subject=str(made["id"]),
                     since=NOW - HOUR, amount_minor=1500, currency="INR")  # fmt: skip
    assert row["data"] == MONEY | {"refund": str(made["id"]), "failure": "no answer"}
    await shop.put("disputes", gateway_dispute_id="d2", **dispute | {"stage": "open"})
    assert [row["kind"] for row in await shop.wanting()] == ["dispute_open"]


async def test_a_refund_is_not_held_up_by_another_payments_dispute(shop: Shop) -> None:
    await shop.put("refunds", key="one", account_id=shop.account, capture_id=shop.capture,
                   origin="ours", state="pending", due_at=NOW, created_at=BEGAN)  # fmt: skip
    await shop.put("disputes", account_id=shop.account, capture_id=uuid4(), stage="open")
    assert {row["kind"] for row in await shop.wanting()} == {"refund_not_taken_up", "dispute_open"}


@pytest.mark.parametrize("source", ["api", "order"])
async def test_money_without_a_purpose(shop: Shop, source: str) -> None:
    order = uuid4()
    payment = await shop.put("payments", source=source, state="created",
                             order_id=None if source == "api" else order)  # fmt: skip
    wants = {
        "account_id": shop.account, "due_at": NOW, "hard_deadline": NOW, "seen_at": BEGAN,
        "payment_id": payment["id"], "order_id": order, "open": 4000, "fulfilled": 1000,
    }  # fmt: skip
    for number, odd in enumerate(odds(
        {"due_at": None}, {"open": 0, "fulfilled": 5000}, {"hard_deadline": NOW + MOMENT},
    )):  # fmt: skip
        await shop.put("captures", gateway_payment_id=f"odd_{number}", **wants | odd)
    assert await shop.wanting() == []
    made = await shop.put("captures", gateway_payment_id="pay_9", **wants)
    row = await only(shop, "money_without_a_purpose", "operator", subject=str(made["id"]),
                     amount_minor=4000, currency="INR")  # fmt: skip
    named = {"payment": str(payment["id"])} if source == "api" else {}
    assert row["data"] == ACCOUNT | named | {"gateway_payment_id": "pay_9", "order": str(order)}


async def test_a_webhook_that_fails_again_and_again(shop: Shop) -> None:
    wants = {
        "account_id": shop.account, "verdict": "genuine", "event": "payment.captured",
        "received_at": BEGAN, "due_at": NOW, "tries": 5, "failure": "refused by a table",
    }  # fmt: skip
    for odd in odds(
        {"due_at": None}, {"worked_at": NOW}, {"failure": "unexplained"}, {"tries": 4},
        {"received_at": NOW - HOUR + MOMENT}, {"told_at": NOW - HOUR + MOMENT},
    ):  # fmt: skip
        await shop.put("inbox", **wants | odd)
    assert await shop.wanting() == []
    made = await shop.put("inbox", **wants | {"told_at": NOW - HOUR})
    row = await only(shop, "webhook_not_worked", "operator", subject=str(made["id"]))
    told = {"event": "payment.captured", "failure": "refused by a table"}
    assert row["data"] == ACCOUNT | told
    await shop.rows.conn.execute("DELETE FROM inbox WHERE id = $1", made["id"])
    await shop.put("inbox", **wants | {"received_at": NOW - HOUR, "failure": None})
    assert [row["since"] for row in await shop.wanting()] == [NOW - HOUR]


async def test_webhooks_that_cannot_be_read_are_one_case_of_their_kind(shop: Shop) -> None:
    wants = {
        "account_id": shop.account, "verdict": "unreadable", "event": "odd.one", "ours": True,
        "received_at": BEGAN, "reason": "b: no amount",
    }  # fmt: skip
    await shop.put("inbox", **wants | {"worked_at": NOW})
    await shop.put("inbox", **wants | {"verdict": "forged", "ours": None})
    assert await shop.wanting() == []
    await shop.put("inbox", **wants | {"received_at": NOW, "reason": "a: no currency"})
    await shop.put("inbox", **wants)
    row = await only(shop, "webhook_not_read", "operator", subject=f"{shop.account} odd.one")
    assert row["data"] == ACCOUNT | {"event": "odd.one", "failure": "a: no currency"}
    await shop.put("inbox", **wants | {"event": None})
    await shop.put("inbox", **wants | {"account_id": uuid4()})
    subjects = {row["subject"] for row in await shop.wanting()}
    assert len(subjects) == 3
    assert f"{shop.account} " in subjects


async def test_a_day_that_is_not_compared(shop: Shop) -> None:
    day = BEGAN.date()
    wants = {"account_id": shop.account, "day": day, "tries": 5, "failure": "no list"}
    await shop.put("reconciliations", **wants | {"day": day - timedelta(days=1), "tries": 4})
    await shop.put("reconciliations",
                   **wants | {"day": day - timedelta(days=2), "done_at": NOW})  # fmt: skip
    assert await shop.wanting() == []
    await shop.put("reconciliations", **wants)
    midnight = BEGAN.replace(hour=0)
    row = await only(shop, "day_not_compared", "operator", subject=f"{shop.account} {day}",
                     since=midnight)  # fmt: skip
    assert row["data"] == ACCOUNT | {"day": str(day), "failure": "no list"}


async def test_a_clock_that_differs(shop: Shop) -> None:
    async def clock(node: str, heard: str, off: bool) -> None:
        await shop.put("clocks", account_id=shop.account, node=node, ahead_ms=61_600,
                       off_since=BEGAN if off else None)  # fmt: skip
        await shop.rows.conn.execute(
            f"UPDATE clocks SET heard_at = now() - interval '{heard}' WHERE node = $1", node
        )

    await clock("right", "1 minute", False)
    await clock("silent", "61 minutes", True)
    assert await shop.wanting() == []
    await clock("wrong", "59 minutes", True)
    row = await only(shop, "clock_differs", "operator", subject=f"{shop.account} wrong")
    assert row["data"] == ACCOUNT | {"node": "wrong", "ahead_s": 62}


async def test_an_event_that_no_table_knows(shop: Shop) -> None:
    subject = uuid4()
    made = await shop.put("strays", machine="order", subject_id=subject, state="paid",
                          event="DECLINED", at=BEGAN)  # fmt: skip
    row = await only(shop, "stray", "operator", subject=str(made["id"]))
    assert row["data"] == {
        "merchant": "asha", "machine": "order", "id": str(subject), "state": "paid",
        "event": "DECLINED",
    }  # fmt: skip


async def test_books_that_disagree_until_a_person_closes_them(shop: Shop) -> None:
    unit, refund = uuid4(), uuid4()
    wants = {"kind": "refunded_twice", "capture_id": shop.capture, "fulfillment_id": unit,
             "refund_id": refund, "amount_minor": 700, "at": BEGAN}  # fmt: skip
    await shop.put("discrepancies", **wants | {"closed_at": NOW, "fulfillment_id": uuid4()})
    made = await shop.put("discrepancies", **wants)
    row = await only(shop, "refunded_twice", "merchant", subject=str(made["id"]),
                     amount_minor=700, currency="INR")  # fmt: skip
    assert row["data"] == MONEY | {"unit": str(unit), "refund": str(refund)}


async def test_a_dispute_that_is_open(shop: Shop) -> None:
    wants = {
        "account_id": shop.account, "capture_id": shop.capture, "amount_minor": 800,
        "currency": "EUR", "reason": "not received", "opened_at": BEGAN,
    }  # fmt: skip
    for stage in ("won", "lost"):
        await shop.put("disputes", gateway_dispute_id=stage, stage=stage, **wants)
    made = await shop.put("disputes", gateway_dispute_id="d1", stage="open", **wants)
    row = await only(shop, "dispute_open", "merchant", subject=str(made["id"]), amount_minor=800,
                     currency="EUR")  # fmt: skip
    assert row["data"] == MONEY | {"reason": "not received", "dispute": "d1"}


async def test_a_unit_that_its_way_of_selling_leaves_to_a_person(shop: Shop) -> None:
    order = uuid4()
    wants = {
        "capture_id": shop.capture, "order_id": order, "outlet_id": "K01", "amount_minor": 1500,
        "state": "in_doubt", "person_since": BEGAN, "due_at": NOW, "hard_deadline": NOW + HOUR,
    }  # fmt: skip
    for odd in odds(
        {"person_since": None}, {"settlement": "fulfilled", "basis": "person_said"},
    ):  # fmt: skip
        await shop.put("fulfillments", **wants | odd)
    assert await shop.wanting() == []
    made = await shop.put("fulfillments", **wants)
    row = await only(shop, "handover_unknown", "merchant", subject=str(made["id"]),
                     amount_minor=1500, currency="INR")  # fmt: skip
    assert row["data"] == MONEY | {
        "order": str(order), "unit": str(made["id"]), "machine": "K01",
        "ends_by": (NOW + HOUR).isoformat(),
    }  # fmt: skip


async def test_a_machine_that_floods_is_one_case_since_it_began(shop: Shop) -> None:
    for journal, refused in (("calm", None), ("late", NOW), ("first", BEGAN)):
        await shop.put("device_journals", outlet_id="M01", journal_id=journal, refused_at=refused)
    row = await only(shop, "machine_floods", "operator", subject="M01")
    assert row["data"] == {"merchant": "asha", "machine": "M01"}
    await shop.put("device_journals", outlet_id="M02", journal_id="first", refused_at=NOW)
    assert sorted(row["subject"] for row in await shop.wanting()) == ["M01", "M02"]
