"""Whoever may not invite any more leaves no door open: their invitations end with their role."""

import asyncio

import pytest

from coinslot.people import invitations, members
from coinslot.people.audit_log import COMMAND_LINE, Actor
from coinslot.people.authentication import ForbiddenError
from coinslot.people.invitations import Invitation, Wanted
from coinslot.people.members import Role, RoleChange
from tests.people.conftest import Staffed


async def another_admin(staffed: Staffed) -> Actor:
    """Boris becomes an admin beside Asha."""
    await change(staffed, Role(role="admin"))
    return Actor(person=staffed.people["boris"], address="198.51.100.1")


async def change(staffed: Staffed, role: Role | None) -> None:
    wanted = RoleChange(merchant=staffed.merchant, person=staffed.people["boris"], role=role)
    await members.change_role(staffed.auth.db, COMMAND_LINE, wanted, staffed.auth.now())


async def invite(staffed: Staffed, who: Actor, address: str = "friend@x.example") -> Invitation:
    wanted = Wanted(merchant=staffed.merchant, address=address, role=Role(role="admin"))
    return await invitations.invite(staffed.auth, who, wanted)


@pytest.mark.parametrize("role", [None, Role(role="operator")])
async def test_the_invitations_of_an_admin_end_with_the_role(
    staffed: Staffed, role: Role | None
) -> None:
    boris = await another_admin(staffed)
    made = await invite(staffed, boris)
    asha = await invite(staffed, Actor(person=staffed.people["asha"]), "kept@x.example")
    await change(staffed, role)
    assert made.token is not None
    assert asha.token is not None
    assert await invitations.look(staffed.auth, made.token) is None
    assert await invitations.look(staffed.auth, asha.token) is not None
    assert [row["subject"] for row in await staffed.log("invitation.revoked")] == [made.address]


async def test_who_stays_an_admin_keeps_what_they_invited(staffed: Staffed) -> None:
    boris = await another_admin(staffed)
    made = await invite(staffed, boris)
    await change(staffed, Role(role="admin"))
    assert await invitations.look(staffed.auth, made.token or "") is not None


async def test_a_dismissed_admin_cannot_invite_with_a_request_that_was_under_way(
    staffed: Staffed,
) -> None:
    boris = await another_admin(staffed)
    await change(staffed, None)
    with pytest.raises(ForbiddenError):
        await invite(staffed, boris)


async def test_a_dismissal_and_an_invitation_at_once_leave_none_open(staffed: Staffed) -> None:
    for number in range(8):
        boris = await another_admin(staffed)
        demoted = change(staffed, Role(role="operator"))
        wanted = (invite(staffed, boris, f"n{number}@x.example"), demoted)
        done = await asyncio.gather(*wanted, return_exceptions=True)
        assert done[1] is None
        assert await invitations.waiting(staffed.auth, staffed.merchant) == []
