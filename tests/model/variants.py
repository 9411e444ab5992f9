"""The protocol in the worlds it must survive, and weaker protocols that must fail in them."""

from dataclasses import dataclass, replace

from .explore import AGAIN, BOTH, FLAGGED, LATE, NEITHER, OTHER, STUCK, TWICE
from .rules import Rules
from .server import PROVES_NOTHING


@dataclass(frozen=True, slots=True)
class Variant:
    """Rules, and what a search must find: "" for nothing, else the violation met first."""

    name: str
    rules: Rules
    expected: str = ""
    flagged: frozenset[str] = frozenset()  # what may happen, but only by the merchant's policy

    def __str__(self) -> str:
        return self.name


PROTOCOL = Rules()
ALONE = replace(PROTOCOL, processes=1)  # where the race adds states and no new question
REPLACED = replace(PROTOCOL, offers=1, cuts=0, wipes=1, deadline=True)
G1 = replace(ALONE, controller=True, sensor="absent", resets=1)

_both = frozenset({BOTH + FLAGGED})
_neither = frozenset({NEITHER + FLAGGED})

HOLDS = [
    Variant("G3: tested sensor, intact journal", PROTOCOL),
    Variant("G3, BUSY twice, three offers", replace(PROTOCOL, offers=3, cuts=0)),
    Variant("G3, two power cuts, one offer", replace(PROTOCOL, offers=1, cuts=2)),
    Variant("G3, one process", ALONE),
    Variant("G3, somebody takes drops back", replace(ALONE, takes_back=True)),
    Variant("G3, one process, three power cuts", replace(ALONE, cuts=3)),
    Variant("G3, the device rejects units it knows", replace(ALONE, rejects_known_units=True)),
    Variant("G3, STATUS by nonce, no tombstones", replace(ALONE, tombstones=False, cuts=2)),
    Variant("G3, GO not noted as sent, only the CHECK", replace(ALONE, unsent_go_refunds=True)),
    Variant(
        "settle written blind, the CHECK covers REJECT too",
        replace(PROTOCOL, fenced=False, before_go_only=frozenset({"never_sent", "rejected"})),
    ),
    Variant("a sensor that forgets in a cut", replace(ALONE, sensor="volatile"), "", _both),
    Variant("G2: no sensor", replace(ALONE, sensor="absent"), "", _both),
    Variant(
        "G2: no sensor, policy: fulfil",
        replace(ALONE, sensor="absent", policy="fulfil"),
        flagged=_neither,
    ),
    Variant("G3 with the deadline", replace(PROTOCOL, deadline=True), "", _both),
    Variant(
        "the machine may never come back",
        replace(ALONE, may_die=True, deadline=True),
        flagged=_both,
    ),
    Variant("the controller is replaced", REPLACED, "", _both),
    Variant(
        "the controller is replaced, and a power cut",
        replace(ALONE, wipes=1, cuts=1, deadline=True),
        flagged=_both,
    ),
    Variant("G1: beside another controller", G1, "", _both),
    Variant("G1, no query", replace(G1, queries=False, cuts=0), "", _both),
    Variant("G1, policy: fulfil", replace(G1, cuts=0, policy="fulfil"), "", _neither),
    Variant(
        "G1 with the deadline, and it may never come back",
        replace(G1, cuts=0, may_die=True, deadline=True),
        flagged=_both,
    ),
]

DEEPER = [
    Variant("G3, two power cuts", replace(PROTOCOL, cuts=2)),
    Variant(
        "the controller is replaced, and a power cut, both processes",
        replace(PROTOCOL, cuts=1, wipes=1, deadline=True),
        flagged=_both,
    ),
    Variant(
        "the controller is replaced twice, policy: fulfil",
        replace(PROTOCOL, cuts=0, wipes=2, deadline=True, policy="fulfil"),
        flagged=_neither,
    ),
]

