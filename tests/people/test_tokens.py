"""Signed tokens and what they say: for how long, for what, and signed by whom."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest

from coinslot.kit.secrets import Secret, Vault, VaultKeyError
from coinslot.people.tokens import (
    AccessClaims,
    Challenge,
    Tokens,
    hashed,
    signing_key,
    whole_seconds,
)
from tests.people.conftest import Staffed

NOW = datetime(2026, 11, 21, 12, 0, 0, 700_000, tzinfo=UTC)
ENDS = int(NOW.timestamp()) + 10
OURS, THEIRS = Tokens(Secret("k" * 64)), Tokens(Secret("w" * 64))
CLAIMS = AccessClaims(
    exp=ENDS, sub="boris", tenant=UUID(int=3), role="operator", permissions=("a", "b"),
    iat=ENDS - 10, sid=UUID(int=4),
)  # fmt: skip
CHALLENGE = Challenge(
    exp=ENDS, purpose="sign-in", jti=UUID(int=5), sub=UUID(int=6), version=7, factors=("password",)
)


@pytest.mark.parametrize(
    ("later_s", "good"), [(0, True), (9.299, True), (9.3, False), (10, False), (-99, True)]
)
def test_a_token_is_good_until_its_last_second_by_the_clock_that_is_given(
    later_s: float, good: bool
) -> None:
    then = NOW + timedelta(seconds=later_s)
    assert OURS.read_access(OURS.access(CLAIMS), then) == (CLAIMS if good else None)
    found = OURS.read_challenge(OURS.challenge(CHALLENGE), "sign-in", then)
    assert found == (CHALLENGE if good else None)


def test_a_token_is_read_as_what_it_is_by_whoever_signed_it() -> None:
    access, challenge = OURS.access(CLAIMS), OURS.challenge(CHALLENGE)
    assert OURS.read_challenge(challenge, "enrol", NOW) is None
    assert OURS.read_challenge(access, "sign-in", NOW) is None
    assert OURS.read_access(challenge, NOW) is None
    assert THEIRS.read_access(access, NOW) is None
    assert THEIRS.read_challenge(challenge, "sign-in", NOW) is None
    for text in ("", "x", access[:-2], f"{access}.x", access.replace(".", "", 1)):
        assert OURS.read_access(text, NOW) is None
    # A claim that only looks right is none of ours, whoever signed it.
    said = jwt.decode(access, options={"verify_signature": False})
    for changed in ({"sid": "x"}, {"exp": "soon"}, {"permissions": "a"}, {"role": None}):
        text = jwt.encode({**said, **changed}, "k" * 64, algorithm="HS256")
        assert OURS.read_access(text, NOW) is None
    for gone in ("exp", "sub", "tenantId", "role", "permissions", "iat", "sid"):
        less = {name: value for name, value in said.items() if name != gone}
        assert OURS.read_access(jwt.encode(less, "k" * 64, algorithm="HS256"), NOW) is None
    text = jwt.encode({**said, "nbf": ENDS + 99, "aud": "else"}, "k" * 64, algorithm="HS256")
    assert OURS.read_access(text, NOW) == CLAIMS, "other claims are not asked"
    assert OURS.read_access(jwt.encode(said, "k" * 64, algorithm="HS512"), NOW) is None


def test_what_a_token_says_in_other_programs_words() -> None:
    said = jwt.decode(OURS.access(CLAIMS), "k" * 64, algorithms=["HS256"],
                      options={"verify_exp": False, "verify_iat": False})  # fmt: skip
    assert said == {
        "exp": ENDS, "sub": "boris", "tenantId": str(UUID(int=3)), "role": "operator",
        "permissions": ["a", "b"], "iat": ENDS - 10, "sid": str(UUID(int=4)),
    }  # fmt: skip


def test_a_challenge_of_nobody_says_nothing_and_each_has_what_to_sign() -> None:
    nobody = Challenge(exp=ENDS, purpose="sign-in", jti=UUID(int=5))
    assert (nobody.sub, nobody.version, nobody.factors) == (None, 0, ())
    assert nobody.nonce == hashlib.sha256(b"passkey\0" + UUID(int=5).bytes).digest()
    assert Challenge(exp=ENDS, purpose="sign-in", jti=UUID(int=6)).nonce != nobody.nonce


def test_a_secret_is_kept_as_its_hash_whatever_was_typed() -> None:
    assert hashed("abc") == hashlib.sha256(b"abc").digest()
    assert hashed("\ud800") == hashlib.sha256(b"?").digest()


def test_a_moment_is_told_in_whole_seconds() -> None:
    assert whole_seconds(NOW) == ENDS - 10
    assert whole_seconds(NOW, later=timedelta(seconds=9.2)) == ENDS - 1
    assert whole_seconds(NOW, later=timedelta(seconds=9.3)) == ENDS


async def test_the_key_that_signs_is_48_random_bytes_under_a_key_that_is_named(
    staffed: Staffed,
) -> None:
    db, vault = staffed.auth.db, staffed.auth.context.vault
    made = (await signing_key(db, vault)).reveal()
    assert len(made) == 64
    async with db.system_transaction() as conn:
        sealed = await conn.fetchval("SELECT jwt_secret FROM installation")
    assert vault.open(sealed, "installation:jwt_secret").decode() == made
    assert (await signing_key(db, vault)).reveal() == made
    with pytest.raises(VaultKeyError, match=r"name that key in COINSLOT_KEYS too"):
        await signing_key(db, Vault({"other": b"o" * 32}, "other"))
    async with db.system_transaction() as conn:
        assert await conn.fetchval("SELECT jwt_secret FROM installation") == sealed
