"""Tablets behind a counter. One is enrolled by whoever manages people; on it members sign in by a
PIN, for the board alone. The tablet is what they have, the PIN what they know: a PIN is worth
nothing anywhere else."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.kit.ids import token, uuid7
from coinslot.people import limits
from coinslot.people.audit_log import Act, record
from coinslot.people.authentication import (
    Authentication,
    Client,
    RuleError,
    wrong_credentials,
)
from coinslot.people.limits import Limit
from coinslot.people.passwords import BusyError
from coinslot.people.sessions import Grant, Opened, Proof, SignedIn, Wish, open_session
from coinslot.people.tokens import hashed

PIN_TRIES: Final = 5  # of one member at one tablet, within sign_in_window_s
PIN_TRIES_OF_DAY: Final = 20  # of one member at one tablet, in a day
PIN_TRIES_OF_PERSON: Final = 60  # of one member at all tablets of a merchant, in a day
_DAY: Final = timedelta(days=1)
_PIN: Final = re.compile(r"[0-9]{4,8}")
_SECRET_BYTES: Final = 32
_MOST: Final = 20  # of one merchant

_ENROL = """
INSERT INTO tablets (id, merchant_id, name, secret_hash, outlets, enrolled_by, enrolled_at)
SELECT $1, $2, $3, $4, CASE WHEN $5::text[] = '{}' THEN ARRAY(SELECT id FROM outlets
    WHERE merchant_id = $2 AND decommissioned_at IS NULL ORDER BY id) ELSE $5 END, $6, $7
WHERE (SELECT count(*) FROM tablets WHERE merchant_id = $2 AND ended_at IS NULL) < $8
    AND $5 <@ ARRAY(SELECT id FROM outlets WHERE merchant_id = $2) RETURNING true
"""
_LISTED = """
SELECT id, name, outlets, enrolled_at FROM tablets WHERE ended_at IS NULL ORDER BY name, id
"""
_END = """
UPDATE tablets SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING name
"""
_BY_SECRET = """
SELECT t.id, t.merchant_id, t.name, t.outlets FROM tablets t WHERE t.secret_hash = $1
    AND t.ended_at IS NULL
