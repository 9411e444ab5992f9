"""Webhooks: kept before believed, heard once however often told; forgeries do nothing."""

import hashlib
from typing import Any

import asyncpg
from msgspec.structs import replace

from coinslot.context import FORGERIES_KEPT_PER_MINUTE
from coinslot.gateways.base import Fact, PaymentFact, Taken
from coinslot.kit.money import Money
from coinslot.kit.secrets import hmac_hex
from coinslot.payments import gateway_webhooks
from coinslot.payments.gateway_webhooks import WebhookAnswer
from tests.sales.stage import Stage


async def deliver(stage: Stage, body: bytes, signature: str | None = None) -> WebhookAnswer:
    signed = hmac_hex(b"whsec", body) if signature is None else signature
    return await gateway_webhooks.take_webhook(
        stage.context, stage.account, {"x-mock-signature": signed}, body
    )


async def untouched(stage: Stage) -> bool:
    """No money, no order, nothing told."""
    counts = await stage.rows(
        "SELECT (SELECT count(*) FROM captures) + (SELECT count(*) FROM orders)"
        " + (SELECT count(*) FROM events WHERE machine <> 'qr') AS rows"
    )
    return bool(counts[0]["rows"] == 0)


async def kept(stage: Stage) -> list[dict[str, Any]]:
    return await stage.rows(
        "SELECT verdict, body, headers, due_at, worked_at, failure FROM inbox ORDER BY id"
    )


async def test_a_forged_webhook_is_kept_with_its_verdict_and_touches_nothing(stage: Stage) -> None:
    _, body = stage.gateway.webhook("payment.captured", await stage.pay())
    for signature in ("", "0" * 64, hmac_hex(b"another", body), "\u00e9\u20ac"):
        answer = await deliver(stage, body, signature)
        assert (answer.status, answer.code) == (401, "bad_signature")
    rows = await kept(stage)
    assert [(r["verdict"], r["body"], r["due_at"]) for r in rows] == [("forged", body, None)] * 4
    assert await untouched(stage)


async def test_a_signed_event_of_another_account_touches_nothing(stage: Stage) -> None:
    body = b'{"id":"1","account_id":"chandra","event":"payment.captured","facts":[]}'
    assert (await deliver(stage, body)).status == 200
    assert [r["verdict"] for r in await kept(stage)] == ["unreadable"]
    assert await untouched(stage)


async def test_an_unreadable_webhook_is_kept_with_its_verdict_and_touches_nothing(
    stage: Stage,
) -> None:
    for body in (b"", b"{", b"\x00\xff", b"null", b"[" * 5000):
        for _ in range(2):  # told again, it is kept once
            assert (await deliver(stage, body)).status == 200
    assert [r["verdict"] for r in await kept(stage)] == ["unreadable"] * 5
    assert await untouched(stage)


async def test_a_forgery_does_not_block_the_true_delivery(stage: Stage) -> None:
    headers, body = stage.gateway.webhook("payment.captured", await stage.pay())
    assert (await deliver(stage, body, "f" * 64)).status == 401
    assert (
        await gateway_webhooks.take_webhook(stage.context, stage.account, headers, body)
    ).status == 200
    assert await stage.value("SELECT state FROM orders") == "paid"


async def test_a_delivery_told_again_changes_nothing(stage: Stage) -> None:
    paid = await stage.pay()
    for _ in range(3):
        assert (await stage.webhook(paid)).status == 200
    assert len(await kept(stage)) == 1
    assert await stage.value("SELECT count(*) FROM orders") == 1


async def test_three_events_of_one_payment_make_one_order(stage: Stage) -> None:
    paid = await stage.pay()
    await stage.webhook(replace(paid, taken=Taken.AUTHORIZED), event="payment.authorized")
    assert await stage.value("SELECT count(*) FROM captures") == 0
    await stage.webhook(replace(paid, qr_code_id=None, mark=None), event="payment.captured")
    await stage.webhook(paid, event="qr_code.credited")
    await stage.webhook(paid, event="payment.captured.again")
    assert await stage.value("SELECT count(*) FROM orders") == 1
    assert await stage.value("SELECT count(*) FROM fulfillments") == 1
    assert await stage.value("SELECT sum(amount) FROM ledger WHERE account = 'gateway'") == 4000


async def test_each_payment_of_a_printed_code_is_an_order_of_its_own(stage: Stage) -> None:
    for _ in range(3):
        await stage.webhook(await stage.pay())
    assert await stage.value("SELECT count(*) FROM orders WHERE state = 'paid'") == 3


async def test_a_lost_webhook_is_found_by_looking_and_makes_no_second_order(stage: Stage) -> None:
    paid = await stage.pay()
    stage.later(21)
    await stage.sweep("qr_polls")
    assert await stage.value("SELECT state FROM orders") == "paid"
    await stage.webhook(paid)
    assert await stage.value("SELECT count(*) FROM orders") == 1


async def test_a_payment_that_failed_first_and_was_captured_then_buys_goods(stage: Stage) -> None:
    paid = await stage.pay()
    await stage.webhook(replace(paid, taken=Taken.FAILED), event="payment.failed")
    assert await stage.value("SELECT count(*) FROM orders") == 0
    await stage.webhook(paid)
    assert await stage.value("SELECT state FROM payments") == "succeeded"
    await stage.webhook(replace(paid, taken=Taken.FAILED), event="payment.failed.late")
    assert await stage.value("SELECT state FROM payments") == "succeeded"
    assert await stage.value("SELECT count(*) FROM strays") == 0


