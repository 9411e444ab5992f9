"""Nothing stuck: what nobody can resolve goes to a person once, and heals when evidence comes."""

import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY

from coinslot.commands.cases import line
from coinslot.gateways.base import Absent, Declined, Mark, Unclear
from coinslot.oversight import cases
from coinslot.oversight.cases import CaseError, Person
from coinslot.payments.escalation import escalate
from tests.sales.stage import Stage
from tests.sales.taking import Taking, confirmed, made, taking
from tests.sales.weather import DONE_AND_LOST, LOST, in_weather

HOUR_S = 3600
ASHA = Person("asha", "seen in the bank's statement")


@pytest.fixture
def gateway(stage: Stage) -> Taking:
    return taking(stage)


async def unresolved(stage: Stage, gateway: Taking, how: str = LOST) -> int:
    """A payment whose every answer was lost for longer than its deadline; its case."""
    gateway.fails("collect", how, *[LOST] * 40)
    gateway.fails("find_charge", *[LOST] * 40)
    payment = await made(stage)
    await confirmed(stage, payment)
    for _ in range(12):
        stage.later(HOUR_S / 10)
        await stage.sweep()
    (case,) = await cases.listed(stage.context)
    assert (case.kind, case.subject) == ("payment_unresolved", str(payment))
    return case.id


async def state(stage: Stage) -> str:
    return str(await stage.value("SELECT state FROM payments WHERE source = 'api'"))


async def test_a_case_names_the_ids_that_a_person_needs(stage: Stage, gateway: Taking) -> None:
    await unresolved(stage, gateway)
    (case,) = await cases.listed(stage.context)
    (where,) = await stage.rows(
        "SELECT m.slug AS merchant, a.gateway, a.slug AS account FROM gateway_accounts a"
        " JOIN merchants m ON m.id = a.merchant_id"
    )
    wanted = {"payment": case.subject, **where}
    assert {key: case.data[key] for key in wanted} == wanted
    assert f"gateway {where['gateway']}" in line(case)
    assert f"payment {case.subject}" in line(case)


async def test_an_unresolved_payment_goes_to_a_person_once_and_is_asked_about_on(
    stage: Stage, gateway: Taking
) -> None:
    case = await unresolved(stage, gateway)
    tries = await stage.value("SELECT tries FROM attempts WHERE key IS NOT NULL")
    for _ in range(10):
        stage.later(HOUR_S)
        await stage.sweep()
    assert [found.id for found in await cases.listed(stage.context)] == [case]
    assert await stage.value("SELECT tries FROM attempts WHERE key IS NOT NULL") > tries
    assert await state(stage) == "processing"


async def test_a_case_closes_itself_when_the_evidence_comes(stage: Stage, gateway: Taking) -> None:
    await unresolved(stage, gateway, DONE_AND_LOST)
    gateway.script.clear()
    stage.later(6 * HOUR_S)
    await stage.sweep()
    assert await state(stage) == "succeeded"
    assert await cases.listed(stage.context) == []
    (case,) = await cases.listed(stage.context, closed=True)
    assert (case.how, case.closed_by, case.closed_at) == ("healed", None, stage.clock.now())


async def test_what_was_found_by_asking_stands_in_the_inbox_once(
    stage: Stage, gateway: Taking
) -> None:
    await unresolved(stage, gateway, DONE_AND_LOST)
    gateway.script.clear()
    stage.later(6 * HOUR_S)
    await stage.sweep()
    (row,) = await stage.rows("SELECT event, facts, worked_at FROM inbox WHERE verdict = 'own'")
    assert row["event"] == "look"
    assert row["facts"][0]["taken"] == "captured"
    assert row["worked_at"] == stage.clock.now()


async def test_a_payment_called_off_by_a_person_yields_to_late_money_which_goes_back(
    stage: Stage, gateway: Taking
) -> None:
    case = await unresolved(stage, gateway, DONE_AND_LOST)
    await cases.call_off(stage.context, case, ASHA)
    assert await state(stage) == "canceled"
    assert await cases.listed(stage.context) == []
    gateway.script.clear()
    stage.later(6 * HOUR_S)
    await stage.sweep()
    assert await state(stage) == "canceled"
    assert stage.refunded() == 5000
    assert await stage.value("SELECT reason FROM captures") == "payment_canceled"


async def test_a_payment_found_by_a_person_is_booked_on_the_gateways_word(
    stage: Stage, gateway: Taking
) -> None:
    case = await unresolved(stage, gateway, DONE_AND_LOST)
    (key,) = gateway.charges
    await cases.find(stage.context, case, f"pay_{key}", ASHA)
    assert await state(stage) == "succeeded"
    assert await stage.value("SELECT event FROM inbox WHERE verdict = 'own'") == "person asha"
    (closed,) = await cases.listed(stage.context, closed=True)
    assert (closed.how, closed.closed_by, closed.note) == ("found", "asha", ASHA.note)


