"""Machines that are set up: every row of every table that is written, and what is given out; which
account is taken; and both sides of each bound of what a device is told."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.fleet import config, onboarding
from coinslot.fleet.config import ConfigError
from coinslot.fleet.enrolment import DeviceAddresses, DeviceEnrolment
from coinslot.fleet.onboarding import OnboardError
from coinslot.fleet.planning import Account, NewMachine, NewSlot, Planning
from coinslot.gateways.mock import Books, Mock
from coinslot.gateways.mock import Settings as MockSettings
from coinslot.kit.clock import SettableClock
from coinslot.kit.money import Money
from coinslot.outlets.machines import OutletTakenError
from coinslot.payments.idempotency import Answer, IdempotentCall
from tests.fleet.shop import (
    ACCOUNT,
    ASHA,
    CHANDRA,
    COLA,
    EDITOR,
    Given,
    Row,
    acted,
    but,
    noted,
)
from tests.fleet.test_plans_of_machines import Books as Known
from tests.fleet.test_plans_of_machines import Caps
from tests.sales.by_hand import NOW, Rows
from tests.sales.wrote import in_order

TABLES = (
    "outlets", "slots", "products", "devices", "config_versions", "audit_log", "ways_to_pay",
    "practice_machines", "config_pushes", "idempotency_keys",
)  # fmt: skip
TEST_MONEY = UUID(int=61)
INR = "INR"


class Opened:
    """Asha's accounts; the second one is known to be of test money."""

    async def by_id(self, account: UUID) -> Any:
        gateway = Mock(MockSettings(), Books(SettableClock(NOW)))
        return SimpleNamespace(driver=gateway, live=False if account == TEST_MONEY else None)


def with_accounts(*more: tuple[str, Row]) -> Given:
    accounts = [
        ("gateway_accounts", {"id": key, "merchant_id": of, "gateway": "mock", "slug": slug,
                              "created_at": NOW + timedelta(seconds=number)})
        for number, (key, of, slug) in enumerate((
            (TEST_MONEY, ASHA, "tests"), (ACCOUNT, ASHA, "asha"), (UUID(int=62), CHANDRA, "hers"),
        ))
    ]  # fmt: skip
    return [*but(), *accounts, *more]


LIME = NewSlot(slot="A2", sku="lime", product="Lime", price=Money(3500, INR), stock=3, par=6,
               category="Soda", description="Cold")  # fmt: skip
M07 = NewMachine(
    code="M07", name=" Lobby ", place="Pune", contact="call", zone="Kolkata", device={"a": 2},
    slots=[NewSlot(slot="A1", sku="cola", par=8), LIME],
)  # fmt: skip
ADDRESSES = DeviceAddresses(mqtt="mqtt://b:1883", ca=b"ca")
NEW_OUTLET: Row = {
    "merchant_id": ASHA, "name": "Lobby", "place": "Pune", "contact": "call",
    "zone": "Asia/Kolkata", "kind": "vending", "channel": "mqtt", "dialect": "leased",
    "currency": INR, "account_id": ACCOUNT, "created_at": NOW, "device_config": {"a": 2},
    "config_version": 1, "applied_version": 1, "price_version": 1, "planogram_version": 1,
}  # fmt: skip
SLOTS: list[Row] = [
    {"merchant_id": ASHA, "outlet_id": "M07", "slot": "A1", "product_id": COLA,
     "price_minor": 4000, "stock": 8, "par": 8},
    {"merchant_id": ASHA, "outlet_id": "M07", "slot": "A2", "product_id": "new products",
     "price_minor": 3500, "stock": 3, "par": 6},
]  # fmt: skip
CONFIG: Row = {
    "code": "M07", "version": 1, "name": "Lobby", "place": "Pune", "contact": "call",
    "zone": "Asia/Kolkata", "currency": INR, "device": {"a": 2}, "device_version": None,
    "applied_version": 1, "decommissioned_at": None, "slots": [
        {"slot": "A1", "sku": "cola", "price": {"amount": 4000, "currency": INR}, "par": 8},
        {"slot": "A2", "sku": "lime", "price": {"amount": 3500, "currency": INR}, "par": 6}],
}  # fmt: skip
VERSION: Row = {
    "outlet_id": "M07", "version": 1, "merchant_id": ASHA, "config": CONFIG, "made_by": "boris",
    "made_at": NOW, "price_version": 1, "planogram_version": 1,
}  # fmt: skip
PRODUCT: Row = {
    "merchant_id": ASHA, "sku": "lime", "name": "Lime", "price_minor": 3500, "currency": INR,
    "category": "Soda", "description": "Cold",
}  # fmt: skip
Verb = Callable[[Context], Awaitable[Any]]


