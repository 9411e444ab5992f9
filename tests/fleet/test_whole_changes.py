"""A change of a machine: all that it writes, what it says, and whom it wakes, whole; and nothing of
the machines beside it. What is against a rule is said with its field, its code and a sentence."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import pytest
from msgspec.structs import replace

from coinslot.db.pool import RawConnection
from coinslot.fleet import config
from coinslot.fleet.config import (
    Changed,
    ConfigChange,
    ConfigError,
    OutOfServiceError,
    Planned,
    PrintedCode,
    PrintedCodesError,
    SlotChange,
    SlotConfig,
    StaleConfigError,
)
from coinslot.fleet.versions import Editor, MachineConfig
from coinslot.kit.money import Money
from coinslot.outlets.machines import UnknownOutletError
from tests.fleet.shop import (
    ACCOUNT,
    ASHA,
    CHANDRA,
    EDITOR,
    FIRST,
    SECOND,
    SHOP,
    TEA,
    Given,
    Row,
    acted,
    context,
    noted,
    outlet,
    printed,
)
from tests.sales.by_hand import NOW, Rows
from tests.sales.wrote import Wrote, in_order, wrote

TABLES = (
    "outlets", "config_versions", "config_pushes", "qr_codes", "slots", "audit_log", "products",
    "devices",
)  # fmt: skip


def inr(minor: int) -> Money:
    return Money(minor, "INR")


def told(slot: str, sku: str, minor: int, par: int) -> Row:
    """A slot in the record of a version."""
    return {"slot": slot, "sku": sku, "price": {"amount": minor, "currency": "INR"}, "par": par}


STOOD = [told("A1", "cola", 4000, 8), told("A2", "cola", 4100, 0), told("A3", "old", 900, 8)]
CONFIG: Row = {
    "code": "M01", "version": 4, "name": "Hall", "place": "Pune", "contact": "call",
    "zone": "Asia/Kolkata", "currency": "INR", "slots": STOOD, "device": {"a": 1},
    "device_version": None, "applied_version": 3, "decommissioned_at": None,
}  # fmt: skip
PUSHED: Row = {"merchant_id": ASHA, "wanted_at": NOW, "ended_at": NOW}
RETIRED: Row = {"due_at": NOW, "lease": 2, "leased_until": None, "retired_at": NOW,
                "stage": "closing"}  # fmt: skip


def version(codes: Row, prices: int = 5, planogram: int = 7, /, **given: Any) -> Row:
    return {
        "outlet_id": "M01", "version": 4, "merchant_id": ASHA, "config": {**CONFIG, **given},
        **({"codes": codes} if codes else {}), "made_by": "boris", "made_at": NOW,
        "price_version": prices, "planogram_version": planogram,
    }  # fmt: skip


def made(codes: Row | None = None, numbers: Row | None = None, /, **found: Any) -> Wrote:
    """What a change to version 4 writes, beside what it changes of slots and codes."""
    named, codes, numbers = found.pop("named", {}), codes or {}, numbers or {}
    kept = {"config_version": 4, "applied_version": 4, **numbers, **named}
    slots = found.pop("config", {})
    prices = [numbers.get("price_version", 5), numbers.get("planogram_version", 7)]
    return {
        "outlets": [("M01", kept)], "config_pushes": [PUSHED],
        "config_versions": [version(codes, *prices, **named, **slots)],
        "audit_log": [noted("machine.configured", "M01", after={"version": 4, "codes": codes})],
        **{table: in_order(rows) for table, rows in found.items()},
    }  # fmt: skip


async def done(
    rows: Rows, wanted: ConfigChange, given: Given = SHOP, editor: Editor = EDITOR,
    machine: str = "M01",
) -> tuple[Changed, Wrote, set[str]]:  # fmt: skip
    return await acted(
        rows, lambda here: config.change(here, editor, machine, wanted), TABLES, given
    )


def slots(*some: SlotChange, **more: Any) -> ConfigChange:
    return ConfigChange(slots=some, **more)


DEAR = SlotChange(slot="A1", price=inr(4500))
AS_TEA = SlotChange(slot="A2", sku="tea")
NEW = SlotChange(slot="B1", sku="tea", par=3)
NEW_ROW: Row = {"merchant_id": ASHA, "outlet_id": "M01", "slot": "B1", "product_id": TEA,
                "price_minor": 2000, "par": 3}  # fmt: skip
CODE_A1 = PrintedCode(slot="A1", takes=inr(4000), price=inr(4500), sku="cola")
CODE_A2 = PrintedCode(slot="A2", takes=inr(4100), price=inr(4100), sku="tea")
EMPTIED: Row = {"product_id": TEA, "stock": 0, "counted": 0, "counted_at": None,
                "other_product": True}  # fmt: skip
WANTED: Row = {
    "merchant_id": ASHA, "account_id": ACCOUNT, "outlet_id": "M01", "currency": "INR",
    "created_at": NOW, "due_at": NOW, "stage": "wanted",
}  # fmt: skip
PRICES, GOODS = {"price_version": 6}, {"planogram_version": 8}
BOTH = {**PRICES, **GOODS}
OF_BOTH = [told("A1", "cola", 4500, 8), told("A2", "tea", 4100, 0), STOOD[2]]

CASES: Sequence[tuple[ConfigChange, Changed, Wrote]] = (
    (ConfigChange(name=" Yard "), Changed(version=4), made(named={"name": "Yard"})),
    (ConfigChange(place="", version=3), Changed(version=4), made(named={"place": ""})),
    (ConfigChange(contact="write"), Changed(version=4), made(named={"contact": "write"})),
    (ConfigChange(zone="Berlin"), Changed(version=4), made(named={"zone": "Europe/Berlin"})),
    (ConfigChange(zone=None), Changed(version=4), made(named={"zone": None})),
    (ConfigChange(device={}), Changed(version=4),
     {**made(config={"device": {}}), "outlets": [
         ("M01", {"config_version": 4, "applied_version": 4, "device_config": {}})]}),
    (slots(SlotChange(slot="A3", par=0)), Changed(version=4),
     made(config={"slots": [*STOOD[:2], told("A3", "old", 900, 0)]},
          slots=[(("M01", "A3"), {"par": 0})])),
    (slots(SlotChange(slot="A3", price=inr(1))), Changed(version=4),
     made({}, PRICES, config={"slots": [*STOOD[:2], told("A3", "old", 1, 8)]},
          slots=[(("M01", "A3"), {"price_minor": 1})])),
    (slots(NEW, replace(NEW, slot="A0", par=0, price=inr(7))), Changed(version=4),
     made({}, BOTH,
          config={"slots": [*STOOD, told("A0", "tea", 7, 0), told("B1", "tea", 2000, 3)]},
          slots=[NEW_ROW, {name: value for name, value in {**NEW_ROW, "slot": "A0",
                           "price_minor": 7}.items() if name != "par"}])),
    (slots(DEAR, AS_TEA, codes="replace"),
     Changed(version=4, codes=(CODE_A1, CODE_A2), replaced=True),
     made({"A1": "replaced", "A2": "replaced"}, BOTH, config={"slots": OF_BOTH},
          slots=[(("M01", "A1"), {"price_minor": 4500}), (("M01", "A2"), EMPTIED)],
          qr_codes=[(FIRST, RETIRED), (SECOND, RETIRED),
                    {**WANTED, "slot": "A1", "amount_minor": 4500},
                    {**WANTED, "slot": "A2", "amount_minor": 4100}])),
    (slots(DEAR, AS_TEA, codes="keep"), Changed(version=4, codes=(CODE_A1, CODE_A2)),
     made({"A1": "kept", "A2": "kept"}, BOTH, config={"slots": OF_BOTH},
          slots=[(("M01", "A1"), {"price_minor": 4500}), (("M01", "A2"), EMPTIED)])),
    # Nothing is untrue, so nothing is replaced; and no code is touched.
    (slots(SlotChange(slot="A1", par=9), codes="replace"), Changed(version=4),
     made(config={"slots": [told("A1", "cola", 4000, 9), *STOOD[1:]]},
          slots=[(("M01", "A1"), {"par": 9})])),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(CASES)))
async def test_what_a_change_writes_says_and_wakes(rows: Rows, case: int) -> None:
    wanted, changed, written = CASES[case]
    awake = {"config_pushes", "qr_codes"} if changed.replaced else {"config_pushes"}
    assert await done(rows, wanted) == (changed, written, awake)


@pytest.mark.parametrize(
    "wanted",
    [
        ConfigChange(),
        ConfigChange(name="Hall", place="Pune", contact="call", zone="Kolkata", device={"a": 1}),
        slots(SlotChange(slot="A1"), codes="replace"),
        slots(SlotChange(slot="A1", sku="cola", price=inr(4000), par=8), SlotChange(slot="A2"),
              SlotChange(slot="A3"), whole=True, version=3),
    ],
)  # fmt: skip
async def test_what_is_so_already_writes_nothing(rows: Rows, wanted: ConfigChange) -> None:
    assert await done(rows, wanted) == (Changed(version=3), {}, {"config_pushes"})


async def test_a_code_is_asked_about_before_anything_of_it_is_written(rows: Rows) -> None:
    with pytest.raises(PrintedCodesError) as asked:
        await done(rows, slots(DEAR, AS_TEA, NEW))
    assert asked.value.codes == (CODE_A1, CODE_A2)
    assert str(asked.value) == (
        "the printed code of slot A1 takes 40.00 INR: it is retired, money paid through it goes"
        " back, and a new one for 45.00 INR has to be printed; the printed code of slot A2 takes"
        " 41.00 INR: it is retired, money paid through it goes back, and a new one for 41.00 INR"
        " has to be printed"
    )


@pytest.mark.parametrize(
    ("beside", "untrue"),
    [
        (printed(FIRST, "A1", 4500), ()),  # the code takes what the slot will cost
        (printed(FIRST, "A1", 4000), (CODE_A1,)),
        (printed(FIRST, "A1", 3900), (replace(CODE_A1, takes=inr(3900)),)),
        (printed(FIRST, "A3", 4000), ()),
        (printed(FIRST, "A1", 4000, outlet_id="M02"), ()),
        (printed(FIRST, "A1", 4000, retired_at=NOW), ()),
    ],
)
async def test_which_codes_a_price_makes_untrue(
    rows: Rows, beside: tuple[str, Row], untrue: tuple[PrintedCode, ...]
) -> None:
    given = [one for one in SHOP if one[0] != "qr_codes"] + [beside]
    changed, _, _ = await done(rows, slots(DEAR, codes="keep"), given)
    assert changed.codes == untrue
    same, _, _ = await done(rows, slots(SlotChange(slot="A1", par=1), codes="ask"), given)
    assert same.codes == (), "whatever the code takes, its price stays"


async def planned(rows: Rows, wanted: ConfigChange, given: Given = SHOP) -> tuple[Any, Wrote]:
    async def verb(conn: RawConnection) -> Planned:
        return await config.planned_in(conn, context(conn), EDITOR, "M01", wanted)

    return await wrote(rows, given, TABLES, verb)


async def test_what_is_planned_is_said_and_not_written(rows: Rows) -> None:
    before = MachineConfig(
        code="M01", version=3, name="Hall", place="Pune", contact="call", zone="Asia/Kolkata",
        currency="INR", device={"a": 1}, applied_version=3, slots=[
            SlotConfig(slot="A1", sku="cola", price=inr(4000), par=8),
            SlotConfig(slot="A2", sku="cola", price=inr(4100)),
            SlotConfig(slot="A3", sku="old", price=inr(900), par=8),
        ],
    )  # fmt: skip
    wanted = slots(DEAR, NEW, name="Yard", device={"b": 2})
    after = replace(before, device={"b": 2}, slots=[
        replace(before.slots[0], price=inr(4500)), *before.slots[1:],
        SlotConfig(slot="B1", sku="tea", price=inr(2000), par=3),
    ])  # fmt: skip
    plan = Planned(before=before, after=after, codes=(CODE_A1,))
    assert await planned(rows, wanted) == (plan, {})


FULL = [("slots", {**NEW_ROW, "slot": f"C{n}"}) for n in range(config.SLOTS_AT_MOST - 4)]
ROOM = slots(NEW)
FITS = {"k": "x" * (config.DEVICE_BYTES_AT_MOST - len('{"k":""}'))}
SIMPLE = [outlet(channel="socketio", dialect="simple"), *SHOP[1:]]
Refused = tuple[ConfigChange, str, str, str]

REFUSED: Sequence[Refused] = (
    (slots(DEAR, SlotChange(slot="A0"), NEW, replace(NEW, par=4)), "slot_twice", "slots[3].slot",
     "B1 is there twice."),
    (slots(SlotChange(slot="A2"), NEW, whole=True), "slot_left_out", "slots",
     "Slot A1 is left out: a slot is never removed, only taken out of sale."),
    (slots(NEW, SlotChange(slot="Z9", par=1)), "slot_unknown", "slots[1].slot",
     "There is no slot Z9."),
    (slots(SlotChange(slot="A1", sku="hers")), "unknown_product", "slots[0].sku",
     "There is no product hers."),
    (slots(NEW, SlotChange(slot="A1", sku="old")), "retired_product", "slots[1].sku",
     "old is retired."),
    (slots(SlotChange(slot="B1", sku="old")), "retired_product", "slots[0].sku",
     "old is retired."),
    (slots(NEW, SlotChange(slot="A1", price=Money(4000, "EUR"))), "other_currency",
     "slots[1].price", "This machine sells in INR."),
    (slots(SlotChange(slot="A1", price=inr(0))), "bad_price", "slots[0].price",
     "A price is more than nothing."),
    (ConfigChange(zone="Mars"), "unknown_zone", "zone",
     "'Mars' is no time zone; write one such as Asia/Kolkata"),
    (ConfigChange(device={"k": FITS["k"] + "x"}), "device_config_too_large", "device",
     "At most 8192 bytes fit."),
    (ConfigChange(device={"pins": {"a": 256}}), "bad_device", "device.pins[...]",
     "device.pins[...]: At most 255 is possible."),
    (ConfigChange(device={"gps": {"lat": "1", "lng": 1}}), "bad_device", "device.gps.lat",
     "device.gps.lat: A number is wanted."),
    (ConfigChange(device={"gps": {"lat": 1, "lng": -180.5}}), "bad_device", "device.gps.lng",
     "device.gps.lng: At least -180.0 is possible."),
    (ConfigChange(device={"pins": {"": 1}}), "bad_device", "device.pins",
     "device.pins: This may not be empty."),
    (ConfigChange(device={"maintenance": 1}), "bad_device", "device.maintenance",
     "device.maintenance: Expected `bool`, got `int`."),
    (ConfigChange(codes=cast("Any", "never")), "bad_request", "codes",
     "Invalid enum value 'never'."),
    (ConfigChange(name=" "), "bad_request", "name", "This may not be empty."),
    (ConfigChange(name="x" * 101), "bad_request", "name", "At most 100 characters fit."),
    (ConfigChange(place="a\x00b"), "bad_request", "place",
     "It has a character that cannot be kept."),
    (slots(SlotChange(slot="A 1")), "bad_request", "slots[0].slot",
     "Letters, digits, - and _ only, 16 at most."),
    (slots(SlotChange(slot="A1", par=-1)), "bad_request", "slots[0].par", "A count is 0 or more."),
    (slots(SlotChange(slot="A1", par=10_001)), "bad_request", "slots[0].par",
     "At most 10000 is possible."),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(REFUSED)))
async def test_what_is_against_a_rule_is_said_with_its_place(rows: Rows, case: int) -> None:
    wanted, code, field, message = REFUSED[case]
    for ask in (done, planned):
        if ask is planned and code == "unknown_zone":
            continue  # of a plan slots and device settings are seen, and nothing else
        with pytest.raises(ConfigError) as refused:
            await ask(rows, wanted)
        error = refused.value
        assert (error.code, error.field, str(error)) == (code, field, message)


@pytest.mark.parametrize(
    ("field", "most", "refused"),
    [
        ("name", 100, "At most 100 characters fit."),
        ("place", 200, "At most 200 characters fit."),
        ("contact", 200, "At most 200 characters fit."),
        ("zone", 64, "At most 64 characters fit."),
    ],
)
def test_a_text_has_room_for_so_many_characters_and_no_more(
    field: str, most: int, refused: str
) -> None:
    fits = replace(ConfigChange(), **{field: "x" * most})
    assert config.checked(fits) == fits
    with pytest.raises(ConfigError) as error:
        config.checked(replace(fits, **{field: "x" * (most + 1)}))
    assert (error.value.code, error.value.field, str(error.value)) == (
        "bad_request", field, refused,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fits", "beyond"),
    [
        (SlotChange(slot="A_z-9" + "x" * 11), SlotChange(slot="x" * 17)),
        (SlotChange(slot="A"), SlotChange(slot="")),
        (SlotChange(slot="A", sku="x" * 64), SlotChange(slot="A", sku="x" * 65)),
        (SlotChange(slot="A", sku="x"), SlotChange(slot="A", sku="")),
        (SlotChange(slot="A", sku="a b"), SlotChange(slot="A", sku="a\x00")),
        (SlotChange(slot="A", par=0), SlotChange(slot="A", par=-1)),
        (SlotChange(slot="A", par=10_000), SlotChange(slot="A", par=10_001)),
        (SlotChange(slot="A"), SlotChange(slot="A\n")),
    ],
)
def test_what_a_slot_may_say(fits: SlotChange, beyond: SlotChange) -> None:
    assert config.checked(slots(fits)) == slots(fits)
    with pytest.raises(ConfigError, match=r"\.$") as refused:
        config.checked(slots(beyond))
    assert refused.value.field.startswith("slots[0].")


async def test_what_just_fits_is_taken(rows: Rows) -> None:
    assert (await done(rows, ROOM, [*SHOP, *FULL]))[0] == Changed(version=4)
    assert (await done(rows, ConfigChange(device=FITS)))[0] == Changed(version=4)
    at_most = SlotChange(slot="B1", sku="tea", price=inr(9000), par=10_000)
    assert (await done(rows, slots(at_most), SIMPLE))[0] == Changed(version=4)
    one_more = [*SHOP, *FULL, ("slots", {**NEW_ROW, "slot": "D1"})]
    assert (await done(rows, slots(SlotChange(slot="D1", par=1)), one_more))[0].version == 4
    with pytest.raises(ConfigError) as refused:
        await done(rows, ROOM, one_more)
    error = refused.value
    assert (error.code, error.field, str(error)) == (
        "too_many_slots", "slots", "At most 200 are possible.",
    )  # fmt: skip


async def test_a_price_above_the_cap_of_its_machine_is_refused_and_one_that_stands_stays(
    rows: Rows,
) -> None:
    dear = [*SIMPLE, ("slots", {**NEW_ROW, "slot": "D1", "price_minor": 9500})]
    for wanted in (
        SlotChange(slot="B1", sku="tea", price=inr(9001)), SlotChange(slot="D1", price=inr(9400)),
        SlotChange(slot="A3", price=inr(9001)),
    ):  # fmt: skip
        with pytest.raises(ConfigError) as refused:
            await done(rows, slots(wanted), dear)
        error = refused.value
        assert (error.code, error.field, str(error)) == (
            "price_above_cap", "slots[0].price",
            "A machine of class G0 sells for at most 90.00 INR.",
        )  # fmt: skip
    stays = SlotChange(slot="D1", price=inr(9500), par=2)
    assert (await done(rows, slots(stays), dear))[0] == Changed(version=4)
    kept = SlotChange(slot="D1", par=4)
    assert (await done(rows, slots(kept), dear))[0] == Changed(version=4)


async def test_a_device_that_breaks_a_newer_rule_refuses_no_other_change(rows: Rows) -> None:
    odd = [outlet(device_config={"pins": 1}), *SHOP[1:]]
    assert (await done(rows, ConfigChange(name="Yard"), odd))[0] == Changed(version=4)
    large = [outlet(device_config={"k": FITS["k"] + "x"}), *SHOP[1:]]
    with pytest.raises(ConfigError):
        await done(rows, ConfigChange(name="Yard"), large)


GONE = [outlet(decommissioned_at=NOW), *SHOP[1:]]
HERS = replace(EDITOR, merchant=CHANDRA)
STALE = "the configuration is at version 3 by now: read it again"
TURNED_AWAY: Sequence[tuple[Given, Editor, str, int, type[Exception], str]] = (
    (SHOP, EDITOR, "M09", 3, UnknownOutletError, "no machine has the code M09"),
    (SHOP, EDITOR, "C01", 3, UnknownOutletError, "no machine has the code C01"),
    (SHOP, HERS, "M01", 3, UnknownOutletError, "no machine has the code M01"),
    (SHOP, EDITOR, "M01", 2, StaleConfigError, STALE),
    (SHOP, EDITOR, "M01", 4, StaleConfigError, STALE),
    (GONE, EDITOR, "M01", 2, StaleConfigError, STALE),
    (GONE, EDITOR, "M01", 3, OutOfServiceError, "M01 is out of service"),
)


@pytest.mark.parametrize("case", range(len(TURNED_AWAY)))
async def test_who_may_not_change_it_now_is_told_why(rows: Rows, case: int) -> None:
    given, editor, machine, seen, raised, said = TURNED_AWAY[case]
    change = ConfigChange(name="Yard", version=seen)

    async def plans(conn: RawConnection) -> object:
        return await config.planned_in(conn, context(conn), editor, machine, change)

    with pytest.raises(raised) as first:
        await done(rows, change, given, editor, machine)
    with pytest.raises(raised) as second:
        await wrote(rows, given, (), plans)
    assert (str(first.value), str(second.value)) == (said, said)
    if isinstance(first.value, StaleConfigError):
        assert first.value.version == 3


async def test_a_machine_that_is_at_a_unit_waits_with_the_change(rows: Rows) -> None:
    unit: tuple[str, Row] = ("fulfillments", {
        "outlet_id": "M01", "merchant_id": ASHA, "state": "offered", "due_at": NOW, "open": True,
    })  # fmt: skip
    changed, written, awake = await done(rows, ConfigChange(name="Yard"), [*SHOP, unit])
    assert (changed, awake) == (Changed(version=4), {"config_pushes"})
    soon = NOW + timedelta(seconds=5)
    assert written["config_pushes"] == [{"merchant_id": ASHA, "wanted_at": NOW, "due_at": soon}]
    assert written["outlets"] == [("M01", {"config_version": 4, "name": "Yard"})]
