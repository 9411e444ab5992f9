"""A roll-out goes on: it offers its build to the machines of its stage, stops by itself when too
many fail, and soaks between two stages. A process may die at any statement: all it knows stands in
the rows, and another goes on."""

from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import msgspec
import structlog

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.kit.ids import uuid7
from coinslot.rollouts import store
from coinslot.rollouts.flow import ROLLOUT
from coinslot.rollouts.plan import Rules, is_open, place_of
from coinslot.rollouts.soak import Group, Verdict, judge
from coinslot.rollouts.updates import offer, skip, zone_of
from coinslot.states.transition import transition

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = timedelta(seconds=5)
SAMPLE_EVERY: Final = timedelta(seconds=60)
BEFORE: Final = timedelta(days=7)  # what is compared with when nobody is left without the build


async def drive(context: Context, row: asyncpg.Record) -> None:
    """One step of a roll-out that is due."""
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        held = await conn.fetchrow(store.LOCK_ROLLOUT, row["id"], row["merchant_id"])
        if held is None or held["state"] not in ("running", "soaking"):
            await conn.execute(store.PUT_OFF_ROLLOUT, row["id"], None)
            return
        await _Wave(context, conn, held).step()
    context.wakes.wake("machine_updates")


class _Wave:
    """A roll-out whose row is locked."""

    def __init__(self, context: Context, conn: Connection, row: asyncpg.Record) -> None:
        self._context, self._conn, self._row = context, conn, row
        self._now = context.now()
        self._rules = msgspec.convert(row["rules"], Rules)

    async def step(self) -> None:
        await self._join()
        await self._skip_what_is_done()
        await self._sample()
        counts = await self._counts()
        forgiven = await self._forgiven(counts)
        if why := self._failing(counts, forgiven):
            await self._pause(why)
            return
        await self._offer(counts)
        counts = await self._counts()
        if self._row["state"] == "running":
            await self._maybe_over(counts)
        elif self._now >= self._row["soak_until"]:
            await self._judge(counts)
        else:
            await self._again()

    async def _again(self) -> None:
        await self._conn.execute(store.PUT_OFF_ROLLOUT, self._row["id"], self._now + LOOK_EVERY)

    async def _join(self) -> None:
        """Machines that were added later join the current stage."""
        await add_machines(self._conn, self._row, self._row["stage"], self._now)

    async def _skip_what_is_done(self) -> None:
        row = self._row
        for found in await self._conn.fetch(
            store.TO_SKIP, row["id"], row["stage"], row["sequence"], row["build_version"],
            row["min_from"],
        ):  # fmt: skip
            await skip(self._conn, found, found["code"], self._now)

    async def _sample(self) -> None:
        """Which machines are unheard, once a minute."""
        last = self._row["sampled_at"]
        if last is not None and self._now < last + SAMPLE_EVERY:
            return
        since = self._now - self._context.windows.span("online_s")
        await self._conn.execute(store.SAMPLE, self._row["id"], since)
        await self._conn.execute(store.SAMPLED, self._row["id"], self._now)

    async def _counts(self) -> asyncpg.Record:
        row, wait = self._row, timedelta(seconds=self._rules.stage_s)
        stage_is_new = row["stage_at"] is not None and self._now < row["stage_at"] + wait
        counts = await self._conn.fetchrow(
            store.COUNTS, row["id"], row["stage"], self._now - wait, stage_is_new
        )
        assert counts is not None
        return counts

    async def _forgiven(self, counts: asyncpg.Record) -> int:
        """How many failures a person has seen. A silent machine that came back is none any more:
        another one that fails later is not forgiven in its place."""
        seen: int = min(self._row["forgiven"], counts["failures"])
        if seen < self._row["forgiven"]:
            await self._conn.execute(store.FORGIVEN, self._row["id"], seen)
        return seen

    def _failing(self, counts: asyncpg.Record, forgiven: int) -> dict[str, Any] | None:
        """Why it stops by itself, with the numbers. A machine that is silent counts as one that
        failed."""
        failures: int = counts["failures"] - forgiven
        ended: int = failures + counts["confirmed"]
        said = {"failures": failures, "ended": ended}
        if failures >= self._rules.max_failures:
            return {"reason": "failures", **said}
        if ended >= self._rules.share_from and failures / ended >= self._rules.failure_share:
            return {"reason": "failure_share", **said}
        if self._now >= self._row["expires_at"]:
            return {"reason": "expired"}
        return None

    async def _pause(self, why: dict[str, Any]) -> None:
        log.warning("rollout_paused", rollout=str(self._row["id"]), **why)
        pause = {**why, "at": self._now.isoformat()}
        await transition(
            self._conn, ROLLOUT, self._row["id"], "FAILING", self._now, pause=pause, due_at=None
        )

    async def _offer(self, counts: asyncpg.Record) -> None:
        """To as many as may load at once, in their order, each in its window of time."""
        places = self._rules.downloads - counts["downloads"]
        if places <= 0:
            return
        heard_since = self._now - self._context.windows.span("online_s")
        for row in await self._conn.fetch(
            store.TO_OFFER, self._row["id"], self._row["stage"], heard_since
        ):
            if not is_open(self._rules.window, zone_of(self._context, row["zone"]), self._now):
                continue
            await offer(self._context, self._conn, row, self._rules)
            places -= 1
            if not places:
                return

    async def _maybe_over(self, counts: asyncpg.Record) -> None:
        """The stage is over when nobody is under way and nobody is waited for."""
        if counts["under_way"] or counts["awaited"]:
            await self._again()
            return
        if not counts["confirmed"]:
            await self._pause({"reason": "none_confirmed", "failures": counts["failures"]})
            return
        until = self._now + timedelta(seconds=self._rules.soak_s)
        await self._conn.execute(store.BEGIN_SAMPLES, self._row["id"])
        await transition(
            self._conn, ROLLOUT, self._row["id"], "STAGE_OVER", self._now,
            soak_at=self._now, soak_until=until, due_at=self._now + LOOK_EVERY,
        )  # fmt: skip

    async def _judge(self, counts: asyncpg.Record) -> None:
        verdict = await verdict_of(self._conn, self._row, self._now)
        if not verdict.good:
            await self._pause({"reason": verdict.reason, "soak": msgspec.to_builtins(verdict)})
            return
        await go_on(self._conn, self._row, counts["next_stage"], self._now)


