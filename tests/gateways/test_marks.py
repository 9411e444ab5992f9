"""Our mark where a gateway has little room: ours is known, and nobody else's is taken for it."""

from hypothesis import given
from hypothesis import strategies as some

from coinslot.gateways import marks
from coinslot.gateways import tbank_words as words
from coinslot.gateways.base import Mark
from coinslot.gateways.collecting import Charge
from coinslot.kit.money import Money


def as_kept(installation: str) -> Mark:
    """What T-Bank gives back of a mark: an order id is all that it repeats."""
    charge = Charge(
        money=Money(15000, "RUB"), key="k", mark=Mark(installation=installation),
        description="Cola", return_url="https://shop.example/",
    )  # fmt: skip
    read = words.mark_of(words.order_id(charge))
    assert read is not None
    return read


@given(some.text(min_size=1), some.text(min_size=1))
def test_an_installation_knows_its_own_mark_and_no_other(one: str, two: str) -> None:
    assert marks.is_ours(as_kept(one), one)
    assert one == two or not marks.is_ours(as_kept(one), two)


def test_installations_that_begin_alike_are_told_apart() -> None:
    assert not marks.is_ours(as_kept("2f6a01bb-7c1f-4a3e"), "2f6a01aa-7c1f-4a3e")


def test_a_mark_of_another_key_is_of_another_try() -> None:
    mark = Mark(installation="here", payment="p")
    pairs = marks.written(mark) | {marks.CHARGE: marks.key_sign("one")}
    assert marks.is_of(mark, "one", pairs)
    assert not marks.is_of(mark, "two", pairs)
    assert not marks.is_of(mark, "one", marks.written(mark))
    assert not marks.is_of(mark, "one", [pairs])
