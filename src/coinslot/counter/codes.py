"""The code that hands an order over: six digits, derived from a key that is not in the database,
and written again whenever its page is shown. Stored is a digest of them with another key."""

import hmac
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from coinslot.counter import store
from coinslot.db.pool import Connection
from coinslot.kit.secrets import Vault

TRIES: Final = 5  # of one version
WRONG: Final = 15  # of all versions of one order
WRONG_AT_OUTLET: Final = 60  # in an hour
_DIGITS: Final = 6


def code_of(vault: Vault, order: UUID, version: int) -> str:
    """The digits. The same in every process, and other ones after the key was changed."""
    derived = vault.digest(f"{order} {version}", "counter code")
    return f"{int(derived, 16) % 10**_DIGITS:0{_DIGITS}}"


def digest_of(vault: Vault, order: UUID, version: int, code: str) -> str:
    """What is stored of them."""
    return vault.digest(f"{order} {version} {code}", "counter code pepper")


def matches(vault: Vault, kept: asyncpg.Record, typed: str) -> bool:
    """Whether these digits are the ones, compared in constant time. `kept` is a row of
    `counter_orders`."""
    said = digest_of(vault, kept["order_id"], kept["code_version"], typed)
    return hmac.compare_digest(said, kept["code_digest"])


def is_of_another_key(vault: Vault, kept: asyncpg.Record) -> bool:
    """The vault's key was changed since: its page shows other digits than were stored."""
    return not matches(vault, kept, code_of(vault, kept["order_id"], kept["code_version"]))


async def renew(
    conn: Connection, vault: Vault, kept: asyncpg.Record, begins: datetime, *, tries: int = 0
) -> None:
    """A new version, whose time begins then."""
    order, version = kept["order_id"], kept["code_version"] + 1
    digest = digest_of(vault, order, version, code_of(vault, order, version))
    await conn.execute(store.NEW_CODE, order, version, digest, begins, tries)