DEEPER += [
    Variant("G1, both processes", replace(G1, processes=2), "", _both),
    Variant("G1, two resets, two power cuts", replace(G1, resets=2, cuts=2), "", _both),
]

FORGETFUL = replace(
    PROTOCOL,
    handshake=False,
    lease=False,
    journal="none",
    queries=False,
    tombstones=False,
    sensor="absent",
)


def trusting(rules: Rules, *evidence: str) -> Rules:
    """The same rules, believing more than they should: members of server.PROVES_NOTHING."""
    assert set(evidence) <= PROVES_NOTHING
    return replace(rules, trusts=rules.trusts | set(evidence))


def _impatient(rules: Rules) -> Rules:
    return replace(trusting(rules, "time-out"), cuts=0)


WEAKER = [
    Variant(
        "no lease: a queued command runs after the deadline",
        replace(PROTOCOL, handshake=False, lease=False, tombstones=False, deadline=True),
        LATE,
    ),
    Variant("redelivered commands, no ids kept", FORGETFUL, TWICE),
    Variant("the same, no power cut, refund on time-out", _impatient(FORGETFUL), BOTH),
    Variant(
        "late results rejected, refund on time-out",
        replace(_impatient(PROTOCOL), takes_late_results=False, queries=False),
        BOTH,
    ),
    Variant(
        "late results rejected, no query",
        replace(ALONE, takes_late_results=False, queries=False),
        STUCK,
    ),
    Variant(
        "STATUS believed whatever its nonce",
        trusting(replace(ALONE, tombstones=False), "old nonce"),
        BOTH,
    ),
    Variant(
        "FORGOTTEN believed, EVACK before commit",
        trusting(replace(ALONE, evack_after_commit=False), "FORGOTTEN"),
        BOTH,
    ),
    Variant(
        "GO not noted as sent refunds, no CHECK",
        replace(PROTOCOL, unsent_go_refunds=True, before_go_only=frozenset()),
        BOTH,
    ),
    Variant(
        "GO sent though its UPDATE found no row", replace(PROTOCOL, minds_row_count=False), BOTH
    ),
    Variant("requeue written blind", replace(PROTOCOL, requeue_fenced=False, cuts=0), BOTH),
    Variant(
        "a unit in doubt is offered again",
        replace(ALONE, wipes=1, cuts=0, reoffers_in_doubt=True),
        BOTH,
    ),
    Variant(
        "a drop taken back gives the money back",
        trusting(replace(ALONE, takes_back=True), "a drop taken back"),
        BOTH,
    ),
    Variant("no deadline, the machine never comes back", replace(ALONE, may_die=True), STUCK),
    Variant("no deadline, the controller is replaced", replace(ALONE, wipes=1, cuts=0), STUCK),
    Variant(
        "no sensor, a jam that looks like a vend",
        replace(ALONE, sensor="absent", silent_jams=True),
        NEITHER,
    ),
    Variant("G1, 05 for whatever is asked for", replace(G1, approves="anything"), OTHER),
    Variant("G1, STARTED after 05", replace(G1, journal="after the motor"), BOTH),
    Variant(
        "G1, a buried unit is approved in the session that goes on",
        replace(G1, minds_its_journal=False),
        BOTH,
    ),
    Variant(
        "G1 with the deadline, chosen after the lease's end",
        replace(G1, cuts=0, may_die=True, deadline=True, lease_is_the_time_to_choose=False),
        LATE,
    ),
    Variant("G1, a session ends without a tombstone", replace(G1, buries_at_the_end=False), AGAIN),
    Variant("G1, a reset after 05 is a failure", replace(G1, reset_means="failed"), BOTH),
    Variant("G1, silence after 05 is a failure", replace(G1, silence_means="failed"), BOTH),
    Variant("G1, 05 again after silence", replace(G1, silence_means="say it again"), TWICE),
    Variant("G1, withdrawn after 05 is a failure", replace(G1, withdrawn_in_time=False), BOTH),
]
