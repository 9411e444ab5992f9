"""What a device may honestly say about a vend: rule 6, and the evidence that goes with it."""

from machine_simulator.files import Record
from machine_simulator.journal import Unit
from machine_simulator.physics import Sight


def verdict_of(unit: Unit, sight: Sight, *, interrupted: bool = False) -> Record:
    """The RESULT's own fields; `interrupted` when the power was lost during the run."""
    outcome, failure_code = _outcome(unit, sight, interrupted=interrupted)
    return {
        "slot": sight.slot or unit.slot,
        "outcome": outcome,
        "failure_code": failure_code,
        "evidence": evidence_of(unit, sight),
    }


def _outcome(unit: Unit, sight: Sight, *, interrupted: bool) -> tuple[str, str | None]:
    if interrupted:
        return "INTERRUPTED", "POWER"
    if not sight.powered:
        return "FAILED", "MOTOR"
    if not sight.completed:
        # The bound of the run has passed: no proof that nothing will fall, so never FAILED.
        return "INTERRUPTED", "RUN_BOUND"
    drop = _drop(unit, sight)
    if drop == "yes":
        return "VENDED", None
    if drop == "no":
        return "FAILED", "JAM"
    # Without a sensor a full turn is all that can be known; a sensor that failed knows nothing.
    return ("VENDED", None) if sight.latched is None and sight.home else ("INTERRUPTED", "SENSOR")


def evidence_of(unit: Unit, sight: Sight | None) -> Record:
    """None while the unit still runs."""
    return {
        "drop": _drop(unit, sight) if sight else "unknown",
        "home": sight.home if sight else None,
        "counter_before": unit.counter_before,
        "counter_after": sight.counter if sight else None,
        "sensor_tested": unit.tested,
    }


def _drop(unit: Unit, sight: Sight) -> str:
    """An absent or untested sensor is unknown, never no; nor is a motor that may still push."""
    if sight.latched:
        return "yes"
    seen_to_its_end = sight.latched is not None and unit.tested and sight.completed
    return "no" if seen_to_its_end else "unknown"


def tombstone(slot: str, counter: int) -> Record:
    """The RESULT's own fields for a unit that was never started."""
    evidence = {
        "drop": "unknown",  # the outcome says it; no sensor was asked
        "home": None,
        "counter_before": counter,
        "counter_after": counter,
        "sensor_tested": False,
    }
    return {
        "slot": slot,
        "outcome": "TOMBSTONED",
        "failure_code": None,
        "evidence": evidence,
    }
