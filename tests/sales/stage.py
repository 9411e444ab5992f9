"""The stage for tests of the heart: Asha's shop with one machine, a mock gateway, a set clock.

The database is real; the machine is a list of what was sent to it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

import msgspec

from coinslot.app.kinds import KINDS
from coinslot.catalog.products import Product, add_product
from coinslot.channels import messages as wire
from coinslot.channels.base import Sending
from coinslot.context import Context, Windows
from coinslot.db.pool import Database, RawConnection, connect
from coinslot.gateways.base import Fact, PaymentFact
from coinslot.gateways.mock import Books, Mock
from coinslot.gateways.mock import Settings as MockSettings
from coinslot.kit.clock import SettableClock
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret, Vault
from coinslot.merchants.accounts import Account, AccountName, save_account
from coinslot.merchants.merchants import Merchant, open_merchant
from coinslot.orders import fulfillment
from coinslot.outlets.machines import Outlet, Slot, add_outlet, issue_device
from coinslot.oversight import cases
from coinslot.oversight.audit import CHECKS, GRACE, Finding, Report, answers, audit
from coinslot.oversight.audit_guards import GUARDS
from coinslot.payments import gateway_webhooks, provision
from coinslot.payments.gateway_webhooks import WebhookAnswer
from coinslot.payments.webhook_batch import WebhookBatch
from coinslot.rollouts.checks import ROLLOUT_CHECKS
from coinslot.vending import machine_messages
from coinslot.worker import sweep
from tests.full_tables import FullTables
from tests.kept_database import KeptDatabase

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PACE = sweep.Pace()


@dataclass
class SentLine:
    """The machines' line: what was sent, and whether it reaches anyone."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    connected: bool = True
    # Not said to payments unless a test asks for it: else nothing were left to the sweep, which
    # most tests are about.
    at_once: bool = False
    lines: list[str] = field(default_factory=lambda: ["mqtt", "socketio"])

    def channels(self) -> list[str]:
        return self.lines if self.at_once else []

    def reaches(self, outlet: str, channel: str) -> bool:
        return self.connected

    async def send(self, outlet: str, channel: str, message: Mapping[str, object]) -> Sending:
        if not self.connected:
            return Sending.UNREACHABLE
        self.sent.append(dict(message))
        return Sending.SENT


class MockAccounts:
    """One opened mock account, as the installation's only one."""

    def __init__(self, account: Account) -> None:
        self.account = account

    async def by_id(self, account_id: UUID) -> Account:
        return self.account

    async def by_slug(self, gateway: str, slug: str | None) -> Account | None:
        return self.account


