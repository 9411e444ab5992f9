"""The twelve mutants: how the model expresses each, and what its search must then find."""

from dataclasses import replace
from typing import NamedTuple

from .explore import BOTH, STUCK
from .rules import Rules
from .variants import ALONE, PROTOCOL, REPLACED, trusting


class Mutant(NamedTuple):
    """rules is None where the model has no word for it: then property tests and storms must."""

    number: int
    name: str
    expression: str
    expected: str
    rules: Rules | None


_ELSEWHERE = "property tests and storms: the model knows no money beyond one settlement"

MUTANTS = [
    Mutant(
        1,
        "settle without state = $seen",
        "a stale plan to settle is written wherever settlement IS NULL (fenced=False)",
        BOTH,
        replace(PROTOCOL, fenced=False),
    ),
    Mutant(
        2,
        "send GO before its commit",
        "GO is on the network as soon as a process decides on it (go_committed_first=False)",
        BOTH,
        replace(PROTOCOL, go_committed_first=False),
    ),
    Mutant(
        3,
        "refund on any REJECT",
        "a REJECT, however late, settles a unit that is going (trusts REJECT after GO)",
        BOTH,
        trusting(ALONE, "REJECT after GO"),
    ),
    Mutant(
        4,
        "ignore journal_id",
        "a RESULT counts under any journal, with one controller replaced (trusts another journal)",
        BOTH,
        trusting(REPLACED, "another journal"),
    ),
    Mutant(
        5,
        "trust HELLO's not started",
        "an unsolicited HELLO settles a unit that is going (trusts HELLO)",
        BOTH,
        trusting(ALONE, "HELLO"),
    ),
    Mutant(
        6,
        "STARTED after the motor",
        "the journal is first written with the result (journal='after the motor')",
        BOTH,
        replace(ALONE, journal="after the motor"),
    ),
    Mutant(
        7,
        "EVACK before commit",
        "EVACK may go out while the RESULT is not recorded (evack_after_commit=False)",
        STUCK,
        replace(ALONE, evack_after_commit=False),
    ),
    Mutant(8, "a new key for each refund retry", _ELSEWHERE, "", None),
    Mutant(9, "drop the second capture", _ELSEWHERE, "", None),
    Mutant(
        10,
        "the device yields between journal check and STARTED",
        "check and commit are two steps, and a QUERY fits between (check_is_atomic=False)",
        BOTH,
        replace(ALONE, check_is_atomic=False),
    ),
    Mutant(
        11,
        "refund on GO's time-out without a tombstone",
        "the lease's end alone settles a unit that is going (trusts time-out)",
        BOTH,
        trusting(ALONE, "time-out"),
    ),
    Mutant(
        12,
        "FAILED when the run bound passes",
        "FAILED is committed while the can may still fall (bound_means_failed=True)",
        BOTH,
        replace(ALONE, bound_means_failed=True),
    ),
]
