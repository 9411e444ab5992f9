"""Templates with windows of time: given to machines like their other values, whole or not."""

import pytest

from coinslot.fleet import bulk, config, templates
from coinslot.fleet.bulk import BulkError
from coinslot.fleet.config import ConfigError, Editor
from coinslot.fleet.templates import Template
from coinslot.orders.outlet_windows import outlets_with_windows, set_windows
from tests.fleet.test_onboarding import machine, onboarded
from tests.sales.neighbours import a_second_machine
from tests.sales.stage import Stage


def editor(stage: Stage) -> Editor:
    return Editor(stage.merchant, "asha")


async def kept(stage: Stage, **windows: float) -> Template:
    template = Template(windows=windows)
    await templates.save(stage.context, editor(stage), "lift", template)
    return template


async def own(stage: Stage) -> dict[str, dict[str, float]]:
    found = await outlets_with_windows(stage.context.db)
    return {code: dict(windows) for code, windows in found.items()}


async def changes_logged(stage: Stage) -> int:
    return int(await stage.value("SELECT count(*) FROM audit_log WHERE action = 'windows.changed'"))


async def test_machines_get_a_templates_windows_and_keep_their_others(stage: Stage) -> None:
    await a_second_machine(stage)
    await set_windows(stage.context, "M01", {"run_s": 60, "dispatch_s": 90})
    await kept(stage, dispatch_s=300, in_doubt_s=900)
    for _ in range(2):
        done = await templates.assign(stage.context, editor(stage), "lift", ["M01", "M02", "M99"])
        assert [one.problem for one in done] == ["", "", "no machine has the code M99"]
        assert await own(stage) == {
            "M01": {"run_s": 60, "dispatch_s": 300, "in_doubt_s": 900},
            "M02": {"dispatch_s": 300, "in_doubt_s": 900},
        }
        assert await changes_logged(stage) == 3, "again changes nothing"
    now = await config.read(stage.context, stage.merchant, "M01")
    assert now.version == 1, "no machine is told its windows"


async def test_what_is_paid_already_keeps_the_windows_that_it_was_paid_under(
    stage: Stage,
) -> None:
    await stage.hello()
    await stage.sell()
    before = await stage.value("SELECT dispatch_by FROM fulfillments")
    await kept(stage, dispatch_s=3600)
    await templates.assign(stage.context, editor(stage), "lift", ["M01"])
    assert await stage.value("SELECT dispatch_by FROM fulfillments") == before


async def test_a_window_that_changed_after_the_preview_stops_all_of_it(stage: Stage) -> None:
    await a_second_machine(stage)
    template = await kept(stage, dispatch_s=300)
    await set_windows(stage.context, "M02", {"dispatch_s": 300})
    wanted = await templates.changes(stage.context, stage.merchant, template, ["M01", "M02"])
    plans = await bulk.plan(stage.context, editor(stage), wanted)
    assert [[(one.what, one.before, one.after) for one in plan.differences] for plan in plans] == [
        [("dispatch_s", None, 300)],
        [],
    ]
    shown = [
        bulk.MachineChange(
            machine=one.machine, windows=one.windows, version=plan.version,
            windows_seen=plan.windows,
        )
        for one, plan in zip(wanted, plans, strict=True)
    ]  # fmt: skip
    await set_windows(stage.context, "M02", {"dispatch_s": 45})
    with pytest.raises(BulkError, match="M02"):
        await bulk.apply(stage.context, editor(stage), shown)
    assert await own(stage) == {"M02": {"dispatch_s": 45}}, "M01 came first, and is as it was"


async def test_a_template_of_a_machine_has_its_own_windows_and_a_new_machine_gets_them(
    stage: Stage,
) -> None:
    await set_windows(stage.context, "M01", {"dispatch_s": 300})
    made = await templates.save_from(stage.context, editor(stage), "lift", "M01")
    assert made.windows == {"dispatch_s": 300}
    await onboarded(stage, machine("M08", slots=[], template="lift"))
    assert await own(stage) == {"M01": {"dispatch_s": 300}, "M08": {"dispatch_s": 300}}


@pytest.mark.parametrize("wrong", [{"poll_s": 5}, {"dispatch_s": 0}, {"run_s": float("nan")}])
async def test_windows_that_no_machine_can_have_are_in_no_template(
    stage: Stage, wrong: dict[str, float]
) -> None:
    with pytest.raises(ConfigError):
        await kept(stage, **wrong)
    assert list(await templates.listed(stage.context, stage.merchant)) == sorted(templates.SHIPPED)
