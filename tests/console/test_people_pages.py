"""People and the audit log at the console: only a fresh proof invites, and a link is shown once."""

import re

from tests.console.conftest import a_browser, form, signed_in
from tests.people.conftest import PASSWORD, Staffed

INVITE = "/console/people/invite"


async def test_an_admin_invites_and_the_link_lets_in_whom_it_names(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    page = await asha.look("/console/people")
    made = await asha.press(page, INVITE, {"address": "new@x.example", "role": "viewer"})
    (link,) = re.findall(r"/console/join\?token=[\w-]+", made.text)
    new = a_browser(staffed)
    answer = await new.press(
        await new.look(link), "/console/join", {"password": "seven green bottles"}
    )
    assert answer.status_code == 303
    assert "new@x.example" in (await asha.look("/console/people")).text


async def test_a_link_is_never_shown_again_not_even_to_a_second_click(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    fields = form(await asha.look("/console/people"), INVITE)
    fields |= {"address": "new@x.example", "role": "viewer"}
    assert "/console/join?token=" in (await asha.send(INVITE, fields)).text
    again = await asha.send(INVITE, fields)
    assert again.headers["location"] == "/console/people?done=invited"
    page = await asha.look("/console/people")
    assert page.text.count("new@x.example</strong>") == 1
    assert "/console/join?token=" not in page.text


async def test_an_old_proof_is_renewed_and_the_invitation_goes_on(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    page = await asha.look("/console/people")
    staffed.later(3600)
    asked = await asha.press(page, INVITE, {"address": "new@x.example", "role": "viewer"})
    assert (asked.status_code, "/console/join?token=" in asked.text) == (403, False)
    back = await asha.press(asked, "/console/step-up", {"password": PASSWORD})
    made = await asha.press(back, INVITE)
    assert "/console/join?token=" in made.text


async def test_who_loses_their_role_is_out_at_once_and_the_log_has_it(staffed: Staffed) -> None:
    asha, boris = await signed_in(staffed, "asha"), await signed_in(staffed, "boris")
    place = f"/console/people/{staffed.people['boris']}"
    page = await asha.look("/console/people")
    answer = await asha.press(page, place, {"role": "none", "reason": "left"})
    assert answer.headers["location"] == "/console/people?done=member_removed"
    assert (await boris.look("/console/today")).url.path == "/console/sign-in"
    log = await asha.look("/console/log")
    assert "member removed" in log.text
    assert "left" in log.text


async def test_the_last_admin_stays_and_is_told_why(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    place = f"/console/people/{staffed.people['asha']}"
    page = await asha.look("/console/people")
    answer = await asha.press(page, place, {"role": "viewer"})
    assert (answer.status_code, "Someone has to stay an admin" in answer.text) == (422, True)


async def test_chandra_neither_sees_nor_changes_ashas_people(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    page = await asha.look("/console/people")
    await asha.press(page, INVITE, {"address": "new@x.example", "role": "viewer"})
    page = await asha.look("/console/people")
    (place,) = re.findall(r"/console/people/invitations/[\w-]+", page.text)
    chandra = await signed_in(staffed, "chandra")
    theirs = await chandra.look("/console/people")
    assert "new@x.example" not in theirs.text
    assert ">boris<" not in theirs.text
    fields = form(theirs, "/console/sign-out") | {"key": "k" * 20, "role": "none"}
    assert (await chandra.send(place, fields)).status_code == 404
    boris = f"/console/people/{staffed.people['boris']}"
    assert (await chandra.send(boris, fields)).status_code == 404
    assert "boris" not in (await chandra.look("/console/log")).text
    assert "new@x.example" in (await asha.look("/console/people")).text
