"""A menu as a table: what the docs show is read, and a row that cannot be read is named."""

import re
from pathlib import Path

import pytest

from coinslot.counter import menu_file
from coinslot.counter.basket import BasketError, Choice, Option, Priced, Wish, lines_of, sum_of
from coinslot.counter.menu_file import MenuFileError, read

DOCS = (Path(__file__).parents[2] / "docs/counter.md").read_text("utf-8")
(FILE,) = re.findall(r"```csv\n(.*?)```", DOCS, re.S)


def test_the_table_of_the_docs_is_read() -> None:
    latte, cake = read(FILE, "EUR")
    assert (latte.price, latte.cost, latte.tax_bp, latte.stock) == (350, 80, 1900, None)
    assert (cake.stock, cake.allergens, cake.options) == (3, ("nuts", "gluten"), ())
    milk, toppings = latte.options
    assert (milk.min, milk.max, milk.free) == (0, 1, 0)
    assert milk.choices[0] == Choice(id="oat", name="Oat", price=50)
    assert (toppings.max, toppings.free) == (2, 1)


@pytest.mark.parametrize(
    ("rows", "said"),
    [("sku,name\n", "line 1"), ("sku,name,price\n", "1 to"), ("sku,name,price\na b,x,1", "line 2"),
     ("sku,name,price\na,,1", "no name"), ("sku,name,price\na,x,1,000", "cells"),
     ("sku,name,price\na,x,one", "amount"), ("sku,name,price\na,x,1\na,y,2", "twice"),
     ("sku,name,price,tax\na,x,1,much", "per cent"), ("sku,name,price,stock\na,x,1,-1", "whole"),
     ("sku,name,price,options\na,x,1,Milk", "Milk (0-1)"), ("sku,name,price\nbasket,x,1", "sku"),
     ("sku,name,price,options\na,x,1,Milk (2-3): Oat", "so many")],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_named(rows: str, said: str) -> None:
    with pytest.raises(MenuFileError, match=re.escape(said)):
        read(rows, "EUR")


def test_choices_of_one_name_have_ids_of_their_own() -> None:
    text = 'sku,name,price,options\na,x,1,"Size (1-1): Big, Small; Cup (1-1): Big +1, Small -0.5"'
    (item,) = read(text, "EUR")
    choices = [choice for option in item.options for choice in option.choices]
    assert len({choice.id for choice in choices}) == 4
    assert [choice.price for choice in choices] == [0, 0, 100, -50]


def dish(*options: Option, price: int = 300) -> dict[str, Priced]:
    return {
        "d": Priced(
            sku="d", name="Dish", price=price, tax_bp=700, options=options, available=True
        )
    }  # fmt: skip


def test_the_first_free_are_the_cheapest() -> None:
    nuts, syrup = (Choice(id="nuts", name="N", price=60), Choice(id="syrup", name="S", price=30))
    menu = dish(Option(id="t", name="T", max=2, free=1, choices=(nuts, syrup)))
    (line,) = lines_of(menu, [Wish(sku="d", choices=("nuts", "syrup"))])
    assert line.unit == 360
    (line,) = lines_of(menu, [Wish(sku="d", choices=("nuts",))])
    assert line.unit == 300


def test_a_choice_at_no_price_is_the_cheapest_and_the_first_that_is_free() -> None:
    none, syrup = Choice(id="none", name="N"), Choice(id="syrup", name="S", price=30)
    menu = dish(Option(id="t", name="T", max=2, free=1, choices=(syrup, none)))
    for choices, unit in ((("none", "syrup"), 330), (("syrup",), 300), (("none",), 300)):
        (line,) = lines_of(menu, [Wish(sku="d", choices=choices)])
        assert line.unit == unit, choices


def test_of_a_stock_that_is_too_small_the_item_that_wants_of_it_is_named() -> None:
    oat = Option(id="m", name="M", choices=(Choice(id="oat", name="Oat", stock="oat", left=1),))
    menu = {
        sku: Priced(sku=sku, name=sku, price=300, tax_bp=0, options=(oat,), available=True)
        for sku in ("plain", "with")
    }  # fmt: skip
    wishes = [Wish(sku="plain"), Wish(sku="with", quantity=2, choices=("oat",))]
    with pytest.raises(BasketError) as short:
        lines_of(menu, wishes)
    assert (short.value.code, short.value.item) == ("choice_sold_out", "with")


def test_a_discount_takes_what_the_goods_cost_at_most_and_no_tax_is_added_to_it() -> None:
    lines = lines_of(dish(price=1000), [Wish(sku="d")])
    half = sum_of(lines, tax_added=True, off=500, tip=100)
    assert (half.off, half.added_tax, half.total) == (500, 35, 500 + 35 + 100)
    whole = sum_of(lines, tax_added=True, off=1001, tip=100)
    assert (whole.off, whole.added_tax, whole.total) == (1000, 0, 100)


def test_a_line_never_costs_less_than_nothing() -> None:
    off = Choice(id="own-cup", name="Own cup", price=-500)
    (line,) = lines_of(
        dish(Option(id="o", name="O", choices=(off,))), [Wish(sku="d", choices=("own-cup",))]
    )
    assert line.unit == 0


@pytest.mark.parametrize("choices", [(), ("a", "b"), ("a", "a"), ("c",)])
def test_as_many_are_chosen_as_the_option_asks_for(choices: tuple[str, ...]) -> None:
    pair = (Choice(id="a", name="A"), Choice(id="b", name="B"))
    menu = dish(Option(id="o", name="O", min=1, max=1, choices=pair))
    with pytest.raises(BasketError, match="options"):
        lines_of(menu, [Wish(sku="d", choices=choices)])


def test_a_wish_survives_an_address() -> None:
    wish = Wish(sku="d", quantity=3, choices=("b", "a"), note="no ~ tilde, please & thanks")
    read_back = Wish.read(wish.text())
    assert (read_back.quantity, read_back.choices, read_back.note) == (3, ("a", "b"), wish.note)


def test_added_tax_is_rounded_once_for_a_rate_and_not_for_each_line() -> None:
    menu = {**dish(price=107), "e": Priced(
        sku="e", name="E", price=107, tax_bp=700, options=(), available=True
    )}  # fmt: skip
    lines = lines_of(menu, [Wish(sku="d"), Wish(sku="e")])
    assert sum_of(lines, tax_added=True).added_tax == 15, "7.49 each is 14.98, not 7 and 7"


def test_a_choice_may_name_allergens_of_its_own_and_is_written_as_it_was_read() -> None:
    text = "Milk (0-1): Oat +0.50 {gluten} [12], Almond +0.60 {nuts/soy}, Cow"
    (milk,) = menu_file.options(text, "EUR")
    assert [choice.allergens for choice in milk.choices] == [("gluten",), ("nuts", "soy"), ()]
    assert [(choice.price, choice.left) for choice in milk.choices] == [
        (50, 12), (60, None), (0, None),
    ]  # fmt: skip
    assert menu_file.options_text([milk], "EUR") == text
