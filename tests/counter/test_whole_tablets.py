"""Whole rows of tablets and PINs, the session that a PIN opens, and how its tries are counted."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.people import tablets
from coinslot.people.audit_log import Actor
from coinslot.people.authentication import RuleError, SignInError
from coinslot.people.limits import Limit
from coinslot.people.roles import PERMISSIONS
from coinslot.people.sessions import SignedIn, by_cookie
from coinslot.people.tablets import Colleague, Listed, Tablet
from coinslot.people.tokens import hashed
from tests.counter.stage import Counter
from tests.counter.test_board import shop
from tests.counter.test_tablets import PIN
from tests.people.conftest import CHEAP, Staffed
from tests.people.conftest import staffed as staffed
from tests.people.test_whole_rows import Log, entry, rows
from tests.people.test_whole_sessions import THERE, aged, all_sessions, member, session
from tests.sales.conftest import stage as stage

__all__ = ["shop"]


async def test_a_tablet_is_enrolled_listed_and_ended_whole(staffed: Staffed, shop: Counter) -> None:
    auth, log = staffed.auth, Log(staffed)
    asha, chandra = await member(staffed, "asha"), await member(staffed, "chandra")
    others = await tablets.enrol(auth, chandra, "Hers", ())
    await log.new()
    began = auth.now()
    secret = await tablets.enrol(auth, asha, " Till ", ["S01"])
    assert len(secret) == 43
    assert await log.new() == [entry(staffed, asha.actor, "tablet.enrolled", subject="Till")]
    (row,) = [one for one in await rows(staffed, "tablets") if one["name"] == "Till"]
    assert row == {
        "id": row["id"], "merchant_id": staffed.merchant, "name": "Till",
        "secret_hash": hashed(secret), "outlets": ["S01"], "enrolled_by": asha.person,
        "enrolled_at": began, "ended_at": None,
    }  # fmt: skip
    found = await tablets.by_secret(auth, secret)
    assert found == Tablet(id=row["id"], merchant=staffed.merchant, name="Till", outlets=("S01",))
    for wrong in ("", secret[:-1], secret + "x"):
        assert await tablets.by_secret(auth, wrong) is None
    staffed.later(1)
    await tablets.enrol(auth, asha, "Bar", ())
    at_all = [one["id"] for one in await rows(staffed, "outlets")
              if one["merchant_id"] == staffed.merchant]  # fmt: skip
    listed = await tablets.listed(auth, staffed.merchant)
    assert listed == [
        Listed(id=listed[0].id, name="Bar", outlets=tuple(at_all), enrolled_at=auth.now()),
        Listed(id=row["id"], name="Till", outlets=("S01",), enrolled_at=began),
    ]  # fmt: skip
    assert not await tablets.end(auth, chandra, row["id"])
    before = {one["id"]: one for one in await rows(staffed, "tablets")}
    await log.new()
    assert await tablets.end(auth, asha, row["id"])
    before[row["id"]]["ended_at"] = auth.now()
    assert {one["id"]: one for one in await rows(staffed, "tablets")} == before
    assert await log.new() == [entry(staffed, asha.actor, "tablet.ended", subject="Till")]
    assert [one.name for one in await tablets.listed(auth, staffed.merchant)] == ["Bar"]
    assert await tablets.by_secret(auth, secret) is None
    assert (await tablets.by_secret(auth, others) or found).name == "Hers"


async def test_a_pin_is_kept_as_a_hash_for_one_merchant_and_set_anew(
    staffed: Staffed, shop: Counter
) -> None:
    auth, log = staffed.auth, Log(staffed)
    boris, vera = await member(staffed, "boris"), await member(staffed, "vera")
    await tablets.set_pin(auth, vera, "13572468")
    (hers,) = await rows(staffed, "pins", "1")
    await log.new()
    for pin in ("2580", "1123"):
        staffed.later(1)
        await tablets.set_pin(auth, boris, pin)
        (mine,) = [one for one in await rows(staffed, "pins", "1") if one != hers]
        assert CHEAP.verify(mine["hash"], pin)
        assert mine == {
            "person_id": boris.person, "merchant_id": staffed.merchant, "hash": mine["hash"],
            "set_at": auth.now(),
        }  # fmt: skip
        assert await log.new() == [entry(staffed, boris.actor, "pin.set")]
    for pin in ("135", "135724689", "2580 ", "4444"):
        with pytest.raises(RuleError) as refused:
            await tablets.set_pin(auth, boris, pin)
        assert refused.value.code == "weak_pin"
    assert len(await rows(staffed, "pins", "1")) == 2


async def test_a_pin_opens_a_session_of_the_tablet_and_its_tries_are_counted(
    staffed: Staffed, shop: Counter
) -> None:
    auth, log = staffed.auth, Log(staffed)
    await aged(staffed, "boris")
    boris, lena, asha = [await member(staffed, one) for one in ("boris", "lena", "asha")]
    secret = await tablets.enrol(auth, asha, "Till", ["S01"])
    tablet = await tablets.by_secret(auth, secret)
    assert tablet is not None
    for who in (lena, boris):
        await tablets.set_pin(auth, who, PIN)
    assert await tablets.colleagues(auth, tablet) == [
        Colleague(id=boris.person, name="B. Roy"), Colleague(id=lena.person, name="lena"),
    ]  # fmt: skip
    before = await all_sessions(staffed)
    await log.new()

    async def tries() -> list[tuple[str, int]]:
        found = await rows(staffed, "sign_in_tries", "subject")
        return [(one["subject"], one["tries"]) for one in found if "pin" in one["subject"]]

    here = f"{tablet.id}:{boris.person}"
    names = (f"day:pin:{here}", f"day:pin:{staffed.merchant}:{boris.person}", f"pair:pin:{here}")

    def counted(*most: int) -> list[tuple[str, int]]:
        return sorted(zip(names, most, strict=True))

    for n in (1, 2):
        with pytest.raises(SignInError) as wrong:
            await tablets.sign_in(auth, tablet, boris.person, "2581", THERE)
        assert wrong.value.code == "invalid_credentials"
        assert sorted(await tries()) == counted(n, n, n)
    made = await tablets.sign_in(auth, tablet, boris.person, PIN, THERE)
    assert sorted(await tries()) == counted(2, 2, 0)
    after = await all_sessions(staffed)
    assert after.pop(made.session) == session(
        staffed, "boris", made.session, kind="cookie", secret_hash=hashed(made.cookie),
        factors=["pin"], tablet_id=tablet.id,
    )  # fmt: skip
    assert after == before
    by = Actor(person=boris.person, session=made.session, factors=("pin",), address=THERE.address)
    assert await log.new() == [entry(staffed, by, "signed_in")]
    assert await by_cookie(auth, made.cookie, THERE) == SignedIn(
        session=made.session, kind="cookie", person=boris.person, login="boris", name="B. Roy",
        merchant=staffed.merchant, merchant_name="Asha", role="staff", outlets=("S01",),
        factors=("pin",), permissions=PERMISSIONS["staff"], second_factor_missing=False,
        proved_at=auth.now(), strongly=False, address=THERE.address,
    )  # fmt: skip


def test_tries_of_a_pin_are_few_at_a_tablet_in_a_day_and_at_all_of_them() -> None:
    one = Tablet(id=UUID(int=1), merchant=UUID(int=2), name="Till", outlets=())
    day: Any = timedelta(days=1)
    person = UUID(int=3)
    assert tablets._limits(one, person) == [
        Limit(f"pair:pin:{one.id}:{person}", 5), Limit(f"day:pin:{one.id}:{person}", 20, day),
        Limit(f"day:pin:{one.merchant}:{person}", 60, day),
    ]  # fmt: skip
