"""What each statement about roll-outs finds and writes. Each case differs in one thing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.rollouts import store
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, SECOND = timedelta(microseconds=1), timedelta(seconds=1)
SOON, LATER, BEFORE = NOW + SECOND, NOW + 60 * SECOND, NOW - 60 * SECOND
ASHA, CHANDRA, KEY, BUILD, WAVE, ONE, TWO, OTHER = (UUID(int=n) for n in range(1, 9))
Row = dict[str, Any]

OF_KEY: Row = {"id": KEY, "merchant_id": ASHA, "name": "k", "public_key": b"k" * 32,
               "added_at": NOW}  # fmt: skip
OF_BUILD: Row = {"id": BUILD, "merchant_id": ASHA, "key_id": KEY, "build_version": "2.0",
                 "sequence": 5, "hardware": "esp32", "kind": "app", "size": 9,
                 "sha256": "a" * 64, "min_from": 2, "formats": [1, 2], "expires_at": LATER,
                 "manifest": "m", "signature": b"s" * 64}  # fmt: skip
OF_WAVE: Row = {"id": WAVE, "merchant_id": ASHA, "build_id": BUILD, "hardware": "esp32",
                "kind": "app", "state": "running", "rules": {"a": 1},
                "created_at": NOW}  # fmt: skip
UPDATE: Row = {"id": ONE, "merchant_id": ASHA, "rollout_id": WAVE, "outlet_id": "M01",
               "place": "p", "stage": 1, "state": "waiting", "created_at": NOW}  # fmt: skip
GONE_OUT: Row = {**UPDATE, "state": "installing", "go_at": NOW}
OUTLET: Row = {"id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt",
               "dialect": "leased", "zone": "Asia/Kolkata"}  # fmt: skip
DEVICE: Row = {"outlet_id": "M01", "merchant_id": ASHA, "hardware": "esp32", "build_sequence": 4,
               "firmware": "1.0", "boot_id": "b", "last_seen_at": NOW}  # fmt: skip
MERCHANT: Row = {"id": ASHA, "slug": "a", "zone": "UTC"}
BUILDS: Row = {"firmware_builds": OF_BUILD, "firmware_keys": OF_KEY}
WAVES: Row = {"rollouts": OF_WAVE, "firmware_builds": OF_BUILD}
REACHED: Row = {"machine_updates": UPDATE, "outlets": OUTLET, "devices": DEVICE,
                "merchants": MERCHANT}  # fmt: skip
STOP: Row = {"outlet_id": "M01", "why": "update", "merchant_id": ASHA, "since": BEFORE}
ROOM: Row = {**STOP, "why": "before_update", "until": SOON}
STOPS = "SELECT * FROM outlet_stops ORDER BY outlet_id, why"
UPDATES = "SELECT * FROM machine_updates ORDER BY id"

OF_BUILDS = (
    Asked("a key is retired once", store.RETIRE_KEY, (KEY, ASHA, SOON), {"firmware_keys": OF_KEY},
          ({"$1": OTHER}, {"$2": CHANDRA}, {"firmware_keys.retired_at": NOW}), (), {"name": "k"}),
    Asked("the keys of a merchant", store.KEYS, (ASHA,), {"firmware_keys": OF_KEY},
          ({"$1": CHANDRA},), ({"firmware_keys.retired_at": NOW},), {"id": KEY}),
    Asked("a build", f"{store.ADD_BUILD}, *",
          (OTHER, ASHA, KEY, "2.0", 5, "esp32", "app", 9, "a" * 64, 2, [1, 2], LATER, "m",
           b"s" * 64, "asha", NOW), {"firmware_builds": {**OF_BUILD, "sequence": 6}},
          ({"firmware_builds.sequence": 5},),
          tuple({"firmware_builds.sequence": 5, name: value} for name, value in (
              ("firmware_builds.merchant_id", CHANDRA), ("firmware_builds.hardware", "other"),
              ("firmware_builds.kind", "boot"))),
          {"id": OTHER, "merchant_id": ASHA, "key_id": KEY, "build_version": "2.0", "sequence": 5,
           "hardware": "esp32", "kind": "app", "size": 9, "sha256": "a" * 64, "min_from": 2,
           "formats": [1, 2], "expires_at": LATER, "manifest": "m", "signature": b"s" * 64,
           "uploaded_by": "asha", "uploaded_at": NOW}),
    Asked("a roll-out is a draft", f"{store.ADD_ROLLOUT} RETURNING *",
          (WAVE, ASHA, BUILD, "esp32", "app", {"a": 1}, ["M01"], "asha", NOW), {}, (), (),
          {"id": WAVE, "merchant_id": ASHA, "build_id": BUILD, "hardware": "esp32", "kind": "app",
           "rules": {"a": 1}, "machines": ["M01"], "created_by": "asha", "created_at": NOW,
           "state": "draft", "version": 1, "stage": 0, "started_at": None, "due_at": None},
          (({"$7": None}, {"machines": None}),)),
    Asked("the same build again", store.SAME_BUILD, (ASHA, "esp32", "app", 5, "m"),
          {"firmware_builds": OF_BUILD},
          ({"$1": CHANDRA}, {"$2": "other"}, {"$3": "boot"}, {"$4": 6}, {"$5": "n"}), (),
          {"id": BUILD}),
    Asked("builds", store.BUILDS, (ASHA, BUILD, 10), BUILDS,
          ({"$1": CHANDRA}, {"$2": OTHER}, {"$3": 0}), ({"$2": None},),
          {"id": BUILD, "version": "2.0", "journal_formats": [1, 2], "key": "k"}),
    Asked("the highest sequence that was given", store.HIGHEST, (ASHA, "esp32", "app"),
          {**WAVES, "machine_updates": GONE_OUT}, (), (), {"max": 5},
          tuple((one, {"max": None}) for one in (
              {"$1": CHANDRA}, {"$2": "other"}, {"$3": "boot"}, {"rollouts.build_id": OTHER},
              {"machine_updates.rollout_id": OTHER},
              {"machine_updates.go_at": None, "machine_updates.state": "waiting"}))),
    Asked("builds that machines keep", store.KEPT_BUILDS, (ASHA, "esp32", "app", ["M01"]),
          {"firmware_builds": OF_BUILD, "devices": {**DEVICE, "build_sequence": 5}},
          ({"$1": CHANDRA}, {"$2": "other"}, {"$3": "boot"}, {"$4": ["M02"]},
           {"devices.build_sequence": 4}, {"devices.hardware": "other"},
           {"firmware_builds.merchant_id": CHANDRA}), ({"$4": None},), {"formats": [1, 2]}),
)  # fmt: skip

OF_WAVES = (
    Asked("a roll-out, locked", store.LOCK_ROLLOUT, (WAVE, ASHA), WAVES,
          ({"$1": OTHER}, {"$2": CHANDRA}), (), {"id": WAVE, "sequence": 5, "min_from": 2},
          locks=("rollouts",)),
    Asked("whose roll-out", store.ROLLOUT_OF, (WAVE,), WAVES, ({"$1": OTHER},), (),
          {"merchant_id": ASHA}),
    Asked("roll-outs and their counts", store.ROLLOUTS, (ASHA, WAVE, 10),
          {**WAVES, "machine_updates": UPDATE},
          ({"$1": CHANDRA}, {"$2": OTHER}, {"$3": 0}), ({"$2": None},),
          {"id": WAVE, "counts": {"waiting": 1}},
          (({"machine_updates.rollout_id": OTHER}, {"counts": {}}),)),
    Asked("machines by stage", store.STAGES, (WAVE,), {"machine_updates": UPDATE},
          ({"$1": OTHER},), (), {"stage": 1, "state": "waiting", "machines": 1}),
    Asked("machines of a roll-out", store.MACHINES, (WAVE, "waiting", 10, NOW),
          {**REACHED, "outlet_stops": STOP},
          ({"$1": OTHER}, {"$2": "failed"}, {"$3": 0}, {"outlets.id": "M02"}), ({"$2": None},),
          {"machine": "M01", "firmware": "1.0", "off_sale": True},
          (({"outlet_stops.why": "food_lock"}, {"off_sale": False}),
           ({"outlet_stops.until": NOW}, {"off_sale": False}),
           ({"outlet_stops.outlet_id": "M02"}, {"off_sale": False}),
           ({"devices.outlet_id": "M02"}, {"firmware": None}))),
    Asked("a machine that sells nothing new", store.MACHINES, (WAVE, "verified", 10, NOW),
          {**REACHED, "machine_updates": {**UPDATE, "state": "verified"}, "outlet_stops": ROOM},
          (), (), {"off_sale": False, "off_sale_until": SOON},
          (({"outlet_stops.why": "update"}, {"off_sale_until": None}),
           ({"outlet_stops.until": NOW}, {"off_sale_until": None}),
           ({"outlet_stops.outlet_id": "M02"}, {"off_sale_until": None}))),
    Asked("machines that are new to it", store.NEW_MACHINES, (ASHA, WAVE, "esp32", ["M01"]),
          {"outlets": OUTLET, "devices": DEVICE},
          ({"$1": CHANDRA}, {"$3": "other"}, {"$4": ["M02"]}, {"outlets.kind": "counter"},
           {"outlets.dialect": "simple"}, {"outlets.channel": "practice"},
           {"outlets.decommissioned_at": NOW}, {"devices.outlet_id": "M02"}),
          ({"$4": None}, {"devices.hardware": None}), {"id": "M01"}),
    Asked("a machine that is in it already", store.NEW_MACHINES, (ASHA, WAVE, "esp32", None),
          {"outlets": OUTLET, "devices": DEVICE, "machine_updates": UPDATE}, (), (), [],
          (({"machine_updates.rollout_id": OTHER}, {"id": "M01"}),
           ({"machine_updates.outlet_id": "M02"}, {"id": "M01"}))),
    Asked("machines that are offered it now", store.TO_OFFER, (WAVE, 1, NOW), REACHED,
          ({"$1": OTHER}, {"machine_updates.state": "verified"}, {"$2": 0}, {"$3": NOW + MOMENT},
           {"outlets.decommissioned_at": NOW}, {"devices.outlet_id": "M02"}), (),
          {"id": ONE, "zone": "Asia/Kolkata"}, (({"outlets.zone": None}, {"zone": "UTC"}),),
          locks=("machine_updates",)),
    Asked("a machine with another build under way", store.TO_OFFER, (WAVE, 1, NOW),
          {**REACHED, "machine_updates 2": {**UPDATE, "id": TWO, "rollout_id": OTHER,
                                            "state": "offered"}}, (), (), [],
          (({"machine_updates 2.state": "failed"}, {"id": ONE}),
           ({"machine_updates 2.outlet_id": "M02"}, {"id": ONE}))),
    Asked("machines that need it not", store.TO_SKIP, (WAVE, 1, 5, "2.0", 2),
          {**REACHED, "devices": {**DEVICE, "build_sequence": 5}},
          ({"$1": OTHER}, {"machine_updates.state": "offered"}, {"$2": 0},
           {"devices.build_sequence": 4}, {"devices.build_sequence": 2},
           {"devices.build_sequence": None}), (), {"id": ONE, "code": "HAS_IT"},
          (({"devices.build_sequence": 6}, {"code": "SEQUENCE"}),
           ({"devices.build_sequence": 1}, {"code": "MIN_FROM"}),
           ({"devices.build_sequence": None, "devices.firmware": "2.0"}, {"code": "HAS_IT"}),
           ({"outlets.decommissioned_at": NOW}, {"code": "OUT_OF_SERVICE"}))),
    Asked("machines that are withdrawn", store.WITHDRAWN, (WAVE,), {"machine_updates": UPDATE},
          ({"$1": OTHER}, {"machine_updates.state": "failed"},
           {"machine_updates.state": "trial", "machine_updates.go_at": NOW}),
          tuple({"machine_updates.state": one} for one in ("offered", "downloading", "verified")),
          {"id": ONE}, locks=("machine_updates",)),
    Asked("counts of a wave", store.COUNTS, (WAVE, 1, BEFORE, False), REACHED, (), (),
          {"confirmed": 0, "failures": 0, "downloads": 0, "under_way": 0, "awaited": 1,
           "next_stage": None},
          (({"$1": OTHER}, {"awaited": 0}), ({"$3": NOW}, {"awaited": 0}),
           ({"$3": NOW, "$4": True}, {"awaited": 1}),
           ({"$2": 0}, {"awaited": 0, "next_stage": 1}),
           ({"machine_updates.state": "offered"}, {"downloads": 1, "under_way": 1}),
           ({"machine_updates.state": "verified"}, {"downloads": 0, "under_way": 1}),
           ({"machine_updates.state": "failed"}, {"failures": 1, "under_way": 0}),
           ({"machine_updates.state": "confirmed", "machine_updates.go_at": NOW},
            {"confirmed": 1}))),
)  # fmt: skip

OF_MACHINES = (
    Asked("a device, locked", store.LOCK_DEVICE, ("M01",), REACHED,
          ({"$1": "M02"}, {"outlets.id": "M02"}), (), {"boot_id": "b", "channel": "mqtt"},
          locks=("devices",)),
    Asked("updates that are open", store.OPEN_UPDATES, ("M01",), REACHED,
          ({"$1": "M02"}, *({"machine_updates.state": one} for one in ("failed", "skipped")),
           {"machine_updates.state": "confirmed", "machine_updates.go_at": NOW}), (), {"id": ONE}),
    Asked("the update of a machine", store.UPDATE_OF, (WAVE, "M01"), REACHED,
          ({"$1": OTHER}, {"$2": "M02"}), (), {"id": ONE}),
    Asked("an update, locked", store.LOCK_UPDATE, (ONE, ASHA), {**WAVES, **REACHED},
          ({"$1": TWO}, {"$2": CHANDRA}), (),
          {"id": ONE, "rollout_state": "running", "sequence": 5}, locks=("machine_updates",)),
    Asked("a boot is counted", store.NOTE_BOOT, ("M01", "b2"),
          {**WAVES, "machine_updates": {**UPDATE, "boot_seen": "b1"}}, (), (),
          {"boots": 1, "boot_seen": "b2"},
          (({"machine_updates.boot_seen": None}, {"boots": 0, "boot_seen": "b2"}),
           *((one, {"boots": 0, "boot_seen": "b1"}) for one in (
               {"$2": "b1"}, {"$1": "M02"}, {"rollouts.state": "paused"},
               {"machine_updates.state": "offered"}))), UPDATES),
    Asked("what has to be nothing before GO", store.BUSY, ("M01", NOW),
          {"outlets": OUTLET, "merchants": MERCHANT}, ({"$1": "M02"},), (),
          {"paid": 0, "open": 0, "paying": 0, "zone": "Asia/Kolkata"},
          (({"outlets.zone": None}, {"zone": "UTC"}),)),
    Asked("a paid unit is in the way", store.BUSY, ("M01", NOW),
          {"outlets": OUTLET, "merchants": MERCHANT,
           "fulfillments": {"id": TWO, "outlet_id": "M01", "state": "queued", "open": True,
                            "due_at": NOW, "slot": "A1"}}, (), (),
          {"paid": 1, "open": 1}, (({"fulfillments.outlet_id": "M02"}, {"paid": 0, "open": 0}),)),
    Asked("off sale for an update", store.OFF_SALE, ("M01", NOW), {"outlets": OUTLET},
          ({"$1": "M02"},), (), {"why": "update", "since": NOW, "until": None}, (), STOPS),
    Asked("off sale once more", store.OFF_SALE, ("M01", NOW),
          {"outlets": OUTLET, "outlet_stops": STOP}, (), (), {"since": BEFORE, "until": None},
          (({"outlet_stops.until": SOON}, {"since": NOW, "until": None}),), STOPS),
    Asked("on sale again", store.ON_SALE, ("M01", NOW), {"outlet_stops": STOP}, (), (),
          {"until": NOW},
          (({"$1": "M02"}, {"until": None}), ({"outlet_stops.why": "food_lock"}, {"until": None}),
           ({"outlet_stops.until": LATER}, {"until": LATER})), STOPS),
    Asked("not on sale while an update is under way", store.ON_SALE, ("M01", NOW),
          {"outlet_stops": STOP, "machine_updates": GONE_OUT}, (), (), {"until": None},
          (({"machine_updates.outlet_id": "M02"}, {"until": NOW}),
           ({"machine_updates.state": "confirmed"}, {"until": NOW}),
           ({"machine_updates.state": "silent"}, {"until": None})), STOPS),
    Asked("nothing new is sold", store.OFF_SALE_BEFORE, ("M01", NOW, LATER, BEFORE),
          {"outlets": OUTLET}, ({"$1": "M02"},), (),
          {"why": "before_update", "since": NOW, "until": LATER}, (), STOPS),
    Asked("nothing new is sold once more", store.OFF_SALE_BEFORE, ("M01", NOW, LATER, BEFORE),
          {"outlets": OUTLET, "outlet_stops": {**ROOM, "until": BEFORE}}, (), (),
          {"since": NOW, "until": LATER},
          (({"outlet_stops.until": SOON}, {"since": BEFORE, "until": SOON}),), STOPS),
    Asked("it sells again", store.END_OFF_SALE_BEFORE, ("M01", NOW), {"outlet_stops": ROOM}, (), (),
          {"until": NOW},
          (({"$1": "M02"}, {"until": SOON}), ({"outlet_stops.why": "update"}, {"until": SOON}),
           ({"outlet_stops.until": BEFORE}, {"until": BEFORE})), STOPS),
    Asked("it sells again when no update waits", store.END_IF_NONE_WAITS, ("M01", NOW),
          {"outlet_stops": ROOM, "machine_updates": {**UPDATE, "state": "verified"}}, (), (),
          {"until": SOON},
          (({"machine_updates.state": "waiting"}, {"until": NOW}),
           ({"machine_updates.outlet_id": "M02"}, {"until": NOW})), STOPS),
    Asked("a look at a machine in the soak", store.SAMPLE, (WAVE, NOW), REACHED, (), (),
          {"samples": 1, "unheard": 0},
          (({"$2": NOW + MOMENT}, {"samples": 1, "unheard": 1}),
           ({"devices.last_seen_at": None}, {"samples": 1, "unheard": 1}),
           *((one, {"samples": 0, "unheard": 0}) for one in (
               {"$1": OTHER}, {"machine_updates.state": "offered"},
               {"devices.outlet_id": "M02"}))), UPDATES),
    Asked("counts begin anew", store.BEGIN_SAMPLES, (WAVE,),
          {"machine_updates": {**UPDATE, "samples": 3, "unheard": 2, "boots": 1}}, (), (),
          {"samples": 0, "unheard": 0, "boots": 0},
          (({"$1": OTHER}, {"samples": 3}),
           ({"machine_updates.state": "offered"}, {"samples": 3})), UPDATES),
    Asked("what is downloaded", store.DOWNLOAD, (ONE,), {**WAVES, **REACHED}, ({"$1": TWO},), (),
          {"state": "waiting", "manifest": "m", "size": 9}),
)  # fmt: skip
LEASED: Row = {**UPDATE, "state": "offered", "attempt": 1, "due_at": NOW, "leased_until": SOON}
WAVE_ROWS = "SELECT * FROM rollouts ORDER BY id"
KEYS_HELD = "SELECT * FROM firmware_keys ORDER BY id"
OF_NOTES = (
    Asked("a machine that is looked at later", store.PUT_OFF, (ONE, LATER),
          {"machine_updates": LEASED}, (), (), {"due_at": LATER, "leased_until": None},
          (({"$1": TWO}, {"due_at": NOW, "leased_until": SOON}),
           ({"$2": None}, {"due_at": None, "leased_until": None})), UPDATES),
    Asked("a roll-out that is looked at later", store.PUT_OFF_ROLLOUT, (WAVE, LATER),
          {"rollouts": {**OF_WAVE, "due_at": NOW, "leased_until": SOON}}, (), (),
          {"due_at": LATER, "leased_until": None},
          (({"$1": OTHER}, {"due_at": NOW, "leased_until": SOON}),
           ({"$2": None}, {"due_at": None, "leased_until": None})), WAVE_ROWS),
    Asked("when it was sampled", store.SAMPLED, (WAVE, SOON),
          {"rollouts": {**OF_WAVE, "sampled_at": NOW}}, (), (), {"sampled_at": SOON},
          (({"$1": OTHER}, {"sampled_at": NOW}),), WAVE_ROWS),
    Asked("failures that were seen are no more than there are", store.FORGIVEN, (WAVE, 2),
          {"rollouts": {**OF_WAVE, "forgiven": 3}}, (), (), {"forgiven": 2},
          (({"$1": OTHER}, {"forgiven": 3}), ({"$2": 4}, {"forgiven": 3})), WAVE_ROWS),
    Asked("counts of a machine begin with its boot", store.BEGIN_COUNTS, (ONE, "b2"),
          {"machine_updates": {**UPDATE, "boots": 3, "boot_seen": "b1", "samples": 2,
                               "unheard": 1}}, (), (),
          {"boots": 0, "boot_seen": "b2", "samples": 0, "unheard": 0},
          (({"$1": TWO}, {"boots": 3, "boot_seen": "b1", "samples": 2, "unheard": 1}),), UPDATES),
    Asked("a machine joins once", store.ADD_MACHINES,
          (ASHA, WAVE, NOW, [TWO], ["M01"], ["q"], [2]),
          {"machine_updates": UPDATE}, (), (), {"id": ONE, "place": "p", "stage": 1},
          (({"machine_updates": None},
            {"id": TWO, "merchant_id": ASHA, "rollout_id": WAVE, "outlet_id": "M01", "place": "q",
             "stage": 2, "state": "waiting", "created_at": NOW}),), UPDATES),
    Asked("a key is registered once", store.ADD_KEY, (OTHER, ASHA, "other", b"k" * 32, SOON),
          {"firmware_keys": OF_KEY}, (), (), {"id": KEY, "name": "k", "added_at": NOW},
          (({"firmware_keys": None}, {"id": OTHER, "merchant_id": ASHA, "name": "other",
                                      "public_key": b"k" * 32, "added_at": SOON}),), KEYS_HELD),
)  # fmt: skip


# A unit that took a second from its first offer to its end, at a machine that waits for the build.
UNIT: Row = {"id": TWO, "merchant_id": ASHA, "outlet_id": "M01", "state": "vended", "open": False,
             "settlement": "fulfilled", "settled_at": SOON, "sent_at": NOW, "slot": "A1",
             "basis": "vended", "due_at": None}  # fmt: skip
OFFERED: Row = {"merchant_id": ASHA, "machine": "fulfillment", "subject_id": TWO, "event": "OFFER",
                "was": "queued", "state": "offered", "at": NOW}  # fmt: skip
ANSWERED: Row = {**OFFERED, "event": "ACCEPT", "was": "offered", "state": "going"}
MET: Row = {"machine_updates": UPDATE, "fulfillments": UNIT, "events": OFFERED,
            "events 2": ANSWERED}  # fmt: skip
NOTHING: Row = {"vends": 0, "failed": 0, "doubted": 0, "put_off": 0, "late": 0}
GOOD: Row = {**NOTHING, "vends": 1}
_COUNTS: tuple[tuple[Any, Row], ...] = (
    ({"fulfillments.settlement": "refund_due", "fulfillments.state": "failed"},
     {**GOOD, "failed": 1}),
    ({"events 2.state": "in_doubt", "events 2.event": "UNSURE"}, {**GOOD, "doubted": 1}),
    ({"events 2.event": "BUSY", "events 2.state": "queued"}, {**GOOD, "put_off": 1}),
    ({"events 2.event": "SILENCE", "events 2.state": "queued"}, {**GOOD, "put_off": 1}),
    ({"events 2.event": "SILENCE", "events 2.was": "going"}, GOOD),
    ({"events 2.event": "BUSY", "events 2.machine": "order"}, GOOD),
    ({"events 2.event": "BUSY", "events 2.subject_id": ONE}, GOOD),
    ({"$4": SECOND - MOMENT}, {**GOOD, "late": 1}),
    ({"events.event": "ACCEPT"}, NOTHING),  # it was never offered
    ({"fulfillments.outlet_id": "M02"}, NOTHING),
    ({"$1": OTHER}, NOTHING),
    ({"$2": SOON + MOMENT}, NOTHING),
    ({"$3": SOON}, NOTHING),
)  # fmt: skip
_NONE = {"new": True, **NOTHING}
OF_SOAKS = (
    Asked("what units came to in the soak", store.SOAKED + " ORDER BY n.new",
          (WAVE, NOW, LATER, SECOND), MET, (), (), [{"new": False, **GOOD}, _NONE],
          tuple((differs, [{"new": False, **found}, _NONE]) for differs, found in _COUNTS)),
    Asked("what units of the new code came to", store.SOAKED + " ORDER BY n.new DESC",
          (WAVE, NOW, LATER, SECOND),
          {**MET, "machine_updates": {**UPDATE, "state": "confirmed", "go_at": BEFORE,
                                      "confirmed_at": NOW}}, (), (),
          [{"new": True, **GOOD}, {"new": False, **NOTHING}],
          (({"machine_updates.confirmed_at": LATER},
            [{"new": True, **NOTHING}, {"new": False, **NOTHING}]),)),
    Asked("what units came to before", store.BEFORE, (WAVE, NOW, LATER, SECOND), MET, (), (), GOOD,
          (*_COUNTS,  # from its GO on it is the new code's
           ({"machine_updates.state": "installing", "machine_updates.go_at": SOON}, NOTHING))),
)  # fmt: skip


@pytest.mark.parametrize("asked", [OF_BUILDS, OF_WAVES, OF_MACHINES, OF_NOTES, OF_SOAKS])
async def test_each_statement_of_roll_outs_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    wrong = await mistaken(rows, asked)
    assert wrong == [], "\n".join(wrong)
