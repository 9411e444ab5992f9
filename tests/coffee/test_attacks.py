"""What strangers, cheats and unlucky moments try with a coffee machine, and what they get."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from litestar import Litestar

from coinslot.channels.tmetr import Drink, Heartbeat, Settings, Taken
from coinslot.coffee import management, selling
from coinslot.coffee.fulfillment import reported
from coinslot.coffee.machines import NewMachine, add_machine, pay_at
from coinslot.coffee.rules import Rules, save_rules
from coinslot.coffee.selling import NotSoldError, Why
from coinslot.coffee.vendors import VendorAccount, save_vendor_account
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from coinslot.oversight import cases
from coinslot.payments.ways_to_pay import Form, offer
from tests.coffee.stage import DEVICE, PRICE, Cafe, add_coffee
from tests.coffee.test_pages import Phone, a_phone, address, form, orders
from tests.coffee.test_pages import phone as phone
from tests.coffee.test_pages import web as web
from tests.sales.neighbours import chandras_machine


async def moved_to(cafe: Cafe, device: str) -> None:
    """Somebody gives K01 another device."""
    settings = Settings(host="http://127.0.0.1:9", token=Secret("jwt"))
    await add_coffee(cafe.stage, settings, device=device, again=True)


# A machine that becomes another device.


async def test_a_cup_is_never_made_at_another_device_than_that_of_its_code(cafe: Cafe) -> None:
    """Its customer stands at the old one: whoever passes the new one would get the cup."""
    token = await cafe.paid()
    await moved_to(cafe, "another")
    await cafe.stage.sweep()
    assert cafe.roaster.makes == []
    cafe.stage.later(121)
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("not_made", "refund_due", "never_sent")
    assert cafe.stage.refunded() == PRICE


async def test_a_device_that_is_put_back_in_time_makes_what_waits_for_it(cafe: Cafe) -> None:
    token = await cafe.paid()
    await moved_to(cafe, "another")
    await cafe.stage.sweep()
    await moved_to(cafe, DEVICE)
    cafe.stage.later(30)
    await cafe.stage.sweep()
    assert (await cafe.ends(token))[0] == "in_grace"
    assert [make.device for make in cafe.roaster.makes] == [DEVICE]


async def test_a_code_is_ordered_once_also_when_its_device_is_another_machine_of_ours_by_then(
    cafe: Cafe,
) -> None:
    code = cafe.code()
    token = await cafe.place(code, browser="phone")
    await moved_to(cafe, "another")
    await second_machine(cafe, DEVICE)
    assert await cafe.place(code, browser="phone") == token
    with pytest.raises(selling.AlreadyOrderedError):
        await cafe.place(code, browser="stranger")
    assert len(await orders(cafe)) == 1


async def second_machine(cafe: Cafe, device: str) -> None:
    stage = cafe.stage
    account = await stage.value("SELECT id FROM coffee_accounts")
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        machine = NewMachine(
            code="K02", merchant_id=stage.merchant, account_id=account, device=device,
            name="Hall", gateway_account=stage.account.id,
        )  # fmt: skip
        await add_machine(conn, machine, stage.clock.now())
        await pay_at(conn, stage.merchant, "K02", [stage.account.id])


async def test_a_report_of_a_device_counts_for_the_orders_of_its_own_codes(cafe: Cafe) -> None:
    code = cafe.code()
    token = await cafe.sell(code=code)
    await moved_to(cafe, "another")
    assert not await reported(cafe.stage.context, "another", code.order, brewed=False)
    assert await reported(cafe.stage.context, DEVICE, code.order, brewed=True)
    assert (await cafe.ends(token))[2] == "reported"


# Clocks.


async def test_a_heartbeat_from_the_future_is_no_sign_of_life(cafe: Cafe) -> None:
    """A service that counts its zone's hours into the time would call a dead machine heard."""
    ahead = cafe.stage.clock.now() + timedelta(hours=3)
    token = await cafe.paid()
    cafe.roaster.beat = Heartbeat(ahead)
    with pytest.raises(NotSoldError) as refused:
        await cafe.place(cafe.code())
    assert refused.value.why is Why.SILENT
    await cafe.stage.sweep()
    assert (cafe.roaster.makes, (await cafe.ends(token))[0]) == ([], "to_make")
    (machine,) = await management.machines(cafe.stage.context, cafe.stage.merchant)
    assert machine.heard_at is not None
    assert machine.heard_at < ahead, "else no true heartbeat is newer for three hours"


@pytest.mark.parametrize(("ahead_s", "sells"), [(300, True), (301, False)])
async def test_a_clock_that_is_a_little_ahead_sells(cafe: Cafe, ahead_s: int, sells: bool) -> None:
    cafe.roaster.beat = Heartbeat(cafe.stage.clock.now() + timedelta(seconds=ahead_s))
    wished = cafe.place(cafe.code())
    if sells:
        assert await wished
        return
    with pytest.raises(NotSoldError) as refused:
        await wished
    assert refused.value.why is Why.SILENT


