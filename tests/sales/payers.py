"""An outlet with several ways to pay, and the customer who uses them."""

from dataclasses import dataclass, field
from uuid import UUID

from msgspec.structs import replace

from coinslot.gateways.base import Declined, PaymentFact, Unclear
from coinslot.gateways.collecting import Charge, Pending, Progress, Redirect, ShowQr
from coinslot.gateways.mock import Settings
from coinslot.kit.money import Money
from coinslot.merchants.accounts import Account, AccountName, save_account
from coinslot.orders import checkout, outlet_pages
from coinslot.orders.checkout import OrderRequest, WayTap
from coinslot.orders.page_views import OrderView
from coinslot.payments import gateway_webhooks, ways_to_pay
from coinslot.payments.ways_to_pay import Form
from tests.sales.stage import Stage
from tests.sales.taking import Taking
from tests.sales.tills import Several


class Paypage(Taking):
    """A gateway whose payers go to its own page; `cancels` False: what was made stays payable."""

    cancels = True
    shows: Redirect | ShowQr | None = None  # instead of an address of its own

    async def _collect(self, charge: Charge) -> Progress | Declined:
        if charge.key not in self.charges:
            there = self.shows or Redirect(f"https://pay.example.test/{charge.key}")
            self.charges[charge.key] = Pending(reference=f"session_{charge.key}", action=there)
            self.asked.append(charge)
        return self._again(charge.key)

    async def cancel(self, reference: str) -> Progress | Declined | Unclear:
        if not self.cancels:
            return Declined("this cannot be cancelled")
        ended: Progress | Declined | Unclear = await self._through(
            "cancel", lambda: super(Paypage, self).cancel(reference)
        )
        return ended


@dataclass
class Payers:
    """Two accounts of Asha's machine: `first` and `second` have a page, and `first` a code."""

    stage: Stage
    first: Paypage
    second: Paypage
    accounts: list[Account]
    taps: int = field(default=0)

    async def order(self, key: str = "order", network: str | None = None) -> str:
        await self.stage.hello()
        wish = OrderRequest(outlet="M01", slot="A1", key=key, network=network)
        return await checkout.place(self.stage.context, wish)

    async def tap(self, order: str, number: int, form: Form = Form.LINK, key: str = "") -> None:
        """A tap on the button of the account with this number."""
        self.taps += 1
        name = f"{form}-{self.accounts[number].id.hex}"
        tap = WayTap(order=order, way=name, key=key or f"tap {self.taps}")
        await checkout.pay(self.stage.context, tap)

    async def view(self, order: str) -> OrderView:
        view = await outlet_pages.order(self.stage.context, order)
        assert view is not None
        return view

    def pays(self, till: Paypage, charge: int = -1, minor: int = 4000) -> PaymentFact:
        """The customer pays at the page of a charge; no webhook yet."""
        asked = till.asked[charge]
        return till.payer_pays(asked.key, asked.mark, Money(minor, asked.money.currency))

    async def tells(self, number: int, fact: PaymentFact, event: str = "paid") -> str:
        """The gateway's webhook."""
        account = self.accounts[number]
        assert isinstance(account.driver, Paypage)
        headers, body = account.driver.webhook(event, fact)
        answer = await gateway_webhooks.take_webhook(self.stage.context, account, headers, body)
        return answer.code

    async def states(self) -> list[tuple[str, str]]:
        rows = await self.stage.rows("SELECT way, state FROM attempts ORDER BY number")
        return [(row["way"], row["state"]) for row in rows]

    def refunded(self) -> list[int]:
        """What went back, at each of the two gateways."""
        return [
            sum(fact.money.minor for fact in till.books.refunds.values())
            for till in (self.first, self.second)
        ]


def _paypage(stage: Stage, number: int) -> Paypage:
    till = Paypage(stage)
    till.charges, till.asked = {}, []
    if number:
        till.books = till._books = type(stage.books)(stage.clock)
    return till


async def two_ways(stage: Stage) -> Payers:
    """Links at both accounts, and a code at the first."""
    tills = _paypage(stage, 0), _paypage(stage, 1)
    name = AccountName(stage.merchant, "flaky", "asha-second")
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        made = await save_account(conn, stage.context.vault, stage.clock.now(), name, Settings())
    first = replace(stage.account, driver=tills[0])
    second = replace(first, id=made, gateway=name.gateway, slug=name.slug, driver=tills[1])
    stage.account, stage.gateway = first, tills[0]
    stage.context.accounts = Several({first.id: first, made: second})
    ways: list[tuple[UUID, Form]] = [
        (first.id, Form.CODE), (made, Form.LINK), (first.id, Form.LINK),
    ]  # fmt: skip
    await ways_to_pay.offer(stage.context, stage.merchant, "M01", ways)
    return Payers(stage, *tills, [first, second])
