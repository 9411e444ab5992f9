"""Today and the inbox: what is owed is said, and a case ends from its page, once."""

import asyncio

import pytest

from coinslot.oversight import cases
from tests.console.conftest import form, signed_in
from tests.people.conftest import Staffed
from tests.sales.taking import Taking, confirmed, made, taking
from tests.sales.weather import LOST

HOUR_S = 3600


@pytest.fixture
def gateway(staffed: Staffed) -> Taking:
    return taking(staffed.stage)


async def unresolved(staffed: Staffed, gateway: Taking) -> int:
    gateway.fails("collect", *[LOST] * 41)
    gateway.fails("find_charge", *[LOST] * 40)
    await confirmed(staffed.stage, await made(staffed.stage))
    for _ in range(12):
        staffed.later(HOUR_S / 10)
        await staffed.stage.sweep()
    (case,) = await cases.listed(staffed.stage.context)
    return case.id


async def test_when_nothing_is_owed_it_says_so(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    assert "Nothing is owed" in (await boris.look("/console/today")).text
    assert "Nothing needs you" in (await boris.look("/console/inbox")).text


async def test_a_paid_can_is_owed_until_it_is_out_and_counted_in_the_day(
    staffed: Staffed,
) -> None:
    stage = staffed.stage
    await stage.hello()
    await stage.sell()
    boris = await signed_in(staffed, "boris")
    page = await boris.look("/console/today")
    assert "Under way by itself" in page.text
    await stage.sweep()
    await stage.accept()
    await stage.started()
    await stage.result()
    page = await boris.look("/console/today")
    assert "Nothing is owed" in page.text
    assert "₹40.00" in page.text


async def test_todays_numbers_are_of_ones_own_merchant(staffed: Staffed) -> None:
    await staffed.stage.sell()
    dinesh = await signed_in(staffed, "dinesh")
    page = await dinesh.look("/console/today")
    assert "Nothing is owed" in page.text
    assert "₹40.00" not in page.text


async def test_a_case_ends_from_the_inbox_and_the_log_has_who_and_why(
    staffed: Staffed, gateway: Taking
) -> None:
    case = await unresolved(staffed, gateway)
    boris = await signed_in(staffed, "boris")
    page = await boris.look("/console/inbox")
    assert "A payment without an answer" in page.text
    place = f"/console/inbox/{case}"
    fields = {"how": "failed", "note": "the bank says so"}
    answer = await boris.press(page, place, fields)
    assert answer.headers["location"] == "/console/inbox?done=case_failed"
    assert "Nothing needs you" in (await boris.look("/console/inbox")).text
    (entry,) = await staffed.log("case.failed")
    assert (entry["person_id"], entry["reason"]) == (staffed.people["boris"], fields["note"])


async def test_two_clicks_on_a_case_act_once_and_are_answered_the_same(
    staffed: Staffed, gateway: Taking
) -> None:
    case = await unresolved(staffed, gateway)
    boris = await signed_in(staffed, "boris")
    place = f"/console/inbox/{case}"
    fields = form(await boris.look("/console/inbox"), place) | {"how": "failed", "note": "so"}
    answers = await asyncio.gather(*(boris.send(place, fields) for _ in range(4)))
    assert {answer.headers["location"] for answer in answers} == {"/console/inbox?done=case_failed"}
    assert len(await staffed.log("case.failed")) == 1


async def test_what_a_case_needs_to_know_is_asked_for(staffed: Staffed, gateway: Taking) -> None:
    case = await unresolved(staffed, gateway)
    boris = await signed_in(staffed, "boris")
    page = await boris.look("/console/inbox")
    place = f"/console/inbox/{case}"
    answer = await boris.press(page, place, {"how": "failed", "note": " "})
    assert answer.status_code == 409
    assert "This case did not end." in answer.text
    changed = await boris.press(page, place, {"how": "close"})
    assert (changed.status_code, "sent before with other content" in changed.text) == (409, True)
    assert (await boris.press(answer, place, {"how": "refund"})).status_code == 400
    (still,) = await cases.listed(staffed.stage.context)
    assert still.id == case


async def test_chandra_neither_sees_nor_ends_ashas_case(staffed: Staffed, gateway: Taking) -> None:
    case = await unresolved(staffed, gateway)
    chandra = await signed_in(staffed, "chandra")
    page = await chandra.look("/console/inbox")
    assert "Nothing needs you" in page.text
    fields = form(page, "/console/sign-out") | {"key": "k" * 20, "how": "failed", "note": "x"}
    answer = await chandra.send(f"/console/inbox/{case}", fields)
    assert answer.headers["location"] == "/console/inbox?done=case_over"
    (still,) = await cases.listed(staffed.stage.context)
    assert still.id == case


async def test_a_viewer_sees_a_case_without_buttons(staffed: Staffed, gateway: Taking) -> None:
    case = await unresolved(staffed, gateway)
    vera = await signed_in(staffed, "vera")
    page = await vera.look("/console/inbox")
    assert "A payment without an answer" in page.text
    assert f"/console/inbox/{case}" not in page.text
