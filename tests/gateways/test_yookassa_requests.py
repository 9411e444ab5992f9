"""The limits of what YooKassa is told, and whose no is believed."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coinslot.gateways import marks
from coinslot.gateways.base import Declined, Mark, Unclear
from coinslot.gateways.collecting import Charge
from coinslot.gateways.wire import Reply
from coinslot.gateways.yookassa import build, parse
from coinslot.gateways.yookassa.fiscal import Receipts
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money

CHARGE = Charge(
    money=Money.parse("150.00", "RUB"),
    key="key-1",
    mark=Mark(installation="here", payment="p1"),
    description="Cola",
    return_url="https://shop.example/thanks",
)


@pytest.mark.parametrize("key", ["k" * 65, "№ 7", ""])
def test_a_key_that_they_would_refuse_is_sent_as_its_hash(key: str) -> None:
    headers = build.post("/payments", key, {}).headers or {}
    assert headers["Idempotence-Key"] == hashlib.sha256(key.encode()).hexdigest()
    plain = build.post("/payments", "k" * 64, {}).headers or {}
    assert plain["Idempotence-Key"] == "k" * 64


@given(st.dictionaries(st.text(max_size=40), st.text(max_size=600), max_size=30))
def test_any_pairs_fit_and_leave_our_mark_alone(pairs: dict[str, str]) -> None:
    body: dict[str, Any] = build.payment(replace(CHARGE, metadata=pairs), None)
    sent = body["metadata"]
    assert len(sent) <= 16
    assert all(0 < len(key) <= 32 and len(value) <= 512 for key, value in sent.items())
    assert marks.read(sent) == CHARGE.mark


def test_sixteen_pairs_are_filled_and_ours_are_among_them() -> None:
    pairs = {f"k{n:02d}": "v" for n in range(20)}
    body: dict[str, Any] = build.payment(replace(CHARGE, metadata=pairs), None)
    assert len(body["metadata"]) == 16
    assert marks.read(body["metadata"]) == CHARGE.mark


def test_words_are_cut_and_no_words_are_left_out() -> None:
    long: dict[str, Any] = build.payment(replace(CHARGE, description="x" * 200), None)
    assert len(long["description"]) == 128
    assert "description" not in build.payment(replace(CHARGE, description=""), None)
    receipt: Any = build.receipt(Receipts(email="a@b.example"), "", CHARGE.money)
    assert receipt["receipt"]["items"][0]["description"]
    assert "tax_system_code" not in receipt["receipt"]


def test_a_search_begins_with_the_payment_or_its_key_and_ends_with_the_keys_life() -> None:
    made, now = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)
    hour = timedelta(hours=1)

    def span(payment: str | None, sent_at: datetime | None = None) -> tuple[datetime, datetime]:
        mark = Mark(installation="here", payment=payment)
        return build.span_of(replace(CHARGE, mark=mark, sent_at=sent_at), now)

    assert span(str(uuid7(made))) == (made - hour, now + hour)
    for other in (None, "", "p1", "7b2f0c58-8d0e-4bb5-9d5e-0d8ba0a6f5a1"):
        assert span(other) == (build.BEGINNING - hour, now + hour)
    sent = made + timedelta(days=2)
    assert span(str(uuid7(made)), sent) == (sent - hour, sent + 24 * hour)
    assert span(None, now) == (now - hour, now + hour)


@pytest.mark.parametrize(
    "body", [{}, {"code": "not_found"}, {"type": "error"}, {"type": "error", "code": 7}]
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_no_that_is_not_in_their_form_was_not_said_by_them(
    status: int, body: dict[str, object]
) -> None:
    assert isinstance(parse.refused(Reply(status, body)), Unclear)


def test_a_no_keeps_its_reason_and_the_name_of_the_field() -> None:
    said: dict[str, object]
    said = {"type": "error", "code": "invalid_request", "description": "Bad\0", "parameter": "a.b"}
    answer = parse.refused(Reply(400, said))
    assert answer == Declined("a.b: Bad\N{REPLACEMENT CHARACTER}", "invalid_request")
