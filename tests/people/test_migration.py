"""Members of before people could sign in: they are people with a membership afterwards."""

import shutil
from pathlib import Path

import asyncpg

from coinslot.db.migrate import MIGRATIONS, migrate
from tests.conftest import TEST_PASSWORD, DatabaseUrls, sql_functions

BEFORE = """
INSERT INTO merchants (id, name, slug, created_at)
VALUES (gen_random_uuid(), 'Asha', 'asha', now()), (gen_random_uuid(), 'Chandra', 'chandra', now());
INSERT INTO members (id, merchant_id, login, password_hash, role, created_at)
SELECT gen_random_uuid(), m.id, v.login, 'a hash', v.role, now() + v.after * interval '1 s'
FROM merchants m JOIN (VALUES ('asha', 'asha', 'admin', 1), ('asha', 'boris', 'operator', 2),
    ('chandra', 'chandra', 'admin', 3), ('chandra', 'BORIS', 'viewer', 4))
    AS v (slug, login, role, after) ON v.slug = m.slug;
"""


async def test_members_become_people_who_keep_their_role(
    blank_urls: DatabaseUrls, tmp_path: Path
) -> None:
    for path in MIGRATIONS.glob("*.sql"):
        if path.name < "0040":
            shutil.copy(path, tmp_path)
    await migrate(blank_urls.owner, TEST_PASSWORD, TEST_PASSWORD, (), tmp_path)
    conn = await asyncpg.connect(blank_urls.superuser)
    await conn.execute(BEFORE)
    await migrate(blank_urls.owner, TEST_PASSWORD, TEST_PASSWORD, sql_functions())
    rows = await conn.fetch(
        "SELECT p.login, p.password_hash, t.slug, m.role FROM people p"
        " JOIN memberships m ON m.person_id = p.id JOIN merchants t ON t.id = m.merchant_id"
        " ORDER BY 1"
    )
    await conn.close()
    assert [tuple(row) for row in rows] == [
        ("asha", "a hash", "asha", "admin"),
        ("boris", "a hash", "asha", "operator"),
        ("chandra", "a hash", "chandra", "admin"),
    ]
