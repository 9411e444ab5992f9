"""What the statements about a machine's own counts find. Each case differs in one thing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.telemetry import store
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, HOUR = timedelta(microseconds=1), timedelta(hours=1)
UNIT = UUID(int=1)
SOLD: dict[str, dict[str, Any]] = {
    "fulfillments": {"id": UNIT, "outlet_id": "M01", "state": "fulfilled", "slot": "A1",
                     "settlement": "fulfilled", "basis": "evidence", "amount_minor": 4000,
                     "settled_at": NOW},
}  # fmt: skip
ONE_SOLD = {"slot": "A1", "vends": 1, "minor": 4000, "unsure": 0}
HOURS = (NOW.replace(minute=0, second=0, microsecond=0) - HOUR, NOW)

STATEMENTS = (
    Asked("what a slot costs", store.PRICES, ("M01",),
          {"slots": {"outlet_id": "M01", "slot": "A1", "price_minor": 4000}},
          ({"$1": "M02"}, {"slots.outlet_id": "M02"}), (), {"slot": "A1", "price_minor": 4000}),
    Asked("what was sold by slot", store.SOLD_BY_SLOT, ("M01", NOW - HOUR, NOW), SOLD,
          ({"$1": "M02"}, {"$2": NOW}, {"$3": NOW - MOMENT}, {"fulfillments.outlet_id": "M02"}),
          ({"$2": None}, {"$2": NOW - MOMENT}), ONE_SOLD,
          (({"fulfillments.settlement": "refund_due", "fulfillments.basis": "policy",
             "fulfillments.state": "refund_due"}, {"vends": 0, "minor": 0, "unsure": 1}),
           ({"fulfillments.settlement": "refund_due", "fulfillments.basis": "evidence",
             "fulfillments.state": "refund_due"}, {"vends": 0, "minor": 0, "unsure": 0}))),
    Asked("what was sold by hour", store.SOLD_BY_HOUR, ("M01", *HOURS), SOLD, (), (),
          [{"sold": 0}, {"sold": 1}],
          (({"$1": "M02"}, [{"sold": 0}, {"sold": 0}]),
           ({"fulfillments.settled_at": HOURS[0]}, [{"sold": 1}, {"sold": 0}]),
           ({"fulfillments.settled_at": HOURS[0] + HOUR}, [{"sold": 0}, {"sold": 1}]),
           ({"fulfillments.settled_at": HOURS[0] + HOUR - MOMENT}, [{"sold": 1}, {"sold": 0}]),
           ({"fulfillments.settlement": "refund_due", "fulfillments.state": "refund_due"},
            [{"sold": 0}, {"sold": 0}]))),
)  # fmt: skip


@pytest.mark.parametrize("asked", [STATEMENTS])
async def test_each_statement_of_a_machines_own_counts_finds_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    wrong = await mistaken(rows, asked)
    assert wrong == [], "\n".join(wrong)
