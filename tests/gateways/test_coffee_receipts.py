"""A coffee's fiscal receipts, from the customer's phone to the tax service. YooKassa is emulated in
a process of its own; the customer's page and the operator's console are asked by HTTP."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from litestar import Litestar
from msgspec.structs import replace

from coinslot.gateways.yookassa.fiscal import Receipts
from coinslot.orders.order_refunds import OrderRefund, refund
from coinslot.payments.ways_to_pay import Form, offer
from tests.coffee.stage import Cafe, in_cafe
from tests.coffee.test_pages import Phone, a_phone, address, form
from tests.console.conftest import Browser, a_browser
from tests.gateways.test_receipts_whole import until
from tests.gateways.yookassa_shop import YooKassaShop
from tests.kept_app import customers_app
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage
from tests.sales.stage import MockAccounts

TERMS = Receipts(email="till@shop.example", vat_code=12, payment_mode="full_prepayment")
OF_KIND = "SELECT count(*) FROM receipts WHERE kind = '{}' AND state = '{}'"


@pytest.fixture
async def cafe(staffed: Staffed, at_yookassa: YooKassaShop) -> Cafe:
    """Its machine is paid at YooKassa, of prepayments."""
    made = await in_cafe(staffed.stage)
    here, till = made.stage, at_yookassa.opened(replace(at_yookassa.settings, receipts=TERMS))
    here.account = replace(here.account, driver=till)
    assert isinstance(here.context.accounts, MockAccounts)
    here.context.accounts.account = here.account
    await offer(here.context, here.merchant, "K01", [(here.account.id, Form.LINK)])
    return made


@pytest.fixture
def web(cafe: Cafe) -> Litestar:
    return customers_app(cafe.stage.context)


@pytest.fixture
async def phone(web: Litestar) -> AsyncIterator[Phone]:
    async with a_phone(web) as client:
        yield client


@pytest.fixture
async def boris(staffed: Staffed, cafe: Cafe) -> AsyncIterator[Browser]:
    browser = a_browser(staffed)
    await browser.sign_in("boris")
    yield browser
    await browser.client.aclose()


async def bought(cafe: Cafe, phone: Phone, shop: YooKassaShop) -> str:
    """Chosen at the machine, scanned, paid and enjoyed; the order's token."""
    stage = cafe.stage
    where, fields = form(await phone.get(address(cafe)), contact="ivan@example.com")
    tapped = await phone.post(where, data=fields)
    token = tapped.headers["location"].partition("/o/")[2].partition("?")[0]
    await stage.sweep("attempts")
    await shop.pay(str(await stage.value("SELECT reference FROM attempts")))
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        # A shop whose notifications do not come: YooKassa is asked.
        await conn.execute("UPDATE attempts SET due_at = $1", stage.clock.now())
    await until(stage, "SELECT count(*) FROM captures", 1, "attempts")
    await stage.sweep("fulfillments")
    await cafe.says(token, came=True)
    assert (await cafe.order(token)).state == "completed"
    return token


async def put_right(boris: Browser, cafe: Cafe, kind: str) -> None:
    """The operator finds it in the inbox, and sends it again with another address."""
    wanted = "SELECT id FROM receipts WHERE state = 'refused' AND kind = $1"
    receipt: UUID = await cafe.stage.value(wanted, kind)
    link = f"/console/receipts/{receipt}"
    assert link in (await boris.look("/console/inbox")).text
    page = await boris.look(link)
    sent = await boris.press(page, f"{link}/again", {"contact": "petr@example.com", "vat": ""})
    assert sent.status_code == 303, sent.text


async def test_a_receipt_that_the_till_refuses_is_corrected_and_sent_again_by_the_operator(
    cafe: Cafe, phone: Phone, boris: Browser, at_yookassa: YooKassaShop
) -> None:
    await at_yookassa.sign_up(receipts=True, receipts_refused=["till"])
    await bought(cafe, phone, at_yookassa)
    await until(cafe.stage, OF_KIND.format("payment", "refused"), 1, "receipts")
    assert len(cafe.roaster.cups) == 1, "the cup did not wait for it"
    await at_yookassa.sign_up(receipts=True)  # somebody mended the till
    await cafe.stage.sweep()
    await put_right(boris, cafe, "payment")
    # The second one of the prepayment follows by itself.
    await until(cafe.stage, OF_KIND.format("closing", "registered"), 1, "receipts")
    assert await at_yookassa.registered() == [("closing", 17_500), ("payment", 17_500)]
    (paid,) = await at_yookassa.books()
    assert (paid["captured"], paid["refunded"]) == (17_500, 0)
    contacts = await cafe.stage.rows("SELECT contact FROM receipts WHERE made_by IS NOT NULL")
    assert [row["contact"] for row in contacts] == ["petr@example.com"]


async def test_a_refund_that_is_refused_for_its_receipt_goes_without_and_the_operator_sends_it(
    cafe: Cafe, phone: Phone, boris: Browser, at_yookassa: YooKassaShop
) -> None:
    """A part of a cup: YooKassa makes the receipt of a whole refund itself."""
    await at_yookassa.sign_up(receipts=True, receipts_refused=["refund"])
    token = await bought(cafe, phone, at_yookassa)
    await until(cafe.stage, OF_KIND.format("closing", "registered"), 1, "receipts")
    order = await cafe.stage.value("SELECT id FROM orders WHERE token = $1", token)
    wanted = OrderRefund(order=order, key="k", by="boris", reason="it was cold", amount=5_000)
    await refund(cafe.stage.context, cafe.stage.merchant, wanted)
    # The emulator asks for a receipt with each part: only without that rule it takes one without.
    await at_yookassa.sign_up(receipts_refused=["refund"])
    await cafe.stage.sweep()
    (paid,) = await at_yookassa.books()
    assert (paid["captured"], paid["refunded"]) == (17_500, 5_000)
    states = {row["state"] for row in await cafe.stage.rows("SELECT * FROM refunds")}
    assert states == {"failed", "succeeded"}, "one under a new key"
    await at_yookassa.sign_up(receipts=True)
    await put_right(boris, cafe, "refund")
    await until(cafe.stage, OF_KIND.format("refund", "registered"), 1, "receipts")
    assert await at_yookassa.registered() == [
        ("closing", 17_500), ("payment", 17_500), ("refund", 5_000),
    ]  # fmt: skip
