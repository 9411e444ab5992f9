"""What is sold: a product with its price and cost, in minor units."""

from uuid import UUID

from msgspec import Struct

from coinslot.db.pool import Connection
from coinslot.kit.money import Money


class Product(Struct, frozen=True, kw_only=True):
    """One product of a merchant; `sku` is unique among the merchant's."""

    id: UUID
    sku: str
    name: str
    price: Money
    cost_minor: int = 0


async def add_product(conn: Connection, merchant_id: UUID, product: Product) -> UUID:
    """Its id: the one given, or that of the product that has this sku already."""
    product_id: UUID = await conn.fetchval(
        "INSERT INTO products (id, merchant_id, sku, name, price_minor, cost_minor, currency)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (merchant_id, sku) DO UPDATE SET sku = excluded.sku RETURNING id",
        product.id, merchant_id, product.sku, product.name, product.price.minor,
        product.cost_minor, product.price.currency,
    )  # fmt: skip
    return product_id
