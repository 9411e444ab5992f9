"""A machine's health at the console: why it sells nothing, charts, its log, maintenance, and its
own counts against ours."""

import re

import httpx
import pytest

from coinslot.channels.reports import HealthReport, LogLevel, LogLine, Logs
from coinslot.telemetry import counters, dex, readings
from coinslot.telemetry.dex import Counts, DexFile, DexSlot
from coinslot.telemetry.readings import Heard
from coinslot.telemetry.report_buffer import ReportBuffer
from coinslot.vending.machine_messages import Machine
from tests.console.conftest import OURS, Browser, form, signed_in
from tests.people.conftest import Staffed

M01 = "/console/machines/M01"
HEALTH = f"{M01}/health"


async def told(staffed: Staffed, minutes: int, temperature: float) -> None:
    """The machine asks for a food lock, and says so each minute."""
    stage = staffed.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE outlets SET device_config = '{\"food_lock\": {}}'")
    reports, machine = ReportBuffer(stage.context), Machine("M01", stage.merchant)
    for minute in range(minutes):
        report = HealthReport(
            temperature_c=temperature, rssi=-60, free_heap=90_000, uptime_s=minute * 60
        )
        await reports.health(stage.context, machine, report, stage.context.now())
        line = LogLine(level=LogLevel.ERROR, at_mono_ms=minute, text=f"<b>motor {minute}</b>")
        await reports.logs(stage.context, machine, Logs(lines=[line]), stage.context.now())
        await reports.flush()
        stage.later(60)


async def pressed(browser: Browser, verb: str, at: str, **fields: str) -> int:
    return (await browser.press(await browser.look(at), f"{M01}/{verb}", fields)).status_code


async def sent(browser: Browser, page: httpx.Response, at: str, file: bytes) -> httpx.Response:
    return await browser.client.post(
        at, data=form(page, at), files={"file": ("x.dex", file)}, headers=OURS
    )


async def test_a_locked_machine_says_why_and_a_person_who_looked_ends_it(staffed: Staffed) -> None:
    await told(staffed, 17, 9.0)
    boris = await signed_in(staffed, "boris")
    page = (await boris.look(HEALTH)).text
    assert "Too warm for too long" in page
    assert "9.0 °C" in page
    assert page.count('<svg class="chart"') >= 3
    assert await pressed(boris, "unlock", HEALTH, note="") == 422
    assert await pressed(boris, "unlock", HEALTH, note="threw it away") == 303
    assert "It may sell" in (await boris.look(HEALTH)).text
    (entry,) = await staffed.log("machine.food_unlocked")
    assert (entry["person_id"], entry["reason"]) == (staffed.people["boris"], "threw it away")


async def test_lines_of_the_log_are_found_and_never_run(staffed: Staffed) -> None:
    await told(staffed, 12, 3.0)
    vera = await signed_in(staffed, "vera")
    page = (await vera.look(f"{HEALTH}?text=MOTOR+11&level=error")).text
    assert "&lt;b&gt;motor 11&lt;/b&gt;" in page
    assert "motor 10" not in page
    assert "No lines." in (await vera.look(f"{HEALTH}?text=nothing")).text
    assert f"{M01}/unlock" not in page, "who only reads ends no lock"


@pytest.mark.parametrize(
    "query", ["span=day", "span=month", "span=year", "span=x&before=x&level=x"]
)
async def test_each_span_is_shown_and_what_cannot_be_read_is_left_out(
    staffed: Staffed, query: str
) -> None:
    await told(staffed, 12, 3.0)
    boris = await signed_in(staffed, "boris")
    for language in ("en", "hi", "ru"):
        assert (await boris.look(f"{HEALTH}?{query}&lang={language}")).status_code == 200


async def test_a_machine_is_taken_into_maintenance_and_back(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    assert await pressed(boris, "maintenance", HEALTH, to="begin", note="new motor") == 303
    page = (await boris.look(HEALTH)).text
    assert "Somebody works at it." in page
    assert "new motor" in page
    assert await pressed(boris, "maintenance", HEALTH, to="end") == 303
    assert "It may sell" in (await boris.look(HEALTH)).text


async def test_a_file_of_its_own_counts_is_compared(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    at = f"{M01}/counts"
    for count in (5, 7):
        counts = Counts(count=count, value=count * 4000)
        file = dex.write(DexFile(slots=(DexSlot(slot="A1", counts=counts),)))
        page = await boris.look(at)
        answer = await sent(boris, page, at, file)
        assert answer.status_code == 303, answer.text
        staffed.later(60)
    page = await boris.look(at)
    assert "Slots that differ: 1" in page.text
    answer = await sent(boris, page, at, b"no such file")
    assert answer.status_code == 422
    assert "This file cannot be read" in answer.text


async def test_its_counter_stands_beside_ours_and_says_whether_they_agree(
    staffed: Staffed,
) -> None:
    stage = staffed.stage
    vera = await signed_in(staffed, "vera")
    assert "Its counter and ours" not in (await vera.look(HEALTH)).text
    await stage.hello()
    for sales, said in ((100, "they agree"), (103, "differs")):
        stage.later(301)
        report = HealthReport(counters={"sales": sales})
        await readings.keep(stage.context, {"M01": Heard.of(report, stage.context.now())})
        await counters.check(stage.context)
        page = (await vera.look(HEALTH)).text.split('id="counter"')[1].split("</section>")[0]
        assert said in page
    assert re.findall(r"<dd>(\d+)</dd>", page) == ["3", "0", "0"]
    for language, word in (("hi", "मशीन की और हमारी गिनती"), ("ru", "Счётчик автомата и наш")):
        assert word in (await vera.look(f"{HEALTH}?lang={language}")).text
