"""Bounds and defaults of people, at their edges: names, passwords, invitations, and what a refusal
says."""

import asyncio
import threading
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from coinslot.db.pool import RawConnection
from coinslot.pages import access
from coinslot.people import invitations
from coinslot.people.audit_log import Actor
from coinslot.people.authentication import RuleError
from coinslot.people.members import Role
from coinslot.people.passwords import BusyError, Passwords
from coinslot.people.sessions import SignedIn
from tests.people.conftest import Staffed

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def signed_in(*, second_factor_missing: bool) -> SignedIn:
    return SignedIn(
        session=UUID(int=1), kind="token", person=UUID(int=2), login="boris", name="",
        merchant=UUID(int=3), merchant_name="Asha", role="viewer", outlets=(),
        factors=("password",), permissions=frozenset(), proved_at=NOW, strongly=False,
        address="203.0.113.7", second_factor_missing=second_factor_missing,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("missing", "code"), [(True, "second_factor_missing"), (False, "forbidden")]
)
def test_what_a_role_may_not_do_is_forbidden_and_not_missing(missing: bool, code: str) -> None:
    refused = access._forbidden("money:read", signed_in(second_factor_missing=missing))
    assert (refused.status, refused.code) == (403, code)


class Hasher:
    """As argon2, and at once: a hash is the password in brackets."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.asked: list[str] = []

    def hash(self, password: str) -> str:
        self.made.append(password)
        return f"({password})"

    def verify(self, stored: str, password: str) -> bool:
        self.asked.append(stored)
        if not stored.startswith("("):
            raise InvalidHashError
        if stored != f"({password})":
            raise VerifyMismatchError
        return True


async def test_a_password_fits_its_own_hash_and_nobodys_fits_none() -> None:
    hasher: Any = Hasher()
    passwords = Passwords(hasher)
    assert await passwords.fits("(secret)", "secret")
    assert not await passwords.fits("(secret)", "another")
    assert not await passwords.fits("no hash", "secret")
    (of_nobody,) = hasher.made
    assert len(of_nobody) == 43, "32 bytes"
    assert not await passwords.fits(None, "secret")
    assert not await passwords.fits(None, of_nobody), "there is nobody who has it"
    assert hasher.asked == ["(secret)", "(secret)", "no hash", *[f"({of_nobody})"] * 2]
    assert hasher.made == [of_nobody], "it is made once"


class Held:
    """As argon2, until it is let go: it says when it begins."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Semaphore(0), threading.Event()

    def hash(self, password: str) -> str:
        return password

    def verify(self, stored: str, password: str) -> bool:
        self.begun.release()
        return self.go.wait(30)


async def test_two_passwords_are_looked_at_at_once_and_thirty_others_wait() -> None:
    hasher: Any = Held()
    passwords = Passwords(hasher)
    tries = [asyncio.create_task(passwords.fits("stored", "typed")) for _ in range(33)]
    begun = [await asyncio.to_thread(hasher.begun.acquire, True, wait) for wait in (30, 30, 0.05)]
    hasher.go.set()
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert (begun, ended[:32]) == ([True, True, False], [True] * 32)
    assert isinstance(ended[32], BusyError)
    assert await passwords.fits("stored", "typed"), "there is room again"
    assert passwords._waiting == 0


async def test_so_many_invitations_wait_at_a_time(staffed: Staffed) -> None:
    async def invite(name: str) -> object:
        role = Role(role="viewer")
        wanted = invitations.Wanted(merchant=staffed.merchant, address=name, role=role)
        return await invitations.invite(staffed.auth, Actor(person=staffed.people["asha"]), wanted)

    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute(
            "INSERT INTO invitations (id, merchant_id, address, role, token_hash, code_digest,"
            " created_at, expires_at) SELECT gen_random_uuid(), $1, n || '@shop.example', 'viewer',"
            " n::text::bytea, n::text, $2, $2::timestamptz + interval '1 day'"
            " FROM generate_series(1, 99) n",
            staffed.merchant, staffed.auth.now(),
        )  # fmt: skip
    assert await invite("the hundredth@shop.example")
    with pytest.raises(RuleError) as refused:
        await invite("one more@shop.example")
    assert refused.value.code == "too_many_invitations"


async def test_a_login_is_not_empty_and_not_longer_than_an_address(holder: RawConnection) -> None:
    async def add(login: str) -> None:
        await holder.execute(
            "INSERT INTO people (id, login, created_at) VALUES (gen_random_uuid(), $1, now())",
            login,
        )

    for login in ("a", "b" * 254):
        await add(login)
    for login in ("", "c" * 255):
        with pytest.raises(asyncpg.CheckViolationError):
            await add(login)


async def test_what_is_not_said_of_people_and_their_merchant(holder: RawConnection) -> None:
    await holder.execute("SET session_replication_role = replica")
    factor = await holder.fetchrow(
        "INSERT INTO second_factors (id, person_id, kind, secret, created_at)"
        " VALUES ($1, $1, 'totp', 's', now()) RETURNING *",
        UUID(int=1),
    )
    assert factor is not None
    assert (factor["last_step"], factor["sign_count"], factor["name"]) == (0, 0, "")
    merchant = await holder.fetchrow(
        "INSERT INTO merchants (id, name, slug, created_at) VALUES ($1, 'A', 'a', now())"
        " RETURNING *",
        UUID(int=1),
    )
    assert merchant is not None
    assert (merchant["second_factor_required"], merchant["allowed_networks"]) == (False, [])
