"""A PIN on an enrolled tablet: it opens the board, there, for whoever works there, and nothing
else."""

import asyncio
from uuid import UUID

import pytest

from coinslot.people import tablets
from coinslot.people.authentication import Client, RuleError, SignInError
from coinslot.people.limits import TooOftenError
from coinslot.people.sessions import SignedIn, by_cookie
from coinslot.people.tablets import Tablet
from tests.console.conftest import Browser, a_browser
from tests.console.conftest import browser as browser
from tests.counter.stage import Counter
from tests.counter.test_board import BOARD, shop
from tests.people.conftest import HERE, PASSWORD, Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

__all__ = ["shop"]
CLIENT = Client(address=HERE, network=HERE)
PIN, WHERE = "2580", "/console/board/tablets"


async def member(staffed: Staffed, login: str) -> SignedIn:
    one = a_browser(staffed)
    await one.sign_in(login)
    secret = next(iter(one.client.cookies.values()))
    return await by_cookie(staffed.auth, secret, CLIENT)


async def enrolled(staffed: Staffed, *outlets: str) -> tuple[Tablet, str]:
    asha = await member(staffed, "asha")
    secret = await tablets.enrol(staffed.auth, asha, "Counter", outlets)
    found = await tablets.by_secret(staffed.auth, secret)
    assert found is not None
    return found, secret


async def with_pin(staffed: Staffed, login: str) -> UUID:
    who = await member(staffed, login)
    await tablets.set_pin(staffed.auth, who, PIN)
    return who.person


async def signed_in_at(staffed: Staffed, tablet: Tablet, person: UUID, pin: str = PIN) -> SignedIn:
    opened = await tablets.sign_in(staffed.auth, tablet, person, pin, CLIENT)
    return await by_cookie(staffed.auth, opened.cookie, CLIENT)


async def test_it_opens_the_board_and_nothing_else_even_for_an_admin(
    staffed: Staffed, shop: Counter
) -> None:
    tablet, _ = await enrolled(staffed, "S01")
    person = await with_pin(staffed, "asha")
    who = await signed_in_at(staffed, tablet, person)
    assert who.permissions == {"board:read", "board:write"}
    assert (who.role, who.outlets, who.strongly) == ("staff", ("S01",), False)


async def test_staff_of_another_counter_are_not_asked_for_and_do_not_get_in(
    staffed: Staffed, shop: Counter
) -> None:
    tablet, _ = await enrolled(staffed, "S01")
    lena, ravi = await with_pin(staffed, "lena"), await with_pin(staffed, "ravi")
    assert [one.id for one in await tablets.colleagues(staffed.auth, tablet)] == [lena]
    with pytest.raises(SignInError):
        await signed_in_at(staffed, tablet, ravi)


