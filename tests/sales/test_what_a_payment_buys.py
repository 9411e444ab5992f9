"""What `pay_placed` says of money that came for an order, what becomes of the order, and what
`make_refund` takes over from the refund that it follows: over rows of which one thing differs."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, SECOND = timedelta(microseconds=1), timedelta(seconds=1)
ASHA, ACCOUNT, PAYMENT, ATTEMPT, CAPTURE, ORDER, LINE, REFUND, PART, OTHER, BEFORE = (
    UUID(int=n) for n in range(1, 12)
)
Row = dict[str, Any]

PLACED: Row = {
    "id": ORDER, "merchant_id": ASHA, "outlet_id": "M01", "state": "placed", "source": "page",
    "amount_minor": 4000, "expires_at": NOW + SECOND, "due_at": NOW + SECOND,
}  # fmt: skip
CAME: Row = {
    "id": CAPTURE, "merchant_id": ASHA, "account_id": ACCOUNT, "captured": 4000,
    "captured_at": NOW, "gateway_payment_id": "pay_1",
}  # fmt: skip
SALE: dict[str, Row] = {
    "orders": PLACED, "captures": CAME,
    "payments": {"id": PAYMENT, "order_id": ORDER, "state": "requires_action",
                 "amount_minor": 4000},
    "attempts": {"id": ATTEMPT, "payment_id": PAYMENT, "account_id": ACCOUNT, "state": "pending",
                 "way": "code"},
    "outlets": {"id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt",
                "dialect": "leased"},
    "slots": {"outlet_id": "M01", "slot": "A1", "stock": 1, "price_minor": 4000},
    "order_lines": {"id": LINE, "order_id": ORDER, "slot": "A1", "quantity": 1,
                    "price_minor": 4000},
    "gateway_accounts": {"id": ACCOUNT, "merchant_id": ASHA, "test_only": False},
}  # fmt: skip
# Rows of others beside them, which decide nothing.
BESIDE: dict[str, Row] = {
    "orders 2": {**PLACED, "id": OTHER, "token": "other", "state": "expired"},
    "captures 2": {**CAME, "id": OTHER, "gateway_payment_id": "pay_2"},
    "payments 2": {**SALE["payments"], "id": OTHER, "order_id": OTHER},
    "attempts 2": {**SALE["attempts"], "id": OTHER, "payment_id": OTHER, "retired_at": NOW,
                   "key": "theirs"},
    "outlets 2": {**SALE["outlets"], "id": "M02", "kind": "else"},
    "slots 2": {**SALE["slots"], "slot": "A2", "withheld_at": NOW},
    "slots 3": {**SALE["slots"], "outlet_id": "M02", "withheld_at": NOW},
    "order_lines 2": {**SALE["order_lines"], "id": OTHER, "order_id": OTHER, "slot": "A2"},
}  # fmt: skip
SOLD = {**BESIDE, **SALE}
PAY = f"SELECT pay_placed(c, $1, $2, $3) AS became FROM captures c WHERE id = '{CAPTURE}'"
WINDOWS = {"dispatch_s": 9, "capture_s": 60}
TOLD = f"""
SELECT c.reason, o.state, ARRAY(SELECT e.event FROM events e WHERE e.subject_id = o.id
    AND e.machine = 'order' ORDER BY e.seq) AS told, c.order_id, c.payment_id,
    a.state AS attempt, (SELECT order_id FROM captures WHERE id = '{OTHER}') AS beside
