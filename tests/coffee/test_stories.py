"""A coffee paid at YooKassa and through SBP at T-Bank, over sockets, while something goes wrong:
each paid code ends in one cup or in the money given back, by the gateway's own book."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx
import pytest
from litestar import Litestar
from msgspec.structs import replace

from coinslot.app.kinds import KINDS
from coinslot.channels.tmetr import MachineCode, Settings
from coinslot.coffee import management
from coinslot.coffee.fulfillment import Coffee
from coinslot.coffee.statuses import Status, status
from coinslot.coffee.vendors import OpenVendors
from coinslot.db.pool import Database
from coinslot.kit.clock import SystemClock
from coinslot.kit.secrets import Secret
from coinslot.merchants.accounts import AccountName, save_account
from coinslot.orders.fulfillment import registered
from coinslot.payments.ways_to_pay import Form, offer
from tests.coffee.stage import Cafe, add_coffee, set_cafe
from tests.coffee.test_over_sockets import Foyer
from tests.coffee.test_pages import form
from tests.conftest import DatabaseUrls
from tests.gateways.mailbox import Delivery, Mailbox
from tests.gateways.tbank_shop import TBankShop
from tests.gateways.yookassa_shop import ELSEWHERE, YooKassaShop
from tests.kept_app import customers_app
from tests.kept_database import KeptDatabase
from tests.sales.conftest import close_the_books
from tests.sales.tills import Several
from tests.sandbox.running import SandboxProcess

HERE = "127.0.0.1"
FAIR = {"error_5xx": 0, "drop_response": 0}


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


@dataclass
class Street:
    """A machine, the gateway at which it is paid, and our server between them."""

    cafe: Cafe
    foyer: Foyer
    shop: Any
    web: Litestar

    def phone(self, peer: str = HERE) -> httpx.AsyncClient:
        wire = httpx.ASGITransport(self.web, client=(peer, 1), raise_app_exceptions=False)  # type: ignore[arg-type]
        return httpx.AsyncClient(
            transport=wire, base_url="http://coinslot.test", headers={"accept": "text/html"}
        )

    async def scanned(self, code: MachineCode) -> str:
        """A customer scans and taps; the order's link."""
        query: dict[str, str | int] = {
            "deviceUuid": code.device, "drinkNo": code.drink, "size": int(code.size),
            "ts": int(code.made_at.timestamp()), "uuid": code.order,
        }  # fmt: skip
        async with self.phone() as phone:
            where, fields = form(await phone.get("/v1/pay", params=query))
            tapped = await phone.post(where, data=fields | {"contact": "ivan@example.com"})
        assert tapped.status_code == 303, tapped.text
        return str(tapped.headers["location"].partition("?")[0])

    async def reference(self, link: str) -> str:
        return str(
            await self.cafe.stage.value(
                "SELECT a.reference FROM attempts a JOIN payments p ON p.id = a.payment_id"
                " JOIN orders o ON o.id = p.order_id WHERE '/o/' || o.token = $1", link,
            )
        )  # fmt: skip

    async def pays(self, reference: str) -> list[Delivery]:
        """At the gateway's page. What it tells us of that, which is not delivered yet."""
        if isinstance(self.shop, TBankShop):
            await self.shop.pay(reference, method="sbp")
        else:
            await self.shop.pay(reference)
        told: list[Delivery] = await self.shop.told(reference)
        return told

    async def told(self, delivery: Delivery, peer: str = HERE) -> int:
        headers = {
            name: value for name, value in delivery.headers.items()
            if name not in ("host", "content-length", "connection")
        }  # fmt: skip
        async with self.phone(peer) as gateway:
            answer = await gateway.post(
                f"/webhooks/{self.shop.gateway}/asha", content=delivery.body,
                headers={name: value for name, value in headers.items() if value},
            )  # fmt: skip
        return answer.status_code

    async def paid(self, code: MachineCode | None = None) -> str:
        """Paid and told; the command is due."""
        link = await self.scanned(code or self.foyer.choose())
        for delivery in await self.pays(await self.reference(link)):
            assert await self.told(delivery) == 200
        await self.cafe.stage.sweep("inbox")
        return link

    async def page(self, link: str) -> str:
        async with self.phone() as phone:
            shown = unescape((await phone.get(link)).text)
        (phase,) = re.findall(r'data-phase="(\w+)"', shown)
        return str(phase)

    async def ends(self, link: str) -> tuple[Any, ...]:
        """After whatever its windows of time bring."""
        for _ in range(15):
            self.cafe.stage.later(60)
            await self.cafe.stage.sweep()
        return await self.cafe.ends(link.removeprefix("/o/"))

    async def money(self, link: str) -> tuple[int, int]:
        """What the gateway has and gave back, by its own book, and we know it too; a refund through
        SBP takes a while of true time there."""
        reference, stage = await self.reference(link), self.cafe.stage
        if isinstance(self.shop, TBankShop):
            await self.shop.settled(reference)
        for _ in range(30):
            if not await stage.value("SELECT count(*) FROM refunds WHERE state = 'pending'"):
                break
            stage.later(60)
            await stage.sweep("refunds")
        (row,) = [row for row in await self.shop.payments() if row["reference"] == reference]
        return int(row["captured"]), int(row["refunded"])


