"""One's own notices: settings, an address that has to be confirmed, a test, what was sent."""

import re

import pytest

from coinslot.worker import sweep
from tests.console.conftest import a_browser, form, signed_in
from tests.notices.telling import PACE, Told, telling
from tests.people.conftest import Staffed

HERE = "/console/notices"


@pytest.fixture
async def told(staffed: Staffed) -> Told:
    return await telling(staffed)


async def sent(told: Told) -> None:
    while await sweep.sweep_once(told.context, "notices", PACE):
        pass


async def test_what_is_set_is_shown_again_and_counts(told: Told) -> None:
    boris = await signed_in(told.staffed, "boris")
    page = await boris.look(HERE)
    fields = {
        "mail_machine_silent": "off", "mail_case_waiting": "digest", "push_case_waiting": "1",
        "quiet_from": "22:00", "quiet_to": "07:30", "digest_at": "08:15",
        "zone": "Asia/Kolkata", "language": "ru",
    }  # fmt: skip
    answer = await boris.press(page, HERE, fields)
    assert answer.status_code == 303, answer.text
    page = await boris.look(HERE)
    for shown in ('value="22:00"', 'value="07:30"', 'value="08:15"', 'value="Asia/Kolkata"'):
        assert shown in page.text
    assert re.search(r'mail_case_waiting">.*?"digest" selected', page.text)
    await told.heard("M01")
    await told.pass_(1200, step=300)
    assert "boris@shop.example" not in [box.notice.to for box in told.mock.sent]
    assert "asha@shop.example" in [box.notice.to for box in told.mock.sent]


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [("zone", "Pune", "This is no time zone"), ("quiet_from", "22:00", "Name both ends")],
)
async def test_what_cannot_be_is_said(told: Told, field: str, typed: str, said: str) -> None:
    boris = await signed_in(told.staffed, "boris")
    answer = await boris.press(await boris.look(HERE), HERE, {field: typed})
    assert answer.status_code == 422
    assert said in answer.text


async def test_an_address_counts_once_its_link_was_confirmed(told: Told) -> None:
    boris = await signed_in(told.staffed, "boris")
    page = await boris.look(HERE)
    answer = await boris.press(page, f"{HERE}/address", {"address": "b@new.example"})
    assert answer.status_code == 303, answer.text
    await sent(told)
    (mail,) = [box.notice for box in told.mock.sent if box.notice.to == "b@new.example"]
    link = re.search(r"/console/confirm-address\?token=\S+", mail.text)
    assert link
    (row,) = await told.rows("SELECT body, sealed, outcome FROM notices")
    assert (row["sealed"], row["outcome"]) == (None, "sent")
    assert "token" not in row["body"]
    nobody = a_browser(told.staffed)
    page = await nobody.look(link[0])  # a mail scanner looks, and uses nothing up
    page = await nobody.look(link[0])
    assert "b@new.example" not in (await boris.look(HERE)).text.split("notice")[0]
    done = await nobody.press(page, "/console/confirm-address")
    assert "The address is confirmed" in done.text
    for token in (None, "", "1", "nonsense", "1-nonsense", f"{9**12}-nonsense"):
        typed = {} if token is None else {"token": token}
        used_up = await nobody.press(page, "/console/confirm-address", typed)
        assert used_up.status_code == 404, token
    again = await boris.look(HERE)
    assert "<dd>b@new.example</dd>" in again.text


async def test_a_test_is_sent_once_for_two_clicks_and_listed(told: Told) -> None:
    boris = await signed_in(told.staffed, "boris")
    page = await boris.look(HERE)
    for _ in range(2):
        assert (await boris.press(page, f"{HERE}/test")).status_code == 303
    await sent(told)
    assert [box.notice.to for box in told.mock.sent] == ["boris@shop.example"]
    listed = await boris.look(HERE)
    assert "This is a test" in listed.text
    assert "sent</span>" in listed.text


async def test_what_could_not_be_sent_is_seen_by_whom_it_was_for(told: Told) -> None:
    await told.settings("boris", address="phone01@shop.example")
    boris = await signed_in(told.staffed, "boris")
    await boris.press(await boris.look(HERE), f"{HERE}/test")
    await sent(told)
    listed = await boris.look(HERE)
    assert "could not be sent" in listed.text
    assert "this phone takes nothing" in listed.text
    chandra = await signed_in(told.staffed, "chandra")
    assert "This is a test" not in (await chandra.look(HERE)).text


async def test_whoever_cannot_be_reached_is_told_so(told: Told) -> None:
    told.context.notifiers = {}
    boris = await signed_in(told.staffed, "boris")
    page = await boris.look(HERE)
    assert "This installation sends no mail" in page.text
    answer = await boris.press(page, f"{HERE}/test")
    assert answer.status_code == 422
    assert "There is no way to reach you yet" in answer.text


async def test_staff_and_who_runs_the_installation_are_told_of_their_account_alone(
    told: Told,
) -> None:
    for login in ("ravi", "meera"):
        browser = await signed_in(told.staffed, login)
        page = await browser.look(HERE)
        assert "are always told" in page.text
        assert "A machine is silent" not in page.text
        wish = {"mail_machine_silent": "now", "language": "en"}
        assert (await browser.press(page, HERE, wish)).status_code == 303
    assert await told.rows("SELECT 1 FROM notice_choices") == []
    assert form(page, HERE)


async def test_links_are_asked_for_a_few_times_only(told: Told) -> None:
    boris = await signed_in(told.staffed, "boris")
    page = await boris.look(HERE)
    codes = [
        (await boris.press(page, f"{HERE}/address", {"address": f"{n}@x.example"})).status_code
        for n in range(12)
    ]
    assert codes[:10] == [303] * 10
    assert codes[-1] == 429
