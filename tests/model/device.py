"""The device, one generator per rule, and what the world does to it: cuts, replacement, death."""

from collections.abc import Callable

from .network import Message, arriving, forget, sent
from .rules import Rules
from .state import Device, Moves, World, fallen

FINAL = {
    "VENDED",
    "FAILED",
    "FAILED vmc",
    "TOMBSTONED",
    "INTERRUPTED drop yes",
    "INTERRUPTED drop no",
    "INTERRUPTED drop unknown",
}


def moves(world: World, rules: Rules) -> Moves:
    """Every step that the device can take now."""
    if world.device.motor != "dead":
        for rule in RULES:
            yield from rule(world, rules)


def reported(world: World, record: str, **changes: object) -> World:
    """Commit the record, then publish it. It is sent again until EVACK, so it stays on the way."""
    device = world.device._replace(record=record, **changes)  # type: ignore[arg-type]
    return world._replace(device=device, net=sent(world.net, _result(device)))


def _result(device: Device) -> Message:
    return Message("RESULT", journal=device.journal, word=device.record)


# --- before the start ----------------------------------------------------------------------------


def accepts_an_offer(world: World, rules: Rules) -> Moves:
    """A copy of an offer it holds repeats the same ACCEPT, which changes nothing here."""
    device = world.device
    if device.motor or device.record or world.bus.session:
        return
    for offer in arriving(world.net, "OFFER"):
        if offer.seq > device.accepted:
            accept = Message("ACCEPT", offer.seq, device.boot, device.journal)
            held = device._replace(accepted=offer.seq, lease=True)
            yield (
                f"device accepts {offer.seq}",
                world._replace(device=held, net=sent(world.net, accept)),
            )


def rejects_an_offer(world: World, rules: Rules) -> Moves:
    """It may refuse one copy and accept the next: a REJECT says nothing about later."""
    device = world.device
    known = device.record or device.motor
    for offer in arriving(world.net, "OFFER"):
        if (not known and offer.seq > device.accepted) or rules.rejects_known_units:
            for code in ("BUSY", "SLOT_FAULT"):
                reject = Message("REJECT", offer.seq, journal=device.journal, word=code)
                net = sent(world.net, reject)
                yield f"device rejects {offer.seq}: {code}", world._replace(net=net)


def loses_the_lease_in_time(world: World, rules: Rules) -> Moves:
    if world.device.lease:
        yield "the lease ends", world._replace(device=world.device._replace(lease=False))


def says_hello(world: World, rules: Rules) -> Moves:
    """A message nobody acts on only multiplies states: sent where a variant believes it."""
    device = world.device
    if "HELLO" in rules.trusts and not device.record and not device.motor:
        hello = Message("HELLO", journal=device.journal)
        yield "device says HELLO, nothing started", world._replace(net=sent(world.net, hello))


# --- rule 1 and 2: start once, written down first ------------------------------------------------


def starts_on_go(world: World, rules: Rules) -> Moves:
    device = world.device
    if device.motor or device.record:
        return
    for go in arriving(world.net, "GO"):
        leased = device.lease and device.accepted == go.seq and device.boot == go.boot
        if not leased and rules.lease:
            if rules.tombstones:
                yield "device refuses GO with a tombstone", reported(world, "TOMBSTONED")
        elif rules.controller:
            yield "device lets the customer choose", _with(world, granted=True)
        elif rules.journal != "before the motor":
            yield "device starts, nothing written", _with(world, motor="armed")
        elif rules.check_is_atomic:
            yield "device commits STARTED", _with(world, motor="armed", record="STARTED")
        else:
            yield "device checks GO, and yields", _with(world, motor="checked")


def commits_started_after_a_pause(world: World, rules: Rules) -> Moves:
    if world.device.motor == "checked":
        yield "device commits STARTED", _with(world, motor="armed", record="STARTED")


def _with(world: World, **changes: object) -> World:
    return world._replace(device=world.device._replace(**changes))  # type: ignore[arg-type]


# --- the run -------------------------------------------------------------------------------------


def runs_the_motor(world: World, rules: Rules) -> Moves:
    motor = world.device.motor
    if motor == "armed":
        yield "the motor is powered", _with(world, motor="powered")
    elif motor == "powered":
        yield "the can drops", _with(fallen(world), motor="fell")
        yield "the coil jams", _with(world, motor="jammed")
        if rules.bound_means_failed:
            late = reported(world, "FAILED", motor="hanging")
            yield "the run's bound passes: device commits FAILED", late
    elif motor == "hanging":
        yield "the can drops after all", _with(fallen(world), motor="")


def commits_the_result(world: World, rules: Rules) -> Moves:
    """Rule 6: FAILED needs a sensor that saw nothing fall. An absent one leaves a jam unknown."""
    motor = world.device.motor
    if motor not in ("fell", "jammed"):
        return
    outcome = "VENDED" if motor == "fell" else "FAILED"
    if motor == "jammed" and rules.sensor == "absent":
        outcome = "VENDED" if rules.silent_jams else "INTERRUPTED drop unknown"
    after = reported(world, outcome, motor="")
    if rules.journal == "none":
        after = _with(after, record="")
    yield f"device commits {outcome}", after


# --- answers and eviction ------------------------------------------------------------------------


def answers_a_query(world: World, rules: Rules) -> Moves:
    device = world.device
    if device.motor not in ("", "checked"):
        return
    for query in arriving(world.net, "QUERY"):
        if not device.record and rules.tombstones:
            yield "device answers QUERY with a tombstone", reported(world, "TOMBSTONED")
        elif not device.record:
            yield "device answers not started", _answered(world, "not started", query.late)
        elif device.record == "evicted" and "FORGOTTEN" in rules.trusts:
            yield "device answers FORGOTTEN", _answered(world, "FORGOTTEN", query.late)


def _answered(world: World, word: str, late: bool) -> World:
    status = Message("STATUS", journal=world.device.journal, word=word, late=late)
    return world._replace(net=sent(world.net, status))


def evicts_after_evack(world: World, rules: Rules) -> Moves:
    """Nobody sends the result again now. That the last copy is lost too is the worst case."""
    device = world.device
    if device.record not in FINAL or device.motor:
        return
    for evack in arriving(world.net, "EVACK"):
        if evack.journal == device.journal:
            net = forget(world.net, _result(device))
            yield "device evicts its result", _with(world, record="evicted")._replace(net=net)


def takes_a_drop_back(world: World, rules: Rules) -> Moves:
    """Not the machine: somebody who speaks with its secret, long after."""
    if rules.takes_back and world.row.settled == "fulfilled":
        denied = Message("RESULT", journal=world.row.go.journal, word="FAILED")
        yield "somebody takes the drop back", world._replace(net=sent(world.net, denied))


RULES: tuple[Callable[[World, Rules], Moves], ...] = (
    accepts_an_offer,
    rejects_an_offer,
    loses_the_lease_in_time,
    says_hello,
    starts_on_go,
    commits_started_after_a_pause,
    runs_the_motor,
    commits_the_result,
    answers_a_query,
    evicts_after_evack,
    takes_a_drop_back,
)
