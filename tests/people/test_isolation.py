"""Rows of people through both logins of the database: the application sees those of one person and
of one merchant, and writes no others."""

from uuid import UUID

import asyncpg
import pytest

from coinslot.db.pool import Connection
from coinslot.worker.prune import prune
from tests.people.conftest import Staffed
from tests.people.test_roles import of_ashas

# Of these a person sees and writes their own; the last one they see of their colleagues too.
OWN = ("sessions", "refresh_tokens", "second_factors", "recovery_codes", "used_challenges",
       "password_resets", "alerts", "notice_settings", "notice_choices", "push_subscriptions",
       "notices", "pins")  # fmt: skip
ONLY_THE_SYSTEM_LOGIN = ("installation_admins", "sign_in_tries", "first_run_tokens")


async def count(conn: Connection, table: str, where: str = "true", *values: object) -> int:
    found: int = await conn.fetchval(f"SELECT count(*) FROM {table} WHERE {where}", *values)
    return found


async def personal_tables(conn: Connection) -> set[str]:
    rows = await conn.fetch(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        " AND a.attname = 'person_id' AND NOT a.attisdropped"
    )
    return {row["relname"] for row in rows}


async def test_every_table_of_people_is_known_here(staffed: Staffed) -> None:
    async with staffed.stage.context.db.system_transaction() as conn:
        known = {*OWN, *ONLY_THE_SYSTEM_LOGIN, "memberships", "audit_log"}
        assert await personal_tables(conn) <= known


async def test_a_persons_transaction_sees_their_rows_and_no_others(staffed: Staffed) -> None:
    await of_ashas(staffed)
    db, asha, vera = staffed.stage.context.db, staffed.people["asha"], staffed.people["vera"]
    seen = 0
    for table in OWN:
        async with db.as_person(asha) as conn:
            seen += await count(conn, table) > 0
            assert await count(conn, table, "person_id <> $1", asha) == 0, table
        for other in (vera, staffed.people["chandra"]):
            async with db.as_person(other, staffed.merchant) as conn:
                assert await count(conn, table) == 0, table
    assert seen >= 4
    async with db.as_person(asha) as conn:
        assert await count(conn, "people") == 1


async def test_a_pin_is_seen_by_its_owner_alone(staffed: Staffed) -> None:
    db, asha, vera = staffed.stage.context.db, staffed.people["asha"], staffed.people["vera"]
    async with db.as_person(asha, staffed.merchant) as conn:
        await conn.execute(
            "INSERT INTO pins VALUES ($1, $2, 'hash', now())", asha, staffed.merchant
        )
        assert await count(conn, "pins") == 1
    async with db.as_person(vera, staffed.merchant) as conn:
        assert await count(conn, "pins") == 0


async def test_a_merchants_transaction_sees_colleagues_and_nothing_else_of_them(
    staffed: Staffed,
) -> None:
    await of_ashas(staffed)
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        rows = await conn.fetch("SELECT login FROM people ORDER BY 1")
        assert [row["login"] for row in rows] == ["asha", "boris", "ravi", "vera"]
        for table in OWN:
            assert await count(conn, table) == 0, table
        assert await conn.execute("UPDATE people SET name = 'mine'") == "UPDATE 0"
        assert await count(conn, "memberships") == 4
        assert await count(conn, "audit_log", "merchant_id <> $1", staffed.merchant) == 0