async def test_five_wrong_pins_lock_that_member_at_that_tablet_alone(
    staffed: Staffed, shop: Counter
) -> None:
    tablet, _ = await enrolled(staffed, "S01")
    other, _ = await enrolled(staffed)
    lena, boris = await with_pin(staffed, "lena"), await with_pin(staffed, "boris")
    answers = await asyncio.gather(
        *(signed_in_at(staffed, tablet, lena, "0000") for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(one, SignInError) for one in answers) == 5
    assert sum(isinstance(one, TooOftenError) for one in answers) == 3
    with pytest.raises(TooOftenError):
        await signed_in_at(staffed, tablet, lena)
    assert (await signed_in_at(staffed, tablet, boris)).person == boris
    assert (await signed_in_at(staffed, other, lena)).person == lena
    staffed.later(901)
    assert (await signed_in_at(staffed, tablet, lena)).person == lena


async def test_ending_a_tablet_signs_everybody_out_of_it(staffed: Staffed, shop: Counter) -> None:
    tablet, secret = await enrolled(staffed, "S01")
    lena = await with_pin(staffed, "lena")
    opened = await tablets.sign_in(staffed.auth, tablet, lena, PIN, CLIENT)
    assert await tablets.end(staffed.auth, await member(staffed, "asha"), tablet.id)
    with pytest.raises(SignInError):
        await by_cookie(staffed.auth, opened.cookie, CLIENT)
    assert await tablets.by_secret(staffed.auth, secret) is None


@pytest.mark.parametrize("pin", ["", "123", "1234", "4321", "7777", "123456789", "12a4", "१२३५"])
async def test_a_pin_that_is_easy_to_guess_is_none(
    staffed: Staffed, shop: Counter, pin: str
) -> None:
    with pytest.raises(RuleError):
        await tablets.set_pin(staffed.auth, await member(staffed, "lena"), pin)


async def test_nobody_without_a_pin_gets_in_and_a_stranger_learns_no_names(
    staffed: Staffed, shop: Counter
) -> None:
    tablet, _ = await enrolled(staffed, "S01")
    lena = (await member(staffed, "lena")).person
    with pytest.raises(SignInError):
        await signed_in_at(staffed, tablet, lena)
    await with_pin(staffed, "lena")
    stranger = a_browser(staffed)
    page = await stranger.look("/console/pin")
    assert (page.status_code, "lena" in page.text) == (404, False)


async def test_a_fresh_proof_on_a_tablet_stays_for_the_board_alone(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    """Whoever shows the password at it, to hand over without a code, leaves no full session."""
    await browser.sign_in("asha")
    page = await browser.look(WHERE)
    enrol = await browser.press(page, WHERE, {"name": "Counter"})
    assert enrol.status_code == 303
    page = await browser.look(WHERE)
    assert (await browser.press(page, f"{BOARD}/pin", {"secret-pin": PIN})).status_code == 303
    await browser.press(page, "/console/sign-out")
    page = await browser.look("/console/pin")
    asha = staffed.people["asha"]
    wrong = await browser.press(page, "/console/pin", {"person": str(asha), "secret-pin": "9999"})
    assert "This is not the PIN" in wrong.text
    entered = await browser.press(wrong, "/console/pin", {"person": str(asha), "secret-pin": PIN})
    assert entered.headers["location"] == BOARD
    assert (await browser.look(BOARD)).status_code == 200
    assert (await browser.look("/console/money")).status_code == 403
    order = await shop.ready()
    asked = await browser.press(
        await browser.look(BOARD), f"{BOARD}/{order}/vouch", {"reason": "Knows her"}
    )
    assert await shop.ends(order) == [("to_pick_up", None, None)]
    proved = await browser.press(asked, "/console/step-up", {"password": PASSWORD})
    assert proved.status_code in (200, 303, 401)
    assert (await browser.look("/console/money")).status_code == 403


async def wrong_pins(staffed: Staffed, tablet: Tablet, person: UUID) -> int:
    """How many are looked at before the next one has to wait."""
    tried = 0
    while True:
        try:
            await signed_in_at(staffed, tablet, person, "0000")
        except SignInError:
            tried += 1
        except TooOftenError:
            return tried


async def test_a_patient_thief_of_a_tablet_gets_few_tries_in_a_day(
    staffed: Staffed, shop: Counter
) -> None:
    tablet, _ = await enrolled(staffed, "S01")
    other, _ = await enrolled(staffed)
    lena = await with_pin(staffed, "lena")
    tried = []
    for _ in range(6):
        tried.append(await wrong_pins(staffed, tablet, lena))
        staffed.later(901)
    assert tried == [5, 5, 5, 5, 0, 0]
    assert (await signed_in_at(staffed, other, lena)).person == lena, "another tablet opens"
    staffed.later(86_400)
    assert (await signed_in_at(staffed, tablet, lena)).person == lena


async def test_many_tablets_are_not_many_times_as_many_tries(
    staffed: Staffed, shop: Counter
) -> None:
    lena = await with_pin(staffed, "lena")
    tried = 0
    for _ in range(13):
        tablet, _ = await enrolled(staffed, "S01")
        tried += await wrong_pins(staffed, tablet, lena)
    assert tried == tablets.PIN_TRIES_OF_PERSON
