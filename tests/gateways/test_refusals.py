"""Each gateway's no, in our words: what it is called, and whether asking again can ever help."""

from typing import Any

import pytest

from coinslot.gateways.asking import ABSENT
from coinslot.gateways.base import Declined, Unclear
from coinslot.gateways.razorpay import parse as razorpay_parse
from coinslot.gateways.stripe import parse as stripe_parse
from coinslot.gateways.tbank import parse as tbank_parse
from coinslot.gateways.wire import Reply
from coinslot.gateways.yookassa import parse as yookassa_parse


def meaning(answer: Declined | Unclear | None) -> tuple[str, bool]:
    assert isinstance(answer, Declined), answer
    return answer.code, answer.permanent


def razorpay(status: int, text: str, code: str = "BAD_REQUEST_ERROR") -> Declined | Unclear:
    return razorpay_parse.refused(Reply(status, {"error": {"code": code, "description": text}}))


@pytest.mark.parametrize(
    ("text", "code", "permanent"),
    [
        ("Different request body sent with the same key", "key_reused", True),
        ("The payment has been fully refunded already", "fully_refunded", True),
        ("The refund amount provided is greater than amount captured", "exceeds_capture", True),
        ("Refund is not supported after 6 months", "too_old", True),
        ("The payment status should be captured for action", "not_captured", False),
        ("Your account does not have enough balance", "insufficient_balance", False),
        ("Invalid request sent", "insufficient_balance", False),
        ("Another operation is in progress", "busy", False),
        ("The QR code is already closed", "already_closed", True),
        ("The requested URL was not found on the server", "not_enabled", False),
        ("payment link with given reference_id already exists", "key_reused", True),
        ("Payment link cannot be cancelled", "wrong_state", True),
        ("The id provided does not exist", ABSENT, True),
        ("x is not a valid id", ABSENT, True),
        ("nobody has ever said this", "", True),
    ],
)
def test_razorpays_no(text: str, code: str, permanent: bool) -> None:
    assert meaning(razorpay(400, text)) == (code, permanent)


@pytest.mark.parametrize("status", [401, 403])
def test_razorpay_lets_nobody_in_until_the_keys_are_corrected(status: int) -> None:
    assert meaning(razorpay(status, "Authentication failed")) == ("unauthorized", False)


def test_too_many_calls_pass() -> None:
    assert meaning(razorpay(429, "slow down")) == ("rate_limited", False)
    for refused in (stripe_parse.refused, yookassa_parse.refused):
        assert meaning(refused(Reply(429, {}))) == ("rate_limited", False)


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (408, "x", "BAD_REQUEST_ERROR"),
        (399, "x", "BAD_REQUEST_ERROR"),
        (400, "x", "GATEWAY_ERROR"),
        (400, "x", "SERVER_ERROR"),
        (409, "in progress", "BAD_REQUEST_ERROR"),  # our own first try, perhaps
        (409, "x", "BAD_REQUEST_ERROR"),
    ],
)
def test_what_razorpay_says_that_proves_nothing(status: int, text: str, code: str) -> None:
    assert isinstance(razorpay(status, text, code), Unclear)


def test_what_razorpay_does_not_know_is_absent() -> None:
    assert meaning(razorpay(404, "x")) == (ABSENT, True)
    assert meaning(razorpay(499, "x")) == ("", True)


def tbank(code: str, **more: Any) -> Declined | Unclear | None:
    return tbank_parse.refused({"Success": False, "ErrorCode": code, "Message": "no", **more})


@pytest.mark.parametrize(
    ("codes", "code", "permanent"),
    [
        ("4 8", "wrong_state", False),
        ("202 204 205", "unauthorized", False),
        ("255 325 914", ABSENT, True),
        ("308 309 329 334", "receipt", True),
        ("3001 3019", "not_enabled", False),
        ("3029 3030", "rate_limited", False),
        ("7", "customer", True),
        ("99 1014", "declined", True),
        ("251", "below_minimum", True),
        ("330", "exceeds_capture", True),
        ("1051", "insufficient_funds", True),
        ("3002", "insufficient_balance", False),
        ("3016", "amount_out_of_range", True),
        ("3017", "due_date", True),
        ("201 203 252 253", "invalid", True),
    ],
)
def test_t_banks_no(codes: str, code: str, permanent: bool) -> None:
    for theirs in codes.split():
        assert meaning(tbank(theirs)) == (code, permanent), theirs


@pytest.mark.parametrize("code", ["200", "254", "9999", "", "x"])
def test_a_code_of_t_banks_that_no_page_names_proves_nothing(code: str) -> None:
    assert isinstance(tbank(code), Unclear)


@pytest.mark.parametrize(("success", "code"), [(True, "0"), ("true", "0")])
def test_t_banks_yes_needs_both_of_its_words(success: Any, code: str) -> None:
    assert tbank_parse.refused({"Success": success, "ErrorCode": code}) is None
    assert tbank_parse.refused({"Success": success, "ErrorCode": "1"}) is not None
    assert tbank_parse.refused({"Success": False, "ErrorCode": code}) is not None


def stripe(status: int, **error: str) -> Declined | Unclear:
    said = {"type": "invalid_request_error", "message": "no", **error}
    return stripe_parse.refused(Reply(status, {"error": said}))


@pytest.mark.parametrize(
    ("error", "code", "permanent"),
    [
        ({"code": "resource_missing"}, ABSENT, True),
        ({"code": "charge_already_refunded"}, "fully_refunded", True),
        ({"code": "balance_insufficient"}, "insufficient_balance", False),
        ({"code": "lock_timeout"}, "busy", False),
        ({"code": "payment_intent_unexpected_state"}, "unexpected_state", True),
        ({"message": "Is greater than unrefunded amount on"}, "exceeds_capture", True),
        ({"message": "This does not have a successful charge"}, "not_captured", False),
        ({"message": "Insufficient funds in your Stripe account"}, "insufficient_balance", False),
        ({"param": "expires_at", "code": "x"}, "expires_at", True),
        ({"type": "card_error", "code": "card_declined"}, "card_declined", True),
        ({"type": "card_error", "code": "x", "decline_code": "stolen"}, "stolen", True),
        ({"type": "idempotency_error"}, "key_reused", True),
        ({"code": "of_another_year"}, "of_another_year", True),
    ],
)
def test_stripes_no(error: dict[str, str], code: str, permanent: bool) -> None:
    assert meaning(stripe(400, **error)) == (code, permanent)


@pytest.mark.parametrize("status", [401, 403])
def test_stripe_lets_nobody_in_until_the_key_is_corrected(status: int) -> None:
    assert meaning(stripe(status)) == ("unauthorized", False)


@pytest.mark.parametrize("status", [399, 408, 409])
def test_what_stripe_says_that_proves_nothing(status: int) -> None:
    assert isinstance(stripe(status), Unclear)
    assert isinstance(stripe(400, type="api_error"), Unclear)


def yookassa(status: int, **more: str) -> Declined | Unclear:
    said: dict[str, object] = {
        "type": "error",
        "code": "invalid_request",
        "description": "no",
        **more,
    }
    return yookassa_parse.refused(Reply(status, said))


@pytest.mark.parametrize(
    ("status", "more", "code", "permanent"),
    [
        (400, {"description": "Payment doesn't exist or access denied"}, ABSENT, True),
        (400, {"description": "Idempotence key duplicated"}, "key_reused", True),
        (400, {}, "invalid_request", True),
        (404, {}, ABSENT, True),
        (401, {}, "unauthorized", False),
        (403, {}, "unauthorized", False),
    ],
)
def test_yookassas_no(status: int, more: dict[str, str], code: str, permanent: bool) -> None:
    assert meaning(yookassa(status, **more)) == (code, permanent)


@pytest.mark.parametrize("status", [399, 408, 409])
def test_what_yookassa_says_that_proves_nothing(status: int) -> None:
    assert isinstance(yookassa(status), Unclear)
    assert isinstance(yookassa(400, type="event"), Unclear)


def test_a_no_names_the_field_that_it_is_about() -> None:
    answer = yookassa(400, parameter="amount.value")
    assert isinstance(answer, Declined)
    assert answer.reason == "amount.value: no"


def test_t_banks_no_is_told_with_its_words_and_its_code() -> None:
    answer = tbank("99", Details="ask the bank")
    assert isinstance(answer, Declined)
    assert answer.reason == "no, ask the bank, code 99"
