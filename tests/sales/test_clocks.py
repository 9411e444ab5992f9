"""Our clock and the gateway's differ: sales still end in goods, and a person is told."""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import asyncpg
import pytest
import structlog
from msgspec.structs import replace
from prometheus_client import REGISTRY

from coinslot.app.page_backend import ContextBackend
from coinslot.gateways import drivers
from coinslot.gateways.base import Forged
from coinslot.kit.clock import RemoteClock, SettableClock, SystemClock
from coinslot.kit.secrets import Secret
from coinslot.merchants.accounts import Account, AccountName, Accounts, save_account
from coinslot.merchants.clocks import ClockNotes, ahead_of_database, clocks_apart
from coinslot.oversight import cases
from coinslot.payments import provision
from tests.gateways.canned import Canned, serving, wire_to
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import MockAccounts, Stage
from tests.sales.test_page_orders import order, pay, placed

MINUTE = timedelta(minutes=1)
OURS_AHEAD = [2 * MINUTE, 60 * MINUTE]
OURS_APART = [*OURS_AHEAD, -2 * MINUTE, -60 * MINUTE]


class Wrong:
    """The stage's clock, which is the gateway's, and so much more."""

    def __init__(self, right: SettableClock, by: timedelta) -> None:
        self._right = right
        self.by = by

    def now(self) -> datetime:
        return self._right.now() + self.by

    def monotonic_ms(self) -> int:
        return self._right.monotonic_ms()


def our_clock_is(stage: Stage, by: timedelta, *, known: bool = True) -> RemoteClock:
    """Ahead of the gateway's by so much; behind, when negative."""
    stage.context.clock = Wrong(stage.clock, by)
    there = RemoteClock(stage.context.clock)
    stage.account = replace(stage.account, there=there)
    assert isinstance(stage.context.accounts, MockAccounts)
    stage.context.accounts.account = stage.account
    if known:
        there.record_answer(stage.clock.now(), 0)
        there.record_answer(stage.clock.now(), 0)
    return there


async def ends_in_goods(stage: Stage) -> bool:
    """The machine does its part at once."""
    await stage.hello()
    await stage.sell()
    await stage.sweep()
    if not any(message["type"] == "OFFER" for message in stage.line.sent):
        return False
    await stage.accept()
    await stage.started()
    await stage.result()
    await stage.sweep()
    assert await stage.value("SELECT settlement FROM fulfillments") == "fulfilled"
    assert stage.refunded() == 0
    return True


@pytest.mark.parametrize("by", OURS_APART, ids=str)
async def test_a_sale_ends_in_goods_by_whatever_clock(stage: Stage, by: timedelta) -> None:
    """Two minutes ahead gave every sale's money back."""
    our_clock_is(stage, by)
    assert await ends_in_goods(stage)


@pytest.mark.parametrize("by", OURS_APART, ids=str)
async def test_an_order_of_a_page_ends_in_goods_by_whatever_clock(
    stage: Stage, by: timedelta
) -> None:
    our_clock_is(stage, by)
    token = await placed(stage)
    stage.later(60)
    await stage.webhook(await pay(stage, token))
    await stage.hello()
    await stage.sweep()
    await stage.accept()
    await stage.result()
    assert (await order(stage, token))["state"] == "completed"


@pytest.mark.parametrize("by", OURS_AHEAD, ids=str)
async def test_what_another_process_noted_counts_until_this_one_knows(
    stage: Stage, by: timedelta
) -> None:
    there = our_clock_is(stage, by)
    notes = ClockNotes(stage.context.db, "web-1", timedelta(seconds=5))
    await notes.note((stage.account.id, stage.merchant, "mock/asha"), there)
    our_clock_is(stage, by, known=False)
    assert await ends_in_goods(stage)


async def test_events_alone_show_it_after_a_few(stage: Stage) -> None:
    """A gateway without Date headers: what was paid before anybody could know goes back."""
    our_clock_is(stage, 3 * MINUTE, known=False)
    await stage.hello()
    for _ in range(2):
        await stage.sell()
        await stage.sweep()
    assert stage.refunded() == 8000
    await stage.sell()
    await stage.sweep()
    assert stage.offered()
    assert stage.refunded() == 8000


@pytest.mark.parametrize("by", OURS_AHEAD, ids=str)
async def test_a_clock_that_is_ahead_makes_no_window_longer(stage: Stage, by: timedelta) -> None:
    """Paid two minutes and a second ago, told only now: nobody stands there any more."""
    our_clock_is(stage, by)
    paid = await stage.pay()
    stage.later(stage.context.windows.dispatch_s + 1)
    await stage.hello()
    await stage.webhook(paid)
    await stage.sweep()
    assert stage.refunded() == 4000
    assert not any(message["type"] == "OFFER" for message in stage.line.sent)


