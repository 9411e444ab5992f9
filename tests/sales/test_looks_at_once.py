"""What a message that nobody can read names is looked at at once: what waits of that account alone,
and nothing sooner that is due already."""

from datetime import timedelta
from uuid import UUID, uuid4

from tests.sales.by_hand import NOW, Rows

MINUTE = timedelta(minutes=1)
ACCOUNT, OTHER = UUID(int=1), UUID(int=2)
LATER, EARLIER = NOW + MINUTE, NOW - MINUTE


def own(table: str) -> dict[str, object]:
    """What no two rows may share."""
    return {"key" if table == "refunds" else "slot": str(uuid4())}


async def test_refunds_and_codes_that_wait_are_due_now(rows: Rows) -> None:
    wanted: dict[str, dict[str, dict[str, object]]] = {
        "refunds": {
            "by its name": {"gateway_refund_id": "rf_1"},
            "by its payment": {"capture_id": UUID(int=9)},
        },
        "qr_codes": {
            "a code": {"qr_code_id": "qr_1"},
            "one that nobody looks at": {"qr_code_id": "qr_2", "due_at": None},
        },
    }
    left: dict[str, dict[str, dict[str, object]]] = {
        "refunds": {
            "due before": {"due_at": EARLIER, "gateway_refund_id": "rf_2"},
            "of another account": {"account_id": OTHER, "gateway_refund_id": "rf_3"},
            "over": {"state": "succeeded", "gateway_refund_id": "rf_4"},
            "of another payment": {"capture_id": UUID(int=8)},
        },
        "qr_codes": {
            "due before": {"due_at": EARLIER, "qr_code_id": "qr_3"},
            "of another account": {"account_id": OTHER, "qr_code_id": "qr_4"},
            "of another name": {"qr_code_id": "qr_x"},
            "closed, and looked at no more": {"stage": "closed", "due_at": None,
                                              "qr_code_id": "qr_5"},
        },
    }  # fmt: skip
    mine = {"account_id": ACCOUNT, "due_at": LATER}
    plain: dict[str, dict[str, object]] = {
        "refunds": {**mine, "origin": "ours", "state": "pending"},
        "qr_codes": {**mine, "stage": "open"},
    }
    await rows.put("captures", id=UUID(int=8), gateway_payment_id="pay_2")
    await rows.put("captures", id=UUID(int=9), gateway_payment_id="pay_1")
    due = set()
    for table, named in wanted.items():
        for columns in left[table].values():
            await rows.put(table, **plain[table] | own(table) | columns)
        for columns in named.values():
            due.add((await rows.put(table, **plain[table] | own(table) | columns))["id"])
    names = ["pay_1", *(f"rf_{n}" for n in range(9)), *(f"qr_{n}" for n in range(9))]
    changes = await rows.changes(
        rows.conn.execute("SELECT look_at($1, $2, $3)", ACCOUNT, names, NOW), "refunds", "qr_codes"
    )
    changed = {key: row for table in changes.values() for key, row in table.items()}
    assert changed.keys() == due
    assert {row["due_at"] for row in changed.values()} == {NOW}
