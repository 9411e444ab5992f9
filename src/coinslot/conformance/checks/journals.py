"""What must be kept until the server says that it is stored."""

from functools import partial

from coinslot.channels.base import Guarantee
from coinslot.channels.messages import (
    Accept,
    Evack,
    Outcome,
    Refusal,
    Reject,
    Result,
    Started,
    Sync,
    UnitState,
)
from coinslot.conformance.bench import Bench, BrokenError, Unit
from coinslot.conformance.checks import check

_TIMES = 3


async def repeated(bench: Bench, unit: Unit, times: int = _TIMES) -> list[bytes]:
    """RESULT of this unit, said so often from now on."""
    since = bench.mark
    within_s = min(bench.resend_s * (times + 2) + 1, bench.silence_bound_s)
    await bench.until(lambda: len(bench.raws(Result, since, unit)) >= times, within_s)
    heard = bench.raws(Result, since, unit)
    if len(heard) < times:
        raise BrokenError(f"said {len(heard)} times in {within_s:.1f} s without EVACK")
    return heard


@check("result-repeated", "rule 5", Guarantee.G1)
async def result_until_evack(bench: Bench) -> str:
    """RESULT comes again until EVACK, and not after it."""
    bench.acks = False
    of = await bench.vended()
    await repeated(bench, of.unit)
    bench.acks = True
    await bench.acknowledge()
    await bench.pause(1)
    since = bench.mark
    await bench.pause()
    if bench.all(Result, since, of.unit):
        raise BrokenError("said again after its EVACK")
    return f"{_TIMES} times or more until EVACK"


@check("evack-other", "messages: EVACK")
async def only_its_own_evack(bench: Bench) -> str:
    """EVACK for another journal, and the `through` of SYNC, free nothing."""
    bench.acks = False
    of = await bench.accepted()
    buried = await bench.buried(of.unit)
    other = "0" * len(buried.journal_id)
    version = bench.hello.config_version or 0
    for through in (buried.event_seq, buried.event_seq + 1000):
        await bench.send(Evack(journal_id=other, through=through))
        now = bench.server_time()
        await bench.send(Sync(through=through, server_time=now, config_version=version))
    await bench.pause(1)
    await repeated(bench, of.unit, 1)
    return "kept, and said again"


@check("journal-full", "rule 5")
async def rather_no_sale(bench: Bench) -> str:
    """Without EVACK no line is dropped: when there is no room left, OFFER gets JOURNAL_FULL."""
    bench.acks = False
    first: Unit | None = None
    full = False
    for _ in range(bench.tested.journal_units):
        unit = bench.unit()
        since = bench.mark
        await bench.send(bench.offer_of(unit))
        answer = await bench.until(
            partial(bench.either, Reject, Accept, since, unit),
            bench.tested.patience.answer_s,
        )  # fmt: skip
        if not answer:
            raise BrokenError("no answer to OFFER while its journal fills up")
        if isinstance(answer[0], Reject):
            full = answer[0].code is Refusal.JOURNAL_FULL
            if not full:
                raise BrokenError(f"REJECT {answer[0].code}, where JOURNAL_FULL was due")
            break
        await bench.buried(unit)
        first = first or unit
    if first is None:
        raise BrokenError("its journal was full before the first line")
    await repeated(bench, first, 1)
    return await _sells_again(bench, full)


async def _sells_again(bench: Bench, full: bool) -> str:
    filled = len({line.event_seq for line in bench.all(Result)})
    bench.acks = True
    await bench.acknowledge()
    await bench.pause(1)
    of = await bench.accepted()
    await bench.buried(of.unit)
    if full:
        return "JOURNAL_FULL with the oldest line kept, and sells again after EVACK"
    return f"{bench.tested.journal_units} units kept, {filled} lines, and not full yet"


@check("query-forgotten", "messages: QUERY")
async def it_does_not_know(bench: Bench) -> str:
    """A unit that ran and was evicted is FORGOTTEN: never a tombstone, and never started again."""
    of = await bench.vended()
    await bench.acknowledge()
    for count in range(bench.tested.journal_units):
        await bench.buried(bench.unit())
        if count % 4:
            continue
        state = (await bench.query(of.unit)).state
        if state is UnitState.FORGOTTEN:
            since = bench.mark
            await bench.send(bench.go_of(of))
            await bench.pause(1)
            if bench.all(Started, since, of.unit):
                raise BrokenError("a unit that was evicted was started again")
            return f"after {count + 1} others"
        if state is not UnitState.VENDED:
            raise BrokenError(f"STATUS {state} of a unit that was vended: it buried what it ran")
    return f"it remembers {bench.tested.journal_units} units"


# What is judged at the end


async def event_numbers(bench: Bench) -> str:
    """event_seq has no gap, and one number is one line for ever."""
    lines: dict[str, dict[int, object]] = {}
    said: list[Started | Result] = [*bench.all(Started), *bench.all(Result)]
    for line in said:
        known = lines.setdefault(line.journal_id, {}).setdefault(line.event_seq, line)
        if known != line:
            raise BrokenError(f"two different lines under event_seq {line.event_seq}")
    missing = bench.gaps()
    if missing:
        raise BrokenError(f"event_seq {missing[0]} never came")
    return f"{sum(map(len, lines.values()))} lines"


async def honest_outcomes(bench: Bench) -> str:
    """FAILED is claimed only by rule 6, and a sensor that is absent or failed says nothing."""
    fitted = bench.hello.capabilities.sensor
    for result in bench.all(Result):
        seen = result.evidence
        if seen.drop == "no" and not (fitted and seen.sensor_tested):
            raise BrokenError(f"{result.outcome} with drop no, from no sensor that tested itself")
        if seen.drop == "yes" and not fitted:
            raise BrokenError("drop yes, and HELLO names no sensor")
        if result.outcome is Outcome.FAILED and seen.drop != "no" and _turned(result):
            raise BrokenError("FAILED without a drop no, and its motor had turned")
        if result.outcome is Outcome.VENDED and seen.drop == "no":
            raise BrokenError("VENDED with drop no")
    return f"{len({r.unit_id for r in bench.all(Result)})} results"


def _turned(result: Result) -> bool:
    """FAILED without evidence of a drop is honest where the motor got no current."""
    before, after = result.evidence.counter_before, result.evidence.counter_after
    return result.failure_code != "MOTOR" or (before is not None and before != after)
