"""The data of the last version, with sales open in every state, is brought up and finished.

The dump is what `pg_dump` wrote of a database of migrations 1 to 14 in which that version's own
verbs had made the sales; the other file is what the emulated gateway knew then.
"""

import gzip
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from coinslot.app.kinds import KINDS
from coinslot.app.schema import sql_functions
from coinslot.channels import messages as wire
from coinslot.context import Context, Windows
from coinslot.db.migrate import migrate
from coinslot.db.pool import Database
from coinslot.gateways.base import PaymentFact, QrFact, RefundFact
from coinslot.gateways.collecting import Closed, Pending, Progress
from coinslot.gateways.mock import Books, Mock
from coinslot.gateways.mock import Settings as MockSettings
from coinslot.kit.clock import SettableClock
from coinslot.kit.secrets import Secret, Vault
from coinslot.merchants.accounts import Account
from coinslot.payments.webhook_batch import WebhookBatch
from coinslot.vending import machine_messages
from tests.conftest import TEST_PASSWORD, DatabaseUrls
from tests.sales.stage import MockAccounts, SentLine, Stage
from tests.sales.taking import taking

KEPT = Path(__file__).parent / "upgrade"
PROGRESS: dict[str, type[Progress]] = {
    "Pending": Pending,
    "PaymentFact": PaymentFact,
    "Closed": Closed,
}


def unpacked(name: str) -> bytes:
    return gzip.decompress((KEPT / name).read_bytes())


@pytest.fixture
async def old(blank_urls: DatabaseUrls) -> DatabaseUrls:
    """The last version's database."""
    conn = await asyncpg.connect(blank_urls.superuser)
    try:
        await conn.execute(unpacked("last_version.sql.gz").decode())
    finally:
        await conn.close()
    return blank_urls


async def stage_on(database: Database, urls: DatabaseUrls) -> Stage:
    """What stood around that database: its clock, its gateway with all it knew, no machine yet."""
    books_then: dict[str, Any] = msgspec.json.decode(unpacked("its_gateway.json.gz"))
    clock = SettableClock(datetime.fromisoformat(books_then["at"]))
    books = Books(clock)
    books.payments = msgspec.convert(books_then["payments"], dict[str, PaymentFact])
    books.refunds = msgspec.convert(books_then["refunds"], dict[str, RefundFact])
    books.qr_codes = msgspec.convert(books_then["qr_codes"], dict[str, QrFact])
    gateway = Mock(MockSettings(webhook_secrets=(Secret("whsec"),)), books)
    async with database.system_transaction() as conn:
        row = await conn.fetchrow("SELECT id, merchant_id FROM gateway_accounts")
    assert row is not None
    account = Account(
        id=row["id"], merchant_id=row["merchant_id"], gateway="mock", slug="asha-mock",
        driver=gateway,
    )  # fmt: skip
    line = SentLine()
    context = Context(
        db=database, clock=clock, windows=Windows(), accounts=MockAccounts(account),
        vault=Vault({"1": b"k" * 32}, "1"), installation="test", open_inbox=WebhookBatch, line=line,
        kinds=KINDS,
    )  # fmt: skip
    stage = Stage(context, clock, line, gateway, books, account.merchant_id, account, "")
    stage.owner_url = urls.owner
    stage.paid = 100
    taking(stage).charges = {
        key: msgspec.convert(charge, PROGRESS[kind])
        for key, (kind, charge) in books_then["charges"].items()
    }
    return stage


@pytest.fixture
async def brought_up(old: DatabaseUrls) -> AsyncIterator[Stage]:
    await migrate(old.owner, TEST_PASSWORD, TEST_PASSWORD, sql_functions())
    database = await Database.open(old.app, old.door, size=4)
    yield await stage_on(database, old)
    await database.close()


