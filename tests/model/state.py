"""What one moment of the world is: the server's row, its two processes, the device, the network.

Named tuples rather than dataclasses: half a million of them are hashed, and a tuple does that in C.
"""

from collections.abc import Iterator
from typing import NamedTuple


class Grant(NamedTuple):
    """The fields of a committed GO, all from one ACCEPT. seq 0 means that no GO was committed."""

    seq: int = 0
    boot: int = 0
    journal: int = 0


class Row(NamedTuple):
    """The unit as the database holds it: queued offered going in_doubt vended failed."""

    state: str = "queued"
    seq: int = 0
    go: Grant = Grant()
    basis: str = ""
    settled: str = ""  # "", "fulfilled" or "refund"; set once


class Plan(NamedTuple):
    """A conditional UPDATE that a process decided on after reading the row, not yet written."""

    label: str = ""
    target: Row = Row()
    fresh: bool = True  # the version it read is still the row's version


IDLE = Plan()


class Device(NamedTuple):
    """The controller. boot, journal and record outlive a power cut; a wipe takes the record."""

    boot: int = 0
    journal: int = 0
    accepted: int = 0  # seq of the offer that stands in memory
    lease: bool = False  # the lease of that offer is running
    record: str = ""  # what the journal says of the unit
    motor: str = ""  # "" checked armed powered fell jammed hanging dead; G1: selling
    granted: bool = False  # G1: GO came, and the customer may choose


class Bus(NamedTuple):
    """Of a G1 machine: the reader's session, its next answer, and what the controller does."""

    session: str = ""  # of the reader: "" open selling done
    answer: str = ""  # to the next poll: "" begin approve deny cancel end
    approved: bool = False  # 05 was on the bus
    vmc: str = "idle"  # session asks vends fell jammed told reset
    other: bool = False  # the customer chose another item than was paid for


class World(NamedTuple):
    """All of it. net is a set of messages as a bit mask."""

    row: Row = Row()
    processes: tuple[Plan, Plan] = (IDLE, IDLE)
    device: Device = Device()
    net: int = 0
    dropped: int = 0  # things that physically fell: the ground truth
    fell_late: bool = False  # one of them after the unit was settled
    cuts: int = 0
    wipes: int = 0
    bus: Bus = Bus()
    resets: int = 0
    other: bool = False  # what fell is not what was paid for
    sessions: int = 0  # of a controller, for this payment


def fallen(world: World) -> World:
    """One more thing dropped, and whether that was after the money was settled."""
    late = world.fell_late or world.row.settled != ""
    return world._replace(dropped=min(2, world.dropped + 1), fell_late=late)


Move = tuple[str, World]
Moves = Iterator[Move]
