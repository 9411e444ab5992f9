"""An order whose time to be paid is over: its link is closed at the gateway first, and only after
that answer its pieces are for sale again."""

import pytest
from msgspec.structs import replace

from coinslot.counter.basket import BasketError, Wish
from coinslot.gateways.base import Declined, Unclear
from coinslot.gateways.collecting import Closed, Progress
from coinslot.gateways.mock import Books, Mock
from coinslot.gateways.mock import Settings as MockSettings
from coinslot.kit.secrets import Secret
from coinslot.orders import checkout
from coinslot.orders.checkout import WayTap
from tests.counter.stage import Counter
from tests.sales.stage import MockAccounts

CAKES = Wish(sku="cake", quantity=2)


class Page(Mock):
    """A gateway with a page of its own, which somebody may pay at until it is closed."""

    def __init__(self, books: Books) -> None:
        super().__init__(MockSettings(webhook_secrets=(Secret("whsec"),)), books)
        self.closings: list[int | None] = []  # what was left of the cake when each came
        self.answers = True
        self.counter: Counter | None = None

    async def cancel(self, reference: str) -> Progress | Declined | Unclear:
        assert self.counter is not None
        self.closings.append(await self.counter.left("cake"))
        if not self.answers:
            return Unclear("time-out")
        if reference in self._books.payments:
            return Declined("complete", "complete")
        return await super().cancel(reference)


@pytest.fixture
def page(counter: Counter) -> Page:
    made = Page(counter.stage.books)
    made.counter = counter
    stage = counter.stage
    stage.gateway = made
    stage.account = replace(stage.account, driver=made)
    stage.context.accounts = MockAccounts(stage.account)
    return made


async def waiting(counter: Counter) -> str:
    """The customer stands at the gateway's page."""
    token = await counter.place(CAKES)
    await checkout.pay(counter.stage.context, WayTap(order=token))
    assert (await counter.order(token)).state == "placed"
    return token


async def over(counter: Counter, token: str) -> str:
    left = (await counter.order(token)).expires_at - counter.stage.clock.now()
    counter.stage.later(left.total_seconds())
    await counter.stage.sweep()
    return (await counter.order(token)).state


async def test_a_link_is_closed_before_the_pieces_are_for_sale_again(
    counter: Counter, page: Page
) -> None:
    token = await waiting(counter)
    assert await over(counter, token) == "expired"
    assert page.closings == [1], "two of three were still its own"
    assert await counter.left("cake") == 3
    (charge,) = counter.stage.books.charges
    assert isinstance(await page.follow(charge), Closed)


async def test_who_paid_as_the_time_ended_has_bought(counter: Counter, page: Page) -> None:
    token, books = await waiting(counter), counter.stage.books
    left = (await counter.order(token)).expires_at - counter.stage.clock.now()
    counter.stage.later(left.total_seconds() - 1)
    ((reference, charge),) = books.charges.items()
    books.payments[reference] = books.paid(reference, charge.money)  # and its webhook is lost
    assert await over(counter, token) == "paid"
    assert await counter.left("cake") == 1
    assert counter.stage.refunded() == 0


async def test_while_the_gateway_does_not_answer_the_pieces_stay_reserved_and_not_for_ever(
    counter: Counter, page: Page
) -> None:
    token = await waiting(counter)
    page.answers = False
    assert await over(counter, token) == "placed"
    assert await counter.left("cake") == 1
    for _ in range(3):
        counter.stage.later(11)
        await counter.stage.sweep("orders")
    assert len(page.closings) > 2, "it is asked again"
    assert await counter.left("cake") == 1
    counter.stage.later(900)
    await counter.stage.sweep()
    assert (await counter.order(token)).state == "expired"
    assert await counter.left("cake") == 3
    page.answers = True
    counter.stage.later(6 * 3600)
    await counter.stage.sweep()


async def test_a_sum_below_what_can_be_paid_is_refused_before_anything_is_placed(
    counter: Counter, page: Page
) -> None:
    page.minimum_minor = {"EUR": 500}  # type: ignore[misc]
    with pytest.raises(BasketError) as refusal:
        await counter.place(Wish(sku="cake"))
    assert refusal.value.code == "too_little"
    assert await counter.left("cake") == 3
    assert await counter.stage.value("SELECT count(*) FROM orders") == 0
    await counter.place(CAKES)
