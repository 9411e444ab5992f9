"""A worker for the tests to kill: announces and delivers what is due, until its fault strikes it.
Its arguments: the application's and the door's URL, and the fault."""

import asyncio
import sys

from coinslot.context import Context, Windows
from coinslot.db.pool import Database
from coinslot.events.announce import Announcer
from coinslot.events.webhooks.deliver import WebhookSender
from coinslot.gateways.mock import Books, Mock, Settings
from coinslot.kit.clock import SettableClock
from coinslot.kit.faults import dies_at
from coinslot.kit.ids import uuid7
from coinslot.kit.secrets import Vault
from coinslot.merchants.accounts import Account
from coinslot.payments.webhook_batch import WebhookBatch
from tests.feeds.conftest import RULES, announce
from tests.sales.stage import START, MockAccounts


async def main(app: str, door: str, fault: str) -> None:
    clock = SettableClock(START)
    db = await Database.open(app, door, size=4)
    driver = Mock(Settings(webhook_secrets=()), Books(clock))
    some = uuid7(START)
    account = Account(id=some, merchant_id=some, gateway="mock", slug="none", driver=driver)
    context = Context(
        db=db, clock=clock, windows=Windows(), accounts=MockAccounts(account),
        vault=Vault({"1": b"k" * 32}, "1"), installation="test",
        open_inbox=WebhookBatch,
    )  # fmt: skip
    sender = WebhookSender(context, RULES)
    sender.reached = db.reached = dies_at(fault)
    await announce(Announcer(context))
    print(await sender.deliver_due())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
