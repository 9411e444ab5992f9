"""The food lock: a machine that is too warm for too long sells nothing, what was paid goes back,
and only a person who looked ends it."""

from typing import Any

import pytest
from msgspec import convert

from coinslot.channels.messages import Refusal
from coinslot.channels.reports import HealthReport
from coinslot.orders import checkout, outlet_pages
from coinslot.orders.checkout import OrderRequest
from coinslot.orders.page_views import NotNowError, WhyNot
from coinslot.people.audit_log import COMMAND_LINE
from coinslot.telemetry import food, readings
from coinslot.telemetry.food import NotLockedError, Visit
from coinslot.telemetry.readings import Heard
from coinslot.vending import dispatch
from coinslot.vending.journal import Machine
from coinslot.vending.plain_messages import Answered, receive_plain
from tests.sales.machine_says import accept
from tests.sales.stage import Stage
from tests.sales.test_machines import offered_unit, reject

MINUTE = 60


async def ask(stage: Stage, **limits: float) -> None:
    """Its configuration asks for a food lock."""
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "UPDATE outlets SET device_config = $1 WHERE id = 'M01'", {"food_lock": limits}
        )


async def say(stage: Stage, temperature: float | None = None, **more: Any) -> list[str]:
    """The machine reports, and is heard by that."""
    stage.later(0.001)  # no two readings of a machine are of one moment
    await stage.hello()
    reading = convert({"temperature_c": temperature, **more}, HealthReport)
    heard = {"M01": Heard.of(reading, stage.context.now())}
    return list(await readings.keep(stage.context, heard))


async def warm_for(stage: Stage, minutes: int, temperature: float = 9.0) -> list[str]:
    """A reading each minute, the first now; returns what was locked."""
    found = await say(stage, temperature)
    for _ in range(minutes):
        stage.later(MINUTE)
        found += await say(stage, temperature)
    return found


async def why_not(stage: Stage) -> WhyNot:
    view = await outlet_pages.outlet(stage.context, "M01")
    assert view is not None
    return view.why_not


async def visit(stage: Stage, note: str = "threw it away") -> None:
    wanted = Visit(merchant=stage.merchant, actor=COMMAND_LINE, note=note)
    await food.unlock(stage.context, "M01", wanted)


async def last_unit(stage: Stage) -> dict[str, Any]:
    rows = await stage.rows(
        "SELECT state, basis, failure_code, sent_at FROM fulfillments ORDER BY queued_at DESC"
    )
    return rows[0]


async def test_a_machine_sells_until_it_was_too_warm_for_a_quarter_of_an_hour(
    stage: Stage,
) -> None:
    await ask(stage)
    assert await warm_for(stage, 14) == []
    assert await why_not(stage) is WhyNot.READY
    stage.later(MINUTE)
    assert await say(stage, 9.0) == ["M01"]
    assert await why_not(stage) is WhyNot.TOO_WARM
    with pytest.raises(NotNowError):
        await checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key="k"))


async def test_it_stops_by_itself_when_no_more_readings_come(stage: Stage) -> None:
    await ask(stage)
    await warm_for(stage, 14)
    stage.later(MINUTE)
    await stage.hello()
    assert await why_not(stage) is WhyNot.TOO_WARM


async def test_a_temperature_at_the_limit_is_not_above_it(stage: Stage) -> None:
    await ask(stage)
    assert await warm_for(stage, 30, 5.0) == []
    assert await why_not(stage) is WhyNot.READY


async def test_one_cool_reading_begins_the_quarter_of_an_hour_anew(stage: Stage) -> None:
    await ask(stage)
    await warm_for(stage, 14)
    stage.later(30)
    await say(stage, 4.0)
    stage.later(30)
    assert await warm_for(stage, 14) == []


async def test_a_reading_without_a_temperature_does_not_end_the_warmth(stage: Stage) -> None:
    await ask(stage)
    await warm_for(stage, 7)
    stage.later(MINUTE)
    await say(stage, None, rssi=-60)
    stage.later(MINUTE)
    assert await warm_for(stage, 6) == ["M01"]


async def test_it_was_too_warm_until_just_now_though_it_is_cool_again(stage: Stage) -> None:
    await ask(stage)
    await warm_for(stage, 14)
    stage.later(2 * MINUTE)
    assert await say(stage, 3.0) == ["M01"]


