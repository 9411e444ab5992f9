"""What goes over an account's wire and what comes back, whatever the gateway."""

from typing import Any

import pytest

from coinslot.gateways import wire
from coinslot.gateways.base import Declined, QrFact, Unclear
from coinslot.gateways.wire import Address, Call, Exchange, NoReply, Reply, Wire
from coinslot.kit.clock import monotonic_ms
from coinslot.kit.secrets import Secret
from tests.gateways.canned import Canned, answering, error, serving, wire_to

AUTH = ("user", Secret("pass"))
BASIC = "Basic dXNlcjpwYXNz"
CALLS: tuple[tuple[Call, str, bytes, str | None], ...] = (
    (Call(method="GET", path="/a"), "GET /a HTTP/1.1", b"", None),
    (Call(method="GET", path="/a", params={"from": 1, "q": "x y"}), "GET /a?from=1&q=x+y HTTP/1.1",
     b"", None),
    (Call(method="POST", path="/a", body={"b": 1}), "POST /a HTTP/1.1", b'{"b":1}',
     "application/json"),
    (Call(method="POST", path="/a", body={}), "POST /a HTTP/1.1", b"{}", "application/json"),
    (Call(method="POST", path="/a", body={"b": 1, "c[d]": "e f"}, form=True), "POST /a HTTP/1.1",
     b"b=1&c%5Bd%5D=e+f", "application/x-www-form-urlencoded"),
    (Call(method="POST", path="/a", body={}, form=True), "POST /a HTTP/1.1", b"", None),
    (Call(method="POST", path="/a", form=True), "POST /a HTTP/1.1", b"", None),
)  # fmt: skip


@pytest.mark.parametrize(("call", "line", "body", "kind"), CALLS)
async def test_a_call_goes_out_like_this(
    call: Call, line: str, body: bytes, kind: str | None
) -> None:
    async with serving(Canned(200, {"ok": True})) as (url, asked):
        to = wire_to(Address(url + "/", auth=AUTH))
        assert isinstance(await to.send(call), Reply)
        await to.close()
    (one,) = asked
    assert (one.line, one.body.replace(b" ", b""), one.headers.get("content-type")) == (
        line, body, kind,
    )  # fmt: skip
    assert one.headers["authorization"] == BASIC


async def test_a_calls_own_headers_go_with_it_and_without_a_password_there_is_none() -> None:
    async with serving(Canned(200, {})) as (url, asked):
        to = wire_to(Address(url, auth=None))
        await to.send(Call(method="GET", path="/a", headers={"X-Key": "k"}))
        await to.close()
    assert asked[0].headers["x-key"] == "k"
    assert "authorization" not in asked[0].headers


async def test_a_user_may_be_a_secret_too() -> None:
    async with serving(Canned(200, {})) as (url, asked):
        to = wire_to(Address(url, auth=(Secret("user"), Secret("pass"))))
        await to.send(Call(method="GET", path="/a"))
        await to.close()
    assert asked[0].headers["authorization"] == BASIC


ANSWERS: tuple[tuple[Canned, Any, Any, str | None], ...] = (
    (Canned(200, {"a": 1}), Reply(200, {"a": 1}), {"a": 1}, None),
    (Canned(200, b""), Reply(200, {}), {}, None),
    (Canned(404, {"a": 1}), Reply(404, {"a": 1}), {"a": 1}, None),
    (Canned(499, {}), Reply(499, {}), {}, None),
    (Canned(500, {"a": 1}), NoReply("HTTP 500"), {"a": 1}, None),
    (Canned(503, b""), NoReply("HTTP 503"), {}, None),
    (Canned(200, [1]), NoReply("the body is not an object"), [1], None),
    (Canned(200, b"<html>"), NoReply("HTTP 200 with an unreadable body"), None, "unreadable"),
    (Canned(0), NoReply("RemoteProtocolError"), None, "RemoteProtocolError"),
)  # fmt: skip


