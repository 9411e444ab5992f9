"""Calls that come at the same instant: each is held before its lock until all are there, so that
none is early by luck."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pyotp

from coinslot.people import device_keys, first_run, members, resets, sessions, sign_in, tokens
from coinslot.people.audit_log import Actor
from coinslot.people.authentication import RuleError, SignInError
from tests.conftest import DatabaseUrls
from tests.people.conftest import PASSWORD, Staffed, at

PATIENCE_S = 30
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
"""


@asynccontextmanager
async def held(urls: DatabaseUrls, lock: str, *values: object) -> AsyncIterator[Any]:
    """A row is locked; `await together(...)` starts calls and lets go once all of them wait."""
    holder, looker = await asyncpg.connect(urls.superuser), await asyncpg.connect(urls.superuser)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute(lock, *values)

    async def together(*calls: Coroutine[Any, Any, Any]) -> list[Any]:
        tasks = [asyncio.create_task(call) for call in calls]
        async with asyncio.timeout(PATIENCE_S):
            while await looker.fetchval(WAITING) < len(tasks):
                assert not any(task.done() for task in tasks), "one did not wait for the lock"
                await asyncio.sleep(0.002)
            await transaction.rollback()
            return await asyncio.gather(*tasks, return_exceptions=True)

    try:
        yield together
    finally:
        await holder.close()
        await looker.close()


async def test_of_two_first_accounts_one_is_made(staffed: Staffed, urls: DatabaseUrls) -> None:
    conn = await asyncpg.connect(urls.superuser)
    await conn.execute("DELETE FROM installation_admins")
    await conn.close()
    token = await first_run.offer(staffed.auth) or ""

    def first(login: str) -> Coroutine[Any, Any, UUID]:
        wanted = first_run.FirstAccount(token=token, login=login, password=PASSWORD)
        return first_run.make_first(staffed.auth, wanted, at())

    async with held(urls, "SELECT FROM installation FOR UPDATE") as together:
        ended = await together(first("one"), first("two"))
    assert [type(one) for one in ended if not isinstance(one, UUID)] == [SignInError]


async def test_two_admins_who_dismiss_each_other_leave_one(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    db, asha, boris = staffed.stage.context.db, staffed.people["asha"], staffed.people["boris"]
    now = staffed.stage.clock.now()

    async def change(by: UUID, person: UUID, role: members.Role | None) -> None:
        wanted = members.RoleChange(merchant=staffed.merchant, person=person, role=role)
        await members.change_role(db, Actor(person=by), wanted, now)

    await change(asha, boris, members.Role(role="admin"))
    lock = "SELECT FROM merchants WHERE id = $1 FOR NO KEY UPDATE"
    async with held(urls, lock, staffed.merchant) as together:
        ended = await together(change(asha, boris, None), change(boris, asha, None))
    assert [type(one) for one in ended if one is not None] == [RuleError]
    left = await members.colleagues(db, staffed.merchant)
    assert [one.role for one in left].count("admin") == 1


async def test_of_two_refreshes_at_one_instant_both_get_the_same_successor(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    attempt = sign_in.Attempt(login="boris", password=PASSWORD)
    opened = await sign_in.sign_in(staffed.auth, attempt, at())

    def refresh() -> Coroutine[Any, Any, sessions.Opened]:
        return sessions.refresh(staffed.auth, opened.refresh_token, at())

    lock = "SELECT FROM sessions WHERE id = $1 FOR NO KEY UPDATE"
    async with held(urls, lock, opened.session) as together:
        ended = await together(refresh(), refresh())
    assert len({one.refresh_token for one in ended}) == 1
    assert ended[0].refresh_token != opened.refresh_token


async def test_of_two_confirmations_of_one_app_one_counts(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    token = await staffed.token("boris")
    begun = (await staffed.call(token, "POST", "/auth/factors/totp", {"name": "phone"})).json()
    code = pyotp.TOTP(begun["secret"]).at(int(staffed.stage.clock.now().timestamp()))

    def confirm() -> Coroutine[Any, Any, Any]:
        path = f"/auth/factors/totp/{begun['id']}/confirm"
        return staffed.call(token, "POST", path, {"code": code})

    async with held(urls, "SELECT FROM second_factors FOR NO KEY UPDATE") as together:
        ended = await together(confirm(), confirm())
    assert sorted(answer.status_code for answer in ended) == [200, 404]


def key_for(staffed: Staffed) -> Coroutine[Any, Any, device_keys.DeviceKey]:
    wish = device_keys.DeviceKeyRequest(machine="M01")
    actor = Actor(person=staffed.people["asha"])
    return device_keys.register(staffed.auth, actor, staffed.merchant, wish)


async def test_device_keys_that_are_asked_for_at_once_stay_within_the_limit(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    for _ in range(19):
        await key_for(staffed)
    async with held(urls, "SELECT FROM outlets WHERE id = 'M01' FOR NO KEY UPDATE") as together:
        ended = await together(key_for(staffed), key_for(staffed))
    assert [type(one) for one in ended if not isinstance(one, device_keys.DeviceKey)] == [RuleError]


async def test_a_device_key_that_is_rotated_twice_at_once_has_one_successor(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    old = (await key_for(staffed)).id

    def rotate() -> Coroutine[Any, Any, device_keys.DeviceKey | None]:
        actor = Actor(person=staffed.people["asha"])
        return device_keys.rotate(staffed.auth, actor, staffed.merchant, old)

    async with held(urls, "SELECT FROM device_api_keys FOR NO KEY UPDATE") as together:
        ended = await together(rotate(), rotate())
    assert [one is None for one in ended].count(True) == 1
    assert len(await device_keys.listed(staffed.auth, staffed.merchant)) == 2


async def test_two_processes_that_start_at_once_sign_with_one_key(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    context = staffed.stage.context
    async with held(urls, "UPDATE installation SET jwt_secret = NULL") as together:
        ended = await together(*(tokens.signing_key(context.db, context.vault) for _ in range(2)))
    assert ended[0] == ended[1]


async def test_of_two_links_that_are_used_at_once_one_sets_the_password(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    boris = staffed.people["boris"]
    links = [await resets._offer_by_mail(staffed.auth, boris) for _ in range(2)]
    async with held(urls, "SELECT FROM password_resets FOR UPDATE") as together:
        done = await together(
            *(resets.reset(staffed.auth, link, f"{PASSWORD} {n}", at())
              for n, link in enumerate(links))
        )  # fmt: skip
    assert sorted(type(one).__name__ for one in done) == ["NoneType", "SignInError"]
