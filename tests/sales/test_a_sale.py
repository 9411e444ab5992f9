"""One coin's life: paid, offered, dropped; or paid, not dropped, given back."""

from tests.sales.stage import Stage


async def test_a_paid_can_that_drops_completes_the_order(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep()
    go = (await stage.accept())[0]
    assert go.unit_id
    await stage.started()
    (evack,) = await stage.result()
    assert evack.through == 2
    assert await stage.value("SELECT state FROM orders") == "completed"
    assert await stage.value("SELECT fulfilled FROM captures") == 4000
    await stage.sweep()
    assert stage.refunded() == 0


async def test_a_jam_seen_by_a_tested_sensor_gives_the_money_back(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep()
    await stage.accept()
    await stage.started()
    await stage.result("FAILED", drop="no", failure_code="JAM")
    await stage.sweep()
    assert await stage.value("SELECT state FROM orders") == "failed"
    assert await stage.value("SELECT basis FROM fulfillments") == "no_drop"
    assert await stage.value("SELECT state FROM refunds") == "succeeded"
    assert stage.refunded() == 4000


async def test_a_machine_that_never_comes_lets_the_money_go_back_after_the_window(
    stage: Stage,
) -> None:
    await stage.sell()
    await stage.sweep()
    assert stage.refunded() == 0
    stage.later(121)
    await stage.sweep()
    assert await stage.value("SELECT basis FROM fulfillments") == "never_sent"
    assert stage.refunded() == 4000


async def test_silence_after_go_is_settled_by_policy_and_flagged(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep()
    await stage.accept()
    await stage.silence()
    assert await stage.value("SELECT basis FROM fulfillments") == "policy"
    assert await stage.value("SELECT amount_minor FROM exposures") == 4000
    assert stage.refunded() == 4000
