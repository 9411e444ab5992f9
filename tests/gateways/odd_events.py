"""What gateways send that is genuine and odd, and genuine events of ours that are spoiled in every
way in which a gateway's next version may spoil them. Signed as each gateway signs."""

import hashlib
import hmac
import json
import random
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, NamedTuple

from coinslot.gateways import razorpay, stripe, tbank, yookassa
from coinslot.gateways.base import PEER, Gateway, Mark
from coinslot.gateways.collecting import Charge
from coinslot.gateways.tbank import build, order_ids
from coinslot.kit.clock import SettableClock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.rigs import silent_wire

Said = dict[str, Any]
AT = datetime.fromtimestamp(1_700_000_000, UTC)
SECRET, TERMINAL, SHOP = "secret of the webhooks", "TestTerminal", "100500"
PAYMENT = "018f0000-0000-7000-8000-000000000001"
OURS = {"coinslot": "here", "payment": PAYMENT}
ORDER_ID = order_ids.order_id(
    Charge(
        money=Money(15000, "RUB"), key="k", mark=Mark(installation="here", payment=PAYMENT),
        description="", return_url="https://shop.example/",
    )
)  # fmt: skip


class Voice(NamedTuple):
    """One gateway: events of ours, odd ones of others, and how a body gets its headers."""

    till: Gateway
    ours: tuple[Said, ...]
    others: tuple[Said, ...]
    signed: Callable[[Said], tuple[dict[str, str], bytes]]
    names: frozenset[str]  # ids of ours that stand in them
    whole: frozenset[str]  # fields in which a genuine event may say that nothing was paid


def _stripe_event(kind: str, thing: Mapping[str, Any], **more: Any) -> Said:
    said = {"id": "evt_1", "object": "event", "created": 1_700_000_000, "livemode": False}
    return said | {"type": kind, "data": {"object": dict(thing)}} | more


_SESSION: Said = {
    "id": "cs_ours_1", "object": "checkout.session", "status": "complete", "mode": "payment",
    "payment_status": "paid", "amount_total": 4000, "currency": "usd",
    "payment_intent": "pi_ours_1", "metadata": OURS,
}  # fmt: skip
_INTENT: Said = {
    "id": "pi_ours_1", "object": "payment_intent", "amount": 4000, "amount_received": 4000,
    "currency": "usd", "created": 1_699_999_000, "status": "succeeded", "metadata": OURS,
    "latest_charge": "ch_ours_1",
}  # fmt: skip
_CHARGE: Said = {
    "id": "ch_ours_1", "object": "charge", "amount": 4000, "amount_captured": 4000,
    "amount_refunded": 1500, "captured": True, "currency": "usd", "created": 1_699_999_000,
    "payment_intent": "pi_ours_1", "metadata": OURS,
}  # fmt: skip
_REFUND: Said = {
    "id": "re_ours_1", "object": "refund", "amount": 1500, "currency": "usd",
    "created": 1_699_999_500, "payment_intent": "pi_ours_1", "status": "succeeded",
    "metadata": {"coinslot": "here", "refund": PAYMENT},
}  # fmt: skip
_DISPUTE: Said = {
    "id": "dp_ours_1", "object": "dispute", "amount": 4000, "currency": "usd", "status": "lost",
    "reason": "fraudulent", "payment_intent": "pi_ours_1", "charge": "ch_ours_1",
}  # fmt: skip
_NOBODY: Said = {"metadata": {}}
_THEIRS: Said = {"id": "pi_theirs", "payment_intent": "pi_theirs", "metadata": {}}


