"""Second factors that are typed: codes of an app (TOTP), and recovery codes. A code is good once:
the last step that was accepted is kept, and a recovery code is marked as used."""

import hmac
from datetime import datetime
from typing import Final
from uuid import UUID

import pyotp
from msgspec import Struct

from coinslot.db.pool import Connection
from coinslot.db.sealed import SealedColumn
from coinslot.kit.ids import code as letters
from coinslot.kit.ids import uuid7
from coinslot.people import limits
from coinslot.people.audit_log import Act, record
from coinslot.people.authentication import Authentication, NotThereError, RuleError, SignInError
from coinslot.people.outbox import FACTOR_REMOVED, concerns
from coinslot.people.sessions import SignedIn, is_strong
from coinslot.people.tokens import hashed

STEP_S: Final = 30
RECOVERY_CODES: Final = 10
_AROUND: Final = (-1, 0, 1)  # a phone's clock is half a minute off at most
_GROUPS: Final = 4  # of four letters: 73 bits, which nobody tries out, even with the table
_MOST: Final = 10  # of one person

_OF_PERSON = """
SELECT id, kind, name, secret, credential_id, created_at, used_at FROM second_factors
WHERE person_id = $1 AND confirmed_at IS NOT NULL AND removed_at IS NULL ORDER BY created_at, id
"""
_STEP = """
UPDATE second_factors SET last_step = $2, used_at = $3
WHERE id = $1 AND last_step < $2 AND removed_at IS NULL
"""


class Factor(Struct, frozen=True, kw_only=True):
    """A second factor, as its owner sees it. `kind`: totp or passkey."""

    id: UUID
    kind: str
    name: str
    created_at: datetime
    used_at: datetime | None


class Factors(Struct, frozen=True, kw_only=True):
    """All of a person's, and how many recovery codes are left."""

    factors: list[Factor]
    recovery_codes_left: int


class Enrolment(Struct, frozen=True, kw_only=True):
    """What an app needs to make codes; `uri` is for a QR code. Confirmed by a code."""

    id: UUID
    secret: str
    uri: str


async def kinds(conn: Connection, person: UUID) -> frozenset[str]:
    """Of which kinds someone has factors."""
    return frozenset(row["kind"] for row in await conn.fetch(_OF_PERSON, person))


async def listed(auth: Authentication, who: SignedIn) -> Factors:
    """What the person has."""
    async with auth.db.as_person(who.person) as conn:
        rows = await conn.fetch(_OF_PERSON, who.person)
        left = await conn.fetchval(
            "SELECT count(*) FROM recovery_codes WHERE person_id = $1 AND used_at IS NULL",
            who.person,
        )
    found = [
        Factor(
            id=row["id"], kind=row["kind"], name=row["name"], created_at=row["created_at"],
            used_at=row["used_at"],
        )
        for row in rows
    ]  # fmt: skip
    return Factors(factors=found, recovery_codes_left=left)


async def check_code(auth: Authentication, person: UUID, typed: str) -> str:
    """Which factor this code proves, "totp" or "recovery"; it is used up then. Wrong ones are
    counted. Raises SignInError, TooOftenError."""
    counted = limits.of_person(auth.context, person)
    await limits.count(auth.context, counted)
    async with auth.db.as_person(person) as conn:
        proven = await _proven(auth, conn, person, typed)
    if proven is None:
        raise SignInError("invalid_code", "This code is wrong, or was used before.")
    await limits.uncount(auth.context, counted)
    return proven


async def begin_totp(auth: Authentication, who: SignedIn, name: str) -> Enrolment:
    """A new secret for an app that makes codes; nothing counts before it is confirmed."""
    await may_add(auth, who)
    factor, secret, now = uuid7(auth.now()), pyotp.random_base32(), auth.now()
    async with auth.db.as_person(who.person) as conn:
        # Only the newest one that waits for its code can be confirmed.
        await conn.execute(
            "UPDATE second_factors SET removed_at = $2 WHERE person_id = $1"
            " AND confirmed_at IS NULL AND removed_at IS NULL",
            who.person, now,
        )  # fmt: skip
        await conn.execute(
            "INSERT INTO second_factors (id, person_id, kind, name, secret, created_at)"
            " VALUES ($1, $2, 'totp', $3, $4, $5)",
            factor, who.person, name, auth.context.vault.seal(secret.encode(), _place(factor)),
            now,
        )  # fmt: skip
    uri = pyotp.TOTP(secret).provisioning_uri(name=who.login, issuer_name=auth.host)
    return Enrolment(id=factor, secret=secret, uri=uri)


async def confirm_totp(auth: Authentication, who: SignedIn, factor: UUID, typed: str) -> list[str]:
    """The app makes right codes: from now on they count. Returns the recovery codes, which are
    shown this once; none when there are some already. Raises NotThereError, SignInError."""
    await may_add(auth, who)
    counted = limits.of_person(auth.context, who.person)
    await limits.count(auth.context, counted)
    now = auth.now()
    async with auth.db.as_person(who.person) as conn:
        sealed = await conn.fetchval(
            "SELECT secret FROM second_factors WHERE id = $1 AND kind = 'totp'"
            " AND confirmed_at IS NULL AND removed_at IS NULL FOR NO KEY UPDATE",
            factor,
        )
        if sealed is None:
            raise NotThereError("Nothing of that id waits for a code.")
        step = _step_of(auth, factor, sealed, typed)
        if step is None:
            raise SignInError("invalid_code", "This code is wrong, or was used before.")
        await conn.execute(
            "UPDATE second_factors SET confirmed_at = $2, last_step = $3 WHERE id = $1",
            factor, now, step,
        )  # fmt: skip
        made = await added(auth, conn, who, "totp", factor)
    await limits.uncount(auth.context, counted)
    return made


