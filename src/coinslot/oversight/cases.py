"""The queue of cases that need a person: kept up to date from the rows, read and closed by people.

A person moves money only where evidence supports it, and the gateway's answer still wins."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct
from msgspec.structs import replace
from prometheus_client import Gauge

from coinslot.context import Context
from coinslot.context.rounds import keep_doing
from coinslot.db.pool import Connection
from coinslot.gateways.base import Absent, Mark, PaymentFact, Taken, Unclear
from coinslot.orders.fulfillment import Testimony, handler
from coinslot.oversight import store
from coinslot.payments.gateway_webhooks import work_facts
from coinslot.payments.store import KEEP_CASES, LOCK_PAYMENT, LOCK_PAYMENT_STATE, LOCK_REFUND
from coinslot.people.audit_log import COMMAND_LINE, Act, Actor, record
from coinslot.states.payment_flow import PAYMENT
from coinslot.states.refund_flow import REFUND
from coinslot.states.store import TELL
from coinslot.states.transition import transition

log = structlog.get_logger(__name__)

_OPEN = Gauge("coinslot_cases_open", "Open cases that need a person", ("kind",))
UNRESOLVED, OWED, DISPUTED = "payment_unresolved", "refund_owed", "dispute_open"
CONTRADICTED, UNDECIDED = "no_drop_after_fulfilled", "handover_unknown"

_CLOSED = "is closed by hand: `coinslot cases close`"
_ENDS = {
    UNRESOLVED: "ends with `settle --as failed` or `settle --as captured=ID`",
    OWED: "ends with `settle --as paid`",
    CONTRADICTED: "ends with `settle --as refund` or `settle --as leave`",
    UNDECIDED: "ends with `settle --as refund` or `settle --as leave`",
    DISPUTED: "ends by itself when the bank has decided; `coinslot cases close` ends it before",
}

# How a case was ended, and what the audit log calls that: the words by which people choose it.
_ACTS = {
    "closed": "close", "called_off": "failed", "found": "captured", "paid_by_hand": "paid",
    "refund": "refund", "left": "leave",
}  # fmt: skip


class CaseError(Exception):
    """There is no such open case, or it cannot end this way; the message says which."""


class Case(Struct, frozen=True, kw_only=True):
    """One thing that needs a person. `closed_by` None on a closed one: it closed itself."""

    id: int
    source: str  # who found it: 'state' the sweeper, 'books' the comparison
    kind: str
    subject: str
    owner: str
    age_s: int
    amount: int | None
    currency: str | None
    data: dict[str, Any]
    since: datetime
    opened_at: datetime
    merchant: UUID
    closed_at: datetime | None = None
    closed_by: str | None = None
    how: str | None = None
    note: str | None = None


class Person(Struct, frozen=True):
    """Who decides, and why. They end cases of this merchant alone; None (the command line): of
    every one. The audit log has what they did, in the transaction that did it."""

    by: str
    note: str
    merchant: UUID | None = None
    actor: Actor = COMMAND_LINE

    async def record(self, conn: Connection, context: Context, case: Case, how: str) -> None:
        """Write an entry of the audit log."""
        act = Act(
            action=f"case.{_ACTS[how]}", merchant=case.merchant, subject=str(case.id),
            after={"kind": case.kind, "about": case.subject}, reason=self.note,
        )  # fmt: skip
        await record(conn, self.actor, act, context.now())


async def update(context: Context) -> int:
    """Open cases for what needs a person, close those that no longer do; returns how many were
    opened."""
    async with context.db.system_transaction() as conn:
        merchants = await conn.fetch(store.QUEUES_OUT_OF_DATE, context.now())
    opened = 0
    for row in merchants:
        async with context.db.as_merchant(row["merchant_id"]) as conn:
            kept = await conn.fetchrow(KEEP_CASES, context.now())
        if kept is not None and kept["opened"]:
            opened += kept["opened"]
            log.warning("cases_opened", merchant=str(row["merchant_id"]), count=kept["opened"])
    return opened


async def watch(context: Context) -> None:
    """Keep the queue up to date until cancelled."""

    async def work() -> None:
        await update(context)
        await count_open(context)

    await keep_doing(work, context.windows.cases_s, context.failures, failed="cases_not_kept")


async def count_open(context: Context) -> None:
    """For the metrics."""
    async with context.db.system_transaction() as conn:
        rows = await conn.fetch(store.OPEN_CASES)
    _OPEN.clear()
    for row in rows:
        _OPEN.labels(row["kind"]).set(row["count"])


async def listed(context: Context, *, closed: bool = False) -> Sequence[Case]:
    """Of every merchant, the oldest first; with the closed ones when asked for."""
    async with context.db.system_transaction() as conn:
        rows = await conn.fetch(store.CASES, closed)
    return [_case(row, context.now()) for row in rows]


class Queue(Struct, frozen=True):
    """The oldest open cases of a merchant, and how many there are."""

    cases: tuple[Case, ...]
    total: int


async def of_merchant(context: Context, merchant: UUID, limit: int = 50) -> Queue:
    """What needs a person of this merchant, the oldest first."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.CASES_OF_MERCHANT, None, limit)
    return Queue(tuple(_case(row, context.now()) for row in rows), rows[0]["total"] if rows else 0)


