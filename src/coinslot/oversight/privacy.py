"""A person's data on request: what is kept of them, all of it as one file, and its end. The order
stays for the books; the person goes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.counter.contacts import email_digest, phone_digest, phone_of
from coinslot.db.pool import Connection
from coinslot.people.audit_log import Act, record
from coinslot.people.sessions import SignedIn

MOST: Final = 200  # orders of one person at once

_FIND = """
SELECT o.id, o.number, o.placed_at, o.ended_at, o.state, u.name AS outlet, c.name,
    w.asked_at AS forgotten_at, w.done_at
FROM orders o JOIN outlets u ON u.id = o.outlet_id
    LEFT JOIN counter_orders c ON c.order_id = o.id
    LEFT JOIN counter_contacts k ON k.order_id = o.id
    LEFT JOIN forgotten_orders w ON w.order_id = o.id
WHERE ($1::uuid[] IS NOT NULL AND o.id = ANY ($1)) OR o.receipt_contact = $2
    OR o.number = upper($2) OR k.phone_digest = $3 OR k.email_digest = $4
ORDER BY o.id DESC LIMIT $5
"""
_EXPORT = """
SELECT o.id, o.number, o.outlet_id AS outlet, o.placed_at, o.paid_at, o.ended_at, o.state,
    o.amount_minor AS amount, o.currency::text AS currency, o.receipt_contact, c.name,
    k.phone, k.email, k.language, d.address AS delivered_to,
    (SELECT jsonb_agg(jsonb_build_object('name', a.name, 'note', a.note, 'made_at', a.made_at)
        ORDER BY a.id) FROM counter_accounts a WHERE a.deleted_at IS NULL
        AND a.digest IN (k.phone_digest, k.email_digest)) AS accounts,
    (SELECT jsonb_agg(jsonb_build_object('name', l.name, 'quantity', l.quantity,
        'price', l.price_minor, 'note', coalesce(n.note, '')) ORDER BY l.id)
        FROM order_lines l LEFT JOIN counter_lines n ON n.line_id = l.id
        WHERE l.order_id = o.id) AS lines,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('form', s.form, 'text_version', s.text_version,
        'language', s.language, 'at', s.at) ORDER BY s.id), '[]') FROM counter_consents s
        WHERE s.order_id = o.id) AS consents,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('purpose', m.purpose, 'form', m.form,
        'state', m.stage, 'at', m.created_at) ORDER BY m.created_at), '[]') FROM counter_messages m
        WHERE m.order_id = o.id) AS messages,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('reference', p.gateway_payment_id,
        'payer', p.payer_reference, 'amount', p.captured, 'at', p.captured_at) ORDER BY p.id), '[]')
        FROM captures p WHERE p.order_id = o.id) AS payments
FROM orders o LEFT JOIN counter_orders c ON c.order_id = o.id
    LEFT JOIN counter_contacts k ON k.order_id = o.id
    LEFT JOIN counter_deliveries d ON d.order_id = o.id
WHERE o.id = ANY ($1) ORDER BY o.id
"""
_ASK = """
INSERT INTO forgotten_orders (order_id, merchant_id, asked_by, reason, asked_at)
SELECT o.id, o.merchant_id, $2, $3, $4 FROM orders o WHERE o.id = ANY ($1)
ON CONFLICT (order_id) DO NOTHING
"""
# Orders are locked one after the other, so that two runs at once forget each of them once.
_READY = """
SELECT w.order_id FROM forgotten_orders w WHERE w.done_at IS NULL
    AND ($1::uuid[] IS NULL OR w.order_id = ANY ($1)) AND may_be_forgotten(w.order_id)
ORDER BY w.order_id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
"""
_FORGET = "SELECT forget_person($1)"
_DONE = "UPDATE forgotten_orders SET done_at = $2 WHERE order_id = $1 AND done_at IS NULL"
_WAITING = """
SELECT DISTINCT merchant_id FROM forgotten_orders WHERE done_at IS NULL
    AND may_be_forgotten(order_id) LIMIT 100
