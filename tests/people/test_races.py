"""Calls that come at the same instant: each is held before its lock until all are there, so that
none is early by luck."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg

from coinslot.people import first_run, members, sessions, sign_in
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
