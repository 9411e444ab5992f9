"""What short functions about machines and their codes find or write, which have statements of their
own: over rows of which one thing differs."""

from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from coinslot.db.pool import RawConnection
from coinslot.kit.money import Money
from coinslot.outlets import machines
from coinslot.payments import printed_codes, provision
from coinslot.payments.provision import WantedCode
from tests.sales.asked import Asked, Here, mistaken
from tests.sales.by_hand import NOW, Rows

SECOND = timedelta(seconds=1)
SOON = NOW + SECOND
ASHA, ACCOUNT, PRODUCT, CODE, PAYMENT, ATTEMPT, OTHER = (UUID(int=n) for n in range(1, 8))
Row = dict[str, Any]

OUTLET: Row = {
    "id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt", "dialect": "leased",
    "name": "In the hall", "contact": "o@asha", "account_id": ACCOUNT,
}  # fmt: skip
A_SLOT: Row = {
    "outlet_id": "M01", "slot": "A1", "stock": 1, "price_minor": 4000, "product_id": PRODUCT,
    "failures_in_row": 2, "withheld_at": NOW,
}  # fmt: skip
PRINTED: Row = {
    "id": CODE, "merchant_id": ASHA, "account_id": ACCOUNT, "outlet_id": "M01", "slot": "A1",
    "stage": "open", "qr_code_id": "qr_1", "amount_minor": 4000, "leased_until": NOW, "lease": 3,
    "image_url": "https://i", "short_url": "https://s",
}  # fmt: skip
OF_A_PAYMENT: Row = {"qr_codes.payment_id": PAYMENT, "qr_codes.attempt_id": ATTEMPT}
GONE: Row = {"outlets.decommissioned_at": NOW}
NOT_IT: list[Row] = [OF_A_PAYMENT, {"qr_codes.outlet_id": "M02"}, {"qr_codes.slot": "A2"}]
CODES_NOW = f"SELECT * FROM qr_codes WHERE id = '{CODE}'"
WANTED = WantedCode(
    merchant=ASHA, account_id=ACCOUNT, outlet="M01", slot="A1", money=Money(4100, "INR"),
    due_at=SOON,
)  # fmt: skip
SAME = WantedCode(
    merchant=ASHA, account_id=ACCOUNT, outlet="M01", slot="A1", money=Money(4000, "INR"),
    due_at=SOON,
)  # fmt: skip


async def profile(conn: RawConnection, *_: object) -> Any:
    async def by_id(account: UUID) -> Any:
        return SimpleNamespace(gateway="stripe")

    context: Any = SimpleNamespace(db=Here(conn), accounts=SimpleNamespace(by_id=by_id))
    row = await conn.fetchrow("SELECT * FROM qr_codes")
    assert row is not None
    return await provision._profile(context, row)


async def sheet_made(conn: RawConnection, outlet: str, code: str) -> None:
    context: Any = SimpleNamespace(db=Here(conn), now=lambda: SOON)
    sheet: Any = SimpleNamespace(outlet=outlet, qr_code_id=code)
    await provision.sheet_made(context, sheet)


async def anew(conn: Any, wanted: WantedCode) -> int | None:
    return await provision.want_printed(conn, wanted, NOW, anew=True)


def untouched(changes: Sequence[Row], column: str, value: object) -> list[tuple[Row, Row]]:
    return [(change, {column: value}) for change in changes]


