"""The orders of a phone or an address, without an account: who has it gets a code, or a link, and
sees them. Asking has the same answer either way, and sends nothing where there are no orders."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.counter import contacts
from coinslot.counter.codes import TRIES, code_of
from coinslot.counter.menu import Store
from coinslot.db.pool import Connection
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.notices.smtp import MAILBOX

LIFE: Final = timedelta(minutes=15)
_HOUR: Final = timedelta(hours=1)
_OF_ONE: Final = 3  # in an hour, for one phone or address
_OF_NETWORK: Final = 20

# Searches of a merchant are counted one after the other: the lock ends with the transaction.
_LINE_UP = "SELECT pg_advisory_xact_lock(hashtextextended('counter lookups ' || $1, 0))"
_ASKED = """
SELECT count(*) FILTER (WHERE digest = $1) AS of_one,
    count(*) FILTER (WHERE network = $2) AS of_network
FROM counter_lookups WHERE created_at > $3 AND (digest = $1 OR network = $2)
"""
_ADD = """
INSERT INTO counter_lookups (id, merchant_id, outlet_id, form, digest, network, created_at,
    expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
# Written only where this phone or address has orders, by one statement either way.
_TELL = """
INSERT INTO counter_messages (id, merchant_id, outlet_id, lookup_id, purpose, form, dedup,
    phone_digest, network, created_at, due_at)
SELECT gen_random_uuid(), l.merchant_id, l.outlet_id, l.id, 'history', l.form,
    'history.' || l.id::text, CASE l.form WHEN 'sms' THEN l.digest END, l.network, $2, $2
FROM counter_lookups l WHERE l.id = $1 AND $3 AND EXISTS (SELECT FROM counter_contacts k
    JOIN orders o ON o.id = k.order_id WHERE o.paid_at IS NOT NULL
        AND l.digest = CASE l.form WHEN 'sms' THEN k.phone_digest ELSE k.email_digest END)
"""
# What was sent to nobody is known to nobody, and opens nothing: else every search is five guesses
# at the orders of its phone, beyond the few that its owner hears of.
_TRY = """
UPDATE counter_lookups l SET tries = tries + 1
WHERE id = $1 AND tries < $2 AND expires_at > $3 AND used_at IS NULL
    AND EXISTS (SELECT FROM counter_messages m WHERE m.lookup_id = l.id)
RETURNING form, digest
"""
_USE = "UPDATE counter_lookups SET used_at = $2 WHERE id = $1 AND used_at IS NULL RETURNING true"
_ORDERS = """
SELECT o.number, o.token, o.state, o.amount_minor, o.currency::text, o.paid_at,
    o.outlet_id, u.name, u.zone
FROM counter_contacts k JOIN orders o ON o.id = k.order_id JOIN outlets u ON u.id = o.outlet_id
WHERE o.paid_at IS NOT NULL
    AND $2 = CASE $1::text WHEN 'sms' THEN k.phone_digest ELSE k.email_digest END
ORDER BY o.paid_at DESC LIMIT 50
"""


class TooOftenError(Exception):
    """Somebody asks for more than a person needs."""


class PastOrder(Struct, frozen=True, kw_only=True):
    """One of them. `token` opens its page."""

    number: str
    token: str
    state: str
    total: Money
    paid_at: datetime
    store: str  # its code
    place: str
    zone: str | None


async def ask(context: Context, at: Store, typed: str, network: str) -> tuple[UUID, str]:
    """The search that a code belongs to, and how it is sent: 'sms' or 'email'. Raises ContactError
    and TooOftenError."""
    form, digest = _named(context, typed)
    now = context.now()
    async with context.db.as_merchant(at.merchant) as conn:
        await conn.execute(_LINE_UP, str(at.merchant))
        asked = await conn.fetchrow(_ASKED, digest, network, now - _HOUR)
        assert asked is not None
        if asked["of_network"] >= _OF_NETWORK:
            raise TooOftenError
        made = uuid7(now)
        await conn.execute(
            _ADD, made, at.merchant, at.outlet.code, form, digest, network, now, now + LIFE
        )
        await conn.execute(_TELL, made, now, asked["of_one"] < _OF_ONE)
    context.wakes.wake("counter_messages")
    return made, form


class Proved(Struct, frozen=True):
    """A phone ('sms') or an address ('email') of which somebody had the code."""

    form: str
    digest: str


async def found(
    context: Context, at: Store, lookup: UUID, typed: str
) -> Sequence[PastOrder] | None:
    """The orders that this code or link opens, once; None: nothing."""
    who = await proved(context, at, lookup, typed)
    if who is None:
        return None
    async with context.db.as_merchant(at.merchant) as conn:
        return await past_orders(conn, who)


async def proved(context: Context, at: Store, lookup: UUID, typed: str) -> Proved | None:
    """Whose code this is, once. A try is counted, and committed, before anything is compared."""
    async with context.db.as_merchant(at.merchant) as conn:
        row = await conn.fetchrow(_TRY, lookup, TRIES, context.now())
    secret = code_of(context.vault, lookup, 0)
    if row is not None and row["form"] == "email":
        secret = link_key(context, lookup)
    if row is None or not hmac.compare_digest(secret.encode(), typed.strip().encode()):
        return None
    async with context.db.as_merchant(at.merchant) as conn:
        if not await conn.fetchval(_USE, lookup, context.now()):
            return None
    return Proved(row["form"], row["digest"])


async def past_orders(conn: Connection, who: Proved) -> Sequence[PastOrder]:
    """The newest first."""
    rows = await conn.fetch(_ORDERS, who.form, who.digest)
    return [
        PastOrder(
            number=one["number"], token=one["token"], state=one["state"], store=one["outlet_id"],
            place=one["name"], total=Money(one["amount_minor"], one["currency"]),
            paid_at=one["paid_at"], zone=one["zone"],
        )
        for one in rows
    ]  # fmt: skip


def link_key(context: Context, lookup: UUID) -> str:
    """What the link in the mail has, which nobody guesses."""
    return context.vault.digest(str(lookup), "orders by mail")


def _named(context: Context, typed: str) -> tuple[str, str]:
    """Raises ContactError."""
    if "@" in typed:
        email = typed.strip()
        if len(email) > contacts.EMAIL_CHARS or not MAILBOX.fullmatch(email):
            raise contacts.ContactError("email")
        return "email", contacts.email_digest(context.vault, email)
    phone = contacts.phone_of(typed)
    if not phone:
        raise contacts.ContactError("phone")
    return "sms", contacts.phone_digest(context.vault, phone)
