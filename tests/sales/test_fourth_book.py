"""The fourth book of storms: each way in which receipts and money can differ is a breach, and what
is right is none."""

from collections import Counter

import pytest

from tests.storms.receipts import KINDS, Fiscal, unequal

Book = Counter[tuple[str, str]]


def told(*, money: int, theirs: int, by_hand: int = 0, ours: int | None = None) -> list[str]:
    """The rules that are broken, the same for each kind of receipt."""
    found = []
    for kind in KINDS:
        key = ("pay_1", kind)
        books = Fiscal(
            Book({key: money}), Book({key: theirs}), Book({key: by_hand}),
            Book({key: theirs if ours is None else ours}),
        )  # fmt: skip
        found.append([breach.rule for breach in unequal(books, Counter())])
    assert all(
        [rule.partition(": ")[2] for rule in one] == [rule.partition(": ")[2] for rule in found[0]]
        for one in found
    )
    return [rule.partition(": ")[2] for rule in found[0]]


@pytest.mark.parametrize(
    ("money", "theirs", "by_hand"),
    [(17_500, 17_500, 0), (17_500, 0, 17_500), (17_500, 10_000, 7_500), (0, 0, 0),
     (17_500, 17_500, 17_500)],  # nobody heard that it was registered, and a person noted it
)  # fmt: skip
def test_what_is_right_is_no_breach(money: int, theirs: int, by_hand: int) -> None:
    assert told(money=money, theirs=theirs, by_hand=by_hand) == []


@pytest.mark.parametrize(
    ("money", "theirs", "ours", "rule"),
    [(17_500, 17_501, None, "more receipts than money"),
     (17_500, 35_000, None, "more receipts than money"),
     (0, 17_500, None, "more receipts than money"),
     (17_500, 17_499, None, "money without a receipt"),
     (17_500, 0, 17_500, "money without a receipt"),
     (17_500, 17_500, 17_501, "we say registered, and it is not")],
)  # fmt: skip
def test_one_kopeck_that_differs_is_a_breach(
    money: int, theirs: int, ours: int | None, rule: str
) -> None:
    assert told(money=money, theirs=theirs, ours=ours) == [rule]


def test_a_receipt_of_a_payment_that_took_nothing_is_a_breach() -> None:
    strange = Fiscal(Book(), Book({("pay_2", "payment"): 1}), Book(), Book())
    (breach,) = unequal(strange, Counter())
    assert (breach.payment, breach.rule) == ("pay_2", "payment: a receipt of no money")
