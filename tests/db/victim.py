"""A process for the tests to kill: starts our servers and writes rows, telling each one that was
committed. Its arguments: the folder of its data, and what it shall do."""

import asyncio
import sys
from pathlib import Path

import asyncpg

from coinslot.db.embedded import EmbeddedPostgres
from coinslot.device.broker import EmbeddedNats


async def main(folder: Path) -> None:
    postgres, nats = EmbeddedPostgres(folder), EmbeddedNats(folder)
    await postgres.start()
    await nats.start()
    conn = await asyncpg.connect(postgres.superuser_url)
    # Backends with work of their own: a server dies more slowly under load.
    busy = [await asyncpg.connect(postgres.superuser_url) for _ in range(2)]
    load = [
        asyncio.create_task(b.execute("SELECT count(*) FROM generate_series(1, 1e10)"))
        for b in busy
    ]
    await conn.execute("CREATE TABLE IF NOT EXISTS told (n int PRIMARY KEY)")
    n = await conn.fetchval("SELECT coalesce(max(n), 0) FROM told")
    print("up", nats.listening, flush=True)
    while not any(task.done() for task in load):
        n += 1
        await conn.execute("INSERT INTO told VALUES ($1)", n)
        print(n, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
