"""A reset link goes to someone's mail address: whoever finds an open session must not be able to
turn it into a password of their own, by naming an address or by asking for links."""

import pytest

from coinslot.people import resets
from coinslot.people.audit_log import COMMAND_LINE
from coinslot.people.authentication import Authentication
from tests.console.conftest import Browser, a_browser, signed_in
from tests.notices.telling import Told, telling
from tests.people.conftest import HERE, PASSWORD, Staffed
from tests.people.test_letters import NEW, link, mails

NOTICES = "/console/notices"
THIEF = "thief@elsewhere.example"


@pytest.fixture
async def told(staffed: Staffed) -> Told:
    return await telling(staffed)


async def asked_for(told: Told, browser: Browser, address: str) -> str:
    """The link in the mail to the address that the browser's owner named."""
    page = await browser.look(NOTICES)
    woken = told.context.wakes.of("notices")
    woken.clear()
    answer = await browser.press(page, f"{NOTICES}/address", {"address": address})
    assert answer.status_code == 303, answer.text
    assert woken.is_set(), "its owner waits for the mail"
    found = [text for to, text in await mails(told) if to == address]
    return link(found[-1], "confirm-address")


async def test_an_open_session_names_no_address_to_which_a_new_password_would_go(
    told: Told,
) -> None:
    boris = await signed_in(told.staffed, "boris")
    page = await boris.look(NOTICES)
    told.staffed.later(601)  # he went away, and his screen is open
    answer = await boris.press(page, f"{NOTICES}/address", {"address": THIEF})
    assert answer.status_code == 403
    assert "password" in answer.text.lower()  # his own is asked for
    assert THIEF not in [to for to, _ in await mails(told)]


async def test_the_address_before_is_told_that_another_one_took_its_place(told: Told) -> None:
    boris = await signed_in(told.staffed, "boris")
    page = await boris.look(await asked_for(told, boris, "b@new.example"))
    woken = told.context.wakes.of("notices")
    woken.clear()
    assert "confirmed" in (await boris.press(page, "/console/confirm-address")).text
    assert woken.is_set(), "it is told at once"
    ((to, text),) = await mails(told)
    assert to == "boris@shop.example"
    assert "b@new.example" in text


async def test_the_same_address_once_more_tells_nobody(told: Told) -> None:
    boris = await signed_in(told.staffed, "boris")
    page = await boris.look(await asked_for(told, boris, "Boris@shop.example"))
    await boris.press(page, "/console/confirm-address")
    assert await mails(told) == []


@pytest.mark.parametrize("how", ["password", "everywhere"])
async def test_a_link_to_an_address_is_over_when_its_owner_ends_every_session(
    told: Told, how: str
) -> None:
    thief = await signed_in(told.staffed, "boris")
    found = await asked_for(told, thief, THIEF)
    boris = await signed_in(told.staffed, "boris")
    if how == "everywhere":
        page = await boris.look("/console/account")
        await boris.press(page, "/console/sign-out-everywhere")
    else:
        page = await boris.look("/console/account")
        fields = {"secret-password": NEW, "secret-again": NEW}
        assert (await boris.press(page, "/console/account/password", fields)).status_code == 303
    nobody = a_browser(told.staffed)
    page = await nobody.look(found)
    assert (await nobody.press(page, "/console/confirm-address")).status_code == 404


async def test_a_stranger_who_asks_for_links_ends_none_that_somebody_was_given(
    told: Told,
) -> None:
    auth = Authentication(told.context, told.context.public_url)
    given = await resets.offer(auth, COMMAND_LINE, told.staffed.people["boris"], drops_factors=True)
    stranger = a_browser(told.staffed, "198.51.100.9")
    for _ in range(2):
        page = await stranger.look("/console/forgot")
        await stranger.press(page, "/console/forgot", {"login": "boris"})
        assert len(await mails(told)) == 1
    boris = a_browser(told.staffed)
    page = await boris.look(f"/console/reset?token={given}")
    done = await boris.press(page, "/console/reset", {"password": NEW})
    assert done.status_code == 303, done.text


async def test_of_several_links_the_first_that_is_used_ends_the_others(told: Told) -> None:
    found = []
    for _ in range(2):
        browser = a_browser(told.staffed)
        page = await browser.look("/console/forgot")
        await browser.press(page, "/console/forgot", {"login": "boris"})
        ((_, text),) = await mails(told)
        found.append(link(text, "reset"))
    boris = a_browser(told.staffed)
    done = await boris.press(await boris.look(found[0]), "/console/reset", {"password": NEW})
    assert done.status_code == 303, done.text
    again = await boris.press(await boris.look(found[1]), "/console/reset", {"password": PASSWORD})
    assert "unknown, used, or too old" in again.text
    assert (await told.staffed.login("boris", HERE, password=NEW)).status_code == 200