# Free coffee.


async def test_two_customers_who_deny_at_once_do_not_both_pass_a_limit_of_one(cafe: Cafe) -> None:
    async with cafe.stage.context.db.as_merchant(cafe.stage.merchant) as conn:
        await save_rules(conn, cafe.stage.merchant, Rules(device_limit=1))
    tokens = [await cafe.sell() for _ in range(4)]
    units = [await cafe.unit(token) for token in tokens]
    rows = await cafe.stage.rows("SELECT * FROM fulfillments")
    assert len(units) == len(rows)
    cafe.stage.later(4)
    await asyncio.gather(*(cafe.says(token, came=False) for token in tokens))
    rules = sorted([(await cafe.unit(token))["rule"] for token in tokens])
    assert rules == ["limit", "limit", "limit", "refund"]
    assert cafe.stage.refunded() == PRICE
    assert len(await cases.listed(cafe.stage.context)) == 3


@pytest.mark.parametrize("again", ["after", "at once"])
async def test_a_denial_that_comes_twice_gives_the_money_back_once(cafe: Cafe, again: str) -> None:
    token = await cafe.sell()
    if again == "after":
        await cafe.says(token, came=False)
        await cafe.says(token, came=False)
    else:
        cafe.stage.later(4)
        await asyncio.gather(*(cafe.says(token, came=False) for _ in range(3)))
    assert await cafe.ends(token) == ("not_made", "refund_due", "policy")
    assert cafe.stage.refunded() == PRICE
    assert await cafe.stage.value("SELECT count(*) FROM refunds") == 1


async def test_a_denial_that_is_said_again_is_not_judged_by_a_newer_rule(cafe: Cafe) -> None:
    """It waits for a person, and tries again when the limit is not reached any more."""
    async with cafe.stage.context.db.as_merchant(cafe.stage.merchant) as conn:
        await save_rules(conn, cafe.stage.merchant, Rules(day_limit=0))
    token = await cafe.sell()
    await cafe.says(token, came=False)
    before = await cafe.unit(token)
    async with cafe.stage.context.db.as_merchant(cafe.stage.merchant) as conn:
        await save_rules(conn, cafe.stage.merchant, Rules())
    await cafe.says(token, came=False)
    after = await cafe.unit(token)
    assert (after["state"], after["rule"], after["denied_at"]) == (
        "in_doubt", "limit", before["denied_at"],
    )  # fmt: skip
    assert cafe.stage.refunded() == 0


async def test_a_denial_and_a_report_at_once_end_in_one_way_with_the_other_on_record(
    cafe: Cafe,
) -> None:
    code = cafe.code()
    token = await cafe.sell(code=code)
    cafe.stage.later(4)
    await asyncio.gather(
        cafe.says(token, came=False),
        reported(cafe.stage.context, DEVICE, code.order, brewed=True),
    )
    await cafe.stage.sweep()
    _, settlement, basis = await cafe.ends(token)
    kinds = [row["kind"] for row in await cafe.stage.rows("SELECT kind FROM discrepancies")]
    if settlement == "fulfilled":
        assert (basis, cafe.stage.refunded(), kinds) == ("reported", 0, [])
    else:
        assert (cafe.stage.refunded(), kinds) == (PRICE, ["dropped_after_refund"])


async def test_who_confirmed_a_cup_cannot_deny_it_any_more(cafe: Cafe) -> None:
    token = await cafe.sell()
    await cafe.says(token, came=True)
    await cafe.says(token, came=False)
    assert await cafe.ends(token) == ("made", "fulfilled", "customer_confirmed")
    assert cafe.stage.refunded() == 0


async def test_a_denial_while_the_command_is_under_way_moves_nothing(cafe: Cafe) -> None:
    """Its page does not ask yet; a form of an older page may."""
    token = await cafe.paid()

    async def meanwhile(wanted: object) -> Taken:
        await cafe.says(token, came=False)
        assert (await cafe.ends(token))[0] == "making"
        return Taken()

    cafe.roaster.make = meanwhile  # type: ignore[method-assign]
    await cafe.stage.sweep("fulfillments")
    assert (await cafe.ends(token))[0] == "in_grace"
    assert (await cafe.unit(token))["denied_at"] is None


# Forged addresses and forms.


async def test_a_forged_price_in_the_address_or_in_the_form_buys_nothing_cheaper(
    cafe: Cafe, phone: Phone
) -> None:
    page = await phone.get(address(cafe, price=100, amount=1, drinkName="Free"))
    assert "175" in page.text
    where, fields = form(page)
    for forged in ("1", "0", "17499", "17501"):
        said = await phone.post(where, data=fields | {"price": forged})
        assert said.status_code == 409
    for forged in ("-17500", "17500.0", "", "1e9", "٣", "1" * 13):
        assert (await phone.post(where, data=fields | {"price": forged})).status_code == 400
    assert await orders(cafe) == []


