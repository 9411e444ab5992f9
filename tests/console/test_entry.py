"""Getting in and out: passwords, second factors, forms that waited, and what other sites try."""

from typing import Any

import pyotp
import pytest

from coinslot.people import first_run
from coinslot.people.audit_log import COMMAND_LINE
from coinslot.people.invitations import Wanted, invite
from coinslot.people.members import Role
from tests.console.conftest import Browser, a_browser, form, signed_in
from tests.people.conftest import PASSWORD, Staffed
from tests.people.test_members import nobody_runs_it

CROSS = {"sec-fetch-site": "cross-site", "accept": "text/html"}


async def test_a_stranger_is_led_to_the_sign_in_page_and_back(browser: Browser) -> None:
    page = await browser.look("/console/inbox")
    assert page.url.path == "/console/sign-in"
    answer = await browser.press(page, "/console/sign-in", {"login": "boris", "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/inbox")
    assert (await browser.look("/console/inbox")).status_code == 200


async def test_the_cookie_is_kept_from_scripts_and_from_other_sites(browser: Browser) -> None:
    answer = await browser.sign_in("boris")
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=lax" in said


async def test_after_sign_in_nobody_is_led_away_from_the_console(browser: Browser) -> None:
    for place in ("https://evil.example/", "//evil.example", "/console//evil.example", "/o/x"):
        answer = await browser.sign_in("boris", next=place)
        assert answer.headers["location"] == "/console", place


async def test_a_wrong_password_and_an_unknown_login_read_the_same(browser: Browser) -> None:
    wrong = await browser.sign_in("boris", password="not his")
    nobody = await browser.sign_in("nobody")
    for answer in (wrong, nobody):
        assert answer.status_code == 401
        assert "Login or password is wrong." in answer.text
        assert "set-cookie" not in answer.headers


async def test_a_form_of_another_site_signs_nobody_in(browser: Browser) -> None:
    fields = {"login": "boris", "password": PASSWORD}
    answer = await browser.send("/console/sign-in", fields, CROSS)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_a_form_of_another_site_does_nothing_for_who_is_signed_in(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    answer = await boris.send("/console/sign-out", {}, CROSS)
    assert answer.status_code == 403
    assert (await boris.look("/console/today")).url.path == "/console/today"


async def test_a_browser_that_says_nothing_needs_the_token_of_its_session(
    staffed: Staffed,
) -> None:
    boris = await signed_in(staffed, "boris")
    silent = {"accept": "text/html"}
    assert (await boris.send("/console/sign-out", {}, silent)).status_code == 403
    fields = form(await boris.look("/console/today"), "/console/sign-out")
    assert (await boris.send("/console/sign-out", fields, silent)).status_code == 303


async def test_signing_out_ends_the_session_and_not_only_the_cookie(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    cookies = dict(boris.client.cookies)
    page = await boris.look("/console/today")
    assert (await boris.press(page, "/console/sign-out")).status_code == 303
    thief = a_browser(staffed)
    thief.client.cookies.update(cookies)
    assert (await thief.look("/console/today")).url.path == "/console/sign-in"


async def with_app(staffed: Staffed, login: str) -> pyotp.TOTP:
    """They add an app that makes codes."""
    token = await staffed.token(login)
    await staffed.call(token, "POST", "/auth/step-up", {"password": PASSWORD})
    token = await staffed.token(login)
    made = (await staffed.call(token, "POST", "/auth/factors/totp", {})).json()
    app = pyotp.TOTP(made["secret"])
    code = app.at(staffed.stage.clock.now())
    place = f"/auth/factors/totp/{made['id']}/confirm"
    answer = await staffed.call(token, "POST", place, {"code": code})
    assert answer.status_code == 200, answer.text
    staffed.later(60)
    return app


async def test_a_second_factor_is_asked_for_and_a_wrong_code_is_not_enough(
    staffed: Staffed, browser: Browser
) -> None:
    app = await with_app(staffed, "boris")
    page = await browser.sign_in("boris")
    assert (page.status_code, "set-cookie" in page.headers) == (401, False)
    again = await browser.press(page, "/console/sign-in", {"code": "000000"})
    assert "This code is wrong" in again.text
    code = app.at(staffed.stage.clock.now())
    answer = await browser.press(again, "/console/sign-in", {"code": code})
    assert answer.status_code == 303
    assert (await browser.look("/console/today")).status_code == 200


async def test_who_works_for_two_merchants_says_for_which(
    staffed: Staffed, browser: Browser
) -> None:
    wanted = Wanted(merchant=staffed.chandra, address="boris", role=Role(role="viewer"))
    made = await invite(staffed.auth, COMMAND_LINE, wanted)
    joined = await browser.look(f"/console/join?token={made.token}")
    page = await browser.press(joined, "/console/join", {"password": PASSWORD})
    assert page.status_code == 422
    fields = {"merchant": str(staffed.chandra)}
    answer = await browser.press(page, "/console/sign-in", fields)
    assert answer.status_code == 303
    assert "Chandra" in (await browser.look("/console/today")).text


async def test_looking_at_an_invitation_uses_nothing_up(staffed: Staffed, browser: Browser) -> None:
    wanted = Wanted(merchant=staffed.merchant, address="new@x.example", role=Role(role="viewer"))
    made = await invite(staffed.auth, COMMAND_LINE, wanted)
    for _ in range(3):
        page = await browser.look(f"/console/join?token={made.token}")
        assert "new@x.example" in page.text
    answer = await browser.press(page, "/console/join", {"password": "seven green bottles"})
    assert answer.status_code == 303
    assert (await browser.look("/console/today")).status_code == 200
    gone = await browser.look(f"/console/join?token={made.token}")
    assert gone.status_code == 404


async def test_the_link_that_the_server_prints_makes_the_first_account_once(
    staffed: Staffed, browser: Browser, urls: Any
) -> None:
    await nobody_runs_it(staffed, urls)
    token = await first_run.offer(staffed.auth)
    page = await browser.look(f"/console/first-run?token={token}")
    fields = {"login": "nila", "password": "seven green bottles"}
    answer = await browser.press(page, "/console/first-run", fields)
    assert answer.status_code == 303
    assert (await browser.look("/console")).status_code == 200
    second = await a_browser(staffed).press(page, "/console/first-run", {**fields, "login": "x"})
    assert second.status_code == 401


async def test_what_was_typed_before_the_session_ended_is_kept_through_signing_in(
    staffed: Staffed,
) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look("/console/inbox")
    typed = {"form_token": "x", "key": "k" * 20, "how": "close", "note": "told her & him"}
    boris.client.cookies.clear()
    asked = await boris.send("/console/inbox/7", typed)
    assert asked.status_code == 401
    back = await boris.press(asked, "/console/sign-in", {"login": "boris", "password": PASSWORD})
    assert back.status_code == 200
    kept = form(back, "/console/inbox/7")
    assert {name: kept[name] for name in ("key", "how", "note")} == {
        name: typed[name] for name in ("key", "how", "note")
    }
    assert kept["form_token"] not in ("x", form(page, "/console/sign-out")["form_token"])
    done = await boris.press(back, "/console/inbox/7")
    assert done.headers["location"] == "/console/inbox?done=case_over"


async def test_a_form_of_another_site_is_not_kept_for_whoever_signs_in_next(
    browser: Browser,
) -> None:
    asked = await browser.send("/console/inbox/7", {"how": "close", "note": "evil"}, CROSS)
    assert asked.status_code == 401
    assert "evil" not in asked.text


async def test_somewhere_else_one_can_be_signed_out(staffed: Staffed) -> None:
    here, there = await signed_in(staffed, "boris"), await signed_in(staffed, "boris")
    page = await here.look("/console/account")
    (place,) = [part for part in page.text.split('"') if part.startswith("/console/account/s")]
    assert (await here.press(page, place)).status_code == 303
    assert (await there.look("/console/today")).url.path == "/console/sign-in"
    assert (await here.look("/console/today")).url.path == "/console/today"


async def test_a_page_of_the_console_is_kept_by_no_cache(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    for path in ("/console/today", "/console/account", "/console/sign-in"):
        assert (await asha.look(path)).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/console/nonsense", "/console/new-machine/table"])
async def test_an_address_that_is_no_page_of_the_console_leads_back_to_it(
    staffed: Staffed, path: str
) -> None:
    """The second is that of a form: who loads it by its address gets no sheet of the customer's."""
    boris = await signed_in(staffed, "boris")
    page = await boris.look(path)
    assert page.status_code in (404, 405)
    assert "no page of the console" in page.text
    assert 'href="/console"' in page.text
    assert "Scan the code" not in page.text
    elsewhere = await boris.look("/nonsense")
    assert "Scan the code" in elsewhere.text
    assert "To the console" not in elsewhere.text