class Hand:
    """The machines, by hand: each goes on with the journal that it had."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def _hear(self, outlet: str, up: wire.Up) -> list[Any]:
        machine = machine_messages.Machine(outlet, self._stage.merchant)
        return await machine_messages.receive(
            self._stage.context, machine, up, self._stage.context.now()
        )

    async def hello(self, outlet: str) -> None:
        await self._hear(
            outlet,
            wire.Hello(
                journal_id=f"j{outlet}", boot_id=f"b{outlet}", mono_ms=1000, last_seq=0,
                capabilities=wire.Capabilities(journal=True, sensor=True),
            ),
        )  # fmt: skip

    async def accept(self, outlet: str) -> None:
        unit = str(await self.unit(outlet))
        offer = next(
            m for m in reversed(self._stage.line.sent)
            if m["type"] == "OFFER" and m["unit_id"] == unit
        )  # fmt: skip
        await self._hear(
            outlet,
            wire.Accept(
                unit_id=UUID(offer["unit_id"]), seq=offer["seq"], journal_id=f"j{outlet}",
                boot_id=f"b{outlet}", mono_ms=2000, counter=7,
            ),
        )  # fmt: skip

    async def ends(self, outlet: str, outcome: str, drop: str) -> None:
        number = await self._stage.value(
            "SELECT coalesce(max(event_seq), 0) + 1 FROM device_events WHERE outlet_id = $1", outlet
        )
        body = {
            "type": "RESULT", "unit_id": str(await self.unit(outlet)), "journal_id": f"j{outlet}",
            "event_seq": number, "slot": "A1", "outcome": outcome,
            "evidence": {"drop": drop, "sensor_tested": True},
        }  # fmt: skip
        await self._hear(outlet, msgspec.convert(body, wire.Result))

    async def unit(self, outlet: str) -> UUID:
        found = await self._stage.value(
            "SELECT id FROM fulfillments WHERE outlet_id = $1 AND settlement IS NULL", outlet
        )
        return UUID(str(found))


async def states(stage: Stage, table: str) -> set[str]:
    return {row["state"] for row in await stage.rows(f"SELECT DISTINCT state FROM {table}")}


async def test_the_dump_holds_sales_in_every_state(brought_up: Stage) -> None:
    flows = await brought_up.rows("SELECT DISTINCT machine, state FROM transitions")
    for table in ("order", "payment", "attempt", "refund", "fulfillment"):
        name = "vending" if table == "fulfillment" else table
        wanted = {row["state"] for row in flows if row["machine"] == name}
        assert await states(brought_up, f"{table}s") == wanted


async def test_it_comes_up_with_every_invariant_whole(brought_up: Stage) -> None:
    report = await brought_up.audit()
    assert report.ok, [(check.name, check.rows) for check in report.checks if not check.ok]
    open_ = {
        (row["outlet_id"], row["open"])
        for row in await brought_up.rows("SELECT outlet_id, open FROM vend_units WHERE open")
    }
    assert {outlet for outlet, _ in open_} == {"M03", "M04", "M05", "M06", "M07"}


async def test_an_order_that_was_partly_handed_over_then_stays_failed(brought_up: Stage) -> None:
    rows = await brought_up.rows(
        "SELECT o.state FROM orders o JOIN fulfillments f ON f.order_id = o.id"
        " GROUP BY o.id HAVING count(DISTINCT f.settlement) = 2"
    )
    assert [row["state"] for row in rows] == ["failed"]


async def test_everything_open_ends_in_goods_or_in_the_money_given_back(
    brought_up: Stage,
) -> None:
    stage, hand = brought_up, Hand(brought_up)
    await stage.sweep("fulfillments")
    await hand.hello("M02")  # queued: its machine comes back
    await stage.sweep("fulfillments")
    await hand.accept("M02")
    await hand.ends("M02", "VENDED", "yes")
    stage.later(6)
    await stage.sweep("fulfillments")  # offered: offered again
    await hand.accept("M03")
    await hand.ends("M03", "FAILED", "no")
    await hand.ends("M04", "VENDED", "yes")
    await hand.ends("M05", "VENDED", "yes")
    order = await stage.value("SELECT order_id FROM fulfillments WHERE outlet_id = 'M07'")
    done = wire.MachineDone(order_id=str(order), status=wire.DoneStatus.SUCCESS)
    machine = machine_messages.Machine("M07", stage.merchant)
    await machine_messages.receive_done(stage.context, machine, done, stage.context.now())
    for _ in range(80):  # M06 says nothing more; what is unpaid expires; refunds are proved
        stage.later(60)
        await stage.sweep()

    assert await states(stage, "fulfillments") == {"vended", "failed"}
    assert await states(stage, "orders") == {"completed", "failed", "expired"}
    assert await states(stage, "refunds") == {"succeeded", "failed", "owed"}
    bases = await stage.rows("SELECT outlet_id, basis FROM fulfillments WHERE outlet_id <> 'M01'")
    assert {row["outlet_id"]: row["basis"] for row in bases} == {
        "M02": "vended", "M03": "no_drop", "M04": "vended", "M05": "vended", "M06": "policy",
        "M07": "declared",
    }  # fmt: skip
    assert await stage.value("SELECT sum(open) FROM captures") == 0
    report = await stage.audit()
    assert report.ok, [(check.name, check.rows) for check in report.checks if not check.ok]


async def test_brought_up_twice_it_is_as_once(old: DatabaseUrls) -> None:
    one = await migrate(old.owner, TEST_PASSWORD, TEST_PASSWORD, sql_functions())
    assert one
    assert await migrate(old.owner, TEST_PASSWORD, TEST_PASSWORD, sql_functions()) == []


async def signatures(url: str) -> set[str]:
    conn = await asyncpg.connect(url)
    try:
        rows = await conn.fetch(
            "SELECT oid::regprocedure::text || ' ' || prorettype::regtype AS made FROM pg_proc"
            " WHERE pronamespace = 'public'::regnamespace"
        )
    finally:
        await conn.close()
    return {row["made"] for row in rows}


async def test_functions_that_no_file_has_any_more_are_gone(
    brought_up: Stage, old: DatabaseUrls, urls: DatabaseUrls
) -> None:
    assert await signatures(old.superuser) == await signatures(urls.superuser)
