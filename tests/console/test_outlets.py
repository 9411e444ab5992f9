"""Wherever the code of an outlet is a link, it leads to the page of its kind."""

import re

import pytest

from coinslot.console.outlets import page_of
from coinslot.counter import staff
from tests.console.conftest import Browser, signed_in
from tests.counter.stage import Counter, set_counter
from tests.people.conftest import Staffed

LISTS = (
    "today", "inbox", "find", "machines", "coffee", "products", "codes", "money",
    *(f"money/{part}" for part in (
        "reports", "profit", "analytics", "orders", "payments", "refunds", "payouts", "fees",
        "machines", "profits", "invoices", "credits",
    )),
)  # fmt: skip


@pytest.fixture
async def shop(staffed: Staffed) -> Counter:
    return await set_counter(staffed.stage)


async def followed(browser: Browser, path: str) -> tuple[int, str]:
    """Where a link ends, and how."""
    page = await browser.look(path)
    return page.status_code, page.url.path


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("counter", ("menu", "X1")), ("coffee", ("coffee", "machines", "X1")),
        ("vending", ("machines", "X1")),
    ],
)  # fmt: skip
def test_each_kind_has_its_page(kind: str, path: tuple[str, ...]) -> None:
    assert page_of(kind, "X1") == path


async def test_no_link_to_an_outlet_is_dead_on_any_list(staffed: Staffed, shop: Counter) -> None:
    order = await shop.ready()
    await shop.complete(order)
    await staff.reject(shop.stage.context, shop.who, await shop.preparing(), "Closed")
    await shop.stage.sweep()
    asha = await signed_in(staffed, "asha")
    found = dict[str, str]()
    for path in (*(f"/console/{one}" for one in LISTS), f"/console/orders/{order}"):
        page = await asha.look(path)
        assert page.status_code == 200, path
        for link in re.findall(
            r'href="(/console/(?:machines|outlets|menu|coffee/machines)/[MSK]\d\d)"', page.text
        ):
            found.setdefault(link, path)
    assert {"/console/outlets/S01", "/console/outlets/M01", "/console/menu/S01"} <= found.keys()
    for link, path in found.items():
        assert (await followed(asha, link))[0] == 200, f"{link} on {path}"


async def test_a_code_leads_to_its_counter_or_its_machine_and_a_strangers_nowhere(
    staffed: Staffed, shop: Counter
) -> None:
    asha = await signed_in(staffed, "asha")
    assert await followed(asha, "/console/outlets/S01") == (200, "/console/menu/S01")
    assert await followed(asha, "/console/machines/S01") == (200, "/console/menu/S01")
    assert await followed(asha, "/console/outlets/M01") == (200, "/console/machines/M01")
    assert (await followed(asha, "/console/machines/C01"))[0] == 404
    assert (await followed(asha, "/console/outlets/C01"))[0] == 404


async def test_an_order_of_a_counter_names_the_counter(staffed: Staffed, shop: Counter) -> None:
    asha = await signed_in(staffed, "asha")
    page = (await asha.look(f"/console/orders/{await shop.paid()}")).text
    assert "<dt>Counter</dt>" in page
    assert 'href="/console/menu/S01">S01 · Corner café<' in page
    assert "<dt>Machine</dt>" not in page
    listed = (await asha.look("/console/money/orders")).text
    assert ">Machine or counter</th>" in listed
    assert "<span>Machine or counter</span>" in listed, "the filter, too"