def _sign_stripe(said: Said) -> tuple[dict[str, str], bytes]:
    body = json.dumps(said).encode()
    signed = hmac.new(SECRET.encode(), b"1700000000." + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t=1700000000,v1={signed}"}, body


def at_stripe() -> Voice:
    settings = stripe.Settings(secret_key=Secret("sk_test_1"), webhook_secrets=(Secret(SECRET),))
    setup = _SESSION | _NOBODY | {
        "id": "cs_theirs", "mode": "setup", "payment_intent": None, "amount_total": None,
        "currency": None, "payment_status": "no_payment_required",
    }  # fmt: skip
    return Voice(
        stripe.Stripe(settings, silent_wire(), SettableClock(AT)),
        ours=(
            _stripe_event("checkout.session.completed", _SESSION),
            _stripe_event("payment_intent.succeeded", _INTENT),
            _stripe_event("charge.refunded", _CHARGE),
            _stripe_event("refund.created", _REFUND),
            _stripe_event("charge.dispute.closed", _DISPUTE),
        ),
        others=(
            _stripe_event("checkout.session.completed", setup),
            _stripe_event("checkout.session.completed", setup | {"mode": "subscription"}),
            _stripe_event("checkout.session.completed", setup | {"payment_status": "paid"}),
            _stripe_event("payment_intent.succeeded", _INTENT | _THEIRS | {"currency": "bgn"}),
            _stripe_event("payment_intent.succeeded", _INTENT | _THEIRS | {"currency": "std"}),
            _stripe_event(
                "payment_intent.succeeded", _INTENT | _THEIRS | {"amount": 0, "amount_received": 0}
            ),
            _stripe_event("charge.refunded", _CHARGE | _THEIRS | {"currency": "bgn"}),
            _stripe_event("charge.refunded", _CHARGE | _THEIRS | {"payment_intent": None}),
            _stripe_event("refund.created", _REFUND | _THEIRS | {"status": None}),
            _stripe_event("refund.updated", _REFUND | _THEIRS | {"status": "in_transit"}),
            _stripe_event("charge.dispute.created", _DISPUTE | _THEIRS | {"amount": -1}),
            _stripe_event("charge.dispute.created", {"id": 7}),
            {"id": "evt_2", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found",
             "created": "2026-11-01T00:00:00.000Z", "livemode": False,
             "related_object": {"id": "mtr_1", "type": "billing.meter"}},
            {"id": "evt_3", "object": "event", "type": "payment_intent.succeeded"},
            {"object": "event"},
        ),
        signed=_sign_stripe,
        names=frozenset({"cs_ours_1", "pi_ours_1", "ch_ours_1", "re_ours_1", "dp_ours_1"}),
        whole=frozenset({"captured", "type", "payment_status", "mode"}),
    )  # fmt: skip


def _razorpay_event(kind: str, **entities: Mapping[str, Any]) -> Said:
    payload = {name: {"entity": dict(entity)} for name, entity in entities.items()}
    said: Said = {"entity": "event", "account_id": "acc_ours", "event": kind}
    return said | {"contains": list(entities), "payload": payload, "created_at": 1_700_000_005}


_PAID: Said = {
    "id": "pay_ours_1", "entity": "payment", "amount": 4000, "currency": "INR",
    "status": "captured", "captured": True, "created_at": 1_700_000_000, "notes": OURS,
}  # fmt: skip
_BACK: Said = {
    "id": "rfnd_ours_1", "payment_id": "pay_ours_1", "amount": 4000, "currency": "INR",
    "status": "processed", "created_at": 1_700_000_100,
    "notes": {"coinslot": "here", "refund": PAYMENT},
}  # fmt: skip
_CODE: Said = {
    "id": "qr_ours_1", "usage": "multiple_use", "status": "active", "payment_amount": 4000,
    "notes": OURS,
}  # fmt: skip
_CLAIM: Said = {
    "id": "disp_ours_1", "payment_id": "pay_ours_1", "amount": 4000, "currency": "INR",
    "status": "lost", "created_at": 1_700_000_000,
}  # fmt: skip
_ALIEN: Said = {"id": "pay_theirs", "notes": []}


def _sign_razorpay(said: Said) -> tuple[dict[str, str], bytes]:
    body = json.dumps(said).encode()
    signed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"x-razorpay-signature": signed}, body


def at_razorpay() -> Voice:
    settings = razorpay.Settings(
        key_id="rzp_test_1", key_secret=Secret("shh"), webhook_secrets=(Secret(SECRET),),
        account_id="acc_ours",
    )  # fmt: skip
    their_refund = _BACK | {"payment_id": "pay_theirs", "id": "rfnd_theirs", "notes": []}
    mandate = _PAID | _ALIEN | {"amount": 0, "method": "emandate", "status": "authorized"}
    return Voice(
        razorpay.Razorpay(settings, silent_wire()),
        ours=(
            _razorpay_event("payment.captured", payment=_PAID),
            _razorpay_event("qr_code.credited", payment=_PAID, qr_code=_CODE),
            _razorpay_event("refund.processed", refund=_BACK, payment=_PAID),
            _razorpay_event("payment.dispute.lost", payment=_PAID, dispute=_CLAIM),
        ),
        others=(
            _razorpay_event("payment.authorized", payment=mandate),
            _razorpay_event("payment.captured", payment=mandate | {"status": "captured"}),
            _razorpay_event("payment.captured", payment=_PAID | _ALIEN | {"currency": "BGN"}),
            _razorpay_event("payment.authorized", payment=_PAID | _ALIEN | {"status": "pending"}),
            _razorpay_event("payment.failed", payment=_PAID | _ALIEN | {"status": "on_hold"}),
            _razorpay_event("refund.created", refund=their_refund | {"status": "created"}),
            _razorpay_event("refund.created", refund=their_refund | {"status": None}),
            _razorpay_event("refund.processed", refund=their_refund | {"amount": 0}),
            _razorpay_event("qr_code.credited", payment=_PAID | _ALIEN, qr_code={"id": "qr_x"}),
            _razorpay_event("payment_link.paid", payment_link={"id": "plink_theirs"}),
            _razorpay_event("subscription.charged", subscription={"id": "sub_1"}),
            _razorpay_event("payment.captured") | {"account_id": "acc_theirs"},
            {"event": "payment.captured", "payload": [[]], "created_at": "soon"},
            {"entity": "event"},
        ),
        signed=_sign_razorpay,
        names=frozenset({"pay_ours_1", "rfnd_ours_1", "qr_ours_1", "disp_ours_1"}),
        whole=frozenset({"captured", "event", "account_id"}),
    )


