"""One machine in a roll-out: what it is sent, what it says, and when it may install. GO to install
is given under the lock of the machine's row, under which a unit is given to it too: so none is open
while it installs, and none is offered until its outlet is on sale again. What the machine runs,
only the HELLO of a new boot says."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.channels.messages import Down
from coinslot.channels.reports import FirmwareProgress
from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.rollouts import store
from coinslot.rollouts.downloads import manifest_url
from coinslot.rollouts.flow import AFTER_GO, BEFORE_GO, ENDED, MACHINE_UPDATE
from coinslot.rollouts.plan import Rules, is_open
from coinslot.states.transition import transition
from coinslot.vending.journal import Machine

OFFER_AGAIN: Final = timedelta(seconds=15)
GO_AGAIN: Final = timedelta(seconds=10)
LOOK_AGAIN: Final = timedelta(seconds=5)
# A machine's word may be lost behind a broker with the process that heard it. The same offer again
# is answered with where the machine is.
ASK_AGAIN: Final = timedelta(seconds=15)

# The machine says that the build is not for it: no failure of the build.
NOT_FOR_IT: Final = frozenset({"HARDWARE", "KIND", "SEQUENCE", "MIN_FROM", "JOURNAL"})

Wire = Mapping[str, object]


class Held(Struct, frozen=True):
    """A machine and its place in a roll-out, both locked."""

    device: asyncpg.Record
    row: asyncpg.Record

    @property
    def rules(self) -> Rules:
        return msgspec.convert(self.row["rules"], Rules)

    @property
    def went_back(self) -> bool:
        """Whether a boot after the one that was given GO says that it runs other code."""
        return (self.device["boot_id"] or "") != self.row["boot_before"] and not self.has_it

    @property
    def has_it(self) -> bool:
        """Whether the machine runs the build. A machine that does not say the sequence of its code
        says the version."""
        if self.device["build_sequence"] is not None:
            return bool(self.device["build_sequence"] == self.row["sequence"])
        return bool(self.device["firmware"] == self.row["build_version"])


async def greeted(context: Context, machine: Machine) -> None:
    """A machine said HELLO, which is stored: look at what it runs now."""
    downs: list[Wire] = []
    async with context.db.as_merchant(machine.merchant_id) as conn:
        device = await conn.fetchrow(store.LOCK_DEVICE, machine.outlet)
        if device is None:
            return
        await conn.execute(store.NOTE_BOOT, machine.outlet, device["boot_id"])
        for found in await conn.fetch(store.OPEN_UPDATES, machine.outlet):
            held = await held_at(conn, machine.merchant_id, machine.outlet, found["id"])
            if held is not None:
                downs += await _look(context, conn, held)
                await conn.execute(store.END_IF_NONE_WAITS, machine.outlet, context.now())
    await _send(context, machine.outlet, device["channel"], downs)
    context.wakes.wake("rollouts")


async def receive(
    context: Context, machine: Machine, said: FirmwareProgress, at: datetime
) -> Sequence[Down]:
    """What a machine says of its update. It says it again until it is where it wants to be, so
    every word may come twice or late; a word of another attempt changes nothing."""
    downs: list[Wire] = []
    async with context.db.as_merchant(machine.merchant_id) as conn:
        found = await conn.fetchval(store.UPDATE_OF, said.rollout, machine.outlet)
        if found is None:
            return ()
        held = await held_at(conn, machine.merchant_id, machine.outlet, found)
        if held is None or held.row["attempt"] != said.attempt:
            return ()
        downs = await _hear(context, conn, held, said)
        await conn.execute(store.END_IF_NONE_WAITS, machine.outlet, context.now())
    await _send(context, machine.outlet, held.device["channel"], downs)
    context.wakes.wake("rollouts")
    return ()


async def drive(context: Context, row: asyncpg.Record) -> None:
    """A machine's place is due: send again, give GO, or end what took too long."""
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        held = await held_at(conn, row["merchant_id"], row["outlet_id"], row["id"])
        if held is None:
            return
        downs = await _look(context, conn, held)
        await conn.execute(store.END_IF_NONE_WAITS, row["outlet_id"], context.now())
    await _send(context, row["outlet_id"], held.device["channel"], downs)


async def held_at(conn: Connection, merchant: UUID, outlet: str, update: UUID) -> Held | None:
    device = await conn.fetchrow(store.LOCK_DEVICE, outlet)
    row = await conn.fetchrow(store.LOCK_UPDATE, update, merchant)
    return None if device is None or row is None else Held(device, row)


