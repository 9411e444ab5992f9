"""What the statements about a machine's counter and our ledger find and write. Each case differs in
one thing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.telemetry import store
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)
QUIET = timedelta(minutes=5)
UNIT, ANOTHER, ASHA = UUID(int=1), UUID(int=2), UUID(int=3)
SINCE = NOW - 3 * DAY
AT_REST: dict[str, dict[str, Any]] = {
    "outlets": {"id": "M01", "merchant_id": ASHA, "dialect": "leased"},
    "devices": {"outlet_id": "M01", "journal_id": "j", "mdb": False},
    "machine_counters": {"outlet_id": "M01", "sales": 105, "told_at": NOW},
    "counter_checks": {"outlet_id": "M01", "merchant_id": ASHA, "journal_id": "j", "sales": 100,
                       "vend": 0, "since": SINCE},
    "slot_vends": {"unit_id": UNIT, "outlet_id": "M01", "word": "fell", "at": NOW - QUIET},
}  # fmt: skip
NO_SUCH_VEND = 2**62
UNIT_OF_DOUBT: dict[str, Any] = {
    "id": ANOTHER, "outlet_id": "M01", "state": "refunded", "settlement": "refund_due",
    "basis": "policy", "sent_at": SINCE + HOUR, "settled_at": NOW - QUIET, "open": False,
}  # fmt: skip
CHECKED = "SELECT * FROM counter_checks"
BEGUN = {"machine_vends": 0, "our_vends": 0, "unsure": 0, "differs_since": None, "since": NOW,
         "sales": 105}  # fmt: skip
# What the machine counted since, by our ledger one fell.
OF_ONE, OF_TWO = {"machine_counters.sales": 101}, {"machine_counters.sales": 102}

STATEMENTS = (
    Asked("machines whose counter differs anew", store.CHECK_COUNTERS, (NOW, QUIET), AT_REST,
          ({"outlets.dialect": "simple"}, {"outlets.decommissioned_at": NOW},
           {"devices.outlet_id": "M02"}, {"devices.journal_id": None}, {"devices.mdb": True},
           {"machine_counters.outlet_id": "M02"}, {"machine_counters.sales": 0},
           {"machine_counters.told_at": NOW - DAY, "slot_vends.at": NOW - 2 * DAY},
           {"slot_vends.at": NOW - QUIET + MOMENT}, {"$2": QUIET + MOMENT},
           {"counter_checks": ...}, {"counter_checks.outlet_id": "M02"},
           {"counter_checks.journal_id": "k"}, {"counter_checks.sales": 106}, OF_ONE,
           OF_ONE | {"slot_vends.word": "may_have"},
           {"counter_checks.machine_vends": 5, "counter_checks.our_vends": 1,
            "counter_checks.differs_since": NOW - HOUR}),
          ({"machine_counters.told_at": NOW - DAY + MOMENT, "slot_vends.at": NOW - 2 * DAY},
           OF_ONE | {"slot_vends.word": "did_not"}, OF_ONE | {"slot_vends.outlet_id": "M02"},
           OF_ONE | {"counter_checks.vend": NO_SUCH_VEND}, {"machine_counters.sales": 100},
           {"counter_checks.machine_vends": 5, "counter_checks.our_vends": 2,
            "counter_checks.differs_since": NOW - HOUR}),
          {"outlet": "M01"}),
    Asked("nothing may be under way", store.CHECK_COUNTERS, (NOW, QUIET),
          AT_REST | {"fulfillments": UNIT_OF_DOUBT},
          ({"fulfillments.settled_at": NOW - QUIET + MOMENT}, {"fulfillments.open": True},
           {"fulfillments.settlement": None, "fulfillments.basis": None,
            "fulfillments.settled_at": None, "fulfillments.state": "started",
            "fulfillments.due_at": NOW},
           OF_TWO),
          (OF_TWO | {"fulfillments.basis": "vended"}, OF_TWO | {"fulfillments.outlet_id": "M02"},
           OF_TWO | {"fulfillments.settled_at": SINCE}, OF_TWO | {"fulfillments.id": UNIT},
           {"fulfillments.settled_at": NOW, "fulfillments.outlet_id": "M02"},
           {"fulfillments.settled_at": NOW, "fulfillments.sent_at": None}),
          {"outlet": "M01"}),
    Asked("what is kept of a comparison", store.CHECK_COUNTERS, (NOW, QUIET), AT_REST, (), (),
          {"outlet_id": "M01", "machine_vends": 5, "our_vends": 1, "unsure": 0,
           "differs_since": NOW, "since": SINCE, "sales": 100, "vend": 0, "journal_id": "j"},
          (({"slot_vends.word": "may_have"}, {"machine_vends": 5, "our_vends": 0, "unsure": 1}),
           ({"counter_checks.machine_vends": 5, "counter_checks.our_vends": 1,
             "counter_checks.differs_since": NOW - HOUR}, {"differs_since": NOW - HOUR}),
           ({"counter_checks.machine_vends": 5, "counter_checks.our_vends": 1,
             "counter_checks.unsure": 1, "counter_checks.differs_since": NOW - HOUR},
            {"differs_since": NOW, "unsure": 0}),
           ({"counter_checks.journal_id": "k"}, BEGUN | {"journal_id": "j"}),
           ({"counter_checks.sales": 106}, BEGUN),
           ({"counter_checks.sales": 104, "counter_checks.differs_since": NOW - HOUR}, BEGUN),
           ({"devices.mdb": True}, {"sales": 100, "differs_since": None, "since": SINCE})),
          after=CHECKED),
    Asked("a machine's counter and our ledger", store.COUNTER, ("M01",), AT_REST,
          ({"$1": "M02"}, {"counter_checks.outlet_id": "M02"}, {"machine_counters.sales": 99},
           {"machine_counters.outlet_id": "M02"}, {"devices.outlet_id": "M02"},
           {"devices.journal_id": "k"}, {"devices.mdb": True}), (),
          {"since": SINCE, "differs_since": None, "told_at": NOW, "machine_vends": 5,
           "our_vends": 1, "unsure": 0},
          (({"slot_vends.word": "may_have"}, {"our_vends": 0, "unsure": 1}),
           ({"slot_vends.outlet_id": "M02"}, {"our_vends": 0, "unsure": 0}),
           ({"counter_checks.vend": NO_SUCH_VEND}, {"our_vends": 0, "unsure": 0}),
           ({"counter_checks.differs_since": NOW}, {"differs_since": NOW}))),
)  # fmt: skip


@pytest.mark.parametrize("asked", [STATEMENTS])
async def test_each_statement_of_counters_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    wrong = await mistaken(rows, asked)
    assert wrong == [], "\n".join(wrong)
