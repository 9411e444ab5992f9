"""Signing in: a login with its password, a second factor where there is one, and for which
merchant. Everyone who is refused for want of proof is told the same."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from coinslot.people import factors, limits, passkeys
from coinslot.people.audit_log import Act, Actor, record
from coinslot.people.authentication import (
    Authentication,
    Client,
    ForbiddenError,
    RuleError,
    SignInError,
    wrong_credentials,
)
from coinslot.people.passwords import BusyError, acceptable
from coinslot.people.roles import INSTALLATION
from coinslot.people.sessions import (
    Grant,
    Opened,
    Proof,
    SignedIn,
    Wish,
    open_session,
)
from coinslot.people.tokens import Challenge

_PERSON = """
SELECT p.id, p.login, p.version, p.password_hash, p.disabled_at,
    EXISTS (SELECT FROM second_factors f WHERE f.person_id = p.id AND f.confirmed_at IS NOT NULL
        AND f.removed_at IS NULL) AS has_second
FROM people p
"""
BY_ID, BY_LOGIN = f"{_PERSON} WHERE p.id = $1", f"{_PERSON} WHERE lower(p.login) = lower($1)"
GRANTS = """
SELECT t.id AS merchant, t.name, t.slug, m.version, t.allowed_networks
FROM memberships m JOIN merchants t ON t.id = m.merchant_id
WHERE m.person_id = $1 AND m.ended_at IS NULL
UNION ALL
SELECT NULL, $2, $2, version, '{}' FROM installation_admins
WHERE person_id = $1 AND ended_at IS NULL
ORDER BY 2, 1
"""


class Attempt(Struct, frozen=True, kw_only=True):
    """What someone shows: a login with its password, or the challenge of an earlier answer; a code
    or a passkey; and for which merchant (its id or slug, or `installation`)."""

    login: str = ""
    password: str = ""
    challenge: str = ""
    code: str = ""
    passkey: dict[str, Any] | None = None
    merchant: str = ""


async def sign_in(
    auth: Authentication, attempt: Attempt, client: Client, kind: str = "token"
) -> Opened:
    """A new session. Raises SignInError (with a challenge where the second factor is wanted),
    RuleError (where a merchant has to be named), ForbiddenError, TooOftenError, BusyError."""
    if attempt.challenge:
        proof = await _by_challenge(auth, attempt)
        if not proof.complete:
            raise await _second_factor_required(auth, proof)
    else:
        proof = await verified(auth, attempt, client)
    grant = await _chosen(auth, proof, attempt.merchant)
    return await open_session(auth, proof, Wish(grant=grant, kind=kind), client)


async def verified(auth: Authentication, attempt: Attempt, client: Client) -> Proof:
    """Who it is, with all the factors that they have, without a session. Raises what `sign_in`
    raises."""
    proof = await _by_password(auth, attempt, client)
    if attempt.code and not proof.complete:
        proof = await _with_code(auth, proof, attempt.code)
    if not proof.complete:
        raise await _second_factor_required(auth, proof)
    return proof


async def step_up(auth: Authentication, who: SignedIn, attempt: Attempt, client: Client) -> Opened:
    """A fresh proof, for what must not be done by whoever finds an open session. The session is
    replaced by a new one. Raises what `sign_in` raises."""
    person = await _person(auth, who.person)
    if person is None or person["disabled_at"] is not None:
        raise wrong_credentials()
    proof = _proof(person, who.factors)
    if attempt.passkey is not None:
        proof = await _by_passkey(auth, proof, attempt.challenge, attempt.passkey)
    elif proof.has_second:
        if not attempt.code:
            # Nothing that the session had shown goes into the challenge: it would open another one.
            raise await _second_factor_required(auth, replace(proof, factors=()))
        proof = await _with_code(auth, proof, attempt.code)
    else:
        named = replace(attempt, login=who.login)
        await _by_password(auth, named, client)
        proof = _proof(person, (*who.factors, "password"))
    grants = await _grants(auth, who.person)
    grant = next((one for one in grants if one.merchant == who.merchant), None)
    if grant is None:
        raise wrong_credentials()
    wish = Wish(grant=grant, kind=who.kind, replaces=who.session, action="stepped_up")
    return await open_session(auth, proof, wish, client)


async def switch(
    auth: Authentication, who: SignedIn, merchant: UUID | None, client: Client
) -> Opened:
    """From now on signed in for another merchant of theirs, or for the installation. The session is
    replaced; its proof is as old as it was. Raises ForbiddenError, SignInError."""
    person = await _person(auth, who.person)
    if person is None or person["disabled_at"] is not None:
        raise wrong_credentials()
    grants = await _grants(auth, who.person)
    grant = next((one for one in grants if one.merchant == merchant), None)
    if grant is None:
        raise ForbiddenError("no_membership", "You do not work there.")
    wish = Wish(
        grant=grant, kind=who.kind, replaces=who.session, action="switched",
        proved_at=who.proved_at,
    )  # fmt: skip
    return await open_session(auth, _proof(person, who.factors), wish, client)


async def choices(auth: Authentication, who: SignedIn) -> list[Grant]:
    """For what else they may be signed in."""
    return [one for one in await _grants(auth, who.person) if one.merchant != who.merchant]


async def change_password(
    auth: Authentication, who: SignedIn, password: str, client: Client
) -> Opened:
    """Every other session ends, and this one is replaced. The caller has checked for a fresh
    proof. Raises WeakPasswordError, BusyError."""
    await set_password(auth, who.person, acceptable(password, who.login), who.actor)
    person = await _person(auth, who.person)
    assert person is not None
    grants = await _grants(auth, who.person)
    grant = next(one for one in grants if one.merchant == who.merchant)
    proof = _proof(person, who.factors)
    wish = Wish(grant=grant, kind=who.kind, replaces=who.session, action="signed_in_again")
    return await open_session(auth, proof, wish, client)


async def set_password(auth: Authentication, person: UUID, password: str, who: Actor) -> None:
    """A new password; every session of the person is over. Raises BusyError."""
    hashed = await auth.passwords.hash(password)
    async with auth.db.as_person(person) as conn:
        await conn.execute(
            "UPDATE people SET password_hash = $2, version = version + 1 WHERE id = $1",
            person, hashed,
        )  # fmt: skip
        await conn.execute(  # a token to set it anew was for the password before
            "UPDATE password_resets SET used_at = $2 WHERE person_id = $1 AND used_at IS NULL",
            person, auth.now(),
        )  # fmt: skip
        act = Act(action="password.changed", subject=str(person))
        await record(conn, replace(who, person=person), act, auth.now())


async def _by_password(auth: Authentication, attempt: Attempt, client: Client) -> Proof:
    async with auth.db.system_connection() as conn:
        person = await conn.fetchrow(BY_LOGIN, attempt.login.strip())
    # Under the login that was found: the database takes more spellings for the same than Python.
    login = attempt.login if person is None else person["login"]
    counted = limits.of_account(auth.context, login, client.network)
    await limits.count(auth.context, counted)
    stored = None if person is None else person["password_hash"]
    try:
        fits = await auth.passwords.fits(stored, attempt.password)
    except BusyError:
        await limits.give_back(auth.context, counted)
        raise
    if person is None or not fits or person["disabled_at"] is not None:
        await _note_failure(auth, None if person is None else person["id"], client)
        raise wrong_credentials()
    await limits.uncount(auth.context, counted)
    await _renew_hash(auth, person, attempt.password)
    return _proof(person, ("password",))


async def _by_challenge(auth: Authentication, attempt: Attempt) -> Proof:
    """What the challenge says was proven, with what is shown now."""
    challenge = auth.tokens.read_challenge(attempt.challenge, passkeys.SIGN_IN, auth.now())
    if challenge is None:
        raise SignInError("challenge_expired", "This took too long: sign in from the start.")
    proof = await _of_challenge(auth, challenge)
    if attempt.passkey is not None:
        return await _by_passkey(auth, proof, attempt.challenge, attempt.passkey)
    if proof is None:
        raise wrong_credentials()
    if attempt.code and not proof.complete:
        proof = await _with_code(auth, proof, attempt.code)
    if proof.complete:
        await _use_up(auth, proof.person, challenge)
    return proof


async def _by_passkey(
    auth: Authentication, proof: Proof | None, asked: str, passkey: dict[str, Any]
) -> Proof:
    challenge = auth.tokens.read_challenge(asked, passkeys.SIGN_IN, auth.now())
    if challenge is None:
        raise SignInError("challenge_expired", "This took too long: sign in from the start.")
    shown = await passkeys.check(auth, challenge, passkey)
    if proof is not None and proof.person != shown.person:
        raise wrong_credentials()
    await _use_up(auth, shown.person, challenge)
    if proof is None:
        person = await _person(auth, shown.person)
        if person is None or person["disabled_at"] is not None:
            raise wrong_credentials()
        proof = _proof(person, ())
    return replace(proof, factors=_joined(proof.factors, shown.factor))


async def _of_challenge(auth: Authentication, challenge: Challenge) -> Proof | None:
    """None for a challenge that was given to nobody in particular."""
    if challenge.sub is None:
        return None
    person = await _person(auth, challenge.sub)
    if person is None or person["disabled_at"] is not None:
        raise wrong_credentials()
    proof = _proof(person, challenge.factors)
    if challenge.version != proof.version:  # the password was changed in between
        raise wrong_credentials()
    return proof


async def _with_code(auth: Authentication, proof: Proof, code: str) -> Proof:
    proven = await factors.check_code(auth, proof.person, code)
    return replace(proof, factors=_joined(proof.factors, proven))


async def _second_factor_required(auth: Authentication, proof: Proof) -> SignInError:
    async with auth.db.as_person(proof.person) as conn:
        kinds = await factors.kinds(conn, proof.person)
    question = await passkeys.ask(auth, proof)
    details: dict[str, object] = {
        "challenge": question.challenge,
        "factors": sorted((*kinds, "recovery_code")),
        "passkey": question.passkey if "passkey" in kinds else None,
    }
    return SignInError(
        "second_factor_required", "Send the challenge again, with a code or a passkey.", details
    )


async def _chosen(auth: Authentication, proof: Proof, named: str) -> Grant:
    """What to be signed in for: the only one, or the one that is named."""
    grants = await _grants(auth, proof.person)
    if not grants:
        raise ForbiddenError("no_membership", "You work for nobody here any more.")
    wanted = [
        one for one in grants if named.strip().lower() in ("", one.slug.lower(), str(one.merchant))
    ]
    if len(wanted) == 1:
        return wanted[0]
    question = await passkeys.ask(auth, proof)
    choice = [{"id": one.merchant, "name": one.name, "slug": one.slug} for one in grants]
    raise RuleError(
        "merchant_required", "Send the challenge again, and name the merchant.",
        {"challenge": question.challenge, "merchants": choice},
    )  # fmt: skip


async def _person(auth: Authentication, person: UUID) -> asyncpg.Record | None:
    async with auth.db.system_connection() as conn:
        return await conn.fetchrow(BY_ID, person)


async def _grants(auth: Authentication, person: UUID) -> list[Grant]:
    async with auth.db.system_connection() as conn:
        rows = await conn.fetch(GRANTS, person, INSTALLATION)
    return [
        Grant(
            merchant=row["merchant"], name=row["name"], slug=row["slug"], version=row["version"],
            allowed_networks=tuple(row["allowed_networks"]),
        )
        for row in rows
    ]  # fmt: skip


async def _use_up(auth: Authentication, person: UUID, challenge: Challenge) -> None:
    async with auth.db.as_person(person) as conn:
        await passkeys.use_up(conn, person, challenge, auth)


async def _renew_hash(auth: Authentication, person: asyncpg.Record, password: str) -> None:
    """A hash of older parameters is replaced while the password is known; nobody is signed out."""
    if not auth.passwords.outdated(person["password_hash"]):
        return
    hashed = await auth.passwords.hash(password)
    async with auth.db.as_person(person["id"]) as conn:
        await conn.execute("UPDATE people SET password_hash = $2 WHERE id = $1",
                           person["id"], hashed)  # fmt: skip


async def _note_failure(auth: Authentication, person: UUID | None, client: Client) -> None:
    """The same work whether or not there is such a person: the time it takes tells nothing. What
    was typed is not kept, since it may be somebody's password. The limits bound how many there
    are."""
    async with auth.db.system_transaction() as conn:
        who = Actor(person=person, address=client.address)
        await record(conn, who, Act(action="sign_in.failed"), auth.now())


def _proof(person: asyncpg.Record, shown: Sequence[str]) -> Proof:
    return Proof(
        person=person["id"], version=person["version"], factors=_joined(shown),
        has_second=person["has_second"],
    )  # fmt: skip


def _joined(shown: Sequence[str], *more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*shown, *more)))
