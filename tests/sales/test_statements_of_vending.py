"""What each statement about machines' units and messages finds or writes: its own row, as long as
nothing differs from what it asks for. Each case differs in one thing."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.db.pool import RawConnection
from coinslot.outlets import machines
from coinslot.vending import store
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows
from tests.sales.test_lock_order import stopped

MOMENT, SECOND = timedelta(microseconds=1), timedelta(seconds=1)
SOON, LATER = NOW + SECOND, NOW + 60 * SECOND
ASHA, UNIT, ORDER, LINE, CAPTURE, OTHER, ANOTHER, THIRD = (UUID(int=n) for n in range(1, 9))
Row = dict[str, Any]

OUTLET: Row = {
    "id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt", "dialect": "leased",
    "config_version": 6, "price_version": 7, "planogram_version": 8, "windows": {"a": 1},
}  # fmt: skip
DEVICE: Row = {"outlet_id": "M01", "next_seq": 7, "secret": b"s", "key_id": 3}
GOODS: Row = {
    "id": UNIT, "merchant_id": ASHA, "order_id": ORDER, "line_id": LINE, "capture_id": CAPTURE,
    "outlet_id": "M01", "state": "queued", "due_at": NOW, "hard_deadline": LATER, "slot": "A1",
}  # fmt: skip
SETTLED: Row = {"fulfillments.settlement": "fulfilled", "fulfillments.basis": "handed_over"}
HELLO = ("M01", 10, "journal", "boot", True, "fw 2", SOON, 5, "esp32", 9, True, [1, 2])
MILLION = 1_000_000
OF_UNIT: dict[str, Row] = {
    "fulfillments": GOODS, "captures": {"id": CAPTURE}, "outlets": OUTLET, "devices": DEVICE,
    "order_lines": {"id": LINE, "sku": "can", "quantity": 1},
    "fulfillments 2": {**GOODS, "id": OTHER, "capture_id": OTHER},
    "outlets 2": {**OUTLET, "id": "M02"}, "devices 2": {**DEVICE, "outlet_id": "M02"},
}  # fmt: skip
ONLY_IT = {"fulfillments 2": None}
NOTED: Row = {"subject_id": UNIT, "machine": "fulfillment"}


def noted(event: str, *said: Row) -> dict[str, Row]:
    """What was recorded of the unit."""
    return {f"events {n}": {**NOTED, "event": event, "data": data} for n, data in enumerate(said)}


VENDING = (
    Asked("a machine says hello", store.RAISE_SEQ, HELLO, {"devices": DEVICE, "outlets": OUTLET},
          ({"devices.outlet_id": "M02"},), (), {"config_version": 6},
          (({"outlets.id": "M02"}, [{"config_version": None}]),)),
    Asked("what a machine said is kept", store.RAISE_SEQ, HELLO,
          {"devices": DEVICE, "outlets": OUTLET}, (), (),
          {"next_seq": 11, "journal_id": "journal", "boot_id": "boot", "has_sensor": True,
           "mdb": True,
           "firmware": "fw 2", "last_seen_at": SOON, "config_version": 5, "hardware": "esp32",
           "build_sequence": 9, "journal_formats": [1, 2]},
          [({"$2": said}, {"next_seq": becomes}) for said, becomes in (
              (6, 7), (7, 8), (7 + MILLION, 8 + MILLION), (8 + MILLION, 7))]
          + [({"$11": False, "devices.mdb": True}, {"mdb": False}),
             ({"$9": None, "devices.hardware": "older"}, {"hardware": "older"}),
             ({"$10": None, "devices.build_sequence": 3}, {"build_sequence": None}),
             ({"$8": 2**40}, {"config_version": 0}), ({"$8": 10**9}, {"config_version": 0}),
             ({"$8": 10**9 - 1}, {"config_version": 10**9 - 1}),
             ({"$8": None}, {"config_version": None})],
          "SELECT * FROM devices"),
    Asked("a unit of a machine", store.LOCK_UNIT, (UNIT, "M01"), OF_UNIT,
          ({"fulfillments.id": THIRD}, {"$2": "M02"}, {"order_lines.id": OTHER},
           {"outlets.id": "M03"}), (),
          {"id": UNIT, "slot": "A1", "sku": "can", "channel": "mqtt", "dialect": "leased",
           "price_version": 7, "planogram_version": 8, "decommissioned_at": None,
           "windows": {"a": 1}, "secret": b"s", "key_id": 3},
          [({"devices.outlet_id": "M03"}, {"id": UNIT, "secret": None}),
           ({"captures": None}, {"id": UNIT})]),
    Asked("rows that are held with it", store.LOCK_UNIT, (UNIT, "M01"), OF_UNIT, (), [ONLY_IT],
          locks=("captures", f"fulfillments WHERE id = '{UNIT}'",
                 f"vend_units WHERE id = '{UNIT}'")),
    Asked("another's capture is not held", store.LOCK_UNIT, (UNIT, "M01"),
          {**OF_UNIT, "captures 2": {"id": OTHER, "gateway_payment_id": "pay_2"}}, (), (),
          [{"held": True}, {"held": False}],
          (({"$2": "M02"}, [{"held": False}, {"held": False}]),),
          "SELECT xmax <> '0' AS held FROM captures ORDER BY id"),
    Asked("the unit of an order", store.UNIT_OF_ORDER, ("M01", ORDER),
          {"fulfillments": {**GOODS, "id": OTHER, "sent_at": NOW, "queued_at": LATER},
           "fulfillments 2": {**GOODS, "id": ANOTHER, "sent_at": NOW, "queued_at": NOW,
                              "settlement": "fulfilled", "basis": "handed_over"},
           "fulfillments 3": {**GOODS, "sent_at": NOW, "queued_at": SOON}},
          ({"$1": "M02"}, {"$2": OTHER}), (), {"id": UNIT},
          (({"fulfillments 3.sent_at": None}, {"id": OTHER}),)),
    Asked("open units to ask about", store.OPEN_UNITS_TO_ASK, ("M01",),
          {"fulfillments": {**GOODS, "open": True, "journal_id": "j"}},
          ({"fulfillments.outlet_id": "M02"}, {"fulfillments.open": False},
           {"fulfillments.journal_id": None}), (), {"id": UNIT}),
    Asked("a strange journal", store.NOTE_STRANGE_JOURNAL, (ASHA, UNIT, "j", SOON),
          noted("STRANGE_JOURNAL", *({"journal_id": f"k{n}"} for n in range(7))),
          ({"events 0.data": {"journal_id": "j"}},),
          ({"events 0.event": "ELSE", "events 0.data": {"journal_id": "j"}},
           {"events 0.subject_id": OTHER, "events 0.data": {"journal_id": "j"}}),
          {"merchant_id": ASHA, "machine": "fulfillment", "subject_id": UNIT,
           "data": {"journal_id": "j"}, "event": "STRANGE_JOURNAL"},
          after=f"SELECT * FROM events WHERE at = '{SOON}'"),
    Asked("no more than eight strange journals", store.NOTE_STRANGE_JOURNAL,
          (ASHA, UNIT, "j", SOON),
          noted("STRANGE_JOURNAL", *({"journal_id": f"k{n}"} for n in range(8))), (),
          gives=[], others=[({"events 0.event": "ELSE"}, {}), ({"events 0.subject_id": OTHER}, {})],
          after=f"SELECT * FROM events WHERE at = '{SOON}'"),
    Asked("an answer is kept", store.KEEP_ANSWER, (ASHA, UNIT, {"nonce": "n", "state": "s"}, SOON),
          noted("ANSWERED", {"nonce": "n", "state": "s"}), (), gives=[],
          others=[(change, {"?column?": True}) for change in (
              {"events 0.subject_id": OTHER}, {"events 0.event": "ELSE"},
              {"events 0.data": {"nonce": "m", "state": "s"}},
              {"events 0.data": {"nonce": "n", "state": "t"}})]),
    Asked("what an answer was", store.KEEP_ANSWER,
          (ASHA, UNIT, {"nonce": "n", "state": "s"}, SOON), {}, (), (),
          {"merchant_id": ASHA, "machine": "fulfillment", "subject_id": UNIT, "event": "ANSWERED",
           "data": {"nonce": "n", "state": "s"}, "at": SOON}, after="SELECT * FROM events"),
    Asked("machines are heard", store.RECORD_HEARTBEATS, (["M02", "M01"], [SOON, NOW]),
          {"devices": {**DEVICE, "last_seen_at": NOW - SECOND},
           "devices 2": {**DEVICE, "outlet_id": "M02", "last_seen_at": LATER},
           "devices 3": {**DEVICE, "outlet_id": "M03"}}, (), (),
          [{"last_seen_at": NOW}, {"last_seen_at": LATER},
           {"last_seen_at": None, "held": False}],
          (({"devices 2.last_seen_at": None}, [{}, {"last_seen_at": SOON}, {}]),),
          "SELECT last_seen_at, xmax <> '0' AS held FROM devices ORDER BY outlet_id"),
    Asked("where a unit waits", store.WAITING, (["M01"],),
          {"fulfillments": GOODS, "fulfillments 2": {**GOODS, "id": OTHER}},
          ({"$1": ["M02"]}, {"fulfillments.state": "sent", "fulfillments 2.state": "sent"}),
          ({"fulfillments.state": "sent"}, {"fulfillments.outlet_id": "M02"}),
          {"merchant_id": ASHA, "outlet_id": "M01"}),
    Asked("when units were sent first", store.OFFERED_AT, ([UNIT, OTHER],),
          {"fulfillments": {**GOODS, "offered_at": SOON},
           "fulfillments 2": {**GOODS, "id": OTHER, "offered_at": NOW}}, (), (), {"max": SOON},
          (({"fulfillments.id": THIRD}, {"max": NOW}),)),
    Asked("a page asked too early", store.ASKED_TOO_EARLY, (UNIT, NOW),
          {"fulfillments": {**GOODS, "lease_end": NOW + MOMENT},
           "fulfillments 2": {**GOODS, "id": OTHER, "lease_end": LATER}},
          ({"fulfillments.id": THIRD}, {"fulfillments.lease_end": NOW})),
    Asked("a page may ask again", store.ASKED_TOO_EARLY, (UNIT, NOW),
          {"fulfillments": {**GOODS, "lease_end": SOON, "page_asked_at": NOW},
           "fulfillments 2": {**GOODS, "id": OTHER, "page_asked_at": NOW}}, (), (),
          [{"page_asked_at": None}, {"page_asked_at": NOW}],
          after="SELECT page_asked_at FROM fulfillments ORDER BY id"),
    Asked("how a machine is reached", store.ONLINE_BY, ("M01", NOW),
          {"outlets": OUTLET, "outlets 2": {**OUTLET, "id": "M02"},
           "devices": {**DEVICE, "last_seen_at": NOW}},
          ({"outlets.id": "M03"}, {"devices.outlet_id": "M02"},
           {"devices.last_seen_at": NOW - MOMENT}), ({"devices.last_seen_at": SOON},),
          {"channel": "mqtt"}),
)  # fmt: skip

NEXT: Row = {
    **DEVICE, "next_secret": b"t", "next_hash": "h2", "next_key_id": 5, "next_issued_at": NOW,
}  # fmt: skip
NO_NEXT: Row = {
    "next_secret": None, "next_hash": None, "next_key_id": None, "next_issued_at": None,
}  # fmt: skip
SECRETS = (
    Asked("the secret of a machine is replaced", f"{machines._ISSUE}, secret, broker_hash,"
          " next_secret, next_hash, next_key_id, next_issued_at",
          ("M01", ASHA, b"new", "h3", SOON), {"devices": NEXT}, (), (),
          {"secret": b"new", "broker_hash": "h3", "key_id": 3, **NO_NEXT}),
    Asked("the next secret of a machine", machines._ISSUE_NEXT, ("M01", b"u", "h3", SOON),
          {"devices": NEXT}, ({"devices.outlet_id": "M02"},), (), {"next_key_id": 6},
          (({"devices.key_id": 9}, {"next_key_id": 10}),)),
    Asked("the next secret is kept", machines._ISSUE_NEXT, ("M01", b"u", "h3", SOON),
          {"devices": DEVICE}, (), (),
          {"next_key_id": 4, "next_secret": b"u", "next_hash": "h3", "next_issued_at": SOON},
          after="SELECT * FROM devices"),
    Asked("the next secret is used", f"{machines.USE_NEXT} RETURNING *", ("M01", "h2", None),
          {"devices": NEXT}, ({"devices.outlet_id": "M02"}, {"devices.next_hash": "h4"}), (),
          {"secret": b"t", "broker_hash": "h2", "key_id": 5, **NO_NEXT}),
    Asked("the next secret is used by its number", f"{machines.USE_NEXT} RETURNING *",
          ("M01", None, "5"), {"devices": NEXT},
          ({"devices.outlet_id": "M02"}, {"devices.next_key_id": 6})),
)  # fmt: skip


async def test_machines_are_heard_in_one_order_by_all_processes(
    rows: Rows, holder: RawConnection, looker: RawConnection
) -> None:
    for outlet in ("M02", "M01"):
        await rows.put("devices", **{**DEVICE, "outlet_id": outlet})
    await holder.execute("BEGIN; UPDATE devices SET boot_id = 'b' WHERE outlet_id = 'M01'")
    work = asyncio.ensure_future(
        rows.conn.execute(store.RECORD_HEARTBEATS, ["M02", "M01"], [SOON, SOON])
    )
    assert await stopped(looker, work) is not None
    free = await looker.fetch("SELECT FROM devices FOR NO KEY UPDATE SKIP LOCKED")
    assert len(free) == 1  # that of M02, which comes later
    await holder.execute("COMMIT")
    assert await work == "UPDATE 2"


@pytest.mark.parametrize("asked", [VENDING, SECRETS])
async def test_each_statement_of_machines_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []
