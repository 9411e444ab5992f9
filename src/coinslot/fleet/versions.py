"""A machine's configuration as it should be, and the record of its versions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from coinslot.db.pool import Connection
from coinslot.fleet import store
from coinslot.kit.money import Money
from coinslot.outlets.machines import UnknownOutletError
from coinslot.people import audit_log
from coinslot.people.audit_log import COMMAND_LINE, Act, Actor


class Editor(Struct, frozen=True):
    """Who changes something, and for which merchant; the name stays in the record, and the actor in
    the audit log."""

    merchant: UUID
    name: str
    actor: Actor = COMMAND_LINE

    async def note(
        self, conn: Connection, action: str, machine: str, after: Mapping[str, Any], now: datetime
    ) -> None:
        """Write an entry of the audit log, in the transaction of what was done."""
        act = Act(action=action, merchant=self.merchant, subject=machine, after=after)
        await audit_log.record(conn, self.actor, act, now)


class SlotConfig(Struct, frozen=True, kw_only=True):
    """One slot: what is in it, for how much, and how many it is filled up to."""

    slot: str
    sku: str
    price: Money
    par: int = 0


class MachineConfig(Struct, frozen=True, kw_only=True):
    """A machine's configuration as it is now."""

    code: str
    version: int
    name: str
    place: str
    contact: str
    zone: str | None
    currency: str
    slots: list[SlotConfig]
    device: dict[str, Any]
    device_version: int | None = None  # that the device says it has
    applied_version: int = 1  # that is sold; a newer one waits for paid units, or for the device
    decommissioned_at: datetime | None = None


async def config_in(conn: Connection, merchant: UUID, machine: str) -> MachineConfig:
    """The configuration as this transaction sees it. Raises UnknownOutletError."""
    row = await conn.fetchrow(store.CONFIG, machine, merchant)
    if row is None:
        raise UnknownOutletError(f"no machine has the code {machine}")
    return msgspec.convert(dict(row), MachineConfig)


class MadeVersion(Struct, frozen=True, kw_only=True):
    """A version to be kept. `codes`: what becomes of printed codes that it makes untrue, by slot.
    Its numbers are those that orders keep and machines compare; none: those that are sold now."""

    config: MachineConfig
    codes: Mapping[str, str] = {}
    price_version: int | None = None
    planogram_version: int | None = None


async def record(conn: Connection, editor: Editor, made: MadeVersion, now: datetime) -> None:
    """Keep this version as it is."""
    await conn.execute(
        store.RECORD_VERSION, made.config.code, made.config.version, editor.merchant,
        msgspec.to_builtins(made.config), dict(made.codes), editor.name, now,
        made.price_version, made.planogram_version,
    )  # fmt: skip