def setting_up(*wanted: NewMachine) -> Verb:
    return lambda here: onboarding.onboard(here, EDITOR, wanted, ADDRESSES)


async def done(rows: Rows, verb: Verb, given: Given | None = None) -> Any:
    return await acted(rows, verb, TABLES, given or with_accounts(), accounts=Opened())


async def test_a_machine_is_written_whole_and_its_device_is_given_what_it_needs(
    rows: Rows,
) -> None:
    key = ("firmware_keys", {"merchant_id": ASHA, "public_key": b"k" * 32})
    (given,), found, awake = await done(rows, setting_up(M07), with_accounts(key))
    assert given == DeviceEnrolment(
        machine="M07", login="M07", secret=given.secret, key_id="1", dialect="leased",
        broker="mqtt://b:1883", ca="Y2E=", firmware_key="6b" * 32,
    )  # fmt: skip
    assert len(given.secret) == 64
    (device,) = found.pop("devices")
    of_it = {"outlet_id": "M07", "merchant_id": ASHA, "key_id": 1, "created_at": NOW}
    assert {name: device[name] for name in of_it} == of_it
    (product,) = found.pop("products")
    assert {name: product[name] for name in PRODUCT} == PRODUCT
    assert found == {
        "outlets": [NEW_OUTLET], "slots": in_order(SLOTS), "config_versions": [VERSION],
        "ways_to_pay": [{"merchant_id": ASHA, "outlet_id": "M07", "account_id": ACCOUNT,
                         "way": "code", "place": 1}],
        "audit_log": [noted("machine.onboarded", "M07",
                            after={"version": 1, "account": "mock/asha"})],
    }  # fmt: skip
    assert awake == set()


KEPT = ("machine_templates", {"merchant_id": ASHA, "name": "lift", "template": {
    "windows": {"dispatch_s": 90}, "slots": [{"slot": "A1", "sku": "cola"}]}})  # fmt: skip


async def test_times_of_a_template_are_set_and_on_record_by_whoever_set_it_up(rows: Rows) -> None:
    wanted = replace(M07, template="lift", slots=[])
    _, found, _ = await done(rows, setting_up(wanted), with_accounts(KEPT))
    assert found["outlets"] == [{**NEW_OUTLET, "windows": {"dispatch_s": 90}}]
    assert found["audit_log"] == in_order([
        noted("windows.changed", "M07", after={"dispatch_s": 90}),
        noted("machine.onboarded", "M07", after={"version": 1, "account": "mock/asha"}),
    ])  # fmt: skip


async def test_a_practice_machine_has_an_account_of_test_money_and_short_times(rows: Rows) -> None:
    wanted = replace(M07, channel="practice", slots=M07.slots[:1])
    _, found, _ = await done(rows, setting_up(wanted))
    windows = {"dispatch_s": 20, "in_doubt_s": 30, "offer_s": 3, "run_s": 5}
    assert found["outlets"] == [{**NEW_OUTLET, "channel": "practice", "account_id": TEST_MONEY,
                                 "windows": windows}]  # fmt: skip
    (row,) = found["practice_machines"]
    assert {name: row[name] for name in ("outlet_id", "merchant_id")} == {
        "outlet_id": "M07", "merchant_id": ASHA,
    }  # fmt: skip


async def test_several_are_given_out_in_the_order_in_which_they_were_asked_for(rows: Rows) -> None:
    some = [replace(M07, code=code, slots=M07.slots[:1]) for code in ("M09", "M07", "M08")]
    given, found, _ = await done(rows, setting_up(*some))
    assert [one.machine for one in given] == ["M09", "M07", "M08"]
    assert sorted(row["outlet_id"] for row in found["config_versions"]) == ["M07", "M08", "M09"]


KEY = IdempotentCall(merchant=ASHA, endpoint="machines", key="k", request_hash=b"h")