_MOVED: Said = {
    "id": "22e12f66-000f-5000-8000-18db351245c7", "status": "succeeded", "paid": True,
    "amount": {"value": "150.00", "currency": "RUB"}, "created_at": "2026-01-01T00:00:00.000Z",
    "recipient": {"account_id": SHOP, "gateway_id": "7"}, "metadata": OURS,
}  # fmt: skip


def _told(event: str, thing: object) -> Said:
    return {"type": "notification", "event": event, "object": thing}


def _sign_yookassa(said: Said) -> tuple[dict[str, str], bytes]:
    return {PEER: "185.71.76.1"}, json.dumps(said).encode()


def at_yookassa() -> Voice:
    settings = yookassa.Settings(shop_id=SHOP, secret_key=Secret("test_key"))
    back = {"id": "33e12f66-000f-5000-8000-18db351245c7", "payment_id": _MOVED["id"]}
    return Voice(
        yookassa.YooKassa(settings, silent_wire(), SettableClock(AT)),
        ours=(_told("payment.succeeded", _MOVED), _told("refund.succeeded", _MOVED | back)),
        others=(
            _told("payout.succeeded", {"id": "po-1", "amount": None}),
            _told("deal.closed", []),
            _told("payment_method.active", {"id": {"of": "something"}}),
            _told("payment.succeeded", _MOVED | {"recipient": {"account_id": "7"}}),
            _told("payment.succeeded", {"id": 7}),
            {"type": "other", "event": "x"},
            {},
        ),
        signed=_sign_yookassa,
        names=frozenset({_MOVED["id"], back["id"]}),
        whole=frozenset({"event"}),
    )


_CONFIRMED: Said = {
    "TerminalKey": TERMINAL, "OrderId": ORDER_ID, "Success": True, "Status": "CONFIRMED",
    "PaymentId": 700001, "ErrorCode": "0", "Amount": 15000, "CardId": 1,
}  # fmt: skip


def _sign_tbank(said: Said) -> tuple[dict[str, str], bytes]:
    plain = json.loads(json.dumps(said), parse_int=str, parse_float=str, parse_constant=str)
    token = build.token(plain, SECRET)
    return {}, json.dumps(said | {"Token": token}).encode()


def at_tbank() -> Voice:
    settings = tbank.Settings(terminal_key=TERMINAL, password=Secret(SECRET))
    theirs = {"OrderId": "21090", "PaymentId": 42, "Status": "CONFIRMED"}
    return Voice(
        tbank.TBank(settings, silent_wire(), SettableClock(AT)),
        ours=(_CONFIRMED, _CONFIRMED | {"Status": "REFUNDED"}),
        others=(
            _CONFIRMED | theirs | {"Amount": 0},
            _CONFIRMED | theirs | {"Amount": -1},
            _CONFIRMED | theirs | {"Status": "SOMETHING_NEW"},
            _CONFIRMED | theirs | {"PaymentId": None},
            _CONFIRMED | theirs | {"Status": "RECEIPT", "Receipt": {"Items": [[[]]]}},
            {"TerminalKey": TERMINAL, "NotificationType": "LINKACCOUNT", "Success": True},
            {"TerminalKey": "AnotherTerminal", "Status": "CONFIRMED", "PaymentId": 1},
            {"TerminalKey": TERMINAL},
        ),
        signed=_sign_tbank,
        names=frozenset({"700001"}),
        whole=frozenset({"NotificationType"}),
    )


VOICES: Mapping[str, Callable[[], Voice]] = {
    "stripe": at_stripe, "razorpay": at_razorpay, "yookassa": at_yookassa, "tbank": at_tbank,
}  # fmt: skip
SPOILED: tuple[object, ...] = (
    None, 0, -1, 10**30, 1.5, "", "unheard_of", "bgn", True, [], {}, [[{"id": [None]}]], "a\0b",
    {"value": "1e9", "currency": "?"}, "\ud83d\ude00" * 300,
)  # fmt: skip
_GONE = object()


def spoil(voice: Voice, dice: random.Random, times: int) -> Said:
    """An event of ours in which fields are dropped or say something else."""
    said = deepcopy(dice.choice(voice.ours))
    for _ in range(times):
        holder, field = dice.choice(list(_leaves(said, voice.whole)))
        new = dice.choice((*SPOILED, _GONE))
        if new is _GONE:
            del holder[field]
        else:
            holder[field] = deepcopy(new)
    return said


def _leaves(said: Any, kept: frozenset[str]) -> list[tuple[Said, str]]:
    found: list[tuple[Said, str]] = []
    for name, value in said.items():
        if name in kept:
            continue
        if isinstance(value, dict) and value and name not in ("metadata", "notes"):
            found += _leaves(value, kept)
        else:
            found.append((said, name))
    return found
