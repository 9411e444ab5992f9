"""Browsers that show notices (Web Push): they subscribe with an address at their maker's push
service, which a stranger could have made up, so it is called by `SafeHttp` alone."""

from typing import Final
from uuid import UUID

from coinslot.context import Context
from coinslot.notices.base import Form
from coinslot.people.sessions import SignedIn

MOST: Final = 10  # of one person
_AGENT_CHARS: Final = 300
_END = """
UPDATE push_subscriptions SET ended_at = $2, ended_because = $3 WHERE id = $1 AND ended_at IS NULL
"""


async def end(context: Context, who: SignedIn, browser: UUID) -> bool:
    """One of the person's own; False when there is no such one."""
    async with context.db.as_person(who.person) as conn:
        done = await conn.execute(_END, browser, context.now(), "ended by the person")
    return bool(done == "UPDATE 1")


def public_key(context: Context) -> str:
    """What a browser subscribes with; empty where there is no push."""
    found = context.notifiers.get(Form.PUSH)
    return str(getattr(found, "public_key", ""))