async def _hear(
    context: Context, conn: Connection, held: Held, said: FirmwareProgress
) -> list[Wire]:
    now, state = context.now(), held.row["state"]
    match said.state:
        case "VERIFIED" if state == "installing" and held.went_back:
            await _go_void(conn, held, now)
        case "DOWNLOADING" | "VERIFIED" if state == "skipped":
            return [withdrawal(held.row)]
        case "DOWNLOADING" | "VERIFIED":
            more: dict[str, Any] = {}
            if state in ("offered", "downloading") and said.state == "VERIFIED":
                more["attempt_until"] = now + timedelta(seconds=held.rules.idle_s)
                more["due_at"] = now + LOOK_AGAIN
            elif state == "offered":
                more["due_at"] = _after(held.row, now, ASK_AGAIN)
            await _note(conn, held, said.state, now, more)
            if state in BEFORE_GO and not more:
                await conn.execute(store.PUT_OFF, held.row["id"], _after(held.row, now, ASK_AGAIN))
            if said.state == "VERIFIED":
                return await _look(context, conn, await _again(conn, held))
        case "FAILED":
            await _refused(conn, held, said.code, now)
        case "INSTALLING":
            pass  # the HELLO of its next boot says what came of it
        case "ROLLED_BACK":
            await _rolled_back(conn, held, said.code, now)
        case _:  # TRIAL, CONFIRMED: its last HELLO has said which code it runs
            downs = await _look(context, conn, held)
            held = await _again(conn, held)
            if said.state == "CONFIRMED" and held.row["state"] == "trial" and held.has_it:
                await _confirm(conn, held, now)
            return downs
    return []


async def _go_void(conn: Connection, held: Held, now: datetime) -> None:
    """It started anew before it heard GO, and still holds the image: no failure of the build. It
    sells, and is offered the build again; not for ever, if it starts anew each time."""
    if held.row["attempt"] >= held.rules.tries:
        await _old_version(conn, held, "RESTARTED", now)
        return
    await transition(
        conn, MACHINE_UPDATE, held.row["id"], "GO_VOID", now,
        code="RESTARTED", due_at=None, go_at=None, boot_before=None,
    )  # fmt: skip
    await conn.execute(store.ON_SALE, held.row["outlet_id"], now)


async def _rolled_back(conn: Connection, held: Held, code: str | None, now: datetime) -> None:
    """It says why it went back, before or after its HELLO has said that it did."""
    if held.row["state"] == "rolled_back" and held.row["code"] == "ROLLED_BACK" and code:
        await conn.execute(store.NOTE_CODE, held.row["id"], code)
    elif held.row["state"] in (*AFTER_GO, "silent") and held.went_back:
        await _old_version(conn, held, code or "ROLLED_BACK", now)


async def _old_version(conn: Connection, held: Held, code: str, now: datetime) -> None:
    await transition(
        conn, MACHINE_UPDATE, held.row["id"], "OLD_VERSION", now,
        code=code, ended_at=now, due_at=None,
    )  # fmt: skip
    await conn.execute(store.ON_SALE, held.row["outlet_id"], now)


async def _note(
    conn: Connection, held: Held, event: str, now: datetime, more: Mapping[str, Any]
) -> None:
    """A word that changes nothing is written down once: a machine may say it as often as it
    likes."""
    row = held.row
    if not more and await conn.fetchval(store.SAID_BEFORE, row["id"], event, row["state"]):
        return
    await transition(conn, MACHINE_UPDATE, row["id"], event, now, **more)


async def _again(conn: Connection, held: Held) -> Held:
    row = await conn.fetchrow(store.LOCK_UPDATE, held.row["id"], held.row["merchant_id"])
    assert row is not None
    return Held(held.device, row)


async def _refused(conn: Connection, held: Held, code: str | None, now: datetime) -> None:
    """The machine will not, or could not. What is not for it is no failure; what may go well the
    next time is tried again, but not what is signed wrongly: nobody repairs that."""
    row = held.row
    if row["state"] in BEFORE_GO and code in NOT_FOR_IT:
        event = "SKIP"
    elif row["state"] in BEFORE_GO and row["attempt"] < held.rules.tries and code != "SIGNATURE":
        event = "RETRY"
    else:
        event = "REFUSED"
    ends = event in ("SKIP", "REFUSED") and row["state"] in (*BEFORE_GO, "installing")
    more: dict[str, Any] = {"code": code, "ended_at": now, "due_at": None} if ends else {}
    if event == "RETRY":
        more = {"code": code, "due_at": None}
    await _note(conn, held, event, now, more)
    if row["state"] == "installing":  # it never left its old code
        await conn.execute(store.ON_SALE, row["outlet_id"], now)


async def _confirm(conn: Connection, held: Held, now: datetime) -> None:
    await transition(
        conn, MACHINE_UPDATE, held.row["id"], "CONFIRMED", now,
        confirmed_at=now, ended_at=now, due_at=None, code=None,
    )  # fmt: skip
    await conn.execute(store.BEGIN_COUNTS, held.row["id"], held.device["boot_id"])
    await conn.execute(store.ON_SALE, held.row["outlet_id"], now)


