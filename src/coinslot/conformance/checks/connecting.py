"""How it connects, and what it makes of messages that it does not know."""

from coinslot.channels.base import Guarantee
from coinslot.channels.messages import MAX_MESSAGE_BYTES, Hello, Unreadable, to_wire
from coinslot.conformance.bench import Bench, BrokenError, NotApplicableError
from coinslot.conformance.checks import check

_HELLOS = 3
_RANDOM_CHARACTERS = 6


@check("hello", "messages: HELLO", Guarantee.G1)
async def hello_until_sync(bench: Bench) -> str:
    """HELLO comes again until SYNC, and not after it."""
    within_s = bench.tested.patience.longest_silence_s
    if not await bench.until(lambda: len(bench.all(Hello)) >= _HELLOS, within_s):
        raise BrokenError(f"not {_HELLOS} times within {within_s:g} s without SYNC")
    at = [said.at for said in bench.said if isinstance(said.read, Hello)]
    bench.resend_s = max(at[-1] - at[-2], 0.02)
    bench.syncs = True
    await bench.sync()
    await bench.pause(1)
    since = bench.mark
    await bench.pause()
    if bench.all(Hello, since):
        raise BrokenError("said again after SYNC")
    return f"every {bench.resend_s:.1f} s until SYNC"


@check("unknown", "getting connected")
async def what_it_does_not_know(bench: Bench) -> str:
    """Fields and types that it does not know, and payloads that are no message, change nothing."""
    boot_id = bench.hello.boot_id
    for payload in (b"", b"[]", b"\xff\xfe", b'{"type": "GO"}', b'{"type": "OFFER", "seq": "x"}'):
        await bench.line.send("commands/dispense", payload)
    await bench.say("commands/dispense", {"type": "CONFORMANCE", "unit_id": 1})
    unit = bench.unit()
    since = bench.mark
    more = {"novel": {"of": ["any", 1, None]}}
    await bench.say("commands/dispense", to_wire(bench.offer_of(unit)) | more)
    of = await bench.answered(unit, since)
    if of.accept.boot_id != boot_id:
        raise BrokenError("it started anew over a message that was none")
    await bench.buried(unit)
    return "ACCEPT for an OFFER with more fields"


# What is judged at the end, over all that was said


async def readable(bench: Bench) -> str:
    """Every message on status/dispense is one of the protocol's, with its fields, in 8,192
    bytes."""
    for said in bench.said:
        if isinstance(said.read, Unreadable):
            start = said.raw[:80].decode(errors="replace")
            raise BrokenError(f"{said.read.reason}: {start}")
        if len(said.raw) > MAX_MESSAGE_BYTES:
            raise BrokenError(f"{len(said.raw)} bytes on {said.branch}")
    return f"{len(bench.said)} messages"


async def nothing_retained(bench: Bench) -> str:
    """Nothing that it says is retained, and its sessions are clean."""
    kept = await bench.line.retained() | (bench.line.wire.retained if bench.line.wire else set())
    if kept:
        raise BrokenError(f"retained: {', '.join(sorted(kept))}")
    if bench.line.wire and bench.line.wire.kept_sessions:
        raise BrokenError("it asked for a session that outlives the connection")
    return "nothing"


async def random_client_id(bench: Bench) -> str:
    """Its client id is random: one that can be guessed lets others disconnect it."""
    wire = bench.line.wire
    if wire is None:
        raise NotApplicableError("cannot be seen at a broker that is not the kit's own")
    distinct = set(wire.client_ids)
    for name in distinct:
        if len(name.lower().replace(bench.tested.machine.lower(), "")) < _RANDOM_CHARACTERS:
            raise BrokenError(f"its client id {name!r} can be guessed")
    if len(distinct) == 1 < len(wire.client_ids):
        raise BrokenError(f"{len(wire.client_ids)} connections under the one id {distinct.pop()!r}")
    return f"{len(distinct)} in {len(wire.client_ids)} connections"


async def quality_of_service(bench: Bench) -> str:
    """It publishes vends with QoS 1."""
    wire = bench.line.wire
    if wire is None:
        raise NotApplicableError("cannot be seen at a broker that is not the kit's own")
    lower = [topic for topic in wire.other_qos if topic.endswith("status/dispense")]
    if lower:
        raise BrokenError(f"another QoS on {lower[0]}")
    return "QoS 1"
