"""What is sold: a product with its price and cost, in minor units. Its price is the one that a new
slot gets; what a slot costs is set there."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import UNSET, Struct, UnsetType

from coinslot.db.pool import Connection
from coinslot.kit.money import Money

_LISTED = """
SELECT p.id, p.sku, p.name, p.price_minor, p.cost_minor, p.currency::text, p.names, p.description,
    p.descriptions, p.category, p.picture, p.retired_at, p.vat FROM products p
WHERE p.merchant_id = $1 AND ($2::text IS NULL OR p.sku > $2) ORDER BY p.sku LIMIT $3
"""
_ONE = """
SELECT id, sku, name, price_minor, cost_minor, currency::text, names, description, descriptions,
    category, picture, retired_at, vat FROM products WHERE merchant_id = $1 AND sku = $2
"""
_CATEGORIES = """
SELECT DISTINCT category FROM products WHERE merchant_id = $1 AND category <> ''
ORDER BY category LIMIT 100
"""
_DESCRIBE = """
UPDATE products SET names = $3, description = $4, descriptions = $5, category = $7,
    picture = CASE WHEN $6::text IS NULL THEN picture ELSE nullif($6, '') END
WHERE merchant_id = $1 AND sku = $2
"""
_RETIRE = """
UPDATE products SET retired_at = CASE WHEN $3 THEN coalesce(retired_at, $4) END
WHERE merchant_id = $1 AND sku = $2 RETURNING true
"""
_CHANGE = """
UPDATE products SET name = coalesce($3, name), price_minor = coalesce($4, price_minor),
    cost_minor = coalesce($5, cost_minor),
    vat = CASE WHEN $7::text IS NULL THEN vat ELSE nullif($7, '') END
WHERE merchant_id = $1 AND sku = $2
    AND ($6::text IS NULL OR currency = $6)
RETURNING id, sku, name, price_minor, cost_minor, currency::text, names, description,
    descriptions, category, picture, retired_at, vat
"""


class UnknownProductError(LookupError):
    """The merchant has no such product, or none in this currency."""


class Product(Struct, frozen=True, kw_only=True):
    """One product of a merchant; `sku` is unique among the merchant's."""

    id: UUID
    sku: str
    name: str
    price: Money
    cost_minor: int = 0
    names: Mapping[str, str] = {}  # by language; where a language has none, `name`
    description: str = ""
    descriptions: Mapping[str, str] = {}
    category: str = ""  # what it is one of, such as drinks; empty: of no category
    picture: str | None = None  # its digest
    retired_at: datetime | None = None  # new slots do not get it any more
    vat: str | None = None  # of its fiscal receipts; None: its account's rate


class Described(Struct, frozen=True, kw_only=True):
    """What customers read and see of a product, beside its name. `picture` None: as it is; empty:
    none."""

    names: Mapping[str, str]
    description: str
    descriptions: Mapping[str, str]
    category: str = ""
    picture: str | None = None


def sku_of(name: str) -> str:
    """A sku for a product that somebody gave only a name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40]
    return found or f"p-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


async def add_product(conn: Connection, merchant_id: UUID, product: Product) -> UUID:
    """Its id: the one given, or that of the product that has this sku already."""
    product_id: UUID = await conn.fetchval(
        "INSERT INTO products (id, merchant_id, sku, name, price_minor, cost_minor, currency, vat)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        " ON CONFLICT (merchant_id, sku) DO UPDATE SET sku = excluded.sku RETURNING id",
        product.id, merchant_id, product.sku, product.name, product.price.minor,
        product.cost_minor, product.price.currency, product.vat,
    )  # fmt: skip
    return product_id


class ProductChange(Struct, frozen=True, kw_only=True):
    """What changes of a product; what is left out stays. Slots keep the prices that they have."""

    name: str | UnsetType = UNSET
    price: Money | UnsetType = UNSET
    cost_minor: int | UnsetType = UNSET
    vat: str | UnsetType = UNSET  # of fiscal receipts; empty: its account's


async def edit_product(
    conn: Connection, merchant_id: UUID, sku: str, change: ProductChange
) -> Product:
    """The product as it is then. Raises UnknownProductError."""
    price = change.price if isinstance(change.price, Money) else None
    row = await conn.fetchrow(
        _CHANGE, merchant_id, sku,
        None if isinstance(change.name, UnsetType) else change.name,
        None if price is None else price.minor,
        None if isinstance(change.cost_minor, UnsetType) else change.cost_minor,
        None if price is None else price.currency,
        None if isinstance(change.vat, UnsetType) else change.vat,
    )  # fmt: skip
    if row is None:
        raise UnknownProductError(
            f"there is no product {sku}{f' in {price.currency}' if price else ''}"
        )
    return _product(row)


async def product(conn: Connection, merchant_id: UUID, sku: str) -> Product:
    """Raises UnknownProductError."""
    row = await conn.fetchrow(_ONE, merchant_id, sku)
    if row is None:
        raise UnknownProductError(f"there is no product {sku}")
    return _product(row)


async def describe_product(
    conn: Connection, merchant_id: UUID, sku: str, wanted: Described
) -> None:
    """What customers read and see of it from now on."""
    await conn.execute(
        _DESCRIBE, merchant_id, sku, wanted.names, wanted.description, wanted.descriptions,
        wanted.picture, wanted.category,
    )  # fmt: skip


async def retire_product(
    conn: Connection, merchant_id: UUID, sku: str, retired: bool, now: datetime
) -> None:
    """New slots do not get it any more, or do again; slots that have it keep it.

    Raises UnknownProductError."""
    if not await conn.fetchval(_RETIRE, merchant_id, sku, retired, now):
        raise UnknownProductError(f"there is no product {sku}")


async def products(
    conn: Connection, merchant_id: UUID, after: str | None = None, limit: int = 100
) -> list[Product]:
    """A page of the merchant's products by their sku; `after` is the last of the page before."""
    return [_product(row) for row in await conn.fetch(_LISTED, merchant_id, after, limit)]


async def categories(conn: Connection, merchant_id: UUID) -> list[str]:
    """Those that the merchant's products have, to choose from."""
    return [row["category"] for row in await conn.fetch(_CATEGORIES, merchant_id)]


def _product(row: asyncpg.Record) -> Product:
    return Product(
        id=row["id"], sku=row["sku"], name=row["name"], cost_minor=row["cost_minor"],
        price=Money(row["price_minor"], row["currency"]), names=row["names"],
        description=row["description"], descriptions=row["descriptions"],
        category=row["category"], picture=row["picture"], retired_at=row["retired_at"],
        vat=row["vat"],
    )  # fmt: skip
