"""What the statements about readings, logs and days of a machine write and find. Each case differs
in one thing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.telemetry import store
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, MINUTE, DAY = timedelta(microseconds=1), timedelta(minutes=1), timedelta(days=1)
QUARTER = timedelta(seconds=900)
ASHA = UUID(int=3)
TODAY = NOW.replace(hour=0)
SAYS: dict[str, Any] = {
    "temperature_c": 4.0, "door_open": False, "reset_reason": "power", "free_heap": 1000,
    "journal_used": 5, "rssi": -60, "firmware": "1.0", "config_version": 3, "uptime_s": 60,
    "counters": {"sales": 7},
}  # fmt: skip
HEARD = (["M01"], [NOW], [SAYS], 5 * MINUTE)
OUTLET: dict[str, Any] = {"id": "M01", "merchant_id": ASHA, "kind": "vending",
                          "dialect": "leased"}  # fmt: skip
BEFORE: dict[str, Any] = {
    "outlet_id": "M01", "merchant_id": ASHA, "at": NOW - MINUTE, "temperature_c": 3.0,
    "temperature_at": NOW - MINUTE, "rssi": -70, "sampled_at": NOW - MINUTE, "uptime_s": 10,
}  # fmt: skip
LOCKS: dict[str, Any] = {"food_lock": {"limit_c": 5, "warm_s": 900, "grace_s": 0, "silent_s": 900}}
WARM: dict[str, dict[str, Any]] = {
    "outlets": {**OUTLET, "device_config": LOCKS},
    "machine_health": {**BEFORE, "temperature_c": 9.0, "warm_since": NOW - QUARTER},
}
TOLD_WARM = (["M01"], [NOW], [SAYS | {"temperature_c": 9.0}], 5 * MINUTE)
HEALTH = "SELECT * FROM machine_health"
SAMPLES = "SELECT * FROM machine_samples ORDER BY span"
LINES = (["M01", "M01"], [NOW, NOW], [5, None], ["info", "error"], ["a", "b"], 2)
LOGS = "SELECT * FROM machine_logs ORDER BY id"
LOG_DAYS = "SELECT * FROM machine_log_days ORDER BY day"
SOLD: dict[str, dict[str, Any]] = {
    "unit_days": {"outlet_id": "M01", "day": (TODAY - DAY).date(), "sold": 3, "sku": "a"}
}
ON_DAYS = ("M01", (TODAY - DAY).date(), "day", NOW)
NONE_SOLD = [{"at": TODAY - DAY, "sold": 0}, {"at": TODAY, "sold": 0}]

READINGS = (
    Asked("what a machine says of itself", store.TAKE_READINGS, HEARD, {"outlets": OUTLET},
          ({"outlets.id": "M02"}, {"outlets.decommissioned_at": NOW}), (),
          {"outlet_id": "M01", "merchant_id": ASHA, "at": NOW, "temperature_at": NOW,
           "warm_since": None, "grace_until": None, "sampled_at": NOW, "low": 4.0, "high": 4.0,
           "sum_c": 4.0, "readings_c": 1, "doors": False, "restarts": [], **SAYS},
          (({"$3": [{"rssi": -50}]}, {"rssi": -50, "temperature_c": None, "readings_c": 0}),
           ({"$3": [SAYS | {"low": 1, "high": 8, "opened": True}]},
            {"low": 1.0, "high": 8.0, "doors": True, "grace_until": None}),
           ({"outlets.device_config": LOCKS, "$3": [SAYS | {"temperature_c": 5.5}]},
            {"warm_since": NOW}),
           ({"outlets.device_config": LOCKS, "$3": [SAYS | {"opened": True}]},
            {"warm_since": None, "grace_until": NOW})),
          after=HEALTH),
    Asked("a newer word beside one before", store.TAKE_READINGS, HEARD,
          {"outlets": OUTLET, "machine_health": BEFORE}, (), (),
          {"at": NOW, "temperature_c": 4.0, "rssi": -60, "uptime_s": 60, "restarts": [],
           "heard_s": 60.0, "sampled_at": NOW},
          (({"machine_health.at": NOW}, {"temperature_c": 3.0, "at": NOW}),
           ({"$3": [{"rssi": -50}]}, {"temperature_c": 3.0, "temperature_at": NOW - MINUTE}),
           ({"machine_health.uptime_s": 61}, {"restarts": [NOW]}),
           ({"$4": MINUTE - MOMENT}, {"heard_s": 0.0}),
           ({"machine_health.sampled_at": NOW, "machine_health.heard_s": 9},
            {"heard_s": 69.0})),
          after=HEALTH),
    Asked("a machine that is too warm for too long", store.TAKE_READINGS, TOLD_WARM, WARM,
          ({"machine_health.warm_since": NOW - QUARTER + MOMENT},
           {"machine_health.grace_until": NOW + MOMENT}, {"machine_health.warm_since": None},
           {"machine_health.outlet_id": "M02"}, {"outlets.device_config": {}}),
          ({"machine_health.grace_until": NOW}, {"$3": [SAYS]}), {"locked": "M01"}),
    Asked("one that is locked is told once", store.TAKE_READINGS, TOLD_WARM,
          {**WARM, "outlet_stops": {"outlet_id": "M01", "why": "food_lock", "until": NOW}},
          ({"outlet_stops.until": None},),
          ({"outlet_stops.why": "update", "outlet_stops.until": None},), {"locked": "M01"}),
    Asked("samples of what was gathered", store.TAKE_READINGS, HEARD,
          {"outlets": OUTLET,
           "machine_health": {**BEFORE, "sampled_at": NOW - MOMENT, "low": 2, "high": 6,
                              "sum_c": 8, "readings_c": 2, "heard_s": 50}},
          ({"machine_health.sampled_at": NOW}, {"machine_health.outlet_id": "M02"}), (),
          [{"span": 300, "at": NOW - 5 * MINUTE, "low": 2.0, "high": 6.0, "sum_c": 8.0,
            "readings_c": 2, "heard_s": 50.0, "rssi": -70},
           {"span": 3600, "at": NOW - 60 * MINUTE}, {"span": 86400, "at": TODAY}],
          after=SAMPLES),
    Asked("what a machine counts", store.TAKE_READINGS, HEARD, {"outlets": OUTLET},
          ({"outlets.decommissioned_at": NOW}, {"$3": [{"counters": {}}]}, {"$3": [{"rssi": 1}]}),
          (), {"outlet_id": "M01", "merchant_id": ASHA, "sales": 7, "told_at": NOW},
          after="SELECT * FROM machine_counters"),
    Asked("lines of a log", store.TAKE_LOG_LINES, LINES, {"outlets": OUTLET},
          ({"outlets.id": "M02"},), (),
          [{"outlet_id": "M01", "merchant_id": ASHA, "at": NOW, "mono_ms": 5, "level": "info",
            "text": "a"},
           {"level": "error", "text": "b", "mono_ms": None}],
          (({"$6": 1}, [{"text": "a"}]), ({"$6": 1, "$2": [NOW, NOW + DAY]},
                                          [{"text": "a"}, {"text": "b"}])),
          after=LOGS),
    Asked("lines after others of the day", store.TAKE_LOG_LINES, LINES,
          {"outlets": OUTLET,
           "machine_log_days": {"outlet_id": "M01", "day": TODAY.date(), "lines": 1}}, (), (),
          {"take_log_lines": 1},
          (({"$6": 3}, {"take_log_lines": 0}), ({"machine_log_days.lines": 2},
                                               {"take_log_lines": 2}),
           ({"machine_log_days.day": (TODAY - DAY).date()}, {"take_log_lines": 0}),
           ({"machine_log_days.outlet_id": "M02"}, {"take_log_lines": 0}))),
    Asked("how many lines a day has", store.TAKE_LOG_LINES, LINES,
          {"outlets": OUTLET, "machine_log_days": {"outlet_id": "M01", "day": TODAY.date(),
                                                   "lines": 1, "left_out": 4}}, (), (),
          {"lines": 2, "left_out": 5},
          (({"$6": 9}, {"lines": 3, "left_out": 4}),
           ({"machine_log_days": ...}, {"lines": 2, "left_out": 0}),
           ({"machine_log_days": ..., "$6": 1}, {"lines": 1, "left_out": 1})),
          after=LOG_DAYS),
    Asked("what was sold by day", store.SOLD_BY_DAY, ON_DAYS, SOLD, (), (),
          [{"at": TODAY - DAY, "sold": 3}, {"at": TODAY, "sold": 0}],
          (({"$1": "M02"}, NONE_SOLD), ({"unit_days.outlet_id": "M02"}, NONE_SOLD),
           ({"unit_days.day": (TODAY - 2 * DAY).date()}, NONE_SOLD),
           ({"unit_days.day": TODAY.date()},
            [{"at": TODAY - DAY, "sold": 0}, {"at": TODAY, "sold": 3}]),
           ({"$2": TODAY.date()}, [{"at": TODAY, "sold": 0}]),
           ({"$4": TODAY - MOMENT}, [{"at": TODAY - DAY, "sold": 3}]),
           ({"$3": "month"}, [{"at": TODAY.replace(day=1), "sold": 3}]))),
    Asked("what was sold of several products", store.SOLD_BY_DAY, ON_DAYS,
          {**SOLD, "unit_days 2": {**SOLD["unit_days"], "sku": "b", "sold": 4}}, (), (),
          [{"sold": 7}, {"sold": 0}]),
)  # fmt: skip


@pytest.mark.parametrize("asked", [READINGS])
async def test_each_statement_of_readings_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    wrong = await mistaken(rows, asked)
    assert wrong == [], "\n".join(wrong)
