"""What the world does to a device: a power cut between any two steps, a new controller, death.

A can that hangs when the power goes may fall or stay: both are followed, whatever the device knows.
"""

from . import bus
from .network import Message, sent
from .rules import Rules
from .state import Device, Moves, World, fallen


def moves(world: World, rules: Rules) -> Moves:
    """Every misfortune that is left in this variant's budget."""
    if world.device.motor == "dead":
        return
    for tail, after in _falling(world):
        if world.cuts < rules.cuts:
            yield f"POWER CUT{tail}", _cut(after, rules)
        if world.wipes < rules.wipes:
            yield f"CONTROLLER REPLACED{tail}", _replaced(after)
        if rules.may_die:
            yield (
                f"MACHINE DIES{tail}",
                after._replace(
                    device=after.device._replace(motor="dead", accepted=0, lease=False),
                    bus=bus.without_reader(after.bus),
                ),
            )


def _falling(world: World) -> tuple[tuple[str, World], ...]:
    """A device whose coil hangs over the edge: motor becomes what really happened."""
    if world.device.motor not in ("powered", "hanging"):
        return (("", world),)
    fell = fallen(world._replace(device=world.device._replace(motor="fell")))
    stays = world._replace(device=world.device._replace(motor="jammed"))
    return (" and the can falls", fell), (" and the can hangs", stays)


def _cut(world: World, rules: Rules) -> World:
    """Rule 3: STARTED without a RESULT is INTERRUPTED, with whatever evidence outlived the cut."""
    old = world.device
    device = Device(boot=old.boot + 1, journal=old.journal, record=old.record)
    net = world.net
    if old.record == "STARTED":
        # The evidence of a coil that never turned is its home switch, which needs no power.
        kept = rules.sensor == "latched" or (rules.sensor == "volatile" and old.motor == "armed")
        drop = "unknown"
        if kept:
            drop = "yes" if old.motor == "fell" else "no"
        device = device._replace(record=f"INTERRUPTED drop {drop}")
        net = sent(net, Message("RESULT", journal=device.journal, word=device.record))
    cold = bus.without_reader(world.bus)
    return world._replace(device=device, net=net, cuts=world.cuts + 1, bus=cold)


def _replaced(world: World) -> World:
    old = world.device
    device = Device(boot=old.boot + 1, journal=old.journal + 1)
    cold = bus.without_reader(world.bus)
    return world._replace(device=device, wipes=world.wipes + 1, bus=cold)