async def owner_runs(stage: Stage, statement: str) -> None:
    conn = await asyncpg.connect(stage.owner_url)
    try:
        await conn.execute(statement)
    finally:
        await conn.close()


async def test_a_webhook_whose_work_fails_stays_due_and_is_worked_later(stage: Stage) -> None:
    await owner_runs(stage, "ALTER TABLE order_lines ADD CONSTRAINT broken CHECK (false) NOT VALID")
    assert (await stage.webhook(await stage.pay())).status == 200
    (row,) = await kept(stage)
    assert row["due_at"] is not None
    assert "broken" in row["failure"]
    assert await stage.value("SELECT count(*) FROM orders") == 0
    stage.later(1)
    await stage.sweep("inbox")
    assert (await kept(stage))[0]["worked_at"] is None
    await owner_runs(stage, "ALTER TABLE order_lines DROP CONSTRAINT broken")
    stage.later(5)
    await stage.sweep("inbox")
    assert await stage.value("SELECT state FROM orders") == "paid"
    (row,) = await kept(stage)
    assert (row["due_at"], row["failure"]) == (None, None)


async def test_work_that_fails_for_weeks_is_still_tried(stage: Stage) -> None:
    await owner_runs(stage, "ALTER TABLE order_lines ADD CONSTRAINT broken CHECK (false) NOT VALID")
    await stage.webhook(await stage.pay())
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE inbox SET tries = 100000")
    stage.later(5)
    await stage.sweep("inbox")
    assert await stage.value("SELECT tries FROM inbox") == 100001
    await owner_runs(stage, "ALTER TABLE order_lines DROP CONSTRAINT broken")
    stage.later(3601)
    await stage.sweep("inbox")
    assert await stage.value("SELECT state FROM orders") == "paid"


def with_nul(fact: PaymentFact) -> PaymentFact:
    assert fact.mark is not None
    mark = replace(fact.mark, payment="\0" + "\\u0000" + "\\\0")
    return replace(fact, description="a\0b", mark=mark, gateway_order_id="\\\\\0")


async def test_nul_characters_in_a_webhook_lose_nothing(stage: Stage) -> None:
    headers, body = stage.gateway.webhook("payment\0captured", with_nul(await stage.pay()))
    odd = {**headers, "user-agent": "curl\0/8"}
    assert (
        await gateway_webhooks.take_webhook(stage.context, stage.account, odd, body)
    ).status == 200
    (row,) = await kept(stage)
    assert row["body"] == body
    assert row["headers"]["user-agent"] == "curl\ufffd/8"
    assert await stage.value("SELECT facts->0->'mark'->>'payment' FROM inbox") == (
        "\ufffd" + "\\u0000" + "\\\ufffd"
    )
    assert await stage.value("SELECT state FROM orders") == "paid"


async def test_nul_characters_in_a_forgery_and_in_junk_are_kept_too(stage: Stage) -> None:
    assert (await deliver(stage, b"\0{}", "\0")).status == 401
    assert (await deliver(stage, b'{"id":"\\u0000')).status == 200
    assert [r["verdict"] for r in await kept(stage)] == ["forged", "unreadable"]


async def test_who_forges_without_end_does_not_fill_the_disk(stage: Stage) -> None:
    headers, body = stage.gateway.webhook("payment.captured", await stage.pay())
    for _ in range(FORGERIES_KEPT_PER_MINUTE + 20):
        assert (await deliver(stage, b"x" * 100_000, "0" * 64)).status == 401
    rows = await kept(stage)
    assert len(rows) == FORGERIES_KEPT_PER_MINUTE
    assert max(len(row["body"]) for row in rows) < 10_000
    assert (
        await gateway_webhooks.take_webhook(stage.context, stage.account, headers, body)
    ).status == 200
    assert await stage.value("SELECT state FROM orders") == "paid"
    stage.later(60)
    await deliver(stage, b"x", "0" * 64)
    assert len(await kept(stage)) == FORGERIES_KEPT_PER_MINUTE + 2


async def test_only_headers_that_a_replay_needs_are_kept(stage: Stage) -> None:
    headers, body = stage.gateway.webhook("payment.captured", await stage.pay())
    more = {**headers, "cookie": "session", "authorization": "Basic", "content-type": "x"}
    await gateway_webhooks.take_webhook(stage.context, stage.account, more, body)
    (row,) = await kept(stage)
    assert row["headers"] == {**headers, "content-type": "x"}


async def test_an_event_that_can_never_be_worked_fails_alone(stage: Stage) -> None:
    fact = await stage.pay()
    endless = "".join(
        hashlib.sha256(bytes([n])).hexdigest() for n in range(60)
    )  # no index holds it
    await stage.webhook(replace(fact, gateway_payment_id=endless), event="odd")
    assert (await kept(stage))[0]["failure"] is not None
    await stage.webhook(fact)
    assert await stage.value("SELECT state FROM orders") == "paid"


async def told_as(stage: Stage, facts: list[Fact]) -> None:
    for number, fact in enumerate(facts):
        await stage.webhook(fact, event=f"event {number}")


async def test_two_payments_in_one_event_are_both_heard(stage: Stage) -> None:
    first, second = await stage.pay(), await stage.pay()
    await stage.webhook(first, second)
    assert await stage.value("SELECT count(*) FROM orders") == 2


async def test_a_changed_amount_of_a_known_capture_is_noted_not_believed(stage: Stage) -> None:
    paid = await stage.pay()
    await told_as(stage, [paid, replace(paid, money=Money(9900, "INR"))])
    assert await stage.value("SELECT captured FROM captures") == 4000
    assert await stage.value("SELECT kind FROM discrepancies") == "capture_amount_changed"