async def test_another_drink_or_size_in_a_code_that_was_ordered_changes_nothing(
    cafe: Cafe, phone: Phone
) -> None:
    where, fields = form(await phone.get(address(cafe)))
    first = await phone.post(where, data=fields)
    cafe.roaster.price = Drink("Чай", Money(1_000, "RUB"))
    dearer = where.replace("size=1", "size=2")
    assert dearer != where
    again = await phone.post(dearer, data=fields | {"price": "1000"})
    assert (
        again.headers["location"].partition("?")[0] == (first.headers["location"].partition("?")[0])
    )
    await cafe.stage.sweep("fulfillments")
    (make,) = cafe.roaster.makes
    assert (int(make.size), make.price.minor) == (1, PRICE)


async def test_a_newer_time_in_an_old_code_places_no_second_order(cafe: Cafe, phone: Phone) -> None:
    where, fields = form(await phone.get(address(cafe)))
    await phone.post(where, data=fields)
    cafe.stage.later(3600)
    await cafe.stage.sweep()
    again = await phone.get(address(cafe))
    assert again.status_code == 303, "the order that there was, however long ago"
    assert len(await orders(cafe)) == 1


@pytest.mark.parametrize(
    "query",
    ["deviceUuid=%00&drinkNo=a&size=1&ts=1&uuid=x", "deviceUuid=a&drinkNo=a&size=1&ts=-1&uuid=x",
     "deviceUuid=a&drinkNo=a%0A&size=1&ts=1&uuid=x", "size=1", "", "uuid=" + "x" * 5000,
     "deviceUuid=a&drinkNo=a&size=1&ts=99999999999&uuid=x",
     "deviceUuid=%ED%A0%80&drinkNo=a&size=1&ts=1&uuid=%FF"],
)  # fmt: skip
async def test_an_address_that_is_none_is_told_so_and_breaks_nothing(
    cafe: Cafe, phone: Phone, query: str
) -> None:
    for answer in (
        await phone.get(f"/v1/pay?{query}"),
        await phone.post(f"/v1/pay?{query}", data={"price": "17500", "key": "k" * 20}),
    ):
        assert answer.status_code in (400, 404, 410), answer.text[:500]
        assert "<script>" not in answer.text
    assert await orders(cafe) == []


async def test_a_word_of_the_address_is_shown_as_text_alone(cafe: Cafe, phone: Phone) -> None:
    evil = '"><script>alert(1)</script>'
    page = await phone.get(address(cafe, uuid=evil, drinkName=evil))
    assert page.status_code == 200
    assert "<script>alert" not in page.text


async def test_the_page_of_a_code_is_kept_by_no_cache(cafe: Cafe, phone: Phone) -> None:
    """It has the contact of whoever typed one at this phone."""
    cafe.makes_receipts()
    where, fields = form(await phone.get(address(cafe)), contact="ivan@example.com")
    await phone.post(where, data=fields)
    page = await phone.get(address(cafe, uuid="next"))
    assert 'value="ivan@example.com"' in page.text
    assert "no-store" in page.headers["cache-control"]


async def test_a_stolen_order_link_shows_nobody_where_the_receipt_goes(
    cafe: Cafe, web: Litestar, phone: Phone
) -> None:
    where, fields = form(await phone.get(address(cafe)), contact="ivan@example.com")
    link = (await phone.post(where, data=fields)).headers["location"]
    async with a_phone(web) as stranger:
        seen: httpx.Response = await stranger.get(link)
    assert seen.status_code == 200
    assert "ivan@example.com" not in seen.text


# Another merchant.


async def test_a_device_that_was_another_merchants_when_its_code_was_ordered_is_not_sold_again(
    cafe: Cafe,
) -> None:
    """And the look for who was first ends: the order is not ours to see."""
    code = cafe.code()
    await cafe.place(code)
    await moved_to(cafe, "another")
    stage = cafe.stage
    hers = (await chandras_machine(stage)).merchant_id
    async with stage.context.db.as_merchant(hers) as conn:
        gateway = await conn.fetchval("SELECT id FROM gateway_accounts")
        settings = Settings(host="http://127.0.0.1:9", token=Secret("jwt"))
        account = VendorAccount(merchant_id=hers, slug="hers", settings=settings)
        vendor = await save_vendor_account(conn, stage.context.vault, stage.clock, account)
        machine = NewMachine(
            code="K09", merchant_id=hers, account_id=vendor, device=DEVICE, name="Hers",
            gateway_account=gateway,
        )  # fmt: skip
        await add_machine(conn, machine, stage.clock.now())
    await offer(stage.context, hers, "K09", [(gateway, Form.LINK)])
    with pytest.raises(NotSoldError) as refused:
        await cafe.place(code)
    assert refused.value.why is Why.TOO_OLD
    assert await cafe.place(cafe.code()), "and what is chosen now is hers to sell"
