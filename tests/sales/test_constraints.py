"""Each constraint by its name: what PostgreSQL refuses even of a hand that passes every trigger and
policy, and that it refuses no more than that."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from coinslot.db.pool import RawConnection
from tests.conftest import DatabaseUrls
from tests.sales.stage import Stage
from tests.sales.test_guard import a_full_life

# Constraint, table, what is written, and what may be written there at the least.
CHECKS = [
    ("captured_is_accounted_for", "captures", "open = open + 1", ""),
    ("captured_is_accounted_for", "captures", "captured = captured + 1", ""),
    ("captured_is_accounted_for", "captures", "surplus = surplus + 1", ""),
    ("captured_is_accounted_for", "captures", "foreign_amount = 1", ""),
    ("captures_check", "captures", "outside_used = 1", "outside = 1, outside_used = 0"),
    ("captures_check", "captures", "outside_used = -1", "outside_used = 0"),
    ("captures_refund_intended_check", "captures", "refund_intended = -1", "refund_intended = 0"),
    ("captures_open_check", "captures", "open = -1, fulfilled = captured + 1, refund_due = 0", ""),
    ("captures_surplus_check", "captures",
     "surplus = -1, fulfilled = captured + 1, refund_due = 0, refund_intended = 0", ""),
    ("captures_fulfilled_check", "captures",
     "fulfilled = -1, refund_due = captured + 1, refund_intended = 0", ""),
    ("captures_foreign_amount_check", "captures",
     "foreign_amount = -1, fulfilled = captured + 1, refund_due = 0, refund_intended = 0", ""),
    ("captures_refund_due_check", "captures",
     "refund_due = -1, fulfilled = captured + 1, refund_intended = 0", ""),
    ("captures_goodwill_check", "captures",
     "goodwill = -1, fulfilled = captured + 1, refund_due = 0, refund_intended = 0", ""),
    ("captured_is_accounted_for", "captures", "goodwill = 1", ""),
    ("we_never_give_back_more_than_is_due", "captures",
     "refund_intended = refund_due + surplus + 1", "refund_intended = refund_due + surplus"),
    ("a_settlement_names_its_basis", "fulfillments", "basis = NULL", ""),
    ("a_settlement_names_its_basis", "fulfillments", "settlement = NULL", ""),
    ("fulfillments_amount_minor_check", "fulfillments", "amount_minor = -1, tax_minor = 0",
     "amount_minor = 0"),
    ("included_tax_is_a_part_of_its_unit", "fulfillments", "tax_minor = amount_minor + 1",
     "tax_minor = amount_minor"),
    ("included_tax_is_a_part_of_its_unit", "fulfillments", "tax_minor = -1", "tax_minor = 0"),
    ("what_costs_money_has_its_capture", "fulfillments", "capture_id = NULL",
     "capture_id = NULL, amount_minor = 0"),
    ("every_piece_has_its_sum", "order_lines", "unit_minor = '{1,1}'", "unit_minor = '{1}'"),
    ("every_piece_has_its_sum", "order_lines", "tax_minor = '{1,1}'", "tax_minor = '{1}'"),
    ("every_piece_has_its_sum", "order_lines", "unit_minor = '{}'", "unit_minor = NULL"),
    ("no_piece_costs_more_than_its_price", "order_lines", "unit_minor = '{4001}'",
     "unit_minor = '{4000}'"),
    ("no_piece_costs_more_than_its_price", "order_lines", "unit_minor = '{-1}'",
     "unit_minor = '{0}'"),
    ("fulfillments_settlement_check", "fulfillments", "settlement = 'both'",
     "settlement = 'refund_due'"),
    ("fulfillments_settlement_check", "fulfillments", "settlement = 'neither'",
     "settlement = 'fulfilled'"),
    ("go_answers_an_accept", "vend_units", "accept = NULL", ""),
    ("go_answers_an_accept", "vend_units", "boot_id = 'another'", ""),
    ("never_sent_means_go_was_never_committed", "fulfillments", "basis = 'never_sent'", ""),
    ("never_sent_means_go_was_never_committed", "fulfillments", "basis = 'rejected'",
     "basis = 'rejected', sent_at = NULL"),
    ("silence_has_an_end", "fulfillments", "settlement = NULL, basis = NULL, due_at = NULL", ""),
    ("silence_has_an_end", "fulfillments",
     "settlement = NULL, basis = NULL, due_at = hard_deadline + interval '1 microsecond'",
     "settlement = NULL, basis = NULL, due_at = hard_deadline"),
    ("ledger_amount_check", "ledger", "amount = 0", "amount = 1"),
    ("ledger_account_check", "ledger", "account = 'till'", "account = 'fees'"),
    ("ledger_account_check", "ledger", "account = ''", "account = 'foreign'"),
    ("order_lines_cost_minor_check", "order_lines", "cost_minor = -1", "cost_minor = 0"),
    ("order_lines_price_minor_check", "order_lines", "price_minor = -1, unit_minor = NULL",
     "price_minor = 0, unit_minor = NULL"),
    ("order_lines_quantity_check", "order_lines", "quantity = 0", "quantity = 1"),
    ("order_lines_quantity_check", "order_lines", "quantity = 11", "quantity = 10"),
    ("orders_amount_minor_check", "orders", "amount_minor = -1", "amount_minor = 0"),
    ("orders_source_check", "orders", "source = 'x'", "source = 'page'"),
    ("payments_amount_minor_check", "payments", "amount_minor = 0", "amount_minor = 1"),
    ("payments_capture_method_check", "payments", "capture_method = 'x'",
     "capture_method = 'manual'"),
    ("an_order_or_the_api", "payments", "source = 'api'", "source = 'api', order_id = NULL"),
    ("an_order_or_the_api", "payments", "order_id = NULL", ""),
    ("products_price_minor_check", "products", "price_minor = 0", "price_minor = 1"),
    ("products_cost_minor_check", "products", "cost_minor = -1", "cost_minor = 0"),
    ("slots_price_minor_check", "slots", "price_minor = 0", "price_minor = 1"),
    ("slots_stock_check", "slots", "stock = -1", "stock = 0"),
    ("outlets_id_check", "outlets", "id = ''", "id = 'x'"),
    ("outlets_id_check", "outlets", "id = 'M 1'", "id = 'M-1_a'"),
    ("outlets_id_check", "outlets", f"id = '{33 * 'x'}'", f"id = '{32 * 'x'}'"),
    ("outlets_dialect_check", "outlets", "dialect = 'x'", "dialect = 'simple'"),
    ("outlets_kind_check", "outlets", "kind = ''", "kind = 'coffee'"),
    ("outlets_kind_check", "outlets", "kind = 'a b'", "kind = 'a_b'"),
    ("windows_are_positive_numbers", "outlets", """windows = '{"offer_s": 0}'""",
     """windows = '{"offer_s": 0.1}'"""),
    ("windows_are_positive_numbers", "outlets", """windows = '{"offer_s": "5"}'""", ""),
    ("windows_are_positive_numbers", "outlets", "windows = '[5]'", "windows = '{}'"),
    ("qr_codes_amount_minor_check", "qr_codes", "amount_minor = 0", "amount_minor = 1"),
    ("qr_codes_stage_check", "qr_codes", "stage = 'x'", "stage = 'closing'"),
    ("qr_codes_check", "qr_codes", "qr_code_id = NULL", "qr_code_id = NULL, stage = 'wanted'"),
    ("qr_codes_check", "qr_codes", "qr_code_id = NULL, stage = 'closing'",
     "qr_code_id = NULL, stage = 'closed'"),
    ("refunds_amount_minor_check", "refunds", "amount_minor = 0", "amount_minor = 1"),
    ("refunds_origin_check", "refunds", "origin = 'x'", "origin = 'gateway'"),
    ("inbox_verdict_check", "inbox", "verdict = 'x'", "verdict = 'forged'"),
    ("inbox_verdict_check", "inbox", "verdict = 'y'", "verdict = 'own'"),
    ("a_hint_names_what_to_ask_about", "inbox", "verdict = 'hint'",
     "verdict = 'hint', reference = 'pay_1'"),
    ("device_events_event_seq_check", "device_events", "event_seq = 0", "event_seq = 9"),
    ("a_jump_goes_forward", "device_journals", "jumped_from = 2, jumped_to = 2",
     "jumped_from = 2, jumped_to = 3"),
    ("a_jump_goes_forward", "device_journals", "jumped_to = 3", "jumped_from = 0, jumped_to = 3"),
    ("a_jump_goes_forward", "device_journals", "jumped_from = 3", ""),
    ("device_journals_skipped_check", "device_journals", "skipped = -1", "skipped = 0"),
]  # fmt: skip

# Index, table, and what else must differ for only this one to be in the way.
UNIQUES: list[tuple[str, str, dict[str, object]]] = [
    ("captures_account_id_gateway_payment_id_key", "captures", {"id": ...}),
    ("orders_token_key", "orders", {"id": ...}),
    ("products_merchant_id_sku_key", "products", {"id": ...}),
    ("merchants_slug_key", "merchants", {"id": ...}),
    ("gateway_accounts_gateway_slug_key", "gateway_accounts", {"id": ...}),
    ("vend_units_outlet_id_seq_key", "vend_units", {"id": ...}),
    ("refunds_key_key", "refunds", {"id": ..., "gateway_refund_id": "x", "fulfillment_id": None}),
    ("refunds_account_id_gateway_refund_id_key", "refunds",
     {"id": ..., "key": "x", "fulfillment_id": None}),
    ("refunds_one_live", "refunds", {"id": ..., "key": "x", "gateway_refund_id": "x"}),
    ("inbox_delivery", "inbox", {"id": ...}),
    ("inbox_own", "inbox", {"id": ..., "verdict": "own"}),
    ("qr_codes_account_id_qr_code_id_key", "qr_codes", {"id": ..., "slot": "B1"}),
    ("qr_codes_printed", "qr_codes", {"id": ..., "qr_code_id": "x"}),
    ("attempts_number", "attempts", {"id": ..., "key": "x"}),
]  # fmt: skip
# What stands once, and among which rows; there may be more.
ONCE = {
    "api_keys_hash_key": "",
    "attempts_key_key": "",
    "attempts_number": "",
    "attempts_page_key": "(page_key IS NOT NULL)",
    "captures_account_id_gateway_payment_id_key": "",
    "cases_one_open": "(closed_at IS NULL)",
    "deliveries_endpoint_id_seq_key": "",
    "discrepancies_once": "",
    "disputes_account_id_gateway_dispute_id_key": "",
    "gateway_accounts_gateway_slug_key": "",
    "inbox_delivery": "(verdict = 'genuine'::text)",
    "inbox_hint": "(verdict = 'hint'::text)",
    "inbox_own": "(verdict = 'own'::text)",
    "inbox_unreadable": "(verdict = 'unreadable'::text)",
    "merchants_slug_key": "",
    "order_extras_kind": "",
    "order_refunds_key": "",
    "orders_client_key_key": "",
    "orders_token_key": "",
    "products_merchant_id_sku_key": "",
    "public_events_id_key": "",
    "qr_codes_account_id_qr_code_id_key": "(qr_code_id IS NOT NULL)",
    "qr_codes_attempt": "(attempt_id IS NOT NULL)",
    "qr_codes_printed": "((payment_id IS NULL) AND (retired_at IS NULL))",
    "refunds_account_id_gateway_refund_id_key": "(gateway_refund_id IS NOT NULL)",
    "refunds_key_key": "",
    "refunds_one_live": (
        "((fulfillment_id IS NOT NULL) AND (state = ANY (ARRAY['pending'::text,"
        " 'succeeded'::text, 'owed'::text])))"
    ),
    "refunds_one_live_part": (
        "((part_id IS NOT NULL) AND (state = ANY (ARRAY['pending'::text,"
        " 'succeeded'::text, 'owed'::text])))"
    ),
    "refunds_replaces_key": "",
    "vend_units_one_open": "open",
    "vend_units_outlet_id_seq_key": "(seq IS NOT NULL)",
}
# Counters begin at nothing, but for these, which begin with the first.
FIRST = (
    "version",
    "applied_version",
    "number",
    "settings_version",
    "next_seq",
    "told",
    "planogram_version",
    "price_version",
    "config_version",
    "key_id",
    "code_version",
)
_LIVED = "SELECT ctid FROM {table} ORDER BY ctid DESC LIMIT 1"


@pytest.fixture
async def hand(stage: Stage, urls: DatabaseUrls) -> AsyncIterator[RawConnection]:
    """A hand that no trigger and no policy holds back; what it does is taken back."""
    await a_full_life(stage)
    conn = await asyncpg.connect(urls.superuser)
    await conn.execute("SET session_replication_role = replica")
    yield conn
    await conn.close()


async def write(hand: RawConnection, table: str, set_: str) -> None:
    """Into one row, the youngest; nothing of it stays."""
    trial = hand.transaction()
    await trial.start()
    try:
        row = _LIVED.format(table=table)
        assert await hand.execute(f"UPDATE {table} SET {set_} WHERE ctid = ({row})") == "UPDATE 1"
    finally:
        await trial.rollback()


async def test_every_check_refuses_what_its_name_says_and_no_more(hand: RawConnection) -> None:
    for name, table, wrong, right in CHECKS:
        with pytest.raises(asyncpg.CheckViolationError) as refusal:
            await write(hand, table, wrong)
        assert refusal.value.constraint_name == name, wrong
        if right:
            await write(hand, table, right)


async def test_what_is_unique_stands_there_once(hand: RawConnection) -> None:
    for name, table, other in UNIQUES:
        changes = {k: str(uuid4()) if v is ... else v for k, v in other.items()}
        if table == "inbox":
            changes["id"] = await hand.fetchval("SELECT max(id) + 1 FROM inbox")
        if "verdict" in changes:
            await hand.execute(f"UPDATE inbox SET verdict = '{changes['verdict']}'")
        with pytest.raises(asyncpg.UniqueViolationError) as refusal:
            await hand.execute(
                f"INSERT INTO {table} OVERRIDING SYSTEM VALUE"
                " SELECT (jsonb_populate_record(t, $1::text::jsonb)).*"
                f" FROM {table} t WHERE ctid = ({_LIVED.format(table=table)})",
                json.dumps(changes),
            )
        assert refusal.value.constraint_name == name


async def test_every_index_that_keeps_things_single_is_there_and_no_narrower(
    stage: Stage,
) -> None:
    rows = await stage.rows(
        "SELECT indexrelid::regclass::text AS name,"
        " coalesce(pg_get_expr(indpred, indrelid), '') AS among FROM pg_index WHERE indisunique"
    )
    found = {row["name"]: row["among"] for row in rows}
    assert {name: found.get(name) for name in ONCE} == ONCE


async def test_counters_begin_at_nothing_and_versions_at_one(stage: Stage) -> None:
    rows = await stage.rows(
        "SELECT table_name || '.' || column_name AS name, column_name AS word,"
        " column_default AS begins FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_default ~ '^-?[0-9]+$'"
    )
    assert len(rows) > 40
    for row in rows:
        if row["word"].endswith(("_limit", "_min")):
            continue  # a limit that nobody set counts nothing, and minutes are a setting
        assert row["begins"] == ("1" if row["word"] in FIRST else "0"), row["name"]


async def test_a_payment_is_live_and_a_machine_blind_until_it_is_said_otherwise(
    stage: Stage,
) -> None:
    rows = await stage.rows(
        "SELECT table_name || '.' || column_name AS name, column_default AS begins"
        " FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_default IN ('true', 'false')"
    )
    begins = {row["name"]: row["begins"] for row in rows}
    assert begins["devices.has_sensor"] == "false"
    assert begins["devices.mdb"] == begins["vend_units.mdb"] == "false"
    assert begins["payments.live"] == "true"
