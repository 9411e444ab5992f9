"""A new password for someone who lost it: by a link to their own mail address, or a token from who
runs the installation. An admin of one merchant must not become that of another through a person
who works for both."""

from typing import Final
from uuid import UUID

from coinslot.db.pool import Connection
from coinslot.kit.ids import token, uuid7
from coinslot.people import letters, limits
from coinslot.people.audit_log import Act, Actor, record
from coinslot.people.authentication import Authentication, Client, SignInError
from coinslot.people.outbox import EMAIL, FACTOR_REMOVED, Letter, concerns, post
from coinslot.people.passwords import acceptable
from coinslot.people.tokens import hashed

_FOUND = """
SELECT r.id, r.person_id, r.drops_factors, p.login FROM password_resets r
JOIN people p ON p.id = r.person_id
WHERE r.token_hash = $1 AND r.used_at IS NULL AND r.expires_at > $2 AND p.disabled_at IS NULL
"""
ASKED: Final = "reset_asked"
_LOGIN_CHARS: Final = 254
_FROM_ONE: Final = 20  # mails that one network asks for, in the window of tries
_FOR_ONE: Final = 3  # and for one login: nobody fills a mailbox by it
_BY_MAIL: Final = Actor(address="by mail")
_REACHED = """
SELECT p.id, p.login, s.address, s.language FROM people p
LEFT JOIN notice_settings s ON s.person_id = p.id
WHERE lower(p.login) = lower($1) AND p.disabled_at IS NULL
"""
_END_TOKENS: Final = """
UPDATE password_resets SET used_at = $2 WHERE person_id = $1 AND used_at IS NULL
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
        await conn.execute(_END_TOKENS, person, now)
        await _keep(conn, auth, person, made, drops_factors=drops_factors)
    await _note(auth, who, person, drops_factors=drops_factors)
    return made


async def _keep(
    conn: Connection, auth: Authentication, person: UUID, made: str, *, drops_factors: bool
) -> None:
    now = auth.now()
    await conn.execute(
        "INSERT INTO password_resets (id, person_id, token_hash, drops_factors, created_at,"
        " expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
        uuid7(now), person, hashed(made), drops_factors, now,
        now + auth.context.windows.span("reset_s"),
    )  # fmt: skip


async def _note(auth: Authentication, who: Actor, person: UUID, *, drops_factors: bool) -> None:
    now = auth.now()
    async with auth.db.system_transaction() as conn:
        after = {"drops_factors": drops_factors}
        await record(conn, who, Act(action="reset.offered", subject=str(person), after=after), now)


async def ask(auth: Authentication, login: str, client: Client, language: str) -> None:
    """Someone forgot their password. The same work whoever asks and whether or not there is such a
    person: who it is, and where mail reaches them, is looked up when the mail is sent. Raises
    TooOftenError."""
    now, vault = auth.now(), auth.context.vault
    who = vault.digest(login.strip().casefold(), "tries:reset")
    where = vault.digest(client.network, "tries:reset")
    asked = [limits.Limit(f"reset-from:{where}", _FROM_ONE), limits.Limit(f"reset:{who}", _FOR_ONE)]
    await limits.count(auth.context, asked)
    letter = Letter(
        purpose=ASKED, channel=EMAIL, target=login.strip()[:_LOGIN_CHARS] or "-",
        dedup=f"reset.{uuid7(now).hex}", subject="", body="", language=language,
        life=auth.context.windows.span("reset_s"),
    )  # fmt: skip
    async with auth.db.system_transaction() as conn:
        await post(conn, letter, now)
    auth.context.wakes.wake("notices")


async def mail_for(auth: Authentication, login: str, language: str) -> tuple[str, str, str] | None:
    """Address, subject and text of the mail with a link, which is good from now on; None where
    nobody has this login, or mail does not reach them."""
    async with auth.db.system_connection() as conn:
        row = await conn.fetchrow(_REACHED, login.strip())
    if row is None:
        return None
    address = str(row["address"] or row["login"])
    if not letters.can_be_mailed(auth.context, address):
        return None
    secret = await _offer_by_mail(auth, row["id"])
    said = letters.reset(row["language"] or language, row["login"])
    link = f"{auth.base_url}/console/reset?token={secret}"
    return address, said.subject, f"{said.text}\n\n{link}"


async def _offer_by_mail(auth: Authentication, person: UUID) -> str:
    """Anyone may ask for it, so it ends no token that somebody was given: a stranger would end all
    of them. The first that is used does."""
    made = token(32)
    async with auth.db.as_person(person) as conn:
        await _keep(conn, auth, person, made, drops_factors=False)
    await _note(auth, _BY_MAIL, person, drops_factors=False)
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
        # Of two with different tokens, one waits here for the other.
        await conn.execute("SELECT FROM people WHERE id = $1 FOR NO KEY UPDATE", person)
        used = await conn.execute(
            "UPDATE password_resets SET used_at = $2 WHERE id = $1 AND used_at IS NULL",
            found["id"], now,
        )  # fmt: skip
        if used != "UPDATE 1":
            raise _unknown()
        await conn.execute(_END_TOKENS, person, now)
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