async def one(context: Context, merchant: UUID, case_id: int) -> Case | None:
    """An open case, if this merchant has it."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.CASES_OF_MERCHANT, case_id, 1)
    return None if row is None else _case(row, context.now())


async def close(context: Context, case_id: int, hand: Person) -> None:
    """A person has dealt with it. Raises CaseError."""
    found = await _open(context, case_id, hand)
    async with context.db.as_merchant(found.merchant) as conn:
        await _close(conn, context, found, hand, "closed")


async def call_off(context: Context, case_id: int, hand: Person) -> None:
    """A person states that no money came. The gateway is asked on all the same: money that it turns
    out to have captured goes back by itself. Raises CaseError."""
    found = await _open(context, case_id, hand, UNRESOLVED)
    async with context.db.as_merchant(found.merchant) as conn:
        payment = await conn.fetchrow(LOCK_PAYMENT, UUID(found.subject))
        if payment is None or payment["state"] != "processing":
            raise CaseError("the payment is not processing any more")
        await transition(conn, PAYMENT, payment["id"], "DEADLINE", context.now(), due_at=None)
        await _vouched(conn, context, found, "payment", hand)
        await _close(conn, context, found, hand, "called_off")


async def find(context: Context, case_id: int, gateway_payment_id: str, hand: Person) -> None:
    """A person knows the id under which the gateway has the money: the gateway is asked about it,
    and its answer is booked like any other. Nothing is booked on a person's word. Raises
    CaseError."""
    found = await _open(context, case_id, hand, UNRESOLVED)
    async with context.db.as_merchant(found.merchant) as conn:
        accounts = await conn.fetch(store.ACCOUNTS_TRIED, UUID(found.subject))
    for row in accounts:
        account = await context.accounts.by_id(row["account_id"])
        fact = await account.driver.look(gateway_payment_id)
        if isinstance(fact, Absent):
            continue
        if isinstance(fact, Unclear):
            raise CaseError(f"the gateway does not say: {fact.reason}")
        await work_facts(
            context, account, (_as_ours(context, found, fact),), by=f"person {hand.by}"
        )
        async with context.db.as_merchant(found.merchant) as conn:
            if await conn.fetchval(LOCK_PAYMENT_STATE, UUID(found.subject)) == "processing":
                raise CaseError("that money is on record for something else")
            await _vouched(conn, context, found, "payment", hand)
            # The periodic update may have been quicker.
            await conn.execute(
                store.CLOSE_CASE, case_id, hand.by, "found", hand.note, context.now()
            )
            await hand.record(conn, context, found, "found")
        return
    raise CaseError(f"no gateway of this payment knows {gateway_payment_id}")


def _as_ours(context: Context, case: Case, fact: PaymentFact) -> PaymentFact:
    """Only what is captured, and is not marked as somebody else's. Raises CaseError."""
    if fact.taken is not Taken.CAPTURED:
        raise CaseError(f"the gateway says that this payment is {fact.taken}")
    mark = Mark(installation=context.installation, payment=case.subject)
    if fact.mark is not None and fact.mark.payment not in (None, case.subject):
        raise CaseError("the gateway has this payment under the mark of another one")
    return replace(fact, mark=mark)


async def paid_by_hand(context: Context, case_id: int, hand: Person) -> None:
    """A refund that the gateway would not make was paid out another way. Raises CaseError."""
    found = await _open(context, case_id, hand, OWED)
    async with context.db.as_merchant(found.merchant) as conn:
        refund = await conn.fetchrow(LOCK_REFUND, UUID(found.subject))
        if refund is None or refund["state"] != "owed":
            raise CaseError("the refund is not owed any more")
        now = context.now()
        await transition(conn, REFUND, refund["id"], "PAID_BY_HAND", now, ended_at=now, due_at=None)
        await _vouched(conn, context, found, "refund", hand)
        await _close(conn, context, found, hand, "paid_by_hand")


