"""Practice machines: how they are kept for the process that plays them, and how a person breaks and
mends one. `channels/practice_machine.py` is the machine itself."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import msgspec
from msgspec import Struct

from coinslot.channels.practice_machine import (
    Broken,
    NotPlayedHereError,
    PracticeMachine,
    PracticeState,
)
from coinslot.context import Context
from coinslot.db.pool import Connection, Database
from coinslot.fleet import store
from coinslot.fleet.config import Editor
from coinslot.kit.secrets import Vault
from coinslot.outlets.machines import UnknownOutletError

_PLAYED_FOR: Final = timedelta(seconds=6)  # renewed when half of it is over
# So short that a person sees the money go back.
WINDOWS: Final = {"dispatch_s": 20.0, "in_doubt_s": 30.0, "offer_s": 3.0, "run_s": 5.0}


class PracticeView(Struct, frozen=True, kw_only=True):
    """What the drawing of a practice machine shows."""

    broken: Broken
    state: PracticeState


async def prepare(conn: Connection, merchant: UUID, machine: str) -> None:
    """A machine that is set up in this transaction is a practice machine."""
    await conn.execute(store.ADD_PRACTICE, machine, merchant)
    await conn.execute(store.PRACTICE_WINDOWS, machine, WINDOWS)


async def look(context: Context, merchant: UUID, machine: str) -> PracticeView | None:
    """None where it is a real machine, or none."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.PRACTICE, machine)
    if row is None:
        return None
    state = msgspec.convert(row["memory"], PracticeState)
    return PracticeView(broken=Broken(row["broken"]), state=state)


async def set_broken(context: Context, editor: Editor, machine: str, broken: Broken) -> None:
    """Break it in this way, or mend it (`Broken.NO`). It is so within a second or two. Raises
    UnknownOutletError where it is no practice machine."""
    async with context.db.as_merchant(editor.merchant) as conn:
        if await conn.fetchval(store.BREAK, machine, broken.value) is None:
            raise UnknownOutletError(f"no practice machine has the code {machine}")
        said = {"broken": broken.value}
        await editor.note(conn, "practice.broken", machine, said, context.now())


class KeptMachines:
    """The channel's store. Which process plays a machine is decided by the database's clock; what a
    process that lost a machine wants to keep is refused."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault
        self._player = uuid4()

    async def claimed(self) -> Sequence[PracticeMachine]:
        async with self._db.system_connection() as conn:
            await conn.execute(store.CLAIM_PRACTICE, self._player, _PLAYED_FOR)
            rows = await conn.fetch(store.PLAYED, self._player)
        return [
            PracticeMachine(
                outlet=row["outlet_id"], key_id=str(row["key_id"]), broken=Broken(row["broken"]),
                secret=self._vault.open(row["secret"], f"device:{row['outlet_id']}").decode(),
                state=msgspec.convert(row["memory"], PracticeState),
            )
            for row in rows
        ]  # fmt: skip

    async def keep(self, outlet: str, state: PracticeState) -> Broken:
        async with self._db.system_connection() as conn:
            broken = await conn.fetchval(
                store.KEEP_PRACTICE, outlet, self._player, msgspec.to_builtins(state)
            )
        if broken is None:
            raise NotPlayedHereError(outlet)
        return Broken(broken)

    async def release(self) -> None:
        async with self._db.system_connection() as conn:
            await conn.execute(store.RELEASE_PRACTICE, self._player)
