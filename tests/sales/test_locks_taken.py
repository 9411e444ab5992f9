"""Each lock of a row is taken: what is read under it is not read before another one's change. The
scenes of `test_lock_order.py` stand at most of them; here the rest is asked by itself."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import asyncpg
import pytest

from coinslot.db.pool import Connection, RawConnection
from coinslot.fleet import store as fleet
from coinslot.orders import store as orders
from coinslot.payments import idempotency, receipt_store
from coinslot.payments import store as payments
from coinslot.vending import store as vending
from tests.conftest import DatabaseUrls
from tests.sales.lock_places import ROOMS, STANDS, all_places, place_of
from tests.sales.stage import Stage
from tests.sales.test_lock_order import _covered, stopped


class Asked(NamedTuple):
    """An SQL function, and the lock that it stands at while somebody else holds that table."""

    place: str
    sql: str


NOW = "now()"
CAPTURE, OURS = "(SELECT id FROM captures)", "(SELECT id FROM refunds WHERE origin = 'ours')"
UNIT, ORDER = "(SELECT id FROM fulfillments)", "(SELECT id FROM orders)"
ACCOUNT = "(SELECT a FROM gateway_accounts a)"
OUTSIDE = "(SELECT r FROM refunds r WHERE origin = 'gateway')"
PAID = "(SELECT gateway_payment_id FROM captures)"
FUNCTIONS = (
    Asked("captures by accept_capture", f"""accept_capture({ACCOUNT}, jsonb_build_object(
        'gateway_payment_id', {PAID}, 'at', {NOW}, 'money',
        '{{"amount": 4000, "currency": "INR"}}'::jsonb),
        '{{"capture_s": 9, "match_s": 9}}', {NOW})"""),
    Asked("captures by return_capture", f"return_capture({CAPTURE}, 'unknown_qr', {NOW})"),
    Asked("captures by close_foreign", f"close_foreign({CAPTURE}, '{{}}', {NOW})"),
    Asked("captures by owe_refund", f"owe_refund({CAPTURE}, NULL, 1, 'x', {NOW})"),
    Asked("captures by refund_make_smaller", f"refund_make_smaller({OURS}, {NOW})"),
    Asked("captures by refund_try_anew", f"refund_try_anew({OURS}, {NOW})"),
    Asked("captures by regain", f"regain({CAPTURE}, 1, {NOW})"),
    Asked("captures by forgo_outside", f"forgo_outside({CAPTURE}, {NOW})"),
    Asked("captures by delivery_failed", f"delivery_failed({ORDER}, {NOW})"),
    Asked("captures by cover_by", f"cover_by({OUTSIDE}, {OURS}, {NOW})"),
    Asked("refunds by cover_by", f"cover_by({OUTSIDE}, {OURS}, {NOW})"),
    Asked("captures by note_fee", f"""note_fee({ACCOUNT}, jsonb_build_object(
        'gateway_payment_id', {PAID}, 'fee', '{{"amount": 1, "currency": "INR"}}'::jsonb),
        {NOW})"""),
    Asked("captures by note_settled_lines", f"""note_settled_lines({ACCOUNT}, jsonb_build_array(
        jsonb_build_object('gateway_payment_id', {PAID}, 'currency', 'INR', 'fee', 1)), {NOW})"""),
    Asked("captures by note_sum", f"""note_sum({ACCOUNT}, jsonb_build_object(
        'gateway_payment_id', {PAID}), 'look', '{{}}', {NOW})"""),
    Asked("slots by note_vend", f"note_vend({UNIT}, 'fell', {NOW})"),
    # A move of a unit books on its capture, whose row comes first; and then its own row.
    Asked("captures by transition_fulfillment",
          f"transition_fulfillment({UNIT}, 'x', '{{}}', {NOW})"),
    Asked("fulfillments by transition_fulfillment",
          f"transition_fulfillment({UNIT}, 'x', '{{}}', {NOW})"),
    Asked("orders by transition_order", f"transition_order({ORDER}, 'x', '{{}}', {NOW})"),
    Asked("refunds by transition_refund", f"transition_refund({OURS}, 'x', '{{}}', {NOW})"),
    Asked("receipts by transition_receipt",
          f"transition_receipt((SELECT id FROM receipts), 'x', '{{}}', {NOW})"),
)  # fmt: skip


@pytest.fixture
async def receipt(stage: Stage, urls: DatabaseUrls) -> AsyncIterator[None]:
    """A receipt of a refund, which is gone before the auditor comes: it says nothing."""
    await _covered(1000)(stage)
    await stage.rows(
        "INSERT INTO receipts (id, merchant_id, account_id, kind, refund_id, state, amount_minor,"
        " currency, body, created_at) SELECT id, merchant_id, account_id, 'refund', id, 'sent',"
        " amount_minor, currency, '{}', now() FROM refunds WHERE origin = 'ours' RETURNING id"
    )
    yield
    conn = await asyncpg.connect(urls.superuser)
    await conn.execute("DELETE FROM events WHERE machine = 'receipt'; DELETE FROM receipts")
    await conn.close()


async def _stands_at(
    conn: Connection, holder: RawConnection, looker: RawConnection, table: str, sql: str
) -> list[str]:
    """The locks at which a statement stands while all rows of a table are held."""
    await holder.execute(f"BEGIN; SELECT FROM {table} FOR NO KEY UPDATE")
    work = asyncio.ensure_future(conn.execute(sql))
    places: list[str] = []
    if (pid := await stopped(looker, work)) is not None:
        await looker.execute("SELECT pg_cancel_backend($1)", pid)
    try:
        await work
    except asyncpg.QueryCanceledError as error:
        places = list(place_of(error, sql))
    await holder.execute("ROLLBACK")
    return places


async def test_every_function_waits_for_its_row_before_it_reads_it(
    stage: Stage, receipt: None, holder: RawConnection, looker: RawConnection
) -> None:
    wrong = []
    for place, sql in FUNCTIONS:
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            await conn.execute("SAVEPOINT here")
            stood = await _stands_at(conn, holder, looker, place.split()[0], f"SELECT {sql}")
            await conn.execute("ROLLBACK TO here")
        if place not in stood:
            wrong.append(f"{place}: stood at {stood}")
    assert wrong == []


# Statements of Python, each with the row that it has to hold afterwards and how it is called.
STATEMENTS = (
    (orders, "LOCK_SLOT", "slots", ("M01", "A1")),
    (orders, "LOCK_OUTLET", "outlets", ("M01",)),
    (orders, "LOCK_OUTLET_WINDOWS", "outlets", ("M01",)),
    (payments, "LOCK_OUTLET_ROW", "outlets", ("M01",)),
    (payments, "LOCK_SENDS", "attempts", "SELECT id FROM attempts"),
    (payments, "LOCK_PAYMENT_STATE", "payments", "SELECT id FROM payments"),
    (payments, "LOCK_PAYMENT", "payments", "SELECT id FROM payments"),
    (receipt_store, "LOCK", "receipts", "SELECT id FROM receipts"),
    (fleet, "LOCK_MACHINE", "outlets", "SELECT id, merchant_id FROM outlets"),
    (fleet, "LOCK_SLOTS", "slots", ("M01",)),
    (fleet, "LOCK_DEVICE", "devices", ("M01",)),
    (fleet, "SLOT_TO_TEST", "slots", ("M01", "A1")),
    (vending, "RECORD_HEARTBEATS", "devices",
     "SELECT array_agg(id), array_agg(now()) FROM outlets"),
    (idempotency, "_FIND", "idempotency_keys",
     "SELECT merchant_id, endpoint, key FROM idempotency_keys"),
)  # fmt: skip


async def test_every_statement_that_locks_holds_its_row(
    stage: Stage, receipt: None, looker: RawConnection
) -> None:
    await stage.rows(
        "INSERT INTO idempotency_keys (merchant_id, endpoint, key, request_hash, started_at,"
        " locked_until) VALUES ($1, 'create', 'k', 'h', now(), now()) RETURNING key",
        stage.merchant,
    )
    wrong = []
    for room, name, table, given in STATEMENTS:
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            values = await conn.fetchrow(given) if isinstance(given, str) else given
            await conn.fetch(getattr(room, name), *values)  # type: ignore[misc]
            free = f"SELECT FROM {table} FOR NO KEY UPDATE SKIP LOCKED"
            if await looker.fetch(free):
                wrong.append(name)
    assert wrong == []


# Locks that are held to by other files: by what steps around a row, or is made of it.
ELSEWHERE = {
    "tests/feeds/test_around_a_held_row.py": {"_priced"},
    "tests/rollouts/test_locks.py": {"transition_rollout", "transition_machine_update"},
    "tests/db/test_prune_one_by_one.py": {"prune_keys", "prune_deliveries"},
    "the functions that are made of it": {"_FIRST", "_TRANSITION"},
}  # fmt: skip


# Of machines' new codes, and of addresses to forget: nothing holds to them yet.
NOT_YET = {"want", "forget_contacts"}


def test_every_lock_of_money_and_goods_is_held_to_by_a_test() -> None:
    """One that is new stands in a scene of `test_lock_order.py`, or is asked here by itself."""
    stood = {place for places in STANDS.values() for place in places}
    here = {place.split(" by ")[1] for place in (*stood, *(asked.place for asked in FUNCTIONS))}
    here |= {name for _, name, _, _ in STATEMENTS}
    elsewhere = set().union(*ELSEWHERE.values())
    assert all_places(ROOMS) - here - elsewhere <= NOT_YET
    assert (here | elsewhere) - all_places() == set(), "these lock nothing any more"
