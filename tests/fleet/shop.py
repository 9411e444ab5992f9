"""Rows of Asha's shop for verbs about machines: M01 with three slots, beside it her second machine
and one of Chandra's, of which no verb that names M01 changes anything."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, cast
from uuid import UUID

from coinslot.app.kinds import KINDS
from coinslot.channels.price_caps import PriceCaps
from coinslot.context import Context, Windows
from coinslot.db.pool import Database, RawConnection
from coinslot.fleet.versions import Editor
from coinslot.kit.clock import SettableClock
from coinslot.kit.secrets import Vault
from coinslot.payments.webhook_batch import WebhookBatch
from coinslot.people.audit_log import Actor
from tests.sales.asked import Here
from tests.sales.by_hand import NOW, Rows
from tests.sales.wrote import Wrote, wrote

ASHA, CHANDRA, ACCOUNT, BORIS, SESSION = (UUID(int=n) for n in range(1, 6))
COLA, TEA, OLD, HERS = (UUID(int=n) for n in range(11, 15))
FIRST, SECOND, OF_M02 = (UUID(int=n) for n in range(21, 24))
ACTOR = Actor(person=BORIS, session=SESSION, address="198.51.100.4", factors=("password", "totp"))
EDITOR = Editor(ASHA, "boris", ACTOR)
Row = dict[str, Any]
Given = list[tuple[str, Row]]


def context(conn: RawConnection, **more: Any) -> Context:
    """Whose every transaction is the one of the test."""
    given: dict[str, Any] = {
        "clock": SettableClock(NOW), "windows": Windows(), "accounts": cast("Any", None),
        "vault": Vault({"k": b"v" * 32}, "k"), "installation": "test", "kinds": KINDS,
        "price_caps": PriceCaps.parse("G0:INR=9000"), **more,
    }  # fmt: skip
    return Context(db=cast("Database", Here(conn)), open_inbox=WebhookBatch, **given)


def woken(of: Context) -> set[str]:
    """Whose sweepers were woken."""
    return {table for table, event in of.wakes.events.items() if event.is_set()}


def outlet(key: str = "M01", /, **given: Any) -> tuple[str, Row]:
    return "outlets", {
        "id": key, "merchant_id": ASHA, "kind": "vending", "channel": "mqtt", "dialect": "leased",
        "currency": "INR", "config_version": 3, "applied_version": 3, "price_version": 5,
        "planogram_version": 7, "name": "Hall", "place": "Pune", "contact": "call",
        "zone": "Asia/Kolkata", "device_config": {"a": 1}, "account_id": ACCOUNT, **given,
    }  # fmt: skip


def slot(name: str, product: UUID, price: int, /, **given: Any) -> tuple[str, Row]:
    return "slots", {"merchant_id": ASHA, "outlet_id": "M01", "slot": name, "product_id": product,
                     "price_minor": price, "par": 8, "stock": 5, "counted": 5, "counted_at": NOW,
                     **given}  # fmt: skip


def product(key: UUID, sku: str, price: int, /, **given: Any) -> tuple[str, Row]:
    return "products", {"id": key, "merchant_id": ASHA, "sku": sku, "name": sku.title(),
                        "price_minor": price, "currency": "INR", **given}  # fmt: skip


def printed(key: UUID, of: str, amount: int, /, **given: Any) -> tuple[str, Row]:
    return "qr_codes", {
        "id": key, "merchant_id": ASHA, "account_id": ACCOUNT, "outlet_id": "M01", "slot": of,
        "amount_minor": amount, "currency": "INR", "stage": "open", "qr_code_id": str(key),
        "leased_until": NOW, "lease": 1, **given,
    }  # fmt: skip


def noted(action: str, subject: str, **given: Any) -> Row:
    """An entry of the audit log, without its number."""
    return {
        "merchant_id": ASHA, "person_id": BORIS, "session_id": SESSION,
        "factors": ["password", "totp"], "address": "198.51.100.4", "action": action,
        "subject": subject, "at": NOW, **given,
    }  # fmt: skip


SHOP: Given = [
    outlet(), outlet("M02"), outlet("C01", merchant_id=CHANDRA),
    ("devices", {"outlet_id": "M01", "merchant_id": ASHA}),
    ("devices", {"outlet_id": "M02", "merchant_id": ASHA}),
    product(COLA, "cola", 4000), product(TEA, "tea", 2000),
    product(OLD, "old", 900, retired_at=NOW),
    slot("A1", COLA, 4000), slot("A2", COLA, 4100, par=0), slot("A3", OLD, 900),
    slot("A1", COLA, 4000, outlet_id="M02"), slot("A2", TEA, 1, outlet_id="M02"),
    printed(FIRST, "A1", 4000), printed(SECOND, "A2", 4100),
    printed(OF_M02, "A1", 4000, outlet_id="M02"),
]  # fmt: skip


def but(*some: tuple[str, Row]) -> Given:
    """The shop, where these rows stand in place of their own."""
    named = [_key(one) for one in some]
    return [*some, *(one for one in SHOP if _key(one) not in named)]


def _key(one: tuple[str, Row]) -> tuple[object, ...]:
    table, row = one
    return table, row.get("id"), row.get("outlet_id"), row.get("slot")


async def acted(
    rows: Rows, verb: Callable[[Context], Awaitable[Any]], tables: Collection[str],
    given: Given = SHOP, **more: Any,
) -> tuple[Any, Wrote, set[str]]:  # fmt: skip
    """What a verb said, what it wrote in these tables, and whom it woke."""
    awake: set[str] = set()

    async def act(conn: RawConnection) -> Any:
        here = context(conn, **more)
        said = await verb(here)
        awake.update(woken(here))
        return said

    said, found = await wrote(rows, given, tables, act)
    return said, found, awake
