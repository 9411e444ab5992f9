"""The server: decisions from a snapshot of the row, each written later by a conditional UPDATE.

A process may stop, or die, between reading and writing, and the other one goes on meanwhile.
Sending is a step of its own: a crash between commit and send is a send that never comes.
"""

from collections.abc import Iterator

from .network import Message, arriving, sent
from .rules import Rules
from .state import IDLE, Grant, Moves, Plan, Row, World

OUTCOME = {
    "VENDED": "vended",
    "INTERRUPTED drop yes": "vended",
    "FAILED": "failed",
    "FAILED vmc": "failed",
    "TOMBSTONED": "failed",
    "INTERRUPTED drop no": "failed",
    "INTERRUPTED drop unknown": "in_doubt",
}
DROP_UNKNOWN = "INTERRUPTED drop unknown"
PROVES_NOTHING = {
    "REJECT after GO",
    "another journal",
    "HELLO",
    "FORGOTTEN",
    "time-out",
    "old nonce",
    "a drop taken back",
}
Plans = Iterator[Plan]


def moves(world: World, rules: Rules) -> Moves:
    """Every step that the server can take now."""
    if world.row.settled:
        yield from _write(world, rules)
        yield from _believe_what_is_taken_back(world, rules)
        return
    yield from _send(world, rules)
    if rules.processes == 1:
        for plan in _decisions(world, rules):
            row = _updated(world.row, plan, rules)
            if row is not None:
                yield plan.label, world._replace(row=row)
        return
    yield from _decide(world, rules)
    yield from _write(world, rules)


def _decide(world: World, rules: Rules) -> Moves:
    """An idle process reads the row and makes up its mind."""
    if IDLE not in world.processes:
        return
    other = world.processes[1]  # kept sorted, and IDLE sorts first
    for plan in _decisions(world, rules):
        net = world.net
        if _is_go(plan) and not rules.go_committed_first:
            net = _go_sent(net, plan)
        pair = (plan, other) if plan < other else (other, plan)
        yield f"one process decides to {plan.label}", world._replace(processes=pair, net=net)


def _write(world: World, rules: Rules) -> Moves:
    """A process runs its UPDATE, or dies before it. A write makes the other one's view stale."""
    for plan, other in (world.processes, world.processes[::-1]):
        if plan == IDLE:
            continue
        row = _updated(world.row, plan, rules)
        if row is None:
            net = world.net
            if _is_go(plan) and not rules.minds_row_count:
                net = _go_sent(net, plan)
            yield f"no row to update: {plan.label}", world._replace(processes=_pair(other), net=net)
            continue
        yield f"commits: {plan.label}", world._replace(row=row, processes=_pair(_stale(other)))
        yield f"dies before it can {plan.label}", world._replace(processes=_pair(other))


def _is_go(plan: Plan) -> bool:
    return plan.target.state == "going" and not plan.target.settled


def _go_sent(net: int, plan: Plan) -> int:
    return sent(net, Message("GO", plan.target.go.seq, plan.target.go.boot))


def _pair(other: Plan) -> tuple[Plan, Plan]:
    return IDLE, other


def _stale(plan: Plan) -> Plan:
    return plan if plan == IDLE else plan._replace(fresh=False)


def _updated(row: Row, plan: Plan, rules: Rules) -> Row | None:
    """The row after the conditional UPDATE, or None when its WHERE or a CHECK refuses."""
    target = plan.target
    if row.settled:
        return None  # settlement IS NULL is in every WHERE
    if target.basis in rules.before_go_only and row.go.seq:
        return None
    if plan.fresh:
        return target
    if target.settled and not rules.fenced:
        return row._replace(settled=target.settled, basis=target.basis)
    if target.state == "queued" and not rules.requeue_fenced:
        return row._replace(state="queued")
    return None


def lease_is_over(world: World, rules: Rules) -> bool:
    """True only when the device cannot start any more: the server reckons to the late side."""
    device, go = world.device, world.row.go
    held = device.accepted and device.lease and device.boot == go.boot
    return not (rules.lease and held)


def _run_is_over(world: World, rules: Rules) -> bool:
    """The deadline lies behind lease end, longest run and flush; without a lease, nowhere."""
    if world.bus.vmc == "vends":
        return False
    return not rules.lease or (lease_is_over(world, rules) and world.device.motor in ("", "dead"))


# --- sending -------------------------------------------------------------------------------------


def _send(world: World, rules: Rules) -> Moves:
    row, net = world.row, world.net
    waiting = row.state in ("going", "in_doubt")
    if row.state == "offered":
        yield f"sends OFFER {row.seq}", world._replace(net=sent(net, Message("OFFER", row.seq)))
    if waiting:
        yield "sends GO", world._replace(net=sent(net, Message("GO", row.go.seq, row.go.boot)))
    if waiting and rules.queries:
        yield "sends QUERY", world._replace(net=sent(net, Message("QUERY")))
        if not rules.tombstones and lease_is_over(world, rules):
            late = Message("QUERY", late=True)
            yield "sends QUERY after the lease's end", world._replace(net=sent(net, late))
    if row.state in ("vended", "failed"):
        evack = Message("EVACK", journal=row.go.journal)
        yield "sends EVACK", world._replace(net=sent(net, evack))
    if waiting and not rules.evack_after_commit:
        for result in arriving(net, "RESULT"):
            evack = Message("EVACK", journal=result.journal)
            yield "sends EVACK before the commit", world._replace(net=sent(net, evack))


