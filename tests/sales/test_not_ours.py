"""Webhooks that nothing can be made of: other people's are taken and noted, ours call a person; and
every row of the inbox can be ended by one."""

from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from coinslot.gateways.base import (
    Mark,
    PaymentFact,
    QrFact,
    RefundFact,
    RefundStage,
    Taken,
    Unclear,
)
from coinslot.kit.money import Money
from coinslot.kit.secrets import hmac_hex
from coinslot.oversight import cases
from coinslot.oversight.cases import Person
from coinslot.payments import gateway_webhooks
from coinslot.payments.gateway_webhooks import WebhookAnswer
from tests.sales.stage import Stage
from tests.sales.weather import Weather, in_weather

ASHA = Person("Asha", "looked at it in the dashboard")


async def deliver(stage: Stage, body: bytes) -> WebhookAnswer:
    headers = {"x-mock-signature": hmac_hex(b"whsec", body)}
    return await gateway_webhooks.take_webhook(stage.context, stage.account, headers, body)


async def owner_runs(stage: Stage, statement: str) -> None:
    conn = await asyncpg.connect(stage.owner_url)
    try:
        await conn.execute(statement)
    finally:
        await conn.close()


async def open_cases(stage: Stage) -> list[cases.Case]:
    await cases.update(stage.context)
    return list(await cases.listed(stage.context))


async def test_what_others_do_with_the_account_is_taken_noted_and_calls_nobody(
    stage: Stage,
) -> None:
    for thing in (b'{"mode":"setup"}', b'{"currency":"bgn","id":"pay_of_others"}', b"\xff"):
        assert (await deliver(stage, b'{"event":"odd","facts":' + thing + b"}")).status == 200
    stage.later(3600)
    await stage.sweep()
    assert await open_cases(stage) == []
    report = await stage.audit()
    assert report.ok, report.red
    (noted,) = [n for n in report.notices if n.name == "webhooks_that_are_not_ours_to_read"]
    assert sum(row["times"] for row in noted.rows) == 3


@pytest.mark.parametrize("sign", ["mark", "payment", "code"])
async def test_one_of_ours_that_cannot_be_read_calls_a_person_who_ends_it(
    stage: Stage, sign: str
) -> None:
    paid = await stage.pay()
    if sign == "payment":
        await stage.webhook(paid)
    named = {
        "mark": b'"notes":{"coinslot":"test"}',
        "payment": f'"id":"{paid.gateway_payment_id}"'.encode(),
        "code": f'"qr":"{stage.qr_code_id}"'.encode(),
    }[sign]
    body = b'{"event":"payment.captured","facts":{' + named + b"}}"
    for _ in range(3):
        assert (await deliver(stage, body)).status == 200
    assert await stage.value("SELECT count(*) FROM inbox WHERE ours") == 1
    (case,) = await open_cases(stage)
    assert (case.kind, case.data["gateway"]) == ("webhook_not_read", "mock")
    stage.later(200)
    await stage.sweep()
    assert "every_webhook_is_worked" in (await stage.audit()).red
    await cases.close(stage.context, case.id, ASHA)
    assert await stage.value("SELECT ended_by FROM inbox WHERE ours") == "Asha"
    assert "every_webhook_is_worked" not in (await stage.audit()).red
    assert await open_cases(stage) == []


async def test_money_that_an_unreadable_webhook_told_of_is_looked_for_at_once(
    stage: Stage,
) -> None:
    """The code is looked at every 20 s; what names it makes that now."""
    await stage.sweep("qr_codes")
    await stage.pay()
    await stage.sweep("qr_codes")
    assert await stage.value("SELECT count(*) FROM orders") == 0
    await deliver(stage, f'{{"event":"x","facts":{{"qr":"{stage.qr_code_id}"}}}}'.encode())
    await stage.sweep("qr_codes")
    assert await stage.value("SELECT state FROM orders") == "paid"


async def test_another_installations_mark_is_not_ours(stage: Stage) -> None:
    await deliver(stage, b'{"event":"x","facts":{"notes":{"coinslot":"elsewhere"}}}')
    assert await stage.value("SELECT ours FROM inbox") is False


async def test_a_fact_that_our_tables_refuse_is_ended_by_a_person(stage: Stage) -> None:
    await owner_runs(stage, "ALTER TABLE order_lines ADD CONSTRAINT broken CHECK (false) NOT VALID")
    await stage.webhook(await stage.pay())
    await stage.sweep("inbox")
    pauses = []
    for _ in range(16):
        pause = await stage.value(
            "SELECT extract(epoch FROM due_at - $1)::int FROM inbox", stage.clock.now()
        )
        pauses.append(pause)
        stage.later(pause)
        await stage.sweep("inbox")
    assert pauses == sorted(pauses)
    assert pauses[-1] == 3600
    (case,) = [c for c in await open_cases(stage) if c.kind == "webhook_not_worked"]
    assert "broken" in case.data["failure"]
    assert "every_webhook_is_worked" in (await stage.audit()).red
    await cases.close(stage.context, case.id, ASHA)
    report = await stage.audit()
    assert not report.red & {"every_webhook_is_worked", "what_is_owed_is_driven"}
    stage.later(86_400)
    tries = await stage.value("SELECT tries FROM inbox")
    await stage.sweep("inbox")
    assert await stage.value("SELECT tries FROM inbox") == tries
    (ended,) = [n for n in report.notices if n.name == "webhooks_ended_by_a_person"]
    assert ended.rows[0]["ended_by"] == "Asha"
    await owner_runs(stage, "ALTER TABLE order_lines DROP CONSTRAINT broken")


