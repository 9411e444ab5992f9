"""Money: text in, text out, and nothing lost between."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinslot.kit.money import (
    EXPONENTS,
    MAX_MINOR,
    CurrencyMismatchError,
    Money,
    MoneyRangeError,
    MoneyTextError,
    UnknownCurrencyError,
    is_named,
)

currencies = st.sampled_from(sorted(EXPONENTS))
minors = st.integers(-MAX_MINOR, MAX_MINOR)
amounts = st.builds(Money, minors, currencies)
small = st.integers(-(10**12), 10**12)


@given(amounts)
def test_what_is_written_is_read_back(money: Money) -> None:
    assert Money.parse(money.decimal(), money.currency) == money


@given(amounts)
def test_the_text_is_the_exact_value_with_the_places_of_the_currency(money: Money) -> None:
    exponent = EXPONENTS[money.currency]
    assert Decimal(money.decimal()) == Decimal(money.minor).scaleb(-exponent)
    assert len(money.decimal().partition(".")[2]) == exponent


@given(amounts)
def test_json_goes_there_and_back(money: Money) -> None:
    assert msgspec.convert(money.to_json(), Money) == money
    assert msgspec.json.decode(msgspec.json.encode(money), type=Money) == money


@given(small, small, small, currencies)
def test_sums_are_those_of_whole_numbers(a: int, b: int, c: int, currency: str) -> None:
    x, y, z = (Money(minor, currency) for minor in (a, b, c))
    assert (x + y) + z == x + (y + z)
    assert x + y - y == x
    assert x + -x == Money.zero(currency)
    assert (x < y, x <= y, x > y, x >= y) == (a < b, a <= b, a > b, a >= b)
    assert x * 3 == x + x + x


@given(st.text())
def test_any_other_text_is_refused_and_never_misread(text: str) -> None:
    try:
        money = Money.parse(text, "INR")
    except (MoneyTextError, MoneyRangeError):
        return
    assert text.isascii()
    assert Decimal(text) == Decimal(money.decimal())


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("40.00", "INR", 4000),
        ("40.5", "INR", 4050),
        ("40", "INR", 4000),
        ("0.01", "USD", 1),
        ("-0.05", "EUR", -5),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1234),
        ("1.2345", "CLF", 12345),
        ("0", "RUB", 0),
    ],
)
def test_known_amounts(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 40",
        "40 ",
        "40\n",
        "4,000",
        "1e3",
        "+4",
        "40.",
        ".5",
        "٤٠",
        "40.001",
        "NaN",
        "0x10",
        "--1",
    ],
)
def test_text_that_is_not_an_amount_is_refused(text: str) -> None:
    with pytest.raises(MoneyTextError):
        Money.parse(text, "INR")


def test_yen_have_no_places() -> None:
    assert Money(500, "JPY").decimal() == "500"
    with pytest.raises(MoneyTextError):
        Money.parse("5.00", "JPY")


def test_currencies_do_not_mix() -> None:
    rupees, yen = Money(100, "INR"), Money(100, "JPY")
    assert rupees != yen
    for mixing in (
        lambda: rupees + yen,
        lambda: rupees - yen,
        lambda: rupees < yen,
        lambda: rupees <= yen,
        lambda: rupees > yen,
        lambda: rupees >= yen,
    ):
        with pytest.raises(CurrencyMismatchError):
            mixing()


@pytest.mark.parametrize("currency", ["", "inr", "XXX", "INR ", "BTC"])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(UnknownCurrencyError):
        Money(1, currency)
    with pytest.raises(UnknownCurrencyError):
        Money.parse("1", currency)


def test_what_the_database_cannot_hold_is_refused() -> None:
    with pytest.raises(MoneyRangeError):
        Money(MAX_MINOR, "INR") + Money(1, "INR")
    with pytest.raises(MoneyRangeError):
        Money.parse("9" * 19, "INR")


@pytest.mark.parametrize("minor", [1.0, True, "1", None])
def test_minor_units_are_whole_numbers(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, "INR")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "raw",
    [
        {"amount": 1.5, "currency": "INR"},
        {"amount": "1", "currency": "INR"},
        {"amount": 1, "currency": "XXX"},
        {"amount": 2**70, "currency": "INR"},
        {"amount": 1},
        [],
        None,
    ],
)
def test_json_that_is_not_money_is_a_validation_error(raw: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(raw, Money)


def test_money_is_a_value_and_shows_itself_plainly() -> None:
    assert len({Money(1, "INR"), Money(1, "INR")}) == 1
    assert str(Money(4000, "INR")) == "40.00 INR"
    with pytest.raises(AttributeError):
        Money(1, "INR").minor = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        Money(1, "INR") * 0.5  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("40", "INR", 4000),
        ("40.00", "INR", 4000),
        ("40.5", "INR", 4050),
        ("40,00", "INR", 4000),
        ("40,5", "EUR", 4050),
        ("0.40", "INR", 40),
        ("₹ 40", "INR", 4000),
        ("40 INR", "INR", 4000),
        (" 40 INR ", "INR", 4000),
        ("INR 40.00", "INR", 4000),
        ("४०", "INR", 4000),
        ("1000", "INR", 100_000),
        ("40", "JPY", 40),
        ("40", "KWD", 40_000),
        ("40.000", "KWD", 40_000),
        ("40,5", "KWD", 40_500),
        ("1.2345", "CLF", 12_345),
    ],
)
def test_an_amount_is_read_as_a_person_writes_it(text: str, currency: str, minor: int) -> None:
    assert Money.typed(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency", "why"),
    [
        ("1,000", "INR", "two ways"),
        ("1,000", "KWD", "two ways"),
        ("1,000", "JPY", "two ways"),
        ("1,00,000", "INR", "two ways"),
        ("1,000.00", "INR", "two ways"),
        ("1.000,00", "EUR", "two ways"),
        ("1 000", "RUB", "two ways"),
        ("1'000.00", "CHF", "two ways"),
        ("1.000", "EUR", "EUR has 2 decimal places"),
        ("40.00", "JPY", "JPY has 0 decimal places"),
        ("40,0", "JPY", "JPY has 0 decimal places"),
        ("40 USD", "INR", "not an amount"),
        ("-40", "INR", "not an amount"),
        ("4e1", "INR", "not an amount"),
        ("40.", "INR", "not an amount"),
        (".40", "INR", "not an amount"),
        ("", "INR", "not an amount"),
    ],
)
def test_what_could_mean_two_amounts_is_refused(text: str, currency: str, why: str) -> None:
    with pytest.raises(MoneyTextError, match=why):
        Money.typed(text, currency)


@given(st.integers(1, 10**12), currencies)
def test_what_we_write_is_read_back_when_a_person_types_it(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.typed(money.decimal(), currency) == Money.typed(str(money), currency) == money


def test_the_largest_amount_is_what_the_database_keeps() -> None:
    largest = 2**63 - 1
    assert Money(largest, "INR").minor == -Money(-largest, "INR").minor == largest
    for over in (largest + 1, -largest - 1):
        with pytest.raises(MoneyRangeError):
            Money(over, "INR")


@pytest.mark.parametrize(
    ("currency", "written"), [("JPY", "5"), ("USD", "0.05"), ("KWD", "0.005"), ("CLF", "0.0005")]
)
def test_a_currency_has_its_own_places(currency: str, written: str) -> None:
    assert Money(5, currency).decimal() == written
    assert Money.parse(written, currency) == Money(5, currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("40", "INR", 4000),
        (" \u20b940 ", "INR", 4000),
        ("40 INR", "INR", 4000),
        (" 40 INR ", "INR", 4000),
        ("INR 40.5", "INR", 4050),
        ("INR\u096a\u0966", "INR", 4000),
        ("\u20b9 40 INR", "INR", 4000),
        ("\u0664\u0660\u066b\u0665", "INR", 4050),
        ("500", "JPY", 500),
        ("JPY500", "JPY", 500),
    ],
)
def test_an_amount_may_be_typed_with_its_sign_or_code(text: str, currency: str, minor: int) -> None:
    assert Money.typed(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency", "places"),
    [("40 USD", "INR", 2), ("40.005", "INR", 2), ("4.5", "JPY", 0)],
)
def test_what_could_mean_two_things_is_refused_with_the_places_it_may_have(
    text: str, currency: str, places: int
) -> None:
    with pytest.raises(MoneyTextError, match=f"{currency} has {places} decimal places"):
        Money.typed(text, currency)


def test_nothing_is_written_without_a_sign() -> None:
    assert (Money(0, "INR").decimal(), Money(1, "INR").decimal()) == ("0.00", "0.01")
    assert Money(-1, "INR").decimal() == "-0.01"


@pytest.mark.parametrize("count", [1.0, True, "2"])
def test_money_is_multiplied_by_counts_alone(count: Any) -> None:
    with pytest.raises(TypeError):
        Money(100, "INR") * count


@pytest.mark.parametrize(
    ("currency", "words"),
    [
        ("INR", "₹ inr rs rs. re रु रु. रुपये रुपए"), ("RUB", "₽ rub руб руб. р р. рублей"),
        ("EUR", "€ eur euro euros"), ("BYN", "byn руб руб. br"), ("UAH", "₴ uah грн грн."),
        ("KZT", "₸ kzt тг тг."), ("CHF", "chf fr fr."), ("PLN", "pln zł zl"),
        ("CZK", "czk kč kc"), ("HUF", "huf ft"), ("SEK", "sek kr kr."), ("NOK", "nok kr kr."),
        ("DKK", "dkk kr kr."), ("ISK", "isk kr kr."), ("RON", "ron lei"), ("TRY", "₺ try tl"),
        ("BRL", "brl r$"), ("ZAR", "zar r"), ("IDR", "idr rp rp."), ("MYR", "myr rm"),
        ("USD", "$ usd us$"), ("JPY", "¥ jpy 円"), ("CNY", "¥ cny 元"), ("AED", "aed dh dhs"),
        ("GBP", "£ gbp"), ("EGP", "£"), ("FKP", "£"), ("GIP", "£"), ("LBP", "£"), ("SHP", "£"),
        ("SSP", "£"), ("SYP", "£"), ("KPW", "₩"), ("KRW", "₩"), ("VND", "₫"), ("NGN", "₦"),
        ("PHP", "₱"), ("THB", "฿"), ("ILS", "₪"), ("GEL", "₾"), ("BDT", "৳"), ("AZN", "₼"),
        ("AUD", "$ aud"),
    ],
)  # fmt: skip
def test_an_amount_is_read_with_each_word_of_its_currency_on_either_side(
    currency: str, words: str
) -> None:
    for word in words.split():
        for said in (word, word.upper(), f" {word} "):
            assert is_named(said, currency) is True, said
            assert Money.typed(f"40{said}", currency) == Money.typed("40", currency), said
            assert Money.typed(f"{said}40", currency) == Money.typed("40", currency), said


@pytest.mark.parametrize(
    ("text", "currency", "named"),
    [("₹", "EUR", False), ("€", "INR", False), ("usd", "EUR", None), ("USD", "EUR", False),
     ("£", "USD", False), ("¥", "USD", False), ("₿", "EUR", True), ("V60", "EUR", None),
     ("", "EUR", None), ("rs", "EUR", None), ("€€", "EUR", None), ("V", "EUR", None)]
    + [(sign, "EUR", False) for sign in "₹₽£¥₺₴₸₩₫₦₱฿₪₾৳₼"],
)  # fmt: skip
def test_another_currency_is_told_from_what_names_none(
    text: str, currency: str, named: bool | None
) -> None:
    assert is_named(text, currency) is named