@pytest.fixture
async def cafe(
    database: Database, urls: DatabaseUrls, kept_database: KeptDatabase
) -> AsyncIterator[Cafe]:
    """At the emulator's own time."""
    made = await set_cafe(database)
    stage = made.stage
    await stage.lent_by(kept_database, urls.owner)
    stage.clock.advance(SystemClock().now() - stage.clock.now())
    yield made
    await close_the_books(stage)


@pytest.fixture(params=["yookassa", "tbank"])
async def street(
    request: pytest.FixtureRequest, cafe: Cafe, sandbox: SandboxProcess, mailbox: Mailbox
) -> AsyncIterator[Street]:
    stage, foyer = cafe.stage, Foyer(sandbox)
    shops = {"yookassa": YooKassaShop, "tbank": TBankShop}
    shop: Any = shops[request.param](sandbox.base_url, mailbox)
    await shop.sign_up()
    if request.param == "tbank":
        shop.clock = stage.clock
    context = stage.context
    async with context.db.as_merchant(stage.merchant) as conn:
        name = AccountName(stage.merchant, shop.gateway, "asha")
        made = await save_account(conn, context.vault, stage.clock.now(), name, shop.settings)
    account = replace(
        stage.account, id=made, gateway=shop.gateway, slug="asha",
        driver=shop.opened(shop.settings),
    )  # fmt: skip
    context.accounts = Several({made: account, stage.account.id: stage.account})
    settings = Settings(host=f"{sandbox.base_url}/tmetr", token=Secret(foyer.token), read_s=4)
    await add_coffee(stage, settings, device=foyer.device, again=True)
    await offer(context, stage.merchant, "K01", [(made, Form.LINK)])
    cafe.vendors = OpenVendors()
    others = [kind for kind_name, kind in KINDS.items() if kind_name != "coffee"]
    context.kinds = registered(*others, Coffee(cafe.vendors))
    web = customers_app(context)
    yield Street(cafe, foyer, shop, web)
    sandbox.weather(api=FAIR)
    await shop.close()


PRICE = 17_500


async def test_a_coffee_is_paid_told_brewed_once_and_handed_over(street: Street) -> None:
    code = street.foyer.choose()
    link = await street.paid(code)
    await street.cafe.stage.sweep("fulfillments")
    assert await street.page(link) == "working"
    assert (street.foyer.cups, street.foyer.makes) == ([code.order], [(code.order, 0)])
    assert await street.ends(link) == ("made", "fulfilled", "command_taken")
    assert await street.money(link) == (PRICE, 0)


async def test_a_lost_notification_is_found_by_asking(street: Street) -> None:
    code = street.foyer.choose()
    link = await street.scanned(code)
    await street.pays(await street.reference(link))  # and nobody is told
    for _ in range(3):
        street.cafe.stage.later(10)
        await street.cafe.stage.sweep()
    assert street.foyer.cups == [code.order]
    assert (await street.cafe.ends(link.removeprefix("/o/")))[0] == "in_grace"


async def test_a_notification_that_comes_often_makes_one_cup(street: Street) -> None:
    code = street.foyer.choose()
    link = await street.scanned(code)
    deliveries = await street.pays(await street.reference(link))
    for _ in range(2):
        many = [street.told(one) for one in deliveries * 3]
        assert set(await asyncio.gather(*many)) == {200}
        await asyncio.gather(*(street.cafe.stage.sweep("inbox", "fulfillments") for _ in range(2)))
    assert street.foyer.makes == [(code.order, 0)]
    assert await street.ends(link) == ("made", "fulfilled", "command_taken")
    assert await street.money(link) == (PRICE, 0)


