"""Another process of the installation, for a test: it says when an account was changed elsewhere,
and whether it then opened it anew. Its arguments: the logins' URLs, the account, a key of the
vault in hexadecimal."""

import asyncio
import sys
from uuid import UUID

from coinslot.app import notify
from coinslot.db.pool import Database
from coinslot.kit.clock import SystemClock
from coinslot.kit.secrets import Vault
from coinslot.merchants.accounts import Accounts


async def main(app: str, door: str, account: str, key: str) -> None:
    db, vault = await Database.open(app, door, size=2), Vault({"1": bytes.fromhex(key)}, "1")
    accounts, news = Accounts(db, vault, SystemClock(), timeout_s=5), asyncio.Event()

    def changed(table: str, named: str) -> None:
        accounts.changed(UUID(named) if named else None)
        if (table, named) in (("", ""), ("gateway_accounts", account)):
            news.set()

    following = asyncio.create_task(notify.follow_changes(door, changed))
    known = await accounts.by_id(UUID(account))
    while True:
        await news.wait()
        news.clear()
        now = await accounts.by_id(UUID(account))
        print("opened anew" if now.driver is not known.driver else "as it was", flush=True)
        known = now
        assert not following.done()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
