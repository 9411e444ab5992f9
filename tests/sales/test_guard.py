"""What the database itself refuses, whoever asks: strangers, rewritten history, broken promises."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from coinslot.db.pool import Connection
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage
from tests.sales.taking import collected

APPENDED = (
    "events", "strays", "ledger", "exchanges", "device_events", "exposures", "corrections",
    "public_events", "delivery_tries", "order_refunds",
)  # fmt: skip


async def a_full_life(stage: Stage) -> None:
    """Rows in as many tables as one afternoon brings."""
    await stage.hello()
    await stage.sell()
    await stage.sweep()
    await stage.accept()
    await stage.started(event_seq=1)
    await stage.result("FAILED", drop="no", event_seq=2)
    await stage.sweep()
    stage.later(1)
    await stage.sell()
    await stage.sweep()
    await stage.accept()
    await stage.result(event_seq=3)


# They hold nothing of their own: the auditor sums the rows again and compares.
KEPT_SUMS = {
    "summed_days", "money_days", "unit_days", "figured_days", "figure_days", "figure_changes",
    "product_figure_days",
}  # fmt: skip


@asynccontextmanager
async def refused(stage: Stage, *errors: type[Exception]) -> AsyncIterator[Connection]:
    """A transaction of Asha's in which the next statement is refused."""
    with pytest.raises(errors):
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            yield conn


async def tables(stage: Stage, column: str) -> list[str]:
    rows = await stage.rows(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attname = $1"
        " ORDER BY 1", column,
    )  # fmt: skip
    return [row["relname"] for row in rows]


async def test_chandra_sees_nothing_of_ashas_in_any_table(stage: Stage) -> None:
    await a_full_life(stage)
    chandra = (await chandras_machine(stage)).merchant_id
    seen_by_asha = 0
    for table in await tables(stage, "merchant_id"):
        whose = f"SELECT count(*) FROM {table} WHERE merchant_id = $1"
        seen_by_asha += await stage.value(whose, stage.merchant) > 0
        async with stage.context.db.as_merchant(chandra) as conn:
            assert await conn.fetchval(whose, stage.merchant) == 0, table
    assert seen_by_asha >= 17
    async with stage.context.db.as_merchant(chandra) as conn:
        assert await conn.fetchval("SELECT count(*) FROM merchants") == 1


async def test_without_a_merchant_the_application_sees_nothing(stage: Stage) -> None:
    await a_full_life(stage)
    for table in await tables(stage, "merchant_id"):
        assert await stage.context.db.app.fetchval(f"SELECT count(*) FROM {table}") == 0, table


async def test_chandra_changes_nothing_of_ashas_and_writes_nothing_in_her_name(
    stage: Stage,
) -> None:
    await a_full_life(stage)
    chandra = (await chandras_machine(stage)).merchant_id
    async with stage.context.db.as_merchant(chandra) as conn:
        for table in ("orders", "payments", "slots", "outlets"):
            status = await conn.execute(
                f"UPDATE {table} SET merchant_id = $1 WHERE merchant_id = $2",
                chandra, stage.merchant,
            )  # fmt: skip
            assert status == "UPDATE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with stage.context.db.as_merchant(chandra) as conn:
            await conn.execute(
                "INSERT INTO events (merchant_id, machine, subject_id, event, at)"
                " VALUES ($1, 'order', $1, 'PAID', now())", stage.merchant,
            )  # fmt: skip


async def test_every_table_with_a_merchant_forces_row_level_security(stage: Stage) -> None:
    rows = await stage.rows(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relforcerowsecurity"
    )
    forced = {row["relname"] for row in rows}
    assert set(await tables(stage, "merchant_id")) | {"merchants"} <= forced


@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
async def test_what_is_appended_is_never_rewritten(stage: Stage, verb: str) -> None:
    for table in APPENDED:
        statement = {
            "UPDATE": f"UPDATE {table} SET merchant_id = merchant_id",
            "DELETE": f"DELETE FROM {table}",
            "TRUNCATE": f"TRUNCATE {table}",
        }[verb]
        async with refused(stage, asyncpg.InsufficientPrivilegeError) as conn:
            await conn.execute(statement)


async def test_nothing_is_deleted_by_the_application_but_sums_that_are_made_again(
    stage: Stage,
) -> None:
    tables_of_rows = set(await tables(stage, "merchant_id")) - KEPT_SUMS
    for table in [*tables_of_rows, "merchants", "transitions"]:
        async with refused(stage, asyncpg.InsufficientPrivilegeError) as conn:
            await conn.execute(f"DELETE FROM {table}")


