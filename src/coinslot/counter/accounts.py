"""A customer's account: of the phone or the address that a code or a link proved, kept signed in on
a device for a while. Whoever has none is told nothing else than whoever has one."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from coinslot.context import Context
from coinslot.counter.basket import Choice, Wish
from coinslot.counter.history import PastOrder, Proved, past_orders
from coinslot.counter.menu import Store
from coinslot.counter.offers import card_digest
from coinslot.db.pool import Connection
from coinslot.kit.ids import token, uuid7

LIFE: Final = timedelta(days=180)
NAME_CHARS: Final = 80
NOTE_CHARS: Final = 200
BY_CUSTOMER: Final = "the customer"

# Two devices that sign in at once make one account.
_ACCOUNT = """
INSERT INTO counter_accounts (id, merchant_id, form, digest, made_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (merchant_id, form, digest) WHERE deleted_at IS NULL
    DO UPDATE SET made_at = counter_accounts.made_at RETURNING id, card_version
"""
_SESSION = """
INSERT INTO counter_sessions (id, merchant_id, account_id, token_digest, began_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""
_OF_TOKEN = """
SELECT a.id, a.form, a.digest, a.name, a.note, a.card_version, s.id AS session
FROM counter_sessions s JOIN counter_accounts a ON a.id = s.account_id AND a.deleted_at IS NULL
WHERE s.token_digest = $1 AND s.ended_at IS NULL AND s.expires_at > $2
"""
_SAVE = "UPDATE counter_accounts SET name = $2, note = $3 WHERE id = $1 AND deleted_at IS NULL"
_END = "UPDATE counter_sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL"
_END_ALL = "UPDATE counter_sessions SET ended_at = $2 WHERE account_id = $1 AND ended_at IS NULL"
_HOLD = "SELECT card_version FROM counter_accounts WHERE id = $1 FOR NO KEY UPDATE"
_NEXT_CARD = "UPDATE counter_accounts SET card_version = card_version + 1 WHERE id = $1"
_MOVE_CARD = """
UPDATE loyalty_cards SET token_digest = $2 WHERE token_digest = $1
    AND NOT EXISTS (SELECT FROM loyalty_cards WHERE token_digest = $2)
"""
_HAS_POINTS = """
SELECT EXISTS (SELECT FROM loyalty_entries e JOIN loyalty_cards c ON c.id = e.card_id
    WHERE c.token_digest = $1)
"""
_HAS_CARD = "SELECT EXISTS (SELECT FROM loyalty_cards WHERE token_digest = $1)"
_FORGET_ORDERS = """
INSERT INTO forgotten_orders (order_id, merchant_id, asked_by, reason, asked_at)
SELECT k.order_id, k.merchant_id, $3, $3, $4 FROM counter_contacts k
WHERE $2 = CASE $1::text WHEN 'sms' THEN k.phone_digest ELSE k.email_digest END
ON CONFLICT (order_id) DO NOTHING
"""
_DELETE = """
UPDATE counter_accounts SET digest = '', name = '', note = '', deleted_at = $2
WHERE id = $1 AND deleted_at IS NULL
"""
_LINES = """
SELECT l.sku, l.quantity, n.options, n.note FROM orders o JOIN order_lines l ON l.order_id = o.id
    JOIN counter_lines n ON n.line_id = l.id
WHERE o.token = $1 ORDER BY l.id
"""


class Account(Struct, frozen=True, kw_only=True):
    """Who is signed in. `name` and `note` are filled in where they order."""

    id: UUID
    session: UUID
    form: str
    digest: str
    card_version: int
    name: str = ""
    note: str = ""


class Begun(Struct, frozen=True):
    """What the browser keeps: the session, and the token of the account's card. `card` is empty
    where its own card has something on it and the account has one too."""

    session: str
    card: str


async def begin(context: Context, at: Store, proved: Proved, held: str) -> Begun:
    """Signs this browser in; `held` is the card that it has. A card that the account lacks comes
    into it, so that other devices collect on it as well."""
    now, session = context.now(), token()
    async with context.db.as_merchant(at.merchant) as conn:
        row = await conn.fetchrow(
            _ACCOUNT, uuid7(now), at.merchant, proved.form, proved.digest, now
        )
        assert row is not None
        await conn.execute(
            _SESSION, uuid7(now), at.merchant, row["id"], _digest(context, at.merchant, session),
            now, now + LIFE,
        )  # fmt: skip
        card = _card(context, row["id"], row["card_version"])
        mine, theirs = (card_digest(context, at.merchant, one) for one in (card, held))
        if held and held != card and not await conn.fetchval(_HAS_CARD, mine):
            await conn.execute(_MOVE_CARD, theirs, mine)
        elif held and held != card and await conn.fetchval(_HAS_POINTS, theirs):
            card = ""
    return Begun(session, card)


async def signed_in(context: Context, at: Store, held: str) -> Account | None:
    """Whose session this token is."""
    if not held:
        return None
    async with context.db.as_merchant(at.merchant) as conn:
        row = await conn.fetchrow(_OF_TOKEN, _digest(context, at.merchant, held), context.now())
    return None if row is None else Account(**dict(row))


def has_card(context: Context, who: Account, held: str) -> bool:
    """Whether what the browser collects on is the card of the account."""
    return held == _card(context, who.id, who.card_version)


async def orders(context: Context, at: Store, who: Account) -> Sequence[PastOrder]:
    async with context.db.as_merchant(at.merchant) as conn:
        return await past_orders(conn, Proved(who.form, who.digest))


async def save(context: Context, at: Store, who: Account, name: str, note: str) -> None:
    """Empty ones are taken out."""
    name, note = " ".join(name.split())[:NAME_CHARS], " ".join(note.split())[:NOTE_CHARS]
    async with context.db.as_merchant(at.merchant) as conn:
        await conn.execute(_SAVE, who.id, name, note)


async def sign_out(context: Context, at: Store, who: Account, *, everywhere: bool) -> None:
    """This device, or all of them: then the card has another token, too."""
    async with context.db.as_merchant(at.merchant) as conn:
        if everywhere:
            await _end_all(conn, context, at, who)
        else:
            await conn.execute(_END, who.session, context.now())


async def delete(context: Context, at: Store, who: Account) -> None:
    """The account, its sessions, and the person in its orders: these stay for the books, and lose
    the person once they are over. The card has no name; nobody holds it any more."""
    now = context.now()
    async with context.db.as_merchant(at.merchant) as conn:
        await _end_all(conn, context, at, who)
        await conn.execute(_FORGET_ORDERS, who.form, who.digest, BY_CUSTOMER, now)
        await conn.execute(_DELETE, who.id, now)


async def wished(context: Context, at: Store, order: str) -> tuple[Wish, ...]:
    """What was ordered then, as a basket of now. The order's token opens its page, too."""
    async with context.db.as_merchant(at.merchant) as conn:
        rows = await conn.fetch(_LINES, order)
    return tuple(
        Wish(
            sku=row["sku"], quantity=row["quantity"], note=row["note"],
            choices=tuple(
                sorted(one.id for one in msgspec.convert(row["options"], tuple[Choice, ...]))
            ),
        )
        for row in rows
    )  # fmt: skip


async def _end_all(conn: Connection, context: Context, at: Store, who: Account) -> None:
    version = await conn.fetchval(_HOLD, who.id)
    await conn.execute(_END_ALL, who.id, context.now())
    await conn.execute(_NEXT_CARD, who.id)
    old, new = (
        card_digest(context, at.merchant, _card(context, who.id, number))
        for number in (version, version + 1)
    )
    await conn.execute(_MOVE_CARD, old, new)


def _card(context: Context, account: UUID, version: int) -> str:
    """The token of its card: the same on each device that is signed in."""
    return context.vault.digest(f"{account} {version}", "card of an account")


def _digest(context: Context, merchant: UUID, held: str) -> str:
    return context.vault.digest(f"{merchant} {held}", "customer session")