async def added(
    auth: Authentication, conn: Connection, who: SignedIn, kind: str, factor: UUID
) -> list[str]:
    """Note that a factor was added. Recovery codes, where there are none yet."""
    act = Act(action="factor.added", subject=str(factor), after={"kind": kind})
    await record(conn, who.actor, act, auth.now())
    left = await conn.fetchval(
        "SELECT count(*) FROM recovery_codes WHERE person_id = $1 AND used_at IS NULL", who.person
    )
    return [] if left else await _new_codes(auth, conn, who.person)


async def remove(auth: Authentication, who: SignedIn, factor: UUID) -> None:
    """It proves nothing any more. Raises NotThereError."""
    now = auth.now()
    async with auth.db.as_person(who.person) as conn:
        kind = await conn.fetchval(
            "UPDATE second_factors SET removed_at = $2 WHERE id = $1 AND removed_at IS NULL"
            " AND confirmed_at IS NOT NULL RETURNING kind",
            factor, now,
        )  # fmt: skip
        if kind is None:
            raise NotThereError("There is no such factor.")
        if not await kinds(conn, who.person):  # recovery codes stand in for a factor, alone never
            await _spend_codes(conn, who.person, now)
        await concerns(conn, who.person, FACTOR_REMOVED, {"kind": kind}, now)
        act = Act(action="factor.removed", subject=str(factor), before={"kind": kind})
        await record(conn, who.actor, act, now)


async def renew_recovery_codes(auth: Authentication, who: SignedIn) -> list[str]:
    """Ten new ones; the old ones end. Raises RuleError for someone without a second factor."""
    async with auth.db.as_person(who.person) as conn:
        if not await kinds(conn, who.person):
            raise RuleError("no_such_factor", "Recovery codes stand in for a second factor.")
        made = await _new_codes(auth, conn, who.person)
        await record(conn, who.actor, Act(action="recovery_codes.renewed"), auth.now())
    return made


async def may_add(auth: Authentication, who: SignedIn) -> None:
    """A password that was stolen must not add a factor of the thief's. Raises RuleError."""
    async with auth.db.as_person(who.person) as conn:
        rows = await conn.fetch(_OF_PERSON, who.person)
    if rows and not is_strong(who.factors):
        raise RuleError("second_factor_needed", "Sign in with the factor that you have first.")
    if len(rows) >= _MOST:
        raise RuleError("too_many_factors", f"At most {_MOST} are possible: remove one first.")


async def _proven(auth: Authentication, conn: Connection, person: UUID, typed: str) -> str | None:
    now = auth.now()
    for row in await conn.fetch(_OF_PERSON, person):
        if row["kind"] != "totp":
            continue
        step = _step_of(auth, row["id"], row["secret"], typed)
        # Of two who show the same code at once, one changes the row.
        if step is not None and await conn.execute(_STEP, row["id"], step, now) == "UPDATE 1":
            return "totp"
    used = await conn.execute(
        "UPDATE recovery_codes SET used_at = $3 WHERE person_id = $1 AND digest = $2"
        " AND used_at IS NULL",
        person, _digest(person, typed), now,
    )  # fmt: skip
    return "recovery" if used == "UPDATE 1" else None


def _step_of(auth: Authentication, factor: UUID, sealed: bytes, typed: str) -> int | None:
    """The step of time whose code this is."""
    totp = pyotp.TOTP(auth.context.vault.open(sealed, _place(factor)).decode())
    step_now, wanted = int(auth.now().timestamp()) // STEP_S, "".join(typed.split())
    for step in (step_now + around for around in _AROUND):
        if hmac.compare_digest(totp.generate_otp(step).encode(), wanted.encode()):
            return step
    return None


async def _new_codes(auth: Authentication, conn: Connection, person: UUID) -> list[str]:
    await _spend_codes(conn, person, auth.now())
    made = ["-".join(letters(4) for _ in range(_GROUPS)) for _ in range(RECOVERY_CODES)]
    await conn.executemany(
        "INSERT INTO recovery_codes (person_id, digest, created_at) VALUES ($1, $2, $3)",
        [(person, _digest(person, one), auth.now()) for one in made],
    )
    return made


async def _spend_codes(conn: Connection, person: UUID, now: datetime) -> None:
    await conn.execute(
        "UPDATE recovery_codes SET used_at = $2 WHERE person_id = $1 AND used_at IS NULL",
        person, now,
    )  # fmt: skip


def _digest(person: UUID, typed: str) -> str:
    """Not under the installation's key: a code must outlive that key's change, since nobody can
    make its digest again."""
    plain = "".join(one for one in typed.upper() if one.isalnum())
    return hashed(f"{person}\0{plain}").hex()


def _place(factor: UUID) -> str:
    return f"second_factor:{factor}"


SEALED: Final = (
    SealedColumn(
        table="second_factors", column="secret", key="id", names=("id",),
        place=lambda row: _place(row["id"]),
    ),
)  # fmt: skip
