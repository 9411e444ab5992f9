"""Limits against guessing, counted in the database before anything is checked, so that they hold
for all processes together and for tries that come at once."""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context

COUNT = """
INSERT INTO sign_in_tries AS t (subject, tries, since) VALUES ($1, 1, $2)
ON CONFLICT (subject) DO UPDATE SET
    tries = CASE WHEN t.since <= $3 THEN 1 ELSE t.tries + 1 END,
    since = CASE WHEN t.since <= $3 THEN $2 ELSE t.since END
RETURNING tries, since
"""
_UNCOUNT = """
UPDATE sign_in_tries SET tries = CASE WHEN $2 THEN 0 ELSE greatest(tries - 1, 0) END
WHERE subject = $1
"""
_GIVE_BACK = "UPDATE sign_in_tries SET tries = greatest(tries - 1, 0) WHERE subject = $1"


class TooOftenError(Exception):
    """So many tries failed that no other one is checked for a while."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("Too many tries failed. Wait, then try again.")
        self.retry_after_s = retry_after_s


class Limit(Struct, frozen=True):
    """At most so many tries for this subject in the window; None: `sign_in_window_s`."""

    subject: str
    most: int
    window: timedelta | None = None


def of_account(context: Context, login: str, network: str) -> list[Limit]:
    """The widest last: what one network tries is refused before it uses up the account's tries. A
    login that does not exist is counted like one that does."""
    windows, vault = context.windows, context.vault
    who = login.strip().casefold()
    pair = vault.digest(f"{who}\0{network}", "tries:pair")
    return [
        Limit(f"network:{vault.digest(network, 'tries:network')}", windows.network_tries),
        Limit(f"pair:{pair}", windows.sign_in_tries),
        Limit(f"account:{vault.digest(who, 'tries:account')}", windows.account_tries),
    ]


def of_person(context: Context, person: UUID) -> list[Limit]:
    """Codes are six digits: wrong ones are counted for the person, wherever they come from."""
    return [Limit(f"pair:{person}", context.windows.sign_in_tries)]


async def count(context: Context, limits: Sequence[Limit]) -> None:
    """Count a try for each. Raises TooOftenError at the first that is used up."""
    now = context.now()
    for limit in limits:
        window = limit.window or context.windows.span("sign_in_window_s")
        async with context.db.system_connection() as conn:
            row = await conn.fetchrow(COUNT, limit.subject, now, now - window)
        assert row is not None
        if row["tries"] > limit.most:
            raise TooOftenError(_seconds(row["since"] + window - now))


async def uncount(context: Context, limits: Sequence[Limit]) -> None:
    """The try was right: it does not count, and those of the same pair are forgotten."""
    async with context.db.system_connection() as conn:
        for limit in limits:  # one statement each, so that no two of them wait for each other
            await conn.execute(_UNCOUNT, limit.subject, limit.subject.startswith("pair:"))


async def give_back(context: Context, limits: Sequence[Limit]) -> None:
    """The try was not checked at all: whoever made it learned nothing, and it does not count."""
    async with context.db.system_connection() as conn:
        for limit in limits:
            await conn.execute(_GIVE_BACK, limit.subject)


def _seconds(span: timedelta) -> int:
    return max(1, ceil(span.total_seconds()))
