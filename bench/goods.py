"""What stands before the first coin: a merchant, an account, machines with a printed code each."""

from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from msgspec import Struct

from coinslot.catalog.products import Product, add_product
from coinslot.db.pool import Connection, Database
from coinslot.gateways import drivers
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret, Vault
from coinslot.merchants.accounts import AccountName, save_account
from coinslot.merchants.keys import issue_key
from coinslot.merchants.merchants import Merchant, open_merchant
from coinslot.outlets.machines import Outlet, Slot, add_outlet, issue_device

ACCOUNT, SLUG = "acc_BENCHBENCH0001", "bench"
WEBHOOK_SECRET = "a secret of the bench alone"
MINOR = 4000
NOBODY = "http://127.0.0.1:9"  # no gateway is asked here; who asks is refused at once


def qr_code_id(outlet: str) -> str:
    return f"qr_BENCH{outlet}"


def qr_row(outlet: str) -> UUID:
    return uuid5(NAMESPACE_URL, qr_code_id(outlet))


class Stocked(Struct, frozen=True):
    """What the world needs to know of the shop."""

    devices: dict[str, str]  # the secret of each outlet's device
    api_key: str


async def stock(db: Database, vault: Vault, now: datetime, outlets: dict[str, str]) -> Stocked:
    """Open the shop; `outlets` names a channel for each."""
    merchant = Merchant(id=uuid7(now), name="Asha", slug=SLUG)
    await open_merchant(db, merchant, now)
    settings = drivers()["razorpay"].Settings(
        key_id="rzp_test_bench",
        key_secret=Secret("not used"),
        webhook_secrets=(Secret(WEBHOOK_SECRET),),
        account_id=ACCOUNT,
        base_url=NOBODY,
    )
    async with db.as_merchant(merchant.id) as conn:
        name = AccountName(merchant.id, "razorpay", SLUG)
        account = await save_account(conn, vault, now, name, settings)
        till = AccountName(merchant.id, "mock", f"{SLUG}-mock")
        await save_account(conn, vault, now, till, drivers()["mock"].Settings())
        cola = Product(id=uuid7(now), sku="cola", name="Cola", price=Money(MINOR, "INR"))
        await add_product(conn, merchant.id, cola)
        slots = [Slot(slot="A1", product_id=cola.id, price_minor=MINOR, stock=1_000_000)]
        known = {}
        for code, channel in outlets.items():
            outlet = Outlet(
                code=code, merchant_id=merchant.id, name=code, place="Pune", kind="vending",
                channel=channel, dialect="leased", currency="INR", account_id=account,
            )  # fmt: skip
            await add_outlet(conn, outlet, slots, now)
            known[code] = await issue_device(conn, vault, merchant.id, code, now)
            await _print_code(conn, outlet, now)
    return Stocked(known, await issue_key(db, merchant.id, now))


async def _print_code(conn: Connection, outlet: Outlet, now: datetime) -> None:
    """Printed and open; no poll of its payments is due, for there is no gateway to ask."""
    await conn.execute(
        "INSERT INTO qr_codes (id, merchant_id, account_id, outlet_id, slot, stage, qr_code_id,"
        " amount_minor, currency, created_at)"
        " VALUES ($1, $2, $3, $4, 'A1', 'open', $5, $6, $7, $8)",
        qr_row(outlet.code), outlet.merchant_id, outlet.account_id, outlet.code,
        qr_code_id(outlet.code), MINOR, outlet.currency, now,
    )  # fmt: skip
