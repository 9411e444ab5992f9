"""What the brain wants done, in this order; the brain itself does nothing."""

from dataclasses import dataclass

from machine_simulator.files import Record


@dataclass(frozen=True)
class Say:
    """Send this message up."""

    message: Record


@dataclass(frozen=True)
class Turn:
    """Power the motor for this unit, once."""

    unit_id: str
    slot: str


@dataclass(frozen=True)
class Reached:
    """A named step of the vend has been reached; a power cut may be waiting there."""

    step: str


@dataclass(frozen=True)
class Greet:
    """Say HELLO again until SYNC: it names another configuration."""


Effect = Say | Turn | Reached | Greet
