"""What evidence proves, word for word: which event, on which basis, with which code for people."""

import msgspec
import pytest

from coinslot.channels import messages as wire
from coinslot.channels.messages import Drop, Evidence, Outcome, UnitState
from coinslot.vending.evidence import ENDS, Conclusion, ReportedOutcome, conclude

SAW_NONE = Evidence(drop=Drop.NO, sensor_tested=True)
NEVER_RAN = Evidence(home=True, counter_before=5, counter_after=5)


def verdict(outcome: str, seen: Evidence, code: str | None = "JAM") -> Conclusion:
    return conclude(ReportedOutcome(Outcome(outcome), "A1", code, seen), "A1")


@pytest.mark.parametrize(
    ("outcome", "seen", "proves"),
    [
        ("TOMBSTONED", Evidence(), Conclusion("NOT_VENDED", "tombstone", "JAM")),
        ("VENDED", Evidence(drop=Drop.YES), Conclusion("VENDED", "vended", None)),
        (
            "VENDED",
            Evidence(drop=Drop.NO),
            Conclusion("VENDED", "vended", None),
        ),  # an untested sensor
        ("VENDED", SAW_NONE, Conclusion("UNSURE", None, "CONTRADICTION")),
        ("FAILED", Evidence(drop=Drop.YES), Conclusion("VENDED", "drop_evidence", "JAM")),
        ("INTERRUPTED", Evidence(drop=Drop.YES), Conclusion("VENDED", "drop_evidence", "JAM")),
        ("FAILED", SAW_NONE, Conclusion("NOT_VENDED", "no_drop", "JAM")),
        ("INTERRUPTED", SAW_NONE, Conclusion("NOT_VENDED", "no_drop", "JAM")),
        ("FAILED", NEVER_RAN, Conclusion("NOT_VENDED", "no_drop", "JAM")),
        ("INTERRUPTED", NEVER_RAN, Conclusion("UNSURE", None, "JAM")),
        ("FAILED", Evidence(sensor_tested=True), Conclusion("UNSURE", None, "JAM")),
        ("INTERRUPTED", Evidence(sensor_tested=True), Conclusion("UNSURE", None, "JAM")),
        (
            "VENDED",
            Evidence(drop=Drop.YES, sensor_tested=True),
            Conclusion("VENDED", "vended", None),
        ),
        ("FAILED", Evidence(drop=Drop.NO), Conclusion("UNSURE", None, "JAM")),
        ("FAILED", Evidence(home=True), Conclusion("UNSURE", None, "JAM")),
        (
            "FAILED",
            msgspec.structs.replace(NEVER_RAN, home=None),
            Conclusion("UNSURE", None, "JAM"),
        ),
        (
            "FAILED",
            msgspec.structs.replace(NEVER_RAN, home=False),
            Conclusion("UNSURE", None, "JAM"),
        ),
        (
            "FAILED",
            msgspec.structs.replace(NEVER_RAN, counter_after=6),
            Conclusion("UNSURE", None, "JAM"),
        ),
        (
            "FAILED",
            msgspec.structs.replace(NEVER_RAN, counter_before=None),
            Conclusion("UNSURE", None, "JAM"),
        ),
    ],
)
def test_a_verdict_has_its_event_basis_and_code(
    outcome: str, seen: Evidence, proves: Conclusion
) -> None:
    assert verdict(outcome, seen) == proves


@pytest.mark.parametrize("seen", [SAW_NONE, Evidence()])
def test_an_outcome_without_a_code_is_shown_as_interrupted(seen: Evidence) -> None:
    assert verdict("INTERRUPTED", seen, None).failure_code == "INTERRUPTED"


def test_only_the_ends_of_a_unit_are_judged() -> None:
    ends = {state for state in UnitState if state in ENDS}
    assert ends == {"VENDED", "FAILED", "INTERRUPTED", "TOMBSTONED"}


def test_a_status_names_no_slot_and_may_bring_no_evidence() -> None:
    said = {"type": "STATUS", "unit_id": "00000000-0000-7000-8000-000000000000",
            "seq": 1, "journal_id": "j1", "nonce": "n", "state": "FAILED"}  # fmt: skip
    word = ReportedOutcome.of_status(msgspec.convert(said, wire.Status))
    assert word == ReportedOutcome(Outcome.FAILED, "", None, Evidence())
    assert conclude(word, "A1") == Conclusion("UNSURE", None, "INTERRUPTED")


def test_a_status_with_evidence_is_judged_by_it() -> None:
    said = {"type": "STATUS", "unit_id": "00000000-0000-7000-8000-000000000000", "seq": 1,
            "journal_id": "j1", "nonce": "n", "state": "FAILED",
            "evidence": {"drop": "no", "sensor_tested": True}}  # fmt: skip
    word = ReportedOutcome.of_status(msgspec.convert(said, wire.Status))
    assert conclude(word, "A1") == Conclusion("NOT_VENDED", "no_drop", "INTERRUPTED")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_result_of_another_slot_proves_nothing_of_this_one(outcome: Outcome) -> None:
    said = {"type": "RESULT", "unit_id": "00000000-0000-7000-8000-000000000000",
            "journal_id": "j1", "event_seq": 1, "slot": "B7", "outcome": outcome.value,
            "failure_code": "JAM", "evidence": {"drop": "yes"}}  # fmt: skip
    word = ReportedOutcome.of_result(msgspec.convert(said, wire.Result))
    assert word == ReportedOutcome(outcome, "B7", "JAM", Evidence(drop=Drop.YES))
    assert conclude(word, "A1") == Conclusion("UNSURE", None, "WRONG_SLOT")
    assert conclude(word, "B7").failure_code != "WRONG_SLOT"
