"""Everything that can be the matter at once, each with all that its alert says; and at the other
side of each bound nothing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.events.notices import alerts
from tests.sales.by_hand import NOW, Rows

MOMENT, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)
ASHA, COLA, CASE, PAYOUT = UUID(int=1), UUID(int=2), 4, 5
AT = "2026-11-21T12:00:00+00:00"
JUST_BEFORE = "2026-11-21T11:59:59.999999+00:00"
FIND = f"SELECT kind, subject, merchant_id, data FROM ({alerts._WRONG}) w WHERE $1::text <> ''"
HALL = {"machine": "M01", "name": "Hall", "place": "ground"}
YARD = {"machine": "M02", "name": "Yard", "place": "gate"}


async def world(rows: Rows, **changes: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """Two machines with everything wrong, but for these; what is found, by kind and subject."""

    async def put(table: str, name: str = "", /, **given: Any) -> None:
        await rows.put(table, **given | changes.get(name or table, {}))

    await rows.conn.execute("BEGIN; SET LOCAL timezone = 'UTC'")
    for row, label in ((HALL, "hall"), (YARD, "yard")):
        given = {"name": row["name"], "place": row["place"], "merchant_id": ASHA}
        await put("outlets", label, id=row["machine"], channel="mqtt", dialect="leased",
                  device_config={"food_lock": {}} if row is YARD else {}, **given)  # fmt: skip
    await put("devices", "of_hall", outlet_id="M01", last_seen_at=NOW - MOMENT)
    await put("devices", "of_yard", outlet_id="M02", last_seen_at=NOW)
    await put("outlet_stops", outlet_id="M01", why="food_lock", since=NOW - HOUR)
    await put("machine_health", outlet_id="M02", at=NOW, temperature_at=NOW - MOMENT, rssi=-85,
              journal_used=80, restarts=[NOW - HOUR + n * MOMENT for n in range(1, 6)])  # fmt: skip
    await put("machine_health", "health_of_hall", outlet_id="M01", at=NOW - MOMENT,
              temperature_at=NOW - 2 * MOMENT)  # fmt: skip
    await put("counter_checks", outlet_id="M02", differs_since=NOW - HOUR)
    await put("products", id=COLA, merchant_id=ASHA, sku="cola", name="Cola")
    await put("slots", outlet_id="M01", slot="A1", product_id=COLA, out_of_sale_at=NOW, par=20,
              stock=0)  # fmt: skip
    for slot in ("B2", "B1"):
        await put("slots", slot, outlet_id="M02", slot=slot, product_id=COLA, par=20, stock=5)
        await put("slot_demand", f"of_{slot}", outlet_id="M02", slot=slot, product_id=COLA,
                  sales=2.0, days=1.0, held=3, through=1, likely=5)  # fmt: skip
    for back in (HOUR, 2 * HOUR):
        await put("fulfillments", outlet_id="M01", failure_code="PRICE_VERSION", state="failed",
                  settlement="refund_due", basis="rejected", settled_at=NOW - back,
                  merchant_id=ASHA)  # fmt: skip
    for case, kind in ((CASE, "surplus"), (PAYOUT, "not_paid_out")):
        await put("cases", kind, id=case, merchant_id=ASHA, kind=kind, source="state",
                  amount_minor=case, currency="INR", opened_at=NOW)  # fmt: skip
    found = await rows.conn.fetch(FIND, "x", NOW, 80, 5, 85)
    await rows.conn.execute("ROLLBACK")
    assert {row["merchant_id"] for row in found} <= {ASHA}
    told = {(row["kind"], row["subject"]): row["data"] for row in found}
    assert len(told) == len(found), "each is found once"
    return told


def ailing(what: str) -> tuple[tuple[str, str], dict[str, Any]]:
    return ("machine_ailing", f"M02 {what}"), {**YARD, "what": what, "since": AT}


EVERYTHING: dict[tuple[str, str], dict[str, Any]] = dict([
    (("machine_silent", "M01"), {**HALL, "since": JUST_BEFORE}),
    (("machine_too_warm", "M01"),
     {**HALL, "what": "food_lock", "since": "2026-11-21T11:00:00+00:00"}),
    (("machine_too_warm", "M02 thermometer"),
     {**YARD, "what": "no_temperature", "since": JUST_BEFORE}),
    ailing("counted"), ailing("journal"), ailing("signal"), ailing("restarts"),
    (("slot_out_of_sale", "M01 A1"),
     {"machine": "M01", "name": "Hall", "slot": "A1", "product": "Cola", "since": AT}),
    (("stock_low", "M02"), {**YARD, "slots": "B1, B2"}),
    (("sold_out_soon", "M02"), {**YARD, "slots": "B1, B2"}),
    (("price_differs", "M01"), {**HALL, "since": "2026-11-21T10:00:00+00:00"}),
    (("case_waiting", str(CASE)),
     {"case": CASE, "kind": "surplus", "minor": 4, "currency": "INR", "since": AT}),
    (("payout_differs", str(PAYOUT)),
     {"case": PAYOUT, "kind": "not_paid_out", "minor": 5, "currency": "INR", "since": AT}),
])  # fmt: skip


async def test_everything_that_is_wrong_is_found_with_all_that_is_said_of_it(rows: Rows) -> None:
    assert await world(rows) == EVERYTHING


HEALTH = ("counted", "journal", "signal", "restarts")


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"of_hall": {"last_seen_at": NOW}}, ["machine_silent M01"]),
        ({"of_hall": {"last_seen_at": None}}, ["machine_silent M01"]),
        ({"outlet_stops": {"until": NOW}}, ["machine_too_warm M01"]),
        ({"outlet_stops": {"why": "maintenance"}}, ["machine_too_warm M01"]),
        ({"yard": {"device_config": {}}}, ["machine_too_warm M02 thermometer"]),
        ({"of_yard": {"last_seen_at": None}}, ["machine_too_warm M02 thermometer"]),
        ({"machine_health": {"temperature_at": NOW}}, ["machine_too_warm M02 thermometer"]),
        ({"machine_health": {"at": NOW - MOMENT}}, [f"machine_ailing M02 {w}" for w in HEALTH]),
        ({"machine_health": {"journal_used": 79}}, ["machine_ailing M02 journal"]),
        ({"machine_health": {"rssi": -84}}, ["machine_ailing M02 signal"]),
        ({"machine_health": {"restarts": [NOW] * 4}}, ["machine_ailing M02 restarts"]),
        ({"machine_health": {"restarts": [NOW] * 4 + [NOW - HOUR]}},
         ["machine_ailing M02 restarts"]),
        ({"counter_checks": {"differs_since": None}}, ["machine_ailing M02 counted"]),
        ({"counter_checks": {"outlet_id": "M01"}}, ["machine_ailing M02 counted"]),
        ({"slots": {"out_of_sale_at": None, "par": 0}}, ["slot_out_of_sale M01 A1"]),
        ({"slots": {"withheld_at": NOW}}, ["slot_out_of_sale M01 A1"]),
        ({"B1": {"stock": 6}, "B2": {"stock": 6}}, ["stock_low M02", "sold_out_soon M02"]),
        ({"B1": {"par": 0}, "B2": {"par": 19}}, ["stock_low M02"]),
        ({"of_B1": {"likely": 4}, "of_B2": {"likely": None}}, ["sold_out_soon M02"]),
        ({"yard": {"channel": "practice"}}, ["stock_low M02", "sold_out_soon M02"]),
        ({"fulfillments": {"settled_at": NOW - DAY}}, ["price_differs M01"]),
        ({"fulfillments": {"failure_code": "JAM"}}, ["price_differs M01"]),
        ({"surplus": {"closed_at": NOW, "how": "healed"}}, [f"case_waiting {CASE}"]),
        ({"not_paid_out": {"closed_at": NOW, "how": "healed"}}, [f"payout_differs {PAYOUT}"]),
        ({"hall": {"decommissioned_at": NOW}}, [
            "machine_silent M01", "machine_too_warm M01", "slot_out_of_sale M01 A1",
            "price_differs M01"]),
        ({"yard": {"decommissioned_at": NOW}}, [
            "machine_too_warm M02 thermometer", "stock_low M02", "sold_out_soon M02",
            *(f"machine_ailing M02 {what}" for what in HEALTH)]),
    ],
)  # fmt: skip
async def test_what_ends_one_of_them_ends_no_other(
    rows: Rows, changes: dict[str, dict[str, Any]], gone: list[str]
) -> None:
    found = await world(rows, **changes)
    left = {key for key in EVERYTHING if " ".join(key) not in gone}
    assert len(left) + len(gone) == len(EVERYTHING)
    assert found.keys() == left


@pytest.mark.parametrize(
    "kind",
    ["not_paid_out", "amount_differs", "refunds_differ", "not_on_record", "not_at_gateway"],
)
async def test_what_the_gateways_books_say_otherwise_is_of_a_payout(rows: Rows, kind: str) -> None:
    found = await world(rows, not_paid_out={"kind": kind})
    assert found["payout_differs", str(PAYOUT)]["kind"] == kind
    assert found.keys() == EVERYTHING.keys()