SHOP: dict[str, Row] = {
    "outlets": OUTLET, "slots": A_SLOT, "gateway_accounts": {"id": ACCOUNT, "gateway": "stripe"},
    "slots 2": {**A_SLOT, "slot": "A0", "price_minor": 3900},
}  # fmt: skip
CODES = (
    Asked("the slot to print for", provision._priced, ("M01", "A1"), SHOP,
          ({"$1": "M02"}, GONE, {"gateway_accounts.id": OTHER}, {"$2": "A2"}, {"outlets.id": "M02"},
           {"gateway_accounts.disabled_at": NOW}, {"slots.outlet_id": "M02"}), (),
          {"slot": "A1", "price": Money(4000, "INR"), "account_id": ACCOUNT, "channel": "mqtt"},
          (({"$2": None}, {"slot": "A0", "price": Money(3900, "INR")}),)),
    Asked("its price stays", provision._priced, ("M01", None), {**SHOP, "slots": {
        **A_SLOT, "slot": "A9", "outlet_id": "M02"}}, (),
          locks=("slots WHERE outlet_id = 'M01'",)),
    Asked("a code of another sum is retired", provision.want_printed, (WANTED, NOW),
          {"qr_codes": PRINTED}, (*NOT_IT, {"qr_codes.retired_at": NOW}, {"$1": SAME}), (),
          {"said": 4000}),
    Asked("a code of the same sum is retired where it is wanted anew", anew, (SAME,),
          {"qr_codes": PRINTED}, NOT_IT, (), {"said": 4000}),
    Asked("how a code is retired", provision.want_printed, (WANTED, NOW), {"qr_codes": PRINTED}, (),
          (), {"retired_at": NOW, "due_at": NOW, "leased_until": None, "lease": 4,
               "stage": "closing"},
          [({"qr_codes.stage": "wanted"}, {"stage": "wanted", "retired_at": NOW}),
           *untouched((*NOT_IT, {"$1": SAME}), "lease", 3)], CODES_NOW),
    Asked("the code that takes its place", provision.want_printed, (WANTED, NOW),
          {"qr_codes": PRINTED}, (), (),
          {"merchant_id": ASHA, "account_id": ACCOUNT, "outlet_id": "M01", "slot": "A1",
           "amount_minor": 4100, "currency": "INR", "created_at": NOW, "due_at": SOON,
           "stage": "wanted"}, (({"$1": SAME}, []),),
          f"SELECT * FROM qr_codes WHERE id <> '{CODE}'"),
    Asked("a sheet was made", sheet_made, ("M01", "qr_1"),
          {"qr_codes": PRINTED, "outlets": OUTLET}, (), (), {"sheet_at": SOON},
          untouched((OF_A_PAYMENT, {"qr_codes.outlet_id": "M02"}, {"$2": "qr_2"}), "sheet_at",
                    None), CODES_NOW),
    Asked("the code of a slot", provision._live, ("M01", "A1"), {"qr_codes": PRINTED},
          (*NOT_IT, {"qr_codes.retired_at": NOW}), (), {"id": CODE}),
    Asked("what a code says of itself", profile, (),
          {"outlets 2": {**OUTLET, "id": "M03"}, "slots 3": {
              **A_SLOT, "outlet_id": "M03", "product_id": OTHER},
           "qr_codes": PRINTED, "outlets": OUTLET, "slots": A_SLOT, "slots 2": {
              **A_SLOT, "slot": "A2", "product_id": OTHER},
           "products": {"id": PRODUCT, "name": "a can"}, "products 2": {"id": OTHER, "sku": "y"},
           "merchants": {"id": ASHA, "name": "Asha", "languages": ["hi"]}},
          ({"outlets.id": "M02"}, {"merchants.id": OTHER}, {"slots.slot": "A3"},
           {"products.id": CODE}, {"slots.outlet_id": "M02"}), (),
          {"outlet": "M01", "outlet_name": "In the hall", "slot": "A1", "product": "a can",
           "merchant_name": "Asha", "languages": ("hi",), "contact": "o@asha",
           "provider": "stripe", "qr_code_id": "qr_1", "qr_image_url": "https://i",
           "qr_short_url": "https://s", "money": Money(4000, "INR")}),
    Asked("codes of a machine that closes down", provision.close_down, ("M01", SOON),
          {"qr_codes": PRINTED, "outlets": OUTLET}, (), (),
          {"retired_at": SOON, "due_at": SOON, "leased_until": None, "lease": 4,
           "stage": "closing"},
          [({"qr_codes.stage": "wanted"}, {"stage": "wanted", "retired_at": SOON}),
           ({"qr_codes.retired_at": NOW}, {"retired_at": NOW, "lease": 3}),
           *untouched((OF_A_PAYMENT, {"qr_codes.outlet_id": "M02"}), "lease", 3)], CODES_NOW),
    Asked("a machine closes down", provision.close_down, ("M01", SOON), {"outlets": OUTLET}, (), (),
          {"decommissioned_at": SOON},
          ((GONE, {"decommissioned_at": NOW}), ({"outlets.id": "M02"},
           {"decommissioned_at": None})),
          "SELECT decommissioned_at FROM outlets"),
    Asked("an old print was taken down", printed_codes.taken_down, ("M01", "A1", SOON),
          {"qr_codes": {**PRINTED, "retired_at": NOW}}, (), (), {"taken_down_at": SOON},
          [*untouched((*NOT_IT, {"qr_codes.retired_at": None}), "taken_down_at", None),
           ({"qr_codes.taken_down_at": NOW}, {"taken_down_at": NOW})], CODES_NOW),
)  # fmt: skip


