"""What an outcome with its evidence proves about a unit: a drop, no drop, or nothing."""

from typing import NamedTuple, assert_never

from msgspec import Struct

from coinslot.channels import messages as wire
from coinslot.channels.messages import Drop, Outcome, UnitState, Vmc

# The answers to a query that end a unit; ACCEPTED, STARTED and FORGOTTEN prove nothing.
ENDS = frozenset({UnitState.VENDED, UnitState.FAILED, UnitState.INTERRUPTED, UnitState.TOMBSTONED})


class ReportedOutcome(Struct, frozen=True):
    """An outcome with its evidence, from a RESULT or a STATUS."""

    outcome: Outcome
    slot: str
    failure_code: str | None
    evidence: wire.Evidence

    @classmethod
    def of_result(cls, up: wire.Result) -> "ReportedOutcome":
        return cls(up.outcome, up.slot, up.failure_code, up.evidence)

    @classmethod
    def of_status(cls, up: wire.Status) -> "ReportedOutcome":
        return cls(Outcome(up.state.value), "", None, up.evidence or wire.Evidence())


class Conclusion(NamedTuple):
    """The event for the unit's flow, the basis of its settlement, and the code that people read."""

    event: str
    basis: str | None = None
    failure_code: str | None = None


def conclude(word: ReportedOutcome, slot: str, *, mdb: bool = False) -> Conclusion:
    """What this outcome with this evidence proves about a unit of this slot.

    FAILED counts only from a tested sensor that saw no drop, or when the motor never ran; or, of a
    unit that was offered to a machine of class G1 (`mdb`), when its own controller says so."""
    seen = word.evidence
    if word.slot and word.slot != slot:
        return Conclusion("UNSURE", None, "WRONG_SLOT")  # something fell, but not what was paid for
    match word.outcome:
        case Outcome.TOMBSTONED:
            return Conclusion("NOT_VENDED", "tombstone", word.failure_code)
        case Outcome.VENDED if seen.drop is Drop.NO and seen.sensor_tested:
            return Conclusion("UNSURE", None, "CONTRADICTION")
        case Outcome.VENDED:
            return Conclusion("VENDED", "vended", None)
        case Outcome.FAILED | Outcome.INTERRUPTED if seen.drop is Drop.YES:
            return Conclusion("VENDED", "drop_evidence", word.failure_code)
        case Outcome.FAILED | Outcome.INTERRUPTED if seen.drop is Drop.NO and seen.sensor_tested:
            return Conclusion("NOT_VENDED", "no_drop", word.failure_code or "INTERRUPTED")
        case Outcome.FAILED if _never_powered(seen):
            return Conclusion("NOT_VENDED", "no_drop", word.failure_code)
        case Outcome.FAILED if mdb and seen.vmc is Vmc.FAILURE:
            return Conclusion("NOT_VENDED", "vmc_failure", word.failure_code or "VEND_FAILURE")
        case Outcome.FAILED | Outcome.INTERRUPTED:
            return Conclusion("UNSURE", None, word.failure_code or "INTERRUPTED")
        case other:
            assert_never(other)


def _never_powered(seen: wire.Evidence) -> bool:
    """The motor is where it was and the counter did not count."""
    return (
        seen.home is True
        and seen.counter_before is not None
        and seen.counter_before == seen.counter_after
    )
