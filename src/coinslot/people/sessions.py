"""Sessions: where someone is signed in, with a cookie or with tokens. Whose a session is, and which
role they have at that moment, is looked up at every request."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.db.pool import Connection
from coinslot.db.sealed import SealedColumn
from coinslot.kit.ids import token, uuid7
from coinslot.people.audit_log import Act, Actor, Once, record
from coinslot.people.authentication import Authentication, Client, ForbiddenError, over
from coinslot.people.outbox import NEW_PLACE, concerns
from coinslot.people.roles import INSTALLATION, PERMISSIONS, STAFF
from coinslot.people.tokens import AccessClaims, hashed, whole_seconds

_NOTED_EVERY = timedelta(minutes=1)
_SECRET_BYTES: Final = 32
_AGENT_CHARS: Final = 300
_SECOND: Final = frozenset(("totp", "recovery", "security_key"))

# Versions are compared, so that a session ends when what gave it its rights was changed.
_CURRENT = """
SELECT s.id, s.kind, s.person_id, s.for_merchant, s.factors, s.proved_at, s.used_at, p.login,
    p.name, coalesce(m.role, $3) AS role, coalesce(m.outlets, '{}') AS outlets,
    s.tablet_id, b.outlets AS tablet_outlets, t.name AS merchant_name,
    t.second_factor_required, t.allowed_networks,
    EXISTS (SELECT FROM second_factors f WHERE f.person_id = p.id AND f.confirmed_at IS NOT NULL
        AND f.removed_at IS NULL) AS has_second
FROM sessions s
JOIN people p ON p.id = s.person_id AND p.version = s.person_version AND p.disabled_at IS NULL
LEFT JOIN merchants t ON t.id = s.for_merchant
LEFT JOIN memberships m ON m.person_id = s.person_id AND m.merchant_id = s.for_merchant
    AND m.version = s.grant_version AND m.ended_at IS NULL
LEFT JOIN installation_admins a ON s.for_merchant IS NULL AND a.person_id = s.person_id
    AND a.version = s.grant_version AND a.ended_at IS NULL
LEFT JOIN tablets b ON b.id = s.tablet_id AND b.merchant_id = s.for_merchant
    AND b.ended_at IS NULL
WHERE s.ended_at IS NULL AND s.expires_at > $2 AND s.used_at > $4
    AND (m.role IS NOT NULL OR a.person_id IS NOT NULL)
    AND (s.tablet_id IS NULL OR b.id IS NOT NULL)
"""
BY_ID = f"{_CURRENT} AND s.id = $1 AND s.kind = 'token'"
BY_SECRET = f"{_CURRENT} AND s.secret_hash = $1"
STILL = f"{_CURRENT} AND s.id = ANY ($1)"
REFRESH = "SELECT person_id, session_id FROM refresh_tokens WHERE hash = $1"
_OPEN = """
INSERT INTO sessions (id, person_id, for_merchant, kind, secret_hash, factors, person_version,
    grant_version, address, agent, network, created_at, proved_at, used_at, expires_at, tablet_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $14, $12, $13, $15)
"""
# A session that takes the place of another is of the same browser, and on a tablet it stays for the
# board alone, whatever was proved at it.
_SAME_BROWSER = """
UPDATE sessions SET (push_endpoint, tablet_id) =
    (SELECT push_endpoint, tablet_id FROM sessions WHERE id = $2)
WHERE id = $1
"""
# The first sign-in of all is from no new place, nor is one before networks were noted.
_IS_NEW_PLACE = """
SELECT EXISTS (SELECT FROM sessions WHERE person_id = $1 AND network <> '')
    AND NOT EXISTS (SELECT FROM sessions WHERE person_id = $1 AND network = $2)
