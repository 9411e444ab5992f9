"""A business of one's own: whoever runs the installation opens a merchant, and is its first
admin."""

import re
import unicodedata
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.kit.ids import code
from coinslot.merchants.merchants import Merchant, add_merchant
from coinslot.people import members
from coinslot.people.audit_log import Act, record
from coinslot.people.authentication import Authentication
from coinslot.people.sessions import SignedIn

_TRIES: Final = 5
_IS_THERE: Final = """
SELECT true FROM memberships WHERE person_id = $1 AND merchant_id = $2 AND ended_at IS NULL
"""


class NewBusiness(Struct, frozen=True, kw_only=True):
    """What a person says of it. `id` is made of the form's key, so that a form which is sent twice
    opens one."""

    id: UUID
    name: str
    contact: str
    zone: str
    currency: str


async def is_wanted(auth: Authentication) -> bool:
    """Whether this installation has no business yet."""
    async with auth.db.system_connection() as conn:
        return bool(await conn.fetchval("SELECT NOT EXISTS (SELECT FROM merchants)"))


async def open_business(auth: Authentication, who: SignedIn, wanted: NewBusiness) -> None:
    """The merchant, with this person as its admin; again changes nothing. Raises
    UnknownZoneError."""
    for attempt in range(_TRIES):
        slug = _slug(wanted.name) if attempt == 0 else f"{_slug(wanted.name)}-{code(4).lower()}"
        try:
            return await _write(auth, who, wanted, slug)
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name != "merchants_slug_key" or attempt == _TRIES - 1:
                raise


async def _write(auth: Authentication, who: SignedIn, wanted: NewBusiness, slug: str) -> None:
    now = auth.now()
    async with auth.db.as_person(who.person, wanted.id) as conn:
        await conn.execute("SELECT pg_advisory_xact_lock(hashtext($1))", str(wanted.id))
        if await conn.fetchval(_IS_THERE, who.person, wanted.id):
            return
        merchant = Merchant(
            id=wanted.id, name=wanted.name, slug=slug, contact=wanted.contact, zone=wanted.zone,
            currency=wanted.currency,
        )  # fmt: skip
        await add_merchant(conn, merchant, now)
        await members.join(conn, who.person, wanted.id, members.Role(role="admin"), now)
        act = Act(
            action="merchant.opened", merchant=wanted.id, subject=slug, after={"name": wanted.name}
        )
        await record(conn, who.actor, act, now)


def _slug(name: str) -> str:
    """For addresses and commands: small letters, digits and dashes."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "business"
