"""A code stands on its customer's page and in a message to them, and nowhere else: no row, no log,
no page and no answer for staff, programs or the merchant has it."""

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

import asyncpg
import pytest
import structlog

from coinslot.counter import staff
from coinslot.counter.staff import CounterError
from coinslot.notices import console
from coinslot.notices.base import Form
from tests.conftest import DatabaseUrls
from tests.console.conftest import Browser
from tests.console.conftest import browser as browser
from tests.counter.stage import Counter
from tests.counter.telling import EMAIL, PHONE, reach, service, swept
from tests.counter.test_board import shop as shop
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

ROWS = """
SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
    AND c.relkind IN ('r', 'p')
"""


class Heard:
    """Everything that was logged, at any level, with every value."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, _logger: object, _name: str, event: MutableMapping[str, Any]) -> str:
        self.lines.append(repr(event))
        raise structlog.DropEvent


@pytest.fixture
def heard() -> Iterator[Heard]:
    kept, said = structlog.get_config(), Heard()
    structlog.configure(
        processors=[said], wrapper_class=structlog.make_filtering_bound_logger(0),
        cache_logger_on_first_use=False,
    )  # fmt: skip
    yield said
    structlog.configure(**kept)


def has(text: str, code: str) -> bool:
    """The digits in one piece or apart, and not as a part of a longer number."""
    apart = r"[ \u00a0-]?".join(code)
    return re.search(rf"(?<![0-9a-fA-F]){apart}(?![0-9a-fA-F])", text) is not None


async def test_no_row_has_a_code_after_it_was_sent_tried_resent_and_typed(
    counter: Counter, urls: DatabaseUrls, heard: Heard
) -> None:
    sent, codes = service(counter), []
    order = await counter.preparing(contact=reach(email=EMAIL), name="Maria")
    codes.append(await counter.code(order))
    await swept(counter)
    await staff.ready(counter.stage.context, counter.who, order)
    codes.append(await counter.code(order))
    await swept(counter)
    with pytest.raises(CounterError):
        await counter.complete(order, await counter.wrong_code(order))
    await counter.complete(order, codes[1])
    await counter.stage.sweep()
    assert all(any(has(box.notice.text, code) for box in sent.sent) for code in codes)
    conn = await asyncpg.connect(urls.superuser)
    found = []
    for table in await conn.fetch(ROWS):
        for row in await conn.fetch(f"SELECT row_to_json(t)::text AS row FROM {table['name']} t"):
            found += [table["name"] for code in codes if has(row["row"], code)]
    await conn.close()
    assert found == []
    assert [line for line in heard.lines for code in codes if has(line, code)] == []
    assert [line for line in heard.lines if PHONE in line or EMAIL in line] == []


WALKED = (
    "/console/board", "/console/today", "/console/inbox", "/console/log", "/console/money",
    "/console/find?q={number}", "/console/orders/{order}", "/orders", "/orders/{order}", "/events",
    "/api/staff/orders", "/metrics",
)  # fmt: skip


@pytest.mark.parametrize("login", ["asha", "lena"])
async def test_no_page_and_no_answer_for_others_than_the_customer_has_the_code(
    staffed: Staffed, shop: Counter, browser: Browser, login: str
) -> None:
    order = await shop.ready(contact=reach(), name="Maria")
    number = await shop.stage.value("SELECT number FROM orders")
    code, token = await shop.code(order), (await shop.view(order)).token
    await browser.sign_in(login)
    shown = 0
    for path in WALKED:
        page = await browser.look(path.format(order=order, number=number))
        shown += number in page.text
        assert not has(page.text, code), path
        if login == "lena" or path.startswith(("/console/board", "/api/staff")):
            assert token not in page.text, path
    assert shown, "the order is on some of them"


def test_messages_in_the_log_of_this_process_hide_digits_and_links() -> None:
    text = "Corner: order KQZT. Your code: 123456. https://pay.example/o/abc Say 1 2 3 4 5 6"
    hidden = console.hidden(text)
    assert not re.search(r"[0-9]", hidden)
    assert "pay.example" not in hidden
    assert console.Console.powers[Form.SMS].most_chars
