"""T-Bank as a gateway: the merchant's form, and what the core asks of a terminal."""

import hmac
import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, TypeVar

import msgspec
from msgspec import Struct

from coinslot.gateways import base, fiscal, unread
from coinslot.gateways.asking import ABSENT, known
from coinslot.gateways.base import Absent, Declined, PaymentFact, RefundFact, Taken, Unclear
from coinslot.gateways.collecting import (
    Charge,
    Closed,
    Limits,
    Pending,
    Progress,
    Redirect,
    ShowQr,
)
from coinslot.gateways.form import Choice, asked
from coinslot.gateways.receipts import (
    BeingRegistered,
    Receipt,
    ReceiptLimits,
    ReceiptOrder,
    ReceiptStatus,
    ReceiptTerms,
)
from coinslot.gateways.tbank import build, order_ids, parse, refunds
from coinslot.gateways.tbank.client import Client
from coinslot.gateways.tbank.fiscal import Receipts
from coinslot.gateways.tbank.order_ids import CURRENCY
from coinslot.gateways.wire import Address, Wire
from coinslot.kit.clock import Clock, SystemClock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret

T = TypeVar("T")

name = "tbank"
CLOSES = "../cashbox/SendClosingReceipt"  # beside the API's own path


class Settings(Struct, frozen=True, kw_only=True):
    """One terminal. Without a `method` the payer chooses one on T-Bank's page."""

    terminal_key: Annotated[
        str,
        asked(
            "TerminalKey",
            (
                "T-Business, Online payments, Terminals. A test one ends with DEMO.",
                "T-Business, Online payments, Terminals। परीक्षण वाले के अंत में DEMO है।",
                "Т-Бизнес, Интернет-эквайринг, Терминалы. Тестовый кончается на DEMO.",
            ),
        ),
    ]
    password: Annotated[
        Secret,
        asked(
            ("Password", "पासवर्ड", "Пароль"),
            (
                "Beside the terminal key. It signs calls and notifications.",
                "टर्मिनल की कुंजी के पास। इससे कॉल और सूचनाएँ हस्ताक्षरित होती हैं।",
                "Рядом с ключом терминала. Им подписаны вызовы и уведомления.",
            ),
            former="old_passwords",
        ),
    ]
    old_passwords: tuple[Secret, ...] = ()  # notifications under these are still believed
    method: Annotated[
        str | None,
        asked(  # "sbp" shows a code
            ("Way to pay", "भुगतान का तरीक़ा", "Способ оплаты"),
            (
                "Left empty, the payer chooses on T-Bank's page.",
                "ख़ाली छोड़ें, तो ग्राहक T-Bank के पेज पर चुनता है।",
                "Если не выбрать, покупатель выберет на странице Т-Банка.",
            ),
            choices=(
                Choice("sbp", ("SBP, a code to scan", "SBP, स्कैन का कोड", "СБП, код на экране")),
            ),
        ),
    ] = None
    notification_url: str | None = None  # without it the one that the terminal has
    receipts: Annotated[Receipts | None, fiscal.GROUP] = None
    base_url: str = "https://securepay.tinkoff.ru/v2"


def address(settings: Struct) -> Address:
    assert isinstance(settings, Settings)
    return Address(settings.base_url, live=not settings.terminal_key.endswith("DEMO"))


def practising(settings: Struct, where: base.Practise) -> Settings:
    assert isinstance(settings, Settings)
    return msgspec.structs.replace(settings, base_url=f"{where.sandbox_url}/tbank/v2")


def open(settings: Struct, wire: Wire) -> base.Gateway:
    assert isinstance(settings, Settings)
    return TBank(settings, wire, SystemClock())


