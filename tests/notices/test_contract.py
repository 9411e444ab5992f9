"""What holds for every driver of notices: an answer is true, and what is not known is Unclear."""

from datetime import timedelta
from typing import Any

import pytest

from coinslot.kit.clock import SystemClock
from coinslot.notices import drivers
from coinslot.notices.base import (
    Absent,
    Cause,
    Finds,
    Form,
    Looks,
    Refused,
    Report,
    Sent,
    Stage,
    Unclear,
    is_newer,
)
from tests.notices.rigs import NOW, Rig, notice


async def test_a_notice_that_was_sent_reaches_the_person_once(rig: Rig) -> None:
    answer = await rig.driver.send(rig.form, notice(rig))
    assert isinstance(answer, Sent)
    assert answer.stage in (Stage.QUEUED, Stage.SENT)
    assert rig.delivered() == ["Order A42 is ready"]


async def test_a_refused_recipient_is_refused_for_ever_and_gets_nothing(rig: Rig) -> None:
    rig.trouble("refused")
    answer = await rig.driver.send(rig.form, notice(rig))
    assert isinstance(answer, Refused)
    assert (answer.cause, answer.permanent) == (Cause.RECIPIENT, True)
    assert answer.code
    assert rig.delivered() == []


async def test_a_busy_service_refuses_for_now(rig: Rig) -> None:
    rig.trouble("busy")
    answer = await rig.driver.send(rig.form, notice(rig))
    assert isinstance(answer, Refused)
    assert (answer.cause, answer.permanent) == (Cause.BUSY, False)
    assert rig.delivered() == []


async def test_an_answer_that_is_lost_is_unclear_and_the_notice_was_sent_once(rig: Rig) -> None:
    rig.trouble("kept_unanswered")
    assert isinstance(await rig.driver.send(rig.form, notice(rig)), Unclear)
    assert rig.delivered() == ["Order A42 is ready"]


async def test_where_nobody_listens_nothing_was_sent(rig: Rig) -> None:
    driver = rig.unreached()
    if driver is None:
        return
    answer = await driver.send(rig.form, notice(rig))
    await driver.close()
    assert isinstance(answer, Refused)
    assert (answer.cause, answer.permanent) == (Cause.UNREACHED, False)


async def test_a_wrong_password_is_the_operators_fault_and_in_no_reason(rig: Rig) -> None:
    driver = rig.stranger()
    if driver is None:
        return
    answer = await driver.send(rig.form, notice(rig))
    await driver.close()
    assert isinstance(answer, Refused)
    assert (answer.cause, answer.permanent) == (Cause.ACCOUNT, True)
    assert "wrong" not in answer.reason.replace("wrong login", "")
    assert rig.delivered() == []


@pytest.mark.parametrize(
    "wrong",
    [{"to": ""}, {"to": "nobody"}, {"to": "a@b.example\r\nBcc: c@d.example"}, {"to": "+1415\n555"},
     {"to": "+1415٣٣٣٣٣٣٣"}, {"to": "<a@b.example>"}, {"to": "x" * 5_000}, {"to": "a@b@c.example"},
     {"to": "\ud800@b.example"}, {"text": ""}, {"text": " \n"}, {"text": "x" * 200_000}],
)  # fmt: skip
async def test_what_cannot_be_sent_is_refused_without_a_call(
    rig: Rig, wrong: dict[str, Any]
) -> None:
    answer = await rig.driver.send(rig.form, notice(rig, **wrong))
    assert isinstance(answer, Refused)
    assert answer.permanent
    assert rig.delivered() == []


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "🍵 <b>&amp; \u202e", "\r\n.\r\nQUIT\r\nx"])
async def test_a_text_of_any_form_makes_nobody_raise(rig: Rig, text: str) -> None:
    answer = await rig.driver.send(rig.form, notice(rig, text=text))
    assert isinstance(answer, Sent | Refused)
    assert len(rig.delivered()) == isinstance(answer, Sent)


async def test_a_form_that_a_driver_does_not_have_is_refused(rig: Rig) -> None:
    for form in set(Form) - rig.driver.powers.keys():
        assert isinstance(await rig.driver.send(form, notice(rig)), Refused)
    assert rig.delivered() == []


async def test_a_driver_that_looks_finds_what_it_sent_and_nothing_else(rig: Rig) -> None:
    powers = rig.driver.powers[rig.form]
    assert powers.looks == isinstance(rig.driver, Looks)
    if not isinstance(rig.driver, Looks):
        return
    answer = await rig.driver.send(rig.form, notice(rig))
    assert isinstance(answer, Sent)
    report = await rig.driver.look(rig.form, answer.reference)
    assert isinstance(report, Report)
    assert report.reference == answer.reference
    for wrong in ("", "SM" + "0" * 32, "../Calls", "x\ny", "\ud800"):
        assert await rig.driver.look(rig.form, wrong) == Absent()


async def test_after_an_unclear_answer_the_notice_is_found_instead_of_sent_again(
    rig: Rig,
) -> None:
    if not isinstance(rig.driver, Finds):
        return
    since = min(SystemClock().now(), NOW) - timedelta(minutes=1)
    assert await rig.driver.find(rig.form, notice(rig), since) == ()
    rig.trouble("kept_unanswered")
    wanted = notice(rig)
    assert isinstance(await rig.driver.send(rig.form, wanted), Unclear)
    found = await _undisturbed(rig, wanted, since)
    assert isinstance(found, tuple)
    assert len(found) == 1


async def _undisturbed(rig: Rig, wanted: Any, since: Any) -> Any:
    sandbox = getattr(rig, "sandbox", None)
    if sandbox is not None:
        sandbox.weather(api={"drop_response": 0})
    assert isinstance(rig.driver, Finds)
    return await rig.driver.find(rig.form, wanted, since)


def test_every_driver_is_found_by_being_in_the_folder() -> None:
    assert set(drivers()) == {"console", "mock", "smtp", "twilio"}
    for name, driver in drivers().items():
        assert driver.name == name


@pytest.mark.parametrize("known", list(Stage))
def test_an_end_stays_whatever_is_told_later(known: Stage) -> None:
    later = {told for told in Stage if is_newer(told, known)}
    assert (
        later
        == {
            Stage.QUEUED: {Stage.SENT, Stage.DELIVERED, Stage.FAILED},
            Stage.SENT: {Stage.DELIVERED, Stage.FAILED},
            Stage.DELIVERED: set(),
            Stage.FAILED: set(),
        }[known]
    )