def here(verb: Any) -> Any:
    """By the connection of the case."""

    async def asked(conn: RawConnection, *values: Any) -> Any:
        return await verb(Here(conn), *values)

    return asked


DEVICE: Row = {
    "outlet_id": "M01", "merchant_id": ASHA, "key_id": 1, "version": 4,
    "broker_hash": machines.hashed("first"), "next_secret": b"t", "next_key_id": 2,
    "next_hash": machines.hashed("second"), "next_issued_at": NOW,
}  # fmt: skip
NEW = machines.Outlet(
    code="M01", merchant_id=ASHA, name="In the hall", place="hall", kind="vending", channel="mqtt",
    dialect="leased", currency="INR", account_id=ACCOUNT, contact="o@asha", zone="Asia/Kolkata",
)  # fmt: skip
HOLDS = [machines.Slot(slot="A1", product_id=PRODUCT, price_minor=4000, stock=3, par=9)]
WAY: Row = {"outlet_id": "M01", "way": "link", "place": 1}
A_MACHINE: dict[str, Row] = {"devices": DEVICE, "outlets": OUTLET}
MACHINES = (
    Asked("a machine is added once", machines.add_outlet, (NEW, HOLDS, NOW), {}, (),
          gives={"said": True}),
    Asked("a machine that is there", machines.add_outlet, (NEW, HOLDS, NOW), {"outlets": OUTLET},
          ({"outlets.merchant_id": OTHER},), gives={"said": False}),
    Asked("how a machine is added", machines.add_outlet, (NEW, HOLDS, NOW), {}, (),
          gives={"id": "M01", "merchant_id": ASHA, "name": "In the hall", "place": "hall",
                 "kind": "vending", "channel": "mqtt", "dialect": "leased", "currency": "INR",
                 "account_id": ACCOUNT, "contact": "o@asha", "zone": "Asia/Kolkata",
                 "created_at": NOW}, after="SELECT * FROM outlets"),
    Asked("what it holds", machines.add_outlet, (NEW, HOLDS, NOW), {}, (),
          gives={"merchant_id": ASHA, "outlet_id": "M01", "slot": "A1", "product_id": PRODUCT,
                 "price_minor": 4000, "stock": 3, "par": 9}, after="SELECT * FROM slots"),
    Asked("another's machine gets no slots", machines.add_outlet, (NEW, HOLDS, NOW),
          {"outlets": {**OUTLET, "merchant_id": OTHER}, "outlets 2": {**OUTLET, "id": "M02"}}, (),
          gives=[], after="SELECT * FROM slots"),
    Asked("a slot that is there stays", machines.add_outlet, (NEW, HOLDS, NOW),
          {"outlets": OUTLET, "slots": A_SLOT}, (), gives={"stock": 1},
          after="SELECT * FROM slots"),
    Asked("by what it is paid", machines.add_outlet, (NEW, HOLDS, NOW),
          {"outlets": {**OUTLET, "id": "M02"}, "ways_to_pay": {**WAY, "outlet_id": "M02"}}, (),
          gives=[{"merchant_id": ASHA, "account_id": ACCOUNT, "way": "code", "place": 1},
                 {"outlet_id": "M02", "way": "link"}],
          after="SELECT * FROM ways_to_pay ORDER BY outlet_id"),
    Asked("a way that was chosen stays", machines.add_outlet, (NEW, HOLDS, NOW),
          {"outlets": OUTLET, "ways_to_pay": WAY}, (), gives={"way": "link"},
          others=(({"outlets.account_id": None, "ways_to_pay.outlet_id": "M02"}, []),),
          after="SELECT * FROM ways_to_pay WHERE outlet_id = 'M01'"),
    Asked("whose device knows this secret", here(machines.is_device), ("M01", "first"), A_MACHINE,
          ({"devices.outlet_id": "M02"}, {"$1": "M02"}, GONE, {"$2": "third"},
           {"outlets.id": "M02"}), (), {"said": ASHA}, (({"$2": "second"}, {"said": ASHA}),)),
    Asked("a next secret that was used", here(machines.is_device), ("M01", "second"),
          {"devices 2": {**DEVICE, "outlet_id": "M09"}, **A_MACHINE}, (), gives={"said": ASHA}),
    Asked("the next secret is the one then", here(machines.is_device), ("M01", "second"), A_MACHINE,
          (),
          gives={"key_id": 2, "broker_hash": DEVICE["next_hash"], "next_hash": None},
          others=(({"$2": "first"}, {"key_id": 1, "next_hash": DEVICE["next_hash"]}),),
          after="SELECT * FROM devices"),
    Asked("logins at a channel", here(machines.device_logins), ("mqtt",),
          {**A_MACHINE, "devices 2": {**DEVICE, "outlet_id": "M00", "next_secret": None,
                                      "next_hash": None, "next_key_id": None,
                                      "next_issued_at": None},
           "outlets 2": {**OUTLET, "id": "M00"}}, (),
          gives=[{"outlet": "M00", "login": "M00", "broker_hash": DEVICE["broker_hash"]},
                 {"outlet": "M01", "login": "M01", "broker_hash": DEVICE["broker_hash"]},
                 {"outlet": "M01", "login": "M01.2", "broker_hash": DEVICE["next_hash"]}],
          others=[(change, [{"outlet": "M00"}]) for change in (
              {"outlets.channel": "http"}, GONE, {"outlets.id": "M02"})]),
    Asked("how often secrets were replaced", here(machines.device_versions), (["M01"],),
          {**A_MACHINE, "devices 2": {**DEVICE, "outlet_id": "M00"},
           "outlets 2": {**OUTLET, "id": "M00"}}, (), gives={"said": {"M01": 4}},
          others=[({"$1": ["M00", "M01"]}, {"said": {"M00": 4, "M01": 4}}),
                  *((change, {"said": {}}) for change in (GONE, {"outlets.id": "M02"}))]),
    Asked("slots that are filled", machines.fill, ("M01", "A1", 5),
          {"slots": A_SLOT, "slots 2": {**A_SLOT, "slot": "A0"}}, ({"$1": "M02"}, {"$2": "A2"}),
          gives={"said": "A1"}, others=(({"$2": None}, [{"said": "A0"}, {"said": "A1"}]),)),
    Asked("how a slot is filled", machines.fill, ("M01", "A1", 5),
          {"slots": A_SLOT, "slots 2": {**A_SLOT, "slot": "A2"}}, (),
          gives=[{"stock": 5, "out_of_sale_at": NOW, "failures_in_row": 0},
                 {"stock": 1, "failures_in_row": 2}],
          others=(({"slots.withheld_at": None, "slots.out_of_sale_at": NOW},
                   [{"out_of_sale_at": None}, {}]),), after="SELECT * FROM slots ORDER BY slot"),
    Asked("machines without a zone", here(machines.without_zone), (),
          {"outlets": {**OUTLET, "id": "M03"}, "outlets 2": {**OUTLET, "id": "M02"},
           "merchants": {"id": ASHA}}, ({"merchants.id": OTHER}, {"merchants.zone": "UTC"}),
          gives=[{"said": "M02"}, {"said": "M03"}],
          others=[(change, [{"said": "M02"}]) for change in ({"outlets.zone": "UTC"}, GONE)]),
    Asked("whose machine it is", here(machines.owner_of), ("M01",), {"outlets": OUTLET},
          ({"outlets.id": "M02"},), gives={"said": ASHA}),
)  # fmt: skip


@pytest.mark.parametrize("asked", [CODES, MACHINES])
async def test_each_function_of_machines_and_codes_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []
