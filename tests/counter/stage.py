"""Asha's shop of the heart's tests with a counter: S01 at /s/corner, four things on its menu."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.counter import codes, menu, ordering, staff
from coinslot.counter.basket import Choice, Option, Wish
from coinslot.counter.menu import NewStore, Store, WantedItem
from coinslot.counter.ordering import Order
from coinslot.counter.staff import Staff
from coinslot.db.pool import Database
from coinslot.gateways.mock import Mock
from coinslot.gateways.mock import Settings as MockSettings
from coinslot.kit.secrets import Secret
from coinslot.orders import checkout, outlet_pages
from coinslot.orders.checkout import WayTap
from coinslot.orders.page_views import OrderView
from coinslot.payments.ways_to_pay import Form, offer
from coinslot.people.audit_log import COMMAND_LINE
from tests.conftest import DatabaseUrls
from tests.kept_database import KeptDatabase
from tests.sales.conftest import close_the_books
from tests.sales.stage import MockAccounts, Stage, set_stage

MILK = Option(
    id="milk", name="Milk", max=1,
    choices=(Choice(id="oat", name="Oat", price=50), Choice(id="soy", name="Soy", price=40)),
)  # fmt: skip
TOPPINGS = Option(
    id="toppings", name="Toppings", max=3, free=1,
    choices=(
        Choice(id="nuts", name="Nuts", price=60), Choice(id="syrup", name="Syrup", price=30),
        Choice(id="cream", name="Cream", price=45),
    ),
)  # fmt: skip
MENU = (
    WantedItem(sku="latte", name="Latte", price=350, section="Drinks", cost=80, tax_bp=1900,
               options=(MILK, TOPPINGS), allergens=("milk",)),
    WantedItem(sku="tea", name="Tea", price=250, section="Drinks", tax_bp=1900),
    WantedItem(sku="cake", name="Carrot cake", price=420, section="Food", tax_bp=700, stock=3,
               allergens=("nuts", "gluten"), description="Baked this morning"),
    WantedItem(sku="bowl", name="Lunch bowl", price=980, section="Food", tax_bp=700),
)  # fmt: skip
numbers = count(1)


@dataclass
class Counter:
    """The stage, with the counter's parts at hand."""

    stage: Stage
    who: Staff

    async def store(self) -> Store:
        found = await menu.store_of(self.stage.context, "corner")
        assert found is not None
        return found

    async def place(self, *wishes: Wish, **more: Any) -> str:
        """The token of an order from some phone."""
        wanted: dict[str, Any] = {
            "wishes": wishes or (Wish(sku="latte"),), "shown": None,
            "browser": f"phone-{next(numbers)}", "network": f"10.0.0.{next(numbers)}",
        } | more  # fmt: skip
        return await ordering.place(self.stage.context, await self.store(), Order(**wanted))

    async def paid(self, *wishes: Wish, **more: Any) -> UUID:
        """An order that is paid and waits to be accepted."""
        token = await self.place(*wishes, **more)
        await checkout.pay(self.stage.context, WayTap(order=token))
        assert (await self.order(token)).state == "paid"
        return await self.id_of(token)

    async def preparing(self, *wishes: Wish, **more: Any) -> UUID:
        order = await self.paid(*wishes, **more)
        await staff.accept(self.stage.context, self.who, order)
        return order

    async def ready(self, *wishes: Wish, **more: Any) -> UUID:
        order = await self.preparing(*wishes, **more)
        await staff.ready(self.stage.context, self.who, order)
        return order

    async def order(self, token: str) -> OrderView:
        view = await outlet_pages.order(self.stage.context, token)
        assert view is not None
        return view

    async def view(self, order: UUID) -> OrderView:
        token = await self.stage.value("SELECT token FROM orders WHERE id = $1", order)
        return await self.order(token)

    async def id_of(self, token: str) -> UUID:
        found: UUID = await self.stage.value("SELECT id FROM orders WHERE token = $1", token)
        return found

    async def code(self, order: UUID) -> str:
        """As the customer's page shows it."""
        version = await self.stage.value(
            "SELECT code_version FROM counter_orders WHERE order_id = $1", order
        )
        return codes.code_of(self.stage.context.vault, order, version)

    async def wrong_code(self, order: UUID) -> str:
        return f"{(int(await self.code(order)) + 1) % 10**6:06}"

    async def complete(self, order: UUID, code: str | None = None) -> None:
        typed = await self.code(order) if code is None else code
        await staff.complete(self.stage.context, self.who, order, typed)

    async def board_open(self, hours: float = 30) -> None:
        """Somebody has a board open at it all the time from now on."""
        until = self.stage.clock.now() + timedelta(hours=hours)
        await self.stage.rows(
            "INSERT INTO counter_presence (merchant_id, outlet_id, began_at, seen_at)"
            " VALUES ($1, 'S01', $2, $3) RETURNING id",
            self.stage.merchant, self.stage.clock.now(), until,
        )  # fmt: skip

    async def ends(self, order: UUID) -> list[tuple[Any, ...]]:
        rows = await self.stage.rows(
            "SELECT f.state, f.basis, c.ended FROM fulfillments f JOIN counter_units c USING (id)"
            " WHERE f.order_id = $1 ORDER BY f.id", order,
        )  # fmt: skip
        return [(row["state"], row["basis"], row["ended"]) for row in rows]

    async def left(self, sku: str) -> int | None:
        found: int | None = await self.stage.value(
            "SELECT stock FROM counter_items JOIN products p ON p.id = product_id WHERE sku = $1",
            sku,
        )
        return found


async def set_counter(stage: Stage) -> Counter:
    settings = MockSettings(webhook_secrets=(Secret("whsec"),), fee_percent="unsaid", method="card")
    stage.gateway = Mock(settings, stage.books)  # what is paid by a link is paid at once
    stage.account = replace(stage.account, driver=stage.gateway)
    stage.context.accounts = MockAccounts(stage.account)
    new = NewStore(
        code="S01", merchant=stage.merchant, slug="corner", name="Corner café", place="Pune",
        currency="EUR", gateway_account=stage.account.id,
    )  # fmt: skip
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        assert await menu.add_store(conn, new, stage.clock.now())
        await menu.write_menu(conn, stage.context, stage.merchant, "S01", MENU)
    await offer(stage.context, stage.merchant, "S01", [(stage.account.id, Form.LINK)])
    return Counter(stage, Staff(merchant=stage.merchant, login="boris", actor=COMMAND_LINE))


@pytest.fixture
async def counter(
    database: Database, urls: DatabaseUrls, kept_database: KeptDatabase
) -> AsyncIterator[Counter]:
    made = await set_counter(await set_stage(database))
    await made.stage.lent_by(kept_database, urls.owner)
    yield made
    await close_the_books(made.stage)
