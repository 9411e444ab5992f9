"""Asha's shop of the heart's tests with a coffee machine: K01, paid in roubles by the mock."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, ClassVar
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.app.kinds import KINDS
from coinslot.channels.tmetr import (
    Drink,
    Heartbeat,
    MachineCode,
    Make,
    NoPrice,
    Refused,
    Settings,
    Silent,
    Size,
    Taken,
    Unclear,
)
from coinslot.coffee import selling
from coinslot.coffee.fulfillment import Coffee
from coinslot.coffee.machines import NewMachine, add_machine
from coinslot.coffee.selling import Wish
from coinslot.coffee.vendors import OpenVendors, Vendor, VendorAccount, save_vendor_account
from coinslot.db.pool import Database
from coinslot.gateways.mock import Mock
from coinslot.gateways.mock import Settings as MockSettings
from coinslot.gateways.receipts import ReceiptLimits, ReceiptTerms
from coinslot.kit.clock import Clock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret, Vault
from coinslot.orders import checkout, fulfillment, outlet_pages
from coinslot.orders.checkout import WayTap
from coinslot.orders.fulfillment import CUSTOMER, Testimony, registered
from coinslot.orders.page_views import OrderView
from coinslot.payments.ways_to_pay import Form, offer
from tests.conftest import DatabaseUrls
from tests.kept_database import KeptDatabase
from tests.sales.conftest import close_the_books
from tests.sales.stage import MockAccounts, Stage, set_stage

DEVICE, DRINK, PRICE = "20250101-dev", "a3" * 16, 17_500
numbers = count(1)


class TillMock(Mock):
    """The mock, whose account may have fiscal receipts made."""

    receipt_limits: ClassVar[ReceiptLimits] = ReceiptLimits(lines=80, name_chars=128)
    receipt_terms: ReceiptTerms | None = None


class DiedError(Exception):
    """The process is gone."""


@dataclass
class Roaster:
    """A vendor that notes each command, and the cups that its machines made of them."""

    clock: Clock
    answers_s: float = 13
    reports_completion: bool = False
    price: Drink | NoPrice | Refused | Unclear = field(
        default_factory=lambda: Drink("Капучино", Money(PRICE, "RUB"))
    )
    beat: Heartbeat | Silent | Refused | Unclear | None = None  # None: heard just now
    answer: Taken | Refused | Unclear | DiedError = field(default_factory=Taken)
    brews: bool = True
    makes: list[Make] = field(default_factory=list)
    cups: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, Size]] = field(default_factory=list)

    async def drink(
        self, device: str, drink_id: str, size: Size
    ) -> Drink | NoPrice | Refused | Unclear:
        self.asked.append((device, drink_id, size))
        return self.price

    async def last_heartbeat(self, device: str) -> Heartbeat | Silent | Refused | Unclear:
        return self.beat or Heartbeat(self.clock.now() - timedelta(seconds=5))

    async def make(self, wanted: Make) -> Taken | Refused | Unclear:
        self.makes.append(wanted)
        if self.brews:
            self.cups.append(wanted.order)
        if isinstance(self.answer, DiedError):
            raise self.answer
        return self.answer


class OneVendor(OpenVendors):
    """Every account leads to this one."""

    def __init__(self, vendor: Vendor) -> None:
        super().__init__()
        self.vendor = vendor

    async def by_id(self, db: Database, vault: Vault, account: UUID) -> Vendor:
        return self.vendor


@dataclass
class Cafe:
    """The stage, with the coffee machine's parts at hand."""

    stage: Stage
    roaster: Roaster
    vendors: OpenVendors

    @property
    def coffee(self) -> Coffee:
        kind = self.stage.context.kinds["coffee"]
        assert isinstance(kind, Coffee)
        return kind

    def code(self, order: str | None = None, **more: Any) -> MachineCode:
        """What somebody chose at the machine just now."""
        known: dict[str, Any] = {"device": DEVICE, "drink": DRINK, "size": Size.MEDIUM} | more
        known.setdefault("made_at", self.stage.clock.now())
        return MachineCode(order=order or f"20250317-{next(numbers)}-cndn", **known)

    def makes_receipts(self) -> None:
        """From now on the account has fiscal settings."""
        assert isinstance(self.stage.gateway, TillMock)
        self.stage.gateway.receipt_terms = ReceiptTerms(contact="till@shop.example")

    async def place(self, code: MachineCode, **more: Any) -> str:
        known = {"browser": f"phone-{next(numbers)}", "network": f"10.0.0.{next(numbers)}"}
        wish = Wish(**({"price_minor": PRICE} | known | more))
        return await selling.place(self.stage.context, self.vendors, code, wish)

    async def paid(self, code: MachineCode | None = None, **more: Any) -> str:
        """An order that is paid, and whose command is due."""
        token = await self.place(code or self.code(), **more)
        await checkout.pay(self.stage.context, WayTap(order=token))
        assert (await self.order(token)).state == "paid"
        return token

    async def sell(self, **more: Any) -> str:
        """The same, commanded."""
        token = await self.paid(**more)
        await self.stage.sweep("fulfillments")
        return token

    async def order(self, token: str) -> OrderView:
        view = await outlet_pages.order(self.stage.context, token)
        assert view is not None
        return view

    async def unit(self, token: str) -> dict[str, Any]:
        (row,) = await self.stage.rows(
            "SELECT f.*, c.answer, c.told, c.rule, c.denied_at, c.grace_until FROM fulfillments f"
            " JOIN coffee_units c USING (id) JOIN orders o ON o.id = f.order_id WHERE o.token = $1",
            token,
        )
        return row

    async def ends(self, token: str) -> tuple[Any, ...]:
        row = await self.unit(token)
        return row["state"], row["settlement"], row["basis"]

    async def says(self, token: str, *, came: bool, by: str = CUSTOMER) -> None:
        """On the order's page, or a person who works there; and what follows at once."""
        self.stage.later(4)
        await fulfillment.told(self.stage.context, token, Testimony(came=came, by=by))
        await self.stage.sweep()


