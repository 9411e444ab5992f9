"""The code that hands an order over: six digits, derived from a key that is not in the database,
and written again whenever its page is shown. Stored is a digest of them with another key."""

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from coinslot.context import Context
from coinslot.counter import store
from coinslot.counter.flow import COUNTER
from coinslot.db.pool import Connection
from coinslot.kit.secrets import Peppers, Vault

TRIES: Final = 5  # of one version
WRONG: Final = 15  # of all versions of one order
WRONG_AT_OUTLET: Final = 60  # in an hour
_DIGITS: Final = 6
_EARLIER: Final = 3  # versions that a customer may still have before their eyes


def code_of(vault: Vault, order: UUID, version: int) -> str:
    """The digits. The same in every process, and other ones after the key was changed."""
    derived = vault.digest(f"{order} {version}", "counter code")
    return f"{int(derived, 16) % 10**_DIGITS:0{_DIGITS}}"


def digest_of(peppers: Peppers, order: UUID, version: int, code: str) -> str:
    """What is stored of them, under a key of its own that is rotated by itself."""
    return peppers.digest(f"{order} {version} {code}", "counter code")


def matches(peppers: Peppers, kept: asyncpg.Record, typed: str) -> bool:
    """Whether these digits are the ones, compared in constant time. `kept` is a row of
    `counter_orders`."""
    said = f"{kept['order_id']} {kept['code_version']} {typed}"
    return peppers.matches(kept["code_digest"], said, "counter code")


def was_before(vault: Vault, kept: asyncpg.Record, typed: str) -> bool:
    """Whether these digits were the ones of an earlier version of the order, as its page and a text
    message showed them until it was ready. It is asked of a wrong code only, which is counted: an
    earlier version says nothing of the digits that are right now."""
    last = kept["code_version"]
    earlier = range(max(1, last - _EARLIER), last)
    codes = [code_of(vault, kept["order_id"], version) for version in earlier]
    return any(hmac.compare_digest(code.encode(), typed.encode()) for code in codes)


def is_of_another_key(context: Context, kept: asyncpg.Record) -> bool:
    """The key of the codes, or that of their digests, was changed since: its page shows other
    digits than were stored."""
    shown = code_of(context.vault, kept["order_id"], kept["code_version"])
    return not matches(context.peppers, kept, shown)


async def lives(
    conn: Connection, context: Context, outlets: Iterable[str]
) -> Mapping[str, timedelta]:
    """How long a code is good at each of these counters, by its own times where it has some."""
    return {
        row["id"]: context.windows.at(COUNTER.name, row["windows"]).span("code_s")
        for row in await conn.fetch(store.WINDOWS_OF, list(set(outlets)))
    }


async def renew(
    conn: Connection, context: Context, kept: asyncpg.Record, begins: datetime, *, tries: int = 0
) -> None:
    """A new version, whose time begins then."""
    order, version = kept["order_id"], kept["code_version"] + 1
    code = code_of(context.vault, order, version)
    digest = digest_of(context.peppers, order, version, code)
    await conn.execute(store.NEW_CODE, order, version, digest, begins, tries)