async def test_what_a_webhook_said_is_never_rewritten(stage: Stage) -> None:
    for column in ("body", "facts", "verdict", "headers", "delivery_id"):
        async with refused(stage, asyncpg.InsufficientPrivilegeError) as conn:
            await conn.execute(f"UPDATE inbox SET {column} = NULL")


async def test_the_table_of_moves_is_not_the_applications_to_change(stage: Stage) -> None:
    async with refused(stage, asyncpg.InsufficientPrivilegeError) as conn:
        await conn.execute("UPDATE transitions SET next = 'completed'")
    async with refused(stage, asyncpg.InsufficientPrivilegeError) as conn:
        await conn.execute("INSERT INTO transitions VALUES ('order', 'failed', 'X', 'paid', '{}')")


async def test_the_door_leases_and_moves_nothing(stage: Stage) -> None:
    await a_full_life(stage)
    for statement in (
        "UPDATE orders SET state = 'completed'",
        "UPDATE captures SET open = 0",
        "UPDATE fulfillments SET settlement = 'fulfilled'",
        "DELETE FROM ledger",
        "INSERT INTO merchants VALUES (gen_random_uuid(), 'x', 'x', 'x', now())",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with stage.context.db.system_transaction() as conn:
                await conn.execute(statement)


async def test_a_settlement_is_set_once(stage: Stage) -> None:
    await a_full_life(stage)
    for change in (
        "settlement = 'fulfilled'",
        "basis = 'vended'",
        "settlement = NULL, basis = NULL",
    ):
        async with refused(stage, asyncpg.RaiseError, asyncpg.CheckViolationError) as conn:
            await conn.execute(f"UPDATE fulfillments SET {change} WHERE settlement = 'refund_due'")


async def test_a_settlement_by_policy_without_an_exposure_is_refused(stage: Stage) -> None:
    await stage.sell()
    async with refused(stage, asyncpg.RaiseError) as conn:
        await conn.execute("UPDATE fulfillments SET settlement = 'refund_due', basis = 'policy'")


async def test_promises_are_checks(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sell()
    await stage.sweep()
    await stage.accept()
    broken = {
        "never_sent_means_go_was_never_committed": "UPDATE fulfillments SET"
        " settlement = 'refund_due', basis = 'never_sent' WHERE sent_at IS NOT NULL",
        "silence_has_an_end": "UPDATE fulfillments SET due_at = NULL",
        "a_settlement_names_its_basis": "UPDATE fulfillments SET settlement = 'fulfilled'",
        "go_answers_an_accept": "UPDATE vend_units SET boot_id = 'b2' WHERE go_message IS NOT NULL",
        "captured_is_accounted_for": "UPDATE captures SET fulfilled = 4000",
        "we_never_give_back_more_than_is_due": "UPDATE captures SET refund_intended = 1",
    }
    for name, statement in broken.items():
        with pytest.raises(asyncpg.CheckViolationError) as caught:
            async with stage.context.db.as_merchant(stage.merchant) as conn:
                await conn.execute(statement)
        assert caught.value.constraint_name == name


async def test_one_machine_has_one_open_unit_and_each_seq_once(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sell()
    await stage.sweep()
    async with refused(stage, asyncpg.UniqueViolationError) as conn:
        await conn.execute("UPDATE vend_units SET open = true")
    async with refused(stage, asyncpg.UniqueViolationError) as conn:
        await conn.execute("UPDATE vend_units SET seq = 1")


async def test_a_ledger_that_does_not_balance_is_refused(stage: Stage) -> None:
    await stage.sell()
    async with refused(stage, asyncpg.RaiseError) as conn:
        await conn.execute(
            "INSERT INTO ledger (txn, merchant_id, capture_id, account, currency, amount, why, at)"
            " SELECT gen_random_uuid(), merchant_id, id, 'sales', currency, 1, 'x', now()"
            " FROM captures"
        )


@pytest.mark.parametrize("fact", ["captured", "currency", "gateway_payment_id", "captured_at"])
async def test_what_a_gateway_said_of_a_capture_cannot_be_rewritten(
    stage: Stage, fact: str
) -> None:
    await stage.sell()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await stage.rows(f"UPDATE captures SET {fact} = {fact}")


async def test_what_stands_is_not_rewritten(stage: Stage) -> None:
    await collected(stage)
    await stage.sweep()
    for statement in (
        "UPDATE idempotency_keys SET body = '{}' WHERE done_at IS NOT NULL",
        "UPDATE refunds SET amount_minor = 1",
        "UPDATE api_keys SET hash = '\\x00'",
    ):
        async with refused(stage, asyncpg.RaiseError, asyncpg.InsufficientPrivilegeError) as conn:
            await conn.execute(statement)