async def _look(context: Context, conn: Connection, held: Held) -> list[Wire]:
    """What follows from what is known now; what is to be sent after the commit."""
    state = held.row["state"]
    if state in ENDED:
        if held.row["due_at"] is None:
            return []
        await conn.execute(store.PUT_OFF, held.row["id"], None)
        return [withdrawal(held.row)]
    if held.row["go_at"] is not None:
        return await _after_go(context, conn, held)
    now = context.now()
    if held.has_it and state != "silent":
        await transition(
            conn, MACHINE_UPDATE, held.row["id"], "SKIP", now,
            code="HAS_IT", ended_at=now, due_at=None,
        )  # fmt: skip
        return []
    if state == "silent":
        heard = held.device["last_seen_at"]
        is_back = heard is not None and heard > held.row["attempt_until"]
        if is_back and held.row["attempt"] < held.rules.tries:
            await transition(conn, MACHINE_UPDATE, held.row["id"], "RETRY", now, due_at=None)
        return []
    if state == "waiting":
        return []
    if now >= held.row["attempt_until"]:
        await _attempt_over(context, conn, held)
        return []
    if state == "verified":
        return await _maybe_go(context, conn, held)
    if state == "offered":
        await conn.execute(store.PUT_OFF, held.row["id"], _after(held.row, now, OFFER_AGAIN))
        return [manifest_message(context, held.row)]
    return await _ask(context, conn, held.row)


async def _after_go(context: Context, conn: Connection, held: Held) -> list[Wire]:
    now, row = context.now(), held.row
    state = row["state"]
    if (held.device["boot_id"] or "") != row["boot_before"]:
        if held.went_back:
            if state == "installing" and now < row["attempt_until"]:
                # It went back, or it never installed: its next word says which.
                return await _ask(context, conn, row, GO_AGAIN)
            await _old_version(conn, held, "ROLLED_BACK", now)
            return []
        if state != "trial":
            until = now + timedelta(seconds=held.rules.trial_s)
            await transition(
                conn, MACHINE_UPDATE, row["id"], "NEW_VERSION", now,
                attempt_until=until, due_at=min(until, now + ASK_AGAIN), code=None,
            )  # fmt: skip
            return []
    if state == "silent":
        return []
    if now >= row["attempt_until"]:
        await transition(
            conn, MACHINE_UPDATE, row["id"], "DEADLINE", now, code="SILENT", due_at=None
        )
        return []
    if state == "installing":
        if row["due_at"] is not None and now < row["due_at"]:
            return []  # it went out a moment ago
        await transition(
            conn, MACHINE_UPDATE, row["id"], "GO", now, due_at=_after(row, now, GO_AGAIN)
        )
        return [_go_message(row)]
    return await _ask(context, conn, row)


async def _ask(
    context: Context, conn: Connection, row: asyncpg.Record, pause: timedelta = ASK_AGAIN
) -> list[Wire]:
    """Where the machine is, when it was quiet for a while: an answer asks for no other."""
    now = context.now()
    if row["due_at"] is not None and now < row["due_at"]:
        return []
    await conn.execute(store.PUT_OFF, row["id"], _after(row, now, pause))
    return [manifest_message(context, row)]


async def _attempt_over(context: Context, conn: Connection, held: Held) -> None:
    """Its time is over. A machine that had no quiet moment is not one that fails."""
    now, row = context.now(), held.row
    if row["state"] == "verified" and row["rollout_state"] == "paused":
        # A person holds it up: it is offered the build again when the roll-out goes on.
        await transition(conn, MACHINE_UPDATE, row["id"], "RETRY", now, due_at=None, code="LATE")
    elif row["state"] == "verified" and _is_online(context, held):
        await transition(
            conn, MACHINE_UPDATE, row["id"], "SKIP", now, code="BUSY", ended_at=now, due_at=now
        )
    elif row["attempt"] < held.rules.tries:
        await transition(conn, MACHINE_UPDATE, row["id"], "RETRY", now, due_at=None, code="LATE")
    else:
        await transition(
            conn, MACHINE_UPDATE, row["id"], "DEADLINE", now, code="SILENT", due_at=None
        )


def _is_online(context: Context, held: Held) -> bool:
    heard = held.device["last_seen_at"]
    return heard is not None and heard >= context.now() - context.windows.span("online_s")


