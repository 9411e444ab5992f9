"""What a variant of the protocol does and what its world can do. The defaults are the protocol."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """One field per rule that can be weakened: a variant is `replace(PROTOCOL, rule=...)`."""

    # server
    handshake: bool = True  # OFFER and ACCEPT come before GO
    fenced: bool = True  # settle WHERE state = $seen AND version = $seen
    requeue_fenced: bool = True
    # CHECK (basis NOT IN (these) OR sent_at IS NULL)
    before_go_only: frozenset[str] = frozenset({"never_sent"})
    go_committed_first: bool = True  # GO is committed, then sent
    unsent_go_refunds: bool = False  # a GO that nobody noted as sent counts as never sent
    minds_row_count: bool = True  # GO is sent only when its UPDATE changed a row
    reoffers_in_doubt: bool = False  # silence after GO: put it back in the queue
    queries: bool = True
    takes_late_results: bool = True
    evack_after_commit: bool = True
    trusts: frozenset[str] = frozenset()  # see server.PROVES_NOTHING
    deadline: bool = False  # in doubt ends by the merchant's policy
    policy: str = "refund"
    processes: int = 2
    # device
    lease: bool = True
    journal: str = "before the motor"  # or "after the motor", "none"
    check_is_atomic: bool = True  # rule 1: no QUERY between the check and STARTED
    tombstones: bool = True  # a QUERY or a refused GO makes the device promise never to start
    sensor: str = "latched"  # keeps its answer through a cut; "volatile" does not; "absent"
    bound_means_failed: bool = False  # FAILED as soon as the run's bound passes
    rejects_known_units: bool = False  # against rule 4
    # class G1: the device is the cashless reader of another controller, see bus.py
    controller: bool = False
    approves: str = "what was paid"  # 05 for that item at that price; "anything"
    minds_its_journal: bool = True  # a unit that a QUERY buried is not approved any more
    lease_is_the_time_to_choose: bool = True
    buries_at_the_end: bool = True  # a session that ends without a request leaves a tombstone
    reset_means: str = "doubt"  # of the controller, or of its session, after 05; "failed"
    silence_means: str = "doubt"  # after 05; "failed"; "say it again"
    withdrawn_in_time: bool = True  # 13 01 counts as failure only before 05 was on the bus
    # world
    offers: int = 2
    cuts: int = 1
    wipes: int = 0  # the controller is replaced or its journal lost
    resets: int = 0  # of the controller of a G1 machine
    may_die: bool = False  # it may never come back
    takes_back: bool = False  # whoever has its secret denies the drop of a unit that is settled
    silent_jams: bool = False  # without a sensor, a full turn that moves nothing