"""


class PersonOrder(Struct, frozen=True, kw_only=True):
    """One order of a person. `forgotten_at`: it was asked for then; `done_at`: the person is
    gone."""

    id: UUID
    number: str
    outlet: str
    placed_at: datetime
    ended_at: datetime | None
    name: str
    forgotten_at: datetime | None
    done_at: datetime | None


class Forgotten(Struct, frozen=True):
    """So many orders name nobody any more; the others will, once they are over."""

    done: int
    waiting: int


class NothingToForgetError(Exception):
    """None of these is an order of this merchant, or no reason was given."""


async def find(context: Context, merchant: UUID, said: str) -> tuple[PersonOrder, ...]:
    """Orders of a phone, an e-mail address, or of an order's code, newest first."""
    said = said.strip()
    if not said:
        return ()
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(_FIND, None, said, *_digests(context, said), MOST)
    return tuple(_order(row) for row in rows)


async def export(context: Context, who: SignedIn, orders: Sequence[UUID]) -> dict[str, Any]:
    """All that is kept of them, for the person. It is on record who took it."""
    assert who.merchant is not None
    async with context.db.as_merchant(who.merchant) as conn:
        rows = await conn.fetch(_EXPORT, list(orders)[:MOST])
        act = Act(
            action="person.exported", merchant=who.merchant, subject="",
            after={"orders": [str(row["id"]) for row in rows]},
        )  # fmt: skip
        await record(conn, who.actor, act, context.now())
    return {"made_at": context.now(), "orders": [_given(row) for row in rows]}


async def forget(
    conn: Connection, context: Context, who: SignedIn, orders: Sequence[UUID], reason: str
) -> Forgotten:
    """In the transaction of the form. Twice changes nothing. Raises NothingToForgetError."""
    known = [row["id"] for row in await conn.fetch(_FIND, list(orders)[:MOST], "", "", "", MOST)]
    if not known or not reason.strip():
        raise NothingToForgetError
    await conn.execute(_ASK, known, who.login, reason.strip(), context.now())
    done = await _forget(conn, context, known)
    act = Act(
        action="person.forgotten", merchant=who.merchant, subject="", reason=reason.strip(),
        after={"orders": [str(one) for one in known]},
    )  # fmt: skip
    await record(conn, who.actor, act, context.now())
    return Forgotten(done, len(known) - done)


async def forget_waiting(context: Context) -> int:
    """Of the orders that are over by now, the person goes, too; how many."""
    async with context.db.system_connection() as conn:
        merchants = [row["merchant_id"] for row in await conn.fetch(_WAITING)]
    done = 0
    for merchant in merchants:
        async with context.db.as_merchant(merchant) as conn:
            done += await _forget(conn, context, None)
    return done


async def _forget(conn: Connection, context: Context, orders: Sequence[UUID] | None) -> int:
    ready = await conn.fetch(_READY, orders, MOST)
    for row in ready:
        await conn.execute(_FORGET, row["order_id"])
        await conn.execute(_DONE, row["order_id"], context.now())
    return len(ready)


def _digests(context: Context, said: str) -> tuple[str, str]:
    if "@" in said:
        return "", email_digest(context.vault, said)
    try:
        return phone_digest(context.vault, phone_of(said)), ""
    except ValueError:
        return "", ""


def _order(row: asyncpg.Record) -> PersonOrder:
    return PersonOrder(
        id=row["id"], number=row["number"], outlet=row["outlet"], placed_at=row["placed_at"],
        ended_at=row["ended_at"], name=row["name"] or "", forgotten_at=row["forgotten_at"],
        done_at=row["done_at"],
    )  # fmt: skip


def _given(row: asyncpg.Record) -> Mapping[str, Any]:
    return {name: value for name, value in row.items() if value not in (None, "")}