async def test_a_secret_is_in_the_first_answer_and_is_not_kept(rows: Rows) -> None:
    def verb(here: Context) -> Awaitable[Answer]:
        return onboarding.onboard_once(here, EDITOR, KEY, M07, ADDRESSES)

    said, found, _ = await done(rows, verb)
    secret = said.body["enrolment"]["secret"]
    assert said == Answer(status=201, body={"machine": CONFIG, "enrolment": {
        "machine": "M07", "login": "M07", "secret": secret, "key_id": "1", "dialect": "leased",
        "broker": "mqtt://b:1883", "ca": "Y2E=",
    }})  # fmt: skip
    (kept,) = found["idempotency_keys"]
    assert (kept["status"], kept["body"]) == (201, {"machine": CONFIG, "enrolment": None})
    assert secret not in str(found)


REFUSED: Sequence[tuple[tuple[NewMachine, ...], str]] = (
    ((replace(M07, code="M01"),), "There is a machine M01 already."),
    ((replace(M07, code="C01"),), "There is a machine C01 already."),
    ((M07, M07), "M07 is there twice."),
    ((replace(M07, name=" "), replace(M07, code="M08", template="x")),
     "there is no template x.; This may not be empty."),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(REFUSED)))
async def test_what_is_wrong_is_said_and_nothing_is_set_up(rows: Rows, case: int) -> None:
    wanted, said = REFUSED[case]
    with pytest.raises(OnboardError) as refused:
        await done(rows, setting_up(*wanted))
    assert str(refused.value) == said
    assert {one.machine for one in refused.value.problems} <= set(range(len(wanted)))


async def test_a_code_that_was_taken_meanwhile_is_said_by_its_place(rows: Rows) -> None:
    async def verb(here: Context) -> None:
        some = [replace(M07, code=code, slots=M07.slots[:1]) for code in ("M08", "M07")]
        prepared = await onboarding.prepare(here, ASHA, some)
        async with here.db.as_merchant(ASHA) as conn:
            await conn.execute(
                "INSERT INTO outlets SELECT (jsonb_populate_record(o,"
                """ '{"id": "M07"}')).* FROM outlets o WHERE id = 'C01'"""
            )
            await onboarding.onboard_in(conn, here, EDITOR, prepared, ADDRESSES)

    with pytest.raises(OnboardError) as refused:
        await done(rows, verb)
    assert not isinstance(refused.value.__cause__, OutletTakenError)
    assert [(one.machine, one.field, one.code, one.message) for one in refused.value.problems] == [
        (1, "code", "machine_exists", "There is a machine M07 already."),
    ]  # fmt: skip


# ---- which account ----


def account(name: str, *currencies: str, **more: bool) -> Account:
    said = {"prints": True, "test_only": False, "disabled": False, **more}
    return Account(id=UUID(int=9), name=name, currencies=frozenset(currencies or [INR]), **said)


OTHER_MONEY = account("other", "EUR")
PLAIN, PRINTS = account("plain", prints=False), account("prints")
TESTS, OFF = account("tests", test_only=True), account("off", disabled=True)
TESTS_PLAIN = account("tests plain", test_only=True, prints=False)
NONE = ["No account of yours takes INR."]


@pytest.mark.parametrize(
    ("accounts", "channel", "named", "taken", "problems"),
    [
        ([OTHER_MONEY, PLAIN, PRINTS], "mqtt", None, "prints", []),
        ([PLAIN, account("plain 2", prints=False)], "mqtt", None, "plain", []),
        ([account("first"), PRINTS], "mqtt", None, "first", []),
        ([TESTS, PLAIN], "mqtt", None, "plain", []),
        ([TESTS_PLAIN, TESTS], "mqtt", None, "tests", []),
        ([OFF, TESTS], "mqtt", None, "", NONE),  # a real one is there, and is off
        ([OFF, PLAIN], "mqtt", None, "plain", []),
        ([OTHER_MONEY], "mqtt", None, "", NONE),
        ([], "mqtt", None, "", NONE),
        ([PRINTS, TESTS_PLAIN, TESTS], "practice", None, "tests", []),
        ([PRINTS], "practice", None, "", NONE),
        ([PRINTS, TESTS], "mqtt", "tests", "tests", []),
        ([PRINTS, OFF], "mqtt", "off", "off", []),
        ([PRINTS, TESTS], "practice", "tests", "tests", []),
        ([PRINTS, TESTS], "practice", "prints", "prints",
         ["prints may move real money: no practice machine takes it."]),
        ([PRINTS], "mqtt", "hers", "hers", ["There is no account hers."]),
    ],
)  # fmt: skip
async def test_the_account_that_a_machine_takes(
    accounts: list[Account], channel: str, named: str | None, taken: str, problems: list[str]
) -> None:
    wanted = replace(M07, slots=M07.slots[:1], channel=channel)
    wanted = wanted if named is None else replace(wanted, account=named)
    looking = Planning(
        cast("Connection", Known()), cast("Context", Caps()), ASHA, accounts, frozenset()
    )
    plan = await looking.plan([wanted])
    assert [one.message for one in plan.problems] == problems
    assert [one.account for one in plan.machines] == ([] if problems else [taken])