@pytest.mark.parametrize(("canned", "answer", "response", "failure"), ANSWERS)
async def test_an_answer_is_what_this_says_and_is_on_record_so(
    canned: Canned, answer: Reply | NoReply, response: object, failure: str | None
) -> None:
    kept: list[Exchange] = []

    async def record(exchange: Exchange) -> None:
        kept.append(exchange)

    async with serving(canned) as (url, _):
        to = Wire.to(Address(url), timeout_s=30, record=record, now_ms=monotonic_ms)
        got = await to.send(Call(method="POST", path="/a", body={"b": 1}))
        await to.close()
    if isinstance(answer, Reply):
        assert isinstance(got, Reply)
        assert (got.status, got.body) == (answer.status, answer.body)
    else:
        assert isinstance(got, NoReply)
        assert got.reason.startswith(answer.reason)
    assert ("content-length" in got.headers) is (canned.status != 0)
    (one,) = kept
    assert (one.method, one.url, one.request) == ("POST", "/a", {"b": 1})
    assert (one.status, one.response) == (canned.status or None, response)
    assert (one.failure is None) if failure is None else failure in (one.failure or "")
    assert 0 <= one.took_ms < 60_000


@pytest.mark.parametrize(
    ("canned", "news", "kept"),
    [
        (Canned(200, {}), False, 0), (Canned(200, {}), True, 1),
        (Canned(399, {}), False, 0), (Canned(400, {}), False, 1),
        (Canned(500, {}), False, 1), (Canned(200, b"x"), False, 1),
    ],
)  # fmt: skip
async def test_only_a_fine_answer_that_is_no_news_is_not_kept(
    canned: Canned, news: bool, kept: int
) -> None:
    records: list[Exchange] = []

    async def record(exchange: Exchange) -> None:
        records.append(exchange)

    async with serving(canned) as (url, _):
        to = Wire.to(Address(url), timeout_s=30, record=record, now_ms=monotonic_ms)
        async with wire.if_news() as exchanges:
            await to.send(Call(method="GET", path="/a"))
            exchanges.news = news
        assert len(records) == kept
        await to.send(Call(method="GET", path="/b"))  # outside of it everything is kept
        await to.close()
    assert len(records) == kept + 1


@pytest.mark.parametrize(
    ("header", "heard"),
    [
        ("Date: Sat, 21 Nov 2026 12:00:00 GMT", True),
        ("Date: Sat, 21 Nov 2026 12:00:00 GMT\r\nAge: 3", False),
        ("Date: yesterday", False),
        ("Date: Sat, 21 Nov 2026 12:00:00 -0000", False),  # a time without a zone
        ("", False),
    ],
)
async def test_what_time_it_is_there_is_heard_from_an_answer_of_its_own(
    header: str, heard: bool
) -> None:
    async with serving(Canned(200, {}, header=header)) as (url, _):
        to = wire_to(Address(url))
        for _ in range(9):
            await to.send(Call(method="GET", path="/a"))
        await to.close()
    assert (to.there.ahead() is not None) is heard


# Closing a printed code at Razorpay.


CODE = {
    "id": "qr_1", "entity": "qr_code", "image_url": "https://i", "status": "closed",
    "usage": "multiple_use", "fixed_amount": True, "payment_amount": 4000, "close_reason": "x",
    "type": "upi_qr", "notes": [],
}  # fmt: skip
NO = error(400, "The QR code may not be closed by this account")
OVER = error(400, "The QR code is already closed")


@pytest.mark.parametrize(
    ("answers", "calls", "said"),
    [
        ((Canned(200, CODE),), 1, QrFact),
        ((NO, Canned(200, CODE)), 1, Declined),
        ((Canned(500, {}), Canned(200, CODE)), 1, Unclear),
        ((OVER, Canned(200, CODE)), 2, QrFact),
        ((OVER, Canned(500, {})), 2, Unclear),
    ],
)  # fmt: skip
async def test_only_a_code_that_was_closed_before_is_looked_at(
    answers: tuple[Canned, ...], calls: int, said: type
) -> None:
    async with answering(*answers) as (driver, asked):
        assert isinstance(await driver.close_qr("qr/1"), said)
    lines = ["POST /v1/payments/qr_codes/qr-1/close HTTP/1.1",
             "GET /v1/payments/qr_codes/qr-1 HTTP/1.1"]  # fmt: skip
    assert [one.line for one in asked] == lines[:calls]
