"""The room against the emulated Tmetr, over sockets: whatever goes wrong, a paid code has at most
one command, and ends in a cup or in the money given back."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from coinslot.app.kinds import KINDS
from coinslot.channels.tmetr import MachineCode, Settings, read_code
from coinslot.coffee.fulfillment import Coffee
from coinslot.coffee.selling import NotSoldError, Why
from coinslot.coffee.vendors import OpenVendors
from coinslot.db.pool import Database
from coinslot.kit.clock import SystemClock
from coinslot.kit.faults import no_fault
from coinslot.kit.secrets import Secret
from coinslot.orders.fulfillment import registered
from tests.coffee.stage import PRICE, Cafe, DiedError, Roaster, add_coffee, set_cafe
from tests.conftest import DatabaseUrls
from tests.kept_database import KeptDatabase
from tests.sales.conftest import close_the_books
from tests.sandbox.running import SandboxProcess

numbers = count(1)
DRINK = f"{0xA3:032x}"


class Foyer:
    """One coffee machine of the emulator, of an account of its own."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        number = next(numbers)
        self.sandbox, self.device, self.token = sandbox, f"foyer-{number}", f"jwt-{number}"
        account = {"account_id": f"cafe-{number}", "token": self.token}
        sandbox.ask("POST", "/tmetr/accounts", account)
        device = {"device_id": self.device, "account_id": f"cafe-{number}", "name": "Foyer"}
        sandbox.ask("POST", "/tmetr/devices", device)

    def fault(self, **wanted: Any) -> None:
        self.sandbox.ask("POST", f"/tmetr/devices/{self.device}/fault", wanted)

    def choose(self, drink: str = "Капучино", size: str = "MEDIUM") -> MachineCode:
        """Somebody chooses at the screen; what its code says."""
        wanted = {"device": self.device, "drink": drink, "size": size}
        url = self.sandbox.ask("POST", "/tmetr/screen", wanted)["url"]
        return read_code(dict(parse_qsl(urlsplit(url).query)))

    def book(self, part: str) -> list[dict[str, Any]]:
        rows = self.sandbox.ask("GET", "/books")["tmetr"][part]
        return [row for row in rows if row["device"] == self.device]

    @property
    def cups(self) -> list[str]:
        return [cup["order_id"] for cup in self.book("cups")]

    @property
    def makes(self) -> list[tuple[str, int]]:
        """The orders that were commanded, and how often before."""
        return [(make["order_id"], make["repeat"]) for make in self.book("makes")]


@pytest.fixture
def foyer(sandbox: SandboxProcess) -> Foyer:
    return Foyer(sandbox)


@pytest.fixture
async def cafe(
    database: Database, urls: DatabaseUrls, kept_database: KeptDatabase, foyer: Foyer
) -> AsyncIterator[Cafe]:
    """The room of the other tests, at the emulator's door."""
    made = await set_cafe(database)
    stage = made.stage
    await stage.lent_by(kept_database, urls.owner)
    stage.clock.advance(SystemClock().now() - stage.clock.now())  # the emulator's own time
    await add_coffee(stage, at(foyer, read_s=4), device=foyer.device, again=True)
    made.vendors = OpenVendors()
    others = [kind for name, kind in KINDS.items() if name != "coffee"]
    stage.context.kinds = registered(*others, Coffee(made.vendors))
    yield made
    await close_the_books(stage)


def at(foyer: Foyer, *, read_s: float) -> Settings:
    return Settings(
        host=f"{foyer.sandbox.base_url}/tmetr", token=Secret(foyer.token), read_s=read_s
    )


async def ends(cafe: Cafe, token: str) -> tuple[Any, ...]:
    """After whatever its windows of time bring."""
    for _ in range(15):
        cafe.stage.later(60)
        await cafe.stage.sweep()
    return await cafe.ends(token)


async def test_a_chosen_drink_is_paid_brewed_once_and_handed_over(cafe: Cafe, foyer: Foyer) -> None:
    code = foyer.choose()
    token = await cafe.sell(code=code)
    assert (foyer.cups, foyer.makes) == ([code.order], [(code.order, 0)])
    assert foyer.book("makes")[0]["price"] == PRICE
    assert await ends(cafe, token) == ("made", "fulfilled", "command_taken")
    assert foyer.makes == [(code.order, 0)]


@pytest.mark.parametrize(
    ("fault", "brewed"),
    [({"make": "brewed_500"}, True), ({"make": "brewed_cut"}, True), ({"make": "not_json"}, True),
     ({"make": "refused_500"}, False), ({"slow_ms": 1_500}, True)],
    ids=lambda value: str(value),
)  # fmt: skip
async def test_a_command_without_a_clear_answer_is_in_doubt_and_never_sent_again(
    cafe: Cafe, foyer: Foyer, fault: dict[str, Any], brewed: bool
) -> None:
    code = foyer.choose()
    token = await cafe.paid(code=code)
    if "slow_ms" in fault:  # its heartbeat is heard in time, and its command is not answered
        await add_coffee(cafe.stage, at(foyer, read_s=0.5), device=foyer.device, again=True)
        vendor = await cafe.vendors.by_id(
            cafe.stage.context.db, cafe.stage.context.vault, await account_of(cafe)
        )
        send = vendor.make

        async def slowly(wanted: Any) -> Any:
            foyer.fault(**fault)
            return await send(wanted)

        vendor.make = slowly  # type: ignore[method-assign]
    else:
        foyer.fault(**fault)
    await cafe.stage.sweep("fulfillments")
    assert await cafe.ends(token) == ("in_doubt", None, None)
    foyer.fault(make=None, slow_ms=0)
    assert await ends(cafe, token) == ("not_made", "refund_due", "policy")
    assert foyer.cups == [code.order] * brewed
    assert foyer.makes == [(code.order, 0)] * brewed, "what is refused is in no book"
    assert cafe.stage.refunded() == PRICE