async def test_a_door_gives_half_an_hour_once_and_a_door_left_open_no_more(stage: Stage) -> None:
    await ask(stage)
    await say(stage, 4.0, door="open")
    for _ in range(29):
        stage.later(MINUTE)
        assert await say(stage, 12.0, door="open") == []
    assert await why_not(stage) is WhyNot.READY
    stage.later(MINUTE)
    assert await say(stage, 12.0, door="open") == ["M01"]


async def test_a_door_that_opens_again_and_again_gives_no_more_grace(stage: Stage) -> None:
    await ask(stage)
    await say(stage, 12.0, door="open")
    locked: list[str] = []
    for minute in range(30):
        stage.later(MINUTE)
        locked += await say(stage, 12.0, door="closed" if minute % 10 else "open")
    assert locked == ["M01"]


async def test_a_defrost_has_the_grace_of_a_door_and_cool_air_earns_another(stage: Stage) -> None:
    await ask(stage)
    for _ in range(3):
        await say(stage, 8.0, defrost=True)
        for _ in range(29):
            stage.later(MINUTE)
            assert await say(stage, 8.0) == []
        assert await say(stage, 3.0) == []
        stage.later(31 * MINUTE)
        await say(stage, 3.0)


async def test_its_own_limits_count(stage: Stage) -> None:
    await ask(stage, limit_c=-15, warm_s=60)
    assert await warm_for(stage, 1, -16) == []
    assert await warm_for(stage, 1, -14) == ["M01"]


async def test_a_machine_that_is_asked_for_none_is_never_locked(stage: Stage) -> None:
    assert await warm_for(stage, 60) == []
    assert await why_not(stage) is WhyNot.READY


async def test_a_machine_that_tells_no_temperature_sells_nothing_and_again_when_it_does(
    stage: Stage,
) -> None:
    await ask(stage)
    await stage.hello()
    assert await why_not(stage) is WhyNot.TOO_WARM, "it never said one"
    await say(stage, 3.0)
    assert await why_not(stage) is WhyNot.READY
    for _ in range(15):
        stage.later(MINUTE)
        await say(stage, None, uptime_s=9)
    assert await why_not(stage) is WhyNot.TOO_WARM
    assert await say(stage, 3.0) == []
    assert await why_not(stage) is WhyNot.READY


async def test_a_long_silence_proves_no_warmth(stage: Stage) -> None:
    await ask(stage)
    await say(stage, 9.0)
    stage.later(3600)
    assert await say(stage, 3.0) == []
    assert await why_not(stage) is WhyNot.READY


async def test_what_is_paid_at_a_locked_machine_goes_back_at_once_and_nothing_is_offered(
    stage: Stage,
) -> None:
    await ask(stage)
    await warm_for(stage, 15)
    await stage.sell()
    await stage.sweep()
    assert await last_unit(stage) == {
        "state": "failed", "basis": "never_sent", "failure_code": "TEMP_LOCK", "sent_at": None,
    }  # fmt: skip
    assert stage.refunded() == 4000
    assert [m for m in stage.line.sent if m["type"] == "OFFER"] == []
    assert await stage.value("SELECT failures_in_row FROM slots") == 0, "the slot is not to blame"


async def test_what_waits_in_the_queue_goes_back_when_the_lock_falls(stage: Stage) -> None:
    await ask(stage)
    await say(stage, 9.0)
    stage.line.connected = False
    await stage.sell()
    await warm_for(stage, 15)
    stage.line.connected = True
    await stage.sweep()
    assert stage.refunded() == 4000


async def test_a_lock_that_falls_between_offer_and_go_gives_the_money_back_without_go(
    stage: Stage,
) -> None:
    await ask(stage, warm_s=2)
    await say(stage, 9.0)
    await offered_unit(stage)
    stage.later(2)
    assert await say(stage, 9.0) == ["M01"]
    assert await stage.accept() == [], "no GO"
    await stage.sweep()
    assert (await last_unit(stage))["sent_at"] is None
    assert stage.refunded() == 4000
    assert (await stage.audit()).ok


async def test_the_short_way_of_an_accept_gives_no_go_under_a_lock_either(stage: Stage) -> None:
    async def short() -> Answered | None:
        machine = Machine("M01", stage.merchant)
        return await receive_plain(stage.context, machine, accept(stage), stage.context.now(), None)

    await ask(stage, warm_s=2)
    await say(stage, 3.0)
    await offered_unit(stage)
    taken = await short()
    assert taken is not None, "it is the short way"
    assert len(taken.downs) == 1
    await stage.result(event_seq=1)
    await say(stage, 9.0)
    await offered_unit(stage)
    stage.later(2)
    assert await say(stage, 9.0) == ["M01"]
    assert await short() is None, "the whole path decides, which gives the money back"


