"""Test and live never mix: a practice machine has no goods, so no money that may be real buys any
there, whichever way it comes."""

from typing import Any

import msgspec
import pytest

from coinslot.fleet import onboarding
from coinslot.fleet.config import Editor
from coinslot.fleet.enrolment import DeviceAddresses
from coinslot.fleet.onboarding import OnboardError
from coinslot.fleet.planning import NewMachine, NewSlot
from coinslot.gateways import drivers
from coinslot.kit.secrets import Secret
from coinslot.merchants.accounts import AccountName, Accounts, save_account
from coinslot.orders import checkout
from coinslot.orders.outlet_pages import outlet
from coinslot.payments import provision, ways_to_pay
from coinslot.payments.provision import CannotPrintError
from coinslot.payments.ways_to_pay import Form, UnfitWayError
from tests.practice.conftest import MACHINE, Practised
from tests.sales.stage import MockAccounts


def turns(practised: Practised, live: bool | None) -> None:
    """From now on the account has other credentials: real ones, or ones that do not say."""
    stage = practised.stage
    stage.context.accounts = MockAccounts(msgspec.structs.replace(stage.account, live=live))


@pytest.mark.parametrize("live", [True, None])
async def test_no_way_to_pay_real_money_is_offered_or_printed(
    practised: Practised, live: bool | None
) -> None:
    context, merchant = practised.stage.context, practised.stage.merchant
    async with practised.played():
        view = await outlet(context, MACHINE)
        assert view is not None
        assert view.ready
        turns(practised, live)
        view = await outlet(context, MACHINE)
        assert view is not None
        assert not view.ready
    ways = [(practised.stage.account.id, Form.LINK)]
    with pytest.raises(UnfitWayError):
        await ways_to_pay.offer(context, merchant, MACHINE, ways)
    with pytest.raises(CannotPrintError):
        await provision.print_qr(context, MACHINE, None)
    await ways_to_pay.offer(context, merchant, "M01", ways)  # a real machine takes it


@pytest.mark.parametrize("live", [True, None])
async def test_no_practice_machine_is_set_up_with_an_account_of_real_money(
    practised: Practised, live: bool | None
) -> None:
    turns(practised, live)
    context, editor = practised.stage.context, Editor(practised.stage.merchant, "asha")
    wanted: dict[str, Any] = {
        "code": "P02", "name": "Practice", "channel": "practice",
        "slots": [NewSlot(slot="A1", sku="cola")],
    }  # fmt: skip
    named: dict[str, Any] = {"account": "mock/asha-mock"}
    for account in ({}, named):
        machine = NewMachine(**wanted, **account)
        with pytest.raises(OnboardError):
            await onboarding.onboard(context, editor, [machine], DeviceAddresses())


async def test_money_of_an_account_that_became_real_after_its_code_was_printed_goes_back(
    practised: Practised,
) -> None:
    """Also where it was asked whether the account is one of test money before it was changed."""
    stage = practised.stage
    real = drivers()["stripe"].Settings(secret_key=Secret("sk_live_x"), account_id="acct_x")
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        name = AccountName(stage.merchant, "stripe", "asha-real")
        account = await save_account(conn, stage.context.vault, stage.context.now(), name, real)
        assert (
            await conn.fetchval("SELECT test_only FROM gateway_accounts WHERE id = $1", account)
            is False
        )
        await conn.execute(
            "UPDATE gateway_accounts SET test_only = false WHERE id = $1", stage.account.id
        )
    await practised.pay()
    assert await practised.units() == []
    await stage.sweep()
    assert stage.refunded() == 4000
    (capture,) = await stage.rows("SELECT reason, captured, surplus FROM captures")
    assert capture == {"reason": "practice_machine", "captured": 4000, "surplus": 4000}
    unit = await stage.sell()  # at the real machine the same money buys
    assert unit is not None


async def test_money_of_an_account_of_which_nobody_said_what_it_moves_buys_nothing_in_practice(
    practised: Practised,
) -> None:
    stage = practised.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE gateway_accounts SET test_only = NULL")
    await practised.pay()
    assert await practised.units() == []
    await stage.sweep()
    assert stage.refunded() == 4000


async def chosen(practised: Practised, **more: Any) -> str:
    """The account of a machine for which nobody named one."""
    machine = NewMachine(
        code="M09", name="Lobby", slots=[NewSlot(slot="A1", sku="cola")], **more
    )  # fmt: skip
    stage = practised.stage
    (planned,) = (await onboarding.plan(stage.context, stage.merchant, [machine])).machines
    return planned.account


async def test_a_real_machine_takes_real_money_by_itself_where_there_is_an_account_for_it(
    practised: Practised,
) -> None:
    """The one for practice is older: whoever began by practising had real goods sold for it."""
    stage = practised.stage
    accounts = Accounts(stage.context.db, stage.context.vault, stage.clock, timeout_s=2)
    stage.context.accounts = accounts
    assert await chosen(practised) == "mock/asha-mock"  # there is no other
    real = drivers()["razorpay"].Settings(
        key_id="rzp_live_x", key_secret=Secret("s"), account_id="acc_x"
    )
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        name = AccountName(stage.merchant, "razorpay", "asha-real")
        await save_account(conn, stage.context.vault, stage.context.now(), name, real)
    assert await chosen(practised) == "razorpay/asha-real"
    assert await chosen(practised, account="mock/asha-mock") == "mock/asha-mock"
    assert await chosen(practised, channel="practice") == "mock/asha-mock"
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "UPDATE gateway_accounts SET disabled_at = now() WHERE slug = 'asha-real'"
        )
    machine = NewMachine(code="M09", name="Lobby", slots=[NewSlot(slot="A1", sku="cola")])
    found = await onboarding.plan(stage.context, stage.merchant, [machine])
    assert [problem.code for problem in found.problems] == ["no_account"]
    await accounts.close()


async def test_an_order_that_was_placed_before_the_account_became_real_is_paid_back(
    practised: Practised,
) -> None:
    stage, merchant = practised.stage, practised.stage.merchant
    ways = [(stage.account.id, Form.LINK)]
    await ways_to_pay.offer(stage.context, merchant, MACHINE, ways)
    async with practised.played():
        token = await placed(practised)
    async with stage.context.db.as_merchant(merchant) as conn:
        await conn.execute("UPDATE gateway_accounts SET test_only = false")
    await pays(practised, token)
    await stage.sweep()
    (order,) = await stage.rows("SELECT state FROM orders")
    assert order["state"] in ("expired", "failed")
    assert stage.refunded() == 4000
    assert await practised.units() == []


async def placed(practised: Practised) -> str:
    wish = checkout.OrderRequest(outlet=MACHINE, slot="A1", key="k" * 20)
    token = await checkout.place(practised.stage.context, wish)
    await checkout.pay(practised.stage.context, checkout.WayTap(order=token))
    return token


async def pays(practised: Practised, token: str) -> None:
    stage = practised.stage
    row = await stage.value(
        "SELECT a.reference FROM attempts a JOIN payments p ON p.id = a.payment_id"
        " JOIN orders o ON o.id = p.order_id WHERE o.token = $1",
        token,
    )
    fact = stage.books.paid(str(row), stage.books.charges[str(row)].money)
    stage.books.payments[str(row)] = fact
    await stage.webhook(fact)
