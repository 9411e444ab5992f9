"""What the functions of a machine's configuration write and say, whole, beside other machines and
other versions: it is applied, it is looked at, and a newer one is wanted."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.fleet.shop import ASHA, CHANDRA, COLA, OLD, TEA, Given, Row, but, outlet, product, slot
from tests.sales.by_hand import NOW, Rows
from tests.sales.wrote import Wrote, wrote

TABLES = ("outlets", "slots", "config_versions", "config_pushes", "devices")
SOME = timedelta(seconds=1)
UNIT, ORDER = UUID(int=81), UUID(int=82)


def of_slot(name: str, sku: str, amount: int, **more: Any) -> Row:
    return {"slot": name, "sku": sku, "price": {"amount": amount, "currency": "INR"}, **more}


def version(number: int, *slots: Row, **more: Any) -> tuple[str, Row]:
    return "config_versions", {
        "outlet_id": "M01", "merchant_id": ASHA, "version": number, "config": {"slots": slots},
        "price_version": number + 2, "planogram_version": number + 4, **more,
    }  # fmt: skip


SAME = (of_slot("A1", "cola", 4000, par=8), of_slot("A2", "cola", 4100))
HERS = product(UUID(int=90), "tea", 1, merchant_id=CHANDRA)
OTHERS: Given = [
    version(4, of_slot("A1", "tea", 1), outlet_id="M02"), version(5, of_slot("A1", "tea", 2)),
    HERS,
]  # fmt: skip
APPLY = "SELECT apply_config('M01', 4)"
NUMBERS: Row = {"applied_version": 4, "price_version": 6, "planogram_version": 8}
# What lies in it is another product: none of it is sold as this one.
EMPTIED: Row = {"product_id": TEA, "stock": 0, "counted": 0, "counted_at": None,
                "other_product": True}  # fmt: skip
VENDS: Given = [
    ("slot_vends", {"unit_id": UUID(int=100 + number), "merchant_id": ASHA, "outlet_id": of,
                    "slot": name, "word": "fell", "number": number})
    for number, of, name in ((11, "M01", "A1"), (12, "M01", "A1"), (13, "M01", "A2"),
                             (14, "M02", "A1"))
]  # fmt: skip


@pytest.mark.parametrize(
    ("slots", "changes"),
    [
        (SAME, []),
        ((), []),
        ((of_slot("A1", "cola", 4001, par=8),), [(("M01", "A1"), {"price_minor": 4001})]),
        ((of_slot("A1", "cola", 4000, par=9),), [(("M01", "A1"), {"par": 9})]),
        ((of_slot("A1", "cola", 4000),), [(("M01", "A1"), {"par": 0})]),
        ((of_slot("A1", "tea", 4000, par=8),), [(("M01", "A1"), {**EMPTIED, "counted_vend": 12})]),
        (
            (of_slot("A3", "tea", 5, par=8),),
            [(("M01", "A3"), {**EMPTIED, "price_minor": 5})],
        ),
        (
            (of_slot("B1", "tea", 7, par=3),),
            [
                {
                    "merchant_id": ASHA,
                    "outlet_id": "M01",
                    "slot": "B1",
                    "product_id": TEA,
                    "price_minor": 7,
                    "par": 3,
                }
            ],
        ),
        ((of_slot("B1", "none", 7),), []),
    ],
)
async def test_what_is_sold_from_now_on(
    rows: Rows, slots: Sequence[Row], changes: list[Any]
) -> None:
    given = [*but(), *OTHERS, *VENDS, version(4, *slots)]
    wanted: Wrote = {"outlets": [("M01", NUMBERS)]}
    said, found = await wrote(rows, given, TABLES, APPLY)
    assert (said, found) == (True, {**wanted, **({"slots": changes} if changes else {})})


@pytest.mark.parametrize(
    "given",
    [
        OTHERS,
        [*OTHERS, version(4, *SAME, planogram_version=None)],
        [*OTHERS[1:], version(4, *SAME, outlet_id="M02")],
    ],
)
async def test_what_is_not_known_is_not_applied(rows: Rows, given: Given) -> None:
    assert await wrote(rows, [*but(), *given], TABLES, APPLY) == (False, {})


STANDING = "SELECT to_jsonb(s) FROM config_standing('M01') s"
DEVICES: Given = [
    ("devices", {"outlet_id": "M01", "merchant_id": ASHA, "config_version": 2,
                 "last_seen_at": NOW}),
    ("devices", {"outlet_id": "M02", "merchant_id": ASHA, "config_version": 9}),
]  # fmt: skip
STANDS: Row = {
    "wanted": 3, "applied": 3, "price_version": 5, "planogram_version": 7, "has": 2,
    "channel": "mqtt", "speaks": True, "retired": False, "last_seen_at": NOW.isoformat(),
    "older": 0, "open": False, "pending": False,
}  # fmt: skip


def unit(**given: Any) -> tuple[str, Row]:
    return "fulfillments", {"id": UNIT, "merchant_id": ASHA, "outlet_id": "M01", "state": "queued",
                            "order_id": ORDER, "due_at": NOW, "open": False, **given}  # fmt: skip


def order(**given: Any) -> tuple[str, Row]:
    return "orders", {"id": ORDER, "merchant_id": ASHA, "outlet_id": "M01", "state": "paid",
                      "source": "page", "token": "t", "price_version": 5, "planogram_version": 7,
                      **given}  # fmt: skip


SETTLED: Row = {"state": "vended", "settlement": "fulfilled", "basis": "drop", "due_at": None}
WAITS = ("config_pushes", {"id": "M01", "merchant_id": ASHA})


@pytest.mark.parametrize(
    ("more", "differs"),
    [
        ([], {}),
        ([("devices", {"outlet_id": "M01", "config_version": None, "last_seen_at": None})],
         {"has": None, "speaks": False, "last_seen_at": None}),
        ([outlet(dialect="simple", channel="socketio")],
         {"speaks": False, "channel": "socketio"}),
        ([outlet(decommissioned_at=NOW)], {"retired": True}),
        ([outlet(config_version=4)], {"wanted": 4}),
        ([outlet(config_version=4), version(4)],
         {"wanted": 4, "price_version": 6, "planogram_version": 8}),
        ([outlet(config_version=4), version(5), version(4, outlet_id="M02")], {"wanted": 4}),
        ([unit(), order()], {}),
        ([unit(), order(price_version=4)], {"older": 1}),
        ([unit(), order(planogram_version=6)], {"older": 1}),
        ([unit(), order(price_version=None)], {"older": 1}),
        ([unit(**SETTLED), order(price_version=4)], {}),
        ([unit(outlet_id="M02"), order(price_version=4)], {}),
        ([unit(open=True, state="offered"), order()], {"open": True}),
        ([unit(open=True, state="offered", outlet_id="M02"), order()], {}),
        ([WAITS], {"pending": True}),
        ([("config_pushes", {"id": "M01", "merchant_id": ASHA, "ended_at": NOW})], {}),
        ([("config_pushes", {"id": "M02", "merchant_id": ASHA})], {}),
    ],
)  # fmt: skip
async def test_where_a_machine_stands(rows: Rows, more: Given, differs: Row) -> None:
    given = but(
        *more,
        *(
            one
            for one in DEVICES
            if one[1]["outlet_id"]
            not in [row["outlet_id"] for table, row in more if table == "devices"]
        ),
    )
    assert await wrote(rows, given, TABLES, STANDING) == ({**STANDS, **differs}, {})


WANT = "SELECT want_config('M01', $1)"
PUSH: Row = {"id": "M01", "merchant_id": ASHA, "wanted_at": NOW - SOME, "due_at": NOW - SOME,
             "held_since": NOW - SOME, "sent_at": NOW - SOME, "tries": 4}  # fmt: skip
BESIDE = ("config_pushes", {**PUSH, "id": "M02"})


@pytest.mark.parametrize(
    ("more", "written"),
    [
        ([], [{"merchant_id": ASHA, "wanted_at": NOW, "due_at": NOW}]),
        ([("config_pushes", PUSH)], [("M01", {"due_at": NOW, "tries": 0})]),
        ([("config_pushes", {**PUSH, "ended_at": NOW - SOME, "due_at": None})],
         [("M01", {"due_at": NOW, "tries": 0, "ended_at": None, "wanted_at": NOW,
                   "held_since": None})]),
    ],
)  # fmt: skip
async def test_a_newer_one_is_wanted(rows: Rows, more: Given, written: list[Any]) -> None:
    found = (await wrote(rows, [*but(), BESIDE, *more], TABLES, WANT, NOW))[1]
    assert found == {"config_pushes": written}


async def test_what_a_slot_was_filled_with_stays_with_its_product(rows: Rows) -> None:
    counted = {"stock": 4, "counted_journal": "j1", "counted_event": 3, "failures_in_row": 2}
    given = [*but(slot("A1", COLA, 1, **counted), slot("A3", OLD, 900, **counted)), *OTHERS,
             version(4, *SAME, of_slot("A3", "tea", 900, par=8))]  # fmt: skip
    _, found = await wrote(rows, given, TABLES, APPLY)
    assert found["slots"] == [
        (("M01", "A1"), {"price_minor": 4000}),
        (("M01", "A3"), {**EMPTIED, "counted_journal": None, "counted_event": None}),
    ]  # fmt: skip
