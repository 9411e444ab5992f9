"""A worker for the tests to kill: it looks, plans and sends what is due, until its fault strikes.
Its arguments: the application's and the door's URL, the mail server's port, how many seconds have
passed on the stage, and the fault."""

import asyncio
import sys
from datetime import timedelta

from coinslot.context import Context, Windows
from coinslot.db.pool import Database
from coinslot.events.notices import alerts, plan
from coinslot.gateways.mock import Books, Mock, Settings
from coinslot.kit.clock import SettableClock
from coinslot.kit.faults import dies_at
from coinslot.kit.ids import uuid7
from coinslot.kit.secrets import Vault
from coinslot.merchants.accounts import Account
from coinslot.notices import smtp
from coinslot.notices.base import Form
from coinslot.notices.smtp import Smtp
from coinslot.payments.webhook_batch import WebhookBatch
from coinslot.worker import sweep
from tests.sales.stage import START, MockAccounts


def mailer(port: int, clock: SettableClock) -> Smtp:
    settings = smtp.Settings(
        host="127.0.0.1", port=port, security="none", sender="coins@shop.example"
    )
    return Smtp(settings, clock)


async def main(app: str, door: str, port: str, passed_s: str, fault: str) -> None:
    clock = SettableClock(START + timedelta(seconds=float(passed_s)))
    db = await Database.open(app, door, size=4)
    driver, some = Mock(Settings(webhook_secrets=()), Books(clock)), uuid7(START)
    account = Account(id=some, merchant_id=some, gateway="mock", slug="none", driver=driver)
    context = Context(
        db=db, clock=clock, windows=Windows(machine_silent_s=300),  # as those who are told have it
        accounts=MockAccounts(account),
        vault=Vault({"1": b"k" * 32}, "1"), installation="test", open_inbox=WebhookBatch,
        notifiers={Form.EMAIL: mailer(int(port), clock)},
    )  # fmt: skip
    db.reached = dies_at(fault)
    await alerts.look(context)
    await plan.plan(context)
    while await sweep.sweep_once(context, "notices", sweep.Pace()):
        pass


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
