"""Codes are printed with our public address: who can open it is said before they hang."""

from typing import Any

import msgspec
import pytest

from coinslot.app.routes import build
from coinslot.console.reach import Reach, reach_of
from tests.console.conftest import signed_in
from tests.console.test_first_steps_of_a_cafe import gita_with_a_counter
from tests.console.test_wizard import staffed as practising  # noqa: F401
from tests.counter.stage import set_counter
from tests.people.conftest import Staffed
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE

PAGES = ("/console/menu/S01/codes", "/console/codes")


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("http://127.0.0.1:8437", Reach.COMPUTER),
        ("http://localhost:8000", Reach.COMPUTER),
        ("http://[::1]:8000", Reach.COMPUTER),
        ("http://0.0.0.0:8000", Reach.COMPUTER),
        ("http://192.168.1.20:8000", Reach.NETWORK),
        ("http://10.1.2.3", Reach.NETWORK),
        ("http://169.254.1.1", Reach.NETWORK),
        ("http://[fd00::1]:8000", Reach.NETWORK),
        ("http://till:8000", Reach.NETWORK),
        ("http://till.local:8000", Reach.NETWORK),
        ("https://pay.example.com", Reach.WORLD),
        ("https://8.8.8.8", Reach.WORLD),
        ("https://[2001:4860:4860::8888]", Reach.WORLD),
    ],
)
def test_an_address_says_who_can_open_it(address: str, reach: Reach) -> None:
    assert reach_of(address) is reach


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:8437", "No phone can open these codes yet."),
        ("http://192.168.1.20:8000", "Only phones in your own network"),
        ("https://pay.example.com", ""),
    ],
)
async def test_pages_with_codes_say_who_can_open_them(
    staffed: Staffed, address: str, said: str
) -> None:
    await set_counter(staffed.stage)
    site = msgspec.structs.replace(SITE, base_url=address)
    staffed.app = build(FakeBackend(), site, staffed.stage.clock, staffed.stage.context)
    boris = await signed_in(staffed, "boris")
    for path in PAGES:
        page = (await boris.look(path)).text
        assert ("COINSLOT_PUBLIC_URL" in page) == bool(said), path
        assert said in page, path


async def test_codes_of_a_practice_account_say_that_no_money_is_paid(
    practising: Staffed,  # noqa: F811
    urls: Any,
) -> None:
    browser = await gita_with_a_counter(practising, urls)
    assert "practice money" in (await browser.look("/console/menu/S01/codes")).text