"""
_SET_PIN = """
INSERT INTO pins (person_id, merchant_id, hash, set_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (person_id, merchant_id) DO UPDATE SET hash = $3, set_at = $4
"""
# Members who may work at this tablet: staff of its outlets, and whoever works for all of them.
_MEMBERS = """
SELECT p.id, coalesce(nullif(p.name, ''), p.login) AS name, p.version, n.hash,
    m.version AS grant_version, t.name AS merchant_name, t.slug, t.allowed_networks
FROM pins n JOIN people p ON p.id = n.person_id AND p.disabled_at IS NULL
JOIN memberships m ON m.person_id = p.id AND m.merchant_id = n.merchant_id AND m.ended_at IS NULL
    AND m.role IN ('staff', 'operator', 'admin')
JOIN merchants t ON t.id = m.merchant_id
WHERE n.merchant_id = $1 AND ($2::text[] = '{}' OR m.role <> 'staff' OR m.outlets && $2)
    AND ($3::uuid IS NULL OR p.id = $3) ORDER BY 2, 1
"""


class Tablet(Struct, frozen=True, kw_only=True):
    """An enrolled tablet."""

    id: UUID
    merchant: UUID
    name: str
    outlets: tuple[str, ...]


class Listed(Struct, frozen=True, kw_only=True):
    """One, as whoever manages people sees it."""

    id: UUID
    name: str
    outlets: tuple[str, ...]
    enrolled_at: datetime


class Colleague(Struct, frozen=True, kw_only=True):
    """Somebody who may sign in at a tablet."""

    id: UUID
    name: str


async def enrol(auth: Authentication, who: SignedIn, name: str, outlets: Sequence[str]) -> str:
    """The secret that the tablet keeps. Raises RuleError."""
    assert who.merchant is not None
    secret, now = token(_SECRET_BYTES), auth.now()
    async with auth.db.as_merchant(who.merchant) as conn:
        made = await conn.fetchval(
            _ENROL, uuid7(now), who.merchant, name.strip()[:40], hashed(secret), list(outlets),
            who.person, now, _MOST,
        ) if name.strip() else None  # fmt: skip
        if made is None:
            raise RuleError(
                "tablet_refused", "Name it, and its own outlets; 20 are in use at most."
            )
        act = Act(action="tablet.enrolled", merchant=who.merchant, subject=name.strip()[:40])
        await record(conn, who.actor, act, now)
    return secret


async def listed(auth: Authentication, merchant: UUID) -> list[Listed]:
    async with auth.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(_LISTED)
    return [
        Listed(
            id=row["id"], name=row["name"], outlets=tuple(row["outlets"]),
            enrolled_at=row["enrolled_at"],
        )
        for row in rows
    ]  # fmt: skip


async def end(auth: Authentication, who: SignedIn, tablet: UUID) -> bool:
    """It is none any more, and whoever is signed in at it is out. False for one that is over."""
    assert who.merchant is not None
    async with auth.db.as_merchant(who.merchant) as conn:
        name = await conn.fetchval(_END, tablet, auth.now())
        if name is None:
            return False
        act = Act(action="tablet.ended", merchant=who.merchant, subject=name)
        await record(conn, who.actor, act, auth.now())
    return True


async def by_secret(auth: Authentication, secret: str) -> Tablet | None:
    """Which tablet asks; None: none of ours, or none any more."""
    if not secret:
        return None
    async with auth.db.system_connection() as conn:
        row = await conn.fetchrow(_BY_SECRET, hashed(secret))
    if row is None:
        return None
    return Tablet(
        id=row["id"], merchant=row["merchant_id"], name=row["name"], outlets=tuple(row["outlets"])
    )


async def set_pin(auth: Authentication, who: SignedIn, pin: str) -> None:
    """One's own, for the tablets of this merchant. Raises RuleError and BusyError."""
    assert who.merchant is not None
    if not _PIN.fullmatch(pin) or _is_simple(pin):
        raise RuleError("weak_pin", "Four to eight digits, not all alike and not in a row.")
    made = await auth.passwords.hash(pin)
    async with auth.db.as_person(who.person, who.merchant) as conn:
        await conn.execute(_SET_PIN, who.person, who.merchant, made, auth.now())
        await record(conn, who.actor, Act(action="pin.set", merchant=who.merchant), auth.now())


async def colleagues(auth: Authentication, tablet: Tablet) -> list[Colleague]:
    """Who may sign in here."""
    rows = await _members(auth, tablet, None)
    return [Colleague(id=row["id"], name=row["name"]) for row in rows]


async def sign_in(
    auth: Authentication, tablet: Tablet, person: UUID, pin: str, client: Client
) -> Opened:
    """A session for the board. Raises SignInError, TooOftenError, BusyError, ForbiddenError."""
    limit = _limits(tablet, person)
    await limits.count(auth.context, limit)
    rows = await _members(auth, tablet, person)
    row = rows[0] if rows else None
    try:
        fits = await auth.passwords.fits(None if row is None else row["hash"], pin)
    except BusyError:
        await limits.give_back(auth.context, limit)
        raise
    if row is None or not fits:
        raise wrong_credentials()
    await limits.uncount(auth.context, limit)
    proof = Proof(person=person, version=row["version"], factors=("pin",), has_second=False)
    grant = Grant(
        merchant=tablet.merchant, name=row["merchant_name"], slug=row["slug"],
        version=row["grant_version"], allowed_networks=tuple(row["allowed_networks"]),
    )  # fmt: skip
    wish = Wish(grant=grant, kind="cookie", tablet=tablet.id)
    return await open_session(auth, proof, wish, client)


async def _members(
    auth: Authentication, tablet: Tablet, person: UUID | None
) -> list[asyncpg.Record]:
    async with auth.db.system_connection() as conn:
        return await conn.fetch(_MEMBERS, tablet.merchant, list(tablet.outlets), person)


def _limits(tablet: Tablet, person: UUID) -> list[Limit]:
    """Of this member at this tablet, so that nobody elsewhere locks them out. A PIN is short: in a
    day there are few tries at one tablet, however patient, and at all of them together. Those are
    not forgotten when its owner gets in."""
    here = f"pin:{tablet.id}:{person}"
    return [
        Limit(f"pair:{here}", PIN_TRIES),
        Limit(f"day:{here}", PIN_TRIES_OF_DAY, _DAY),
        Limit(f"day:pin:{tablet.merchant}:{person}", PIN_TRIES_OF_PERSON, _DAY),
    ]


def _is_simple(pin: str) -> bool:
    steps = {int(later) - int(sign) for sign, later in pairwise(pin)}
    return len(steps) == 1 and steps <= {-1, 0, 1}
