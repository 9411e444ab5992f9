"""How the mock gateway collects, holds and takes; see `mock.py`."""

import hashlib
from typing import ClassVar

from msgspec.structs import replace

from coinslot.gateways.base import Absent, Declined, PaymentFact, Taken, Unclear
from coinslot.gateways.collecting import Charge, Closed, Limits, Pending, Progress, Redirect
from coinslot.gateways.mock_books import Books, at_the_books
from coinslot.kit.money import Money

NO, DONE_UNHEARD, UNDONE_UNHEARD, PAYERS_TURN = 1, 2, 3, 4
DECLINED = "declined"  # an instrument that never pays; every other one does


def last_two_digits(money: Money) -> int:
    return money.minor % 100  # they say what is to happen, in whatever currency


class Collecting:
    """`Collects` and `Authorizes`. A charge with a method is paid at once, one without waits."""

    limits: ClassVar[Limits] = Limits(
        pairs=47, name_chars=40, value_chars=500, description_chars=250
    )
    collect_key_life_s: ClassVar[int] = 5  # so short that what was lost is soon looked for
    _books: Books
    _method: str | None = None  # of charges that name none

    @at_the_books
    async def collect(self, charge: Charge) -> Progress | Declined | Unclear:
        reference = f"charge_{hashlib.sha256(charge.key.encode()).hexdigest()[:24]}"
        method = charge.method or self._method
        known, digits = self._books.charges.get(reference), last_two_digits(charge.money)
        if known is not None and known != charge:
            return Unclear("another charge has this key")
        if digits == NO or method == DECLINED:
            return Declined("the bank says no", "card_declined")
        if known is None and digits != UNDONE_UNHEARD:
            self._books.charges[reference] = charge
            if method and digits != PAYERS_TURN:
                self._books.payments[reference] = self._books.paid(reference, charge.money)
        if digits == UNDONE_UNHEARD or (digits == DONE_UNHEARD and known is None):
            return Unclear("time-out")
        return self._stands(reference, charge)

    def _stands(self, reference: str, charge: Charge) -> Progress:
        if reference in self._books.payments:
            return self._books.payments[reference]
        if reference in self._books.closed:
            return Closed(reference=reference, reason=self._books.closed[reference])
        page = Redirect(f"http://mock.invalid/{reference}")
        return Pending(reference=reference, action=page, expires_at=charge.expires_at)

    @at_the_books
    async def follow(self, reference: str) -> Progress | Absent | Unclear:
        charge = self._books.charges.get(reference)
        return self._stands(reference, charge) if charge else Absent()

    @at_the_books
    async def find_charge(self, charge: Charge) -> Progress | Absent | Unclear:
        for reference, made in self._books.charges.items():
            if (made.mark, made.key) == (charge.mark, charge.key):
                return self._stands(reference, made)
        return Absent()

    @at_the_books
    async def stop(self, reference: str) -> Progress | Declined | Unclear:
        charge = self._books.charges.get(reference)
        if charge is None:
            return Declined("no such charge", "absent")
        if reference not in self._books.payments:
            self._books.closed.setdefault(reference, "canceled")
        return self._stands(reference, charge)

    @at_the_books
    async def take(
        self, reference: str, money: Money, key: str
    ) -> PaymentFact | Declined | Unclear:
        held = self._books.payments.get(reference)
        if held is None:
            return Declined("no such payment", "absent")
        if held.taken is Taken.CAPTURED:
            return held if held.money == money else Declined("captured already", "captured")
        if money.currency != held.money.currency or money > held.money:
            return Declined("not what was authorized", "exceeds_authorization")
        self._books.payments[reference] = replace(held, taken=Taken.CAPTURED, money=money)
        return self._books.payments[reference]

    @at_the_books
    async def let_go(self, reference: str, key: str) -> Closed | Declined | Unclear:
        held = self._books.payments.get(reference)
        if held is not None and held.taken is Taken.CAPTURED:
            return Declined("captured already", "captured")
        if held is None and reference not in self._books.closed:
            return Declined("no such authorization", "absent")
        self._books.payments.pop(reference, None)
        self._books.closed.setdefault(reference, "voided")
        return Closed(reference=reference, reason=self._books.closed[reference])
