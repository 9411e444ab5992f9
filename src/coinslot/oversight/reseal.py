"""Seals every stored secret anew under the newest key of the installation, while it runs.

Few rows at a time, each batch a transaction: it may be stopped at any moment and begun again. A row
that somebody writes at this moment is left out and found by the next look, and no write is lost."""

from collections.abc import AsyncIterator
from typing import Final

from msgspec import Struct

from coinslot.coffee import vendors
from coinslot.db.pool import RawConnection
from coinslot.db.sealed import SealedColumn
from coinslot.events.notices import browsers
from coinslot.events.webhooks import endpoints
from coinslot.kit.secrets import SealBrokenError, UnknownKeyError, Vault
from coinslot.merchants import accounts
from coinslot.outlets import machines
from coinslot.oversight import signed_proof
from coinslot.people import factors, outbox, sessions, tokens

SEALED: Final[tuple[SealedColumn, ...]] = (
    *accounts.SEALED, *machines.SEALED, *endpoints.SEALED, *factors.SEALED, *sessions.SEALED,
    *tokens.SEALED, *outbox.SEALED, *browsers.SEALED, *signed_proof.SEALED,
    *vendors.SEALED,
)  # fmt: skip
_BATCH: Final = 100


class Resealed(Struct, frozen=True, kw_only=True):
    """What became of a column: sealed anew, busy (to be looked at again), and what none of the keys
    opens, by the name of the key that it needs."""

    column: str
    anew: int = 0
    left: int = 0
    lost: tuple[str, ...] = ()


async def reseal(conn: RawConnection, vault: Vault) -> AsyncIterator[Resealed]:
    """Every column, one after the other, with the owner's connection. What is still `left` is of
    rows that were being written: run it again."""
    for one in SEALED:
        yield await _column(conn, vault, one)


async def _column(conn: RawConnection, vault: Vault, one: SealedColumn) -> Resealed:
    anew, lost, after = 0, list[str](), None
    while True:
        batch = await _batch(conn, vault, one, after)
        anew += batch.anew
        lost += batch.lost
        if batch.last is None:
            break
        after = batch.last
    left = await conn.fetchval(f"SELECT count(*) FROM {one.table} WHERE {_stale(one)}", vault.mark)
    return Resealed(
        column=f"{one.table}.{one.column}", anew=anew, left=max(0, left - len(lost)),
        lost=tuple(sorted(set(lost))),
    )  # fmt: skip


class _Batch(Struct, frozen=True):
    """How many were sealed anew, the keys of what did not open, and where the next one begins."""

    anew: int
    lost: list[str]
    last: object


async def _batch(conn: RawConnection, vault: Vault, one: SealedColumn, after: object) -> _Batch:
    names = ", ".join(dict.fromkeys((one.key, *one.names, one.column)))
    since = "" if after is None else f" AND {one.key} > $2"
    async with conn.transaction():
        await conn.execute("SELECT set_config('coinslot.resealing', 'on', true)")
        rows = await conn.fetch(
            f"SELECT {names} FROM {one.table} WHERE {_stale(one)}{since}"
            f" ORDER BY {one.key} LIMIT {_BATCH} FOR NO KEY UPDATE SKIP LOCKED",
            vault.mark, *([] if after is None else [after]),
        )  # fmt: skip
        anew, lost = 0, list[str]()
        for row in rows:
            place = one.place(dict(row))
            try:
                plain = vault.open(row[one.column], place)
            except (UnknownKeyError, SealBrokenError):
                lost.append(vault.key_of(row[one.column]))
                continue
            await conn.execute(
                f"UPDATE {one.table} SET {one.column} = $1 WHERE {one.key} = $2",
                vault.seal(plain, place), row[one.key],
            )  # fmt: skip
            anew += 1
    return _Batch(anew, lost, rows[-1][one.key] if len(rows) == _BATCH else None)


def _stale(one: SealedColumn) -> str:
    """Whether another key than the newest sealed it: the name stands at the beginning."""
    return f"{one.column} IS NOT NULL AND substr({one.column}, 1, length($1::bytea)) <> $1"