@pytest.mark.parametrize("by", OURS_AHEAD, ids=str)
async def test_money_after_an_orders_end_by_our_clock_buys_nothing(
    stage: Stage, by: timedelta
) -> None:
    our_clock_is(stage, by)
    token = await placed(stage)
    stage.later(stage.context.windows.order_s + 1)  # nobody swept meanwhile
    await stage.webhook(await pay(stage, token))
    await stage.sweep()
    assert (await order(stage, token))["state"] == "expired"
    assert stage.refunded() == 4000


@pytest.mark.parametrize("by", OURS_AHEAD, ids=str)
async def test_a_retired_code_sells_nothing_by_whatever_clock(stage: Stage, by: timedelta) -> None:
    our_clock_is(stage, by)
    await provision.decommission(stage.context, "M01")
    stage.later(1)
    await stage.webhook(await stage.pay())
    assert await stage.value("SELECT reason FROM captures") == "qr_retired"


async def test_a_difference_within_the_tolerance_changes_no_deadline(stage: Stage) -> None:
    our_clock_is(stage, timedelta(seconds=5))
    await stage.webhook(await stage.pay())
    (row,) = await stage.rows(
        "SELECT captured_at, captured_here_at, f.dispatch_by FROM captures c"
        " JOIN fulfillments f ON f.capture_id = c.id"
    )
    assert row["captured_here_at"] == row["captured_at"] == stage.clock.now()
    assert row["dispatch_by"] - row["captured_at"] == stage.context.windows.span("dispatch_s")


async def test_what_the_payer_is_shown_is_the_gateways_time(stage: Stage) -> None:
    our_clock_is(stage, 60 * MINUTE)
    await stage.webhook(await stage.pay())
    assert await stage.value("SELECT paid_at FROM orders") == stage.clock.now()


@pytest.mark.parametrize("by", OURS_AHEAD, ids=str)
async def test_a_lost_webhook_is_made_up_for_by_a_clock_ahead(stage: Stage, by: timedelta) -> None:
    """Payments were listed from a moment of ours that had not come at the gateway."""
    our_clock_is(stage, by)
    await stage.sweep("qr_codes")
    stage.later(stage.context.windows.poll_s)
    await stage.hello()
    asked: list[datetime] = []
    listing = stage.gateway.qr_payments

    async def heard(qr_code_id: str, since: datetime) -> Any:
        asked.append(since)
        return await listing(qr_code_id, since)

    stage.gateway.qr_payments = heard  # type: ignore[method-assign]
    await stage.pay()
    await stage.sweep()
    assert asked
    assert max(asked) <= stage.clock.now()
    assert await stage.value("SELECT count(*) FROM fulfillments") == 1


# Over a real wire: what answers' Date headers come to.


def dated(at: datetime) -> Canned:
    return Canned(404, {"error": {}}, header=f"Date: {format_datetime(at, usegmt=True)}")


@asynccontextmanager
async def razorpay(stage: Stage, *answers: Canned) -> AsyncIterator[Account]:
    """Asha's account there, at a gateway that gives these answers."""
    accounts = Accounts(stage.context.db, stage.context.vault, stage.clock, timeout_s=2)
    accounts.clocks = ClockNotes(
        stage.context.db, "web-1", stage.context.windows.span("clock_skew_s")
    )
    async with serving(*answers) as (url, _):
        form = drivers()["razorpay"].Settings(
            key_id="rzp_test_1", key_secret=Secret("hush"), base_url=url
        )
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            name = AccountName(stage.merchant, "razorpay", "asha")
            account_id = await save_account(
                conn, stage.context.vault, stage.clock.now(), name, form
            )
        yield await accounts.by_id(account_id)
    await accounts.close()


async def ask(account: Account, times: int = 3) -> None:
    for _ in range(times):
        await account.driver.look("pay_1")


@pytest.mark.parametrize(
    ("by", "said"), [(2 * MINUTE, "120 s ahead of"), (-60 * MINUTE, "3600 s behind")], ids=str
)
async def test_a_clock_that_differs_is_told_everywhere_until_it_agrees(
    stage: Stage, by: timedelta, said: str
) -> None:
    right, wrong = stage.clock.now(), stage.clock.now() - by
    async with razorpay(stage, *[dated(wrong)] * 3, dated(right)) as account:
        with structlog.testing.capture_logs() as logs:
            await ask(account)
        (warning,) = [entry for entry in logs if entry["event"] == "clock_differs"]
        assert warning["log_level"] == "warning"
        assert warning["ahead_s"] == pytest.approx(by.total_seconds(), abs=1)
        (apart,) = await clocks_apart(stage.context.db)
        assert (apart.node, str(apart)) == ("web-1", f"{said} razorpay/asha")
        health = await ContextBackend(stage.context, "1", None).health()
        assert (health.status, health.checks["clock"].status) == ("degraded", "degraded")
        assert f"{said} razorpay/asha" in health.checks["clock"].detail
        await cases.update(stage.context)
        (case,) = await cases.listed(stage.context)
        assert (case.kind, case.owner) == ("clock_differs", "operator")
        assert case.data["node"] == "web-1"
        assert case.data["ahead_s"] == pytest.approx(by.total_seconds(), abs=1)
        await ask(account, 5)
    assert await clocks_apart(stage.context.db) == []
    assert (await ContextBackend(stage.context, "1", None).health()).checks[
        "clock"
    ].status == "healthy"
    await cases.update(stage.context)
    assert await cases.listed(stage.context) == []


