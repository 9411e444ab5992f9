"""The line is cut, or the power, at each step of a vend."""

import asyncio

from coinslot.channels.base import Guarantee
from coinslot.channels.messages import (
    Accept,
    Drop,
    Hello,
    Outcome,
    Reject,
    Result,
    Started,
    UnitState,
)
from coinslot.conformance.bench import Accepted, Bench, BrokenError, SkippedError, must_be
from coinslot.conformance.checks import check
from coinslot.conformance.checks.journals import repeated
from coinslot.conformance.checks.vends import counted

# The line


async def cut_line(bench: Bench, when: str) -> None:
    """Cut it, and wait for the HELLO of the next connection."""
    since = bench.mark
    if not bench.line.cut() and not await bench.hands.cut_network(when):
        raise SkippedError("nobody cut the network")
    found = await bench.until(lambda: bench.all(Hello, since), bench.tested.patience.restart_s)
    if not found:
        raise BrokenError("no HELLO after its connection was cut")


@check("cut-offered", "getting connected")
async def line_cut_after_offer(bench: Bench) -> str:
    """The connection is cut right after OFFER: it says HELLO again, and takes the OFFER again."""
    unit = bench.unit()
    await bench.send(bench.offer_of(unit))
    await cut_line(bench, "now")
    of = await bench.accepted(unit=unit)
    if refused := bench.all(Reject, 0, unit):
        raise BrokenError(f"a known unit was answered by REJECT {refused[0].code}")
    if len(set(bench.raws(Accept, 0, unit))) > 1:
        raise BrokenError("an ACCEPT that was repeated had other bytes")
    await bench.buried(of.unit)
    return "the same ACCEPT"


@check("cut-accepted", "rule 1")
async def line_cut_after_accept(bench: Bench) -> str:
    """The connection is cut after ACCEPT: the lease goes on, and GO starts the unit."""
    of = await bench.accepted()
    await cut_line(bench, "now")
    await bench.send(bench.go_of(of))
    must_be(await bench.result(of.unit), Outcome.VENDED)
    if set(bench.raws(Accept, 0, of.unit)) != {of.raw}:
        raise BrokenError("an ACCEPT that was repeated had other bytes")
    return "GO on the next connection is obeyed"


@check("cut-started", "rule 5")
async def line_cut_after_started(bench: Bench) -> str:
    """The connection is cut while it runs: the run goes on, and its RESULT comes afterwards."""
    of = await bench.accepted()
    before = await counted(bench, of)
    await bench.send(bench.go_of(of))
    await bench.first(Started, of.unit)
    await cut_line(bench, "while it runs")
    await bench.send(bench.go_of(of))
    must_be(await bench.result(of.unit), Outcome.VENDED)
    await bench.pause(1)
    await _one_fell(bench, of, before)
    return "VENDED, once"


@check("cut-recorded", "rule 5")
async def line_cut_after_result(bench: Bench) -> str:
    """The connection is cut before EVACK: RESULT comes again on the next one."""
    bench.acks = False
    of = await bench.vended()
    await cut_line(bench, "now")
    await repeated(bench, of.unit, 1)
    return "the same RESULT again"


async def _one_fell(bench: Bench, of: Accepted, before: int | None) -> None:
    after = await bench.counter()
    if before is not None and after is not None and after != before + 1:
        raise BrokenError(f"one unit, and {after - before} things fell")


# The power


async def cut_power(bench: Bench, when: str) -> Hello:
    """Cut it, and wait for the HELLO of the next boot."""
    boot_id, journal_id = bench.hello.boot_id, bench.hello.journal_id
    since = bench.mark
    if not await bench.hands.cut_power(when):
        raise SkippedError("nobody cut the power")
    found = await bench.until(
        lambda: [hello for hello in bench.all(Hello, since) if hello.boot_id != boot_id],
        bench.tested.patience.restart_s,
    )
    if not found:
        raise BrokenError("no HELLO under a new boot_id after the power cut")
    if found[0].journal_id != journal_id:
        raise BrokenError("its journal did not outlive the power cut: another journal_id")
    return found[0]


@check("power-accepted", "rule 1")
async def restart_voids_the_lease(bench: Bench) -> str:
    """A power cut after ACCEPT voids the lease: GO is refused with a tombstone."""
    of = await bench.accepted()
    await cut_power(bench, "now")
    since = bench.mark
    await bench.send(bench.go_of(of))
    answer = await bench.until(
        lambda: bench.either(Started, Result, since, of.unit),
        bench.tested.patience.answer_s,
    )
    if not answer:
        raise BrokenError("GO was refused without a tombstone")
    if isinstance(answer[0], Started):
        raise BrokenError("it started a unit that it had accepted before the power cut")
    must_be(answer[0], Outcome.TOMBSTONED)
    return "tombstone"


@check("power-running", "rule 3", Guarantee.G2)
async def interrupted_once(bench: Bench) -> str:
    """A power cut while it runs ends as INTERRUPTED, and the unit is never run again."""
    of, before = await _cut_in_the_run(bench, started=True)
    result = await bench.result(of.unit)
    must_be(result, Outcome.INTERRUPTED)
    await _never_again(bench, of, before, result)
    return f"INTERRUPTED, drop {result.evidence.drop}"