async def set_cafe(database: Database) -> Cafe:
    return await in_cafe(await set_stage(database))


async def in_cafe(stage: Stage) -> Cafe:
    """The stage's merchant has a coffee machine, too."""
    settings = MockSettings(webhook_secrets=(Secret("whsec"),), method="card")
    stage.gateway = TillMock(settings, stage.books)  # what is paid by a link is paid at once
    stage.account = replace(stage.account, driver=stage.gateway)
    stage.context.accounts = MockAccounts(stage.account)
    roaster = Roaster(stage.clock)
    vendors = OneVendor(roaster)
    await add_coffee(stage, Settings(host="http://127.0.0.1:9", token=Secret("jwt")))
    cafe = Cafe(stage, roaster, vendors)
    kinds = [kind for name, kind in KINDS.items() if name != "coffee"]
    stage.context.kinds = registered(*kinds, Coffee(vendors))
    return cafe


async def add_coffee(
    stage: Stage, settings: Settings, device: str = DEVICE, *, again: bool = False
) -> None:
    """The machine K01, and its account at the vendor."""
    context = stage.context
    async with context.db.as_merchant(stage.merchant) as conn:
        account = VendorAccount(merchant_id=stage.merchant, slug="asha", settings=settings)
        vendor = await save_vendor_account(conn, context.vault, context.clock, account)
        machine = NewMachine(
            code="K01", merchant_id=stage.merchant, account_id=vendor, device=device,
            name="Foyer", place="Pune", gateway_account=stage.account.id,
        )  # fmt: skip
        assert await add_machine(conn, machine, context.now()) is not again
    await offer(context, stage.merchant, "K01", [(stage.account.id, Form.LINK)])


@pytest.fixture
async def cafe(
    database: Database, urls: DatabaseUrls, kept_database: KeptDatabase
) -> AsyncIterator[Cafe]:
    made = await set_cafe(database)
    await made.stage.lent_by(kept_database, urls.owner)
    yield made
    await close_the_books(made.stage)
