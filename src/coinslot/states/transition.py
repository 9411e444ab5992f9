"""The only writer of a state. The tables become rows, and one SQL function per machine moves them.

A transition locks, looks up and writes in one call: `transition_order(id, event, set, now)` and
its like. An event without a row in the table is kept in `strays` and calls a person; nothing moves.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from coinslot.db.pool import Connection
from coinslot.kit.flow import Flow
from coinslot.states.attempt_flow import ATTEMPT
from coinslot.states.order_flow import ORDER
from coinslot.states.payment_flow import PAYMENT
from coinslot.states.receipt_flow import RECEIPT
from coinslot.states.refund_flow import REFUND
from coinslot.states.unit_flow import Beside, RoomFlow, UnitFlow

FLOWS = (ORDER, PAYMENT, ATTEMPT, REFUND, RECEIPT)  # beside them one for each kind of selling

# Which columns a move may set beside the state, by machine.
SETTABLE: Mapping[str, tuple[str, ...]] = {
    "order": ("paid_at", "ended_at", "due_at", "dispatch_by"),
    "payment": ("processing_deadline_at", "due_at"),
    "attempt": (
        "gateway_payment_id", "failure", "reference", "action", "key_sent_at", "tries", "due_at",
        "wish", "wish_minor", "wish_key", "wish_sent_at",
    ),
    "refund": ("key_sent_at", "gateway_refund_id", "tries", "failure", "ended_at", "due_at"),
    "receipt": (
        "sent_at", "late_at", "gateway_receipt_id", "fiscal", "failure", "tries", "ended_at",
        "due_at",
    ),
    "fulfillment": ("basis", "failure_code", "hard_deadline", "due_at", "person_since"),
}  # fmt: skip

_TRANSITION = """
CREATE OR REPLACE FUNCTION transition_{name}(p_id uuid, p_event text, p_set jsonb,
    p_now timestamptz) RETURNS TABLE (was text, state text, jobs text[]) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    before {table}%ROWTYPE;
    after {table}%ROWTYPE;
    step transitions%ROWTYPE;
    job text;
    {declare}
BEGIN
    {first}
    SELECT * INTO STRICT before FROM {table} t WHERE t.id = p_id FOR NO KEY UPDATE;
    SELECT * INTO step FROM transitions t
        WHERE t.machine = {machine} AND t.state = before.state AND t.event = p_event;
    IF NOT FOUND THEN
        INSERT INTO strays (merchant_id, machine, subject_id, state, event, data, at)
        VALUES (before.merchant_id, '{name}', p_id, before.state, p_event, p_set, p_now);
        RETURN QUERY SELECT before.state, NULL::text, NULL::text[];
        RETURN;
    END IF;
    {again}
    after := jsonb_populate_record(before, p_set);
    {settle}
    -- Its own worker lets the row go with this; a worker that is at it meanwhile keeps it.
    UPDATE {table} t SET state = step.next, version = t.version + 1, leased_until = CASE
            WHEN current_setting('coinslot.lease', true) IS NOT DISTINCT FROM
                '{table} ' || p_id || ' ' || before.lease THEN NULL ELSE before.leased_until END
        {columns}
        WHERE t.id = p_id;
    {beside}
    INSERT INTO events (merchant_id, machine, subject_id, event, was, state, data, at)
    VALUES (before.merchant_id, '{name}', p_id, p_event, before.state, step.next, p_set, p_now);
    FOREACH job IN ARRAY step.jobs LOOP
        {jobs}
    END LOOP;
    {settled}
    RETURN QUERY SELECT before.state, step.next, step.jobs;
