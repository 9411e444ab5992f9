"""Numbers as people and devices write them."""

import pytest

from coinslot.kit.numbers import decimal, whole

NO_NUMBERS = ["", " ", "²", "1_000", "nan", "inf", "1e9", "0x1", "௰", "--1", "9" * 5000]


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("٣", 3), ("४०", 40)])
def test_digits_of_any_script_are_a_whole_number(text: str, number: int) -> None:
    assert whole(text) == number


@pytest.mark.parametrize("text", [*NO_NUMBERS, "-1", "+1", "1.5", "9" * 19])
def test_what_is_no_whole_number_is_none(text: str) -> None:
    assert whole(text) is None


def test_a_whole_number_lies_within_its_bounds() -> None:
    assert [whole(text, 5, least=2) for text in ("1", "2", "5", "6")] == [None, 2, 5, None]


@pytest.mark.parametrize(("text", "number"), [("-18", -18), ("4,5", 4.5), ("+0.25", 0.25)])
def test_a_decimal_number_has_a_point_or_a_comma(text: str, number: float) -> None:
    assert decimal(text) == number


@pytest.mark.parametrize("text", [*NO_NUMBERS, "1.2.3", "-inf", "NaN"])
def test_what_is_no_finite_number_is_none(text: str) -> None:
    assert decimal(text) is None
