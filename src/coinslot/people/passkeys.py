"""Passkeys (WebAuthn). They are bound to the installation's address, which is a setting. One that
verified its user counts as two factors, a plain security key as one."""

from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
import webauthn
from cryptography.exceptions import UnsupportedAlgorithm
from msgspec import Struct
from webauthn.helpers import (
    base64url_to_bytes,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    options_to_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from coinslot.db.pool import Connection
from coinslot.kit.ids import uuid7
from coinslot.people import factors
from coinslot.people.authentication import Authentication, RuleError, SignInError
from coinslot.people.sessions import Proof, SignedIn
from coinslot.people.tokens import Challenge, whole_seconds

SIGN_IN: Final = "sign-in"
_ENROL: Final = "enrol"

_OF_PERSON = """
SELECT credential_id FROM second_factors
WHERE person_id = $1 AND kind = 'passkey' AND removed_at IS NULL
"""
_BY_CREDENTIAL = """
SELECT id, person_id, public_key, sign_count FROM second_factors
WHERE credential_id = $1 AND confirmed_at IS NOT NULL AND removed_at IS NULL
"""
# A counter that does not grow is a copy of the key, where the key counts at all.
_USED = """
UPDATE second_factors SET sign_count = $2, used_at = $3
WHERE id = $1 AND removed_at IS NULL AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0))
"""
Json = dict[str, Any]
# What the library lets through where an authenticator's answer is not made as it should be.
_UNREADABLE: Final = (
    WebAuthnException, ValueError, LookupError, TypeError, AttributeError, ArithmeticError,
    RecursionError, UnsupportedAlgorithm,
)  # fmt: skip


class Question(Struct, frozen=True, kw_only=True):
    """What a passkey is asked: the challenge is sent back with its answer, `passkey` are the
    options for `navigator.credentials`."""

    challenge: str
    passkey: Json


class NewPasskey(Struct, frozen=True, kw_only=True):
    """What `navigator.credentials.create` answered, with the challenge that it was asked with."""

    challenge: str
    passkey: Json
    name: str = ""


class Shown(Struct, frozen=True):
    """Whose passkey answered, and which factor that is."""

    person: UUID
    factor: str


async def ask(auth: Authentication, proof: Proof | None) -> Question:
    """For a sign-in or a fresh proof. Without one begun, the passkey says who it is."""
    known: list[bytes] = []
    if proof is not None:
        async with auth.db.as_person(proof.person) as conn:
            known = await _known(conn, proof.person)
    challenge = _new(auth, SIGN_IN, proof)
    options = webauthn.generate_authentication_options(
        rp_id=auth.host, challenge=challenge.nonce,
        allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        user_verification=UserVerificationRequirement.PREFERRED
        if proof is not None and "password" in proof.factors
        else UserVerificationRequirement.REQUIRED,
    )  # fmt: skip
    return Question(
        challenge=auth.tokens.challenge(challenge),
        passkey=msgspec.json.decode(options_to_json(options)),
    )


async def check(auth: Authentication, challenge: Challenge, answer: Json) -> Shown:
    """Whose passkey signed this challenge. Raises SignInError."""
    try:
        credential = base64url_to_bytes(str(answer.get("rawId", "")))
    except ValueError as error:
        raise _wrong() from error
    async with auth.db.system_connection() as conn:
        row = await conn.fetchrow(_BY_CREDENTIAL, credential)
    if row is None or challenge.sub not in (None, row["person_id"]):
        raise _wrong()
    try:
        found = webauthn.verify_authentication_response(
            credential=answer, expected_challenge=challenge.nonce, expected_rp_id=auth.host,
            expected_origin=auth.origin, credential_public_key=row["public_key"],
            credential_current_sign_count=row["sign_count"],
        )  # fmt: skip
    except _UNREADABLE as error:
        raise _wrong() from error
    async with auth.db.as_person(row["person_id"]) as conn:
        used = await conn.execute(_USED, row["id"], found.new_sign_count, auth.now())
    if used != "UPDATE 1":
        raise _wrong()
    return Shown(row["person_id"], "passkey" if found.user_verified else "security_key")


async def begin(auth: Authentication, who: SignedIn) -> Question:
    """Options for a new passkey. Raises RuleError."""
    await factors.may_add(auth, who)
    async with auth.db.as_person(who.person) as conn:
        known = await _known(conn, who.person)
    challenge = _new(auth, _ENROL, Proof(person=who.person, version=0, factors=(), has_second=True))
    options = webauthn.generate_registration_options(
        rp_id=auth.host, rp_name=auth.host, user_id=who.person.bytes, user_name=who.login,
        user_display_name=who.name or who.login, challenge=challenge.nonce,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
    )  # fmt: skip
    return Question(
        challenge=auth.tokens.challenge(challenge),
        passkey=msgspec.json.decode(options_to_json(options)),
    )


async def confirm(auth: Authentication, who: SignedIn, answer: NewPasskey) -> list[str]:
    """Keep a new passkey. Returns recovery codes where there were none. Raises RuleError."""
    await factors.may_add(auth, who)
    now = auth.now()
    challenge = auth.tokens.read_challenge(answer.challenge, _ENROL, now)
    if challenge is None or challenge.sub != who.person:
        raise RuleError("challenge_expired", "This took too long: begin again.")
    try:
        found = webauthn.verify_registration_response(
            credential=answer.passkey, expected_challenge=challenge.nonce,
            expected_rp_id=auth.host, expected_origin=auth.origin,
        )  # fmt: skip
        # One that is no key would be kept, and would let its owner in never again.
        decoded_public_key_to_cryptography(
            decode_credential_public_key(found.credential_public_key)
        )
    except _UNREADABLE as error:
        raise RuleError("bad_passkey", "This passkey was not made for this address.") from error
    factor = uuid7(now)
    async with auth.db.as_person(who.person) as conn:
        await use_up(conn, who.person, challenge, auth)
        kept = await conn.execute(
            "INSERT INTO second_factors (id, person_id, kind, name, credential_id, public_key,"
            " sign_count, created_at, confirmed_at) VALUES ($1, $2, 'passkey', $3, $4, $5, $6,"
            " $7, $7) ON CONFLICT (credential_id) DO NOTHING",
            factor, who.person, answer.name, found.credential_id, found.credential_public_key,
            found.sign_count, now,
        )  # fmt: skip
        if kept != "INSERT 0 1":
            raise RuleError("bad_passkey", "This passkey is known already.")
        return await factors.added(auth, conn, who, "passkey", factor)


async def use_up(
    conn: Connection, person: UUID, challenge: Challenge, auth: Authentication
) -> None:
    """A challenge is answered once. Raises SignInError the second time."""
    kept = await conn.execute(
        "INSERT INTO used_challenges (id, person_id, at) VALUES ($1, $2, $3)"
        " ON CONFLICT (id) DO NOTHING",
        challenge.jti, person, auth.now(),
    )  # fmt: skip
    if kept != "INSERT 0 1":
        raise SignInError("challenge_expired", "This was answered before: begin again.")


def _new(auth: Authentication, purpose: str, proof: Proof | None) -> Challenge:
    ends = whole_seconds(auth.now(), later=auth.context.windows.span("challenge_s"))
    if proof is None:
        return Challenge(exp=ends, purpose=purpose, jti=uuid4())
    return Challenge(
        exp=ends, purpose=purpose, jti=uuid4(), sub=proof.person, version=proof.version,
        factors=proof.factors,
    )  # fmt: skip


async def _known(conn: Connection, person: UUID) -> list[bytes]:
    return [row["credential_id"] for row in await conn.fetch(_OF_PERSON, person)]


def _wrong() -> SignInError:
    return SignInError("invalid_passkey", "This passkey is not known here, or did not sign this.")
