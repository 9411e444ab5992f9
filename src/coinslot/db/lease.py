"""A lease: the right of one worker to write the outcome of a row, until another has claimed it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from coinslot.db.pool import Connection, Database

_REFUSED: Final = "CS001"  # by the trigger `lease_is_held`


class LeaseLostError(Exception):
    """Another worker has claimed the row, or may have: what was done here is not its outcome."""


@dataclass(slots=True)
class Lease:
    """`number` is the row's count of claims: the database refuses an outcome under an older one.

    `until` is in this process's monotonic time, and no later than what the database has."""

    table: str
    key: UUID | int
    number: int
    until: float
    lost: bool = False

    @property
    def name(self) -> str:
        """As the setting `coinslot.lease` and the log have it."""
        return f"{self.table} {self.key} {self.number}"

    def check(self) -> None:
        """Before a call that moves money: a process that was stopped for a while may resume after
        another has claimed its row. Raises LeaseLostError."""
        if self.lost or time.monotonic() >= self.until:
            raise LeaseLostError(f"{self.name} is not held any more")


class HeldDatabase(Database):
    """The database for the worker of one row. Once another worker has claimed the row, no
    transaction of this one may write it. What a gateway said is true whichever worker asked: that
    is written through `unfenced`."""

    def __init__(self, db: Database, lease: Lease) -> None:
        self.__dict__.update(db.__dict__)
        self._unfenced = db.unfenced
        self.lease = lease

    @property
    def unfenced(self) -> Database:
        return self._unfenced

    def check_lease(self) -> None:
        self.lease.check()

    @asynccontextmanager
    async def as_merchant(self, merchant_id: UUID) -> AsyncIterator[Connection]:
        if self.lease.lost:
            raise LeaseLostError(f"{self.lease.name} is not held any more")
        try:
            async with super().as_merchant(merchant_id) as conn:
                yield conn
        except asyncpg.PostgresError as error:
            if error.sqlstate != _REFUSED:
                raise
            self.lease.lost = True
            raise LeaseLostError(str(error)) from error

    def _begin(self, merchant_id: UUID) -> str:
        return f"{super()._begin(merchant_id)}; SET LOCAL coinslot.lease = '{self.lease.name}'"
