"""A mirror in a process of its own that dies where COINSLOT_FAULT says, or else ends when all is
mirrored. Its arguments: the URLs of the two logins, and where it mirrors to."""

import asyncio
import os
import sys
from datetime import timedelta

from coinslot.db.pool import Database
from coinslot.events.mirror.firebase import Remote, Tokens, address
from coinslot.events.mirror.mirror import Mirror
from coinslot.events.mirror.rows import Rows
from coinslot.kit.clock import SystemClock
from coinslot.kit.faults import dies_at


async def main(app_url: str, door_url: str, mirror_url: str) -> None:
    db = await Database.open(app_url, door_url, size=2)
    remote = Remote(address(mirror_url), Tokens(None))
    clock = SystemClock()
    db.reached = remote.reached = dies_at(os.environ["COINSLOT_FAULT"])
    mirror = Mirror(db, Rows(db, clock, timedelta(days=365)), remote, clock)
    await mirror.round()
    while (batch := await mirror.cursor.next_batch()) is not None:
        await mirror.write_batch(batch)
    await remote.close()
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