# --- decisions, one function per rule ------------------------------------------------------------


def _decisions(world: World, rules: Rules) -> Plans:
    state = world.row.state
    if state == "queued":
        yield from _offer(world.row, rules)
        yield _settle(world.row, "refund", "never_sent")
    elif state == "offered":
        yield from _go(world)
        yield from _hear_reject(world)
        yield _settle(world.row, "refund", "never_sent")
    elif state in ("going", "in_doubt"):
        yield from _hear_result(world, rules)
        yield from _believe_what_proves_nothing(world, rules)
        yield from _doubt(world, rules)
    elif state == "vended":
        yield _settle(world.row, "fulfilled", world.row.basis)
    elif state == "failed":
        yield _settle(world.row, "refund", world.row.basis)


def _settle(row: Row, settled: str, basis: str) -> Plan:
    return Plan(f"settle {settled}, basis {basis}", row._replace(settled=settled, basis=basis))


def _offer(row: Row, rules: Rules) -> Plans:
    if row.seq >= rules.offers:
        return
    seq = row.seq + 1
    if rules.handshake:
        yield Plan(f"offer {seq}", row._replace(state="offered", seq=seq))
    else:
        yield Plan("GO", row._replace(state="going", seq=seq, go=Grant(seq)))


def _go(world: World) -> Plans:
    row = world.row
    for accept in arriving(world.net, "ACCEPT"):
        if accept.seq == row.seq:
            go = Grant(accept.seq, accept.boot, accept.journal)
            label = f"GO {go.seq} for boot {go.boot}, journal {go.journal}"
            yield Plan(label, row._replace(state="going", go=go))


def _hear_reject(world: World) -> Plans:
    """BUSY goes back to the queue and gets a new seq; any other code, before GO, is a refund."""
    row = world.row
    for reject in arriving(world.net, "REJECT"):
        if reject.seq != row.seq:
            continue
        if reject.word == "BUSY":
            yield Plan(f"requeue after BUSY {row.seq}", row._replace(state="queued"))
        else:
            yield _settle(row, "refund", "rejected")


def _hear_result(world: World, rules: Rules) -> Plans:
    row = world.row
    if row.state == "in_doubt" and not rules.takes_late_results:
        return
    for result in arriving(world.net, "RESULT"):
        if result.journal == row.go.journal or "another journal" in rules.trusts:
            state = OUTCOME[result.word]
            yield Plan(f"record {result.word}", row._replace(state=state, basis=result.word))
    for status in arriving(world.net, "STATUS"):
        if status.word == "not started" and status.journal == row.go.journal and status.late:
            yield Plan("record not started", row._replace(state="failed", basis="not started"))


def _believe_what_proves_nothing(world: World, rules: Rules) -> Plans:
    """The protocol never comes here: each of these is a mutant or a weaker variant."""
    row, trusts = world.row, rules.trusts
    failed = row._replace(state="failed")
    if "REJECT after GO" in trusts and arriving(world.net, "REJECT"):
        yield Plan("believe a REJECT after GO", failed._replace(basis="reject"))
    for hello in arriving(world.net, "HELLO"):
        if "HELLO" in trusts and hello.journal == row.go.journal:
            yield Plan("believe HELLO's not started", failed._replace(basis="hello"))
    for status in arriving(world.net, "STATUS"):
        if status.word == "FORGOTTEN" and "FORGOTTEN" in trusts:
            yield Plan("believe FORGOTTEN", failed._replace(basis="forgotten"))
        if status.word == "not started" and "old nonce" in trusts:
            yield Plan("believe an old STATUS", failed._replace(basis="old status"))
    if "time-out" in trusts and lease_is_over(world, rules):
        yield Plan("believe the time-out", failed._replace(basis="time-out"))
    if rules.unsent_go_refunds and row.state == "going":
        yield _settle(row, "refund", "never_sent")


def _believe_what_is_taken_back(world: World, rules: Rules) -> Moves:
    """The protocol keeps it for a person: a settlement is set once."""
    if "a drop taken back" not in rules.trusts or world.row.settled != "fulfilled":
        return
    for result in arriving(world.net, "RESULT"):
        if result.word == "FAILED" and result.journal == world.row.go.journal:
            row = world.row._replace(settled="refund", basis="taken back")
            yield "gives the money back after all", world._replace(row=row)


def _doubt(world: World, rules: Rules) -> Plans:
    row = world.row
    if row.state == "going":
        if lease_is_over(world, rules):
            yield Plan("doubt", row._replace(state="in_doubt"))
        return
    if rules.reoffers_in_doubt:
        yield Plan("offer it again", row._replace(state="queued"))
    unknown = row.basis == DROP_UNKNOWN and world.bus.vmc != "vends"
    if unknown or (rules.deadline and _run_is_over(world, rules)):
        yield _settle(row, "fulfilled" if rules.policy == "fulfil" else "refund", "policy")
