"""A menu that is pasted: what is an item, what is a section, and what is refused as neither."""

import pytest

from coinslot.counter.menu_lines import LineError, typed_lines


@pytest.mark.parametrize(
    ("line", "currency", "name", "minor"),
    [
        ("Croissant 2,60 €", "EUR", "Croissant", 260),
        ("Croissant 2,60€", "EUR", "Croissant", 260),
        ("Croissant € 2,60", "EUR", "Croissant", 260),
        ("Croissant €2.60", "EUR", "Croissant", 260),
        ("Croissant€2.60", "EUR", "Croissant", 260),
        ("Croissant 2.60 EUR", "EUR", "Croissant", 260),
        ("Croissant EUR 2.60", "EUR", "Croissant", 260),
        ("Croissant 2.60 euro", "EUR", "Croissant", 260),
        ("Croissant ........ 2,60 €", "EUR", "Croissant", 260),
        ("Croissant........2,60", "EUR", "Croissant", 260),
        ("Croissant;2,60", "EUR", "Croissant", 260),
        ("Croissant\t2,60\u00a0€", "EUR", "Croissant", 260),
        ("- Croissant — 2,60", "EUR", "Croissant", 260),
        ("Croissant 3,- €", "EUR", "Croissant", 300),
        ("Croissant 3.–", "CHF", "Croissant", 300),
        ("Apple juice 0,2 l 2,90 €", "EUR", "Apple juice 0,2 l", 290),
        ("Latte $3.50", "USD", "Latte", 350),
        ("Masala chai Rs. 40", "INR", "Masala chai", 4000),
        ("Masala chai Rs.40", "INR", "Masala chai", 4000),
        ("मसाला चाय ₹४०", "INR", "मसाला चाय", 4000),
        ("চা ৪০", "INR", "চা", 4000),
        ("چای ۴۰٫۵۰", "EUR", "چای", 4050),
        ("Сырник 220 руб.", "RUB", "Сырник", 22000),
        ("Сырник 220 ₽", "RUB", "Сырник", 22000),
        ("Сырник 220р", "RUB", "Сырник", 22000),
        ("Sake 900円", "JPY", "Sake", 900),
        ("Cola 0,5 150", "RUB", "Cola 0,5", 15000),
    ],
)
def test_a_price_is_read_with_its_currency_on_either_side(
    line: str, currency: str, name: str, minor: int
) -> None:
    typed = typed_lines(line, currency)
    assert [(one.name, one.price) for one in typed.items] == [(name, minor)]
    assert typed.sections == []


@pytest.mark.parametrize(
    "line",
    [
        "Latte £3.50",
        "Latte 3.50 USD",
        "Latte USD 3.50",
        "€2.60 Croissant",
        "2,60 € Croissant",
        "2,60 €",
        "2,60",
        "Croissant 2,60 €/piece",
        "Set 1.200 €",
        "Set 1 200 €",
        "Set 1 200,00",
        "Filter V60",
        "Cola 0.5l",
    ],
)
def test_a_line_with_a_price_that_cannot_be_read_is_refused_and_never_a_section(line: str) -> None:
    with pytest.raises(LineError, match="2: ") as refused:
        typed_lines(f"Coffee\n{line}\nEspresso 2,20", "EUR")
    assert refused.value.text == "problem_menu_line"


def test_lines_without_a_price_are_sections_and_are_named() -> None:
    pasted = "Water 2\n\nCoffee:\nLatte 3.50\n---\n## Apple juice 0,2 l\nSmall 1\nCoffee\nMocha 4"
    typed = typed_lines(pasted, "EUR")
    assert [(one.section, one.name) for one in typed.items] == [
        ("", "Water"), ("Coffee", "Latte"), ("Apple juice 0,2 l", "Small"), ("Coffee", "Mocha"),
    ]  # fmt: skip
    assert typed.sections == ["Coffee", "Apple juice 0,2 l"]


@pytest.mark.parametrize("pasted", ["Coffee\nLatte 3.50\nCarrot cake", "Carrot cake\nTea\nMint 2"])
def test_a_section_without_items_is_refused_because_it_may_be_an_item_without_a_price(
    pasted: str,
) -> None:
    with pytest.raises(LineError, match="Carrot cake") as refused:
        typed_lines(pasted, "EUR")
    assert refused.value.text == "problem_menu_section"


def test_a_hundred_lines_are_taken_and_one_more_is_not() -> None:
    hundred = "\n".join(f"Item {'x' * n} 1" for n in range(1, 101))
    assert len(typed_lines(hundred, "EUR").items) == 100
    with pytest.raises(LineError) as refused:
        typed_lines(f"{hundred}\nLast 1", "EUR")
    assert refused.value.text == "problem_menu_many"