async def go_on(
    conn: Connection, row: asyncpg.Record, next_stage: int | None, now: datetime,
    forgiven: int | None = None,
) -> None:  # fmt: skip
    """To the next stage that has machines; after the last one it is done. `row` is locked;
    `forgiven`: failures that a person has seen by now; None: as many as before."""
    if next_stage is not None:
        event = "SOAKED" if row["state"] == "soaking" else "RESUME"
        seen = {} if forgiven is None else {"forgiven": forgiven}
        await transition(
            conn, ROLLOUT, row["id"], event, now,
            stage=next_stage, stage_at=now, soak_at=None, soak_until=None, due_at=now, pause=None,
            **seen,
        )  # fmt: skip
        return
    for left in await conn.fetch(store.WITHDRAWN, row["id"]):
        await skip(conn, left, "ROLLOUT_OVER", now)
    await transition(
        conn, ROLLOUT, row["id"], "FINISHED", now, ended_at=now, due_at=None, pause=None
    )


async def verdict_of(conn: Connection, row: asyncpg.Record, now: datetime) -> Verdict:
    """How machines with the build do beside the others, since the soak began."""
    rules = msgspec.convert(row["rules"], Rules)
    late = timedelta(seconds=rules.late_s)
    groups = {
        found["new"]: Group(**{name: found[name] for name in Group.__struct_fields__})
        for found in await conn.fetch(store.SOAKED, row["id"], row["soak_at"] or now, now, late)
    }
    old = groups[False]
    if old.vends < rules.soak_vends:
        began = row["started_at"] or now
        before = await conn.fetchrow(store.BEFORE, row["id"], began - BEFORE, now, late)
        assert before is not None
        old = msgspec.structs.replace(old, **dict(before))
    return judge(groups[True], old, rules.soak_vends, rules.level)


async def add_machines(
    conn: Connection, row: asyncpg.Record, stage: int | dict[str, int], now: datetime
) -> int:
    """Machines that the build is for and that are not in the roll-out yet; how many. Each gets its
    stage, or all the one."""
    found = await conn.fetch(
        store.NEW_MACHINES, row["merchant_id"], row["id"], row["hardware"], row["machines"]
    )
    outlets = [each["id"] for each in found]
    if not outlets:
        return 0
    stages = stage if isinstance(stage, dict) else dict.fromkeys(outlets, stage)
    await conn.execute(
        store.ADD_MACHINES, row["merchant_id"], row["id"], now, [uuid7(now) for _ in outlets],
        outlets, [place_of(row["id"], outlet) for outlet in outlets],
        [stages[outlet] for outlet in outlets],
    )  # fmt: skip
    return len(outlets)
