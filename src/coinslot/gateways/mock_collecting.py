"""How the mock gateway collects, holds and takes, and the books that it keeps; see `mock.py`."""

import hashlib
from typing import ClassVar

from msgspec.structs import replace

from coinslot.gateways.base import (
    Absent,
    Declined,
    PaymentFact,
    QrFact,
    RefundFact,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Charge, Closed, Pending, Progress, Redirect
from coinslot.kit.clock import Clock
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money

NO, DONE_UNHEARD, UNDONE_UNHEARD, PAYERS_TURN = 1, 2, 3, 4
DECLINED = "declined"  # an instrument that never pays; every other one does


def last_two_digits(money: Money) -> int:
    return money.minor % 100  # they say what is to happen, in whatever currency


class Books:
    """What the gateway itself knows. It lasts as long as the process."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.payments: dict[str, PaymentFact] = {}
        self.refunds: dict[str, RefundFact] = {}  # by key
        self.qr_codes: dict[str, QrFact] = {}
        self.charges: dict[str, Charge] = {}  # by reference, which is made of the key
        self.closed: dict[str, str] = {}  # reference to reason

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{uuid7(self.clock.now()).hex}"

    def paid(self, reference: str, money: Money, *, qr: QrFact | None = None) -> PaymentFact:
        """The money moves; a charge that asked for an authorization gets one."""
        charge = self.charges.get(reference)
        held = charge is not None and not charge.capture
        made = charge or qr
        return PaymentFact(
            gateway_payment_id=reference,
            taken=Taken.AUTHORIZED if held else Taken.CAPTURED,
            money=money,
            at=self.clock.now(),
            qr_code_id=qr.qr_code_id if qr else None,
            mark=made.mark if made else None,
            refunded=Money.zero(money.currency),
        )


class Collecting:
    """`Collects` and `Authorizes`. A charge with a method is paid at once, one without waits."""

    collect_key_life_s: ClassVar[int] = 24 * 60 * 60
    _books: Books

    async def collect(self, charge: Charge) -> Progress | Declined | Unclear:
        reference = f"charge_{hashlib.sha256(charge.key.encode()).hexdigest()[:24]}"
        known, digits = self._books.charges.get(reference), last_two_digits(charge.money)
        if known is not None and known != charge:
            return Unclear("another charge has this key")
        if digits == NO or charge.method == DECLINED:
            return Declined("the bank says no", "card_declined")
        if known is None and digits != UNDONE_UNHEARD:
            self._books.charges[reference] = charge
            if charge.method and digits != PAYERS_TURN:
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

    async def follow(self, reference: str) -> Progress | Absent | Unclear:
        charge = self._books.charges.get(reference)
        return self._stands(reference, charge) if charge else Absent()

    async def find_charge(self, charge: Charge) -> Progress | Absent | Unclear:
        for reference, made in self._books.charges.items():
            if (made.mark, made.key) == (charge.mark, charge.key):
                return self._stands(reference, made)
        return Absent()

    async def stop(self, reference: str) -> Progress | Declined | Unclear:
        charge = self._books.charges.get(reference)
        if charge is None:
            return Declined("no such charge", "absent")
        if reference not in self._books.payments:
            self._books.closed.setdefault(reference, "canceled")
        return self._stands(reference, charge)

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

    async def let_go(self, reference: str, key: str) -> Closed | Declined | Unclear:
        held = self._books.payments.get(reference)
        if held is not None and held.taken is Taken.CAPTURED:
            return Declined("captured already", "captured")
        if held is None and reference not in self._books.closed:
            return Declined("no such authorization", "absent")
        self._books.payments.pop(reference, None)
        self._books.closed.setdefault(reference, "voided")
        return Closed(reference=reference, reason=self._books.closed[reference])
