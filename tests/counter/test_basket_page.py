"""One more and one fewer of a line of the basket, and what the button of an item says before a
script has run."""

import gzip
import html
import random
import re
from itertools import chain, combinations, product

import httpx

from coinslot.counter.basket import BasketError, Choice, Option, Priced, Wish, least_of, lines_of
from tests.counter.stage import Counter
from tests.counter.test_pages import fields
from tests.counter.test_pages import phone as phone
from tests.counter.test_pages import web as web

Phone = httpx.AsyncClient
BASKET = "/s/corner/basket"


def count_form(page: httpx.Response) -> dict[str, str | list[str]]:
    (form,) = re.findall(r'<form id="count".*?</form>', page.text, re.S)
    found = [(k, html.unescape(v)) for k, v in re.findall(r'name="(\w+)" value="([^"]*)"', form)]
    return {name: [v for k, v in found if k == name] for name, _ in found}


def buttons(page: httpx.Response) -> list[tuple[str, str, str]]:
    found = re.findall(r'form="count" name="(\w+)" value="(\d+)" aria-label="([^"]*)"', page.text)
    return [(name, place, html.unescape(said)) for name, place, said in found]


async def pressed(phone: Phone, page: httpx.Response, name: str, place: int) -> httpx.Response:
    """As a browser without scripts sends it."""
    answer = await phone.get(BASKET, params={**count_form(page), name: str(place)})
    assert answer.status_code == 303
    return await phone.get(answer.headers["location"])


async def of(phone: Phone, *lines: str, **more: str) -> httpx.Response:
    page = await phone.get(BASKET, params={"line": list(lines), **more})
    assert page.status_code == 200
    return page


async def test_a_line_has_one_more_and_one_fewer_and_all_else_stays(phone: Phone) -> None:
    page = await of(phone, "latte~1~oat~hot", "tea~1~~", tip="10", spot="7", lang="ru")
    assert [(name, place) for name, place, _ in buttons(page)] == [("more", "0"), ("more", "1")]
    page = await pressed(phone, page, "more", 0)
    assert fields(page)["line"] == ["latte~2~oat~hot", "tea~1~~"]
    assert (fields(page)["tip"], fields(page)["spot"]) == ("10", "7")
    assert 'lang="ru"' in page.text
    assert ("fewer", "0", "Latte: на одну порцию меньше") in buttons(page)
    page = await pressed(phone, page, "fewer", 0)
    assert fields(page)["line"] == ["latte~1~oat~hot", "tea~1~~"]
    assert [name for name, _, _ in buttons(page)] == ["more", "more"]


async def test_no_more_is_offered_than_there_is_and_than_one_line_takes(
    counter: Counter, phone: Phone
) -> None:
    page = await of(phone, "cake~2~~", "tea~9~~")
    assert ("more", "0", "One more Carrot cake") in buttons(page)
    page = await pressed(phone, page, "more", 0)
    page = await pressed(phone, page, "more", 1)
    assert fields(page)["line"] == ["cake~3~~", "tea~10~~"]
    assert [name for name, _, _ in buttons(page)] == ["fewer", "fewer"]
    page = await of(phone, "cake~2~~", "cake~1~~no nuts")
    assert [name for name, _, _ in buttons(page)] == ["fewer"], "three in all, of three"


async def test_a_press_that_no_page_offers_changes_nothing_that_it_must_not(phone: Phone) -> None:
    for name, place, left in (
        ("more", "0", ["tea~10~~"]), ("more", "7", ["tea~10~~"]), ("fewer", "-1", ["tea~10~~"]),
        ("fewer", "x", ["tea~10~~"]), ("fewer", "0", ["tea~9~~"]),
    ):  # fmt: skip
        answer = await phone.get(BASKET, params={"line": "tea~10~~", name: place})
        assert answer.status_code == 303
        assert fields(await phone.get(answer.headers["location"]))["line"] == left
    empty = await phone.get(BASKET, params={"line": "tea~1~~", "fewer": "0"})
    assert "Nothing in it yet" in (await phone.get(empty.headers["location"])).text


async def test_taking_a_line_out_keeps_the_tip(phone: Phone) -> None:
    page = await of(phone, "latte~1~~", "tea~1~~", tip="10")
    link = re.findall(r'href="([^"]+)">Remove', page.text)[0]
    page = await phone.get(html.unescape(link))
    assert (fields(page)["line"], fields(page)["tip"]) == (["tea~1~~"], "10")


async def test_a_full_basket_stays_small(phone: Phone) -> None:
    lines = [f"latte~2~oat~without sugar, number {n}, please" for n in range(20)]
    for lang in ("en", "hi", "ru"):
        page = await of(phone, *lines, lang=lang)
        assert len(gzip.compress(page.content, 6)) < 15_000


async def test_without_a_script_the_button_says_what_holds_whatever_is_chosen(
    counter: Counter, phone: Phone
) -> None:
    said = {
        "en": ("Add, from €3.50", "Add, €2.50 each"), "hi": ("जोड़ें, €3.50 से", "जोड़ें, हर एक €2.50"),
        "ru": ("Добавить, от 3,50 €", "Добавить, 2,50 € за штуку"),
    }  # fmt: skip
    for lang, (latte, tea) in said.items():
        for sku, expected in (("latte", latte), ("tea", tea)):
            page = await phone.get(f"/s/corner/{sku}?lang={lang}")
            assert expected in page.text.replace("\u00a0", " ")
    await counter.stage.rows("UPDATE counter_items SET stock = 1 WHERE stock = 3")
    assert "Add for €4.20" in (await phone.get("/s/corner/cake")).text, "the last one"


def test_the_least_that_an_item_costs_is_that_of_the_cheapest_order_of_it() -> None:
    dice = random.Random(7)
    for _ in range(300):
        options = tuple(
            Option(
                id=f"o{n}", name="", min=(least := dice.randint(0, 2)),
                max=dice.randint(max(least, 1), 3), free=dice.randint(0, 2),
                choices=tuple(
                    Choice(id=f"o{n}c{m}", name="", price=dice.randint(-60, 90)) for m in range(3)
                ),
            )
            for n in range(dice.randint(0, 2))
        )  # fmt: skip
        item = Priced(
            sku="x", name="", price=dice.randint(0, 300), tax_bp=0, options=options, available=True
        )
        assert least_of(item) == min(costs(item))


def costs(item: Priced) -> list[int]:
    """Of one piece, of every choice that it may be ordered with."""
    of_option = [
        [pick for size in range(4) for pick in combinations([c.id for c in o.choices], size)]
        for o in item.options
    ]
    found = []
    for picks in product(*of_option):
        wish = Wish(sku="x", choices=tuple(chain.from_iterable(picks)))
        try:
            found.append(lines_of({"x": item}, [wish])[0].unit)
        except BasketError:
            continue
    return found
