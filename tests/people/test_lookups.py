"""What every request looks up is found by an index: without one a thousand people would slow down
everyone."""

import re

import asyncpg
import pytest

from coinslot.people import audit_log, device_keys, invitations, sessions, sign_in
from tests.conftest import DatabaseUrls
from tests.people.conftest import Staffed

LOOKUPS = {
    "a session by its token": sessions.BY_ID,
    "a session by its cookie": sessions.BY_SECRET,
    "a refresh token": sessions.REFRESH,
    "a person by login": sign_in.BY_LOGIN,
    "a person by id": sign_in.BY_ID,
    "what someone may sign in for": sign_in.GRANTS,
    "a device by its key": device_keys.BY_KEY,
    "a device by its token": device_keys.BY_ID,
    "an invitation by its token": invitations.BY_TOKEN,
    "an invitation by its code": invitations.BY_CODE,
    "the log of a merchant": audit_log.READ,
}
SECOND = ("an invitation by its token", "an invitation by its code")  # the first is the time


MANY = """
INSERT INTO sessions (id, person_id, for_merchant, kind, secret_hash, factors, person_version,
    grant_version, address, created_at, proved_at, used_at, expires_at)
SELECT gen_random_uuid(), $1, $2, CASE n % 2 WHEN 0 THEN 'token' ELSE 'cookie' END,
    CASE n % 2 WHEN 1 THEN sha256(n::text::bytea) END, '{}', 1, 1, '', now(), now(), now(),
    now() + interval '1 day' FROM generate_series(1, 3000) n
"""


@pytest.mark.usefixtures("never_lent")  # what other tests left of statistics chose another index
@pytest.mark.parametrize("name", LOOKUPS)
async def test_it_is_found_by_an_index(staffed: Staffed, urls: DatabaseUrls, name: str) -> None:
    owner = await asyncpg.connect(urls.superuser)
    await owner.execute(MANY, staffed.people["boris"], staffed.merchant)
    await owner.execute("ANALYZE sessions")
    await owner.close()
    async with staffed.stage.context.db.system_transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode ="
                           " force_generic_plan")  # fmt: skip
        await conn.execute(f"PREPARE lookup AS {LOOKUPS[name]}")
        count = await conn.fetchval(
            "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'lookup'"
        )
        nothing = ", ".join(["NULL"] * count)
        plan = await conn.fetch(f"EXPLAIN EXECUTE lookup({nothing})")
        await conn.execute("DEALLOCATE lookup")
    wanted = 2 if name in SECOND else 1
    found = rf"Index Cond: .*= (lower\()?\(?\${wanted}\b"
    assert [row[0] for row in plan if re.search(found, row[0])], [row[0] for row in plan]