@pytest.mark.parametrize("minor", [0, -1])
async def test_money_that_is_none_is_no_payment_and_no_refund(stage: Stage, minor: int) -> None:
    paid = replace(await stage.pay(), gateway_payment_id="pay_mandate")
    nothing = Money(minor, "INR")
    await stage.webhook(replace(paid, money=nothing, mark=None, qr_code_id=None))
    back = RefundFact(
        gateway_refund_id="rf", gateway_payment_id="pay_mandate", stage=RefundStage.PROCESSED,
        money=nothing, at=stage.clock.now(),
    )  # fmt: skip
    await stage.webhook(back, event="refund.processed")
    assert await stage.value("SELECT count(*) FROM inbox WHERE worked_at IS NULL") == 0
    assert await stage.value("SELECT count(*) FROM captures") == 0


async def test_one_fact_that_our_tables_refuse_does_not_hide_the_others_of_a_list(
    stage: Stage,
) -> None:
    bad = replace(await stage.pay(), gateway_payment_id="".join(f"{n:08x}" for n in range(4000)))
    good = await stage.pay()
    outcomes = await gateway_webhooks.work_facts(stage.context, stage.account, (bad, good))
    assert outcomes == ["failed", "paid"]
    assert await stage.value("SELECT count(*) FROM inbox WHERE due_at IS NOT NULL") == 1
    await gateway_webhooks.work_facts(stage.context, stage.account, (bad,))
    assert await stage.value("SELECT count(*) FROM inbox WHERE due_at IS NOT NULL") == 1
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE inbox SET worked_at = now(), due_at = NULL")


class Elsewhere(Weather):
    """Payments that nobody told us of; what `of` says of the code behind them."""

    others: dict[str, PaymentFact | Unclear]
    code: QrFact | None = None

    async def look(self, gateway_payment_id: str) -> Any:
        if gateway_payment_id in self.others:
            return self.others[gateway_payment_id]
        return await super().look(gateway_payment_id)

    async def qr_of_payment(self, gateway_payment_id: str) -> Any:
        return self.code or await super().qr_of_payment(gateway_payment_id)


def theirs(stage: Stage, name: str = "pay_of_others", mark: Mark | None = None) -> PaymentFact:
    return PaymentFact(
        gateway_payment_id=name, taken=Taken.CAPTURED, money=Money(4000, "INR"),
        at=stage.clock.now(), mark=mark,
    )  # fmt: skip


def their_refund(stage: Stage, name: str = "pay_of_others") -> RefundFact:
    return RefundFact(
        gateway_refund_id=f"rf_{name}", gateway_payment_id=name, stage=RefundStage.PROCESSED,
        money=Money(4000, "INR"), at=stage.clock.now(),
    )  # fmt: skip


@pytest.fixture
def gateway(stage: Stage) -> Elsewhere:
    in_weather(stage)
    gateway = Elsewhere(stage)
    gateway.others = {}
    stage.gateway = gateway
    stage.account = replace(stage.account, driver=gateway)
    stage.context.accounts.account = stage.account  # type: ignore[attr-defined]
    return gateway


async def test_a_refund_of_other_peoples_payment_is_done_with_when_the_gateway_shows_whose_it_is(
    stage: Stage, gateway: Elsewhere
) -> None:
    gateway.others["pay_of_others"] = theirs(stage)
    await stage.webhook(their_refund(stage), event="refund.processed")
    stage.later(2)
    await stage.sweep("inbox")
    assert await stage.value("SELECT worked_at IS NOT NULL FROM inbox")
    assert await stage.value("SELECT count(*) FROM captures") == 0
    stage.later(300)
    assert "every_webhook_is_worked" not in (await stage.audit()).red


async def test_a_refund_whose_payment_the_gateway_does_not_show_reddens_nothing_and_ends(
    stage: Stage, gateway: Elsewhere
) -> None:
    gateway.others["pay_of_others"] = Unclear("time-out")
    await stage.webhook(their_refund(stage), event="refund.processed")
    for _ in range(14):
        stage.later(290)
        await stage.sweep("inbox")
        assert "every_webhook_is_worked" not in (await stage.audit()).red
    assert await stage.value("SELECT worked_at IS NOT NULL FROM inbox")


async def test_a_parked_refund_that_nobody_drives_is_told_by_the_audit(
    stage: Stage, gateway: Elsewhere
) -> None:
    await stage.webhook(their_refund(stage), event="refund.processed")
    stage.later(600)
    assert "every_webhook_is_worked" in (await stage.audit()).red
    await stage.sweep("inbox")


@pytest.mark.parametrize("sign", ["mark", "code"])
async def test_a_refund_of_our_payment_that_nobody_told_of_brings_the_payment(
    stage: Stage, gateway: Elsewhere, sign: str
) -> None:
    qr_id = await stage.value("SELECT id::text FROM qr_codes")
    mark = Mark(installation="test", qr=qr_id)
    gateway.others["pay_lost"] = theirs(stage, "pay_lost", mark if sign == "mark" else None)
    if sign == "code":
        code = gateway.books.qr_codes[stage.qr_code_id]
        gateway.code = replace(code, mark=None)
    await stage.webhook(their_refund(stage, "pay_lost"), event="refund.processed")
    stage.later(2)
    await stage.sweep("inbox")
    captured = await stage.rows("SELECT outside, gateway_payment_id FROM captures")
    assert [(c["outside"], c["gateway_payment_id"]) for c in captured] == [(4000, "pay_lost")]
    assert await stage.value("SELECT count(*) FROM inbox WHERE worked_at IS NULL") == 0
    assert await stage.value("SELECT count(*) FROM refunds WHERE origin = 'gateway'") == 1