@dataclass
class Stage:
    """A shop with the merchant Asha and her machine M01 (slot A1, 40.00 INR, ten cans)."""

    context: Context
    clock: SettableClock
    line: SentLine
    gateway: Mock
    books: Books
    merchant: UUID
    account: Account
    secret: str
    qr_code_id: str = ""
    paid: int = 0
    owner_url: str = ""
    owner: RawConnection | None = None  # open already, where the tests keep one
    full: FullTables | None = None

    async def lent_by(self, kept: KeptDatabase, owner_url: str) -> Self:
        """It stands in the database that is lent from test to test."""
        self.owner_url, self.owner = owner_url, await kept.owner(owner_url)
        self.full = kept.full
        return self

    async def pay(self, minor: int = 4000) -> PaymentFact:
        """A customer pays the printed QR; no webhook yet."""
        self.paid += 1
        paid = await self.gateway.pay(
            f"pay_{self.paid}", Money(minor, "INR"), qr_code_id=self.qr_code_id
        )
        assert isinstance(paid, PaymentFact)
        return paid

    async def webhook(self, *facts: Fact, event: str = "payment.captured") -> WebhookAnswer:
        """The gateway tells it; each event name is a delivery of its own."""
        headers, body = self.gateway.webhook(event, *facts)
        return await gateway_webhooks.take_webhook(self.context, self.account, headers, body)

    async def sell(self) -> UUID:
        """Paid and told; the unit's id."""
        await self.webhook(await self.pay())
        failure = await self.value("SELECT failure FROM inbox WHERE failure IS NOT NULL")
        assert failure is None, failure
        return UUID(
            str(await self.value("SELECT id FROM fulfillments ORDER BY queued_at DESC LIMIT 1"))
        )

    async def sweep(self, *tables: str) -> None:
        """Work everything that is due now, until nothing is."""
        chores = sweep.chores(self.context.kinds)
        swept = {chore.due.table for chore in chores.values()}
        full = None if tables else await self._full_tables(swept)
        worked_since = False
        for _ in range(20):
            worked = 0
            for name in tables or tuple(chores):
                if full is not None and chores[name].due.table not in full and worked_since:
                    full, worked_since = await self._full_tables(swept), False
                if full is not None and chores[name].due.table not in full:
                    continue  # nothing is due in an empty table
                done = await sweep.sweep_once(self.context, name, PACE)
                worked += done
                worked_since = worked_since or done > 0
            if not worked:
                break
        if not tables:
            await cases.update(self.context)

    async def silence(self) -> None:
        """The machine says nothing for so long that its unit is settled by policy."""
        for _ in range(60):
            self.later(11)
            await self.sweep("fulfillments")
        await self.sweep()

    async def _full_tables(self, of: Collection[str]) -> frozenset[str] | None:
        return None if self.full is None else await self.full.names(of)

    def later(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    async def hear(self, up: wire.Up) -> list[Any]:
        return await machine_messages.receive(
            self.context, machine_messages.Machine("M01", self.merchant), up, self.context.now()
        )

    async def hello(
        self, journal: str = "j1", boot: str = "b1", last_seq: int = 0, *, mdb: bool = False
    ) -> list[Any]:
        return await self.hear(
            wire.Hello(
                journal_id=journal,
                boot_id=boot,
                mono_ms=1000,
                last_seq=last_seq,
                capabilities=wire.Capabilities(journal=True, sensor=not mdb, mdb=mdb),
            )
        )

    def offered(self) -> dict[str, Any]:
        """The last OFFER that went out."""
        return next(m for m in reversed(self.line.sent) if m["type"] == "OFFER")

    async def accept(self, journal: str = "j1", boot: str = "b1") -> list[Any]:
        offer = self.offered()
        return await self.hear(
            wire.Accept(
                unit_id=UUID(offer["unit_id"]),
                seq=offer["seq"],
                journal_id=journal,
                boot_id=boot,
                mono_ms=2000,
                counter=7,
            )
        )

    async def result(
        self, outcome: str = "VENDED", drop: str = "yes", event_seq: int = 2, **more: Any
    ) -> list[Any]:
        offer = self.offered()
        body = {
            "type": "RESULT", "unit_id": offer["unit_id"], "journal_id": "j1",
            "event_seq": event_seq, "slot": offer["slot"], "outcome": outcome,
            "evidence": {"drop": drop, "sensor_tested": True}, **more,
        }  # fmt: skip
        return await self.hear(msgspec.convert(body, wire.Result))

    async def started(self, event_seq: int = 1) -> list[Any]:
        unit = UUID(self.offered()["unit_id"])
        return await self.hear(wire.Started(unit_id=unit, journal_id="j1", event_seq=event_seq))

    async def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        async with self.context.db.as_merchant(self.merchant) as conn:
            return [dict(row) for row in await conn.fetch(sql, *values)]

    async def value(self, sql: str, *values: object) -> Any:
        async with self.context.db.as_merchant(self.merchant) as conn:
            return await conn.fetchval(sql, *values)

    async def audit(self) -> Report:
        """Every invariant recomputed, as the owner sees the database."""
        conn = self.owner or await connect(self.owner_url)
        try:
            return await audit(
                conn, self.context.now(), more=fulfillment.checks(self.context.kinds)
            )
        finally:
            if conn is not self.owner:
                await conn.close()

    async def wrong(self) -> list[Finding]:
        """What an audit finds wrong; in rows alone where the database is lent from test to test,
        for none is lent again whose schema or rights a test has changed, and in tables that have
        some."""
        if self.owner is None or self.full is None:
            return [check for check in (await self.audit()).checks if not check.ok]
        checks = {**CHECKS, **ROLLOUT_CHECKS, **fulfillment.checks(self.context.kinds)}
        of_rows = await self.full.worth_asking(
            {name: sql for name, sql in checks.items() if name not in GUARDS}
        )
        async with self.owner.transaction(isolation="repeatable_read", readonly=True):
            found = await answers(self.owner, of_rows, self.context.now() - GRACE)
        return [one for one in found if not one.ok]

    def refunded(self) -> int:
        """What the gateway itself gave back, in minor units."""
        return sum(r.money.minor for r in self.books.refunds.values() if r.stage == "processed")


async def set_stage(database: Database, dialect: str = "leased") -> Stage:
    """Everything that has to stand before the first coin."""
    clock = SettableClock(START)
    vault = Vault({"1": b"k" * 32}, "1")
    merchant = uuid7(clock.now())
    await open_merchant(database, Merchant(id=merchant, name="Asha", slug="asha"), clock.now())
    settings = MockSettings(webhook_secrets=(Secret("whsec"),), fee_percent="unsaid")
    books = Books(clock)
    gateway = Mock(settings, books)
    async with database.as_merchant(merchant) as conn:
        name = AccountName(merchant, "mock", "asha-mock")
        account_id = await save_account(conn, vault, clock.now(), name, settings)
        product = Product(id=uuid7(clock.now()), sku="cola", name="Cola", price=Money(4000, "INR"))
        await add_product(conn, merchant, product)
        outlet = Outlet(
            code="M01", merchant_id=merchant, name="Platform 1", place="Pune", kind="vending",
            channel="mqtt" if dialect == "leased" else "socketio", dialect=dialect,
            currency="INR", account_id=account_id,
        )  # fmt: skip
        slots = [Slot(slot="A1", product_id=product.id, price_minor=4000, stock=10)]
        await add_outlet(conn, outlet, slots, clock.now())
        secret = await issue_device(conn, vault, merchant, "M01", clock.now())
    account = Account(
        id=account_id, merchant_id=merchant, gateway="mock", slug="asha-mock", driver=gateway
    )
    line = SentLine()
    context = Context(
        db=database, clock=clock, windows=Windows(), accounts=MockAccounts(account), vault=vault,
        installation="test", open_inbox=WebhookBatch, line=line, kinds=KINDS,
    )  # fmt: skip
    stage = Stage(context, clock, line, gateway, books, merchant, account, secret)
    profile = await provision.print_qr(context, "M01", 4000)
    assert profile.qr_code_id
    stage.qr_code_id = profile.qr_code_id
    return stage
