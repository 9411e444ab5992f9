"""An installation in which nobody has an account yet, and nobody has opened a business."""

from collections.abc import AsyncIterator

import httpx
import pytest

from coinslot.app.kinds import KINDS
from coinslot.app.routes import build
from coinslot.context import Context, Windows
from coinslot.db.pool import Database
from coinslot.kit.clock import SettableClock
from coinslot.kit.secrets import Vault
from coinslot.merchants.accounts import Accounts
from coinslot.payments.webhook_batch import WebhookBatch
from coinslot.people import first_run
from coinslot.people.authentication import Authentication
from tests.console.conftest import Browser
from tests.console.test_business import BUSINESS
from tests.people.conftest import CHEAP, PASSWORD
from tests.sales.stage import START, SentLine
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE


@pytest.fixture
async def empty(database: Database) -> AsyncIterator[Context]:
    clock, vault = SettableClock(START), Vault({"1": b"k" * 32}, "1")
    accounts = Accounts(database, vault, clock, timeout_s=2)
    context = Context(
        db=database, clock=clock, windows=Windows(), accounts=accounts, vault=vault,
        installation="test", open_inbox=WebhookBatch, line=SentLine(), kinds=KINDS,
    )  # fmt: skip
    context.hasher = CHEAP
    yield context
    await accounts.close()


def a_browser(context: Context) -> Browser:
    wire = httpx.ASGITransport(build(FakeBackend(), SITE, context.clock, context))  # type: ignore[arg-type]
    return Browser(httpx.AsyncClient(transport=wire, base_url="http://coinslot.test"))


async def test_who_leaves_before_naming_a_business_is_led_to_it_at_the_next_sign_in(
    empty: Context,
) -> None:
    browser = a_browser(empty)
    page = await browser.look("/console")
    assert "the link that the server printed" in page.text  # nobody can sign in here yet
    token = await first_run.offer(Authentication(empty, SITE.base_url))
    page = await browser.look(f"/console/first-run?token={token}")
    await browser.press(page, "/console/first-run", {"login": "gita", "password": PASSWORD})

    later = a_browser(empty)
    assert "the link that the server printed" not in (await later.look("/console")).text
    await later.sign_in("gita")
    page = await later.look("/console")
    assert page.url.path == "/console/business"
    await later.press(page, "/console/business", BUSINESS)
    assert (await later.look("/console")).url.path == "/console/today"
    switched = {"merchant": "installation"}
    account = await later.look("/console/account")
    await later.press(account, "/console/switch", switched)
    assert (await later.look("/console")).url.path == "/console/health"
