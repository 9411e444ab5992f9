"""Our mark where a gateway has little room: ours is known, and nobody else's is taken for it."""

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coinslot.gateways import marks
from coinslot.gateways.base import Mark
from coinslot.gateways.collecting import Charge
from coinslot.gateways.tbank import order_ids
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money


def as_kept(installation: str) -> Mark:
    """What T-Bank gives back of a mark: an order id is all that it repeats."""
    charge = Charge(
        money=Money(15000, "RUB"), key="k", mark=Mark(installation=installation),
        description="Cola", return_url="https://shop.example/",
    )  # fmt: skip
    read = order_ids.mark_of(order_ids.order_id(charge))
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


def test_every_part_of_a_mark_is_written_and_read_back() -> None:
    for mark in (
        Mark(installation="here"),
        Mark(installation="here", qr="q"),
        Mark(installation="here", refund="r"),
        Mark(installation="here", payment="p"),
        Mark(installation="here", qr="q", refund="r", payment="p"),
    ):
        assert marks.read(marks.written(mark)) == mark
    assert marks.written(Mark(installation="here", qr="q")) == {"coinslot": "here", "qr": "q"}


def test_no_pair_of_a_merchant_can_pass_for_a_part_of_our_mark() -> None:
    whole = Mark(installation="here", qr="q", refund="r", payment="p")
    assert {*marks.written(whole), marks.CHARGE} == marks.NAMES


@pytest.mark.parametrize(
    "pairs",
    [None, [], "coinslot", {}, {"qr": "q"}, {"coinslot": ""}, {"coinslot": 1}, {"coinslot": "\0"}],
)
def test_what_does_not_name_an_installation_bears_no_mark(pairs: object) -> None:
    assert marks.read(pairs) is None


def test_a_part_of_another_kind_is_no_part_of_a_mark() -> None:
    assert marks.read({"coinslot": "here", "qr": 7, "refund": ""}) == Mark(installation="here")


def test_an_id_of_ours_says_when_it_was_made() -> None:
    now = datetime(2026, 11, 21, 12, 0, 0, 123000, tzinfo=UTC)
    assert marks.made_at(str(uuid7(now))) == now


@pytest.mark.parametrize(
    "theirs",
    [None, "", "x", "00000000-7dec-4d0d-a765-00a0c91e6bf6", f"{'f' * 12}-7fff-8fff-{'f' * 12}"],
)
def test_an_id_of_others_says_no_time(theirs: str | None) -> None:
    assert marks.made_at(theirs) is None


def test_a_sign_is_the_name_itself_only_where_it_fits() -> None:
    assert marks.brief("here_1") == "here_1"
    for name in ("", "here_12", "hére", "he re", "here\n"):
        assert marks.brief(name) != name
        assert len(marks.brief(name)) == 6


def test_no_zero_character_gets_into_a_record() -> None:
    assert marks.clean("a\0b") == "a\ufffdb"


def test_an_installation_knows_its_mark_where_the_gateway_had_room_for_all_of_it() -> None:
    long = "2f6a01bb-7c1f-4a3e"
    assert marks.is_ours(Mark(installation=long), long)
    assert not marks.is_ours(Mark(installation=f"{long}x"), long)


def test_the_key_of_a_charge_does_not_outweigh_whose_it_is() -> None:
    ours, theirs = Mark(installation="here", payment="p"), Mark(installation="there", payment="p")
    pairs = marks.written(theirs) | {marks.CHARGE: marks.key_sign("one")}
    assert not marks.is_of(ours, "one", pairs)


def test_signs_stay_as_they_are_for_gateways_keep_them() -> None:
    assert marks.key_sign("charge-1") == hashlib.sha256(b"charge-1").hexdigest()[:32]
    assert marks.brief("2f6a01bb-7c1f-4a3e") == "HUyxrS"