async def test_it_is_said_in_the_log_every_ten_minutes_and_written_every_minute(
    stage: Stage,
) -> None:
    async def heard_at() -> Any:
        return await stage.value("SELECT heard_at FROM clocks")

    async with razorpay(stage, dated(stage.clock.now() - 60 * MINUTE)) as account:
        with structlog.testing.capture_logs() as logs:
            await ask(account)
            first = await heard_at()
            await ask(account)
            assert await heard_at() == first
            for _ in range(12):
                stage.later(60)
                await ask(account, 1)
            assert await heard_at() > first
    assert len([entry for entry in logs if entry["event"] == "clock_differs"]) == 2


@pytest.mark.parametrize(
    "header", ["", "Date: yesterday", "Date: Sat, 21 Nov 2026 10:00:00 GMT\r\nAge: 7200"]
)
async def test_an_answer_that_tells_no_time_is_no_evidence(stage: Stage, header: str) -> None:
    async with razorpay(stage, Canned(404, {"error": {}}, header=header)) as account:
        await ask(account)
        assert account.ahead() is None
    assert await stage.value("SELECT count(*) FROM clocks") == 0


async def test_a_computer_that_is_gone_is_forgotten(stage: Stage) -> None:
    async with razorpay(stage, dated(stage.clock.now() - 60 * MINUTE)) as account:
        await ask(account)
        await cases.update(stage.context)
        assert len(await cases.listed(stage.context)) == 1
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            await conn.execute(
                "UPDATE clocks SET node = 'gone', heard_at = now() - interval '2 days'"
            )
        assert await clocks_apart(stage.context.db) == []
        await cases.update(stage.context)
        assert await cases.listed(stage.context) == []
        stage.later(60)
        await ask(account, 1)
    assert [row["node"] for row in await stage.rows("SELECT node FROM clocks")] == ["web-1"]


async def test_one_merchant_does_not_see_anothers_clocks(stage: Stage) -> None:
    async with razorpay(stage, dated(stage.clock.now() - 60 * MINUTE)) as account:
        await ask(account)
    chandra = (await chandras_machine(stage)).merchant_id
    async with stage.context.db.as_merchant(chandra) as conn:
        assert await conn.fetchval("SELECT count(*) FROM clocks") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with stage.context.db.as_merchant(chandra) as conn:
            await conn.execute(
                "INSERT INTO clocks VALUES ($1, 'x', $2, 0, now(), NULL)",
                stage.account.id, stage.merchant,
            )  # fmt: skip


@pytest.mark.parametrize("by", [2 * MINUTE, -2 * MINUTE, timedelta(0)], ids=str)
async def test_a_computer_of_ours_that_differs_from_the_database_says_so(
    stage: Stage, by: timedelta
) -> None:
    """Of two servers, what one has queued may be over for the other."""
    notes = ClockNotes(stage.context.db, "web-1", timedelta(seconds=5))
    ours = Wrong(SettableClock(SystemClock().now()), by)
    ahead = await ahead_of_database(stage.context.db, ours)
    assert abs(ahead - by) < timedelta(seconds=4)
    last = None
    with structlog.testing.capture_logs() as logs:
        for minute in range(11):
            last = notes.compared(ahead, last, minute * 60_000)
        notes.compared(timedelta(0), last, 660_000)
    told = [(entry["event"], entry["account"]) for entry in logs]
    again = [("clock_agrees_again", "database")]
    assert told == ([("clock_differs", "database")] * 2 + again if by else [])
    assert REGISTRY.get_sample_value("coinslot_clock_ahead_seconds", {"account": "database"}) == 0


async def test_a_stripe_webhook_is_believed_by_their_clock(stage: Stage) -> None:
    """Their signatures hold for five minutes: with a clock an hour ahead they were all forged."""
    secret, body = b"whsec_hush", b"{}"
    at = int((stage.clock.now() - 60 * MINUTE).timestamp())
    signed = hmac.new(secret, f"{at}.".encode() + body, "sha256").hexdigest()
    form = drivers()["stripe"].Settings(
        secret_key=Secret("sk_test_1"), webhook_secrets=(Secret(secret.decode()),)
    )
    wire = wire_to(drivers()["stripe"].address(form))
    wire.there = RemoteClock(stage.clock)
    driver = drivers()["stripe"].open(form, wire)

    def believed() -> bool:
        said = {"stripe-signature": f"t={at},v1={signed}"}
        return not isinstance(driver.read_webhook(said, body), Forged)

    assert not believed()
    wire.there.record_answer(stage.clock.now() - 60 * MINUTE, 0)
    wire.there.record_answer(stage.clock.now() - 60 * MINUTE, 0)
    assert believed()
    await wire.close()
