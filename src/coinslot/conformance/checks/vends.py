"""Offers, GO, and the one run that they lead to."""

import asyncio

from msgspec.structs import replace

from coinslot.channels.base import Guarantee
from coinslot.channels.messages import (
    Accept,
    Go,
    Outcome,
    Refusal,
    Reject,
    Result,
    Started,
    Status,
    UnitState,
)
from coinslot.conformance.bench import (
    Accepted,
    Bench,
    BrokenError,
    Unit,
    must_be,
    wrong_signature,
)
from coinslot.conformance.checks import check

_TIMES = 3


@check("vend", "rule 2", Guarantee.G0)
async def one_vend(bench: Bench) -> str:
    """OFFER is accepted, GO starts the run, and its RESULT is VENDED."""
    of = await bench.accepted()
    began = bench.now()
    await bench.send(bench.go_of(of))
    result = await bench.result(of.unit)
    must_be(result, Outcome.VENDED)
    bench.run_s = bench.now() - began
    return f"VENDED after {bench.run_s:.2f} s, drop {result.evidence.drop}"


@check("started-before-result", "rule 2")
async def started_comes_first(bench: Bench) -> str:
    """STARTED is a line of the journal before RESULT, and is said before it."""
    of = await bench.vended()
    started = bench.all(Started, 0, of.unit)
    result = bench.all(Result, 0, of.unit)[0]
    if not started:
        raise BrokenError("RESULT VENDED came without a STARTED")
    if started[0].event_seq >= result.event_seq:
        raise BrokenError(f"STARTED is line {started[0].event_seq}, RESULT {result.event_seq}")
    kinds = [said.read for said in bench.said if said.read in (started[0], result)]
    if kinds[0] != started[0]:
        raise BrokenError("RESULT was said before STARTED")
    return f"line {started[0].event_seq}, then {result.event_seq}"


@check("accept-repeated", "messages: ACCEPT")
async def accept_until_the_end(bench: Bench) -> str:
    """Without GO, ACCEPT comes again byte for byte until the lease ends, and then no more."""
    lease_ms = _short_lease_ms(bench)
    since, began = bench.mark, bench.now()
    of = await bench.accepted(lease_ms)
    needed = 2
    await bench.until(lambda: len(bench.raws(Accept, since, of.unit)) >= needed, lease_ms / 1000)
    heard = bench.raws(Accept, since, of.unit)
    if len(heard) < needed:
        raise BrokenError(f"said {len(heard)} times in a lease of {lease_ms} ms")
    if set(heard) != {of.raw}:
        raise BrokenError("an ACCEPT that was repeated had other bytes")
    await _after_the_lease(bench, began, lease_ms)
    since = bench.mark
    await bench.pause()
    if bench.all(Accept, since, of.unit):
        raise BrokenError("said again after the lease had ended")
    return f"{len(heard)} times or more, and not after the lease"


def _short_lease_ms(bench: Bench) -> int:
    """Long enough to hear a repetition."""
    return round(1000 * min(3 * bench.resend_s + 0.3, bench.silence_bound_s))


async def _after_the_lease(bench: Bench, began: float, lease_ms: int) -> None:
    """Return when the lease has ended at the device too, whose clock may be 1 % slow."""
    await asyncio.sleep(max(0.0, began + lease_ms * 1.01 / 1000 + 0.2 - bench.now()))


@check("offer-repeated", "rule 4")
async def offer_again(bench: Bench) -> str:
    """OFFER for a unit that it knows gets the stored answer byte for byte, and never a REJECT."""
    of = await bench.accepted()
    for _ in range(_TIMES):
        await asyncio.sleep(0.01)  # a new ACCEPT would say another time
        since = bench.mark
        await bench.send(bench.offer_of(of.unit))
        again = await bench.answered(of.unit, since)
        if again.raw != of.raw:
            raise BrokenError("a repeated OFFER was answered by another ACCEPT")
    await bench.buried(of.unit)
    since = bench.mark
    for _ in range(2):
        seen = len(bench.all(Status, since, of.unit))
        await bench.send(bench.offer_of(of.unit))
        await bench.until(
            lambda seen=seen: [  # type: ignore[misc]
                *bench.all(Status, since, of.unit)[seen:], *bench.all(Reject, since, of.unit)
            ],
            bench.tested.patience.answer_s,
        )  # fmt: skip
    _never_rejected(bench, since, of.unit)
    return "ACCEPT while it is open, STATUS TOMBSTONED after it"


def _never_rejected(bench: Bench, since: int, unit: Unit) -> None:
    if refused := bench.all(Reject, since, unit):
        raise BrokenError(f"a known unit was answered by REJECT {refused[0].code}")
    if bench.all(Accept, since, unit):
        raise BrokenError("a unit with a tombstone was accepted")
    answers = bench.raws(Status, since, unit)
    if not answers:
        raise BrokenError("no STATUS for OFFER of a unit in the journal")
    if len(set(answers)) > 1:
        raise BrokenError("a repeated OFFER was answered by another STATUS")