async def test_an_offer_that_nobody_answers_goes_back_when_the_lock_falls(stage: Stage) -> None:
    await ask(stage, warm_s=2)
    await say(stage, 9.0)
    await offered_unit(stage)
    stage.later(5)
    await stage.sweep()
    assert (await last_unit(stage))["failure_code"] == "TEMP_LOCK"
    assert stage.refunded() == 4000


async def test_a_lock_that_falls_after_go_leaves_the_vend_to_its_evidence(stage: Stage) -> None:
    await ask(stage, warm_s=2)
    await say(stage, 9.0)
    await offered_unit(stage)
    assert await stage.accept() != []
    stage.later(2)
    assert await say(stage, 9.0) == ["M01"]
    await stage.started()
    await stage.result()
    await stage.sweep()
    assert stage.refunded() == 0
    assert await stage.value("SELECT state FROM orders") == "completed"


async def test_a_machine_that_says_it_is_too_warm_is_believed_until_a_visit(stage: Stage) -> None:
    await ask(stage)
    await say(stage, 3.0)
    await offered_unit(stage)
    await reject(stage, Refusal.TEMP_LOCK)
    await stage.sweep()
    assert stage.refunded() == 4000
    for _ in range(60):
        stage.later(MINUTE)
        await say(stage, 3.0)
    assert await why_not(stage) is WhyNot.TOO_WARM
    await visit(stage)
    assert await why_not(stage) is WhyNot.READY


async def test_a_machine_without_a_rule_that_says_so_is_tried_again_after_a_while(
    stage: Stage,
) -> None:
    await offered_unit(stage)
    await reject(stage, Refusal.TEMP_LOCK)
    assert await why_not(stage) is WhyNot.TOO_WARM
    stage.later(stage.context.windows.temp_lock_s)
    await stage.hello()
    assert await why_not(stage) is WhyNot.READY


async def test_only_a_visit_ends_a_lock_and_it_is_written_down_who_made_it(stage: Stage) -> None:
    await ask(stage)
    await warm_for(stage, 15)
    stage.later(MINUTE)
    await say(stage, 2.0)
    assert await why_not(stage) is WhyNot.TOO_WARM, "cool again is not looked into"
    await visit(stage, "all of it thrown away")
    assert await why_not(stage) is WhyNot.READY
    (entry,) = await stage.rows("SELECT action, subject, reason FROM audit_log")
    assert entry == {
        "action": "machine.food_unlocked", "subject": "M01", "reason": "all of it thrown away",
    }  # fmt: skip
    with pytest.raises(NotLockedError):
        await visit(stage)


async def test_a_machine_that_stays_warm_after_a_visit_is_locked_again_after_its_grace(
    stage: Stage,
) -> None:
    await ask(stage)
    await warm_for(stage, 15)
    await visit(stage)
    assert await warm_for(stage, 29) == []
    assert await why_not(stage) is WhyNot.READY
    stage.later(MINUTE)
    assert await say(stage, 9.0) == ["M01"]


async def test_an_older_reading_changes_nothing(stage: Stage) -> None:
    await ask(stage, warm_s=60)
    await say(stage, 9.0)
    cool = Heard.of(HealthReport(temperature_c=1.0), stage.context.now())
    stage.later(MINUTE)
    assert await say(stage, 9.0) == ["M01"]
    await visit(stage)
    await say(stage, 9.0)
    await readings.keep(stage.context, {"M01": cool})
    stage.later(30 * MINUTE)
    assert await say(stage, 9.0) == ["M01"]


async def test_nothing_is_offered_to_a_locked_machine_that_connects(stage: Stage) -> None:
    await ask(stage)
    await stage.sell()
    await stage.hello()
    assert not await dispatch.offer_next(stage.context, stage.merchant, "M01")
    assert stage.line.sent == []


def test_gathered_readings_keep_the_newest_and_the_widest(stage: Stage) -> None:
    at = stage.context.now()
    first = Heard.of(HealthReport(temperature_c=9.0, door="open", rssi=-50), at)
    stage.later(1)
    then = Heard.of(HealthReport(temperature_c=4.0, door="closed"), stage.context.now())
    for both in (first.then(then), then.then(first)):
        assert both.at == stage.context.now()
        assert (both.said["temperature_c"], both.said["low"], both.said["high"]) == (4.0, 4.0, 9.0)
        assert (both.said["rssi"], both.said["opened"], both.said["door_open"]) == (
            -50, True, False,
        )  # fmt: skip
