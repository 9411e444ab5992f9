"""Who is responsible for the data of a merchant's customers, as its privacy page says."""

from datetime import datetime

from msgspec import Struct

from coinslot.db.pool import Connection
from coinslot.people.audit_log import Act, record
from coinslot.people.sessions import SignedIn

_READ = "SELECT controller, address, contact, more FROM merchant_privacy"
_SAVE = """
INSERT INTO merchant_privacy (merchant_id, controller, address, contact, more, updated_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (merchant_id) DO UPDATE SET controller = $2,
    address = $3, contact = $4, more = $5, updated_at = $6
"""


class Privacy(Struct, frozen=True, kw_only=True):
    """Who is responsible, and how to reach them; empty where nobody has said it."""

    controller: str = ""
    address: str = ""
    contact: str = ""
    more: str = ""


async def read(conn: Connection) -> Privacy:
    """Of the transaction's merchant."""
    row = await conn.fetchrow(_READ)
    return Privacy() if row is None else Privacy(**dict(row))


async def save(conn: Connection, who: SignedIn, wanted: Privacy, now: datetime) -> None:
    """In the transaction of the form."""
    await conn.execute(
        _SAVE, who.merchant, wanted.controller, wanted.address, wanted.contact, wanted.more, now
    )
    act = Act(
        action="privacy.set", merchant=who.merchant, subject="",
        after={"controller": wanted.controller, "contact": wanted.contact},
    )  # fmt: skip
    await record(conn, who.actor, act, now)