@check("offer-again", "messages: OFFER")
async def a_higher_number_is_a_new_offer(bench: Bench) -> str:
    """The same unit under a higher seq, not started, is a new offer."""
    of = await bench.accepted()
    unit = bench.again(of.unit)
    since = bench.mark
    await bench.send(bench.offer_of(unit))
    found = await bench.until(
        lambda: [one for one in bench.all(Accept, since, unit) if one.seq == unit.seq],
        bench.tested.patience.answer_s,
    )
    if not found:
        raise BrokenError("no ACCEPT under the new seq")
    await bench.buried(unit)
    return f"seq {of.unit.seq}, then {unit.seq}"


@check("busy", "messages: REJECT")
async def one_at_a_time(bench: Bench) -> str:
    """While a unit is open another one gets REJECT BUSY, also when it is offered again later."""
    of = await bench.accepted()
    other = bench.unit()
    since = bench.mark
    await bench.send(bench.offer_of(other))
    await _rejected(bench, other, since, Refusal.BUSY)
    await bench.buried(of.unit)
    since = bench.mark
    await bench.send(bench.offer_of(other))
    await _rejected(bench, other, since, Refusal.BUSY)
    return "REJECT BUSY, stored for its seq"


@check("stale-seq", "messages: REJECT")
async def never_back(bench: Bench) -> str:
    """OFFER of a new unit at or below the last seq is refused with STALE_SEQ."""
    of = await bench.accepted()
    await bench.buried(of.unit)
    for below in (0, 1):
        stale = bench.unit_at(of.unit.seq - below)
        since = bench.mark
        await bench.send(bench.offer_of(stale))
        await _rejected(bench, stale, since, Refusal.STALE_SEQ)
    return f"refused at seq {of.unit.seq} and {of.unit.seq - 1}"


async def _rejected(bench: Bench, unit: Unit, since: int, code: Refusal) -> None:
    answer = await bench.until(
        lambda: bench.either(Reject, Accept, since, unit),
        bench.tested.patience.answer_s,
    )
    if not answer:
        raise BrokenError(f"no answer, where REJECT {code} was due")
    if not isinstance(answer[0], Reject):
        raise BrokenError(f"ACCEPT, where REJECT {code} was due")
    if answer[0].code != code:
        raise BrokenError(f"REJECT {answer[0].code}, where {code} was due")


async def counted(bench: Bench, of: Accepted) -> int | None:
    """How many things had fallen when it was accepted."""
    fell = await bench.hands.fell()
    return of.accept.counter if fell is None else fell


# GO that must be refused


async def refused(bench: Bench, of: Accepted, go: Go) -> str:
    """It is answered with a tombstone, which the right GO does not wake, and no motor turns."""
    since = bench.mark
    before = await counted(bench, of)
    await bench.send(go)
    answer = await bench.until(
        lambda: bench.either(Started, Result, since, of.unit),
        bench.tested.patience.answer_s,
    )
    if not answer:
        raise BrokenError("it was refused without a tombstone")
    await bench.send(bench.go_of(of))
    await bench.pause(1)
    if bench.all(Started, since, of.unit):
        raise BrokenError("it started the unit")
    must_be(bench.all(Result, since, of.unit)[0], Outcome.TOMBSTONED)
    await bench.acknowledge()
    after = await bench.counter()
    if before is not None and after != before:
        raise BrokenError(f"its counter went from {before} to {after}: the motor turned")
    return "tombstone, and no motor"


@check("go-hmac", "rule 1")
async def another_signature(bench: Bench) -> str:
    """GO with a wrong hmac is refused with a tombstone, and no motor turns."""
    of = await bench.accepted()
    return await refused(bench, of, wrong_signature(bench.go_of(of)))


@check("go-slot", "rule 1")
async def another_slot(bench: Bench) -> str:
    """GO signed for another slot than that of OFFER is refused with a tombstone."""
    of = await bench.accepted()
    return await refused(bench, of, bench.go_of(of, slot=f"{bench.tested.slot}9"))


@check("go-boot", "rule 1")
async def another_boot(bench: Bench) -> str:
    """GO rightly signed for another boot_id is refused with a tombstone."""
    of = await bench.accepted()
    other = replace(of.accept, boot_id=f"{bench.rng.getrandbits(64):016x}")
    elsewhere = Accepted(of.unit, other, of.raw, of.not_after)
    return await refused(bench, of, bench.go_of(elsewhere))


@check("go-late", "rule 1")
async def after_the_lease(bench: Bench) -> str:
    """GO that comes after not_after is refused with a tombstone."""
    lease_ms = 300
    of = await bench.accepted(lease_ms)
    await _after_the_lease(bench, bench.now(), lease_ms)
    return await refused(bench, of, bench.go_of(of))