async def _maybe_go(context: Context, conn: Connection, held: Held) -> list[Wire]:
    """GO, when nothing is paid or open at the machine, and nobody is about to pay; in its window of
    time, and while its roll-out goes on and its build is good."""
    now, row = context.now(), held.row
    paying_since = now - context.windows.span("hold_s")
    busy = await conn.fetchrow(store.BUSY, row["outlet_id"], paying_since)
    assert busy is not None
    idle = not (busy["paid"] or busy["open"] or busy["paying"])
    may = (
        row["rollout_state"] in ("running", "soaking")
        and now < row["expires_at"]
        and busy["decommissioned_at"] is None
        and _is_online(context, held)
        and is_open(held.rules.window, zone_of(context, busy["zone"]), now)
    )
    if not (idle and may):
        await _make_room(conn, held, now, may=may)
        await conn.execute(store.PUT_OFF, row["id"], _after(row, now, LOOK_AGAIN))
        return []
    until = now + timedelta(seconds=held.rules.install_s)
    await transition(
        conn, MACHINE_UPDATE, row["id"], "GO", now,
        go_at=now, boot_before=held.device["boot_id"] or "", attempt_until=until,
        due_at=now + GO_AGAIN,
    )  # fmt: skip
    await conn.execute(store.OFF_SALE, row["outlet_id"], now)
    return [_go_message({**row, "boot_before": held.device["boot_id"] or ""})]


async def _make_room(conn: Connection, held: Held, now: datetime, *, may: bool) -> None:
    """A machine that has waited long enough for a moment without a customer sells nothing new for a
    while. What is paid is handed over; what could not be installed even then goes on selling."""
    rules, outlet = held.rules, held.row["outlet_id"]
    if not may:
        await conn.execute(store.END_OFF_SALE_BEFORE, outlet, now)
        return
    pause = timedelta(seconds=rules.off_sale_after_s)
    verified_at = held.row["attempt_until"] - timedelta(seconds=rules.idle_s)
    if rules.off_sale_s and now - verified_at >= pause:
        until = now + timedelta(seconds=rules.off_sale_s)
        await conn.execute(store.OFF_SALE_BEFORE, outlet, now, until, now - pause)


def zone_of(context: Context, name: str | None) -> ZoneInfo:
    """Of a machine: its own, its merchant's, else the installation's."""
    return context.zone_of(name)


def _after(row: asyncpg.Record, now: datetime, pause: timedelta) -> datetime:
    return min(now + pause, row["attempt_until"] or now + pause)


def manifest_message(context: Context, row: asyncpg.Record | Mapping[str, Any]) -> Wire:
    """Where the manifest of this attempt is."""
    return {
        "type": "FIRMWARE", "rollout": str(row["rollout_id"]), "attempt": row["attempt"],
        "manifest_url": manifest_url(context, row["id"], row["attempt"]),
    }  # fmt: skip


def _go_message(row: asyncpg.Record | Mapping[str, Any]) -> Wire:
    """Good for this boot of the machine alone: one that started anew is on sale again."""
    return {
        "type": "FIRMWARE", "rollout": str(row["rollout_id"]), "attempt": row["attempt"],
        "go": True, "boot_id": row["boot_before"],
    }  # fmt: skip


async def _send(context: Context, outlet: str, channel: str, downs: list[Wire]) -> None:
    for down in downs:
        if context.line.reaches(outlet, channel):
            await context.line.send(outlet, channel, down)


async def offer(context: Context, conn: Connection, row: asyncpg.Record, rules: Rules) -> None:
    """The next attempt of a machine that waits, whose row is locked; it is due, and sent to it, at
    once."""
    now = context.now()
    await transition(
        conn, MACHINE_UPDATE, row["id"], "OFFER", now,
        attempt=row["attempt"] + 1, offered_at=now, due_at=now, code=None,
        attempt_until=now + timedelta(seconds=rules.attempt_s),
    )  # fmt: skip


def withdrawal(row: asyncpg.Record | Mapping[str, Any]) -> Wire:
    """What was offered is not to be installed. A machine that does not hear it installs nothing
    either; it is told again when it says that it holds the image."""
    return {
        "type": "FIRMWARE", "rollout": str(row["rollout_id"]), "attempt": row["attempt"],
        "withdrawn": True,
    }  # fmt: skip


async def skip(conn: Connection, row: asyncpg.Record, code: str, now: datetime) -> None:
    """It gets nothing in this roll-out. What was begun is withdrawn: the row is due, so that the
    process that reaches the machine tells it."""
    due = now if row["state"] in BEFORE_GO else None
    await transition(
        conn, MACHINE_UPDATE, row["id"], "SKIP", now, code=code, ended_at=now, due_at=due
    )


async def give_up(context: Context, conn: Connection, held: Held) -> None:
    """A person says what became of a silent machine: its outlet may sell again when it is heard."""
    now = context.now()
    await transition(
        conn, MACHINE_UPDATE, held.row["id"], "GIVEN_UP", now,
        ended_at=now, due_at=None, code="GIVEN_UP",
    )  # fmt: skip
    await conn.execute(store.ON_SALE, held.row["outlet_id"], now)
