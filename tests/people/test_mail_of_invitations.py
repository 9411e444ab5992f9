"""What follows an invitation: its mail at once, its limit whatever the spelling, and its end in the
log."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from coinslot.fleet import config
from coinslot.fleet.config import ConfigChange, Editor, SlotChange
from coinslot.kit.money import Money
from coinslot.people import invitations, resets
from coinslot.people.audit_log import Actor
from coinslot.people.invitations import Invitation, Wanted
from coinslot.people.limits import TooOftenError
from coinslot.people.members import Role
from tests.notices.telling import telling
from tests.people.conftest import Staffed, at


async def invite(staffed: Staffed, address: str = "gita@shop.example") -> Invitation:
    wanted = Wanted(merchant=staffed.merchant, address=address, role=Role(role="viewer"))
    return await invitations.invite(staffed.auth, Actor(person=staffed.people["asha"]), wanted)


async def forget(staffed: Staffed) -> None:
    await resets.ask(staffed.auth, "boris", at(), "en")


async def replace_a_printed_code(staffed: Staffed) -> None:
    change = ConfigChange(slots=(SlotChange(slot="A1", price=Money(4500, "INR")),), codes="replace")
    editor = Editor(staffed.merchant, "asha")
    await config.change(staffed.stage.context, editor, "M01", change)


@pytest.mark.parametrize(
    ("verb", "table"),
    [(invite, "notices"), (forget, "notices"), (replace_a_printed_code, "qr_codes")],
)
async def test_what_a_person_waits_for_is_begun_at_once_and_not_at_the_next_look(
    staffed: Staffed, verb: Callable[[Staffed], Awaitable[object]], table: str
) -> None:
    await telling(staffed)
    woken = staffed.stage.context.wakes.of(table)
    woken.clear()
    await verb(staffed)
    assert woken.is_set()


async def test_another_spelling_of_an_address_is_the_same_mailbox(staffed: Staffed) -> None:
    await telling(staffed)
    for spelled in ("gita@x.example", "GITA@x.example", " Gita@X.example", "gita@x.example ",
                    "gITA@x.example"):  # fmt: skip
        assert (await invite(staffed, spelled)).mailed
    with pytest.raises(TooOftenError):
        await invite(staffed, "Gita@x.example")


async def test_who_ended_an_invitation_is_on_record(staffed: Staffed) -> None:
    made = await invite(staffed)
    boris = Actor(person=staffed.people["boris"])
    assert not await invitations.revoke(staffed.auth, boris, staffed.merchant, uuid4())
    assert await staffed.log("invitation.revoked") == []
    for first in (True, False):
        ended = await invitations.revoke(staffed.auth, boris, staffed.merchant, made.id)
        assert ended is first
    (entry,) = await staffed.log("invitation.revoked")
    assert (entry["person_id"], entry["subject"]) == (boris.person, "gita@shop.example")