@check("go-unknown", "rule 1")
async def never_accepted(bench: Bench) -> str:
    """GO for a unit that was never accepted in this boot is refused with a tombstone."""
    known = await bench.accepted()
    await bench.buried(known.unit)
    unit = bench.unit()
    of = Accepted(unit, known.accept, known.raw, known.not_after)
    return await refused(bench, of, bench.go_of(of))


@check("go-replayed", "rule 2", Guarantee.G0)
async def one_unit_one_run(bench: Bench) -> str:
    """GO that comes again, while the unit runs and after it, starts no second run."""
    of = await bench.accepted()
    go = bench.go_of(of)
    before = await counted(bench, of)
    for _ in range(_TIMES):
        await bench.send(go)
    result = await bench.result(of.unit)
    must_be(result, Outcome.VENDED)
    since = bench.mark
    for _ in range(_TIMES):
        await bench.send(go)
    if not await bench.until(lambda: bench.all(Result, since, of.unit),
                             bench.tested.patience.answer_s):  # fmt: skip
        raise BrokenError("GO of a unit in the journal was not answered by its RESULT")
    await bench.pause(1)
    lines = {line.event_seq for line in bench.all(Started, 0, of.unit)}
    lines_of_results = {line.event_seq for line in bench.all(Result, 0, of.unit)}
    if len(lines) > 1 or len(lines_of_results) > 1:
        raise BrokenError(f"{len(lines)} lines STARTED, {len(lines_of_results)} lines RESULT")
    after = await bench.counter()
    if before is None or after is None:
        return "one run by its messages; it has no counter, so that nothing else says so"
    if after != before + 1:
        raise BrokenError(f"one unit, and {after - before} things fell")
    return f"{2 * _TIMES} times GO, one run"


# QUERY


@check("query-tombstone", "rule 4")
async def never_means_never(bench: Bench) -> str:
    """QUERY for a unit that was not started leaves a tombstone; OFFER and GO after it start
    nothing."""
    of = await bench.accepted()
    await bench.buried(of.unit)
    never = bench.unit()
    await bench.buried(never)
    since = bench.mark
    await bench.send(bench.go_of(of))
    await bench.send(bench.offer_of(never))
    if not await bench.until(lambda: bench.all(Status, since, never),
                             bench.tested.patience.answer_s):  # fmt: skip
        raise BrokenError("OFFER after the tombstone was not answered by its STATUS")
    await bench.pause(1)
    started, accepted = bench.all(Started, since), bench.all(Accept, since, never)
    if started or accepted:
        raise BrokenError("it forgot its tombstone")
    return "for a unit that was accepted, and for one that it had never heard of"


@check("query-running", "messages: QUERY", Guarantee.G1)
async def asked_while_it_runs(bench: Bench) -> str:
    """QUERY for a unit that runs or ran says so, with the nonce."""
    of = await bench.accepted()
    await bench.send(bench.go_of(of))
    await bench.first(Started, of.unit)
    running = await bench.query(of.unit)
    result = await bench.result(of.unit)
    must_be(result, Outcome.VENDED)
    ended = await bench.query(of.unit)
    if running.state not in (UnitState.STARTED, UnitState.VENDED):
        raise BrokenError(f"STATUS {running.state} of a unit that was running")
    if ended.state is not UnitState.VENDED:
        raise BrokenError(f"STATUS {ended.state} of a unit that was vended")
    return f"{running.state}, then {ended.state}"


@check("disorder", "getting connected")
async def any_order(bench: Bench) -> str:
    """Messages that come twice, late and in any order change nothing."""
    old = [await bench.vended()]
    before = await bench.counter()
    for _ in range(2):
        of = await bench.accepted()
        late = [bench.offer_of(one.unit) for one in old] + [bench.go_of(one) for one in old]
        mixed = [*late, bench.offer_of(of.unit), bench.go_of(of), bench.go_of(of), *late]
        bench.rng.shuffle(mixed)
        for message in mixed:
            await bench.send(message)
        must_be(await bench.result(of.unit), Outcome.VENDED)
        old.append(of)
    await bench.pause(1)
    for one in old:
        runs = {line.event_seq for line in bench.all(Started, 0, one.unit)}
        if len(runs) != 1:
            raise BrokenError(f"a unit has {len(runs)} lines STARTED")
        if (await bench.query(one.unit)).state is not UnitState.VENDED:
            raise BrokenError("a vended unit is not vended any more")
    after = await bench.counter()
    if before is not None and after is not None and after - before != len(old) - 1:
        raise BrokenError(f"{len(old) - 1} units, and {after - before} things fell")
    return f"{len(old)} units, each with one run"
