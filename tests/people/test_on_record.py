"""What changes who gets in is on record, with who did it, whom it was done to, and once."""

from collections.abc import Awaitable, Callable

import pytest

from coinslot.people import members, resets, sessions, sign_in
from coinslot.people.audit_log import Actor
from tests.people.conftest import HERE, Staffed, at


async def offers_a_reset(staffed: Staffed, who: Actor) -> None:
    await resets.offer(staffed.auth, who, staffed.people["boris"], drops_factors=True)


async def takes_the_installation_away(staffed: Staffed, who: Actor) -> None:
    for is_there in (True, False):
        stopped = await members.stop_running(
            staffed.auth.db, who, staffed.people["meera"], staffed.auth.now()
        )
        assert stopped is is_there


async def sets_a_password(staffed: Staffed, who: Actor) -> None:
    assert who.person is not None
    await sign_in.set_password(staffed.auth, who.person, "a colder masala cola", who)


async def ends_every_session(staffed: Staffed, who: Actor) -> None:
    attempt = sign_in.Attempt(login="asha", password="cold masala cola")
    opened = await sign_in.sign_in(staffed.auth, attempt, at(HERE), kind="cookie")
    found = await sessions.by_cookie(staffed.auth, opened.cookie, at(HERE))
    assert found.person == who.person
    await sessions.end_everywhere(staffed.auth, found)


@pytest.mark.parametrize(
    ("verb", "action"),
    [
        (offers_a_reset, "reset.offered"),
        (takes_the_installation_away, "installation_admin.removed"),
        (sets_a_password, "password.changed"),
        (ends_every_session, "signed_out_everywhere"),
    ],
)
async def test_who_did_it_is_on_record_once(
    staffed: Staffed, verb: Callable[[Staffed, Actor], Awaitable[None]], action: str
) -> None:
    who = Actor(person=staffed.people["asha"], address="198.51.100.4")
    await verb(staffed, who)
    (entry,) = await staffed.log(action)
    assert entry["person_id"] == who.person
    assert entry["address"]
