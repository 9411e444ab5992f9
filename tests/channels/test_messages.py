"""What is read from the wire can be stored; what cannot be read is said, and never raised."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinslot.channels import drivers
from coinslot.channels.messages import (
    BIGINT_MAX,
    TRANSIENT_REFUSALS,
    Accept,
    Dispense,
    Drop,
    Evack,
    Evidence,
    Go,
    Health,
    Hello,
    Lease,
    MachineDone,
    Offer,
    Outcome,
    Progress,
    Query,
    Refusal,
    Reject,
    Result,
    Started,
    Status,
    Sync,
    UnitState,
    Unreadable,
    read_done,
    read_up,
    sign_go,
    signed_go,
    to_wire,
)

UNIT = UUID("0192f0c1-2345-7abc-8def-0123456789ab")
BASE: dict[str, Any] = {"unit_id": str(UNIT), "journal_id": "j1"}
READABLE: list[dict[str, Any]] = [
    {**BASE, "type": "ACCEPT", "seq": 1, "boot_id": "b", "mono_ms": 0, "counter": 7},
    {**BASE, "type": "ACCEPT", "seq": 1, "boot_id": "b", "mono_ms": 5, "slot_state": "ready"},
    {**BASE, "type": "REJECT", "seq": 1, "code": "DOOR_OPEN"},
    {**BASE, "type": "STARTED", "event_seq": 1, "counter_before": 3},
    {**BASE, "type": "PROGRESS", "event_seq": 2},
    {**BASE, "type": "RESULT", "event_seq": BIGINT_MAX, "slot": "A1", "outcome": "INTERRUPTED",
     "failure_code": "JAM", "evidence": {"drop": "unknown", "home": False, "sensor_tested": True}},
    {**BASE, "type": "STATUS", "seq": 9, "nonce": "n", "state": "FORGOTTEN", "evidence": None},
    {"type": "HELLO", "journal_id": "j", "boot_id": "b", "session_no": 3, "firmware": "1.2",
     "capabilities": {"journal": True, "sensor": False, "mdb": True, "journal_formats": [1]},
     "last_seq": 0,
     "open_unit": None, "unacked_from": None, "mono_ms": 12},
    {"type": "HEALTH", "mono_ms": 1, "uptime_s": 4},
]  # fmt: skip
UP = (Accept, Reject, Started, Progress, Result, Status, Hello, Health)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)
strange_text = st.text(st.characters(categories=["Cs", "Cc", "Lu", "So"]), max_size=80)


@pytest.mark.parametrize("wire", READABLE, ids=lambda wire: wire["type"])
def test_the_table_s_messages_are_read_as_text_and_as_mapping(wire: dict[str, Any]) -> None:
    from_mapping = read_up(wire)
    assert isinstance(from_mapping, UP), from_mapping
    assert read_up(json.dumps(wire).encode()) == from_mapping
    again = msgspec.to_builtins(from_mapping)
    assert {key: again[key] for key in wire if key in again and key != "evidence"} == {
        key: value for key, value in wire.items() if key not in ("evidence", "uptime_s")
    }


def test_what_was_not_observed_is_unknown_and_never_no() -> None:
    read = read_up({**BASE, "type": "RESULT", "event_seq": 1, "outcome": "FAILED"})
    assert isinstance(read, Result)
    assert read.evidence == Evidence(drop=Drop.UNKNOWN, home=None, sensor_tested=False)
    assert read.outcome is Outcome.FAILED


@given(st.sampled_from(READABLE), st.data())
def test_one_strange_field_is_unreadable_or_storable(wire: dict[str, Any], data: Any) -> None:
    field = data.draw(st.sampled_from(sorted(wire)))
    spoiled = {**wire, field: data.draw(json_values | strange_text | st.binary())}
    assert_storable(read_up(spoiled))
    assert_storable(read_done(spoiled))


@given(st.sampled_from(READABLE), st.data())
def test_a_missing_field_is_unreadable_or_storable(wire: dict[str, Any], data: Any) -> None:
    field = data.draw(st.sampled_from(sorted(wire)))
    assert_storable(read_up({key: value for key, value in wire.items() if key != field}))


@given(json_values | st.dictionaries(st.text() | st.integers(), json_values))
def test_any_value_at_all_is_unreadable(value: Any) -> None:
    assert isinstance(read_up(value), Unreadable)
    assert isinstance(read_done(value), Unreadable)


@given(st.binary() | st.sampled_from(READABLE).map(lambda w: json.dumps(w).encode()), st.data())
def test_any_bytes_at_all_are_read_without_raising(raw: bytes, data: Any) -> None:
    cut = data.draw(st.integers(0, len(raw)))
    inserted = data.draw(st.binary(max_size=3))
    assert_storable(read_up(raw[:cut] + inserted + raw[cut:]))
    assert_storable(read_up(raw[:cut]))


@pytest.mark.parametrize("raw", [b"[" * 8_000, b'{"type":"HEALTH","x":' + b"[" * 8_000, b"\xff"])
def test_bytes_made_to_harm_are_unreadable(raw: bytes) -> None:
    assert isinstance(read_up(raw), Unreadable)


def test_a_message_too_long_is_unreadable() -> None:
    body = json.dumps({"type": "HEALTH", "x": "x" * 8_192}).encode()
    assert read_up(body) == Unreadable("longer than 8192 bytes")


def assert_storable(read: object) -> None:
    """Every text is plain ASCII within its bound, every number a bigint."""
    if isinstance(read, Unreadable):
        assert len(read.reason) <= 200
        return
    assert isinstance(read, (*UP, MachineDone))
    for value in leaves(msgspec.to_builtins(read)):
        if isinstance(value, str):
            assert value == "" or (value.isascii() and value.isprintable() and len(value) <= 64)
        else:
            assert value is None or 0 <= value <= BIGINT_MAX


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, list | tuple):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [value]


def test_the_refusals_that_pass_by_themselves_are_two() -> None:
    assert {code for code in Refusal if code in TRANSIENT_REFUSALS} == {
        Refusal.BUSY, Refusal.DOOR_OPEN
    }  # fmt: skip
    assert len(Refusal) == 11
    assert set(Outcome) < set(UnitState)


def test_go_is_signed_over_its_fields_and_the_slot() -> None:
    lease = Lease(unit_id=UNIT, seq=7, slot="A1", boot_id="b1", not_after=15_000)
    signed = b"0192f0c1-2345-7abc-8def-0123456789ab|7|A1|b1|15000"
    expected = hmac.new(b"secret-of-M01", signed, hashlib.sha256).hexdigest()
    assert sign_go("secret-of-M01", lease) == expected
    go = signed_go("secret-of-M01", lease)
    assert go == Go(unit_id=UNIT, seq=7, boot_id="b1", not_after=15_000, key_id="1", hmac=expected)
    assert msgspec.json.encode(to_wire(go)) == msgspec.json.encode(
        to_wire(signed_go("secret-of-M01", lease))
    )


def test_messages_down_have_the_table_s_names() -> None:
    offer = Offer(
        unit_id=UNIT, seq=1, slot="A1", sku="cola", amount_minor=4000, price_version=2,
        planogram_version=3, lease_ms=10_000,
    )  # fmt: skip
    assert list(to_wire(offer)) == [
        "type", "unit_id", "seq", "slot", "sku", "amount_minor", "price_version",
        "planogram_version", "lease_ms",
    ]  # fmt: skip
    query = Query(unit_id=UNIT, seq=1, journal_id="j", nonce="n")
    asked = {"type": "QUERY", "unit_id": str(UNIT), "seq": 1, "journal_id": "j", "nonce": "n"}
    sync = Sync(
        through=4, server_time=datetime(2026, 11, 2, tzinfo=UTC), config_version=1, queries=[query]
    )
    assert to_wire(sync) == {
        "type": "SYNC",
        "through": 4,
        "server_time": "2026-11-02T00:00:00Z",
        "config_version": 1,
        "queries": [asked],
    }
    assert to_wire(Evack(journal_id="j", through=4)) == {
        "type": "EVACK", "journal_id": "j", "through": 4
    }  # fmt: skip
    dispense = Dispense(
        order_id="o", unit_id=UNIT, machine_id="M01", slot="A1", amount=4000, currency="INR"
    )
    assert list(to_wire(dispense)) == [
        "type", "orderId", "unitId", "machineId", "slot", "amount", "currency"
    ]  # fmt: skip


def test_the_channels_are_found_by_being_in_the_folder() -> None:
    assert {"mqtt", "socketio"} <= set(drivers())
    assert all(driver.name == name for name, driver in drivers().items())
