"""A new password for someone who lost it. Only who runs the installation gives out a token for it:
an admin of one merchant must not become that of another through a person who works for both."""

from typing import Final
from uuid import UUID

from coinslot.kit.ids import token, uuid7
from coinslot.people.audit_log import Act, Actor, record
from coinslot.people.authentication import Authentication, Client, SignInError
from coinslot.people.outbox import FACTOR_REMOVED, concerns
from coinslot.people.passwords import acceptable
from coinslot.people.tokens import hashed

_FOUND = """
SELECT r.id, r.person_id, r.drops_factors, p.login FROM password_resets r
JOIN people p ON p.id = r.person_id
WHERE r.token_hash = $1 AND r.used_at IS NULL AND r.expires_at > $2 AND p.disabled_at IS NULL
"""
_ENDED: Final = (
    "UPDATE second_factors SET removed_at = $2 WHERE person_id = $1 AND removed_at IS NULL",
    "UPDATE recovery_codes SET used_at = $2 WHERE person_id = $1 AND used_at IS NULL",
)


async def offer(
    auth: Authentication, who: Actor, person: UUID, *, drops_factors: bool = False
) -> str:
    """A token, shown this once. With `drops_factors` the second factors end too when it is used:
    someone lost the phone. Tokens that were given out before end."""
    made, now = token(32), auth.now()
    async with auth.db.as_person(person) as conn:
        await conn.execute(
            "UPDATE password_resets SET used_at = $2 WHERE person_id = $1 AND used_at IS NULL",
            person, now,
        )  # fmt: skip
        await conn.execute(
            "INSERT INTO password_resets (id, person_id, token_hash, drops_factors, created_at,"
            " expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
            uuid7(now), person, hashed(made), drops_factors, now,
            now + auth.context.windows.span("reset_s"),
        )  # fmt: skip
    async with auth.db.system_transaction() as conn:
        after = {"drops_factors": drops_factors}
        await record(conn, who, Act(action="reset.offered", subject=str(person), after=after), now)
    return made


async def reset(auth: Authentication, shown: str, password: str, client: Client) -> None:
    """The new password counts from now on, and every session of the person is over.

    Raises SignInError, WeakPasswordError, BusyError."""
    digest, now = hashed(shown), auth.now()
    async with auth.db.system_connection() as conn:
        found = await conn.fetchrow(_FOUND, digest, now)
    if found is None:
        raise _unknown()
    hash_ = await auth.passwords.hash(acceptable(password, found["login"]))
    person = found["person_id"]
    async with auth.db.as_person(person) as conn:
        used = await conn.execute(
            "UPDATE password_resets SET used_at = $2 WHERE id = $1 AND used_at IS NULL",
            found["id"], now,
        )  # fmt: skip
        if used != "UPDATE 1":
            raise _unknown()
        await conn.execute(
            "UPDATE people SET password_hash = $2, version = version + 1 WHERE id = $1",
            person, hash_,
        )  # fmt: skip
        if found["drops_factors"]:
            for statement in _ENDED:
                await conn.execute(statement, person, now)
            await concerns(conn, person, FACTOR_REMOVED, {"kind": "all"}, now)
        who = Actor(person=person, address=client.address)
        after = {"drops_factors": found["drops_factors"]}
        act = Act(action="password.reset", subject=str(person), after=after)
        await record(conn, who, act, now)


def _unknown() -> SignInError:
    return SignInError("invalid_token", "This token is unknown, used, or too old.")
