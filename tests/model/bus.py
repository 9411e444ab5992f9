"""Class G1: the device is the cashless reader on the bus of another controller, which turns the
motors. A word on the bus may be lost, or be heard and its ACK lost; either side may start anew.

A vend of the controller is bounded in time, as `vend_s` and the deadline take it to be."""

from collections.abc import Callable

from .device import reported
from .rules import Rules
from .state import Bus, Move, Moves, World, fallen

UNKNOWN = "INTERRUPTED drop unknown"


def moves(world: World, rules: Rules) -> Moves:
    """Every step of the controller, of what is said on the bus, and of the reader's own clock."""
    yield from _controller_turns(world, rules)
    if world.device.motor == "dead":
        return
    yield from _controller_speaks(world, rules)
    yield from _is_polled(world, rules)
    yield from _looks_at_the_clock(world, rules)


def without_reader(bus: Bus) -> Bus:
    """The reader lost its power, and its memory with it. The controller goes on with its vend."""
    return Bus(vmc=bus.vmc if bus.vmc in ("vends", "reset") else "idle", other=bus.other)


def _bus(world: World, **changes: object) -> World:
    return world._replace(bus=world.bus._replace(**changes))  # type: ignore[arg-type]


# --- the controller ------------------------------------------------------------------------------


def _controller_turns(world: World, rules: Rules) -> Moves:
    """It vends what it was asked for once it has 05, and its word about that is the truth."""
    bus = world.bus
    if bus.vmc == "vends":
        fell = fallen(world)._replace(other=world.other or bus.other)
        heard = bus.session != ""
        yield "the controller vends", _bus(fell, vmc="fell" if heard else "idle")
        yield "the controller jams", _bus(world, vmc="jammed" if heard else "idle")
    if bus.vmc not in ("idle", "reset") and world.resets < rules.resets:
        again = world._replace(resets=world.resets + 1)
        yield "CONTROLLER RESETS", _bus(again, vmc="reset", other=False)
        if bus.vmc == "vends":
            fell = fallen(again)._replace(other=world.other or bus.other)
            yield "CONTROLLER RESETS and the can falls", _bus(fell, vmc="reset", other=False)


def _controller_speaks(world: World, rules: Rules) -> Moves:
    """Each command once with its ACK, and once heard with the ACK lost: then it is said again. One
    that is not heard at all changes nothing."""
    for label, hear, turned, other in _commands(world):
        heard = hear(world, rules)
        yield f"{label}, the ACK is lost", heard
        yield label, _bus(heard, vmc=turned, other=other)


Hearing = Callable[[World, Rules], World]


def _commands(world: World) -> list[tuple[str, Hearing, str, bool]]:
    """What the controller may say now, who hears it, and what it does then."""
    bus = world.bus
    said: list[tuple[str, Hearing, str, bool]] = []
    if bus.vmc == "session":
        said.append(("13 00 for what was paid", _hear_request, "asks", False))
        said.append(("13 00 for another item", _hear_other_request, "asks", True))
    if bus.vmc in ("asks", "vends"):  # the customer presses the button that gives money back
        said.append(("13 01 withdrawn", _hear_withdrawal, bus.vmc, bus.other))
    if bus.vmc == "fell":
        said.append(("13 02 success", _hear_success, "told", bus.other))
    if bus.vmc == "jammed":
        said.append(("13 03 failure", _hear_failure, "told", bus.other))
    if bus.vmc in ("session", "asks", "told"):
        said.append(("13 04 complete", _hear_end, "idle", False))
    if bus.vmc == "reset":
        said.append(("10 reset", _hear_reset, "idle", False))
    return said


# --- what the reader hears -----------------------------------------------------------------------


def _hear_request(world: World, rules: Rules) -> World:
    return _requested(world, rules, paid=True)


def _hear_other_request(world: World, rules: Rules) -> World:
    return _requested(world, rules, paid=rules.approves == "anything")


def _requested(world: World, rules: Rules, *, paid: bool) -> World:
    """STARTED is committed before 05 is ready for the next poll."""
    bus = world.bus
    if bus.session == "selling" and not bus.approved and paid:
        return world  # said again, because our ACK was lost
    if bus.session in ("", "selling"):
        return _out_of_sequence(world)
    if bus.session == "open" and paid and _may_start(world, rules):
        record = "STARTED" if rules.journal == "before the motor" else ""
        device = world.device._replace(record=record, motor="selling", lease=False)
        started = world._replace(device=device)
        return _bus(started, session="selling", answer="approve", approved=False)
    return _bus(world, answer="deny")


def _out_of_sequence(world: World) -> World:
    """0B takes the place of what was ready to be said, 05 too: the controller speaks of another
    thing by now."""
    return _bus(world, answer="")


def _may_start(world: World, rules: Rules) -> bool:
    device = world.device
    in_time = device.lease or not rules.lease_is_the_time_to_choose
    buried = device.record != "" and rules.minds_its_journal
    return device.granted and in_time and not buried