class TBank:
    """One terminal: a `Gateway` that `Collects`, `Authorizes`, `MakesReceipts` (of which it only
    tells by itself) and `ClosesReceipts`. A reference is a PaymentId."""

    name: ClassVar[str] = name
    title: ClassVar[str] = "T-Bank"
    currencies: ClassVar[frozenset[str]] = frozenset({CURRENCY})
    minimum_minor: ClassVar[Mapping[str, int]] = {CURRENCY: 100}
    kept_headers: ClassVar[tuple[str, ...]] = ()
    webhook_reply: ClassVar[str | None] = "OK"
    # No life is stated for either key; the driver looks before it sends, whenever it sends.
    refund_key_life_s: ClassVar[int] = 24 * 60 * 60
    collect_key_life_s: ClassVar[int] = 24 * 60 * 60
    limits: ClassVar[Limits] = build.LIMITS
    keeps_no_list: ClassVar[bool] = True
    receipt_limits: ClassVar[ReceiptLimits] = build.RECEIPT_LIMITS

    def __init__(self, settings: Settings, wire: Wire, clock: Clock) -> None:
        self._settings = settings
        self._passwords = [s.reveal() for s in (settings.password, *settings.old_passwords) if s]
        self._client = Client(settings.terminal_key, settings.password, wire)
        self._clock = clock

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> base.Verdict:
        try:
            said = parse.scalars(body)
        except (ValueError, RecursionError):
            return base.Forged("it is not a notification with a token")
        given = str(said.get("Token")).encode(errors="replace")
        tokens = [build.token(said, password).encode() for password in self._passwords]
        matches = [hmac.compare_digest(token, given) for token in tokens]  # all, at any match
        if not any(matches):
            return base.Forged("the token is missing or of another password")
        kind = unread.event_of(body, "Status")
        if said.get("TerminalKey") != self._settings.terminal_key:
            reason = "the notification belongs to another terminal"
            return unread.elsewhere(body, reason, event=kind)
        try:
            return parse.notification(said, self._clock.now())
        except ValueError as error:
            mark = order_ids.mark_of(str(said.get("OrderId")))
            return unread.unreadable(body, error, event=kind, mark=mark)

    async def check(self) -> base.Accepted | Declined | Unclear:
        """It has no call that only signs in: an order that cannot be there is asked for, and the
        answer that it is not there was given to someone whose signature was right."""
        order_id = "coinslot-credentials-check"
        answer = await self._client.send("CheckOrder", {"OrderId": order_id}, parse.order(order_id))
        absent = isinstance(answer, Declined) and answer.code == ABSENT
        return base.Accepted() if absent or isinstance(answer, list) else answer

    async def collect(self, charge: Charge) -> Progress | Declined | Unclear:
        """Init makes another session each time it is sent, so what is there is looked for first."""
        if no := build.impossible(charge.money):
            return no
        found = await self.find_charge(charge)
        if not isinstance(found, Absent):
            return found
        body = build.init(charge, self._settings.receipts, self._settings.notification_url)
        made = await self._client.send("Init", body, parse.one(parse.Made))
        if not isinstance(made, parse.Made):
            return made
        if (made.order_id, made.amount) != (order_ids.order_id(charge), charge.money.minor):
            return Unclear(f"asked for {charge.money}, answered with {made}")
        shown: Redirect | ShowQr | Declined | Unclear = Redirect(made.payment_url)
        if self._by_code(charge):
            shown = await self._code(made.payment_id)
        elif not made.payment_url:
            return Unclear("a session without a page")
        if isinstance(shown, Declined | Unclear):
            return shown
        return Pending(reference=made.payment_id, action=shown, expires_at=charge.expires_at)

    async def follow(self, reference: str) -> Progress | Absent | Unclear:
        said = await self._state(reference)
        return parse.progress(said, self._clock.now()) if isinstance(said, parse.State) else said

    async def find_charge(self, charge: Charge) -> Progress | Absent | Unclear:
        """By our order id. A page's address is never told again; the SBP code of it is."""
        order_id = order_ids.order_id(charge)
        answer = await self._client.send("CheckOrder", {"OrderId": order_id}, parse.order(order_id))
        found = known(answer)
        if not isinstance(found, list):
            return found
        if not found:
            return Absent()
        best = max(found, key=parse.weight)
        progress = parse.progress(best, self._clock.now())
        if best.money != charge.money and not isinstance(progress, Closed):
            return Unclear(f"asked for {charge.money}, and there is {best}")
        if not isinstance(progress, Pending):
            return progress
        shown = await self._code(best.payment_id)
        if self._by_code(charge) and isinstance(shown, Unclear):
            return shown
        action = shown if isinstance(shown, ShowQr) else None
        return msgspec.structs.replace(progress, action=action, expires_at=charge.expires_at)

    async def cancel(self, reference: str) -> Progress | Declined | Unclear:
        """Cancel gives back what was paid meanwhile: a payer who was that quick has paid."""
        now: Progress | Declined | Unclear = _sure(await self.follow(reference))
        if not isinstance(now, Pending):
            return now
        answer = await self._client.send(
            "Cancel", {"PaymentId": reference}, parse.one(parse.Canceled)
        )
        if isinstance(answer, Unclear) or (isinstance(answer, Declined) and answer.permanent):
            return answer
        return _sure(await self.follow(reference))

    async def capture(
        self, reference: str, money: Money, key: str, receipt: Receipt | None = None
    ) -> PaymentFact | Declined | Unclear:
        """The whole of it: of a part nobody could tell later how much of it went refunds."""
        held = _sure(await self.look(reference))
        if not isinstance(held, PaymentFact):
            return held
        if held.money != money:
            return Declined("T-Bank is asked for the whole of what is held", "partial_capture")
        if held.taken is Taken.FAILED:
            return Declined("nothing is held", "not_held")
        if held.taken is Taken.CAPTURED:
            return held
        body = build.confirm(reference, money, receipt, self._settings.receipts)
        answer = await self._client.send("Confirm", body, parse.one(parse.Confirmed))
        if not isinstance(answer, parse.Confirmed):
            return answer
        if (answer.payment_id, answer.status) != (reference, "CONFIRMED"):
            return Unclear(f"asked to confirm, answered with {answer}")
        return msgspec.structs.replace(held, taken=Taken.CAPTURED)

    async def void(self, reference: str, key: str) -> Closed | Declined | Unclear:
        now: Progress | Declined | Unclear = _sure(await self.follow(reference))
        if isinstance(now, PaymentFact) and now.taken is Taken.CAPTURED:
            return Declined("it is captured already", "captured")
        if isinstance(now, Closed | Declined | Unclear):
            return now
        if isinstance(now, Pending) or now.taken is not Taken.AUTHORIZED:
            return Unclear(f"nothing is held yet: {now}")
        body = {"PaymentId": reference, "ExternalRequestId": build.request_id(key)}
        answer = await self._client.send("Cancel", body, parse.one(parse.Canceled))
        if not isinstance(answer, parse.Canceled):
            return answer
        if (answer.payment_id, answer.status) != (reference, "REVERSED"):
            return Unclear(f"asked to let it go, answered with {answer}")
        return Closed(reference=reference, reason=answer.status)

    async def look(self, gateway_payment_id: str) -> PaymentFact | Absent | Unclear:
        said = await self._state(gateway_payment_id)
        return parse.payment(said, self._clock.now()) if isinstance(said, parse.State) else said

    async def give_back(self, order: base.RefundOrder) -> RefundFact | Declined | Unclear:
        """Looked at first: Cancel also ends what is not captured yet, and SBP knows no keys."""
        said = _sure(await self._state(order.gateway_payment_id))
        if not isinstance(said, parse.State):
            return said
        if no := build.impossible(order.money):
            return no
        if said.status in parse.NOT_CAPTURED:
            return Declined(f"the payment is {said.status}", "not_captured", permanent=False)
        if said.status not in parse.CAPTURED:
            return Unclear(f"the payment is {said.status}")
        if refunds.given(said, order):
            return refunds.refund(order, base.RefundStage.PROCESSED, self._clock.now())
        if said.by_sbp and not refunds.untouched(said, order):
            return Unclear(f"the payment is {said.status}, and nothing tells by which refunds")
        body = build.cancel(order, order.money == said.money, self._settings.receipts)
        answer = await self._client.send("Cancel", body, parse.one(parse.Canceled))
        if not isinstance(answer, parse.Canceled):
            return answer
        return refunds.judged(answer, said, order, self._clock.now())

    async def refunds(self, gateway_payment_id: str) -> base.Refunds | Absent | Unclear:
        """T-Bank keeps no list. That nothing went back is all that can be proved."""
        said = await self._state(gateway_payment_id)
        if not isinstance(said, parse.State):
            return said
        nothing = said.status in parse.NOT_CAPTURED | {"CONFIRMED"}
        return base.Refunds((), complete=nothing)

    async def close_receipt(self, order: ReceiptOrder) -> ReceiptStatus | Declined | Unclear:
        """It knows no keys, and nobody can ask what became of it: it tells by itself."""
        body = build.closing(order)
        answer = await self._client.send(CLOSES, body, parse.done)
        return BeingRegistered() if answer is None else answer

    @property
    def receipt_terms(self) -> ReceiptTerms | None:
        wanted = self._settings.receipts
        return None if wanted is None else wanted.terms()

    def _by_code(self, charge: Charge) -> bool:
        return charge.capture and (charge.method or self._settings.method) == "sbp"

    async def _code(self, payment_id: str) -> ShowQr | Declined | Unclear:
        body = {"PaymentId": payment_id, "DataType": "PAYLOAD"}
        code = await self._client.send("GetQr", body, parse.one(parse.Code))
        return ShowQr(text=code.data) if isinstance(code, parse.Code) else code

    async def _state(self, payment_id: str) -> parse.State | Absent | Unclear:
        if not re.fullmatch(parse.SHAPE, payment_id):
            return Absent()
        said = known(
            await self._client.send("GetState", {"PaymentId": payment_id}, parse.one(parse.State))
        )
        if isinstance(said, parse.State) and said.payment_id != payment_id:
            return Unclear(f"asked for {payment_id}, answered with {said}")
        return said


def _sure(answer: T | Absent | Unclear) -> T | Declined | Unclear:
    """For commands: what is not there cannot be done anything with."""
    return Declined("no such payment", ABSENT) if isinstance(answer, Absent) else answer
