"""Account at the console: proofs are added and removed with a proof, and what is secret is shown
once."""

import re

import httpx
import msgspec
import pyotp

from tests.console.conftest import Browser, form, signed_in
from tests.people.authenticator import Authenticator
from tests.people.conftest import PASSWORD, Staffed

ACCOUNT, APP = "/console/account", "/console/account/factors/totp"
_CODE = re.compile(r"\b(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}\b")


async def with_app(staffed: Staffed, browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """They add an app; its codes, and the recovery codes."""
    begun = await browser.press(await browser.look(ACCOUNT), APP, {"name": "phone"})
    assert begun.status_code == 200, begun.text
    app = pyotp.TOTP(re.findall(r"<code>([A-Z2-7]{32})</code>", begun.text)[0])
    (place,) = re.findall(rf"{APP}/[0-9a-f-]+", begun.text)
    code = app.at(staffed.stage.clock.now())
    done = await browser.press(begun, place, {"code": code})
    assert done.status_code == 200, done.text
    staffed.later(60)
    return app, _CODE.findall(done.text)


async def test_an_app_is_added_by_its_qr_code_and_asked_for_at_the_next_sign_in(
    staffed: Staffed,
) -> None:
    boris = await signed_in(staffed, "boris")
    begun = await boris.press(await boris.look(ACCOUNT), APP, {"name": "phone"})
    assert "<svg" in begun.text
    app, codes = await with_app(staffed, boris)
    assert len(set(codes)) == 10
    page = await boris.look(ACCOUNT)
    assert "phone" in page.text
    assert not _CODE.findall(page.text), "recovery codes are shown once"
    asked = await boris.sign_in("boris")
    assert asked.status_code == 401
    code = app.at(staffed.stage.clock.now())
    again = await boris.press(asked, "/console/sign-in", {"code": code})
    assert again.status_code == 303


async def test_a_wrong_code_adds_nothing_and_may_be_typed_again(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    begun = await boris.press(await boris.look(ACCOUNT), APP)
    app = pyotp.TOTP(re.findall(r"<code>([A-Z2-7]{32})</code>", begun.text)[0])
    (place,) = re.findall(rf"{APP}/[0-9a-f-]+", begun.text)
    wrong = await boris.press(begun, place, {"code": "000000"})
    assert (wrong.status_code, "This code is wrong" in wrong.text) == (401, True)
    assert "Only the password protects" in (await boris.look(ACCOUNT)).text
    right = await boris.press(wrong, place, {"code": app.at(staffed.stage.clock.now())})
    assert (right.status_code, len(_CODE.findall(right.text))) == (200, 10)


async def test_a_stolen_password_adds_no_factor_beside_the_one_there_is(staffed: Staffed) -> None:
    """Whoever has a factor must have shown it; a session that has the password alone may not."""
    thief, boris = await signed_in(staffed, "boris"), await signed_in(staffed, "boris")
    page = await thief.look(ACCOUNT)
    await with_app(staffed, boris)
    answer = await thief.press(page, APP)
    assert answer.status_code == 403
    back = await thief.press(answer, "/console/step-up", {"password": PASSWORD})
    assert back.status_code != 303
    assert "<svg viewBox" not in back.text or "Scan this" not in back.text


async def test_an_old_proof_adds_and_removes_nothing(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(ACCOUNT)
    staffed.later(3600)
    for place in (APP, "/console/account/factors/passkey", "/console/account/password"):
        assert (await boris.press(page, place)).status_code == 403, place


def credential(staffed: Staffed, page: httpx.Response) -> str:
    """What an authenticator in software makes of the options on the page."""
    from html import unescape

    (options,) = re.findall(r'data-create="([^"]+)"', page.text)
    asked = msgspec.json.decode(unescape(options))
    made = Authenticator(staffed.auth.origin).create(asked)
    return msgspec.json.encode(made).decode()


async def test_a_passkey_is_added_and_removed_again(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    place = "/console/account/factors/passkey"
    begun = await boris.press(await boris.look(ACCOUNT), place, {"name": "laptop"})
    done = await boris.press(begun, f"{place}/confirm", {"passkey": credential(staffed, begun)})
    assert (done.status_code, len(_CODE.findall(done.text))) == (200, 10)
    twice = await boris.press(begun, f"{place}/confirm", {"passkey": credential(staffed, begun)})
    assert twice.status_code in (401, 403, 422), "a challenge is answered once"
    assert "laptop" in (await boris.look(ACCOUNT)).text


async def test_a_factor_is_removed_with_a_proof_of_it(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    app, _ = await with_app(staffed, boris)
    page = await boris.look(ACCOUNT)
    (place,) = re.findall(r"/console/account/factors/[0-9a-f-]+/remove", page.text)
    asked = await boris.press(page, place)
    assert asked.status_code == 403
    code = app.at(staffed.stage.clock.now())
    back = await boris.press(asked, "/console/step-up", {"code": code})
    assert (await boris.press(back, place)).status_code == 303
    assert "Only the password protects" in (await boris.look(ACCOUNT)).text


async def test_new_recovery_codes_end_the_old_ones(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    app, old = await with_app(staffed, boris)
    asked = await boris.sign_in("boris")
    code = app.at(staffed.stage.clock.now())
    await boris.press(asked, "/console/sign-in", {"code": code})
    page = await boris.look(ACCOUNT)
    made = await boris.press(page, "/console/account/recovery-codes")
    new = _CODE.findall(made.text)
    assert (len(new), set(new) & set(old)) == (10, set())
    asked = await boris.sign_in("boris")
    assert (await boris.press(asked, "/console/sign-in", {"code": old[0]})).status_code == 401
    assert (await boris.press(asked, "/console/sign-in", {"code": new[0]})).status_code == 303


async def test_a_new_password_keeps_this_session_and_ends_every_other(staffed: Staffed) -> None:
    here, there = await signed_in(staffed, "boris"), await signed_in(staffed, "boris")
    page, place = await here.look(ACCOUNT), "/console/account/password"
    new = "seven green bottles"
    differ = {"secret-password": new, "secret-again": "seven grey bottles"}
    assert (await here.press(page, place, differ)).status_code == 422
    weak = {"secret-password": "short", "secret-again": "short"}
    assert (await here.press(page, place, weak)).status_code == 422
    good = {"secret-password": new, "secret-again": new}
    answer = await here.press(page, place, good)
    assert answer.headers["location"] == f"{ACCOUNT}?done=password_changed"
    assert (await here.look("/console/today")).url.path == "/console/today"
    assert (await there.look("/console/today")).url.path == "/console/sign-in"
    assert (await there.sign_in("boris")).status_code == 401
    assert (await there.sign_in("boris", password=new)).status_code == 303


async def test_nobody_removes_somebody_elses_factor(staffed: Staffed) -> None:
    boris, asha = await signed_in(staffed, "boris"), await signed_in(staffed, "asha")
    await with_app(staffed, boris)
    page = await boris.look(ACCOUNT)
    (place,) = re.findall(r"/console/account/factors/[0-9a-f-]+/remove", page.text)
    fields = form(await asha.look(ACCOUNT), "/console/sign-out")
    assert (await asha.send(place, fields)).status_code == 404
    assert "phone" in (await boris.look(ACCOUNT)).text


async def test_who_runs_the_installation_has_an_account_too(staffed: Staffed) -> None:
    meera = await signed_in(staffed, "meera")
    _, codes = await with_app(staffed, meera)
    assert len(codes) == 10
