"""Invitations and new passwords by mail: a link that a mail scanner may look at, one answer for
every login, and limits."""

import re
from collections.abc import Callable

import pytest

from coinslot.kit.ids import uuid7
from coinslot.people import letters, members
from coinslot.worker import sweep
from tests.console.conftest import a_browser, signed_in
from tests.notices.telling import PACE, Told, telling
from tests.people.conftest import HASHED, PASSWORD, Staffed

NEW = "a colder masala cola"


@pytest.fixture
async def told(staffed: Staffed) -> Told:
    return await telling(staffed)


async def mails(told: Told) -> list[tuple[str, str]]:
    """To whom what went."""
    while await sweep.sweep_once(told.context, "notices", PACE):
        pass
    fresh, told.seen = told.mock.sent[told.seen :], len(told.mock.sent)
    return [(box.notice.to, box.notice.text) for box in fresh]


def link(text: str, path: str) -> str:
    found = re.search(rf"/console/{path}\?token=\S+", text)
    assert found, text
    return found[0]


async def test_who_is_invited_gets_the_link_by_mail_and_signs_up_by_it(told: Told) -> None:
    asha = await signed_in(told.staffed, "asha")
    page = await asha.look("/console/people")
    answer = await asha.press(
        page, "/console/people/invite", {"address": "gita@shop.example", "role": "viewer"}
    )
    assert "on its way by mail" in answer.text
    ((to, text),) = await mails(told)
    assert to == "gita@shop.example"
    assert "work with Asha" in text
    gita = a_browser(told.staffed)
    page = await gita.look(link(text, "join"))
    joined = await gita.press(page, "/console/join", {"password": NEW})
    assert joined.status_code == 303, joined.text
    (row,) = await told.rows("SELECT sealed, body, target FROM notices")
    assert (row["sealed"], row["body"]) == (None, "")


async def test_one_mailbox_is_not_filled_with_invitations(told: Told) -> None:
    asha = await signed_in(told.staffed, "asha")
    page = await asha.look("/console/people")
    for number in range(7):
        fields = {
            "address": "gita@shop.example",
            "role": "viewer",
            "key": f"key-of-form-{number:04}",
        }
        await asha.press(page, "/console/people/invite", fields)
    assert len(await mails(told)) == 5


async def test_a_forgotten_password_is_set_anew_by_the_link_and_only_once(told: Told) -> None:
    boris = a_browser(told.staffed)
    page = await boris.look("/console/forgot")
    answer = await boris.press(page, "/console/forgot", {"login": "BORIS"})
    assert "a link is on its way" in answer.text
    ((to, text),) = await mails(told)
    assert to == "boris@shop.example"
    form = await boris.look(link(text, "reset"))
    form = await boris.look(link(text, "reset"))  # looking uses nothing up
    done = await boris.press(form, "/console/reset", {"password": NEW})
    assert done.status_code == 303, done.text
    again = await boris.press(form, "/console/reset", {"password": NEW})
    assert "unknown, used, or too old" in again.text
    assert (await told.staffed.login("boris")).status_code == 401
    assert (await told.staffed.login("boris", password=NEW)).status_code == 200


async def test_whoever_signs_in_by_their_mail_address_gets_the_link_there(told: Told) -> None:
    """They never gave another address."""
    gita, now = uuid7(told.context.now()), told.context.now()
    async with told.context.db.as_person(gita) as conn:
        await members.add_person(conn, gita, "gita@shop.example", HASHED, now)
    browser = a_browser(told.staffed)
    page = await browser.look("/console/forgot")
    await browser.press(page, "/console/forgot", {"login": " Gita@shop.example "})
    ((to, text),) = await mails(told)
    assert to == "gita@shop.example"
    done = await browser.press(
        await browser.look(link(text, "reset")), "/console/reset", {"password": NEW}
    )
    assert done.status_code == 303, done.text


async def test_a_login_that_is_no_address_and_has_none_gets_no_mail(told: Told) -> None:
    await told.settings("boris", address=None)
    browser = a_browser(told.staffed)
    page = await browser.look("/console/forgot")
    await browser.press(page, "/console/forgot", {"login": "boris"})
    assert await mails(told) == []


async def test_one_answer_whether_or_not_there_is_such_a_login(told: Told) -> None:
    browser = a_browser(told.staffed)
    page = await browser.look("/console/forgot")
    known = await browser.press(page, "/console/forgot", {"login": "boris"})
    unknown = await browser.press(page, "/console/forgot", {"login": "nobody@shop.example"})
    assert known.status_code == unknown.status_code == 200
    assert re.sub(r'nonce[=-]"?[\w-]+', "", known.text) == re.sub(
        r'nonce[=-]"?[\w-]+', "", unknown.text
    )
    # The same is written for both; who it is, is looked up when the mail goes out.
    rows = await told.rows("SELECT purpose, person_id, sealed FROM notices")
    assert [tuple(row.values()) for row in rows] == [("reset_asked", None, None)] * 2
    assert [to for to, _ in await mails(told)] == ["boris@shop.example"]


async def test_asking_too_often_for_one_login_is_refused(told: Told) -> None:
    browser = a_browser(told.staffed)
    page = await browser.look("/console/forgot")
    codes = [
        (await browser.press(page, "/console/forgot", {"login": login})).status_code
        for login in ("boris", "boris", "boris", "boris", "nobody", "nobody", "nobody", "nobody")
    ]
    assert codes == [200, 200, 200, 429] * 2
    assert len(await mails(told)) == 3


async def test_a_lost_answer_sends_the_same_link_again(told: Told) -> None:
    await told.settings("boris", address="phone02@shop.example")
    browser = a_browser(told.staffed)
    await browser.press(
        await browser.look("/console/forgot"), "/console/forgot", {"login": "boris"}
    )
    ((_, first),) = await mails(told)
    told.staffed.later(60)
    ((_, second),) = await mails(told)
    assert first == second


async def test_where_no_mail_goes_out_it_says_so_and_the_sign_in_offers_nothing(
    told: Told,
) -> None:
    told.context.notifiers = {}
    browser = a_browser(told.staffed)
    assert "sends no mail" in (await browser.look("/console/forgot")).text
    assert "Forgot" not in (await browser.look("/console/sign-in")).text
    assert PASSWORD != NEW


async def test_a_merchant_that_invites_many_has_no_more_mail_sent_than_its_share(
    told: Told,
) -> None:
    """Each to another address, with the name of the merchant in it: that is how spam is sent."""
    asha = await signed_in(told.staffed, "asha")
    page = await asha.look("/console/people")
    for number in range(33):
        fields = {
            "address": f"gita{number}@shop.example", "role": "viewer",
            "key": f"key-of-form-{number:04}",
        }  # fmt: skip
        answer = await asha.press(page, "/console/people/invite", fields)
        assert answer.status_code == 200
        assert ("on its way by mail" in answer.text) is (number < 30)
        assert "/console/join?token=" in answer.text  # to be given by hand
    assert len(await mails(told)) == 30


@pytest.mark.parametrize(
    "write", [lambda to: letters.invited(to, "Asha", "now"), lambda to: letters.reset(to, "asha")]
)
def test_a_letter_stands_in_the_language_of_its_reader_else_in_english(
    write: Callable[[str], letters.Mail],
) -> None:
    english, hindi, russian, other = (write(language) for language in ("en", "hi", "ru", "fr"))
    assert other == english
    assert re.search("[\u0900-\u097f]", hindi.subject)
    assert re.search("[\u0900-\u097f]", hindi.text)
    assert re.search("[\u0400-\u04ff]", russian.subject)
    assert re.search("[\u0400-\u04ff]", russian.text)