# ---- what a device is told ----

TEN = {f"p{number}": number for number in range(64)}
FITS: Sequence[Row] = (
    {"gps": {"lat": 90, "lng": 180}}, {"gps": {"lat": -90, "lng": -180}}, {"gps": None},
    {"deviceType": "x" * 64}, {"deviceType": None}, {"uiTheme": "x"}, {"uiTheme": "x" * 64},
    {"pins": {"a": 0, "b": 255}}, {"pins": TEN}, {"pins": {"x" * 64: 1}},
    {"sensors": [{}] * 64}, {"actuators": [{}] * 64}, {"features": ["x"] * 64},
    {"paymentHardware": {"any": [1]}}, {"maintenance": True}, {"device_type": 7, "other": [1]},
)  # fmt: skip
DOES_NOT: Sequence[tuple[Row, str]] = (
    ({"gps": {"lat": 90.1, "lng": 0}}, "device.gps.lat"),
    ({"gps": {"lat": -90.1, "lng": 0}}, "device.gps.lat"),
    ({"gps": {"lat": 0, "lng": 180.1}}, "device.gps.lng"),
    ({"gps": {"lat": 0, "lng": -180.1}}, "device.gps.lng"),
    ({"gps": {"lat": 0, "lng": 0, "alt": 1}}, "device.gps"), ({"gps": {"lat": 0}}, "device.gps"),
    ({"deviceType": ""}, "device.deviceType"), ({"deviceType": "x" * 65}, "device.deviceType"),
    ({"deviceType": "a\x00"}, "device.deviceType"), ({"uiTheme": ""}, "device.uiTheme"),
    ({"uiTheme": "x" * 65}, "device.uiTheme"), ({"pins": {"a": -1}}, "device.pins[...]"),
    ({"pins": {"a": 256}}, "device.pins[...]"), ({"pins": {**TEN, "q": 1}}, "device.pins"),
    ({"pins": {"": 1}}, "device.pins"), ({"pins": {"x" * 65: 1}}, "device.pins"),
    ({"sensors": [{}] * 65}, "device.sensors"), ({"sensors": [1]}, "device.sensors[0]"),
    ({"actuators": [{}] * 65}, "device.actuators"), ({"actuators": [1]}, "device.actuators[0]"),
    ({"features": ["x"] * 65}, "device.features"), ({"features": [""]}, "device.features[0]"),
    ({"paymentHardware": []}, "device.paymentHardware"),
    ({"maintenance": None}, "device.maintenance"),
    ({"food_lock": {"limit_c": 60.1}}, "device.food_lock.limit_c"),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(FITS)))
def test_what_a_device_may_be_told(case: int) -> None:
    config.look_at_device(FITS[case])


@pytest.mark.parametrize("case", range(len(DOES_NOT)))
def test_what_a_device_may_not_be_told(case: int) -> None:
    device, field = DOES_NOT[case]
    with pytest.raises(ConfigError) as refused:
        config.look_at_device(device)
    error = refused.value
    assert (error.code, error.field.startswith(field)) == ("bad_device", True), error.field


async def test_a_price_cap_counts_the_class_before_the_first_greeting(rows: Rows) -> None:
    dear = NewSlot(slot="A1", sku="cola", price=Money(9001, INR))
    simple = replace(M07, channel="socketio", dialect="simple", slots=[dear])
    with pytest.raises(OnboardError) as refused:
        await done(rows, setting_up(simple))
    assert str(refused.value) == (
        "Slot A1 costs 90.01 INR. A machine of class G0 sells for at most 90.00 INR."
    )
    fits = replace(simple, slots=[replace(dear, price=Money(9000, INR))])
    (given,), found, _ = await done(rows, setting_up(fits))
    assert (given.server, given.broker, given.ca) == ("", None, None)
    assert found["outlets"] == [{**NEW_OUTLET, "channel": "socketio", "dialect": "simple"}]
