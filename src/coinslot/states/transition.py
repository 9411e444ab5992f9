"""The only writer of a state. The tables become rows, and one SQL function per machine moves them.

A transition locks, looks up and writes in one call: `transition_order(id, event, set, now)` and
its like. An event without a row in the table is kept in `strays` and calls a person; nothing moves.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from coinslot.db.pool import Connection
from coinslot.kit.flow import Flow
from coinslot.states.attempt_flow import ATTEMPT
from coinslot.states.fulfillment_flow import FULFILLMENT
from coinslot.states.order_flow import ORDER
from coinslot.states.payment_flow import PAYMENT
from coinslot.states.refund_flow import REFUND

FLOWS = (ORDER, PAYMENT, ATTEMPT, REFUND, FULFILLMENT)

# Which columns a move may set beside the state, by machine.
SETTABLE: Mapping[str, tuple[str, ...]] = {
    "order": ("paid_at", "ended_at", "due_at"),
    "payment": ("processing_deadline_at", "due_at"),
    "attempt": (
        "gateway_payment_id", "failure", "reference", "action", "key_sent_at", "tries", "due_at",
        "wish", "wish_minor", "wish_key", "wish_sent_at",
    ),
    "refund": ("key_sent_at", "gateway_refund_id", "tries", "failure", "ended_at", "due_at"),
    "fulfillment": ("sent_at", "basis", "failure_code", "hard_deadline", "due_at"),
}  # fmt: skip

# What a machine's unit has beside that, in a row of its own that the same move writes.
VEND_UNIT = (
    "seq", "offers", "offered_at", "accept", "journal_id", "boot_id", "go_message", "lease_end",
    "started_at", "nonce", "asked_at", "queries",
)  # fmt: skip

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
        WHERE t.machine = '{name}' AND t.state = before.state AND t.event = p_event;
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
    RETURN QUERY SELECT before.state, step.next, step.jobs;
END $$;
"""

# A unit is settled by the move that ends it, and by nothing else.
_SETTLE = """IF step.next IN ('vended', 'failed') AND before.settlement IS NULL THEN
        after.settlement := CASE step.next WHEN 'vended' THEN 'fulfilled' ELSE 'refund_due' END;
        after.settled_at := p_now;
        after.due_at := NULL;
    ELSIF before.settlement IS NOT NULL THEN
        after := before;  -- settled once; what comes later is kept beside it
    ELSE
        after.basis := NULL;
    END IF;"""

_DECLARE = """kept vend_units%ROWTYPE;
    beside vend_units%ROWTYPE;"""

# The machine's part of the unit. Its row is read after the unit's own is locked; only a move of
# that unit writes it.
_BESIDE = """SELECT * INTO kept FROM vend_units v WHERE v.id = p_id;
    IF FOUND THEN
        beside := CASE WHEN before.settlement IS NULL
            THEN jsonb_populate_record(kept, p_set)
            ELSE kept END;
        beside.open := step.next IN ('offered', 'going', 'started', 'in_doubt');
        IF beside IS DISTINCT FROM kept THEN
            UPDATE vend_units v SET open = beside.open{columns} WHERE v.id = p_id;
        END IF;
    END IF;"""

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
    "fulfillment": ("hand_over", "give_back", "expose", "note_discrepancy"),
}  # fmt: skip


class Transitioned(Struct, frozen=True):
    """What a move did. `state` is None when the table has no row for the event."""

    was: str
    state: str | None
    jobs: tuple[str, ...]

    @property
    def changed(self) -> bool:
        return self.state is not None and self.state != self.was


def sql_functions() -> list[tuple[str, str]]:
    """The tables as rows, and one function per machine that moves them; applied again on change."""
    functions = "\n".join(_move_function(flow) for flow in FLOWS)
    return [("states_flows", _load_tables()), ("states_transitions", functions)]


async def transition(
    conn: Connection, flow: Flow, subject: UUID, event: str, now: datetime, **set_: object
) -> Transitioned:
    """Move one row inside the caller's transaction; `set_` are columns written with the state."""
    unknown = set(set_) - set(SETTABLE[flow.name])
    if flow is FULFILLMENT:
        unknown -= set(VEND_UNIT)
    if unknown:
        raise ValueError(f"a move of {flow.name} may not set {sorted(unknown)}")
    row = await conn.fetchrow(
        f"SELECT was, state, jobs FROM transition_{flow.name}($1, $2, $3, $4)",
        subject,
        event,
        set_,
        now,
    )
    if row is None:
        raise LookupError(f"no {flow.name} {subject}")
    return Transitioned(row["was"], row["state"], tuple(row["jobs"] or ()))


def _move_function(flow: Flow) -> str:
    columns = SETTABLE[flow.name]
    settles = flow is FULFILLMENT
    if settles:
        columns = (*columns, "settlement", "settled_at")
    booked = _BOOKED[flow.name]
    branches = "\n            ".join(
        f"WHEN '{job}' THEN PERFORM {flow.name}_{job}(p_id, p_now);" for job in booked
    )
    return _TRANSITION.format(
        name=flow.name,
        table=f"{flow.name}s",
        first=_FIRST if settles else "",
        declare=_DECLARE if settles else "",
        again=_AGAIN if settles else "",
        beside=_BESIDE.format(columns="".join(f", {name} = beside.{name}" for name in VEND_UNIT))
        if settles
        else "",
        settle=_SETTLE if settles else "",
        columns="".join(f", {column} = after.{column}" for column in columns),
        jobs=f"CASE job {branches} ELSE NULL; END CASE;" if booked else "NULL;",
    )


def _load_tables() -> str:
    rows = ",\n".join(
        f"('{flow.name}', '{row.state}', '{row.event}', '{row.next}', "
        f"ARRAY[{', '.join(repr(job) for job in row.jobs)}]::text[])"
        for flow in FLOWS
        for row in flow.rows
    )
    return f"TRUNCATE transitions;\nINSERT INTO transitions VALUES\n{rows};\n"