END $$;
"""

# A unit is settled by the move that ends it, and by nothing else; it is sent by the move that leads
# past the point of no return.
_SETTLE = """ends_as := settles_as(before.kind, step.next);
    IF ends_as IS NOT NULL AND before.settlement IS NULL THEN
        after.settlement := ends_as;
        after.settled_at := p_now;
        -- Whoever was told of it before it was sent is told that it is over.
        after.due_at := CASE WHEN p_event IN ('WITHDRAWN', 'DEADLINE') AND before.sent_at IS NULL
            AND before.state <> begins_as(before.kind) THEN p_now END;
    ELSIF before.settlement IS NOT NULL THEN
        after := before;  -- settled once; what comes later is kept beside it
    ELSE
        after.basis := NULL;
        IF is_sent(before.kind, step.next) THEN
            after.sent_at := coalesce(before.sent_at, p_now);
        END IF;
    END IF;"""

# The kind's own part of the unit. Its row is read after the unit's own is locked; only a move of
# that unit writes it.
_BESIDE = """IF before.kind = '{kind}' THEN
        SELECT * INTO kept_{kind} FROM {table} v WHERE v.id = p_id;
        beside_{kind} := CASE WHEN before.settlement IS NULL
            THEN jsonb_populate_record(kept_{kind}, p_set) ELSE kept_{kind} END;
        {open}
        IF beside_{kind} IS DISTINCT FROM kept_{kind} THEN
            UPDATE {table} v SET {columns} WHERE v.id = p_id;
        END IF;
    END IF;"""

# What `payments` asks of the kinds, and what it tells them, by name. A kind that this program does
# not have begins as NULL.
_KINDS = """
CREATE OR REPLACE FUNCTION begins_as(p_kind text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_kind {begins} END
$$;
CREATE OR REPLACE FUNCTION settles_as(p_kind text, p_state text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_kind {settles} END
$$;
CREATE OR REPLACE FUNCTION is_sent(p_kind text, p_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(CASE p_kind {sent} END, false)
$$;
CREATE OR REPLACE FUNCTION tell_kind_queued(p_kind text, p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    {queued}
END $$;
CREATE OR REPLACE FUNCTION begin_kind(p_kind text, p_outlet text, p_lines jsonb, p_windows jsonb,
    p_now timestamptz) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    {begun}
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION tell_kind_expired(p_kind text, p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    {expired}
END $$;
CREATE OR REPLACE FUNCTION shown_beside(p_kind text, p_order uuid)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    {shown}
    RETURN 0;
END $$;
"""

# Settling a unit books money on its capture, whose row comes first in the order of locks.
_FIRST = """PERFORM FROM captures c
        WHERE c.id = (SELECT u.capture_id FROM fulfillments u WHERE u.id = p_id)
        FOR NO KEY UPDATE;"""

# An event that changes nothing is logged once: a machine may send it as often as it likes.
_AGAIN = """IF (before.settlement IS NOT NULL OR (step.next = before.state AND p_set = '{}'))
        AND EXISTS (SELECT FROM events e WHERE e.subject_id = p_id AND e.machine = 'fulfillment'
            AND e.event = p_event AND e.was = before.state AND e.state = step.next) THEN
        RETURN QUERY SELECT before.state, step.next, step.jobs;
        RETURN;
    END IF;"""

# Jobs run in the move's own transaction; `send_*` is for the process that is connected to the
# machine.
_BOOKED: Mapping[str, tuple[str, ...]] = {
    "order": ("queue_units", "close_payment"),
    "payment": (),
    "attempt": (),
    "refund": (
        "book_refund", "book_covered", "make_smaller", "unbook_refund", "try_anew",
        "note_discrepancy",
    ),
    "receipt": (),
    "fulfillment": ("hand_over", "give_back", "expose", "note_discrepancy"),
}  # fmt: skip


# Rows that are inserted as their first move leaves them, where a whole sale is one statement
# (`payments/sql/captures.sql`), with the jobs that this statement does itself.
AT_ONCE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("payment", "CAPTURED"): (),
    ("attempt", "CAPTURED"): (),
    ("order", "PAID"): ("queue_units",),
}

_AT_ONCE = """
CREATE OR REPLACE FUNCTION first_state(p_machine text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_machine {begins} END
$$;
CREATE OR REPLACE FUNCTION state_at_once(p_machine text, p_event text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_machine || ' ' || p_event {moves} END
$$;
"""


class Transitioned(Struct, frozen=True):
    """What a move did. `state` is None when the table has no row for the event."""

    was: str
    state: str | None
    jobs: tuple[str, ...]

    @property
    def changed(self) -> bool:
        return self.state is not None and self.state != self.was


def sql_functions(
    kinds: Sequence[UnitFlow], of_rooms: Sequence[RoomFlow] = ()
) -> list[tuple[str, str]]:
    """The tables as rows, and one function per machine that moves them; applied again on change."""
    flows: tuple[Flow, ...] = (*FLOWS, *of_rooms)
    functions = [
        _kind_functions(kinds), _at_once(FLOWS), *(_function(flow) for flow in flows),
        _of_units(kinds),
    ]  # fmt: skip
    return [
        ("states_flows", _load_tables((*flows, *kinds))),
        ("states_transitions", "\n".join(functions)),
    ]


async def transition(
    conn: Connection, flow: Flow, subject: UUID, event: str, now: datetime, **set_: object
) -> Transitioned:
    """Move one row inside the caller's transaction; `set_` are columns written with the state."""
    name, settable = flow.name, set(SETTABLE.get(flow.name, ()))
    if isinstance(flow, RoomFlow):
        settable = set(flow.settable)
    if isinstance(flow, UnitFlow):
        name, beside = "fulfillment", flow.declared.beside
        settable = {*SETTABLE[name], *(beside.columns if beside else ())}
    unknown = set(set_) - settable
    if unknown:
        raise ValueError(f"a move of {flow.name} may not set {sorted(unknown)}")
    row = await conn.fetchrow(
        f"SELECT was, state, jobs FROM transition_{name}($1, $2, $3, $4)",
        subject,
        event,
        set_,
        now,
    )
    if row is None:
        raise LookupError(f"no {flow.name} {subject}")
    return Transitioned(row["was"], row["state"], tuple(row["jobs"] or ()))


def _function(flow: Flow) -> str:
    parts = dict.fromkeys(("declare", "first", "again", "settle", "beside", "settled"), "")
    columns = flow.settable if isinstance(flow, RoomFlow) else SETTABLE[flow.name]
    return _filled(flow.name, f"'{flow.name}'", columns, parts)


def _of_units(kinds: Sequence[UnitFlow]) -> str:
    """One function for the units of every kind, each by the table of its kind."""
    besides = {k.name: k.declared.beside for k in kinds if k.declared.beside is not None}
    declared = [
        f"{word}_{kind} {beside.table}%ROWTYPE;"
        for kind, beside in besides.items()
        for word in ("kept", "beside")
    ]
    parts = {
        "declare": "\n    ".join(["ends_as text;", *declared]),
        "first": _FIRST,
        "again": _AGAIN,
        "settle": _SETTLE,
        "beside": "\n    ".join(_written_beside(kind, beside) for kind, beside in besides.items()),
        "settled": "IF ends_as IS NOT NULL AND before.settlement IS NULL THEN\n        "
        + _told("before.kind", {k.name: k.declared.settled for k in kinds}, "p_id")
        + "\n    END IF;",
    }
    columns = (*SETTABLE["fulfillment"], "sent_at", "settlement", "settled_at")
    return _filled("fulfillment", "before.kind", columns, parts)


def _written_beside(kind: str, beside: Beside) -> str:
    columns = (*(("open",) if beside.open else ()), *beside.columns)
    return _BESIDE.format(
        kind=kind, table=beside.table,
        open=f"beside_{kind}.open := step.next IN ({_quoted(beside.open)});" if beside.open else "",
        columns=", ".join(f"{name} = beside_{kind}.{name}" for name in columns),
    )  # fmt: skip


def _told(kind: str, functions: Mapping[str, str | None], subject: str) -> str:
    """Calls the function of the kind, where it has one."""
    calls = [
        f"IF {kind} = '{name}' THEN PERFORM {function}({subject}, p_now); END IF;"
        for name, function in functions.items()
        if function is not None
    ]
    return "\n        ".join(calls) or "NULL;"


def _filled(name: str, machine: str, columns: Iterable[str], parts: Mapping[str, str]) -> str:
    booked = _BOOKED.get(name, ())  # what a room's own table lists, its verbs do
    branches = "\n            ".join(
        f"WHEN '{job}' THEN PERFORM {name}_{job}(p_id, p_now);" for job in booked
    )
    return _TRANSITION.format(
        name=name,
        table=f"{name}s",
        machine=machine,
        columns="".join(f", {column} = after.{column}" for column in columns),
        jobs=f"CASE job {branches} ELSE NULL; END CASE;" if booked else "NULL;",
        **parts,
    )


def _kind_functions(kinds: Sequence[UnitFlow]) -> str:
    return _KINDS.format(
        begins=" ".join(f"WHEN '{k.name}' THEN '{k.initial}'" for k in kinds),
        settles=" ".join(
            f"WHEN '{k.name}' THEN CASE p_state "
            + " ".join(f"WHEN '{s}' THEN '{as_}'" for s, as_ in k.declared.settles.items())
            + " END"
            for k in kinds
        ),
        sent=" ".join(
            f"WHEN '{k.name}' THEN p_state IN ({_quoted(sorted(k.sent))})" for k in kinds
        ),
        queued=_told("p_kind", {k.name: k.declared.queued for k in kinds}, "p_order"),
        expired=_told("p_kind", {k.name: k.declared.expired for k in kinds}, "p_order"),
        begun="\n    ".join(
            f"IF p_kind = '{k.name}' THEN"
            f" RETURN {k.declared.begun}(p_outlet, p_lines, p_windows, p_now); END IF;"
            for k in kinds
            if k.declared.begun is not None
        ),
        shown="\n    ".join(
            f"IF p_kind = '{k.name}' THEN RETURN {k.declared.shown}(p_order); END IF;"
            for k in kinds
            if k.declared.shown is not None
        ),
    )


def _at_once(flows: Sequence[Flow]) -> str:
    """Raises ValueError where the table asks for more than the statement does."""
    moves = {}
    for (machine, event), jobs in AT_ONCE.items():
        flow = next(flow for flow in flows if flow.name == machine)
        row = next((r for r in flow.rows if (r.state, r.event) == (flow.initial, event)), None)
        if row is None or row.jobs != jobs:
            raise ValueError(f"a sale at once is no {event} of {machine}: {row}")
        moves[f"{machine} {event}"] = row.next
    return _AT_ONCE.format(
        begins=" ".join(f"WHEN '{flow.name}' THEN '{flow.initial}'" for flow in flows),
        moves=" ".join(f"WHEN '{move}' THEN '{state}'" for move, state in moves.items()),
    )


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _load_tables(flows: Sequence[Flow]) -> str:
    rows = ",\n".join(
        f"('{flow.name}', '{row.state}', '{row.event}', '{row.next}', "
        f"ARRAY[{', '.join(repr(job) for job in row.jobs)}]::text[])"
        for flow in flows
        for row in flow.rows
    )
    return f"TRUNCATE transitions;\nINSERT INTO transitions VALUES\n{rows};\n"