"""
_END = """
UPDATE sessions SET ended_at = $2, ended_because = $3 WHERE id = $1 AND ended_at IS NULL
"""
_LISTED = """
SELECT s.id, s.kind, s.for_merchant, s.address, s.agent, s.created_at, s.used_at
FROM sessions s JOIN people p ON p.id = s.person_id AND p.version = s.person_version
WHERE s.person_id = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND s.used_at > $3
ORDER BY s.used_at DESC, s.id
"""


class Grant(Struct, frozen=True, kw_only=True):
    """What someone may be signed in for: a merchant, or the installation (None)."""

    merchant: UUID | None
    name: str
    slug: str
    version: int
    allowed_networks: tuple[str, ...] = ()


class Proof(Struct, frozen=True, kw_only=True):
    """Who it is, and by which factors they showed it."""

    person: UUID
    version: int
    factors: tuple[str, ...]
    has_second: bool

    @property
    def complete(self) -> bool:
        return is_strong(self.factors) or (not self.has_second and "password" in self.factors)


class SignedIn(Struct, frozen=True, kw_only=True):
    """Whose request it is. `merchant` is None for an admin of the installation.

    Without a second factor where the merchant requires one, there are no permissions: the person
    can only add one."""

    session: UUID
    kind: str
    person: UUID
    login: str
    name: str
    merchant: UUID | None
    merchant_name: str | None
    role: str
    outlets: tuple[str, ...]
    factors: tuple[str, ...]
    permissions: frozenset[str]
    second_factor_missing: bool
    proved_at: datetime  # when a factor was shown
    strongly: bool  # with two factors, or with all that the person has
    address: str
    once: Once | None = None  # of the form that is worked for them

    @property
    def actor(self) -> Actor:
        return Actor(
            person=self.person, session=self.session, factors=self.factors, address=self.address,
            once=self.once,
        )  # fmt: skip


class Opened(Struct, frozen=True, kw_only=True):
    """A session that was opened or refreshed: tokens, or the secret of a cookie."""

    session: UUID
    access_token: str = ""
    refresh_token: str = ""
    expires_in: int = 0
    cookie: str = ""


class Device(Struct, frozen=True, kw_only=True):
    """A place where someone is signed in, as they see it."""

    id: UUID
    kind: str
    merchant: UUID | None
    address: str
    agent: str
    created_at: datetime
    used_at: datetime
    current: bool


class Wish(Struct, frozen=True, kw_only=True):
    """The session to be opened: for what, as what, in place of which one, and why."""

    grant: Grant
    kind: str = "token"
    replaces: UUID | None = None
    action: str = "signed_in"
    proved_at: datetime | None = None  # where the proof is an older session's; None: now
    tablet: UUID | None = None  # a PIN was shown at it


def is_strong(factors: Sequence[str]) -> bool:
    """Two factors; a passkey that verified its user is two by itself."""
    return "passkey" in factors or ("password" in factors and bool(_SECOND & set(factors)))


async def open_session(auth: Authentication, proof: Proof, wish: Wish, client: Client) -> Opened:
    """A new session with a new secret, whatever the client had before. Raises ForbiddenError where
    the merchant's list of networks does not have the client's address."""
    if not from_allowed(wish.grant.allowed_networks, client.address):
        raise ForbiddenError("address_not_allowed", "Not from this address: ask your admin.")
    now, session, secret = auth.now(), uuid7(auth.now()), token(_SECRET_BYTES)
    merchant, is_cookie = wish.grant.merchant, wish.kind == "cookie"
    async with auth.db.as_person(proof.person, merchant) as conn:
        if wish.replaces is not None:
            ended = await conn.execute(_END, wish.replaces, now, wish.action)
            if ended != "UPDATE 1":  # it was replaced or ended at the same time
                raise over()
        new_place = await conn.fetchval(_IS_NEW_PLACE, proof.person, client.network)
        await conn.execute(
            _OPEN, session, proof.person, merchant, wish.kind,
            hashed(secret) if is_cookie else None, list(proof.factors), proof.version,
            wish.grant.version, client.address, client.agent[:_AGENT_CHARS],
            client.network, now, now + auth.context.windows.span("session_life_s"),
            wish.proved_at or now, wish.tablet,
        )  # fmt: skip
        if wish.replaces is not None:
            await conn.execute(_SAME_BROWSER, session, wish.replaces)
        if not is_cookie:
            await _issue(conn, proof.person, session, secret, now)
        actor = Actor(
            person=proof.person, session=session, factors=proof.factors, address=client.address
        )
        await record(conn, actor, Act(action=wish.action, merchant=merchant), now)
        if new_place:
            await concerns(conn, proof.person, NEW_PLACE, {"address": client.address}, now)
    if is_cookie:
        return Opened(session=session, cookie=secret)
    return await _with_access(auth, session, secret, client)


async def refresh(auth: Authentication, text: str, client: Client) -> Opened:
    """The next tokens of a session. A token that was used is answered with the same successor for a
    moment, since answers get lost; after it, whoever has it may have stolen it, and the session
    ends. Raises SignInError."""
    digest = hashed(text)
    async with auth.db.system_connection() as conn:
        row = await conn.fetchrow(REFRESH, digest)
    if row is None:
        raise over()
    session = row["session_id"]
    await _signed_in(auth, session, client)
    async with auth.db.as_person(row["person_id"]) as conn:
        await conn.execute("SELECT FROM sessions WHERE id = $1 FOR NO KEY UPDATE", session)
        known = await conn.fetchrow(
            "SELECT used_at, successor FROM refresh_tokens WHERE hash = $1", digest
        )
        assert known is not None
        successor = await _successor(auth, conn, row["person_id"], session, (digest, known))
    if successor is None:
        raise over()
    return await _with_access(auth, session, successor, client)


async def by_access_token(auth: Authentication, text: str, client: Client) -> SignedIn:
    """Who is signed in by this JWT. Raises SignInError, ForbiddenError."""
    claims = auth.tokens.read_access(text, auth.now())
    if claims is None or claims.role not in PERMISSIONS:
        raise over()
    found = await _signed_in(auth, claims.sid, client)
    # A token says what was true when it was made; what is true now counts.
    if (str(found.person), found.merchant) != (claims.sub, claims.tenant):
        raise over()
    return found


async def by_cookie(auth: Authentication, secret: str, client: Client) -> SignedIn:
    """Who is signed in by the secret of a cookie. Raises SignInError, ForbiddenError."""
    return await _signed_in(auth, hashed(secret), client)


async def still_open(auth: Authentication, sessions: Sequence[UUID]) -> frozenset[UUID]:
    """Those of them that somebody may go on with. Their use is not noted: an open page that only
    waits keeps nobody signed in."""
    now = auth.now()
    idle = now - auth.context.windows.span("session_idle_s")
    async with auth.db.system_connection() as conn:
        rows = await conn.fetch(STILL, list(sessions), now, INSTALLATION, idle)
    return frozenset(row["id"] for row in rows)


async def end(auth: Authentication, who: SignedIn, session: UUID, why: str = "signed_out") -> bool:
    """End one of the person's own sessions; False when there is no such one."""
    now = auth.now()
    async with auth.db.as_person(who.person, who.merchant) as conn:
        if await conn.execute(_END, session, now, why) != "UPDATE 1":
            return False
        act = Act(action=why, merchant=who.merchant, subject=str(session))
        await record(conn, who.actor, act, now)
    return True


