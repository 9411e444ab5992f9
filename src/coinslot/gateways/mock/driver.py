"""A gateway without a network, to try things out with; written to be copied for a real driver.

The last two digits of what is printed or paid decide: 01 is declined, 02 times out although it
was done, 03 times out and was not, 04 is the payer's turn even with a method, all else succeeds.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from uuid import uuid4

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from coinslot.gateways import base, unread
from coinslot.gateways.base import (
    Absent,
    Declined,
    Mark,
    PaymentFact,
    Payments,
    QrFact,
    RefundFact,
    Refunds,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Charge, Closed, Limits, Pending, Progress, Redirect
from coinslot.gateways.form import Choice, asked
from coinslot.gateways.mock.books import Books, BooksOnFile, with_books
from coinslot.gateways.receipts import Receipt
from coinslot.gateways.wire import Address, Wire
from coinslot.kit.clock import SystemClock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret, hmac_hex

NO, DONE_UNHEARD, UNDONE_UNHEARD, PAYERS_TURN = 1, 2, 3, 4
UNSAID = "unsaid"  # a fee that nobody knows of
_ALL_BP = 10_000
DECLINED = "declined"  # an instrument that never pays; every other one does

# 1. What `drivers()` looks for: a name, the merchant's form, where the API is, and `open`.
name = "mock"


class Settings(Struct, frozen=True, kw_only=True):
    """One account of the mock gateway."""

    webhook_secrets: tuple[Secret, ...] = ()
    account_id: str = "mock"
    # Of charges that name none: with one, they are paid at once.
    method: Annotated[
        str | None,
        asked(
            ("Way to pay", "भुगतान का तरीक़ा", "Способ оплаты"),
            (
                "Left empty, the payer has to act.",
                "ख़ाली छोड़ें, तो ग्राहक को कुछ करना होगा।",
                "Если не выбрать, ход за покупателем.",
            ),
            choices=(
                Choice("card", ("Paid at once", "तुरंत भुगतान", "Оплата сразу")),
                Choice("declined", ("Never paid", "भुगतान कभी नहीं", "Без оплаты")),
            ),
        ),
    ] = None
    fee_percent: Annotated[
        Literal["1", "2", "3", "unsaid"] | None,
        asked(
            ("Fee", "शुल्क", "Комиссия"),
            (
                "What it says it keeps of each payment, to see what becomes of your profit.",
                "यह हर भुगतान में से कितना रखना बताए, ताकि मुनाफ़े पर असर दिखे।",
                "Сколько он говорит, что удержал с платежа: видно, что остаётся от прибыли.",
            ),
            choices=(
                *(Choice(one, (f"{one} %",) * 3) for one in ("1", "2", "3")),
                Choice(UNSAID, ("It does not say", "नहीं बताता", "Не сообщает")),
            ),
            empty=("None", "कुछ नहीं", "Без комиссии"),
        ),
    ] = None
    books: str | None = None  # a file that outlives the process, and is shared between several


def address(settings: Struct) -> Address:
    return Address("http://mock.invalid", live=False)  # never called


def practising(settings: Struct, where: base.Practise) -> Settings:
    assert isinstance(settings, Settings)
    if not where.folder:
        return settings
    return replace(settings, books=str(Path(where.folder) / f"mock-{uuid4().hex}.json"))


def open(settings: Struct, wire: Wire) -> base.Gateway:
    assert isinstance(settings, Settings)
    clock = SystemClock()
    return Mock(
        settings, BooksOnFile(clock, Path(settings.books)) if settings.books else Books(clock)
    )


class _Event(Struct):
    id: str
    account_id: str
    event: str
    facts: tuple[base.Fact, ...]


class Mock:
    """One account: a `Gateway` with every power but `Settles`, and its own paying customer."""

    # 2. Facts about the gateway.
    name: ClassVar[str] = name
    title: ClassVar[str] = "Practice gateway"
    currencies: ClassVar[frozenset[str]] = frozenset({"INR", "EUR", "RUB", "USD"})
    minimum_minor: ClassVar[Mapping[str, int]] = dict.fromkeys(currencies, 1)
    kept_headers: ClassVar[tuple[str, ...]] = ("x-mock-signature",)
    webhook_reply: ClassVar[str | None] = None
    refund_key_life_s: ClassVar[int] = 24 * 60 * 60
    collect_key_life_s: ClassVar[int] = 5  # so short that what was lost is soon looked for
    limits: ClassVar[Limits] = Limits(
        pairs=47, name_chars=40, value_chars=500, description_chars=250
    )

    def __init__(self, settings: Settings, books: Books) -> None:
        self._secrets = [s.reveal().encode() for s in settings.webhook_secrets if s]
        self._account_id = settings.account_id
        self._method = settings.method  # of charges that name none
        self._fee_percent = settings.fee_percent or "0"
        self._books = books

    # 3. Webhooks: signature on the raw bytes first, then the account, then the content.
    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> base.Verdict:
        given = headers.get("x-mock-signature", "").encode(errors="replace")
        matches = [hmac.compare_digest(hmac_hex(s, body).encode(), given) for s in self._secrets]
        if not any(matches):
            return base.Forged("the signature is missing or of another secret")
        try:
            event = msgspec.json.decode(body, type=_Event)
        except (ValueError, RecursionError) as error:
            return unread.unreadable(body, error)
        if event.account_id != self._account_id:
            return unread.elsewhere(body, "the event belongs to another account")
        return base.Genuine(delivery_id=event.id, event=event.event, facts=event.facts)

    def webhook(self, event: str, *facts: base.Fact) -> tuple[dict[str, str], bytes]:
        """The headers and the body with which this gateway would tell of the facts."""
        told = msgspec.json.encode((event, facts))
        event_id = hashlib.sha256(told).hexdigest()
        body = msgspec.json.encode(_Event(event_id, self._account_id, event, facts))
        return {"x-mock-signature": hmac_hex(self._secrets[0], body)}, body

    async def check(self) -> base.Accepted | Declined | Unclear:
        """There is nobody who would not know us."""
        return base.Accepted()

    # 4. Payments and refunds: say Absent, Declined or Unclear, and never raise.
    @with_books
    async def look(self, gateway_payment_id: str) -> PaymentFact | Absent | Unclear:
        return self._books.payments.get(gateway_payment_id, Absent())

    @with_books
    async def pay(
        self, reference: str, money: Money, *, qr_code_id: str | None = None
    ) -> PaymentFact | Declined | Unclear:
        """A customer pays. The reference becomes the payment's id; paid again, it is the same."""
        known, qr = self._books.payments.get(reference), self._books.qr_codes.get(qr_code_id or "")
        if known:
            return known
        if last_two_digits(money) == 1:
            return Declined("the bank says no", "declined")
        if reference in self._books.closed:
            return Declined("this charge is closed", "closed")
        fact = self._with_fee(self._books.paid(reference, money, qr=qr))
        if last_two_digits(money) != 3:
            self._books.payments[reference] = fact
        return Unclear("time-out") if last_two_digits(money) in (2, 3) else fact

    @with_books
    async def give_back(self, order: base.RefundOrder) -> RefundFact | Declined | Unclear:
        if order.key in self._books.refunds:
            fact = self._books.refunds[order.key]
            same = order.gateway_payment_id == fact.gateway_payment_id and order.money == fact.money
            return fact if same else Declined("another refund has this key", "key_reused")
        payment = self._books.payments.get(order.gateway_payment_id)
        if payment is None:
            return Declined("no such payment", "absent")
        if payment.taken is not Taken.CAPTURED:
            return Declined("not captured yet", "not_captured", permanent=False)
        if payment.money.currency != order.money.currency:
            return Declined("the payment is in another currency", "currency")
        refunded = (payment.refunded or Money.zero(payment.money.currency)) + order.money
        if refunded > payment.money:
            return Declined("more than is left of the payment", "exceeds_capture")
        fact = RefundFact(
            gateway_refund_id=self._books.new_id("refund"),
            gateway_payment_id=order.gateway_payment_id,
            stage=base.RefundStage.PROCESSED,
            money=order.money,
            at=self._books.clock.now(),
            mark=order.mark,
        )
        self._books.payments[order.gateway_payment_id] = replace(payment, refunded=refunded)
        self._books.refunds[order.key] = fact
        return fact

    @with_books
    async def refunds(self, gateway_payment_id: str) -> Refunds | Absent | Unclear:
        if gateway_payment_id not in self._books.payments:
            return Absent()
        made = self._books.refunds.values()
        return Refunds(tuple(f for f in made if f.gateway_payment_id == gateway_payment_id))

    # 5. An optional power, `PrintsQr`: leave it out where the gateway has no QR codes.
    @with_books
    async def print_qr(self, order: base.QrOrder) -> QrFact | Declined | Unclear:
        if last_two_digits(order.money) == 1:
            return Declined("this amount is declined", "declined")
        qr_code_id = self._books.new_id("qr")
        fact = QrFact(
            qr_code_id=qr_code_id,
            image_url=f"http://mock.invalid/{qr_code_id}.png",
            open=True,
            reusable=order.reusable,
            money=order.money,
            expires_at=order.close_by,
            mark=order.mark,
        )
        if last_two_digits(order.money) != 3:
            self._books.qr_codes[qr_code_id] = fact
        return Unclear("time-out") if last_two_digits(order.money) in (2, 3) else fact

    @with_books
    async def find_qr(self, mark: Mark) -> QrFact | Absent | Unclear:
        sign = (mark.installation, mark.qr)
        known = self._books.qr_codes.values()
        ours = [qr for qr in known if qr.mark and (qr.mark.installation, qr.mark.qr) == sign]
        return max(ours, key=lambda qr: qr.open, default=Absent())

    @with_books
    async def close_qr(self, qr_code_id: str) -> QrFact | Declined | Unclear:
        qr = self._books.qr_codes.get(qr_code_id)
        if qr is None:
            return Declined("no such QR code", "absent")
        if qr.open:
            qr = replace(qr, open=False, closed_at=self._books.clock.now())
            self._books.qr_codes[qr_code_id] = qr
        return qr

    @with_books
    async def qr_payments(self, qr_code_id: str, since: datetime) -> Payments | Absent | Unclear:
        if qr_code_id not in self._books.qr_codes:
            return Absent()
        paid = self._books.payments.values()
        return Payments(tuple(p for p in paid if p.qr_code_id == qr_code_id and p.at >= since))

    @with_books
    async def qr_of_payment(self, gateway_payment_id: str) -> QrFact | Absent | Unclear:
        payment = self._books.payments.get(gateway_payment_id)
        return self._books.qr_codes.get((payment and payment.qr_code_id) or "", Absent())

    # 6. `Collects`: a charge with a method is paid at once, one without waits for its payer.
    @with_books
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
                paid = self._books.paid(reference, charge.money)
                self._books.payments[reference] = self._with_fee(paid)
        if digits == UNDONE_UNHEARD or (digits == DONE_UNHEARD and known is None):
            return Unclear("time-out")
        return self._stands(reference, charge)

    @with_books
    async def follow(self, reference: str) -> Progress | Absent | Unclear:
        charge = self._books.charges.get(reference)
        return self._stands(reference, charge) if charge else Absent()

    @with_books
    async def find_charge(self, charge: Charge) -> Progress | Absent | Unclear:
        for reference, made in self._books.charges.items():
            if (made.mark, made.key) == (charge.mark, charge.key):
                return self._stands(reference, made)
        return Absent()

    @with_books
    async def cancel(self, reference: str) -> Progress | Declined | Unclear:
        charge = self._books.charges.get(reference)
        if charge is None:
            return Declined("no such charge", "absent")
        if reference not in self._books.payments:
            self._books.closed.setdefault(reference, "canceled")
        return self._stands(reference, charge)

    def _with_fee(self, paid: PaymentFact) -> PaymentFact:
        """Of what was only held nothing is kept."""
        if paid.taken is not Taken.CAPTURED or self._fee_percent == UNSAID:
            return paid
        minor = (paid.money.minor * int(f"{self._fee_percent}00") + _ALL_BP // 2) // _ALL_BP
        return replace(paid, fee=Money(minor, paid.money.currency))

    def _stands(self, reference: str, charge: Charge) -> Progress:
        if reference in self._books.payments:
            return self._books.payments[reference]
        if reference in self._books.closed:
            return Closed(reference=reference, reason=self._books.closed[reference])
        page = Redirect(f"http://mock.invalid/{reference}")
        return Pending(reference=reference, action=page, expires_at=charge.expires_at)

    # 7. `Authorizes`.
    @with_books
    async def capture(
        self, reference: str, money: Money, key: str, receipt: Receipt | None = None
    ) -> PaymentFact | Declined | Unclear:
        held = self._books.payments.get(reference)
        if held is None:
            return Declined("no such payment", "absent")
        if held.taken is Taken.CAPTURED:
            return held if held.money == money else Declined("captured already", "captured")
        if money.currency != held.money.currency or money > held.money:
            return Declined("not what was authorized", "exceeds_authorization")
        taken = replace(held, taken=Taken.CAPTURED, money=money)
        self._books.payments[reference] = self._with_fee(taken)
        return self._books.payments[reference]

    @with_books
    async def void(self, reference: str, key: str) -> Closed | Declined | Unclear:
        held = self._books.payments.get(reference)
        if held is not None and held.taken is Taken.CAPTURED:
            return Declined("captured already", "captured")
        if held is None and reference not in self._books.closed:
            return Declined("no such authorization", "absent")
        self._books.payments.pop(reference, None)
        self._books.closed.setdefault(reference, "voided")
        return Closed(reference=reference, reason=self._books.closed[reference])

    # 8. `ListsPayments`: what happened in a span of time.
    @with_books
    async def payments_between(self, since: datetime, until: datetime) -> Payments | Unclear:
        paid = self._books.payments.values()
        return Payments(tuple(fact for fact in paid if since <= fact.at < until))

    @with_books
    async def refunds_between(self, since: datetime, until: datetime) -> Refunds | Unclear:
        made = self._books.refunds.values()
        return Refunds(tuple(fact for fact in made if since <= fact.at < until))


def last_two_digits(money: Money) -> int:
    return money.minor % 100  # they say what is to happen, in whatever currency
