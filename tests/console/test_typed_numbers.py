"""Whatever is typed where a number belongs: a page that says so, and never a fault of ours."""

import re
from typing import Any

import httpx
import pytest

from coinslot.console import menu_fields
from coinslot.console.forms import Form
from coinslot.counter import menu_file
from coinslot.counter.menu_file import MenuFileError
from coinslot.kit.ids import token
from tests.coffee.stage import in_cafe
from tests.console.conftest import OURS, Browser, signed_in
from tests.console.crawl import PageForm, all_forms
from tests.counter.stage import set_counter
from tests.people.conftest import Staffed

# Digits that int() does not read, and a number that is too large for PostgreSQL. What else is no
# number, tests/unit/test_numbers.py knows.
TEXTS = ("²", "9" * 19)


async def sent(browser: Browser, form: PageForm, field: str, text: str) -> httpx.Response:
    pairs: list[Any] = [(name, text if name == field else value) for name, value in form.fields]
    if not form.is_post:
        return await browser.client.get(form.action, params=pairs, headers={"accept": "text/html"})
    data = dict[str, list[str]]()
    for name, value in pairs:
        data.setdefault(name, []).append(token(20)[:20] if name == "key" else value)
    return await browser.client.post(form.action, data=data, headers=OURS)


# Every form of the console takes some seconds: there are a hundred.
async def test_no_form_fails_at_a_number_of_any_kind(staffed: Staffed) -> None:
    await set_counter(staffed.stage)
    await in_cafe(staffed.stage)
    asha = await signed_in(staffed, "asha")
    asked = 0
    for form in await all_forms(asha, "/console"):
        for field in {re.sub(r"\d+", "0", name): name for name in sorted(form.numbers)}.values():
            for text in TEXTS:
                answer = await sent(asha, form, field, text)
                assert answer.status_code < 500, (form.action, field, text[:20])
                assert answer.status_code != 401, form.action  # or nothing below were asked
                asked += 1
    assert asked > 100


def an_item(**fields: str) -> Form:
    wanted = {"name": "Latte", "price": "3.50", "g0_name": "Milk", "g0_c0_name": "Oat", **fields}
    return Form(tuple(wanted.items()))


@pytest.mark.parametrize("kept", ["Oat", "²", "x" * 33, "a b"])
def test_an_id_that_no_option_can_have_is_replaced_and_does_not_break_the_menu(kept: str) -> None:
    """Once stored, the item could not be read any more."""
    edited = menu_fields.item_of_form(an_item(g0_id=kept, g0_c0_id=kept), "EUR", None)
    (option,) = edited.item.options
    assert (option.id, option.choices[0].id) == ("milk", "oat")


@pytest.mark.parametrize("column", ["stock", "minutes", "options"])
def test_a_menus_table_names_the_line_of_a_number_that_is_too_long(column: str) -> None:
    for digits in (7, 19, 5000):
        cell: Any = "9" * digits if column != "options" else f"Milk (0-{'9' * digits}): Oat"
        table = f"sku,name,price,{column}\nlatte,Latte,3.50,{cell}\n"
        with pytest.raises(MenuFileError, match=r"^line 2: "):
            menu_file.read(table, "EUR")