async def test_a_notification_before_the_redirect_came_back_makes_one_cup(
    street: Street,
) -> None:
    """The gateway's answer to us is slow, and its customer is quick."""
    code = street.foyer.choose()
    account = next(
        one for one in street.cafe.stage.context.accounts.opened.values()  # type: ignore[attr-defined]
        if one.gateway == street.shop.gateway
    )  # fmt: skip
    answered = account.driver.collect

    async def slowly(charge: Any) -> Any:
        answer = await answered(charge)
        for delivery in await street.pays(answer.reference):
            assert await street.told(delivery) in (200, 503)
        await street.cafe.stage.sweep("inbox")
        return answer

    account.driver.collect = slowly
    link = await street.scanned(code)
    for _ in range(3):
        street.cafe.stage.later(10)
        await street.cafe.stage.sweep()
    assert street.foyer.makes == [(code.order, 0)]
    assert await street.ends(link) == ("made", "fulfilled", "command_taken")
    assert await street.money(link) == (PRICE, 0)


async def test_a_notification_after_the_end_of_the_order_gives_the_money_back_and_makes_no_cup(
    street: Street, sandbox: SandboxProcess
) -> None:
    """Nobody could ask meanwhile: the gateway answers no call."""
    link = await street.scanned(street.foyer.choose())
    deliveries = await street.pays(await street.reference(link))
    sandbox.weather(api={"error_5xx": 1})
    for _ in range(16):
        street.cafe.stage.later(60)
        await street.cafe.stage.sweep()
    assert (await street.cafe.order(link.removeprefix("/o/"))).state == "expired"
    sandbox.weather(api=FAIR)
    for delivery in deliveries:
        assert await street.told(delivery) == 200
    for _ in range(12):
        street.cafe.stage.later(60)
        await street.cafe.stage.sweep()
    assert await street.money(link) == (PRICE, PRICE)
    assert (street.foyer.makes, street.foyer.cups) == ([], [])
    assert await street.page(link) in ("refunded", "refunding")
    order = await street.cafe.order(link.removeprefix("/o/"))
    asked = management.Asked(text=order.number)
    stage = street.cafe.stage
    (line,) = await management.orders(stage.context, stage.merchant, asked)
    assert line.status is status(order) is Status.FAILED, "not_paid would hide the money"


async def test_a_notification_that_is_not_the_gateways_changes_nothing(street: Street) -> None:
    """From a foreign address, or with another's signature; the payment it tells of was made, and is
    learnt by asking alone."""
    code = street.foyer.choose()
    link = await street.scanned(code)
    (*_, delivery) = await street.pays(await street.reference(link))
    if isinstance(street.shop, TBankShop):
        forged = Delivery(delivery.headers, delivery.body.replace(b'"Token":"', b'"Token":"0'))
        assert await street.told(forged) in (400, 401, 403)
    else:
        assert await street.told(delivery, peer=ELSEWHERE) in (400, 401, 403)
    await street.cafe.stage.sweep("inbox", "fulfillments")
    assert (await street.cafe.order(link.removeprefix("/o/"))).state == "placed"
    assert street.foyer.makes == []
    assert await street.told(delivery) == 200, "the true one is not shut out by it"
    await street.cafe.stage.sweep("inbox", "fulfillments")
    assert street.foyer.makes == [(code.order, 0)]


async def test_a_command_that_brews_and_is_not_answered_is_never_sent_again(
    street: Street,
) -> None:
    code = street.foyer.choose()
    link = await street.paid(code)
    street.foyer.fault(make="brewed_cut")
    await street.cafe.stage.sweep("fulfillments")
    street.foyer.fault(make=None)
    assert await street.page(link) == "checking"
    assert await street.ends(link) == ("not_made", "refund_due", "policy")
    assert (street.foyer.cups, street.foyer.makes) == ([code.order], [(code.order, 0)])
    assert await street.money(link) == (PRICE, PRICE), "by the merchant's rule, and flagged"


async def test_a_machine_that_went_offline_after_the_payment_makes_nothing(street: Street) -> None:
    link = await street.paid()
    street.foyer.fault(offline=True, silent_s=900)
    assert await street.ends(link) == ("not_made", "refund_due", "never_sent")
    assert street.foyer.makes == []
    assert await street.money(link) == (PRICE, PRICE)
    assert await street.page(link) == "refunded"


async def test_two_cups_that_are_paid_at_one_machine_at_once_are_both_made(street: Street) -> None:
    codes = [street.foyer.choose() for _ in range(2)]
    links = await asyncio.gather(*(street.paid(code) for code in codes))
    stage = street.cafe.stage
    await asyncio.gather(*(stage.sweep("fulfillments") for _ in range(2)))
    await stage.sweep("fulfillments")
    assert sorted(street.foyer.makes) == sorted((code.order, 0) for code in codes)
    assert sorted(street.foyer.cups) == sorted(code.order for code in codes)
    for link in links:
        assert await street.ends(link) == ("made", "fulfilled", "command_taken")
        assert await street.money(link) == (PRICE, 0)