FROM captures c, orders o, attempts a
WHERE c.id = '{CAPTURE}' AND o.id = '{ORDER}' AND a.id = '{ATTEMPT}'
"""
WITHHELD = {"slots.withheld_at": NOW}
LATE = {"orders.expires_at": NOW}
CHANGED = {"attempts.retired_at": NOW}


def kept(reason: str, **differs: Any) -> tuple[Row, Row]:
    """The order is as it was."""
    return differs, {"reason": reason, "state": "placed", "told": []}


def ended(reason: str, *changes: Row) -> tuple[Row, Row]:
    """The order ends with it."""
    differs = {name: value for change in changes for name, value in change.items()}
    return differs, {"reason": reason, "state": "expired", "told": ["DEADLINE", "PAID"],
                     "order_id": ORDER, "payment_id": PAYMENT}  # fmt: skip


BOUGHT = (
    Asked("money that buys", PAY, (ATTEMPT, WINDOWS, NOW), SOLD, (),
          ({"orders.expires_at": NOW + MOMENT}, {"attempts.retired_at": NOW + MOMENT},
           {"slots.withheld_at": NOW + MOMENT}), {"became": "paid"}),
    Asked("money that buys nothing", PAY, (ATTEMPT, WINDOWS, NOW), SOLD, (), (),
          {"reason": None, "state": "paid", "order_id": ORDER, "payment_id": PAYMENT,
           "attempt": "succeeded"},
          [
              ({"attempts.key": "k", "captures.outside": 1}, {"attempt": "succeeded"}),
              ({"captures.outside": 1}, {"attempt": "pending", "beside": None}),
              ended("not_sold_here", {"outlets.kind": "else"}, {"slots.stock": 0}),
              ended("order_expired", LATE), ended("slot_withheld", WITHHELD),
              ended("slot_withheld", WITHHELD, {"attempts.retired_at": NOW + MOMENT}),
              ended("order_expired", WITHHELD, LATE), ended("order_expired", CHANGED, LATE),
              ended("sold_out", {"slots.stock": 0}),
              ended("not_sold_here", {"outlets.kind": "else"}),
              ended("practice_machine", {"outlets.channel": "practice"}),
              ({**CHANGED}, {"reason": "way_changed", "state": "placed", "told": []}),
              ({**CHANGED, **WITHHELD}, {"reason": "way_changed", "state": "placed", "told": []}),
              ({"captures.captured": 4001, "captures.open": 4001},
               {"reason": "amount_mismatch", "state": "placed", "told": [], "order_id": ORDER}),
              ({"captures.currency": "USD"}, {"reason": "amount_mismatch", "state": "placed"}),
              ({"captures.outside": 1}, {"reason": "refunded_outside", "state": "placed",
                                         "told": []}),
              ({"orders.state": "expired"}, {"reason": "order_expired", "state": "expired",
                                             "told": ["PAID"]}),
              ({"orders.state": "paid"}, {"reason": "paid_twice", "state": "paid",
                                          "told": ["PAID"]}),
          ], TOLD),
    Asked("money of a test account buys at a practice machine", PAY, (ATTEMPT, WINDOWS, NOW),
          {**SALE, "outlets": {**SALE["outlets"], "channel": "practice"},
           "gateway_accounts": {**SALE["gateway_accounts"], "test_only": True}}, (), (),
          {"became": "paid"}),
)  # fmt: skip

MADE = "SELECT make_refund(c, NULL, $1, 900, 'asked', $2, $3) FROM captures c"
FAILED: Row = {
    "id": BEFORE, "capture_id": CAPTURE, "origin": "ours", "state": "failed", "amount_minor": 900,
    "part_id": OTHER, "asked_reason": "it fell", "key": "k1",
}  # fmt: skip
BY_HAND: Row = {"id": REFUND, "order_id": ORDER, "made_by": "asha", "reason": "it stuck"}
FOLLOWS: dict[str, Row] = {
    "captures": CAME, "refunds": FAILED, "order_refunds": BY_HAND,
    "order_refund_parts": {"id": PART, "order_refund_id": REFUND, "fulfillment_id": OTHER,
                           "amount_minor": 900},
}  # fmt: skip
NEW = f"""
SELECT *, key ~ '^rf_[0-9a-f]{{32}}$' AS named FROM refunds WHERE id NOT IN ('{BEFORE}', '{OTHER}')
"""
AGAIN: Row = {**FAILED, "id": OTHER, "key": "k2", "part_id": None}
REFUNDS = (
    Asked("a refund of a part", MADE, (None, NOW, PART), FOLLOWS, (), (),
          {"part_id": PART, "asked_reason": "it stuck", "replaces": None, "amount_minor": 900,
           "named": True, "state": "pending", "origin": "ours", "due_at": NOW,
            "hard_deadline": NOW + 60 * SECOND,
           "reason": "asked", "capture_id": CAPTURE, "merchant_id": ASHA, "account_id": ACCOUNT},
          (({"order_refunds.id": OTHER}, {"asked_reason": None}),), NEW),
    Asked("a refund that follows one of a part", MADE, (BEFORE, NOW, None), FOLLOWS, (), (),
          {"part_id": OTHER, "asked_reason": "it fell", "replaces": BEFORE, "due_at": NOW},
          (({"$3": PART}, {"part_id": PART, "asked_reason": "it stuck"}),
           ({"$3": OTHER, "refunds.part_id": PART}, {"part_id": OTHER, "asked_reason": "it fell"})),
          NEW),
    Asked("when one fails after another", MADE, (BEFORE, NOW, None),
          {**FOLLOWS, "refunds 2": AGAIN}, (), (),
          {"due_at": NOW + 5 * SECOND, "hard_deadline": NOW + 65 * SECOND},
          [({"$1": None}, {"due_at": NOW}), *(({f"refunds 2.{name}": value}, {"due_at": NOW})
           for name, value in (("capture_id", OTHER), ("origin", "gateway"), ("state", "owed")))],
          NEW),
    Asked("when three have failed", MADE, (BEFORE, NOW, None),
          {**FOLLOWS, "refunds 2": AGAIN, "refunds 3": {**AGAIN, "id": PART, "key": "k3"}}, (), (),
          {"due_at": NOW + 10 * SECOND}, after=f"{NEW} AND id <> '{PART}'"),
    Asked("a refund waits ten minutes at most", MADE, (BEFORE, NOW, None),
          {**FOLLOWS, **{f"refunds {n}": {**AGAIN, "id": UUID(int=n), "key": f"k{n}"}
                         for n in range(100, 108)}}, (), (), {"due_at": NOW + 600 * SECOND},
          after="SELECT * FROM refunds WHERE state = 'pending'"),
    Asked("a refund is told", MADE, (None, NOW, PART), FOLLOWS, (), (),
          {"event": "INTENDED", "machine": "refund", "data": {"reason": "asked", "amount": 900},
           "merchant_id": ASHA, "at": NOW}, after="SELECT * FROM events"),
)  # fmt: skip


async def test_money_for_an_order_buys_or_says_why_not(rows: Rows) -> None:
    assert await mistaken(rows, BOUGHT) == []


async def test_a_refund_takes_over_part_and_reason_and_waits_longer_each_time(rows: Rows) -> None:
    assert await mistaken(rows, REFUNDS) == []