def _hear_withdrawal(world: World, rules: Rules) -> World:
    bus = world.bus
    if bus.session == "" or (bus.session == "selling" and bus.approved and rules.withdrawn_in_time):
        return _out_of_sequence(world)
    if bus.session == "selling":
        world = _bus(_ended(world, "FAILED vmc"), session="done")
    return _bus(world, answer="deny")


def _hear_success(world: World, rules: Rules) -> World:
    return _told(world, UNKNOWN if world.bus.other else "VENDED")


def _hear_failure(world: World, rules: Rules) -> World:
    return _told(world, "FAILED vmc")


def _told(world: World, record: str) -> World:
    """How the vend ended, by the controller's word."""
    if world.bus.session == "done":
        return world  # said again
    if world.bus.session != "selling" or not world.bus.approved:
        return _out_of_sequence(world)
    return _bus(_ended(world, record), session="done")


def _ended(world: World, record: str) -> World:
    return reported(world, record, motor="", granted=False)


def _hear_end(world: World, rules: Rules) -> World:
    return _bus(_left(world, rules), answer="end")


def _hear_reset(world: World, rules: Rules) -> World:
    return _left(world, rules)


def _left(world: World, rules: Rules) -> World:
    """No session any more: one without a request leaves a tombstone, one in a vend leaves doubt."""
    if world.bus.session == "selling":
        world = _ended(world, "FAILED vmc" if rules.reset_means == "failed" else UNKNOWN)
    elif rules.buries_at_the_end:
        world = _buried(world)
    world = world._replace(device=world.device._replace(granted=False))
    return _bus(world, session="", answer="", approved=False)


def _buried(world: World) -> World:
    """A tombstone for a unit that nobody can choose any more."""
    device = world.device
    if not device.granted or device.record:
        return world
    return reported(world, "TOMBSTONED", granted=False, lease=False)


# --- what the reader says, and when its time is over ---------------------------------------------


def _is_polled(world: World, rules: Rules) -> Moves:
    """An answer arrives; or it does not, and is given again; but never 05 after mere silence: the
    controller may have it. (RET and NAK say that it has not: those are no step here.)"""
    bus = world.bus
    if not bus.answer or bus.vmc == "reset":
        return
    sent = _bus(world, answer="", approved=bus.approved or bus.answer == "approve")
    again = _bus(sent, answer=bus.answer)
    arrived = _arrived(sent, bus.answer)
    yield f"the poll is answered: {bus.answer}", arrived
    if bus.answer == "approve" and rules.silence_means != "say it again":
        yield "05 is lost", sent
        return
    yield f"{bus.answer}: its ACK is lost", _bus(arrived, answer=bus.answer)
    if again != world:
        yield f"{bus.answer} is lost", again


def _arrived(world: World, answer: str) -> World:
    """What the controller makes of it."""
    vmc = world.bus.vmc
    turns = {
        ("begin", "idle"): "session",
        ("approve", "asks"): "vends",
        ("deny", "asks"): "session",
        ("cancel", "session"): "session",  # it says 13 04 when it likes
    }
    # A controller that gets 05 again has been told to vend again.
    if answer == "approve" and vmc in ("fell", "jammed", "told"):
        return _bus(world, vmc="vends")
    if (answer, vmc) == ("begin", "idle"):
        world = world._replace(sessions=min(2, world.sessions + 1))
    return _bus(world, vmc=turns.get((answer, vmc), vmc))


def _looks_at_the_clock(world: World, rules: Rules) -> Moves:
    bus, device = world.bus, world.device
    chosen = device.granted and device.motor == ""
    over = device.record != "" or not device.lease
    if chosen and not over and bus.session == "" and bus.vmc == "idle":
        yield "the reader begins a session", _bus(world, session="open", answer="begin")
    if chosen and over and rules.lease_is_the_time_to_choose:
        yield "the time to choose is over", _closed(_buried(world))
    if bus.session == "open" and device.record and rules.minds_its_journal:
        yield "the reader closes the session", _closed(world)
    if bus.session == "done" and not bus.answer and bus.vmc in ("session", "asks"):
        yield "the reader asks for the end", _bus(world, answer="cancel")
    yield from _is_tired(world, rules)


def _closed(world: World) -> World:
    granted = world._replace(device=world.device._replace(granted=False))
    if world.bus.session == "":
        return granted
    if world.bus.answer == "begin" and world.bus.vmc == "idle":
        return _bus(granted, session="", answer="")
    return _bus(granted, session="done", answer="cancel")


def _is_tired(world: World, rules: Rules) -> Moves:
    """Silence after 05, longer than any vend takes."""
    if world.bus.session != "selling" or world.bus.vmc == "vends":
        return
    record = "FAILED vmc" if rules.silence_means == "failed" else UNKNOWN
    step: Move = ("silence after 05", _closed(_ended(world, record)))
    yield step