async def account_of(cafe: Cafe) -> Any:
    return await cafe.stage.value("SELECT account_id FROM coffee_machines")


async def test_a_customer_who_has_the_cup_ends_the_doubt_for_the_merchant(
    cafe: Cafe, foyer: Foyer
) -> None:
    token = await cafe.paid(code=foyer.choose())
    foyer.fault(make="brewed_cut")
    await cafe.stage.sweep("fulfillments")
    await cafe.says(token, came=True)
    assert await cafe.ends(token) == ("made", "fulfilled", "customer_confirmed")
    assert cafe.stage.refunded() == 0


async def test_a_device_that_went_offline_after_payment_is_not_commanded(
    cafe: Cafe, foyer: Foyer
) -> None:
    token = await cafe.paid(code=foyer.choose())
    foyer.fault(offline=True, silent_s=600)
    assert await ends(cafe, token) == ("not_made", "refund_due", "never_sent")
    assert (foyer.makes, cafe.stage.refunded()) == ([], PRICE)


@pytest.mark.parametrize("fault", ["offline", "no_water"])
async def test_a_command_that_is_taken_and_lost_is_for_its_customer_to_say(
    cafe: Cafe, foyer: Foyer, fault: str
) -> None:
    """It was heard a moment ago, so it is commanded, and no cup comes of it."""
    token = await cafe.paid(code=foyer.choose())
    foyer.fault(**{fault: True})
    await cafe.stage.sweep("fulfillments")
    assert await cafe.ends(token) == ("in_grace", None, None)
    await cafe.says(token, came=False)
    assert await cafe.ends(token) == ("not_made", "refund_due", "policy")
    assert (foyer.cups, cafe.stage.refunded()) == ([], PRICE)


@pytest.mark.parametrize("price", ["zero", "absent"])
async def test_a_price_of_nothing_sells_nothing(cafe: Cafe, foyer: Foyer, price: str) -> None:
    foyer.fault(price=price)
    with pytest.raises(NotSoldError) as refused:
        await cafe.place(foyer.choose())
    assert refused.value.why is Why.NO_PRICE
    assert await cafe.stage.value("SELECT count(*) FROM orders") == 0


async def test_a_token_that_is_revoked_after_payment_gives_the_money_back(
    cafe: Cafe, foyer: Foyer
) -> None:
    token = await cafe.paid(code=foyer.choose())
    settings = Settings(host=f"{foyer.sandbox.base_url}/tmetr", token=Secret("revoked"))
    await add_coffee(cafe.stage, settings, device=foyer.device, again=True)
    assert await ends(cafe, token) == ("not_made", "refund_due", "never_sent")
    assert foyer.makes == []


@pytest.mark.parametrize(("point", "brewed"), [("before_send", False), ("after_send", True)])
async def test_who_dies_between_the_commit_and_the_answer_leaves_no_second_command(
    cafe: Cafe, foyer: Foyer, point: str, brewed: bool
) -> None:
    code = foyer.choose()
    token = await cafe.paid(code=code)
    calls = count(1)

    def reached(here: str) -> None:
        if here == point and next(calls) == 2:  # after the question for its heartbeat
            raise DiedError

    cafe.vendors.reached, cafe.vendors._open = reached, {}
    await cafe.stage.sweep("fulfillments")
    assert await cafe.ends(token) == ("making", None, None)
    cafe.vendors.reached, cafe.vendors._open = no_fault, {}
    cafe.stage.later(8)
    await cafe.stage.sweep()
    cafe.stage.later(8)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("in_doubt", None, None)
    assert await ends(cafe, token) == ("not_made", "refund_due", "policy")
    assert foyer.makes == [(code.order, 0)] * brewed
    assert foyer.cups == [code.order] * brewed


async def test_two_processes_that_are_given_one_cup_command_it_once(
    cafe: Cafe, foyer: Foyer
) -> None:
    code = foyer.choose()
    token = await cafe.paid(code=code)
    async with cafe.stage.context.db.as_merchant(cafe.stage.merchant) as conn:
        unit = await conn.fetchrow("SELECT * FROM fulfillments")
    assert unit is not None
    await asyncio.gather(*(cafe.coffee.start(cafe.stage.context, unit) for _ in range(4)))
    assert foyer.makes == [(code.order, 0)]
    assert (await cafe.ends(token))[0] == "in_grace"


async def test_the_emulators_words_are_the_ones_that_the_small_vendor_of_these_tests_speaks(
    cafe: Cafe, foyer: Foyer
) -> None:
    real = await cafe.vendors.by_id(
        cafe.stage.context.db, cafe.stage.context.vault, await account_of(cafe)
    )
    code, small = foyer.choose(), Roaster(cafe.stage.clock)
    for vendor in (real, small):
        drink = await vendor.drink(code.device, code.drink, code.size)
        assert drink == small.price
        assert type(await vendor.last_heartbeat(code.device)).__name__ == "Heartbeat"
