"""Our books against the gateway's own: what either side has and the other has not is found."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from coinslot.db.pool import Database, connect
from coinslot.gateways.base import Absent, Mark, Payments, RefundOrder, Refunds, Unclear
from coinslot.gateways.mock import Mock, Settings
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from coinslot.merchants.accounts import Account
from coinslot.oversight.audit import Finding
from coinslot.oversight.audit_gateways import NAMES, compare, on_record
from tests.conftest import DatabaseUrls
from tests.sales.breaks import TALES, Tale, jammed, sold
from tests.sales.stage import MockAccounts, Stage, set_stage


class Silent(Mock):
    """It takes money, and does not list it."""

    async def qr_payments(self, qr_code_id: str, since: datetime) -> Payments | Absent | Unclear:
        return Unclear("time-out")


@pytest.fixture
async def scene(database: Database, urls: DatabaseUrls) -> Stage:
    made = await set_stage(database)
    made.owner_url = urls.owner
    return made


async def compared(stage: Stage, later: float = 300) -> dict[str, Finding]:
    """What an auditor finds who comes so many seconds later."""
    conn = await connect(stage.owner_url)
    try:
        ours = await on_record(conn, stage.clock.now() + timedelta(seconds=later))
    finally:
        await conn.close()
    found = {finding.name: finding for finding in await compare(stage.context.accounts, ours)}
    assert tuple(found) == NAMES
    return found


def red(found: dict[str, Finding]) -> set[str]:
    return {name for name, finding in found.items() if not finding.ok}


@pytest.mark.parametrize("tale", TALES, ids=lambda tale: tale.__name__)
async def test_after_an_honest_sale_both_books_agree(scene: Stage, tale: Tale) -> None:
    await tale(scene)
    assert red(await compared(scene)) == set()


async def test_a_payment_that_nobody_told_us_of_is_found(scene: Stage) -> None:
    await sold(scene)
    await scene.pay()
    assert red(await compared(scene, later=10)) == set()  # it may still be on its way
    found = await compared(scene)
    assert red(found) == {"gateway_captures_are_ours"}
    assert found["gateway_captures_are_ours"].rows[0]["gateway_payment_id"] == "pay_2"


async def test_a_capture_that_the_gateway_does_not_know_is_found(scene: Stage) -> None:
    await sold(scene)
    scene.books.payments.clear()
    assert red(await compared(scene)) == {"our_captures_are_at_the_gateway"}


async def test_a_refund_made_in_the_dashboard_and_not_booked_is_found(scene: Stage) -> None:
    await sold(scene)
    made = await scene.gateway.give_back(
        RefundOrder(
            gateway_payment_id="pay_1",
            money=Money(1000, "INR"),
            key="by-hand",
            mark=Mark(installation="dashboard"),
        )
    )
    assert not isinstance(made, Unclear)
    assert red(await compared(scene)) == {"gateway_refunds_are_ours"}


async def test_a_refund_that_the_gateway_never_made_is_found(scene: Stage) -> None:
    await jammed(scene)
    scene.books.refunds.clear()
    assert red(await compared(scene)) == {"our_refunds_are_at_the_gateway"}


async def test_an_unclear_answer_is_told_as_such_and_fails(scene: Stage) -> None:
    await sold(scene)
    silent = Silent(Settings(webhook_secrets=(Secret("whsec"),)), scene.books)
    account = Account(
        id=scene.account.id, merchant_id=scene.merchant, gateway="mock", slug="asha-mock",
        driver=silent,
    )  # fmt: skip
    scene.context.accounts = MockAccounts(account)
    found = await compared(scene)
    assert red(found) == {"gateways_answer_clearly"}
    row = found["gateways_answer_clearly"].rows[0]
    assert (row["account"], row["reason"]) == ("mock/asha-mock", "time-out")


class Brief(Mock):
    """It keeps no list of refunds, and says what went back in all."""

    async def refunds(self, gateway_payment_id: str) -> Refunds | Absent | Unclear:
        return Refunds((), complete=False)


async def test_where_no_list_is_kept_the_sums_are_compared(scene: Stage) -> None:
    await jammed(scene)
    scene.gateway = Brief(Settings(webhook_secrets=(Secret("whsec"),)), scene.books)
    account = replace(scene.account, driver=scene.gateway)
    scene.context.accounts = MockAccounts(account)
    assert red(await compared(scene)) == set()
    paid = scene.books.payments["pay_1"]
    for theirs, name in ((0, "our_refunds_are_at_the_gateway"), (5000, "gateway_refunds_are_ours")):
        scene.books.payments["pay_1"] = replace(paid, refunded=Money(theirs, "INR"))
        assert red(await compared(scene)) == {name}
