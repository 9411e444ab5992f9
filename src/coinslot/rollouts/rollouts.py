"""What people do with roll-outs: make, start, pause, resume and abort one, and see how it goes."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.fleet.config import Editor
from coinslot.kit.ids import uuid7
from coinslot.people.audit_log import Act, record
from coinslot.rollouts import store, updates
from coinslot.rollouts.firmware import build
from coinslot.rollouts.flow import ROLLOUT
from coinslot.rollouts.plan import DEFAULT_RULES, Rules, staged
from coinslot.rollouts.soak import Verdict
from coinslot.rollouts.waves import add_machines, go_on, verdict_of
from coinslot.states.transition import transition

ROLLOUTS_SHOWN: Final = 50
MACHINES_SHOWN: Final = 500


class UnknownRolloutError(LookupError):
    """There is no such roll-out."""


class NotNowError(Exception):
    """The roll-out is in a state in which this cannot be done."""


class RolloutError(Exception):
    """Against a rule. `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NewRollout(Struct, frozen=True, kw_only=True):
    """Which build, for which machines (none: all of its hardware, later ones too), by which
    rules."""

    firmware: UUID
    machines: tuple[str, ...] | None = None
    rules: Rules = DEFAULT_RULES


class StageLine(Struct, frozen=True, kw_only=True):
    """A stage: how many of its machines are in which state."""

    stage: int
    size: str  # as the rules name it
    machines: int
    states: dict[str, int]


class Rollout(Struct, frozen=True, kw_only=True):
    """A roll-out as it is now. `counts`: machines by state."""

    id: UUID
    firmware: UUID
    version: str
    sequence: int
    hardware: str
    kind: str
    state: str
    stage: int
    rules: Rules
    machines: list[str] | None
    counts: dict[str, int]
    pause: dict[str, Any] | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    soak_until: datetime | None
    ended_at: datetime | None
    expires: datetime


class UpdatedMachine(Struct, frozen=True, kw_only=True):
    """A machine in a roll-out. `firmware` is what it said last."""

    machine: str
    name: str
    place: str
    stage: int
    state: str
    attempt: int
    code: str | None
    firmware: str | None
    off_sale: bool
    off_sale_until: datetime | None  # it sells nothing new until then, so that it may install
    go_at: datetime | None
    confirmed_at: datetime | None
    ended_at: datetime | None
    last_heard_at: datetime | None


class Wave(Struct, frozen=True, kw_only=True):
    """One roll-out, whole."""

    rollout: Rollout
    stages: list[StageLine]
    machines: list[UpdatedMachine]
    soak: Verdict | None


async def create(context: Context, editor: Editor, wanted: NewRollout) -> UUID:
    """A draft: no machine hears of it. Raises UnknownBuildError, RolloutError."""
    found = await build(context, editor.merchant, wanted.firmware)
    now, made = context.now(), uuid7(context.now())
    machines = None if wanted.machines is None else sorted(set(wanted.machines))
    async with context.db.as_merchant(editor.merchant) as conn:
        await _refuse_older(conn, editor.merchant, found.hardware, found.kind, found.sequence)
        kept = await conn.fetch(
            store.KEPT_BUILDS, editor.merchant, found.hardware, found.kind, machines
        )
        writes = found.journal_formats[-1]
        if blind := sorted({row["build_version"] for row in kept if writes not in row["formats"]}):
            raise RolloutError(
                "journal_unreadable",
                f"It writes journal format {writes}, which {', '.join(blind)} cannot read: a"
                " machine that went back to it would forget what it sold.",
            )
        await conn.execute(
            store.ADD_ROLLOUT, made, editor.merchant, found.id, found.hardware, found.kind,
            msgspec.to_builtins(wanted.rules), machines, editor.name, now,
        )  # fmt: skip
        said = {"firmware": str(found.id), "version": found.version, "machines": machines,
                "rules": msgspec.to_builtins(wanted.rules)}  # fmt: skip
        await _note(conn, editor, "rollout.created", made, said, now)
    return made


async def _refuse_older(
    conn: Connection, merchant: UUID, hardware: str, kind: str, sequence: int
) -> None:
    highest = await conn.fetchval(store.HIGHEST, merchant, hardware, kind)
    if highest is not None and sequence < highest:
        raise RolloutError(
            "lower_sequence",
            f"Machines have the sequence {highest}, and refuse {sequence}. To bring older code"
            " back, sign it with a higher sequence.",
        )


async def start(context: Context, editor: Editor, rollout: UUID) -> None:
    """Raises UnknownRolloutError, NotNowError, RolloutError."""
    now = context.now()
    async with context.db.as_merchant(editor.merchant) as conn:
        row = await _locked(conn, editor, rollout, "draft")
        await _refuse_older(conn, editor.merchant, row["hardware"], row["kind"], row["sequence"])
        if now >= row["expires_at"]:
            raise RolloutError("expired", "Its manifest has expired: sign the build again.")
        found = await conn.fetch(
            store.NEW_MACHINES, editor.merchant, rollout, row["hardware"], row["machines"]
        )
        rules = msgspec.convert(row["rules"], Rules)
        stages = staged(rollout, [each["id"] for each in found], rules)
        if not stages:
            raise RolloutError("no_machines", "No machine of this hardware is there.")
        await add_machines(conn, row, stages, now)
        try:
            await transition(
                conn, ROLLOUT, rollout, "START", now,
                started_at=now, stage=min(stages.values()), stage_at=now, due_at=now,
            )  # fmt: skip
        except asyncpg.UniqueViolationError:
            raise RolloutError(
                "another_rollout", "Another roll-out for this hardware is under way."
            ) from None
        await _note(conn, editor, "rollout.started", rollout, {"machines": len(stages)}, now)
    context.wakes.wake("rollouts")


async def pause(context: Context, editor: Editor, rollout: UUID) -> None:
    """Nothing new begins; machines that install go on. Raises UnknownRolloutError, NotNowError."""
    now = context.now()
    async with context.db.as_merchant(editor.merchant) as conn:
        await _locked(conn, editor, rollout, "running", "soaking")
        why = {"reason": "person", "by": editor.name, "at": now.isoformat()}
        await transition(conn, ROLLOUT, rollout, "PAUSE", now, pause=why, due_at=None)
        await _note(conn, editor, "rollout.paused", rollout, {}, now)


async def resume(context: Context, editor: Editor, rollout: UUID, *, past_soak: str = "") -> None:
    """Go on with the stage, and soak again. Failures up to now are seen, and count no more. With
    `past_soak`, a person's reason, the soak is taken as good, and the next stage begins.

    Raises UnknownRolloutError, NotNowError."""
    now = context.now()
    async with context.db.as_merchant(editor.merchant) as conn:
        row = await _locked(conn, editor, rollout, "paused")
        counts = await conn.fetchrow(store.COUNTS, rollout, row["stage"], now, False)
        assert counts is not None
        seen = row["pause"] or {}
        if past_soak:
            await go_on(conn, row, counts["next_stage"], now, counts["failures"])
        else:
            await transition(
                conn, ROLLOUT, rollout, "RESUME", now,
                stage_at=now, soak_at=None, soak_until=None, due_at=now, pause=None,
                forgiven=counts["failures"],
            )  # fmt: skip
        await _note(conn, editor, "rollout.resumed", rollout, {"paused": seen}, now, past_soak)
    context.wakes.wake("rollouts")


async def abort(context: Context, editor: Editor, rollout: UUID, reason: str = "") -> None:
    """End it: what is not installing is withdrawn. Machines that have the build keep it; to bring
    older code back, roll it out with a higher sequence. Raises UnknownRolloutError, NotNowError."""
    now = context.now()
    async with context.db.as_merchant(editor.merchant) as conn:
        await _locked(conn, editor, rollout, "draft", "running", "soaking", "paused")
        for row in await conn.fetch(store.WITHDRAWN, rollout):
            await updates.skip(conn, row, "ABORTED", now)
        await transition(conn, ROLLOUT, rollout, "ABORT", now, ended_at=now, due_at=None)
        await _note(conn, editor, "rollout.aborted", rollout, {}, now, reason)
    context.wakes.wake("machine_updates")


async def give_up(
    context: Context, editor: Editor, rollout: UUID, machine: str, reason: str
) -> None:
    """A person has seen a silent machine, and says that its outlet may sell again. Raises
    UnknownRolloutError, NotNowError."""
    now = context.now()
    async with context.db.as_merchant(editor.merchant) as conn:
        found = await conn.fetchval(store.UPDATE_OF, rollout, machine)
        held = None if found is None else await updates.held_at(
            conn, editor.merchant, machine, found
        )  # fmt: skip
        if held is None:
            raise UnknownRolloutError
        if held.row["state"] != "silent":
            raise NotNowError(f"The machine is {held.row['state']}.")
        await updates.give_up(context, conn, held)
        said = {"machine": machine}
        await _note(conn, editor, "rollout.machine_given_up", rollout, said, now, reason)


async def _locked(conn: Connection, editor: Editor, rollout: UUID, *states: str) -> asyncpg.Record:
    row = await conn.fetchrow(store.LOCK_ROLLOUT, rollout, editor.merchant)
    if row is None:
        raise UnknownRolloutError
    if row["state"] not in states:
        raise NotNowError(f"The roll-out is {row['state']}.")
    return row


async def _note(  # noqa: PLR0913  one line of the log
    conn: Connection, editor: Editor, action: str, rollout: UUID, after: dict[str, Any],
    now: datetime, reason: str = "",
) -> None:  # fmt: skip
    act = Act(
        action=action, merchant=editor.merchant, subject=str(rollout), after=after, reason=reason
    )
    await record(conn, editor.actor, act, now)


async def listed(context: Context, merchant: UUID) -> list[Rollout]:
    """The newest first."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.ROLLOUTS, merchant, None, ROLLOUTS_SHOWN)
    return [_rollout(row) for row in rows]


async def read(context: Context, merchant: UUID, rollout: UUID, state: str | None = None) -> Wave:
    """One roll-out with its stages and its machines, or those in one state. Raises
    UnknownRolloutError."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.ROLLOUTS, merchant, rollout, 1)
        if row is None:
            raise UnknownRolloutError
        stages = await conn.fetch(store.STAGES, rollout)
        machines = await conn.fetch(store.MACHINES, rollout, state, MACHINES_SHOWN, context.now())
        soak = None
        if row["soak_at"] is not None and row["ended_at"] is None:
            soak = await verdict_of(conn, row, context.now())
    found = _rollout(row)
    return Wave(
        rollout=found, stages=_stages(found.rules, stages), soak=soak,
        machines=[
            UpdatedMachine(**{name: each[name] for name in UpdatedMachine.__struct_fields__})
            for each in machines
        ],
    )  # fmt: skip


def _stages(rules: Rules, rows: list[asyncpg.Record]) -> list[StageLine]:
    found: dict[int, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["stage"], {})[row["state"]] = row["machines"]
    return [
        StageLine(
            stage=number, size=rules.stages[number] if number < len(rules.stages) else "",
            machines=sum(states.values()), states=states,
        )
        for number, states in sorted(found.items())
    ]  # fmt: skip


def _rollout(row: asyncpg.Record) -> Rollout:
    return Rollout(
        id=row["id"], firmware=row["build_id"], version=row["build_version"],
        sequence=row["sequence"], hardware=row["hardware"], kind=row["kind"], state=row["state"],
        stage=row["stage"], rules=msgspec.convert(row["rules"], Rules), machines=row["machines"],
        counts=row["counts"], pause=row["pause"], created_by=row["created_by"],
        created_at=row["created_at"], started_at=row["started_at"], soak_until=row["soak_until"],
        ended_at=row["ended_at"], expires=row["expires_at"],
    )  # fmt: skip