async def end_everywhere(auth: Authentication, who: SignedIn) -> None:
    """End every session of the person, this one too."""
    now = auth.now()
    async with auth.db.as_person(who.person, who.merchant) as conn:
        await conn.execute("UPDATE people SET version = version + 1 WHERE id = $1", who.person)
        act = Act(action="signed_out_everywhere", merchant=who.merchant)
        await record(conn, who.actor, act, now)


async def devices(auth: Authentication, who: SignedIn) -> list[Device]:
    """Where the person is signed in, the last used first."""
    idle = auth.now() - auth.context.windows.span("session_idle_s")
    async with auth.db.as_person(who.person) as conn:
        rows = await conn.fetch(_LISTED, who.person, auth.now(), idle)
    return [
        Device(
            id=row["id"], kind=row["kind"], merchant=row["for_merchant"], address=row["address"],
            agent=row["agent"], created_at=row["created_at"], used_at=row["used_at"],
            current=row["id"] == who.session,
        )
        for row in rows
    ]  # fmt: skip


def from_allowed(networks: Sequence[str], address: str) -> bool:
    """Whether a client at this address is let in; an empty list lets everyone in."""
    if not networks:
        return True
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in ip_network(one) for one in networks)


async def _signed_in(auth: Authentication, key: UUID | bytes, client: Client) -> SignedIn:
    now = auth.now()
    idle = now - auth.context.windows.span("session_idle_s")
    async with auth.db.system_connection() as conn:
        found = BY_ID if isinstance(key, UUID) else BY_SECRET
        row = await conn.fetchrow(found, key, now, INSTALLATION, idle)
        if row is None:
            raise over()
        if now - row["used_at"] > _NOTED_EVERY:
            await conn.execute("UPDATE sessions SET used_at = $2 WHERE id = $1", row["id"], now)
    if not from_allowed(row["allowed_networks"] or (), client.address):
        raise ForbiddenError("address_not_allowed", "Not from this address: ask your admin.")
    return _read(row, client)


