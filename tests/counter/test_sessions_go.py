"""When a customer was signed in goes a month after it ended, and not before; who is signed in stays
so, and the audit sees what a run left."""

from datetime import timedelta

from coinslot.counter import accounts
from coinslot.notices.mock import Mock
from coinslot.worker import prune
from tests.counter.stage import Counter
from tests.counter.telling import reach
from tests.counter.test_accounts import ACCOUNT, Phone, sign_in
from tests.counter.test_accounts import tablet as tablet
from tests.counter.test_history import sent as sent
from tests.counter.test_pages import phone as phone
from tests.counter.test_pages import web as web

DAY_S = 86_400.0
LEFT = "SELECT count(*) FROM counter_sessions"


async def test_a_session_that_was_ended_goes_a_month_later_and_no_other(
    counter: Counter, sent: Mock, phone: Phone, tablet: Phone
) -> None:
    await counter.paid(contact=reach())
    await sign_in(counter, sent, phone)
    await sign_in(counter, sent, tablet)
    stage = counter.stage
    assert (await phone.post(f"{ACCOUNT}/out")).status_code == 303
    stage.later(29 * DAY_S)
    await prune.prune(stage.context, "logs")
    assert await stage.value(LEFT) == 2
    stage.later(2 * DAY_S)
    assert await prune.prune(stage.context, "logs") > 0
    assert await stage.value(LEFT) == 1
    assert (await tablet.get(ACCOUNT)).status_code == 200
    assert (await phone.get(ACCOUNT)).status_code == 303


async def test_a_session_that_ran_out_goes_a_month_later(
    counter: Counter, sent: Mock, phone: Phone
) -> None:
    await counter.paid(contact=reach())
    await sign_in(counter, sent, phone)
    stage = counter.stage
    stage.later(accounts.LIFE.total_seconds() + 29 * DAY_S)
    await prune.prune(stage.context, "logs")
    assert await stage.value(LEFT) == 1
    stage.later(2 * DAY_S)
    await prune.prune(stage.context, "logs")
    assert await stage.value(LEFT) == 0


async def test_the_audit_counts_a_session_that_a_run_left_behind(
    counter: Counter, sent: Mock, phone: Phone
) -> None:
    await counter.paid(contact=reach())
    await sign_in(counter, sent, phone)
    stage = counter.stage
    left = "SELECT retention_left('logs', (SELECT expires_at FROM counter_sessions) + $1)"
    assert await stage.value(left, timedelta()) + 1 == await stage.value(left, timedelta(seconds=1))


async def test_the_audit_counts_a_session_that_was_ended_from_its_end_on(
    counter: Counter, sent: Mock, phone: Phone
) -> None:
    """Not when it would have run out, half a year later."""
    await counter.paid(contact=reach())
    await sign_in(counter, sent, phone)
    stage = counter.stage
    stage.later(DAY_S)
    assert (await phone.post(f"{ACCOUNT}/out")).status_code == 303
    left = "SELECT retention_left('logs', (SELECT ended_at FROM counter_sessions) + $1)"
    assert await stage.value(left, timedelta()) + 1 == await stage.value(left, timedelta(seconds=1))
