"""What programs of customers and of staff are answered where nothing is done: by the reason alone,
without a database."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from coinslot.api import staff_orders, stores
from coinslot.counter import codes
from coinslot.counter.basket import BasketError, Sum
from coinslot.counter.contacts import ContactError
from coinslot.counter.delivery import DeliveryError
from coinslot.counter.offers import OfferError
from coinslot.counter.ordering import ClosedError, PriceChangedError, TooManyUnpaidError
from coinslot.counter.pickup import NoSlotError, SlotFullError
from coinslot.counter.staff import CounterError, Why
from coinslot.kit.secrets import Vault
from coinslot.pages.errors import RefusedError

TEA, CAKE = UUID(int=1), UUID(int=2)
MENU: Any = [SimpleNamespace(sku="tea", id=TEA), SimpleNamespace(sku="cake", id=CAKE)]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_COSTS = Sum(goods=900, added_tax=0, tip=0)

NOT_PLACED = (
    (PriceChangedError(880, (), _COSTS), 409, "price_changed",
     {"shownCents": 880, "totalCents": 900, "differenceCents": 20}),
    (PriceChangedError(1000, (), _COSTS), 409, "price_changed",
     {"shownCents": 1000, "totalCents": 900, "differenceCents": -100}),
    (BasketError("sold_out", "cake"), 409, "sold_out", {"menuItemId": str(CAKE)}),
    (BasketError("choice_sold_out", "tea"), 409, "choice_sold_out", {"menuItemId": str(TEA)}),
    (BasketError("options", "tea"), 422, "options", {"menuItemId": str(TEA)}),
    (BasketError("quantity", "tea"), 422, "quantity", {"menuItemId": str(TEA)}),
    (BasketError("empty", ""), 422, "empty", None),
    (DeliveryError("least", 700), 422, "below_minimum", {"leastCents": 700}),
    (DeliveryError("outside"), 422, "not_delivered_there", None),
    (DeliveryError("postcode"), 422, "not_delivered_there", None),
    (OfferError("unknown"), 422, "no_discount", None),
    (OfferError("least", 500), 422, "no_discount", {"leastCents": 500}),
    (NoSlotError(), 409, "no_such_slot", None),
    (SlotFullError(NOON), 409, "slot_full", {"nextPickupAt": "2026-03-01T12:00:00+00:00"}),
    (SlotFullError(None), 409, "slot_full", {"nextPickupAt": None}),
    (ContactError("phone"), 422, "bad_phone", None),
    (ContactError("phone_country"), 422, "phone_country", None),
    (ContactError("email"), 422, "bad_email", None),
    (ContactError("consent"), 422, "consent_missing", None),
    (TooManyUnpaidError(), 429, "too_many_unpaid", None),
    (ClosedError(), 409, "store_closed", None),
)  # fmt: skip


@pytest.mark.parametrize(
    ("error", "status", "code", "details"), NOT_PLACED,
    ids=[f"{type(error).__name__}-{number}" for number, (error, *_) in enumerate(NOT_PLACED)],
)  # fmt: skip
def test_an_order_that_is_not_placed_says_why_and_what_would_do(
    error: Exception, status: int, code: str, details: dict[str, object] | None
) -> None:
    said = stores._not_placed(error, MENU)
    assert (said.status, said.code, said.details) == (status, code, details or {})
    assert str(said)


def test_every_reason_why_none_is_placed_is_answered_and_none_is_a_failure_of_ours() -> None:
    assert set(stores.NOT_PLACED) == {type(error) for error, *_ in NOT_PLACED}


# By its code, since programs go by that; those that are not here are a conflict.
STATUSES = {
    Why.UNKNOWN: 404, Why.NO_REASON: 422, Why.WRONG_CODE: 422, Why.EXPIRED: 410, Why.CROWDED: 429,
}  # fmt: skip


@pytest.mark.parametrize("why", list(Why))
def test_what_staff_may_not_do_has_its_status_and_a_sentence_of_its_own(why: Why) -> None:
    said = staff_orders.refused(CounterError(why, 3))
    assert (said.status, said.code) == (STATUSES.get(why, 409), why.value)
    assert said.details == ({"triesLeft": 3} if why is Why.WRONG_CODE else {})
    others = [str(staff_orders.refused(CounterError(other))) for other in Why if other is not why]
    assert str(said) not in others


def test_a_code_that_was_right_until_the_order_was_ready_is_said_to_be_that_one() -> None:
    said = staff_orders.refused(CounterError(Why.WRONG_CODE, 4, was_before=True))
    assert said.details == {"triesLeft": 4, "wasBeforeReady": True}


def test_a_moment_without_a_zone_is_utc_and_with_one_it_is_that_moment() -> None:
    assert staff_orders._moment(None) is None
    assert staff_orders._moment("2026-03-01T12:00:00") == NOON
    assert staff_orders._moment("2026-03-01T14:00:00+02:00") == NOON
    with pytest.raises(RefusedError):
        staff_orders._moment("2026-03-01 at noon")


@pytest.mark.parametrize(("last", "known"), [(1, ()), (2, (1,)), (4, (1, 2, 3)), (6, (3, 4, 5))])
def test_the_codes_of_the_last_three_versions_are_known_as_codes_of_before(
    last: int, known: tuple[int, ...]
) -> None:
    vault, order = Vault({"1": b"k" * 32}, "1"), UUID(int=7)
    row: Any = {"order_id": order, "code_version": last}
    typed = {version: codes.code_of(vault, order, version) for version in range(last + 2)}
    assert len(set(typed.values())) == len(typed)
    found = {n for n, code in typed.items() if codes.was_before(vault, row, code)}
    assert found == set(known)
    assert not codes.was_before(vault, row, "१२३४५६")
