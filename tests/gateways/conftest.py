"""One rig per gateway: the contract holds over all of them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.gateways.collectors import Collector, FlakyCollector, MockCollector
from tests.gateways.mailbox import Mailbox
from tests.gateways.razorpay_shop import RazorpayShop
from tests.gateways.rigs import MockRig, RazorpayRig, Rig
from tests.gateways.stripe_shop import StripeShop
from tests.gateways.tbank_shop import TBankShop
from tests.gateways.yookassa_shop import YooKassaShop
from tests.sandbox.running import SandboxProcess


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The emulated outside world as a process, on a free port."""
    folder = tmp_path_factory.mktemp("outside")
    with SandboxProcess(folder / "sandbox", folder / "machines", tempo={"late_ms": 100}) as sandbox:
        yield sandbox.base_url


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


@pytest.fixture
async def at_razorpay(sandbox_url: str, mailbox: Mailbox) -> AsyncIterator[RazorpayRig]:
    """A fresh account at the emulated Razorpay."""
    rig = RazorpayRig(sandbox_url, mailbox)
    await rig.sign_up()
    yield rig
    await rig.close()


@pytest.fixture(params=["mock", "razorpay"])
def rig(request: pytest.FixtureRequest) -> Rig:
    """Every gateway."""
    if request.param == "mock":
        return MockRig()
    made: Rig = request.getfixturevalue("at_razorpay")
    return made


@pytest.fixture
async def at_yookassa(sandbox_url: str, mailbox: Mailbox) -> AsyncIterator[YooKassaShop]:
    """A fresh shop at the emulated YooKassa."""
    shop = YooKassaShop(sandbox_url, mailbox)
    await shop.sign_up()
    yield shop
    await shop.close()


@pytest.fixture
async def at_stripe(sandbox_url: str, mailbox: Mailbox) -> AsyncIterator[StripeShop]:
    """A fresh account at the emulated Stripe."""
    shop = StripeShop(sandbox_url, mailbox)
    await shop.sign_up()
    yield shop
    await shop.close()


@pytest.fixture
async def at_tbank(sandbox_url: str, mailbox: Mailbox) -> AsyncIterator[TBankShop]:
    """A fresh terminal at the emulated T-Bank."""
    shop = TBankShop(sandbox_url, mailbox)
    await shop.sign_up()
    yield shop
    await shop.close()


@pytest.fixture
async def at_links(sandbox_url: str, mailbox: Mailbox) -> AsyncIterator[RazorpayShop]:
    """A fresh account at the emulated Razorpay, for its payment links."""
    shop = RazorpayShop(sandbox_url, mailbox)
    await shop.sign_up()
    yield shop
    await shop.close()


@pytest.fixture(params=["mock", "flaky", "stripe", "tbank", "yookassa", "links"])
def at(request: pytest.FixtureRequest) -> Collector:
    """Every gateway that collects; `at_<name>` is the fixture of its account."""
    if request.param in ("mock", "flaky"):
        return MockCollector() if request.param == "mock" else FlakyCollector()
    made: Collector = request.getfixturevalue(f"at_{request.param}")
    return made