@check("started-before-motor", "rule 2", Guarantee.G2)
async def written_before_it_acts(bench: Bench) -> str:
    """A power cut late in the run: STARTED was in the journal before the motor got current."""
    of, before = await _cut_in_the_run(bench, started=False)
    status = await bench.query(of.unit)
    if status.state in (UnitState.TOMBSTONED, UnitState.FORGOTTEN):
        fell = await bench.counter()
        dropped = before is not None and fell is not None and fell > before
        seen = "something fell" if dropped else "the run was nearly over"
        raise BrokenError(f"{seen}, and its journal says {status.state}: it acted before it wrote")
    result = await bench.result(of.unit)
    must_be(result, Outcome.INTERRUPTED)
    await _never_again(bench, of, before, result)
    return f"INTERRUPTED, drop {result.evidence.drop}"


async def _cut_in_the_run(bench: Bench, *, started: bool) -> tuple[Accepted, int | None]:
    """Right after STARTED was heard, or late in the run. The run may be over before it was cut:
    then the next one is."""
    told_late = 0
    for share in (0.7, 0.5, 0.3):
        if not await bench.hands.ready("The motor turns now: cut the power while it does"):
            raise SkippedError("nobody cut the power")
        of = await bench.accepted()
        before = await counted(bench, of)
        await bench.send(bench.go_of(of))
        if started:
            await bench.first(Started, of.unit)
        else:
            await asyncio.sleep(share * bench.run_s)
        if bench.all(Result, 0, of.unit):
            continue
        hello = await cut_power(bench, "now, if you have not done so")
        if _over(bench, of, hello):
            continue
        status = await bench.query(of.unit)
        if status.state is UnitState.STARTED:
            await bench.result(of.unit)
        if not any(result.outcome is Outcome.VENDED for result in bench.all(Result, 0, of.unit)):
            return of, before
        told_late += 1
    if told_late > 1:
        raise BrokenError("VENDED, first said after the power cut: it ran the unit again")
    raise SkippedError("each run was over before the power was cut")


def _over(bench: Bench, of: Accepted, hello: Hello) -> bool:
    """Whether the run ended before the power cut: RESULT was said by the boot that ran it."""
    at = next(at for at, said in enumerate(bench.said) if said.read is hello)
    return any(
        isinstance(said.read, Result) and said.read.unit_id == of.unit.id
        for said in bench.said[:at]
    )


async def _never_again(bench: Bench, of: Accepted, before: int | None, result: Result) -> None:
    since = bench.mark
    await bench.send(bench.offer_of(of.unit))
    await bench.send(bench.go_of(of))
    await bench.pause(1)
    await asyncio.sleep(min(bench.run_s, bench.tested.patience.run_s))
    lines = {line.event_seq for line in bench.all(Started, 0, of.unit)}
    if len(lines) > 1 or bench.all(Accept, since, of.unit):
        raise BrokenError("it ran the unit again after the power cut")
    after = await bench.counter()
    if before is None or after is None:
        return
    most = {Drop.YES: 1, Drop.NO: 0, Drop.UNKNOWN: 1}[result.evidence.drop]
    if after - before > most:
        raise BrokenError(f"{after - before} things fell, and it says drop {result.evidence.drop}")


@check("power-result", "rule 5")
async def result_outlives_the_power(bench: Bench) -> str:
    """A power cut after RESULT: the same line comes again, until EVACK."""
    bench.acks = False
    of = await bench.vended()
    line = bench.all(Result, 0, of.unit)[0]
    await cut_power(bench, "now")
    await repeated(bench, of.unit, 1)
    if bench.all(Result, 0, of.unit)[-1] != line:
        raise BrokenError("another RESULT after the power cut")
    return f"line {line.event_seq} again"


@check("power-tombstone", "rule 4")
async def tombstone_outlives_the_power(bench: Bench) -> str:
    """A power cut after a tombstone: the unit is never accepted and never started."""
    unit = bench.unit()
    await bench.buried(unit)
    await bench.acknowledge()
    hello = await cut_power(bench, "now")
    if hello.last_seq < unit.seq:
        raise BrokenError(f"HELLO says last_seq {hello.last_seq}, and seq {unit.seq} was buried")
    since = bench.mark
    await bench.send(bench.offer_of(unit))
    await bench.pause(1)
    if bench.all(Accept, since, unit):
        raise BrokenError("it accepted a unit that it had buried")
    if (await bench.query(unit)).state is not UnitState.TOMBSTONED:
        raise BrokenError("the tombstone did not outlive the power cut")
    return "kept"


@check("jam", "rule 6", Guarantee.G3)
async def nothing_fell(bench: Bench) -> str:
    """The motor turns and nothing falls: a sensor that tested itself says so, and VENDED is never
    said. Without a sensor drop is unknown."""
    if not await bench.hands.jam(on=True):
        raise SkippedError("nobody let it jam")
    try:
        of = await bench.accepted()
        await bench.send(bench.go_of(of))
        result = await bench.result(of.unit)
    finally:
        await bench.hands.jam(on=False)
    drop = result.evidence.drop
    if not bench.hello.capabilities.sensor:
        must_be(result, Outcome.VENDED, Outcome.INTERRUPTED)
        return f"{result.outcome}, drop {drop}: it has no sensor"
    must_be(result, Outcome.FAILED, Outcome.INTERRUPTED)
    if drop is not Drop.NO:
        raise BrokenError(f"{result.outcome} with drop {drop}: its sensor did not see the jam")
    return f"{result.outcome}, drop no"
