"""What customers see first on a merchant's pages: name, colours, and where to write."""

import re
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from coinslot.db.pool import Connection

_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_READ: Final = """
SELECT m.name AS own_name, coalesce(b.shown_name, '') AS name, b.colour, b.ground,
    b.logo, coalesce(b.support, '') AS support, coalesce(b.nothing_out, '') AS nothing_out
FROM merchants m LEFT JOIN brands b ON b.merchant_id = m.id WHERE m.id = $1
"""
_SET: Final = """
INSERT INTO brands (merchant_id, shown_name, colour, ground, support, nothing_out, changed_at,
    logo) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (merchant_id) DO UPDATE
SET shown_name = $2, colour = $3, ground = $4, support = $5, nothing_out = $6, changed_at = $7,
    logo = $8
"""


class ColourError(ValueError):
    """A colour is written like #0b6b4f."""


class Brand(Struct, frozen=True, kw_only=True):
    """As the merchant wants it; what is left empty is the installation's or the merchant's own."""

    name: str = ""
    colour: str | None = None  # of buttons and links
    ground: str | None = None  # behind the name
    support: str = ""
    nothing_out: str = ""
    logo: str | None = None  # the digest of a picture
    own_name: str = ""  # the merchant's, for reading


def colour_named(text: str) -> str:
    """A colour as browsers send it. Raises ColourError."""
    found = text.strip().lower()
    if not _COLOUR.fullmatch(found):
        raise ColourError(f"{text!r} is no colour; write it like #0b6b4f")
    return found


async def brand_of(conn: Connection, merchant: UUID) -> Brand:
    """The merchant's brand; an empty one where none was set."""
    row = await conn.fetchrow(_READ, merchant)
    if row is None:
        raise LookupError(f"there is no merchant {merchant}")
    return Brand(**dict(row))


async def set_brand(conn: Connection, merchant: UUID, brand: Brand, now: datetime) -> None:
    """The merchant's pages look like this from now on."""
    await conn.execute(
        _SET, merchant, brand.name, brand.colour, brand.ground, brand.support, brand.nothing_out,
        now, brand.logo,
    )  # fmt: skip
