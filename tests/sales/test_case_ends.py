"""What ends with a case that a person closes, over rows of which one thing differs from it; and
where a case says that its money is."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.sales.by_hand import NOW, Rows

ASHA, ACCOUNT, OTHER, CAPTURE, PAYMENT = (UUID(int=n) for n in (1, 2, 3, 4, 5))
LATER = NOW + timedelta(seconds=1)


@pytest.fixture
async def rows(rows: Rows) -> Rows:
    await rows.put("merchants", id=ASHA, slug="asha")
    for account, slug in ((ACCOUNT, "one"), (OTHER, "other")):
        await rows.put("gateway_accounts", id=account, merchant_id=ASHA, gateway="mock", slug=slug)
    return rows


async def case(rows: Rows, kind: str, subject: str, **more: Any) -> int:
    made = await rows.put(
        "cases",
        **{"merchant_id": ASHA, "kind": kind, "subject": subject, "source": "state",
           "owner": "operator", **more},
    )  # fmt: skip
    return int(made["id"])


async def close(rows: Rows, case_id: int) -> bool:
    done: bool = await rows.conn.fetchval(
        "SELECT close_case($1, 'asha', 'closed', 'seen', $2)", case_id, LATER
    )
    return done


async def webhook(rows: Rows, **more: Any) -> int:
    made = await rows.put(
        "inbox",
        **{"merchant_id": ASHA, "account_id": ACCOUNT, "verdict": "genuine", "event": "paid",
           "due_at": NOW, "leased_until": NOW, **more},
    )  # fmt: skip
    return int(made["id"])


async def ended(rows: Rows) -> list[int]:
    found = await rows.conn.fetch(
        "SELECT id FROM inbox WHERE worked_at = $1 AND due_at IS NULL AND leased_until IS NULL"
        " AND lease = 1 AND ended_by = 'asha' ORDER BY id", LATER,
    )  # fmt: skip
    return [row["id"] for row in found]


async def test_the_webhook_of_a_case_ends_with_it_and_no_other(rows: Rows) -> None:
    own, _ = await webhook(rows), await webhook(rows)
    number = await case(rows, "webhook_not_worked", str(own))
    another = await case(rows, "webhook_not_worked", str(own), since=LATER)
    assert await close(rows, number)
    assert await ended(rows) == [own]
    first = await rows.conn.fetchrow("SELECT * FROM cases WHERE id = $1", number)
    assert first is not None
    assert (first["closed_at"], first["closed_by"], first["how"], first["note"]) == (
        LATER, "asha", "closed", "seen",
    )  # fmt: skip
    assert not await close(rows, number), "it is closed already"
    assert await rows.conn.fetchval("SELECT closed_at FROM cases WHERE id = $1", another) is None


@pytest.mark.parametrize("more", [{"verdict": "forged"}, {"worked_at": NOW}])
async def test_what_was_worked_or_forged_is_left_as_it_is(rows: Rows, more: dict[str, Any]) -> None:
    own = await webhook(rows, **more)
    assert await close(rows, await case(rows, "webhook_not_worked", str(own)))
    assert await ended(rows) == []


async def test_all_webhooks_of_one_kind_end_with_their_case(rows: Rows) -> None:
    unread = {"verdict": "unreadable", "event": "odd", "ours": True}
    own = [await webhook(rows, **unread), await webhook(rows, **unread)]
    await webhook(rows, **{**unread, "event": "else"})
    await webhook(rows, **{**unread, "event": None})
    await webhook(rows, **{**unread, "account_id": OTHER})
    await webhook(rows, event="odd")
    await webhook(rows, **unread, worked_at=NOW)
    assert await close(rows, await case(rows, "webhook_not_read", f"{ACCOUNT} odd"))
    assert await ended(rows) == own


async def test_webhooks_without_a_name_end_with_theirs(rows: Rows) -> None:
    nameless = await webhook(rows, verdict="unreadable", event=None, ours=True)
    await webhook(rows, verdict="unreadable", event="odd", ours=True)
    assert await close(rows, await case(rows, "webhook_not_read", f"{ACCOUNT} "))
    assert await ended(rows) == [nameless]


async def test_a_case_of_another_kind_ends_no_webhook(rows: Rows) -> None:
    own = await webhook(rows)
    assert await close(rows, await case(rows, "refund_owed", str(own)))
    assert await ended(rows) == []


async def test_the_discrepancy_of_a_case_ends_with_it_and_no_other(rows: Rows) -> None:
    async def discrepancy(**more: Any) -> int:
        made = await rows.put(
            "discrepancies",
            **{"merchant_id": ASHA, "kind": "refunded_twice", "capture_id": CAPTURE, **more},
        )
        return int(made["id"])

    own = await discrepancy()
    await discrepancy(capture_id=OTHER)
    closed = await discrepancy(capture_id=PAYMENT, closed_at=NOW, closed_by="boris")
    assert await close(rows, await case(rows, "capture_amount_changed", str(own)))
    assert await close(rows, await case(rows, "refunded_twice", str(closed)))
    assert await rows.conn.fetch("SELECT FROM discrepancies WHERE closed_by = 'asha'") == []
    assert await close(rows, await case(rows, "refunded_twice", str(own)))
    (found,) = await rows.conn.fetch("SELECT * FROM discrepancies WHERE closed_by = 'asha'")
    assert (found["id"], found["closed_at"]) == (own, LATER)


async def where(rows: Rows, what: str, key: UUID) -> Any:
    return await rows.conn.fetchval(f"SELECT {what}($1)", key)


async def test_a_case_says_where_its_money_is(rows: Rows) -> None:
    place = {"merchant": "asha", "gateway": "mock", "account": "one"}
    assert await where(rows, "of_account", ACCOUNT) == place
    await rows.put("payments", id=PAYMENT, merchant_id=ASHA, state="processing", source="api",
                   reference="r-7", amount_minor=5)  # fmt: skip
    told = {"merchant": "asha", "payment": str(PAYMENT), "reference": "r-7"}
    assert await where(rows, "of_payment", PAYMENT) == told
    tried = {"merchant_id": ASHA, "payment_id": PAYMENT, "state": "failed", "key": "a"}
    await rows.put("attempts", **tried, account_id=ACCOUNT, number=1, reference="s_1")
    assert await where(rows, "of_payment", PAYMENT) == {
        **told, **place, "gateway_payment_id": "s_1",
    }  # fmt: skip
    newest = {**tried, "key": "b", "account_id": OTHER, "number": 2}
    await rows.put("attempts", **newest, reference="s_2", gateway_payment_id="pay_2")
    await rows.put("attempts", **{**newest, "key": "c", "payment_id": OTHER}, reference="s_3")
    assert await where(rows, "of_payment", PAYMENT) == {
        **told, **place, "account": "other", "gateway_payment_id": "pay_2",
    }  # fmt: skip


async def test_a_case_of_a_capture_names_what_the_api_names(rows: Rows) -> None:
    place = {"merchant": "asha", "gateway": "mock", "account": "one", "gateway_payment_id": "p"}
    order = UUID(int=9)
    await rows.put("captures", id=CAPTURE, merchant_id=ASHA, account_id=ACCOUNT,
                   gateway_payment_id="p")  # fmt: skip
    assert await where(rows, "of_capture", CAPTURE) == place
    await rows.conn.execute("UPDATE captures SET order_id = $1, payment_id = $2", order, PAYMENT)
    assert await where(rows, "of_capture", CAPTURE) == {**place, "order": str(order)}
    paid = {"merchant_id": ASHA, "state": "succeeded", "amount_minor": 5}
    await rows.put("payments", id=OTHER, source="api", **paid)
    await rows.put("payments", id=PAYMENT, source="order", order_id=order, **paid)
    assert await where(rows, "of_capture", CAPTURE) == {**place, "order": str(order)}
    await rows.conn.execute(
        "UPDATE payments SET source = 'api', order_id = NULL WHERE id = $1", PAYMENT
    )
    assert await where(rows, "of_capture", CAPTURE) == {
        **place, "order": str(order), "payment": str(PAYMENT),
    }  # fmt: skip


async def test_outside_money_that_is_used_up_ends_what_disagreed_about_it(rows: Rows) -> None:
    async def held(**more: Any) -> int:
        await rows.conn.execute("BEGIN")
        await rows.put("captures", **{
            "id": CAPTURE, "merchant_id": ASHA, "account_id": ACCOUNT, "open": 0,
            "refund_due": 5000, "outside": 5000, "outside_used": 5000,
            **{k: v for k, v in more.items() if k == "outside_used"},
        })  # fmt: skip
        await rows.put("discrepancies", **{
            "merchant_id": ASHA, "kind": "refunded_outside_and_handed_over",
            "capture_id": CAPTURE, **{k: v for k, v in more.items() if k != "outside_used"},
        })  # fmt: skip
        await rows.conn.execute("SELECT close_refunded_outside($1, 'asha', $2)", CAPTURE, LATER)
        count: int = await rows.conn.fetchval(
            "SELECT count(*) FROM discrepancies WHERE closed_by = 'asha' AND closed_at = $1", LATER
        )
        await rows.conn.execute("ROLLBACK")
        return count

    assert await held() == 1
    for other in ({"outside_used": 4999}, {"kind": "refunded_twice"}, {"capture_id": OTHER},
                  {"closed_at": NOW, "closed_by": "boris"}):  # fmt: skip
        assert await held(**other) == 0, other
