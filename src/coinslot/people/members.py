"""Who there is and for whom they work. What changes a role, or ends it, ends the sessions that were
opened with it: they name the version of what gave them their rights."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from coinslot.db.pool import Connection, Database
from coinslot.kit.ids import uuid7
from coinslot.people.audit_log import Act, Actor, record
from coinslot.people.authentication import NotThereError, RuleError
from coinslot.people.passwords import Passwords
from coinslot.people.roles import INSTALLATION, INVITES, PERMISSIONS, ROLES

_ADD = """
INSERT INTO people (id, login, name, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)
"""
_JOIN = """
INSERT INTO memberships AS m (person_id, merchant_id, role, outlets, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (person_id, merchant_id) DO UPDATE SET role = $3, outlets = $4,
    version = m.version + 1, ended_at = NULL
WHERE m.ended_at IS NOT NULL
"""
_CHANGE = """
UPDATE memberships SET role = $3, outlets = $4, version = version + 1, ended_at = $5
WHERE person_id = $1 AND merchant_id = $2
"""
_COLLEAGUES = """
SELECT p.id, p.login, p.name, m.role, m.outlets, m.created_at, m.ended_at
FROM memberships m JOIN people p ON p.id = m.person_id
WHERE m.merchant_id = $1 AND m.ended_at IS NULL ORDER BY lower(p.login)
"""
_ONE = """
SELECT role, outlets FROM memberships
WHERE person_id = $1 AND merchant_id = $2 AND ended_at IS NULL FOR NO KEY UPDATE
"""
_OTHER_ADMINS = """
SELECT count(*) FROM memberships m JOIN people p ON p.id = m.person_id
WHERE m.merchant_id = $1 AND m.role = 'admin' AND m.ended_at IS NULL AND p.disabled_at IS NULL
    AND m.person_id <> $2
"""
# Whoever may not invite any more leaves no door open behind them.
_CLOSE_INVITATIONS = """
UPDATE invitations SET revoked_at = $3 WHERE merchant_id IS NOT DISTINCT FROM $2 AND invited_by = $1
    AND accepted_at IS NULL AND revoked_at IS NULL RETURNING address
"""
_RUNS = """
INSERT INTO installation_admins (person_id, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""
_RUNS_AGAIN = """
INSERT INTO installation_admins AS a (person_id, created_at) VALUES ($1, $2)
ON CONFLICT (person_id) DO UPDATE SET ended_at = NULL, version = a.version + 1
WHERE a.ended_at IS NOT NULL
"""
_END_ALL = """
UPDATE installation_admins SET ended_at = $2, version = version + 1
WHERE person_id = $1 AND ended_at IS NULL
"""
_EVERYONE = """
SELECT p.id, p.login, p.disabled_at, a.person_id IS NOT NULL AS installation,
    coalesce((SELECT array_agg(t.slug || ' ' || m.role ORDER BY t.slug) FROM memberships m
        JOIN merchants t ON t.id = m.merchant_id
        WHERE m.person_id = p.id AND m.ended_at IS NULL), '{}') AS roles,
    ARRAY(SELECT DISTINCT f.kind FROM second_factors f WHERE f.person_id = p.id
        AND f.confirmed_at IS NOT NULL AND f.removed_at IS NULL ORDER BY 1) AS factors,
    (SELECT max(s.used_at) FROM sessions s WHERE s.person_id = p.id) AS used_at
FROM people p LEFT JOIN installation_admins a ON a.person_id = p.id AND a.ended_at IS NULL
ORDER BY lower(p.login)
"""


class NewMember(Struct, frozen=True, kw_only=True):
    """Someone who will work for a merchant, in one of ROLES; staff at these outlets."""

    login: str
    password: str
    role: str
    outlets: tuple[str, ...] = ()


class Member(Struct, frozen=True, kw_only=True):
    """Someone who works for a merchant."""

    id: UUID
    login: str
    name: str
    role: str
    outlets: tuple[str, ...]
    since: datetime


class Role(Struct, frozen=True, kw_only=True):
    """What someone is for a merchant. `outlets`: of staff, and only of staff."""

    role: str
    outlets: tuple[str, ...] = ()


class RoleChange(Struct, frozen=True, kw_only=True):
    """What someone is for a merchant from now on, and why. None: nothing any more."""

    merchant: UUID
    person: UUID
    role: Role | None
    reason: str = ""


class Person(Struct, frozen=True, kw_only=True):
    """Someone, as the command line lists everyone."""

    id: UUID
    login: str
    roles: tuple[str, ...]
    second_factors: tuple[str, ...]
    used_at: datetime | None
    disabled: bool


async def person_named(db: Database, login: str) -> UUID | None:
    """The person with this login, which has no case."""
    async with db.system_connection() as conn:
        found: UUID | None = await conn.fetchval(
            "SELECT id FROM people WHERE lower(login) = lower($1)", login.strip()
        )
    return found


async def everyone(db: Database) -> list[Person]:
    """All people of the installation, by login."""
    async with db.system_connection() as conn:
        rows = await conn.fetch(_EVERYONE)
    return [
        Person(
            id=row["id"], login=row["login"], second_factors=tuple(row["factors"]),
            roles=(*((INSTALLATION,) if row["installation"] else ()), *row["roles"]),
            used_at=row["used_at"], disabled=row["disabled_at"] is not None,
        )
        for row in rows
    ]  # fmt: skip


async def add_person(
    conn: Connection, person: UUID, login: str, password_hash: str | None, now: datetime
) -> None:
    """Someone new, in a transaction of theirs (`Database.as_person`)."""
    await conn.execute(_ADD, person, login.strip(), "", password_hash, now)


async def join(conn: Connection, person: UUID, merchant: UUID, role: Role, now: datetime) -> None:
    """They work for the merchant from now on, in a transaction of that merchant's. Raises
    RuleError."""
    await must_fit(conn, role)
    joined = await conn.execute(_JOIN, person, merchant, role.role, list(role.outlets), now)
    if joined != "INSERT 0 1":
        raise RuleError("already_member", "They work here already: change their role instead.")


async def add_member(
    db: Database, passwords: Passwords, merchant: UUID, member: NewMember, now: datetime
) -> None:
    """Add a member; someone with this login stays as they are."""
    if await person_named(db, member.login) is not None:
        return
    person, hashed = uuid7(now), await passwords.hash(member.password)
    async with db.as_person(person, merchant) as conn:
        await add_person(conn, person, member.login, hashed, now)
        role = Role(role=member.role, outlets=member.outlets)
        await join(conn, person, merchant, role, now)


async def add_installation_admin(
    db: Database, passwords: Passwords, member: NewMember, now: datetime
) -> None:
    """Add someone who runs the installation; whoever does, or did, stays as they are."""
    person = await person_named(db, member.login)
    if person is None:
        person, hashed = uuid7(now), await passwords.hash(member.password)
        async with db.as_person(person) as conn:
            await add_person(conn, person, member.login, hashed, now)
    async with db.system_transaction() as conn:
        await conn.execute(_RUNS, person, now)


async def run_installation(conn: Connection, person: UUID, now: datetime) -> None:
    """They run the installation from now on. Only the system login may write this."""
    await conn.execute(_RUNS_AGAIN, person, now)


async def colleagues(db: Database, merchant: UUID) -> list[Member]:
    """Everyone who works for the merchant, by login."""
    async with db.as_merchant(merchant) as conn:
        rows = await conn.fetch(_COLLEAGUES, merchant)
    return [
        Member(
            id=row["id"], login=row["login"], name=row["name"], role=row["role"],
            outlets=tuple(row["outlets"]), since=row["created_at"],
        )
        for row in rows
    ]  # fmt: skip


async def change_role(db: Database, who: Actor, change: RoleChange, now: datetime) -> None:
    """Another role, or none any more. Raises RuleError and NotThereError."""
    merchant, person, role = change.merchant, change.person, change.role
    async with db.as_merchant(merchant) as conn:
        # Two admins who dismiss each other are one after the other.
        await conn.execute("SELECT FROM merchants WHERE id = $1 FOR NO KEY UPDATE", merchant)
        was = await conn.fetchrow(_ONE, person, merchant)
        if was is None:
            raise NotThereError("Nobody of that id works here.")
        if role is not None:
            await must_fit(conn, role)
        steps_down = was["role"] == "admin" and (role is None or role.role != "admin")
        if steps_down and not await conn.fetchval(_OTHER_ADMINS, merchant, person):
            raise RuleError("last_admin", "Someone has to stay an admin: name another first.")
        kept = role or Role(role=was["role"], outlets=tuple(was["outlets"]))
        ended = now if role is None else None
        await conn.execute(_CHANGE, person, merchant, kept.role, list(kept.outlets), ended)
        before: dict[str, object] = {"role": was["role"], "outlets": list(was["outlets"])}
        after = {"role": role.role, "outlets": list(role.outlets)} if role is not None else None
        act = Act(
            action="member.changed" if role is not None else "member.removed", merchant=merchant,
            subject=str(person), before=before, after=after, reason=change.reason,
        )  # fmt: skip
        await record(conn, who, act, now)
        if role is None or INVITES not in PERMISSIONS[role.role]:
            await _close_invitations(conn, who, change, now)


async def _close_invitations(
    conn: Connection, who: Actor, change: RoleChange, now: datetime
) -> None:
    """In the transaction in which somebody stops to be one who may invite. An invitation that is
    made at that moment waits for it (`invitations.invite`), and is refused then."""
    for row in await conn.fetch(_CLOSE_INVITATIONS, change.person, change.merchant, now):
        act = Act(
            action="invitation.revoked", merchant=change.merchant, subject=row["address"],
            reason=change.reason,
        )  # fmt: skip
        await record(conn, who, act, now)


async def must_fit(conn: Connection, role: Role) -> None:
    """In a transaction of the merchant's. Raises RuleError for a role that there is not, and for
    outlets that are not the merchant's."""
    if role.role not in ROLES:
        raise RuleError("unknown_role", f"There is no role {role.role}: {', '.join(ROLES)}.")
    if (role.role == "staff") != bool(role.outlets):
        raise RuleError("outlets_of_staff", "Staff has one outlet or more, others have none.")
    if unknown := await _foreign(conn, role.outlets):
        raise RuleError("unknown_outlet", f"There is no outlet {unknown[0]} here.")


async def _foreign(conn: Connection, outlets: Sequence[str]) -> list[str]:
    rows = await conn.fetch("SELECT id FROM outlets WHERE id = ANY ($1)", list(outlets))
    return sorted(set(outlets) - {row["id"] for row in rows})


async def stop_running(db: Database, who: Actor, person: UUID, now: datetime) -> bool:
    """They run the installation no more; False when they did not."""
    async with db.system_transaction() as conn:
        if await conn.execute(_END_ALL, person, now) != "UPDATE 1":
            return False
        act = Act(action="installation_admin.removed", subject=str(person))
        await record(conn, who, act, now)
        for row in await conn.fetch(_CLOSE_INVITATIONS, person, None, now):
            act = Act(action="invitation.revoked", subject=row["address"])
            await record(conn, who, act, now)
    return True