@pytest.mark.parametrize("word", [Absent(), Unclear("HTTP 503")])
async def test_nothing_is_booked_on_a_persons_word_alone(
    stage: Stage, gateway: Taking, word: Absent | Unclear
) -> None:
    case = await unresolved(stage, gateway)
    if isinstance(word, Unclear):
        gateway.fails("look", LOST)
    with pytest.raises(CaseError):
        await cases.find(stage.context, case, "pay_nobody_knows", ASHA)
    assert await state(stage) == "processing"
    assert await stage.value("SELECT count(*) FROM captures") == 0


async def test_money_of_another_payment_resolves_nothing(stage: Stage, gateway: Taking) -> None:
    case = await unresolved(stage, gateway)
    gateway.script.clear()
    other = await made(stage, key="other")
    await confirmed(stage, other, key="other")
    paid = await stage.value("SELECT gateway_payment_id FROM captures")
    with pytest.raises(CaseError, match="another one"):
        await cases.find(stage.context, case, paid, ASHA)


@pytest.mark.parametrize("mark", [None, Mark(installation="test")])
async def test_a_payment_that_the_gateway_has_without_a_mark_of_it_may_be_found_too(
    stage: Stage, gateway: Taking, mark: Mark | None
) -> None:
    case = await unresolved(stage, gateway, DONE_AND_LOST)
    (key,) = gateway.charges
    found = gateway.books.payments[f"pay_{key}"]
    gateway.books.payments[f"pay_{key}"] = replace(found, mark=mark)
    await cases.find(stage.context, case, f"pay_{key}", ASHA)
    assert await state(stage) == "succeeded"


async def test_an_owed_refund_is_a_case_until_a_person_has_paid_it(stage: Stage) -> None:
    weather = in_weather(stage)
    weather.fails("give_back", *[Declined("the card is gone", "gone")] * 9)
    await stage.webhook(await stage.pay(5000))
    await stage.sweep()
    (case,) = await cases.listed(stage.context)
    assert (case.kind, case.owner, case.amount) == ("refund_owed", "merchant", 5000)
    assert case.data["refund"] == case.subject
    assert case.data["gateway_payment_id"] == await stage.value(
        "SELECT gateway_payment_id FROM captures"
    )
    with pytest.raises(CaseError, match="settle --as paid"):
        await cases.call_off(stage.context, case.id, ASHA)
    await cases.paid_by_hand(stage.context, case.id, ASHA)
    assert await stage.value("SELECT state FROM refunds") == "succeeded"
    with pytest.raises(CaseError, match="no open case"):
        await cases.paid_by_hand(stage.context, case.id, ASHA)


async def test_a_case_closed_by_a_person_is_not_opened_again_for_the_same_reason(
    stage: Stage,
) -> None:
    weather = in_weather(stage)
    weather.fails("give_back", *[Declined("the card is gone", "gone")] * 9)
    await stage.webhook(await stage.pay(5000))
    await stage.sweep()
    (case,) = await cases.listed(stage.context)
    await cases.close(stage.context, case.id, Person("ravi", "the customer is told"))
    stage.later(HOUR_S)
    await stage.sweep()
    assert await cases.listed(stage.context) == []
    with pytest.raises(CaseError, match="no open case"):
        await cases.call_off(stage.context, case.id, ASHA)


async def test_a_discrepancy_is_closed_with_its_case(stage: Stage) -> None:
    weather = in_weather(stage)
    paid = await stage.pay()
    await stage.hello()
    await stage.webhook(paid)
    await stage.sweep()
    await stage.accept()
    await stage.started()
    await stage.result()
    await stage.webhook(weather.refund_in_dashboard(paid, 4000), event="refund.processed")
    await stage.sweep()
    (case,) = await cases.listed(stage.context)
    assert case.kind == "refunded_outside_and_handed_over"
    await cases.close(stage.context, case.id, ASHA)
    (closed,) = await stage.rows("SELECT closed_by, closed_at FROM discrepancies")
    assert closed == {"closed_by": "asha", "closed_at": stage.clock.now()}


async def test_the_queues_length_is_in_the_metrics(stage: Stage, gateway: Taking) -> None:
    await unresolved(stage, gateway)
    await cases.count_open(stage.context)
    labels = {"kind": "payment_unresolved"}
    assert REGISTRY.get_sample_value("coinslot_cases_open", labels) == 1


async def test_an_event_that_no_table_knows_is_a_case(stage: Stage) -> None:
    await stage.sell()
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        order = await conn.fetchval("SELECT id FROM orders")
        await conn.execute(
            "SELECT transition_order($1, 'SNEEZED', '{}', $2)", order, stage.clock.now()
        )
    await stage.sweep()
    (case,) = await cases.listed(stage.context)
    assert (case.kind, case.data["event"]) == ("stray", "SNEEZED")
    await cases.close(stage.context, case.id, ASHA)
    assert await cases.update(stage.context) == 0


async def test_a_payment_that_is_gone_gets_no_case(stage: Stage) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        row = await conn.fetchrow("SELECT $1::uuid AS id, $1::uuid AS merchant_id", stage.merchant)
    assert row is not None
    await escalate(stage.context, row)
    assert await stage.value("SELECT count(*) FROM cases") == 0
