"""What a gateway's word sets off is worked at once: the sweeper of its table is woken."""

from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import Absent, DisputeFact, DisputeStage, Mark, QrFact, Unclear
from coinslot.kit.money import Money
from coinslot.outlets.machines import device_versions
from coinslot.payments.gateway_webhooks import _with_code
from tests.sales.neighbours import a_second_machine, chandras_machine
from tests.sales.stage import Stage
from tests.sales.test_matching import at_gateway
from tests.sales.weather import in_weather

TABLES = ("fulfillments", "refunds", "inbox", "attempts", "qr_codes", "captures", "orders")


@dataclass
class Ears:
    """Which tables were woken since the last time one asked."""

    stage: Stage

    def woken(self) -> set[str]:
        found = set()
        for table in TABLES:
            event = self.stage.context.wakes.of(table)
            if event.is_set():
                found.add(table)
            event.clear()
        return found


async def test_a_payment_wakes_its_units_and_money_that_buys_nothing_its_refund(
    stage: Stage,
) -> None:
    ears = Ears(stage)
    paid = await stage.pay()
    ears.woken()
    await stage.webhook(paid)
    assert ears.woken() == {"fulfillments"}
    await stage.webhook(paid, event="told again")
    assert ears.woken() == set()
    await stage.webhook(await stage.pay(3900))
    assert ears.woken() == {"refunds"}


async def test_money_that_came_through_a_code_of_ours_that_nobody_knows_wakes_its_refund(
    stage: Stage,
) -> None:
    ears = Ears(stage)
    mark = Mark(installation="test", qr="01930000-0000-7000-8000-00000000dead")
    paid = replace(await stage.pay(), qr_code_id="qr_lost", mark=mark)
    await stage.webhook(await at_gateway(stage, paid))
    stage.later(6)
    ears.woken()
    await stage.sweep("captures")
    assert ears.woken() == {"refunds"}


async def test_money_that_went_back_outside_and_a_dispute_wake_refunds(stage: Stage) -> None:
    weather, ears = in_weather(stage), Ears(stage)
    paid = await stage.pay()
    await stage.webhook(paid)
    ears.woken()
    claim = DisputeFact(
        gateway_dispute_id="d", gateway_payment_id=paid.gateway_payment_id, money=paid.money,
        stage=DisputeStage.OPEN, reason="fraud", at=paid.at,
    )  # fmt: skip
    await stage.webhook(claim, event="dispute.created")
    assert ears.woken() == {"refunds"}
    await stage.webhook(replace(claim, stage=DisputeStage.WON), event="dispute.won")
    assert ears.woken() == {"refunds"}
    back = weather.refund_in_dashboard(paid, 4000)
    await stage.webhook(back, event="refund.processed")
    assert ears.woken() == {"refunds"}


MARK, OTHER = Mark(installation="test", qr="q"), Mark(installation="test", payment="p")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (Absent(), ("none", OTHER)),
        (Unclear("no answer"), None),
        (MARK, ("qr_1", MARK)),
        (None, ("qr_1", OTHER)),
    ],
)
async def test_a_payment_is_known_by_the_code_that_it_came_through(
    stage: Stage, code: Any, found: tuple[str, Mark] | None
) -> None:
    fact = replace(await stage.pay(), qr_code_id=None, mark=OTHER)
    answer = code
    if code is None or isinstance(code, Mark):
        answer = QrFact(qr_code_id="qr_1", image_url="x", open=True, reusable=True,
                        money=Money(4000, "INR"), mark=code)  # fmt: skip

    async def said(gateway_payment_id: str) -> Any:
        return answer

    stage.gateway.qr_of_payment = said  # type: ignore[method-assign]
    told = await _with_code(stage.account, fact)
    if found is None:
        assert told is None
    else:
        assert told is not None
        assert (told.qr_code_id or "none", told.mark) == found


async def test_the_secrets_of_machines_in_service_are_counted_each_for_itself(
    stage: Stage,
) -> None:
    await a_second_machine(stage)
    await chandras_machine(stage)
    found = await device_versions(stage.context.db, ["M01", "M02", "C01", "M99"])
    assert found.keys() == {"M01", "M02", "C01"}
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE outlets SET decommissioned_at = now() WHERE id = 'M02'")
    assert (await device_versions(stage.context.db, ["M01", "M02"])).keys() == {"M01"}
    assert await device_versions(stage.context.db, []) == {}