async def refund(context: Context, case_id: int, hand: Person) -> None:
    """A person who looked into it believes that nothing came: nobody knew, or a machine denied its
    own drop. The money goes back. Raises CaseError."""
    found = await _open(context, case_id, hand, CONTRADICTED, UNDECIDED)
    if found.kind == UNDECIDED:
        await _decide(context, found, hand, "refund", came=False)
        return
    async with context.db.as_merchant(found.merchant) as conn:
        said = (case_id, hand.by, hand.note, context.now())
        if not await conn.fetchval(store.REFUND_CASE, *said):
            raise CaseError("the case is closed, or the money of this unit went back before")
        await hand.record(conn, context, found, "refund")
    context.wakes.wake("refunds")


async def leave(context: Context, case_id: int, hand: Person) -> None:
    """A person believes that the goods came, as the machine first said, or where nobody knew: the
    sale stands. Raises CaseError."""
    found = await _open(context, case_id, hand, CONTRADICTED, UNDECIDED)
    if found.kind == UNDECIDED:
        await _decide(context, found, hand, "left", came=True)
        return
    async with context.db.as_merchant(found.merchant) as conn:
        await _close(conn, context, found, hand, "left")


async def _decide(context: Context, case: Case, hand: Person, how: str, *, came: bool) -> None:
    """The unit's way of selling settles it on the person's word, in a transaction of its own; who
    dies after that leaves a case that closes itself. Raises CaseError where it was settled
    meanwhile."""
    unit = await _unit(context, case)
    if unit["settlement"] is None:
        said = Testimony(came=came, by=hand.by)
        await handler(context, unit["kind"]).prove(context, unit, said)
        unit = await _unit(context, case)
        if unit["settlement"] == ("fulfilled" if came else "refund_due"):
            async with context.db.as_merchant(case.merchant) as conn:
                # The periodic update may have been quicker.
                said_so = (case.id, hand.by, how, hand.note, context.now())
                await conn.execute(store.CLOSE_CASE, *said_so)
                await hand.record(conn, context, case, how)
            return
    raise CaseError(f"case {case.id} was decided meanwhile")


async def _unit(context: Context, case: Case) -> asyncpg.Record:
    async with context.db.as_merchant(case.merchant) as conn:
        found = await conn.fetchrow(store.UNIT, UUID(case.subject))
    assert found is not None
    return found


async def _open(context: Context, case_id: int, hand: Person, *kinds: str) -> Case:
    db, whose = context.db, hand.merchant
    async with db.system_transaction() if whose is None else db.as_merchant(whose) as conn:
        row = await conn.fetchrow("SELECT * FROM cases WHERE id = $1", case_id)
    if row is None or row["closed_at"] is not None:
        raise CaseError(f"there is no open case {case_id}")
    if kinds and row["kind"] not in kinds:
        how = _ENDS.get(row["kind"], _CLOSED)
        raise CaseError(f"case {case_id} is a {row['kind']}, which does not end this way: it {how}")
    return _case(row, context.now())


async def _close(conn: Connection, context: Context, case: Case, hand: Person, how: str) -> None:
    done = await conn.fetchval(store.CLOSE_CASE, case.id, hand.by, how, hand.note, context.now())
    if not done:
        raise CaseError(f"case {case.id} was closed meanwhile")
    await hand.record(conn, context, case, how)


async def _vouched(
    conn: Connection, context: Context, case: Case, machine: str, hand: Person
) -> None:
    said = {"by": hand.by, "note": hand.note, "case": case.id}
    await conn.execute(
        TELL, case.merchant, machine, UUID(case.subject), "VOUCHED", said, context.now()
    )


def _case(row: asyncpg.Record, now: datetime) -> Case:
    return Case(
        id=row["id"], source=row["source"], kind=row["kind"], subject=row["subject"],
        owner=row["owner"],
        age_s=max(0, (now - row["opened_at"]) // timedelta(seconds=1)),
        amount=row["amount_minor"], currency=row["currency"], data=row["data"],
        since=row["since"], opened_at=row["opened_at"], merchant=row["merchant_id"],
        closed_at=row["closed_at"], closed_by=row["closed_by"], how=row["how"], note=row["note"],
    )  # fmt: skip
