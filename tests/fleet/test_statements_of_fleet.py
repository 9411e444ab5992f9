"""What each statement about machines finds: its own row, as long as nothing differs from what it
asks for; and what lists of them say."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.fleet import store
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT = timedelta(microseconds=1)
ASHA, CHANDRA, COLA, TEA = (UUID(int=n) for n in (1, 2, 3, 4))
MACHINE = {
    "id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt", "dialect": "leased",
    "currency": "INR",
}  # fmt: skip
SLOT = {"outlet_id": "M01", "slot": "A1", "product_id": COLA, "price_minor": 4000, "stock": 3,
        "par": 9}  # fmt: skip
PRODUCT = {"id": COLA, "merchant_id": ASHA, "sku": "cola", "name": "Cola"}
CODE = {"outlet_id": "M01", "slot": "A1", "amount_minor": 4000, "stage": "open",
        "qr_code_id": "q"}  # fmt: skip
UNIT = {"id": UUID(int=10), "outlet_id": "M01", "state": "failed", "settlement": "refund_due",
        "line_id": UUID(int=9), "settled_at": NOW, "basis": "rejected"}  # fmt: skip
OPEN = {**UNIT, "state": "queued", "settlement": None, "settled_at": None, "basis": None,
        "due_at": NOW}  # fmt: skip
LINE = {"id": UUID(int=9), "slot": "A1", "name": "Cola", "quantity": 1}

SINCE = NOW - MOMENT
PUSH = {"id": "M01", "merchant_id": ASHA}
_CHANGED = {
    "outlets": {**MACHINE, "config_version": 3},
    "config_versions": {"outlet_id": "M01", "version": 3, "config": {
        "slots": [{"slot": "A1", "sku": "tea", "price": {"amount": 4500}}]}},
    "slots": SLOT, "products": PRODUCT,
}  # fmt: skip
_WAITS = "SELECT due_at, tries FROM config_pushes"
_SLOTS = f"SELECT slots FROM ({store.CONFIG}) c"

ASKED = (
    Asked("a machine to change", store.LOCK_MACHINE, ("M01", ASHA), {"outlets": MACHINE},
          ({"outlets.id": "M02"}, {"outlets.merchant_id": CHANDRA}),
          ({"outlets.decommissioned_at": NOW},)),
    Asked("its slots", store.LOCK_SLOTS, ("M01",), {"slots": SLOT}, ({"slots.outlet_id": "M02"},)),
    Asked("its printed codes", store.PRINTED, ("M01",), {"qr_codes": CODE},
          ({"qr_codes.outlet_id": "M02"}, {"qr_codes.retired_at": NOW},
           {"qr_codes.payment_id": UUID(int=5), "qr_codes.attempt_id": UUID(int=6)})),
    Asked("products by sku", store.PRODUCTS_BY_SKU, (["cola", "tea"],), {"products": PRODUCT},
          ({"products.sku": "fanta"},), ({"products.sku": "tea"},)),
    Asked("its configuration", store.CONFIG, ("M01", ASHA), {"outlets": MACHINE},
          ({"outlets.id": "M02"}, {"outlets.merchant_id": CHANDRA})),
    Asked("it is renamed", f"{store.RENAME} RETURNING id", ("M01", "n", "p", "c", None, {}),
          {"outlets": MACHINE}, ({"outlets.id": "M02"},)),
    Asked("a version of its own", f"{store.NEXT_VERSION} RETURNING config_version", ("M01", 7),
          {"outlets": MACHINE}, ({"outlets.id": "M02"},), gives={"config_version": 7}),
    Asked("versions above the machine's", f"{store.RAISE_VERSIONS} RETURNING config_version,"
          " price_version, planogram_version", ("M01", 7, 8, 9), {"outlets": MACHINE},
          ({"outlets.id": "M02"},),
          gives={"config_version": 7, "price_version": 8, "planogram_version": 9}),
    Asked("what it says it has", f"{store.HAS_CONFIG} RETURNING config_version", ("M01", 4),
          {"devices": {"outlet_id": "M01"}}, ({"devices.outlet_id": "M02"},),
          gives={"config_version": 4}),
    Asked("a push", store.LOCK_PUSH, ("M01",), {"config_pushes": PUSH},
          ({"config_pushes.id": "M02"}, {"config_pushes.ended_at": NOW})),
    Asked("the key of a merchant's firmware", store.FIRMWARE_KEY, (ASHA,),
          {"firmware_keys": {"merchant_id": ASHA, "public_key": b"k" * 32}},
          ({"firmware_keys.merchant_id": CHANDRA}, {"firmware_keys.retired_at": NOW}), (),
          {"encode": "6b" * 32}),
    Asked("a machine that is planned", store.MACHINE_ROW, ("M01", ASHA), {"outlets": MACHINE},
          ({"outlets.id": "M02"}, {"outlets.merchant_id": CHANDRA})),
    Asked("slots as they are sold", store.SLOT_TABLE, (ASHA, ["M01"]),
          {"outlets": {**MACHINE, "applied_version": 3, "config_version": 3}, "products": PRODUCT,
           "slots": {**SLOT, "par": 7, "capacity": 9}},
          ({"outlets.merchant_id": CHANDRA}, {"outlets.id": "M02"}, {"outlets.kind": "counter"},
           {"outlets.decommissioned_at": NOW}), (),
          {"machine": "M01", "version": 3, "slot": "A1", "sku": "cola", "product": "Cola",
           "minor": 4000, "par": 7, "capacity": 9, "windows": {}},
          (({"outlets.windows": {"dispatch_s": 9}}, {"windows": {"dispatch_s": 9}}),)),
    Asked("slots of every machine", store.SLOT_TABLE, (ASHA, None), {"outlets": MACHINE,
          "products": PRODUCT, "slots": SLOT},
          ({"outlets.merchant_id": CHANDRA},), ({"outlets.id": "M02", "slots.outlet_id": "M02"},)),
    Asked("slots as they are wanted", store.SLOT_TABLE, (ASHA, ["M01"]),
          {"outlets": {**MACHINE, "applied_version": 2, "config_version": 3}, "products": PRODUCT,
           "config_versions": {"outlet_id": "M01", "version": 3, "config": {"slots": [
               {"slot": "A1", "sku": "cola", "par": 5,
                "price": {"amount": 4500, "currency": "INR"}}]}},
           "slots": {**SLOT, "par": 7, "capacity": 9}}, (), (),
          {"slot": "A1", "product": "Cola", "minor": 4500, "par": 5, "capacity": 9},
          others=[({"outlets.applied_version": 3}, {"minor": 4000, "par": 7}),
                  ({"config_versions.version": 2}, {"minor": 4000, "par": 7}),
                  ({"slots.slot": "A2"}, {"minor": 4500, "capacity": None}),
                  ({"products.sku": "tea"}, {"product": "cola"})]),
    Asked("how many fit", store.SET_CAPACITY, ("M01", "A1", 9), {"outlets": MACHINE,
          "slots": {"outlet_id": "M01", "slot": "A1"}},
          ({"slots.slot": "A2"}, {"slots.outlet_id": "M02"}), (), {"capacity": 9},
          after="SELECT capacity FROM slots"),
    Asked("machines near a point", store.NEAREST, (ASHA, 18.0, 73.0, 9),
          {"outlets": {**MACHINE, "device_config": {"gps": {"lat": 18.0, "lng": 73.001}}}},
          ({"outlets.merchant_id": CHANDRA}, {"outlets.decommissioned_at": NOW},
           {"outlets.device_config": {"gps": {"lat": 18.0}}},
           {"outlets.device_config": {"gps": {"lng": 73.0}}},
           {"outlets.device_config": {"gps": {"lat": "18", "lng": 73.0}}},
           {"outlets.device_config": {"gps": {"lat": 18.0, "lng": "73"}}}), (), {"metres": 106},
          others=[({"outlets.device_config": {"gps": {"lat": 19.0, "lng": 73.0}}},
                   {"metres": 111195}),
                  ({"outlets.device_config": {"gps": {"lat": 60.0, "lng": 75.0}}},
                   {"metres": 4672951}),
                  # On the other side of the world a sum of rounded numbers is a little above one.
                  ({"$2": -82.0, "$3": 0.0,
                    "outlets.device_config": {"gps": {"lat": 82.0, "lng": -180.0}}},
                   {"metres": 20015115})]),
    Asked("the nearest first, and of two in one place by their codes", store.NEAREST,
          (ASHA, 18.0, 73.0, 3),
          {f"outlets {code}": {**MACHINE, "id": code,
                               "device_config": {"gps": {"lat": 18.0, "lng": lng}}}
           for code, lng in (("M4", 73.3), ("M3", 73.2), ("M2", 73.2), ("M1", 73.25))}, (), (),
          [{"code": "M2"}, {"code": "M3"}, {"code": "M1"}]),
    Asked("a push that waits", store.PUSH, ("M01",), {"config_pushes": PUSH},
          ({"config_pushes.id": "M02"}, {"config_pushes.ended_at": NOW})),
    Asked("what a version changes in a slot", store.SLOT_DIFFERENCES, ("M01",), _CHANGED,
          ({"outlets.id": "M02"}, {"config_versions.version": 2},
           {"config_versions.outlet_id": "M02"},
           {"slots.price_minor": 4500, "products.sku": "tea"}), (),
          {"slot": "A1", "product": "Cola", "price_minor": 4000, "currency": "INR",
           "wanted_product": "tea", "wanted_minor": 4500},
          others=[({"products.sku": "tea"}, {"wanted_product": "Cola", "price_minor": 4000}),
                  ({"slots.price_minor": 4500}, {"price_minor": 4500, "wanted_product": "tea"}),
                  ({"slots.outlet_id": "M02"}, {"product": None, "price_minor": None}),
                  ({"slots.slot": "A2"}, {"product": None, "price_minor": None})]),
    Asked("a push is put off", f"{store.PUT_OFF_PUSH} RETURNING due_at", ("M01", NOW),
          {"config_pushes": PUSH}, ({"config_pushes.id": "M02"},), gives={"due_at": NOW}),
    Asked("a push is held", f"{store.HOLD_PUSH} RETURNING due_at, held_since",
          ("M01", NOW, NOW + MOMENT), {"config_pushes": PUSH}, ({"config_pushes.id": "M02"},),
          gives={"due_at": NOW, "held_since": NOW + MOMENT}),
    Asked("a push was sent", f"{store.SENT_PUSH} RETURNING due_at, sent_at, tries",
          ("M01", NOW, NOW + MOMENT, 3), {"config_pushes": PUSH}, ({"config_pushes.id": "M02"},),
          gives={"due_at": NOW, "sent_at": NOW + MOMENT, "tries": 3}),
    Asked("a push ends", f"{store.END_PUSH} RETURNING due_at, ended_at", ("M01", NOW),
          {"config_pushes": {**PUSH, "due_at": NOW}}, ({"config_pushes.id": "M02"},),
          gives={"due_at": None, "ended_at": NOW}),
    Asked("names of products", store.NAMES_OF_PRODUCTS, (ASHA, ["cola"]), {"products": PRODUCT},
          ({"products.merchant_id": CHANDRA}, {"products.sku": "tea"})),
    Asked("a push that waits already", store.WANT_CONFIG, ("M01", NOW), {"outlets": MACHINE,
          "config_pushes": {**PUSH, "tries": 5, "wanted_at": SINCE, "held_since": SINCE}}, (),
          gives={"due_at": NOW, "tries": 0, "wanted_at": SINCE, "held_since": SINCE},
          others=[({"config_pushes.ended_at": SINCE},
                   {"due_at": NOW, "wanted_at": NOW, "held_since": None, "ended_at": None})],
          after="SELECT * FROM config_pushes"),
    Asked("a push that is new", store.WANT_CONFIG, ("M01", NOW), {"outlets": MACHINE},
          ({"outlets.id": "M02"},), gives={"due_at": NOW, "tries": 0}, after=_WAITS),
    Asked("slots while a newer version waits", _SLOTS, ("M01", ASHA),
          {"outlets": {**MACHINE, "config_version": 3, "applied_version": 2},
           "config_versions": {"outlet_id": "M01", "version": 3, "config": {"slots": [1]}}},
          (), gives={"slots": [1]}, others=[
              ({"outlets.applied_version": 3}, {"slots": []}),
              ({"config_versions.version": 2}, {"slots": []}),
              ({"config_versions.outlet_id": "M02"}, {"slots": []})]),
    Asked("versions before", store.VERSIONS, ("M01", 3, 9),
          {"config_versions": {"outlet_id": "M01", "version": 2}},
          ({"config_versions.version": 3}, {"config_versions.outlet_id": "M02"})),
    Asked("all versions", store.VERSIONS, ("M01", None, 9),
          {"config_versions": {"outlet_id": "M01", "version": 2}},
          ({"config_versions.outlet_id": "M02"},), ({"config_versions.version": 3},)),
    Asked("machines in service", store.MACHINES, (ASHA, None, 9, NOW, None, False),
          {"outlets": MACHINE},
          ({"outlets.merchant_id": CHANDRA}, {"outlets.decommissioned_at": NOW},
           {"outlets.kind": "counter"})),
    Asked("machines behind another", store.MACHINES, (ASHA, "M01", 9, NOW, None, True),
          {"outlets": {**MACHINE, "id": "M02"}}, ({"outlets.id": "M01"},),
          ({"outlets.decommissioned_at": NOW},)),
    Asked("one machine", store.MACHINES, (ASHA, None, 9, NOW, "M01", True), {"outlets": MACHINE},
          ({"outlets.id": "M02"},), ({"outlets.decommissioned_at": NOW},)),
    Asked("a machine's device", store.DEVICE, ("M01",), {"outlets": MACHINE},
          ({"outlets.id": "M02"},)),
    Asked("a machine's slots", store.SLOTS, ("M01",), {"slots": SLOT, "products": PRODUCT},
          ({"slots.outlet_id": "M02"},)),
    Asked("what a machine did not hand over", store.FAULTS, ("M01", None, 9),
          {"fulfillments": UNIT, "order_lines": LINE},
          ({"fulfillments.outlet_id": "M02"}, {"fulfillments.settlement": "fulfilled"})),
    Asked("of which nobody knows", store.FAULTS, ("M01", UUID(int=11), 9),
          {"fulfillments": {**OPEN, "state": "in_doubt"}, "order_lines": LINE},
          ({"fulfillments.outlet_id": "M02"}, {"fulfillments.state": "started"},
           {"fulfillments.id": UUID(int=11)})),
    Asked("the key in use", store.KEY_IN_USE, ("M01",), {"devices": {"outlet_id": "M01"}},
          ({"devices.outlet_id": "M02"},)),
    Asked("its device", store.LOCK_DEVICE, ("M01",), {"devices": {"outlet_id": "M01"}},
          ({"devices.outlet_id": "M02"},)),
    Asked("a template", store.TEMPLATE, (ASHA, "small"),
          {"machine_templates": {"merchant_id": ASHA, "name": "small"}},
          ({"machine_templates.merchant_id": CHANDRA}, {"machine_templates.name": "big"})),
    Asked("templates", store.TEMPLATES, (ASHA,),
          {"machine_templates": {"merchant_id": ASHA, "name": "small"}},
          ({"machine_templates.merchant_id": CHANDRA},)),
    Asked("how it speaks", store.SPEAKS, ("M01",), {"outlets": MACHINE}, ({"outlets.id": "M02"},)),
    Asked("codes that are taken", store.CODES_TAKEN, (["M01", "M03"],), {"outlets": MACHINE},
          ({"outlets.id": "M02"},), ({"outlets.merchant_id": CHANDRA},)),
    Asked("its accounts", store.ACCOUNTS, (ASHA,),
          {"gateway_accounts": {"merchant_id": ASHA, "gateway": "mock"}},
          ({"gateway_accounts.merchant_id": CHANDRA},)),
    Asked("what its device is told", f"{store.SET_DEVICE} RETURNING id", ("M01", {}),
          {"outlets": MACHINE}, ({"outlets.id": "M02"},)),
    Asked("a slot is withheld", store.WITHHOLD, ("M01", "A1", NOW), {"slots": SLOT},
          ({"slots.outlet_id": "M02"}, {"slots.slot": "A2"})),
    Asked("a slot is put on sale", store.PUT_ON_SALE, ("M01", "A1"), {"slots": SLOT},
          ({"slots.outlet_id": "M02"}, {"slots.slot": "A2"})),
)  # fmt: skip


async def test_each_statement_finds_its_row_and_none_that_differs(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []


async def machine(rows: Rows, **device: Any) -> dict[str, Any]:
    (row,) = await rows.conn.fetch(store.MACHINES, ASHA, None, 9, NOW, None, True)
    return dict(row)


@pytest.mark.parametrize(
    ("seen", "gone", "state"),
    [
        (None, None, "never_heard"),
        (NOW, None, "online"),
        (NOW - MOMENT, None, "offline"),
        (NOW, NOW, "out_of_service"),
    ],
)
async def test_a_machine_is_online_as_long_as_it_was_heard_of_since_then(
    rows: Rows, seen: Any, gone: Any, state: str
) -> None:
    await rows.put("outlets", **MACHINE, decommissioned_at=gone)
    await rows.put("devices", outlet_id="M01", last_seen_at=seen)
    await rows.put("devices", outlet_id="M02", last_seen_at=NOW)
    found = await machine(rows)
    assert (found["state"], found["last_heard_at"]) == (state, seen)


async def test_a_machine_is_listed_with_what_is_in_its_own_slots(rows: Rows) -> None:
    await rows.put("outlets", **MACHINE)
    empty = await machine(rows)
    assert (empty["slots"], empty["stock"], empty["par"], empty["open_units"]) == (0, 0, 0, 0)
    for slot, stock, out in (("A1", 3, None), ("A2", 0, NOW), ("A3", 0, None)):
        await rows.put("slots", **{**SLOT, "slot": slot, "stock": stock, "out_of_sale_at": out})
    await rows.put("slots", **{**SLOT, "outlet_id": "M02", "stock": 5})
    others: Sequence[dict[str, Any]] = ({}, {"outlet_id": "M02"}, UNIT)
    for number, more in enumerate(others):
        await rows.put("fulfillments", **{**OPEN, **more, "id": UUID(int=20 + number)})
    found = await machine(rows)
    told = ("slots", "sold_out", "out_of_sale", "stock", "par", "open_units")
    assert [found[name] for name in told] == [3, 2, 1, 3, 27, 1]


async def test_a_slot_is_told_with_its_own_code_and_what_is_promised_of_it(rows: Rows) -> None:
    await rows.put("products", **PRODUCT)
    await rows.put("slots", **{**SLOT, "withheld_at": NOW})
    await rows.put("slots", **{**SLOT, "slot": "A0"})
    paid = {"payment_id": UUID(int=5), "attempt_id": UUID(int=6)}
    others: Sequence[dict[str, Any]] = (
        {"outlet_id": "M02"},
        {"slot": "B1"},
        paid,
        {"retired_at": NOW},
    )
    for number, more in enumerate(others):
        other = {"amount_minor": 1, "qr_code_id": f"q{number}"}
        await rows.put("qr_codes", **{**CODE, **other, **more})
    await rows.put("qr_codes", **CODE)
    await rows.put("order_lines", **LINE)
    await rows.put("order_lines", **{**LINE, "id": UUID(int=8), "slot": "B1"})
    units: Sequence[dict[str, Any]] = (
        {},
        {},
        {"outlet_id": "M02"},
        {"line_id": UUID(int=8)},
        UNIT,
    )
    for number, more in enumerate(units, start=30):
        await rows.put("fulfillments", **{**OPEN, **more, "id": UUID(int=number)})
    first, second = await rows.conn.fetch(store.SLOTS, "M01")
    told = ("slot", "withheld", "code_minor", "code_stage", "qr_code_id", "promised")
    assert [first[name] for name in told] == ["A0", False, None, None, None, 0]
    assert [second[name] for name in told] == ["A1", True, 4000, "open", "q", 2]


async def test_a_configuration_says_what_is_in_its_own_slots_in_their_order(rows: Rows) -> None:
    await rows.put("outlets", **MACHINE, config_version=4)
    await rows.put("products", **PRODUCT)
    await rows.put("products", **{**PRODUCT, "id": TEA, "sku": "tea"})
    found = await rows.conn.fetchrow(store.CONFIG, "M01", ASHA)
    assert found is not None
    assert (found["slots"], found["device_version"], found["version"]) == ([], None, 4)
    await rows.put("devices", outlet_id="M01", config_version=3)
    await rows.put("devices", outlet_id="M02", config_version=9)
    await rows.put("slots", **{**SLOT, "slot": "A2", "product_id": TEA, "price_minor": 50})
    await rows.put("slots", **SLOT)
    await rows.put("slots", **{**SLOT, "outlet_id": "M02"})
    found = await rows.conn.fetchrow(store.CONFIG, "M01", ASHA)
    assert found is not None
    assert found["device_version"] == 3
    assert found["slots"] == [
        {"slot": "A1", "sku": "cola", "par": 9, "price": {"amount": 4000, "currency": "INR"}},
        {"slot": "A2", "sku": "tea", "par": 9, "price": {"amount": 50, "currency": "INR"}},
    ]


async def test_faults_and_versions_come_newest_first_a_page_at_a_time(rows: Rows) -> None:
    await rows.put("order_lines", **LINE)
    for number in (21, 23, 22):
        await rows.put("fulfillments", **{**UNIT, "id": UUID(int=number)})
        await rows.put("config_versions", outlet_id="M01", version=number)
        await rows.put("outlets", **{**MACHINE, "id": f"M{number}"})
        made = {"id": UUID(int=number), "created_at": NOW - number * MOMENT, "slug": str(number)}
        await rows.put("gateway_accounts", merchant_id=ASHA, gateway="mock", **made)
        await rows.put("machine_templates", merchant_id=ASHA, name=f"t{number}")
    faults = await rows.conn.fetch(store.FAULTS, "M01", None, 2)
    assert [row["unit"].int for row in faults] == [23, 22]
    more = await rows.conn.fetch(store.FAULTS, "M01", UUID(int=22), 2)
    assert [row["unit"].int for row in more] == [21]
    versions = await rows.conn.fetch(store.VERSIONS, "M01", None, 2)
    assert [row["version"] for row in versions] == [23, 22]
    listed = await rows.conn.fetch(store.MACHINES, ASHA, None, 2, NOW, None, True)
    assert [row["code"] for row in listed] == ["M21", "M22"]
    accounts = await rows.conn.fetch(store.ACCOUNTS, ASHA)
    assert [row["slug"] for row in accounts] == ["23", "22", "21"]
    templates = await rows.conn.fetch(store.TEMPLATES, ASHA)
    assert [row["name"] for row in templates] == ["t21", "t22", "t23"]


async def test_what_is_applied_and_taken_out_of_sale_is_in_that_slot(rows: Rows) -> None:
    async def slot() -> tuple[object, ...]:
        row = await rows.conn.fetchrow(
            "SELECT product_id, price_minor, par, stock, withheld_at, out_of_sale_at,"
            " failures_in_row FROM slots"
        )
        assert row is not None
        return tuple(row)

    async def version(number: int, sku: str, minor: int, par: int) -> None:
        config = {"slots": [{"slot": "A1", "sku": sku, "par": par, "price": {"amount": minor}}]}
        await rows.put("config_versions", outlet_id="M01", merchant_id=ASHA, version=number,
                       config=config, price_version=number, planogram_version=number)  # fmt: skip

    await rows.put("outlets", id="M01", merchant_id=ASHA, dialect="leased", kind="vending")
    await rows.put("products", id=COLA, merchant_id=ASHA, sku="cola")
    await rows.put("products", id=TEA, merchant_id=ASHA, sku="tea")
    await version(2, "cola", 4000, 9)
    await version(3, "tea", 50, 8)
    assert await rows.conn.fetchval(store.APPLY_CONFIG, "M01", 2)
    assert await slot() == (COLA, 4000, 9, 0, None, None, 0)
    await rows.conn.execute("UPDATE slots SET stock = 3, failures_in_row = 2")
    assert not await rows.conn.fetchval(store.APPLY_CONFIG, "M01", 4)  # nothing is known of it
    assert await rows.conn.fetchval(store.APPLY_CONFIG, "M01", 3)
    assert await slot() == (TEA, 50, 8, 0, None, None, 2), "what lies there is no tea"
    await rows.conn.execute(store.WITHHOLD, "M01", "A1", NOW)
    await rows.conn.execute(store.WITHHOLD, "M01", "A1", NOW + MOMENT)
    assert (await slot())[4:] == (NOW, NOW, 2)
    await rows.conn.execute(store.PUT_ON_SALE, "M01", "A1")
    assert (await slot())[4:] == (None, None, 0)


async def test_a_template_is_replaced_under_its_name(rows: Rows) -> None:
    for template, by in (({"a": 1}, "asha"), ({"b": 2}, "boris")):
        await rows.conn.execute(store.PUT_TEMPLATE, ASHA, "small", template, by, NOW, None)
    row = await rows.conn.fetchrow("SELECT template, made_by, changed_at FROM machine_templates")
    assert row is not None
    assert tuple(row) == ({"b": 2}, "boris", NOW)


async def test_what_is_unsettled_at_a_machine_has_its_latest_deadline(rows: Rows) -> None:
    later = NOW + MOMENT
    others: Sequence[dict[str, Any]] = ({}, {"hard_deadline": later}, {"outlet_id": "M02"}, UNIT)
    for number, more in enumerate(others):
        await rows.put("fulfillments", **{**OPEN, **more, "id": UUID(int=40 + number)})
    row = await rows.conn.fetchrow(store.UNSETTLED, "M01")
    assert row is not None
    assert tuple(row) == (2, later)
