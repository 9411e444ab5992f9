"""Invitations: an admin names an address and a role; whoever has the link, or the code that came
by another way, takes it up under that address. Looking at one uses nothing up: mail scanners open
every link."""

from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.db.pool import Connection
from coinslot.kit.ids import code as code_of_letters
from coinslot.kit.ids import token, uuid7
from coinslot.people import letters, limits, members
from coinslot.people.audit_log import Act, Actor, record
from coinslot.people.authentication import (
    Authentication,
    Client,
    ForbiddenError,
    RuleError,
    SignInError,
)
from coinslot.people.limits import TooOftenError
from coinslot.people.members import Role
from coinslot.people.outbox import EMAIL, Letter, post_secret
from coinslot.people.passwords import acceptable
from coinslot.people.roles import INVITES, PERMISSIONS
from coinslot.people.sign_in import Attempt, verified
from coinslot.people.tokens import hashed

_CODE_LETTERS: Final = 8  # 37 bits, and few tries
_MOST_OPEN: Final = 100
_MAILS: Final = 5  # to one address, in the window of tries
_MAILS_OF_ONE: Final = 30  # of one merchant; whom it invites beyond that is given the link by hand

_ADD = """
INSERT INTO invitations (id, merchant_id, address, role, outlets, token_hash, code_digest,
    invited_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_OPEN = "accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $1"
BY_TOKEN = f"SELECT * FROM invitations WHERE {_OPEN} AND token_hash = $2"
BY_CODE = f"""
SELECT * FROM invitations WHERE {_OPEN} AND lower(address) = lower($2) AND code_digest = $3
"""
_LISTED = f"SELECT * FROM invitations WHERE {_OPEN} AND merchant_id = $2 ORDER BY created_at, id"
# Who dismisses them changes that row: one of the two comes first.
_INVITER = """
SELECT role FROM memberships WHERE person_id = $1 AND merchant_id = $2 AND ended_at IS NULL
FOR SHARE
"""
_INVITING_ADMIN = """
SELECT FROM installation_admins WHERE person_id = $1 AND ended_at IS NULL FOR SHARE
"""
_TAKEN = """
UPDATE invitations SET accepted_at = $2, accepted_by = $3
WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL
"""


class Wanted(Struct, frozen=True, kw_only=True):
    """Whom to invite, and as what. `merchant` is None for the installation."""

    merchant: UUID | None
    address: str
    role: Role
    language: str = "en"  # of the mail


class Invitation(Struct, frozen=True, kw_only=True):
    """An invitation that waits. `token` and `code` are there only when it was just made."""

    id: UUID
    address: str
    role: str
    outlets: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    token: str | None = None
    code: str | None = None
    mailed: bool = False


class Acceptance(Struct, frozen=True, kw_only=True):
    """What whoever takes it up shows: the token or the code, the address that was invited, and the
    password to sign in with: a new one, or that of the person who has this login already."""

    login: str
    password: str
    token: str = ""
    code: str = ""
    second_factor: str = ""  # of a person who has one


async def invite(auth: Authentication, who: Actor, wanted: Wanted) -> Invitation:
    """Invite someone. The token and the code are shown this once. Raises RuleError and
    TooOftenError."""
    now, made, secret = auth.now(), uuid7(auth.now()), token(32)
    mails = await _may_mail(auth, wanted)
    typed, address = code_of_letters(_CODE_LETTERS), wanted.address.strip()
    if not address:
        raise RuleError("no_address", "Name the address of whom you invite.")
    ends = now + auth.context.windows.span("invitation_s")
    row = (
        made, wanted.merchant, address, wanted.role.role, list(wanted.role.outlets),
        hashed(secret), _digest(auth, address, typed), who.person, now, ends,
    )  # fmt: skip
    act = Act(
        action="invited", merchant=wanted.merchant, subject=address,
        after={"role": wanted.role.role, "outlets": list(wanted.role.outlets)},
    )  # fmt: skip
    if wanted.merchant is None:
        async with auth.db.system_transaction() as conn:
            if who.person and await conn.fetchrow(_INVITING_ADMIN, who.person) is None:
                raise _no_more()
            await conn.execute(_ADD, *row)
            mailed = mails and await _mail(auth, conn, wanted, secret, ends)
            await record(conn, who, act, now)
    else:
        async with auth.db.as_merchant(wanted.merchant) as conn:
            if who.person:
                role = await conn.fetchval(_INVITER, who.person, wanted.merchant)
                if INVITES not in PERMISSIONS.get(role, ()):
                    raise _no_more()
            await members.must_fit(conn, wanted.role)
            if len(await conn.fetch(_LISTED, now, wanted.merchant)) >= _MOST_OPEN:
                raise RuleError("too_many_invitations", f"{_MOST_OPEN} wait: revoke some first.")
            await conn.execute(_ADD, *row)
            mailed = mails and await _mail(auth, conn, wanted, secret, ends)
            await record(conn, who, act, now)
    auth.context.wakes.wake("notices")
    return Invitation(
        id=made, address=address, role=wanted.role.role, outlets=wanted.role.outlets,
        created_at=now, expires_at=ends, token=secret, code=f"{typed[:4]}-{typed[4:]}",
        mailed=mailed,
    )  # fmt: skip


async def _mail(
    auth: Authentication, conn: Connection, wanted: Wanted, secret: str, ends: datetime
) -> bool:
    """The link by mail too, in the transaction of the invitation."""
    address, now = wanted.address.strip(), auth.now()
    name = auth.host
    if wanted.merchant is not None:
        name = await conn.fetchval("SELECT name FROM merchants WHERE id = $1", wanted.merchant)
    mail = letters.invited(wanted.language, name, f"{ends:%Y-%m-%d %H:%M} UTC")
    letter = Letter(
        purpose="invitation", channel=EMAIL, target=address, merchant=wanted.merchant,
        dedup=f"invitation.{hashed(secret).hex()}", subject=mail.subject, body="",
        language=wanted.language, life=ends - now,
    )  # fmt: skip
    link = f"{auth.base_url}/console/join?token={secret}"
    await post_secret(conn, auth.context.vault, letter, f"{mail.text}\n\n{link}", now)
    return True


async def _may_mail(auth: Authentication, wanted: Wanted) -> bool:
    """Whoever invites, nobody's mailbox is filled by it, and no merchant has this installation send
    mail to everyone. Raises TooOftenError."""
    address = wanted.address.strip()
    if not letters.can_be_mailed(auth.context, address):
        return False
    subject = auth.context.vault.digest(address.casefold(), "tries:invited")
    await limits.count(auth.context, [limits.Limit(f"invited:{subject}", _MAILS)])
    try:
        of_one = limits.Limit(f"invites:{wanted.merchant}", _MAILS_OF_ONE)
        await limits.count(auth.context, [of_one])
    except TooOftenError:
        return False
    return True


def _no_more() -> ForbiddenError:
    return ForbiddenError("forbidden", "You may not invite here any more.")


async def waiting(auth: Authentication, merchant: UUID) -> list[Invitation]:
    """Of a merchant, the oldest first."""
    async with auth.db.as_merchant(merchant) as conn:
        return [_shown(row) for row in await conn.fetch(_LISTED, auth.now(), merchant)]


async def revoke(auth: Authentication, who: Actor, merchant: UUID, invitation: UUID) -> bool:
    """It lets nobody in any more; False when there is no such one."""
    now = auth.now()
    async with auth.db.as_merchant(merchant) as conn:
        address = await conn.fetchval(
            "UPDATE invitations SET revoked_at = $2 WHERE id = $1 AND accepted_at IS NULL"
            " AND revoked_at IS NULL RETURNING address",
            invitation, now,
        )  # fmt: skip
        if address is None:
            return False
        act = Act(action="invitation.revoked", merchant=merchant, subject=address)
        await record(conn, who, act, now)
    return True


async def look(auth: Authentication, secret: str) -> Invitation | None:
    """What a link is for. Nothing is used up by it."""
    async with auth.db.system_connection() as conn:
        row = await conn.fetchrow(BY_TOKEN, auth.now(), hashed(secret))
    return None if row is None else _shown(row)


async def accept(auth: Authentication, shown: Acceptance, client: Client) -> UUID:
    """The person who works there from now on. The address has to be the one that was invited.

    Raises RuleError, SignInError, TooOftenError, WeakPasswordError, BusyError."""
    found = await _found(auth, shown, client)
    if found["address"].casefold() != shown.login.strip().casefold():
        raise RuleError("another_address", "This invitation is for another address.")
    known = await members.person_named(auth.db, shown.login)
    if known is None:
        hash_ = await auth.passwords.hash(acceptable(shown.password, shown.login))
        return await _taken_up(auth, found, uuid7(auth.now()), hash_, client)
    # The link may have been forwarded: it gives nobody else's person a role without their password.
    attempt = Attempt(login=shown.login, password=shown.password, code=shown.second_factor)
    proof = await verified(auth, attempt, client)
    return await _taken_up(auth, found, proof.person, None, client)


async def _found(auth: Authentication, shown: Acceptance, client: Client) -> asyncpg.Record:
    if shown.code:
        counted = limits.of_account(auth.context, f"invited {shown.login}", client.network)
        await limits.count(auth.context, counted)
    async with auth.db.system_connection() as conn:
        if shown.code:
            digest = _digest(auth, shown.login, shown.code)
            row = await conn.fetchrow(BY_CODE, auth.now(), shown.login.strip(), digest)
        else:
            row = await conn.fetchrow(BY_TOKEN, auth.now(), hashed(shown.token))
    if row is None:
        raise SignInError("invalid_invitation", "This invitation is unknown, used, or too old.")
    if shown.code:
        await limits.uncount(auth.context, counted)
    return row


async def _taken_up(
    auth: Authentication, found: asyncpg.Record, person: UUID, hash_: str | None, client: Client
) -> UUID:
    merchant, now = found["merchant_id"], auth.now()
    role = Role(role=found["role"], outlets=tuple(found["outlets"]))
    act = Act(
        action="invitation.accepted", merchant=merchant, subject=found["address"],
        after={"role": role.role, "outlets": list(role.outlets)},
    )  # fmt: skip
    who = Actor(person=person, address=client.address)
    to_work = merchant is not None
    opened = auth.db.as_person(person, merchant) if to_work else auth.db.system_transaction()
    try:
        async with opened as conn:
            if hash_ is not None:
                await members.add_person(conn, person, found["address"], hash_, now)
            await _must_be_open(conn, found["id"], person, now)
            if to_work:
                await members.join(conn, person, merchant, role, now)
            else:
                await members.run_installation(conn, person, now)
            await record(conn, who, act, now)
    except asyncpg.UniqueViolationError:  # two accept at once: somebody has this login by now
        raise RuleError("invitation_taken", "Somebody accepted this a moment ago.") from None
    return person


async def _must_be_open(conn: Connection, invitation: UUID, person: UUID, now: datetime) -> None:
    if await conn.execute(_TAKEN, invitation, now, person) != "UPDATE 1":
        raise RuleError("invitation_taken", "Somebody accepted this a moment ago.")


def _shown(row: asyncpg.Record) -> Invitation:
    return Invitation(
        id=row["id"], address=row["address"], role=row["role"], outlets=tuple(row["outlets"]),
        created_at=row["created_at"], expires_at=row["expires_at"],
    )  # fmt: skip


def _digest(auth: Authentication, address: str, typed: str) -> str:
    """Under a key: whoever has the table alone cannot try out 37 bits."""
    plain = "".join(one for one in typed.upper() if one.isalnum())
    return auth.context.vault.digest(f"{address.strip().casefold()}\0{plain}", "invitation")
