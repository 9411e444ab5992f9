"""How a new configuration becomes the one that a machine sells. It waits while a unit is open that
was paid under the one before, and is sent until the machine says that it has it. Only then do pages
sell by it. See docs/decisions/0100-a-machine-sells-what-it-has-applied.md."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.channels import messages as wire
from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.fleet import store
from coinslot.fleet.versions import Editor, MadeVersion, config_in, record
from coinslot.kit.money import Money

_LONGEST_PAUSE: Final = 20  # times as long as the first one, for a machine that does not take it
# A higher version that is not ours is nonsense: ours must get above it, and go on from there.
_BELIEVED: Final = 1_000_000_000

Wire = Mapping[str, object]
Standing = Mapping[str, Any]  # a row of `config_standing`


class SlotDifference(Struct, frozen=True, kw_only=True):
    """A slot as it is sold, and as it shall be. None: it is not there yet."""

    slot: str
    product: str | None
    price: Money | None
    wanted_product: str
    wanted_price: Money


class Waiting(Struct, frozen=True, kw_only=True):
    """A configuration that is not sold by yet: since when, what of it is to be seen, and for what
    it waits. `units`: paid under the one before, or out of the machine just now."""

    version: int
    applied_version: int
    since: datetime
    sent_at: datetime | None
    units: int
    slots: list[SlotDifference]


async def waiting(context: Context, merchant: UUID, machine: str) -> Waiting | None:
    """What the machine has not applied yet, if there is anything."""
    async with context.db.as_merchant(merchant) as conn:
        push = await conn.fetchrow(store.PUSH, machine)
        if push is None:
            return None
        standing = await conn.fetchrow(store.STANDING, machine)
        rows = await conn.fetch(store.SLOT_DIFFERENCES, machine)
        assert standing is not None
        return Waiting(
            version=standing["wanted"], applied_version=standing["applied"],
            since=push["wanted_at"], sent_at=push["sent_at"],
            units=max(standing["older"], int(standing["open"])),
            slots=[
                SlotDifference(
                    slot=row["slot"], product=row["product"],
                    price=None if row["price_minor"] is None
                    else Money(row["price_minor"], row["currency"]),
                    wanted_product=row["wanted_product"],
                    wanted_price=Money(row["wanted_minor"], row["currency"]),
                )
                for row in rows
            ],
        )  # fmt: skip


async def drive(context: Context, push: asyncpg.Record) -> None:
    """One step for a machine whose newest configuration is not applied."""
    await advance(context, push["merchant_id"], push["id"])


async def advance(
    context: Context, merchant: UUID, machine: str, *, just_heard: bool = False
) -> None:
    """Apply it, send it, or wait."""
    async with context.db.as_merchant(merchant) as conn:
        await conn.fetchval(store.LOCK_DEVICE, machine)
        standing = await conn.fetchrow(store.STANDING, machine)
        push = await conn.fetchrow(store.LOCK_PUSH, machine)
        if push is None or standing is None:
            return
        heard = {"last_seen_at": context.now()} if just_heard else {}
        down = await _step(conn, context, {**standing, **heard}, push)
    if down is not None:
        await context.line.send(machine, standing["channel"], down)


async def apply_if_idle(conn: Connection, context: Context, machine: str) -> None:
    """In the transaction of the change: a machine that knows no configurations, and that owes
    nobody anything, sells by the new one at once."""
    standing = await conn.fetchrow(store.STANDING, machine)
    push = await conn.fetchrow(store.LOCK_PUSH, machine)
    if standing is not None and push is not None and not standing["speaks"]:
        await _step(conn, context, dict(standing), push)


async def heard(context: Context, merchant: UUID, machine: str, version: int | None) -> None:
    """A machine says which version it has. That is the one that is sold from now on, and if there
    is a newer one, it gets it."""
    if version is None:
        return  # it knows no configurations
    async with context.db.as_merchant(merchant) as conn:
        standing = await conn.fetchrow(store.STANDING, machine)
        if standing is None or (
            version == standing["wanted"] == standing["applied"] == standing["has"]
            and not standing["pending"]
        ):
            return
        await conn.fetchval(store.LOCK_DEVICE, machine)
        standing = await conn.fetchrow(store.STANDING, machine)
        assert standing is not None
        if version >= _BELIEVED and version > standing["wanted"]:
            version = 0
        await conn.execute(store.HAS_CONFIG, machine, version)
        if version > standing["wanted"]:
            await _overtake(conn, context, merchant, machine, version)
        elif version != standing["applied"]:
            await conn.fetchval(store.APPLY_CONFIG, machine, version)
        if version == standing["wanted"]:
            await conn.execute(store.END_PUSH, machine, context.now())
            return
        await conn.execute(store.WANT_CONFIG, machine, context.now())
    await advance(context, merchant, machine, just_heard=True)


async def _overtake(
    conn: Connection, context: Context, merchant: UUID, machine: str, version: int
) -> None:
    """It has a version that we never made: it was given by a database that is gone. Ours gets a
    higher number, and so do its prices and its planogram, so that none of them means two things."""
    standing = await conn.fetchrow(store.STANDING, machine)
    config = await config_in(conn, merchant, machine)
    assert standing is not None
    more = version - standing["wanted"] + 1
    ours = MadeVersion(
        config=msgspec.structs.replace(config, version=version + 1),
        price_version=standing["price_version"] + more,
        planogram_version=standing["planogram_version"] + more,
    )
    await conn.execute(
        store.RAISE_VERSIONS, machine, ours.config.version, ours.price_version,
        ours.planogram_version,
    )  # fmt: skip
    await record(conn, Editor(merchant, "coinslot"), ours, context.now())


async def _step(
    conn: Connection, context: Context, standing: Standing, push: asyncpg.Record
) -> Wire | None:
    """What to send after the commit."""
    machine, now = push["id"], context.now()
    done = standing["applied"] == standing["wanted"] and (
        not standing["speaks"] or standing["has"] == standing["wanted"]
    )
    if done or standing["retired"]:
        await conn.execute(store.END_PUSH, machine, context.now())
        return None
    seen = standing["last_seen_at"]
    online = seen is not None and now - seen <= context.windows.span("online_s")
    if standing["open"] or standing["older"]:
        held_since = push["held_since"] or (now if online else None)
        over = held_since is not None and (
            now - held_since >= context.windows.span("config_hold_s")
        )
        if standing["open"] or not over:
            await conn.execute(store.HOLD_PUSH, machine, context.after("offer_s"), held_since)
            return None
    if not standing["speaks"]:
        await conn.fetchval(store.APPLY_CONFIG, machine, standing["wanted"])
        await conn.execute(store.END_PUSH, machine, context.now())
        return None
    return await _send(conn, context, push, standing, online=online)


async def _send(
    conn: Connection,
    context: Context,
    push: asyncpg.Record,
    standing: Standing,
    *,
    online: bool,
) -> Wire | None:
    machine, first = push["id"], context.windows.span("config_s")
    if not online:
        # Its HELLO is answered with it at once; this is for one that was silent for a moment, and
        # says no HELLO. The longer it is waited for, the rarer it is looked at.
        pause = min(max((context.now() - push["wanted_at"]) / 4, first), first * _LONGEST_PAUSE)
        await conn.execute(store.PUT_OFF_PUSH, machine, context.now() + pause)
        return None
    if not context.line.reaches(machine, standing["channel"]):
        await conn.execute(store.PUT_OFF_PUSH, machine, context.after("query_s"))
        return None
    tries = push["tries"] + 1
    pause = first * min(2 ** min(tries - 1, 16), _LONGEST_PAUSE)
    await conn.execute(store.SENT_PUSH, machine, context.now() + pause, context.now(), tries)
    return await message(conn, push["merchant_id"], machine, standing)


async def message(conn: Connection, merchant: UUID, machine: str, standing: Standing) -> Wire:
    """The configuration for a machine, with the hash of exactly its bytes."""
    config = await config_in(conn, merchant, machine)
    rows = await conn.fetch(
        store.NAMES_OF_PRODUCTS, merchant, sorted({slot.sku for slot in config.slots})
    )
    names = {row["sku"]: row["name"] for row in rows}
    body: dict[str, Any] = {
        "version": config.version,
        "price_version": standing["price_version"],
        "planogram_version": standing["planogram_version"],
        "machine": config.code,
        "name": config.name,
        "zone": config.zone,
        "currency": config.currency,
        "slots": [
            {
                "slot": slot.slot, "sku": slot.sku, "name": names.get(slot.sku, slot.sku),
                "price_minor": slot.price.minor, "par": slot.par,
            }
            for slot in config.slots
        ],
        "device": config.device,
    }  # fmt: skip
    text = msgspec.json.encode(body)
    return wire.to_wire(
        wire.ConfigUpdate(
            version=config.version, sha256=hashlib.sha256(text).hexdigest(), config=text.decode()
        )
    )
