"""One lap: (a) to (d) one after the other on one database, so that they meet one weather."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from bench import hose, pgbench, webhooks
from bench.charges import Buyers, Charged
from bench.ground import Base, Ground
from bench.journey import Journey
from bench.measure import Round
from bench.serving import Serving, busy_s, cpu_s, family
from coinslot.kit.clock import SystemClock

AT_ONCE = 16  # clients of pgbench, connections of the web, customers before the machines
PACE_PER_S = 100
SILENT = {"LOG_LEVEL": "WARNING"}


Used = tuple[float, float, float, float]


class LostError(Exception):
    """What was answered as done is not all there."""


class Course(Struct, frozen=True, kw_only=True):
    """A database with so many old orders, and how long each round lasts."""

    existing: int
    base: Base
    machines: list[str]
    seconds: float


class Spent(Struct, frozen=True):
    """Processor time of one order, by who spent it."""

    coinslot_ms: float
    broker_ms: float
    postgres_ms: float
    load_ms: float  # our own, machines included


class Lap(Struct, frozen=True, kw_only=True):
    """What one lap measured."""

    pgbench: Round
    taken: Round
    offered: Round
    paced: Round
    bought: Charged  # (d) with as many as go
    bought_paced: Charged  # (d) at an even pace
    spent: Spent  # in (b)
    spent_vending: Spent  # in (c) at an even pace, the whole journey of each order
    kept_bytes: float  # by which the database grows with each order of (c), indexes included
    kept_in: Mapping[str, float]  # the same by table
    pace_per_s: float = PACE_PER_S  # of `paced`
    slowest: Sequence[tuple[float, float]] = ()  # of `paced`: second of the round, and ms
    others: float  # the share of the computer that somebody else used meanwhile


async def run(ground: Ground, course: Course, number: int, folder: Path) -> Lap:
    """One lap, on a copy of its own, so that none meets what another has left. (a) goes first in
    even ones, (b) in odd ones."""
    copy = await ground.copy(course.base, f"{course.base.name}_{number}")
    try:
        return await _lap(ground, _on(course, copy), number, folder)
    finally:
        await ground.drop(copy)


def _on(course: Course, base: Base) -> Course:
    return Course(
        existing=course.existing, base=base, machines=course.machines, seconds=course.seconds
    )


async def _lap(ground: Ground, course: Course, number: int, folder: Path) -> Lap:
    busy = busy_s(), cpu_s(family(os.getpid()))
    script = await pgbench.script(course.base, course.machines[0])
    taken, spent, asked = None, None, None
    for turn in (number, number + 1):
        await ground.settle()
        if turn % 2 == 0:
            asked = await _ask(ground, course, script)
        else:
            taken, spent = await take(ground, course, folder)
    assert asked is not None
    assert taken is not None
    assert spent is not None
    await ground.empty_queues(course.base)
    await ground.settle()
    size, tables = await ground.size(course.base), await ground.tables(course.base)
    went = await _journey(ground, course, folder)
    kept_bytes = (await ground.size(course.base) - size) / went.orders
    grown = await ground.tables(course.base)
    kept_in = {name: (grown[name] - tables.get(name, 0)) / went.orders for name in grown}
    await ground.settle()
    bought, bought_paced = await _buy(ground, course, folder)
    busy_for = busy_s() - busy[0]
    ours = cpu_s(family(os.getpid())) - busy[1]
    return Lap(
        pgbench=asked, taken=taken, offered=went.offered, paced=went.paced, bought=bought,
        bought_paced=bought_paced, spent=spent, spent_vending=went.spent, kept_bytes=kept_bytes,
        kept_in=kept_in, pace_per_s=went.pace_per_s, slowest=went.slowest,
        others=max(0.0, 1 - ours / busy_for),
    )  # fmt: skip


async def _ask(ground: Ground, course: Course, script: str) -> Round:
    """(a): every statement makes a paid order too; one that finds its delivery known is fast."""
    began = SystemClock().now()
    asked = await pgbench.run(course.base, script, AT_ONCE, course.seconds)
    await paid_since(ground, course.base, began, asked)
    return asked


async def paid_since(ground: Ground, base: Base, began: datetime, done: Round) -> int:
    """How many orders were paid since; raises LostError where it is fewer than were done."""
    paid = await ground.one(
        base, "SELECT count(*) FROM orders WHERE state = 'paid' AND placed_at >= $1", began
    )
    assert isinstance(paid, int)
    if paid < len(done.took_ms):
        raise LostError(f"{len(done.took_ms)} webhooks were taken, {paid} orders are paid")
    return paid


async def take(ground: Ground, course: Course, folder: Path) -> tuple[Round, Spent]:
    """(b) at `coinslot web`: every answer is a paid order on the disk, and they are counted."""
    base, clock = course.base, SystemClock()
    outlets = webhooks.around(course.machines)

    def fresh() -> bytes:
        now_s = int(clock.now().timestamp())
        return webhooks.request(next(outlets), webhooks.fresh_payment(), base.installation, now_s)

    began = clock.now()
    web = Serving("web", base, folder)
    await web.start(**SILENT)
    try:
        before = _used_s(ground, web)
        taken = await hose.saturate(web.port, fresh, AT_ONCE, course.seconds)
        after = _used_s(ground, web)
    finally:
        await web.stop()
    kept = await paid_since(ground, base, began, taken)
    return taken, _each_ms(before, after, kept)


def _used_s(ground: Ground, process: Serving) -> Used:
    """Seconds of processor time so far, in the order of `Spent`."""
    below = [pid for pid in family(process.pid) if pid != process.pid]
    return cpu_s([process.pid]), cpu_s(below), cpu_s(family(ground.pid)), cpu_s([os.getpid()])


def _each_ms(before: Used, after: Used, orders: int) -> Spent:
    return Spent(*(1000 * (b - a) / orders for a, b in zip(before, after, strict=True)))


class Went(Struct, frozen=True, kw_only=True):
    """What (c) gave, what an order of the paced round cost, and how many orders there were."""

    offered: Round
    paced: Round
    pace_per_s: float
    slowest: Sequence[tuple[float, float]]
    spent: Spent
    orders: int


async def _journey(ground: Ground, course: Course, folder: Path) -> Went:
    """(c) at `coinslot serve`, with its own broker: as much as goes, then at an even pace, of which
    it stays half below where even that were too much for this computer."""
    clock = SystemClock()
    serve = Serving("serve", course.base, folder)
    await serve.start(**SILENT)
    try:
        journey = Journey(course.base, course.machines)
        await journey.open(serve.port, serve.mqtt_port)
        try:
            now_s = int(clock.now().timestamp())
            offered = await journey.saturated(AT_ONCE, course.seconds, now_s)
            before, sold = _used_s(ground, serve), journey.orders
            pace_per_s = min(PACE_PER_S, offered.per_s / 2)
            paced = await journey.paced(pace_per_s, course.seconds, now_s)
            spent = _each_ms(before, _used_s(ground, serve), journey.orders - sold)
        finally:
            await journey.close()
    finally:
        await serve.stop()
    return Went(
        offered=offered, paced=paced, pace_per_s=pace_per_s, slowest=journey.slowest(),
        spent=spent, orders=journey.orders,
    )  # fmt: skip


async def _buy(ground: Ground, course: Course, folder: Path) -> tuple[Charged, Charged]:
    """(d) at `coinslot web`: as much as goes, and at an even pace. Every payment is counted."""
    base, began = course.base, SystemClock().now()
    web = Serving("web", base, folder)
    await web.start(**SILENT)
    buyers = Buyers(base.api_key)
    try:
        await buyers.open(web.port)
        paced = await buyers.paced(PACE_PER_S, course.seconds)
        bought = await buyers.saturated(AT_ONCE, course.seconds)
    finally:
        buyers.close()
        await web.stop()
    kept = await ground.one(
        base,
        "SELECT count(*) FROM payments p JOIN captures c ON c.payment_id = p.id"
        " WHERE p.source = 'api' AND p.state = 'succeeded' AND p.created_at >= $1",
        began,
    )
    if kept != buyers.paid:
        raise LostError(f"{buyers.paid} payments were confirmed, {kept} are captured")
    return bought, paced