def _read(row: asyncpg.Record, client: Client) -> SignedIn:
    factors = tuple(row["factors"])
    role, outlets = row["role"], tuple(row["outlets"])
    permissions = PERMISSIONS[role]
    # At an enrolled tablet, which is the other factor, everybody is staff of its outlets.
    is_tablet = row["tablet_id"] is not None
    missing = bool(row["second_factor_required"]) and not is_strong(factors) and not is_tablet
    if is_tablet:
        there = tuple(row["tablet_outlets"])
        outlets = tuple(one for one in there if one in outlets) if role == STAFF else there
        permissions, role = permissions & PERMISSIONS[STAFF], STAFF
    return SignedIn(
        session=row["id"], kind=row["kind"], person=row["person_id"], login=row["login"],
        name=row["name"], merchant=row["for_merchant"], merchant_name=row["merchant_name"],
        role=role, outlets=outlets, factors=factors,
        permissions=frozenset() if missing else permissions,
        second_factor_missing=missing, proved_at=row["proved_at"], address=client.address,
        strongly="pin" not in factors and (is_strong(factors) or not row["has_second"]),
    )  # fmt: skip


async def _with_access(
    auth: Authentication, session: UUID, refresh_token: str, client: Client
) -> Opened:
    """With an access token that says what is true now."""
    who = await _signed_in(auth, session, client)
    good_for = auth.context.windows.span("access_token_s")
    claims = AccessClaims(
        sub=str(who.person), tenant=who.merchant, role=who.role,
        permissions=tuple(sorted(who.permissions)), iat=whole_seconds(auth.now()),
        exp=whole_seconds(auth.now(), later=good_for), sid=session,
    )  # fmt: skip
    return Opened(
        session=session, access_token=auth.tokens.access(claims), refresh_token=refresh_token,
        expires_in=int(good_for.total_seconds()),
    )  # fmt: skip


async def _successor(
    auth: Authentication, conn: Connection, person: UUID, session: UUID,
    used: tuple[bytes, asyncpg.Record],
) -> str | None:  # fmt: skip
    """Under the session's lock: one successor for each token, however many calls race."""
    (digest, known), now = used, auth.now()
    place = _successor_place(digest)
    if known["used_at"] is None:
        made = token(_SECRET_BYTES)
        await conn.execute(
            "UPDATE refresh_tokens SET used_at = $2, successor = $3 WHERE hash = $1",
            digest, now, auth.context.vault.seal(made.encode(), place),
        )  # fmt: skip
        await _issue(conn, person, session, made, now)
        await conn.execute("UPDATE sessions SET used_at = $2 WHERE id = $1", session, now)
        return made
    if now - known["used_at"] <= auth.context.windows.span("refresh_grace_s"):
        return auth.context.vault.open(known["successor"], place).decode()
    await conn.execute(_END, session, now, "refresh_token_reused")
    actor = Actor(person=person, session=session)
    await record(conn, actor, Act(action="refresh_token_reused", subject=str(session)), now)
    return None


async def _issue(conn: Connection, person: UUID, session: UUID, secret: str, now: datetime) -> None:
    await conn.execute(
        "INSERT INTO refresh_tokens (hash, person_id, session_id, issued_at)"
        " VALUES ($1, $2, $3, $4)",
        hashed(secret), person, session, now,
    )  # fmt: skip


def _successor_place(digest: bytes) -> str:
    return f"refresh:{digest.hex()}"


SEALED: Final = (
    SealedColumn(
        table="refresh_tokens", column="successor", key="hash", names=("hash",),
        place=lambda row: _successor_place(row["hash"]),
    ),
)  # fmt: skip