async def test_without_person_and_merchant_the_application_sees_nobody(staffed: Staffed) -> None:
    await of_ashas(staffed)
    pool = staffed.stage.context.db.app
    for table in (*OWN, "people", "memberships", "audit_log", "invitations", "device_api_keys"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0, table


@pytest.mark.parametrize("table", ONLY_THE_SYSTEM_LOGIN)
async def test_what_is_of_no_person_is_the_system_logins(staffed: Staffed, table: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await staffed.stage.context.db.app.fetchval(f"SELECT count(*) FROM {table}")


@pytest.mark.parametrize("column", ["password_hash"])
async def test_the_application_reads_no_hash_of_a_password(staffed: Staffed, column: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with staffed.stage.context.db.as_person(staffed.people["asha"]) as conn:
            await conn.fetchval(f"SELECT {column} FROM people")


async def written(staffed: Staffed, statement: str, *values: object) -> None:
    """As Chandra, signed in for her own merchant."""
    db = staffed.stage.context.db
    async with db.as_person(staffed.people["chandra"], staffed.chandra) as conn:
        await conn.execute(statement, *values)


async def test_chandra_writes_nothing_in_the_name_of_asha_or_of_her_merchant(
    staffed: Staffed,
) -> None:
    ids = await of_ashas(staffed)
    asha, merchant = staffed.people["asha"], staffed.merchant
    writes: list[tuple[str, tuple[UUID, ...]]] = [
        ("INSERT INTO memberships (person_id, merchant_id, role, created_at)"
         " VALUES ($1, $2, 'admin', now())", (staffed.people["chandra"], merchant)),
        ("INSERT INTO audit_log (merchant_id, person_id, factors, address, action, at)"
         " VALUES ($2, $1, '{}', '', 'signed_in', now())", (asha, merchant)),
        ("INSERT INTO audit_log (person_id, factors, address, action, at)"
         " VALUES ($1, '{}', '', 'signed_in', now())", (asha,)),
        ("INSERT INTO sessions (id, person_id, kind, factors, person_version, grant_version,"
         " address, created_at, proved_at, used_at, expires_at) VALUES (gen_random_uuid(), $1,"
         " 'token', '{}', 1, 1, '', now(), now(), now(), now())", (asha,)),
        ("INSERT INTO recovery_codes (person_id, digest, created_at) VALUES ($1, 'x', now())",
         (asha,)),
        ("INSERT INTO password_resets (id, person_id, token_hash, drops_factors, created_at,"
         " expires_at) VALUES (gen_random_uuid(), $1, '\\x00', false, now(), now())", (asha,)),
    ]  # fmt: skip
    for statement, values in writes:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await written(staffed, statement, *values)
    db = staffed.stage.context.db
    for statement in (
        "UPDATE sessions SET ended_at = now(), ended_because = 'x' WHERE id = $1",
        "UPDATE second_factors SET removed_at = now() WHERE id = $1",
        "UPDATE invitations SET revoked_at = now() WHERE id = $1",
        "UPDATE device_api_keys SET revoked_at = now() WHERE id = $1",
    ):
        async with db.as_person(staffed.people["chandra"], staffed.chandra) as conn:
            for one in (found for found in ids.values() if isinstance(found, UUID)):
                assert await conn.execute(statement, one) == "UPDATE 0"


async def test_the_system_login_changes_no_person_and_no_session(staffed: Staffed) -> None:
    for statement in (
        "UPDATE people SET password_hash = ''",
        "UPDATE memberships SET role = 'admin'",
        "UPDATE sessions SET expires_at = now()",
        "UPDATE second_factors SET removed_at = now()",
        "INSERT INTO memberships VALUES (gen_random_uuid(), gen_random_uuid(), 'admin', '{}', 1,"
        " now(), NULL)",
        "DELETE FROM sessions",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with staffed.stage.context.db.system_transaction() as conn:
                await conn.execute(statement)


async def test_old_sessions_and_tries_are_forgotten_and_the_log_stays(staffed: Staffed) -> None:
    await staffed.login("boris")
    await staffed.login("boris", password="wrong")
    staffed.later(91 * 86400)
    await staffed.login("vera")
    assert await prune(staffed.stage.context, "sessions") >= 1
    staffed.later(91 * 86400)
    await prune(staffed.stage.context, "sessions")
    async with staffed.stage.context.db.system_transaction() as conn:
        rows = await conn.fetch("SELECT person_id FROM sessions")
        assert [row["person_id"] for row in rows] == [staffed.people["vera"]]
        assert await count(conn, "refresh_tokens") == 1
        assert await count(conn, "audit_log", "action IN ('signed_in', 'sign_in.failed')") == 3
