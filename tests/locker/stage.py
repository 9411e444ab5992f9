"""Asha's shop of the heart's tests with a locker beside the machine: L01, two doors, 40.00 INR."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from coinslot.app.kinds import KINDS
from coinslot.app.schema import sql_functions
from coinslot.db.migrate import migrate
from coinslot.db.pool import Database, connect
from coinslot.orders.fulfillment import Testimony, registered
from coinslot.outlets.machines import Outlet, Slot, add_outlet
from coinslot.payments import provision
from tests.conftest import TEST_PASSWORD, DatabaseUrls
from tests.locker.fulfillment import Locker
from tests.sales.conftest import close_the_books
from tests.sales.stage import Stage, set_stage

HERE = Path(__file__).parent


class PanelAwayError(Exception):
    """The panel does not answer."""


@dataclass
class Told:
    """A panel that notes what it was told."""

    told: list[tuple[str, str]] = field(default_factory=list)
    away: bool = False

    def _note(self, what: str, door: str) -> None:
        if self.away:
            raise PanelAwayError
        self.told.append((what, door))

    async def light(self, door: str) -> None:
        self._note("light", door)

    async def dim(self, door: str) -> None:
        self._note("dim", door)

    async def ask_staff(self, door: str) -> None:
        self._note("ask", door)


@dataclass
class Lockers:
    """The stage, with the locker's parts at hand."""

    stage: Stage
    locker: Locker
    panel: Told

    async def paid(self) -> UUID:
        """A piece that is paid and waits; its unit's id."""
        self.stage.later(1)
        return await self.stage.sell()

    async def sell(self) -> UUID:
        """The same with its door, if one is free."""
        unit = await self.paid()
        await self.stage.sweep("fulfillments")
        return unit

    async def row(self, unit: UUID) -> asyncpg.Record:
        async with self.stage.context.db.as_merchant(self.stage.merchant) as conn:
            row = await conn.fetchrow("SELECT * FROM fulfillments WHERE id = $1", unit)
        assert row is not None
        return row

    async def door(self, unit: UUID) -> str | None:
        door: str | None = await self.stage.value(
            "SELECT door FROM locker_units WHERE id = $1", unit
        )
        return door

    async def state(self, unit: UUID) -> tuple[Any, ...]:
        row = await self.row(unit)
        return row["state"], row["settlement"], row["basis"]

    async def show_code(self, unit: UUID) -> str | None:
        return await self.locker.show_code(self.stage.context, await self.row(unit))

    async def staff_says(self, unit: UUID, *, came: bool) -> None:
        said = Testimony(came=came, by="Boris")
        await self.locker.prove(self.stage.context, await self.row(unit), said)

    async def order(self) -> dict[str, Any]:
        (row,) = await self.stage.rows("SELECT * FROM orders")
        return row


async def install(urls: DatabaseUrls, locker: Locker) -> None:
    """As a new version of the program that has the room does it."""
    owner = await connect(urls.owner)
    try:
        await owner.execute((HERE / "table.sql").read_text("utf-8"))
    finally:
        await owner.close()
    kinds = registered(*KINDS.values(), locker)
    functions = sql_functions(kinds, more=[HERE / "locker.sql"])
    await migrate(urls.owner, TEST_PASSWORD, TEST_PASSWORD, functions)


async def set_lockers(database: Database, urls: DatabaseUrls) -> Lockers:
    panel = Told()
    locker = Locker(panel)
    await install(urls, locker)
    stage = await set_stage(database)
    stage.owner_url = urls.owner
    stage.context.kinds = registered(*KINDS.values(), locker)
    async with database.as_merchant(stage.merchant) as conn:
        product = await conn.fetchval("SELECT id FROM products")
        outlet = Outlet(
            code="L01", merchant_id=stage.merchant, name="Lockers", place="Pune", kind="locker",
            channel="panel", dialect="simple", currency="INR", account_id=stage.account.id,
        )  # fmt: skip
        slots = [Slot(slot="A1", product_id=product, price_minor=4000, stock=10)]
        await add_outlet(conn, outlet, slots, stage.clock.now())
    profile = await provision.print_qr(stage.context, "L01", 4000)
    assert profile.qr_code_id
    stage.qr_code_id = profile.qr_code_id
    return Lockers(stage, locker, panel)


@pytest.fixture
async def lockers(database: Database, urls: DatabaseUrls) -> AsyncIterator[Lockers]:
    made = await set_lockers(database, urls)
    yield made
    await close_the_books(made.stage)
