"""What each statement about why a machine sells nothing finds and writes, and those of a machine's
health, its log and its own counts. Each case differs in one thing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from coinslot.telemetry import store as telemetry
from coinslot.vending import store as vending
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, SECOND, HOUR = timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1)
SOON, LATER, BEFORE = NOW + SECOND, NOW + 60 * SECOND, NOW - 60 * SECOND
ASHA, CHANDRA, THING, OTHER = (UUID(int=n) for n in range(1, 5))
Row = dict[str, Any]
STOPS = "SELECT * FROM outlet_stops ORDER BY outlet_id, why"

OUTLET: Row = {"id": "M01", "merchant_id": ASHA, "kind": "vending", "name": "Hall",
               "dialect": "leased", "device_config": {}}  # fmt: skip
STOP: Row = {"outlet_id": "M01", "why": "food_lock", "merchant_id": ASHA, "since": NOW,
             "returns_money": True}  # fmt: skip
SILENT: Row = {**STOP, "why": "no_answer", "until": BEFORE, "count": 1, "returns_money": False}
COLD: Row = {"outlet_id": "M01", "merchant_id": ASHA, "at": NOW, "temperature_at": NOW,
             "sampled_at": NOW}  # fmt: skip
LOCK = {"food_lock": {"limit_c": 5, "warm_s": 60, "grace_s": 60, "silent_s": 30}}
NO_LOCK: Row = {"outlets": OUTLET}
SAMPLE: Row = {"outlet_id": "M01", "span": 300, "at": NOW, "merchant_id": ASHA, "low": 3.0}
LINE: Row = {"id": 5, "outlet_id": "M01", "merchant_id": ASHA, "at": NOW, "level": "error",
             "text": "Motor 100% stuck"}  # fmt: skip
AUDIT: Row = {"id": THING, "outlet_id": "M01", "merchant_id": ASHA, "read_at": NOW, "digest": b"d",
              "found": {}}  # fmt: skip
UNIT: Row = {"id": THING, "outlet_id": "M01", "merchant_id": ASHA, "slot": "A1",
             "amount_minor": 4000, "state": "dispensed", "settlement": "fulfilled",
             "basis": "handed_over", "settled_at": NOW}  # fmt: skip

STOPPED_BY = f"SELECT * FROM ({vending.STOP}) s WHERE why IS NOT NULL"
STOPPED = (
    Asked("why a machine sells nothing now", STOPPED_BY, ("M01", NOW),
          {"outlets": OUTLET, "outlet_stops": STOP},
          ({"outlet_stops.outlet_id": "M02"}, {"outlet_stops.until": NOW}, {"$1": "M02"}),
          ({"outlet_stops.until": NOW + MOMENT}, {"outlet_stops.why": "maintenance"}),
          {"returns_money": True},
          (({"outlet_stops.returns_money": False}, {"returns_money": False}),)),
    Asked("a machine whose temperature nobody knows", STOPPED_BY, ("M01", NOW + 30 * SECOND),
          {"outlets": {**OUTLET, "device_config": LOCK}, "machine_health": COLD},
          ({"machine_health.temperature_at": NOW + MOMENT}, {"$2": NOW + 30 * SECOND - MOMENT},
           {"outlets.device_config": {}}),
          ({"machine_health": None}, {"machine_health.outlet_id": "M02"}),
          {"returns_money": True}),
    Asked("a machine that was too warm for too long", STOPPED_BY, ("M01", NOW),
          {"outlets": {**OUTLET, "device_config": LOCK},
           "machine_health": {**COLD, "warm_since": BEFORE}},
          ({"machine_health.warm_since": BEFORE + MOMENT},
           {"machine_health.grace_until": NOW + MOMENT}, {"machine_health.warm_since": None}),
          ({"machine_health.grace_until": NOW},)),
    Asked("the first offer without an answer", vending.UNANSWERED, ("M01", ASHA, NOW, 9, LATER),
          NO_LOCK, (), (),
          {"outlet_id": "M01", "why": "no_answer", "merchant_id": ASHA, "since": NOW, "until": NOW,
           "count": 1, "returns_money": False},
          (({"$4": 1}, {"until": LATER, "count": 1}),), STOPS),
    Asked("one more offer without an answer", vending.UNANSWERED, ("M01", ASHA, NOW, 3, LATER),
          {"outlet_stops": {**SILENT, "since": BEFORE}}, (), (),
          {"count": 2, "until": BEFORE, "since": BEFORE},
          (({"outlet_stops.count": 2}, {"count": 3, "until": LATER, "since": NOW}),
           ({"outlet_stops.count": 3}, {"count": 4, "until": LATER, "since": BEFORE}),
           ({"outlet_stops.outlet_id": "M02"}, [{"outlet_id": "M01", "count": 1},
                                                {"outlet_id": "M02", "count": 1}]),
           ({"outlet_stops.why": "food_lock"}, [{"why": "food_lock", "count": 1},
                                                {"why": "no_answer", "count": 1}])), STOPS),
    Asked("an answer ends the counting", vending.ANSWERED, ("M01", NOW),
          {"outlet_stops": {**SILENT, "until": LATER}}, (), (), {"count": 0, "until": NOW},
          (({"outlet_stops.outlet_id": "M02"}, {"count": 1, "until": LATER}),
           ({"outlet_stops.why": "food_lock"}, {"count": 1, "until": LATER}),
           ({"outlet_stops.count": 0}, {"count": 0, "until": LATER})), STOPS),
    Asked("a machine that says that it is too warm", vending.TOO_WARM, ("M01", NOW, LATER),
          NO_LOCK, ({"outlets.id": "M02"},), (),
          {"why": "food_lock", "merchant_id": ASHA, "since": NOW, "until": LATER,
           "returns_money": True, "data": {"by": "machine"}},
          (({"outlets.device_config": LOCK}, {"until": None}),), STOPS),
    Asked("a machine that says it again", vending.TOO_WARM, ("M01", NOW, LATER),
          {"outlets": OUTLET, "outlet_stops": {**STOP, "since": BEFORE, "until": NOW,
                                               "data": {"by": "server"}}}, (), (),
          {"since": NOW, "until": LATER, "data": {"by": "machine"}},
          (({"outlet_stops.until": SOON}, {"since": BEFORE, "until": LATER}),
           ({"outlet_stops.until": None}, {"since": BEFORE, "until": None,
                                           "data": {"by": "server"}}),
           ({"outlet_stops.why": "maintenance"}, [{"why": "food_lock"}, {"why": "maintenance"}])),
          STOPS),
)  # fmt: skip

OF_HEALTH = (
    Asked("the stops of a machine", telemetry.STOPS, ("M01", NOW), {"outlet_stops": STOP},
          ({"$1": "M02"}, {"outlet_stops.until": NOW}), ({"outlet_stops.until": NOW + MOMENT},),
          {"why": "food_lock"}),
    Asked("how a machine is", telemetry.HEALTH, ("M01", NOW),
          {"outlets": OUTLET, "machine_health": {**COLD, "firmware": "2", "config_version": 6,
                                                 "restarts": [NOW, NOW - HOUR]},
           "devices": {"outlet_id": "M01", "firmware": "1", "config_version": 5,
                       "last_seen_at": SOON}},
          ({"$1": "M02"},), (),
          {"machine": "M01", "at": NOW, "firmware": "2", "config_version": 6, "restarts": 1,
           "last_seen_at": SOON, "limit_c": None, "food_stop": None},
          (({"machine_health.outlet_id": "M02"}, {"at": None, "firmware": "1",
                                                  "config_version": 5}),
           ({"devices.outlet_id": "M02"}, {"firmware": "2", "last_seen_at": None}),
           ({"outlets.device_config": LOCK}, {"limit_c": 5.0, "food_stop": None}))),
    Asked("samples of a chart", telemetry.SAMPLES, ("M01", 300, NOW, LATER),
          {"machine_samples": SAMPLE, "machine_samples 2": {**SAMPLE, "at": SOON, "low": 4.0}},
          (), (), [{"at": NOW, "low": 3.0}, {"at": SOON, "low": 4.0}],
          (({"machine_samples.outlet_id": "M02"}, {"at": SOON}),
           ({"machine_samples.span": 3600}, {"at": SOON}),
           ({"machine_samples.at": NOW - MOMENT}, {"at": SOON}),
           ({"machine_samples 2.at": LATER}, {"at": NOW}))),
    Asked("lines of a log", telemetry.LOGS, ("M01", ["error"], r"motor 100\% s", 6, 10),
          {"machine_logs": LINE},
          ({"$1": "M02"}, {"machine_logs.level": "info"}, {"$3": r"100\%s"}, {"$4": 5}, {"$5": 0}),
          ({"$2": None}, {"$3": None}, {"$4": None}), {"id": 5}),
    Asked("the newest lines first", telemetry.LOGS, ("M01", None, None, None, 1),
          {"machine_logs": LINE, "machine_logs 2": {**LINE, "id": 6}}, (), (), {"id": 6}),
    Asked("lines that were left out", telemetry.LEFT_OUT, ("M01", NOW.date()),
          {"machine_log_days": {"outlet_id": "M01", "day": NOW.date(), "merchant_id": ASHA,
                                "left_out": 7}},
          (), (), {"coalesce": 7},
          (({"$1": "M02"}, {"coalesce": 0}),
           ({"$2": NOW.date() + timedelta(days=1)}, {"coalesce": 0}))),
    Asked("the row of a machine's health is held", telemetry.LOCK_HEALTH, ("M01",),
          {"machine_health": COLD}, ({"$1": "M02"},), locks=("machine_health",)),
    Asked("somebody looked at the food", telemetry.VISITED, ("M01", NOW),
          {"outlets": {**OUTLET, "device_config": LOCK},
           "machine_health": {**COLD, "warm_since": BEFORE, "grace_until": BEFORE}}, (), (),
          {"warm_since": None, "grace_until": LATER},
          (({"machine_health.outlet_id": "M02"}, {"warm_since": BEFORE}),
           ({"outlets.device_config": {}}, {"warm_since": None, "grace_until": None})),
          "SELECT * FROM machine_health"),
    Asked("a lock that a visit ends", telemetry.UNLOCK, ("M01", NOW), {"outlet_stops": STOP},
          ({"$1": "M02"}, {"outlet_stops.why": "maintenance"}, {"outlet_stops.until": NOW}),
          ({"outlet_stops.until": NOW + MOMENT},), {"data": {}}),
    Asked("a lock that was ended", telemetry.UNLOCK, ("M01", NOW), {"outlet_stops": STOP}, (), (),
          {"until": NOW}, (), STOPS),
)  # fmt: skip

OF_COUNTS = (
    Asked("counts that are kept", telemetry.KEEP_AUDIT, (OTHER, "M01", ASHA, NOW, b"d", {"a": 1}),
          {"machine_audits": AUDIT}, (), (), [],
          (({"machine_audits.digest": b"e"}, {"id": OTHER, "found": {"a": 1}}),
           ({"machine_audits.outlet_id": "M02"}, {"id": OTHER}),
           ({"machine_audits": None}, {"id": OTHER, "digest": b"d", "read_at": NOW}))),
    Asked("counts that were read before", telemetry.AUDIT_OF_DIGEST, ("M01", b"d"),
          {"machine_audits": AUDIT}, ({"$1": "M02"}, {"$2": b"e"}), (), {"id": THING}),
    Asked("the last counts of a machine", telemetry.AUDITS, ("M01", 1),
          {"machine_audits": AUDIT, "machine_audits 2": {**AUDIT, "id": OTHER, "digest": b"e"}},
          ({"$1": "M02"},), (), {"id": OTHER}),
    Asked("the counts before", telemetry.AUDIT_BEFORE, ("M01", OTHER), {"machine_audits": AUDIT},
          ({"$1": "M02"}, {"$2": THING}), (), {"id": THING}),
    Asked("what left a slot", telemetry.SOLD_BY_SLOT, ("M01", BEFORE, NOW), {"fulfillments": UNIT},
          ({"$1": "M02"}, {"$2": NOW}, {"$3": NOW - MOMENT}), (),
          {"slot": "A1", "vends": 1, "minor": 4000, "unsure": 0},
          (({"$2": None}, {"vends": 1}),
           ({"fulfillments.settlement": "refund_due", "fulfillments.basis": "policy"},
            {"vends": 0, "minor": 0, "unsure": 1}),
           ({"fulfillments.settlement": "refund_due", "fulfillments.basis": "never_sent"},
            {"vends": 0, "unsure": 0}))),
)  # fmt: skip


async def test_each_statement_about_stops_tells_its_rows_from_others(rows: Rows) -> None:
    wrong = await mistaken(rows, STOPPED)
    assert wrong == [], "\n".join(wrong)


async def test_each_statement_about_health_tells_its_rows_from_others(rows: Rows) -> None:
    wrong = await mistaken(rows, OF_HEALTH)
    assert wrong == [], "\n".join(wrong)


async def test_each_statement_about_counts_tells_its_rows_from_others(rows: Rows) -> None:
    wrong = await mistaken(rows, OF_COUNTS)
    assert wrong == [], "\n".join(wrong)
