"""Tablets at their bounds: how many there are, at whose outlets, who may sign in and from where;
and what of it is on record."""

from uuid import UUID

import asyncpg
import pytest

from coinslot.people import tablets
from coinslot.people.authentication import Client, ForbiddenError, RuleError, SignInError
from coinslot.people.passwords import BusyError
from tests.console.conftest import Browser
from tests.console.conftest import browser as browser
from tests.counter.stage import Counter
from tests.counter.test_board import shop
from tests.counter.test_tablets import (
    CLIENT,
    PIN,
    WHERE,
    enrolled,
    member,
    signed_in_at,
    with_pin,
)
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

__all__ = ["shop"]
MOST = 20


async def change(shop: Counter, sql: str, *values: object) -> None:
    """As the owner of the database: what the server itself may not, or only with more around it."""
    conn = await asyncpg.connect(shop.stage.owner_url)
    try:
        assert await conn.execute(sql, *values) == "UPDATE 1"
    finally:
        await conn.close()


async def test_a_merchant_has_twenty_tablets_and_one_that_ended_makes_room(
    staffed: Staffed, shop: Counter
) -> None:
    asha = await member(staffed, "asha")
    for _ in range(MOST):
        await tablets.enrol(staffed.auth, asha, "Counter", ())
    with pytest.raises(RuleError):
        await tablets.enrol(staffed.auth, asha, "Counter", ())
    first = (await tablets.listed(staffed.auth, shop.stage.merchant))[0]
    assert await tablets.end(staffed.auth, asha, first.id)
    assert not await tablets.end(staffed.auth, asha, first.id), "it is over"
    await tablets.enrol(staffed.auth, asha, "Counter", ())


async def test_a_tablet_has_a_name_and_outlets_of_its_own_merchant(
    staffed: Staffed, shop: Counter
) -> None:
    conn = await asyncpg.connect(shop.stage.owner_url)
    others = await conn.fetchval(
        "SELECT id FROM outlets WHERE merchant_id <> $1", shop.stage.merchant
    )
    await conn.close()
    assert others is not None
    asha = await member(staffed, "asha")
    for name, outlets in (("Counter", ["S01", others]), ("Counter", ["X99"]), (" ", ["S01"])):
        with pytest.raises(RuleError):
            await tablets.enrol(staffed.auth, asha, name, outlets)
    await tablets.enrol(staffed.auth, asha, "Counter", ["S01"])


async def test_a_name_is_kept_without_spaces_around_it_and_cut_at_forty(
    staffed: Staffed, shop: Counter
) -> None:
    asha = await member(staffed, "asha")
    names = {"  Till ": "Till", " " + "x" * 41: "x" * 40}
    for typed in names:
        await tablets.enrol(staffed.auth, asha, typed, ())
    listed = await tablets.listed(staffed.auth, shop.stage.merchant)
    assert sorted(one.name for one in listed) == sorted(names.values())
    rows = await shop.stage.rows("SELECT subject FROM audit_log WHERE action = 'tablet.enrolled'")
    assert sorted(row["subject"] for row in rows) == sorted(names.values())


async def test_whoever_only_looks_and_whoever_is_disabled_does_not_get_in(
    staffed: Staffed, shop: Counter
) -> None:
    tablet, _ = await enrolled(staffed, "S01")
    vera, lena = await with_pin(staffed, "vera"), await with_pin(staffed, "lena")
    assert [one.id for one in await tablets.colleagues(staffed.auth, tablet)] == [lena]
    with pytest.raises(SignInError):
        await signed_in_at(staffed, tablet, vera)
    await change(shop, "UPDATE people SET disabled_at = now() WHERE id = $1", lena)
    assert await tablets.colleagues(staffed.auth, tablet) == []
    with pytest.raises(SignInError):
        await signed_in_at(staffed, tablet, lena)


async def test_a_pin_counts_only_from_where_the_merchant_lets_people_in(
    staffed: Staffed, shop: Counter
) -> None:
    tablet, _ = await enrolled(staffed, "S01")
    lena = await with_pin(staffed, "lena")
    await change(shop, "UPDATE merchants SET allowed_networks = '{10.9.0.0/16}' WHERE id = $1",
                 shop.stage.merchant)  # fmt: skip
    with pytest.raises(ForbiddenError):
        await tablets.sign_in(staffed.auth, tablet, lena, PIN, CLIENT)
    inside = Client(address="10.9.4.2", network="10.9.4.2")
    await tablets.sign_in(staffed.auth, tablet, lena, PIN, inside)


async def test_a_right_pin_and_a_server_that_is_busy_use_no_try_up(
    staffed: Staffed, shop: Counter
) -> None:
    tablet, _ = await enrolled(staffed, "S01")
    lena = await with_pin(staffed, "lena")

    class Busy:
        async def fits(self, kept: str | None, typed: str) -> bool:
            raise BusyError

    able = staffed.auth._passwords
    staffed.auth._passwords = Busy()  # type: ignore[assignment]
    for _ in range(2 * tablets.PIN_TRIES):
        with pytest.raises(BusyError):
            await tablets.sign_in(staffed.auth, tablet, lena, PIN, CLIENT)
    staffed.auth._passwords = able
    for _ in range(2 * tablets.PIN_TRIES):
        await tablets.sign_in(staffed.auth, tablet, lena, PIN, CLIENT)


async def test_who_made_and_ended_a_tablet_and_who_set_a_pin_is_on_record(
    staffed: Staffed, shop: Counter
) -> None:
    tablet, _ = await enrolled(staffed, "S01")
    person: UUID = await with_pin(staffed, "lena")
    await tablets.end(staffed.auth, await member(staffed, "asha"), tablet.id)
    rows = await shop.stage.rows(
        "SELECT action, subject, person_id FROM audit_log WHERE action ~ '^(tablet|pin)'"
        " ORDER BY seq"
    )
    assert [(row["action"], row["subject"]) for row in rows] == [
        ("tablet.enrolled", "Counter"), ("pin.set", ""), ("tablet.ended", "Counter"),
    ]  # fmt: skip
    assert rows[1]["person_id"] == person


@pytest.mark.parametrize("pin", ["1111", "2345", "8765", "0123", "9876543"])
async def test_steps_up_steps_down_and_one_digit_are_no_pin_and_others_are(
    staffed: Staffed, shop: Counter, pin: str
) -> None:
    lena = await member(staffed, "lena")
    with pytest.raises(RuleError):
        await tablets.set_pin(staffed.auth, lena, pin)
    await tablets.set_pin(staffed.auth, lena, "1357")
    await tablets.set_pin(staffed.auth, lena, pin[:-1] + str((int(pin[-1]) + 5) % 10))


async def test_a_browser_stays_a_tablet_for_longer_than_a_year(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    page = await browser.sign_in("asha")
    page = await browser.look(WHERE)
    made = await browser.press(page, WHERE, {"name": "Counter"})
    cookie = next(one for one in made.headers.get_list("set-cookie") if "-tablet=" in one)
    age = int(cookie.lower().split("max-age=")[1].split(";")[0])
    assert age > 366 * 86_400
