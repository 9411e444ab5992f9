"""What short verbs about a machine write, say and wake, whole: it is taken out of service, given a
secret, worked at, tested, broken for practice, and its slots are filled and withheld."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.channels.practice_machine import Broken, PracticeState
from coinslot.context import Context
from coinslot.fleet import (
    config,
    decommission,
    enrolment,
    maintenance,
    practice,
    slots,
    vend_tests,
)
from coinslot.fleet.config import ConfigChange, OutOfServiceError
from coinslot.fleet.decommission import UnitsOpenError
from coinslot.fleet.enrolment import DeviceAddresses
from coinslot.fleet.practice import PracticeView
from coinslot.fleet.vend_tests import EmptySlotError, SilentMachineError
from coinslot.kit.secrets import Vault
from coinslot.outlets.machines import UnknownOutletError, UnknownSlotError
from tests.fleet.shop import (
    ASHA,
    CHANDRA,
    COLA,
    EDITOR,
    FIRST,
    SECOND,
    Given,
    Row,
    acted,
    but,
    noted,
    outlet,
    slot,
)
from tests.sales.by_hand import NOW, Rows
from tests.sales.wrote import Wrote, in_order

SOME = timedelta(seconds=1)
TABLES = (
    "outlets", "slots", "qr_codes", "devices", "audit_log", "outlet_stops", "orders",
    "order_lines", "practice_machines", "fulfillments", "events",
)  # fmt: skip
GONE = but(outlet(decommissioned_at=NOW))
HERS = replace(EDITOR, merchant=CHANDRA)
Verb = Callable[[Context], Awaitable[Any]]


def unit(key: int, /, **given: Any) -> tuple[str, Row]:
    return "fulfillments", {
        "id": UUID(int=key), "outlet_id": "M01", "merchant_id": ASHA, "state": "queued",
        "due_at": NOW, "hard_deadline": NOW, "slot": "A1", **given,
    }  # fmt: skip


SETTLED: Row = {"state": "vended", "settlement": "fulfilled", "basis": "drop", "due_at": None}
BESIDE = [unit(91, outlet_id="M02"), unit(92, **SETTLED)]
OPEN = [*but(), *BESIDE, unit(93), unit(94, hard_deadline=NOW + timedelta(days=1))]
ONE_OPEN = [*but(), *BESIDE, unit(93)]


class Case(NamedTuple):
    """A verb over the shop, or over other rows."""

    verb: Verb
    said: Any
    wrote: Wrote
    awake: set[str]
    given: Given = but()


def taken_out(**more: bool) -> Verb:
    return lambda here: decommission.decommission(here, EDITOR, "M01", **more)


RETIRED: Row = {"due_at": NOW, "lease": 2, "leased_until": None, "retired_at": NOW,
                "stage": "closing"}  # fmt: skip


def out_of_service(*, even_if_open: bool) -> Wrote:
    after = {"even_if_open": even_if_open}
    return {
        "outlets": [("M01", {"decommissioned_at": NOW})],
        "qr_codes": [(FIRST, RETIRED), (SECOND, RETIRED)],
        "audit_log": [noted("machine.decommissioned", "M01", after=after)],
    }


BY_PERSON: Row = {
    "outlet_id": "M01", "why": "maintenance", "merchant_id": ASHA, "since": NOW,
    "data": {"by": "boris", "note": "jam"},
}  # fmt: skip
STOPPED = ("outlet_stops", {**BY_PERSON, "since": NOW - SOME})
OVER = ("outlet_stops", {**BY_PERSON, "since": NOW - SOME, "until": NOW, "data": {}})
PRACTICE = ("practice_machines", {"outlet_id": "M01", "merchant_id": ASHA, "broken": "no"})
PRACTICE_2 = ("practice_machines", {"outlet_id": "M02", "merchant_id": ASHA, "broken": "no"})
HEARD = [("devices", {"outlet_id": name, "merchant_id": ASHA, "last_seen_at": NOW})
         for name in ("M01", "M02")]  # fmt: skip
OUT = slot("A1", COLA, 4000, withheld_at=NOW - SOME, out_of_sale_at=NOW - SOME, failures_in_row=2,
           withheld_alone=True, withheld_whole=True)  # fmt: skip
NEW_STATE: Row = {"withheld_at": NOW, "out_of_sale_at": NOW}

CASES: Sequence[Case] = (
    Case(taken_out(), None, out_of_service(even_if_open=False), {"qr_codes"}),
    Case(taken_out(even_if_open=True), None, out_of_service(even_if_open=True), {"qr_codes"}, OPEN),
    Case(taken_out(), None, out_of_service(even_if_open=False), {"qr_codes"}, [*but(), *BESIDE]),
    Case(taken_out(), None, {}, set(), GONE),
    Case(lambda here: maintenance.begin(here, EDITOR, "M01", "jam"), None,
         {"outlet_stops": [BY_PERSON],
          "audit_log": [noted("machine.maintenance_begun", "M01", after={"note": "jam"})]}, set()),
    Case(lambda here: maintenance.begin(here, EDITOR, "M01", "jam"), None, {}, set(),
         [*but(), STOPPED]),
    Case(lambda here: maintenance.begin(here, EDITOR, "M01", "jam"), None,
         {"outlet_stops": [(("M01", "maintenance"), {"since": NOW, "until": None,
                                                     "data": {"by": "boris", "note": "jam"}})],
          "audit_log": [noted("machine.maintenance_begun", "M01", after={"note": "jam"})]}, set(),
         [*but(), OVER]),
    Case(lambda here: maintenance.end(here, EDITOR, "M01"), None,
         {"outlet_stops": [(("M01", "maintenance"), {"until": NOW})],
          "audit_log": [noted("machine.maintenance_ended", "M01")]}, set(), [*but(), STOPPED]),
    Case(lambda here: maintenance.end(here, EDITOR, "M01"), None, {}, set(), [*but(), OVER]),
    Case(lambda here: maintenance.end(here, EDITOR, "M01"), None, {}, set()),
    Case(lambda here: slots.fill(here, EDITOR, "M01", "A1", 12), None,
         {"slots": [(("M01", "A1"), {"stock": 12, "counted": None, "failures_in_row": 0})],
          "audit_log": [noted("slot.filled", "M01 A1", after={"stock": 12})]}, set(),
         but(slot("A1", COLA, 4000, failures_in_row=1))),
    Case(lambda here: slots.withhold(here, EDITOR, "M01", "A1"), None,
         {"slots": [(("M01", "A1"), {**NEW_STATE, "withheld_alone": True})],
          "audit_log": [noted("slot.withheld", "M01", after={"slot": "A1"})]}, set()),
    Case(lambda here: slots.put_on_sale(here, EDITOR, "M01", "A1"), None,
         {"slots": [(("M01", "A1"), {
             "withheld_at": None, "out_of_sale_at": None, "failures_in_row": 0,
             "withheld_alone": False, "withheld_whole": False})],
          "audit_log": [noted("slot.put_on_sale", "M01", after={"slot": "A1"})]}, set(), but(OUT)),
    Case(lambda here: slots.withhold_all(here, EDITOR, "M01"), None,
         {"slots": [(("M01", name), {**NEW_STATE, "withheld_whole": True})
                    for name in ("A1", "A2", "A3")],
          "audit_log": [noted("machine.withheld", "M01")]}, set()),
    Case(lambda here: slots.put_all_on_sale(here, EDITOR, "M01"), None,
         {"slots": [(("M01", "A1"), {"withheld_whole": False})],
          "audit_log": [noted("machine.put_on_sale", "M01")]}, set(), but(OUT)),
    Case(lambda here: practice.set_broken(here, EDITOR, "M01", Broken.JAM), None,
         {"practice_machines": [("M01", {"broken": "jam"})],
          "audit_log": [noted("practice.broken", "M01", after={"broken": "jam"})]}, set(),
         [*but(), PRACTICE, PRACTICE_2]),
    Case(lambda here: practice.look(here, ASHA, "M01"),
         PracticeView(broken=Broken.NO, state=PracticeState()), {}, set(), [*but(), PRACTICE]),
    Case(lambda here: practice.look(here, ASHA, "M01"), None, {}, set(), [*but(), PRACTICE_2]),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(CASES)))
async def test_what_a_verb_says_writes_and_wakes(rows: Rows, case: int) -> None:
    verb, said, written, awake, given = CASES[case]
    wanted = {table: in_order(found) for table, found in written.items()}
    assert await acted(rows, verb, TABLES, given) == (said, wanted, awake)


def a_test(machine: str = "M01", name: str = "A1") -> Verb:
    return lambda here: vend_tests.vend_as_test(here, EDITOR, machine, name)


UNTIL = f"{NOW + timedelta(days=1):%Y-%m-%d %H:%M} UTC at the latest"
REFUSED: Sequence[tuple[Verb, Given, type[Exception], str]] = (
    (taken_out(), OPEN, UnitsOpenError, f"2 units are not settled yet, until {UNTIL}"),
    (taken_out(), ONE_OPEN, UnitsOpenError,
     f"1 unit is not settled yet, until {NOW:%Y-%m-%d %H:%M} UTC at the latest"),
    (lambda here: decommission.decommission(here, HERS, "M01"), but(), UnknownOutletError,
     "no machine has the code M01"),
    (lambda here: maintenance.begin(here, EDITOR, "M01", "x"), GONE, OutOfServiceError,
     "M01 is out of service"),
    (lambda here: maintenance.begin(here, HERS, "M01", "x"), but(), UnknownOutletError,
     "no machine has the code M01"),
    (lambda here: maintenance.end(here, HERS, "M01"), but(), UnknownOutletError,
     "no machine has the code M01"),
    (lambda here: slots.withhold_all(here, EDITOR, "M01"), GONE, OutOfServiceError,
     "M01 is out of service"),
    (lambda here: slots.put_all_on_sale(here, EDITOR, "M01"), GONE, OutOfServiceError,
     "M01 is out of service"),
    (lambda here: slots.put_all_on_sale(here, HERS, "M01"), but(), UnknownOutletError,
     "no machine has the code M01"),
    (lambda here: slots.fill(here, EDITOR, "M01", "B1", 1), but(), UnknownSlotError,
     "M01 has no slot B1"),
    (lambda here: slots.withhold(here, EDITOR, "M01", "B1"), but(), UnknownSlotError,
     "M01 has no slot B1"),
    (lambda here: slots.put_on_sale(here, EDITOR, "M02", "A3"), but(), UnknownSlotError,
     "M02 has no slot A3"),
    (lambda here: practice.set_broken(here, EDITOR, "M01", Broken.JAM), [*but(), PRACTICE_2],
     UnknownOutletError, "no practice machine has the code M01"),
    (a_test(), but(outlet(decommissioned_at=NOW), *HEARD), OutOfServiceError,
     "M01 is out of service"),
    (a_test("M01", "B1"), but(), UnknownSlotError, "M01 has no slot B1"),
    (a_test(), but(), SilentMachineError, "M01"),
    (a_test(), but(("devices", {"outlet_id": "M01", "last_seen_at": NOW - 20.001 * SOME})),
     SilentMachineError, "M01"),
    (lambda here: enrolment.provision_device(here, EDITOR, "M01", DeviceAddresses()), GONE,
     OutOfServiceError, "M01 is out of service"),
    (lambda here: enrolment.provision_device(here, HERS, "M01", DeviceAddresses()), but(),
     UnknownOutletError, "no machine has the code M01"),
    (lambda here: enrolment.provision_device(here, EDITOR, "M01", DeviceAddresses(), at_once=True),
     ONE_OPEN, UnitsOpenError,
     f"1 unit is not settled yet, until {NOW:%Y-%m-%d %H:%M} UTC at the latest"),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(REFUSED)))
async def test_what_cannot_be_done_is_refused_in_a_sentence(rows: Rows, case: int) -> None:
    verb, given, raised, said = REFUSED[case]
    with pytest.raises(raised) as refused:
        await acted(rows, verb, (), given)
    assert str(refused.value) == said


async def test_how_many_units_are_open_and_until_when_is_in_the_refusal(rows: Rows) -> None:
    with pytest.raises(UnitsOpenError) as refused:
        await acted(rows, taken_out(), (), OPEN)
    assert (refused.value.units, refused.value.until) == (2, NOW + timedelta(days=1))


async def test_a_test_vend_is_an_order_of_nothing_and_is_on_record(rows: Rows) -> None:
    old = ("devices", {"outlet_id": "M01", "merchant_id": ASHA,
                       "last_seen_at": NOW - 20 * SOME})  # fmt: skip
    given = but(old, ("products", {"id": COLA, "merchant_id": ASHA, "sku": "cola", "name": "Cola",
                                   "cost_minor": 1200}))  # fmt: skip
    order, found, awake = await acted(rows, a_test(), TABLES, given)
    assert awake == {"fulfillments"}
    (line,), (placed,) = found["order_lines"], found["orders"]
    assert line == {
        "merchant_id": ASHA, "order_id": "new orders", "product_id": COLA, "slot": "A1",
        "sku": "cola", "name": "Cola", "quantity": 1, "cost_minor": 1200, "unit_minor": [0],
        "tax_minor": [0],
    }  # fmt: skip
    until = NOW + timedelta(seconds=120)
    assert placed == {
        "merchant_id": ASHA, "outlet_id": "M01", "state": "paid", "source": "test_vend",
        "token": placed["token"], "number": placed["number"], "currency": "INR",
        "placed_at": NOW, "paid_at": NOW, "expires_at": until, "dispatch_by": until,
        "price_version": 5, "planogram_version": 7, "version": placed["version"],
    }  # fmt: skip
    after = {"slot": "A1", "order": "new orders"}
    assert found["audit_log"] == [noted("machine.test_vend", "M01", after=after)]
    assert isinstance(order, UUID)


async def test_a_slot_whose_last_piece_is_promised_is_not_a_test(rows: Rows) -> None:
    promised = ("order_lines", {"id": UUID(int=95), "slot": "A1"})
    given = [*but(*HEARD, slot("A1", COLA, 4000, stock=1)), promised,
             unit(93, line_id=UUID(int=95))]  # fmt: skip
    with pytest.raises(EmptySlotError) as refused:
        await acted(rows, a_test(), (), given)
    assert str(refused.value) == "A1"


HELD = """
SELECT 'device ' || outlet_id AS row FROM devices WHERE xmax <> '0'
UNION ALL SELECT 'machine ' || id FROM outlets WHERE xmax <> '0'
UNION ALL SELECT 'slot ' || outlet_id || ' ' || slot FROM slots WHERE xmax <> '0' ORDER BY 1
"""
ALL_SLOTS = ["slot M01 A1", "slot M01 A2", "slot M01 A3"]


def hold(here: Context) -> Awaitable[None]:
    async def in_it() -> None:
        async with here.db.as_merchant(ASHA) as conn:
            await config.hold_in(conn, ASHA, "M01")

    return in_it()


@pytest.mark.parametrize(
    ("verb", "given", "held"),
    [
        (hold, but(), ["device M01", "machine M01"]),
        (lambda here: config.change(here, EDITOR, "M01", ConfigChange()), but(),
         ["device M01", "machine M01", *ALL_SLOTS]),
        (taken_out(), GONE, ["device M01", "machine M01"]),
        (lambda here: enrolment.provision_device(here, EDITOR, "M01", DeviceAddresses()), GONE,
         ["device M01", "machine M01"]),
        (lambda here: maintenance.begin(here, EDITOR, "M01", "x"), GONE, ["machine M01"]),
        (lambda here: maintenance.end(here, EDITOR, "M01"), but(), ["machine M01"]),
        (a_test(), but(), ["machine M01", "slot M01 A1"]),
        (lambda here: slots.put_all_on_sale(here, EDITOR, "M01"), GONE, ["machine M01"]),
    ],
)  # fmt: skip
async def test_what_is_held_while_it_is_decided(
    rows: Rows, verb: Verb, given: Given, held: list[str]
) -> None:
    async def looking(here: Context) -> list[str]:
        with suppress(OutOfServiceError, SilentMachineError):
            await verb(here)
        async with here.db.system_connection() as conn:
            return [row["row"] for row in await conn.fetch(HELD)]

    assert (await acted(rows, looking, (), given))[0] == held


MQTT = DeviceAddresses(mqtt="mqtts://b:8883", ca=b"ca", socketio="https://s", login_per_secret=True)
KEYED = ("firmware_keys", {"merchant_id": ASHA, "public_key": b"k" * 32})
NEXT: Row = {
    "outlet_id": "M01", "merchant_id": ASHA, "key_id": 3, "secret": b"s", "broker_hash": "h",
    "next_secret": b"t", "next_hash": "i", "next_key_id": 5, "next_issued_at": NOW - SOME,
}  # fmt: skip


def provided(addresses: DeviceAddresses = MQTT, **more: bool) -> Verb:
    return lambda here: enrolment.provision_device(here, EDITOR, "M01", addresses, **more)


def opened(sealed: bytes) -> str:
    return Vault({"k": b"v" * 32}, "k").open(sealed, "device:M01").decode()


def on_record(**after: Any) -> list[Row]:
    return [noted("device.provisioned", "M01", after=after)]


@pytest.mark.parametrize("per_secret", [True, False])
async def test_a_device_gets_its_next_secret_and_goes_on_with_the_one_it_has(
    rows: Rows, *, per_secret: bool
) -> None:
    given = but(("devices", NEXT), KEYED)
    addresses = replace(MQTT, login_per_secret=per_secret)
    said, found, awake = await acted(rows, provided(addresses), TABLES, given)
    assert said == enrolment.DeviceEnrolment(
        machine="M01", login="M01.6" if per_secret else "M01", secret=said.secret, key_id="6",
        dialect="leased", broker="mqtts://b:8883", ca="Y2E=", firmware_key="6b" * 32, replaces=3,
    )  # fmt: skip
    (device,) = found.pop("devices")
    new = device[1].pop("next_secret")
    assert opened(new) == said.secret
    assert len(said.secret) == 64
    assert device == ("M01", {"next_hash": device[1]["next_hash"], "next_key_id": 6,
                              "next_issued_at": NOW})  # fmt: skip
    after = {"key_id": 6, "replaces": 3, "at_once": False}
    assert (found, awake) == ({"audit_log": on_record(**after)}, set())


async def test_a_stolen_secret_is_replaced_at_once(rows: Rows) -> None:
    given = [*but(("devices", NEXT)), *BESIDE]
    said, found, awake = await acted(rows, provided(at_once=True), TABLES, given)
    assert said == enrolment.DeviceEnrolment(
        machine="M01", login="M01.3", secret=said.secret, key_id="3", dialect="leased",
        broker="mqtts://b:8883", ca="Y2E=",
    )  # fmt: skip
    (device,) = found.pop("devices")
    assert opened(device[1].pop("secret")) == said.secret
    assert device == ("M01", {
        "broker_hash": device[1]["broker_hash"], "next_secret": None, "next_hash": None,
        "next_key_id": None, "next_issued_at": None,
    })  # fmt: skip
    after = {"key_id": 3, "replaces": None, "at_once": True}
    assert (found, awake) == ({"audit_log": on_record(**after)}, set())


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_machine_without_a_device_gets_its_first_secret(
    rows: Rows, *, at_once: bool
) -> None:
    none = [one for one in but(outlet(channel="socketio", dialect="simple"))
            if one[0] != "devices"]  # fmt: skip
    given = [*none, unit(93)]  # nobody waits for a device that there is not
    said, found, _ = await acted(rows, provided(at_once=at_once), TABLES, given)
    assert said == enrolment.DeviceEnrolment(
        machine="M01", login="M01", secret=said.secret, key_id="1", dialect="simple",
        server="https://s",
    )  # fmt: skip
    (device,) = found.pop("devices")
    assert opened(device.pop("secret")) == said.secret
    assert device == {
        "outlet_id": "M01", "merchant_id": ASHA, "broker_hash": device["broker_hash"],
        "key_id": 1, "created_at": NOW, **{name: device[name] for name in ("next_seq", "version")},
    }  # fmt: skip
    after = {"key_id": 1, "replaces": None, "at_once": at_once}
    assert found == {"audit_log": on_record(**after)}
