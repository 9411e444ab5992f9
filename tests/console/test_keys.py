"""Keys at the console: shown once, for what they need, replaced without a gap, ended at once."""

import re
from datetime import timedelta

import pytest

from coinslot.merchants import keys
from coinslot.people import api_keys
from coinslot.people.api_keys import NewKey
from coinslot.people.audit_log import COMMAND_LINE
from coinslot.people.authentication import RuleError
from tests.console.conftest import Browser, form, signed_in
from tests.people.conftest import PASSWORD, Staffed

KEYS = "/console/keys"
_KEY = re.compile(r"sk_(?:test|live)_[\w-]{20,}")


async def make(browser: Browser, **fields: str) -> str:
    page = await browser.look(KEYS)
    wanted = {"name": "web shop", "scope": "payments:read", "days": "30", "live": "no"} | fields
    made = await browser.press(page, KEYS, wanted)
    assert made.status_code == 200, made.text
    (key,) = set(_KEY.findall(made.text))
    return str(key)


async def works(staffed: Staffed, key: str) -> bool:
    """Whether a call with it is let in."""
    context = staffed.stage.context
    found = await keys.caller(context.db, key, context.now())
    assert found is None or found.merchant == staffed.merchant
    return found is not None


async def test_a_key_is_shown_once_and_works_until_it_expires(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    key = await make(asha)
    assert key not in (await asha.look(KEYS)).text
    assert await works(staffed, key)
    found = await keys.caller(staffed.stage.context.db, key, staffed.stage.context.now())
    assert found is not None
    assert (set(found.scopes), found.live) == ({"payments:read"}, False)
    staffed.later(30 * 86400 + 1)
    assert not await works(staffed, key)


async def test_a_key_lasts_for_a_while_and_ten_years_at_most(staffed: Staffed) -> None:
    context, merchant = staffed.stage.context, staffed.merchant
    most = timedelta(days=3660)
    for lasts in (timedelta(0), -most, most + timedelta(microseconds=1)):
        wanted = NewKey(name="shop", scopes=("payments:read",), live=False, lasts=lasts)
        with pytest.raises(RuleError) as refused:
            await api_keys.make(context, COMMAND_LINE, merchant, wanted)
        assert refused.value.code == "bad_expiry"
    for lasts in (timedelta(microseconds=1), most):
        wanted = NewKey(name="shop", scopes=("payments:read",), live=False, lasts=lasts)
        assert (await api_keys.make(context, COMMAND_LINE, merchant, wanted)).key


async def test_a_second_click_makes_no_second_key_and_shows_none(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    fields = form(await asha.look(KEYS), KEYS)
    fields |= {"name": "shop", "scope": "payments:read", "days": "", "live": "yes"}
    first, again = await asha.send(KEYS, fields), await asha.send(KEYS, fields)
    assert "sk_live_" in first.text
    assert again.headers["location"] == f"{KEYS}?done=key_made"
    page = await asha.look(KEYS)
    assert len(re.findall("<strong>shop</strong>", page.text)) == 1


async def test_the_old_key_works_beside_the_new_one_and_then_no_more(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    old = await make(asha)
    page = await asha.look(KEYS)
    (place,) = re.findall(rf"{KEYS}/[\w-]+/rotate", page.text)
    made = await asha.press(page, place)
    (new,) = set(_KEY.findall(made.text))
    assert await works(staffed, old)
    assert await works(staffed, new)
    assert re.findall(rf"{KEYS}/[\w-]+/rotate", made.text) != [place], "a key is replaced once"
    staffed.later(86400 + 1)
    assert not await works(staffed, old)
    assert await works(staffed, new)


async def replaced(browser: Browser) -> str:
    """The only key that is in use and was not replaced is; the new one."""
    page = await browser.look(KEYS)
    (place,) = re.findall(rf"{KEYS}/[\w-]+/rotate", page.text)
    (new,) = set(_KEY.findall((await browser.press(page, place)).text))
    return str(new)


async def test_a_key_in_the_place_of_another_may_do_the_same_for_as_long(staffed: Staffed) -> None:
    asha, context = await signed_in(staffed, "asha"), staffed.stage.context
    await make(asha, live="yes", scope="orders:read")
    staffed.later(60)
    new = await replaced(asha)
    found = await keys.caller(context.db, new, context.now())
    assert found is not None
    assert (new[:8], found.live, set(found.scopes)) == ("sk_live_", True, {"orders:read"})
    staffed.later(30 * 86400 - 1)
    assert await works(staffed, new)
    staffed.later(1)
    assert not await works(staffed, new)


async def test_a_key_that_was_to_end_sooner_is_not_lengthened_by_being_replaced(
    staffed: Staffed,
) -> None:
    asha = await signed_in(staffed, "asha")
    old = await make(asha)
    staffed.later(30 * 86400 - 3600)  # the overlap would be a day
    await replaced(await signed_in(staffed, "asha"))
    assert await works(staffed, old)
    staffed.later(3601)
    assert not await works(staffed, old)


async def test_a_revoked_key_is_refused_from_the_next_call_on(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    key = await make(asha)
    page = await asha.look(KEYS)
    (place,) = re.findall(rf"{KEYS}/[\w-]+/revoke", page.text)
    assert (await asha.press(page, place)).status_code == 303
    assert not await works(staffed, key)
    assert [row["subject"] for row in await staffed.log("api_key.revoked")] == [key[:12]]


async def test_no_key_is_made_without_a_scope_or_with_one_that_there_is_not(
    staffed: Staffed,
) -> None:
    asha = await signed_in(staffed, "asha")
    for fields in ({"scope": "everything"}, {"scope": ""}):
        page = await asha.look(KEYS)
        answer = await asha.press(page, KEYS, {"name": "x", "days": "", **fields})
        assert (answer.status_code, "Choose what the key may do" in answer.text) == (422, True)


async def test_a_key_needs_a_fresh_proof_and_the_log_has_its_beginning_only(
    staffed: Staffed,
) -> None:
    asha = await signed_in(staffed, "asha")
    staffed.later(3600)
    page = await asha.look(KEYS)
    asked = await asha.press(page, KEYS, {"name": "x", "scope": "payments:read", "days": ""})
    assert asked.status_code == 403
    back = await asha.press(asked, "/console/step-up", {"password": PASSWORD})
    made = await asha.press(back, KEYS)
    (key,) = set(_KEY.findall(made.text))
    log = (await asha.look("/console/log")).text
    assert key not in log
    assert key[:12] in log


async def test_chandra_ends_and_replaces_no_key_of_ashas(staffed: Staffed) -> None:
    asha, chandra = await signed_in(staffed, "asha"), await signed_in(staffed, "chandra")
    key = await make(asha)
    places = re.findall(rf"{KEYS}/[\w-]+/(?:revoke|rotate)", (await asha.look(KEYS)).text)
    theirs = await chandra.look(KEYS)
    assert key[:12] not in theirs.text
    for place in places:
        fields = form(theirs, "/console/sign-out") | {"key": "k" * 20}
        assert (await chandra.send(place, fields)).status_code == 404
    assert await works(staffed, key)
