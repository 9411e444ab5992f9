"""Sales to spoil, and one way or more to break each invariant of theirs by hand.

Each break touches its own invariant alone, so that exactly one check may turn red.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from msgspec.structs import replace

from coinslot.gateways.base import RefundStage
from coinslot.orders.order_refunds import OrderRefund, refund
from coinslot.oversight import cases, day_sums, figures, privacy
from coinslot.oversight.cases import Person
from tests.sales.payers import two_ways
from tests.sales.receipting import DONE, TERMS, bought, receipting
from tests.sales.stage import Stage
from tests.sales.taking import collected
from tests.sales.telling import delivered, owing
from tests.sales.test_extras import FEE, TIP, ordered
from tests.sales.test_partly import drop, jam
from tests.sales.weather import in_weather

Tale = Callable[[Stage], Awaitable[None]]


async def accepted(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep()
    await stage.accept()


async def summed(stage: Stage) -> None:
    """A can of a day that is over, and whose sums are kept."""
    await sold(stage)
    stage.later(2 * 86_400)
    await stage.sweep()
    await day_sums.due(stage.context)
    await figures.due(stage.context)


async def sold(stage: Stage) -> None:
    await accepted(stage)
    await stage.started()
    await stage.result(evidence={"drop": "yes", "counter_before": 7, "counter_after": 8})


async def jammed(stage: Stage) -> None:
    await accepted(stage)
    await stage.started()
    await stage.result("FAILED", drop="no", failure_code="JAM")
    await stage.sweep()


async def waiting(stage: Stage) -> None:
    await stage.sell()


async def two_waiting(stage: Stage) -> None:
    await accepted(stage)
    await stage.sell()


async def never_sent(stage: Stage) -> None:
    await stage.sell()
    stage.later(121)
    await stage.sweep()


async def silent(stage: Stage) -> None:
    await accepted(stage)
    await stage.silence()


async def parked(stage: Stage) -> None:
    """Money on the same account that came through no code of ours."""
    stage.qr_code_id = "qr_of_a_stranger"
    await stage.webhook(await stage.pay())


async def jammed_and_sold(stage: Stage) -> None:
    await jammed(stage)
    stage.later(1)
    await stage.sell()
    await stage.sweep()
    await stage.accept()
    await stage.result(event_seq=3)


async def contradicted(stage: Stage) -> None:
    await sold(stage)
    await stage.result("FAILED", drop="no", event_seq=3)
    await stage.sweep()


async def given_back_by_a_person(stage: Stage) -> None:
    await contradicted(stage)
    (case,) = await cases.listed(stage.context)
    await cases.refund(stage.context, case.id, Person("asha", "seen on the camera"))
    await stage.sweep()


async def refunded_by_a_person(stage: Stage, *, then: bool = True) -> None:
    await (sold if then else accepted)(stage)
    order = await stage.value("SELECT id FROM orders")
    wanted = OrderRefund(order=order, key="k", by="asha", reason="it was warm", amount=1500)
    await refund(stage.context, stage.merchant, wanted)
    await stage.sweep()


async def refund_waits(stage: Stage) -> None:
    await refunded_by_a_person(stage, then=False)


async def forgotten(stage: Stage) -> None:
    """A can whose customer asked to be forgotten."""
    await sold(stage)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "INSERT INTO forgotten_orders (order_id, merchant_id, asked_by, reason, asked_at)"
            " SELECT id, merchant_id, 'asha', 'asked', $1 FROM orders", stage.clock.now(),
        )  # fmt: skip
    assert await privacy.forget_waiting(stage.context) == 1


async def revived(stage: Stage) -> None:
    """A refund failed there, and was made after all before the next was sent."""
    weather = in_weather(stage)
    await never_sent(stage)
    failed = weather.end_refund(weather.sent[0].key, RefundStage.FAILED)
    await stage.webhook(failed, event="refund.failed")
    made = weather.end_refund(weather.sent[0].key, RefundStage.PROCESSED)
    await stage.webhook(made, event="refund.processed")
    await stage.sweep()


async def tipped(stage: Stage) -> None:
    await ordered(stage, TIP, FEE, pieces=2)
    await jam(stage, 1)
    await drop(stage, 2)


async def tip_goes_back(stage: Stage) -> None:
    await ordered(stage, TIP, FEE)
    await jam(stage, 1)


async def way_changed(stage: Stage) -> None:
    """Its customer left a page and waits at another."""
    payers = await two_ways(stage)
    order = await payers.order()
    await payers.tap(order, 1)
    await payers.tap(order, 0)
    await stage.sweep()


async def prepaid(stage: Stage) -> None:
    """Paid in advance and handed over: both receipts are registered."""
    till = await receipting(stage)
    till.receipt_terms, till.answer = replace(TERMS, mode="full_prepayment"), DONE
    await bought(stage, till)
    await stage.sweep()
    await drop(stage, 1)
    for _ in range(3):
        stage.later(60)
        await stage.sweep()


async def receipted(stage: Stage) -> None:
    """Paid at a gateway that has receipts registered, and given back: both are registered."""
    till = await receipting(stage)
    till.answer = DONE
    await bought(stage, till)
    stage.later(121)
    await stage.sweep()
    stage.later(60)
    await stage.sweep()


TALES = (
    way_changed, receipted, prepaid,
    tipped, tip_goes_back,
    revived,
    refunded_by_a_person, refund_waits,
    jammed_and_sold, contradicted, given_back_by_a_person,
    accepted, sold, jammed, waiting, two_waiting, never_sent, silent, parked, delivered, owing,
)  # fmt: skip


class Break(NamedTuple):
    """One invariant, a sale, and the statements that break it. `guard`: what had to go before."""

    name: str
    tale: Tale
    sql: str
    guard: str = ""

    @property
    def red(self) -> set[str]:
        return {self.name, "the_guards_stand"} if self.guard else {self.name}


def booked(debit: str, credit: str, amount: int) -> str:
    """A movement on every capture's ledger that no verb of ours made."""
    return (
        "INSERT INTO ledger (txn, merchant_id, capture_id, account, currency, amount, why, at)"
        " SELECT id, merchant_id, id, side.account, currency, side.amount, 'by hand', seen_at"
        f" FROM captures, (VALUES ('{debit}', {amount}), ('{credit}', {-amount}))"
        " AS side (account, amount);"
    )


def refunded(origin: str, unit: str) -> str:
    """One minor unit more, given back."""
    return (
        "INSERT INTO refunds (id, merchant_id, account_id, capture_id, fulfillment_id, origin,"
        " state, amount_minor, currency, reason, key, created_at, hard_deadline)"
        f" SELECT gen_random_uuid(), merchant_id, account_id, capture_id, {unit}, '{origin}',"
        " 'succeeded', 1, currency, reason, 'k', created_at, hard_deadline FROM refunds;"
    )


LONG_AGO = "'2026-11-21T10:00Z'"
SOME_DAY = "'2027-11-21T12:00Z'"

MONEY = [
    Break("ledger_agrees_with_captures", sold, "UPDATE captures SET fee_minor = 94"),
    Break(
        "lost_disputes_are_refunds", sold,
        "INSERT INTO disputes (id, merchant_id, account_id, capture_id, gateway_dispute_id, stage,"
        " amount_minor, currency, reason, opened_at, told_at) SELECT id, merchant_id, account_id,"
        " id, 'd', 'lost', 1, currency, '', seen_at, seen_at FROM captures",
    ),
    Break(
        "captures_are_accounted_for", sold,
        f"UPDATE captures SET open = 1, due_at = {SOME_DAY}",
        "ALTER TABLE captures DROP CONSTRAINT captured_is_accounted_for",
    ),
    Break(
        "counters_equal_units_and_surplus", waiting,
        "UPDATE captures SET open = 3999, fulfilled = 1;" + booked("obligations", "sales", 1),
    ),
    Break(
        "every_capture_buys_goods_or_says_why", parked,
        "UPDATE captures SET qr_id = (SELECT id FROM qr_codes)",
    ),
    Break(
        "every_capture_is_settled_within_its_bound", parked,
        f"UPDATE captures SET hard_deadline = {LONG_AGO}",
    ),
    Break("every_debt_has_its_refund", jammed, "UPDATE captures SET refund_intended = 0"),
    Break(
        "every_debt_has_its_refund", jammed,
        "DELETE FROM refunds; DELETE FROM ledger WHERE why = 'refunded'",
    ),
    Break(
        "every_ledger_movement_balances", sold,
        "UPDATE ledger SET txn = gen_random_uuid() WHERE account = 'sales'",
    ),
    Break("ledger_agrees_with_captures", sold, "DELETE FROM ledger WHERE why = 'handed_over'"),
    Break(
        "refunds_do_not_exceed_captures", jammed,
        "UPDATE captures SET outside = 1;" + refunded("gateway", "NULL")
        + booked("refunds_outside", "gateway", 1),
    ),
    Break(
        "one_live_refund_per_unit", jammed,
        refunded("ours", "fulfillment_id")
        + "UPDATE refunds SET amount_minor = 3999 WHERE key <> 'k';"
        "UPDATE refunds SET version = 2 WHERE key = 'k';"
        "INSERT INTO events (merchant_id, machine, subject_id, event, was, state, at)"
        " SELECT merchant_id, 'refund', id, 'PROVED', 'pending', 'succeeded', created_at"
        " FROM refunds WHERE key = 'k'",
        "DROP INDEX refunds_one_live",
    ),
    Break(
        "one_live_refund_per_unit", refunded_by_a_person,
        "UPDATE refunds SET amount_minor = 1499; INSERT INTO refunds (id, merchant_id, account_id,"
        " capture_id, part_id, origin, state, version, amount_minor, currency, reason, key,"
        " created_at, hard_deadline) SELECT gen_random_uuid(), merchant_id, account_id, capture_id,"
        " part_id, origin, state, 2, 1, currency, reason, 'k', created_at, hard_deadline"
        " FROM refunds;"
        "INSERT INTO events (merchant_id, machine, subject_id, event, was, state, at)"
        " SELECT merchant_id, 'refund', id, 'PROVED', 'pending', 'succeeded', created_at"
        " FROM refunds WHERE key = 'k'",
        "DROP INDEX refunds_one_live_part",
    ),
    Break(
        "counters_equal_units_and_surplus", refunded_by_a_person,
        "UPDATE order_refund_parts SET amount_minor = 1501",
    ),
    Break(
        "counters_equal_units_and_surplus", refunded_by_a_person,
        "UPDATE captures SET goodwill = goodwill - 1, refund_due = refund_due + 1",
    ),
    Break(
        "refunds_by_people_rest_on_their_units", refund_waits, "DELETE FROM order_refund_parts",
    ),
    Break(
        "refunds_by_people_rest_on_their_units", refund_waits,
        "UPDATE order_refund_parts SET amount_minor = 4001",
    ),
    Break(
        "refunds_by_people_rest_on_their_units", refund_waits,
        "UPDATE order_refund_parts SET outcome = 'withdrawn', ended_at = now()",
    ),
    Break(
        "refunds_by_people_rest_on_their_units", refund_waits,
        "UPDATE order_refund_parts SET capture_id = gen_random_uuid()",
    ),
    Break(
        "refunds_made_after_all_are_booked", revived,
        "UPDATE refunds SET gateway_refund_id = 'another' WHERE origin = 'gateway'",
    ),
    Break(
        "orders_are_the_sum_of_units_and_extras", sold,
        "UPDATE order_lines SET unit_minor = '{3999}'",
    ),
    Break(
        "orders_are_the_sum_of_units_and_extras", tipped,
        "UPDATE fulfillments SET tax_minor = 1 WHERE settlement = 'fulfilled'",
    ),
    Break(
        "extras_end_as_their_order_did", tipped,
        "UPDATE order_extras SET basis = 'not_handed_over' WHERE kind = 'tip'",
    ),
    Break(
        "extras_end_as_their_order_did", tip_goes_back,
        "UPDATE order_extras SET basis = 'delivery_failed'",
    ),
    Break(
        "extras_end_as_their_order_did", tip_goes_back,
        "UPDATE order_extras SET basis = 'withdrawn' WHERE kind = 'tip'",
    ),
    Break(
        "counters_equal_units_and_surplus", tipped,
        "UPDATE order_extras SET settlement = 'refund_due', basis = 'delivery_failed'"
        " WHERE kind = 'delivery_fee'",
    ),
    Break("currencies_agree", sold, "UPDATE payments SET currency = 'EUR'"),
    Break("paid_orders_have_their_units", sold, "UPDATE captures SET order_id = NULL"),
    Break(
        "a_payment_succeeds_by_one_capture",
        collected,
        "UPDATE payments SET amount_minor = amount_minor + 1",
    ),
    Break(
        "orders_end_as_their_units_did", sold,
        "UPDATE orders SET state = 'failed';"
        "UPDATE events SET event = 'GONE_BACK', state = 'failed' WHERE event = 'HANDED_OVER'",
    ),
    Break(
        "orders_end_as_their_units_did", jammed,
        "UPDATE orders SET state = 'completed';"
        "UPDATE events SET event = 'HANDED_OVER', state = 'completed' WHERE event = 'GONE_BACK'",
    ),
]  # fmt: skip

RECEIPTS = [
    Break(
        "every_receipt_comes_to_its_money", receipted,
        "UPDATE receipts SET amount_minor = amount_minor - 1 WHERE kind = 'payment'",
    ),
    Break(
        "every_receipt_comes_to_its_money", receipted,
        "UPDATE receipts SET body = jsonb_set(body, '{lines,0,price}', '4001')",
    ),
    Break(
        "every_receipt_comes_to_its_money", prepaid,
        "UPDATE receipts SET amount_minor = 3999, body = jsonb_set(body, '{lines,0,price}', '3999')"
        " WHERE kind = 'closing'",
    ),
    Break(
        "what_was_paid_in_advance_has_a_second_receipt", prepaid,
        "DELETE FROM events WHERE machine = 'receipt' AND subject_id IN"
        " (SELECT id FROM receipts WHERE kind = 'closing');"
        "DELETE FROM receipts WHERE kind = 'closing'",
    ),
    Break("every_receipt_has_an_end", receipted, "UPDATE receipts SET ended_at = NULL"),
    Break(
        "every_receipt_has_an_end", receipted,
        "UPDATE receipts SET state = 'due', version = 1, ended_at = NULL;"
        "DELETE FROM events WHERE machine = 'receipt'",
    ),
    Break(
        "every_refund_of_a_receipt_has_its_own", receipted,
        "DELETE FROM events WHERE machine = 'receipt' AND subject_id IN"
        " (SELECT id FROM receipts WHERE kind = 'refund');"
        "DELETE FROM receipts WHERE kind = 'refund'",
    ),
]  # fmt: skip

UNITS = [
    Break(
        "settled_units_rest_on_their_basis", sold,
        """UPDATE device_events SET message = jsonb_set(message, '{outcome}', '"FAILED"')""",
    ),
    Break(
        "settled_units_rest_on_their_basis", jammed,
        "UPDATE device_events SET journal_id = 'j2'; UPDATE device_journals SET journal_id = 'j2'",
    ),
    Break(
        "settled_units_rest_on_their_basis", never_sent,
        "UPDATE fulfillments SET sent_at = settled_at",
        "ALTER TABLE fulfillments DROP CONSTRAINT never_sent_means_go_was_never_committed",
    ),
    Break("settled_units_rest_on_their_basis", silent, "DELETE FROM exposures"),
    Break(
        "settled_units_rest_on_their_basis", sold, "UPDATE fulfillments SET basis = 'declared'"
    ),
    Break(
        "a_settlement_is_the_end_of_its_unit", sold, "UPDATE fulfillments SET settled_at = NULL"
    ),
    Break(
        "a_unit_is_sent_where_its_state_says_so", two_waiting,
        "UPDATE fulfillments SET sent_at = queued_at WHERE state = 'queued'",
    ),
    Break(
        "evidence_settles_or_is_noted", jammed,
        "INSERT INTO device_events SELECT outlet_id, journal_id, 3, merchant_id, unit_id,"
        """ jsonb_set(message, '{evidence,drop}', '"yes"'), at FROM device_events"""
        " WHERE event_seq = 2; UPDATE device_journals SET through = 3",
    ),
    Break(
        "a_machine_never_undoes_its_own_evidence", sold,
        "INSERT INTO device_events SELECT outlet_id, journal_id, 3, merchant_id, unit_id,"
        """ jsonb_set(message, '{outcome}', '"TOMBSTONED"'), at FROM device_events"""
        " WHERE event_seq = 2; UPDATE device_journals SET through = 3",
    ),
    Break("a_machine_never_undoes_its_own_evidence", contradicted, "DELETE FROM discrepancies"),
    Break(
        "a_machine_never_undoes_its_own_evidence", given_back_by_a_person,
        "UPDATE discrepancies SET closed_by = 'a stranger'",
    ),
    Break(
        "a_machine_never_undoes_its_own_evidence", jammed_and_sold,
        "UPDATE refunds SET fulfillment_id = (SELECT id FROM fulfillments"
        " WHERE settlement = 'fulfilled')",
    ),
    Break(
        "go_answers_its_accept", sold,
        "UPDATE vend_units SET go_message = jsonb_set(go_message, '{seq}', '99')",
    ),
    Break(
        "go_answers_its_accept", accepted,
        "UPDATE vend_units v SET lease_end = f.sent_at FROM fulfillments f WHERE f.id = v.id",
    ),
    Break("every_seq_was_given_out_once", sold, "UPDATE devices SET next_seq = 1"),
    Break(
        "one_open_unit_per_machine", two_waiting,
        "INSERT INTO events (merchant_id, machine, subject_id, event, was, state, at)"
        " SELECT merchant_id, 'fulfillment', id, 'OFFER', 'queued', 'offered', queued_at"
        " FROM fulfillments WHERE state = 'queued';"
        "UPDATE fulfillments SET state = 'offered', version = 2 WHERE state = 'queued';"
        "UPDATE vend_units SET open = true",
        "DROP INDEX vend_units_one_open",
    ),
    Break("a_unit_and_its_machine_part_agree", accepted, "UPDATE vend_units SET open = false"),
    Break("a_unit_and_its_machine_part_agree", waiting, "UPDATE vend_units SET slot = 'A2'"),
    Break("journals_have_no_gaps", sold, "DELETE FROM device_events WHERE event_seq = 1"),
    Break("journals_have_no_gaps", sold, "UPDATE device_journals SET through = 3"),
]  # fmt: skip

RECORD = [
    Break("states_follow_the_tables", sold, "UPDATE orders SET version = 9"),
    Break("states_follow_the_tables", sold, "UPDATE payments SET state = 'canceled'"),
    Break(
        "states_follow_the_tables", waiting,
        "UPDATE events SET event = 'DEADLINE' WHERE machine = 'order'",
    ),
    Break("nothing_is_overdue", waiting, f"UPDATE fulfillments SET due_at = {LONG_AGO}"),
    Break("what_is_owed_is_driven", parked, "UPDATE captures SET due_at = NULL"),
    Break("what_is_owed_is_driven", sold, "UPDATE qr_polls SET due_at = NULL"),
    Break(
        "every_webhook_is_worked", sold,
        f"UPDATE inbox SET worked_at = NULL, received_at = {LONG_AGO}, due_at = {SOME_DAY}",
    ),
    Break(
        "what_wants_a_person_has_a_case", sold,
        "INSERT INTO strays (merchant_id, machine, subject_id, state, event, data, at)"
        f" SELECT merchant_id, 'order', id, 'placed', 'SNEEZED', '{{}}', {LONG_AGO} FROM orders",
    ),
    Break("one_live_code_per_slot", sold, "UPDATE outlets SET decommissioned_at = created_at"),
    Break(
        "one_live_code_per_slot", sold,
        "INSERT INTO qr_codes (id, merchant_id, account_id, outlet_id, slot, amount_minor,"
        " currency, created_at, due_at) SELECT gen_random_uuid(), merchant_id, account_id,"
        " outlet_id, slot, amount_minor, currency, created_at, created_at + interval '1 day'"
        " FROM qr_codes",
        "DROP INDEX qr_codes_printed",
    ),
    Break(
        "an_order_is_paid_in_one_way_at_a_time", way_changed,
        "UPDATE attempts SET retired_at = NULL, state = 'pending',"
        " due_at = now() + interval '1 day' WHERE number = 1;"
        "DELETE FROM events WHERE event = 'CLOSED' AND machine = 'attempt';"
        "UPDATE attempts SET version = version - 1 WHERE number = 1",
    ),
    Break(
        "rows_stay_with_their_merchant", sold,
        "INSERT INTO merchants (id, name, slug, created_at)"
        f" VALUES (gen_random_uuid(), 'Chandra', 'chandra', {LONG_AGO});"
        "UPDATE ledger SET merchant_id = (SELECT id FROM merchants WHERE slug = 'chandra')",
    ),
]  # fmt: skip

TELLING = [
    Break(
        "every_change_is_announced_once", delivered,
        "DELETE FROM delivery_tries; DELETE FROM deliveries;"
        " DELETE FROM public_events WHERE type = 'payment.succeeded'",
    ),
    Break(
        "every_change_is_announced_once", delivered,
        "UPDATE public_events SET type = 'payment.failed' WHERE type = 'payment.succeeded'",
    ),
    Break(
        "every_change_is_announced_once", delivered,
        "INSERT INTO public_events SELECT seq + 1000, 'evt_x', merchant_id, type, line, data, at"
        " FROM public_events WHERE type = 'payment.succeeded'",
    ),
    Break(
        "every_delivery_is_owed_or_ended", owing,
        f"UPDATE webhook_endpoints SET deleted_at = {LONG_AGO}, secret = NULL",
    ),
    Break("every_delivery_is_owed_or_ended", delivered, "UPDATE webhook_endpoints SET secret = ''"
          f", deleted_at = {LONG_AGO}"),
    Break("every_delivery_is_owed_or_ended", delivered,
          "UPDATE deliveries SET line = gen_random_uuid()"),
    Break(
        "every_delivery_is_owed_or_ended", owing, "UPDATE deliveries SET due_at = NULL",
        "ALTER TABLE deliveries DROP CONSTRAINT a_delivery_is_due_until_it_ends",
    ),
    Break("every_delivery_rests_on_its_tries", delivered, "UPDATE delivery_tries SET status = 500"),
    Break("every_delivery_rests_on_its_tries", delivered, "DELETE FROM delivery_tries"),
    Break("every_delivery_rests_on_its_tries", owing, "UPDATE deliveries SET tried = 0, tries = 0"),
]  # fmt: skip

_KEPT = "kept_sums_of_days_are_those_of_the_rows"
_FIGURES = "kept_figures_of_days_are_those_of_the_orders"
SUMS = [
    Break(_KEPT, summed, "DELETE FROM money_days"),
    Break(_KEPT, summed, "UPDATE money_days SET goods = goods + 1, owed = owed - 1"),
    Break(_KEPT, summed, "UPDATE money_days SET lines = lines - 1"),
    Break(_KEPT, summed, "UPDATE unit_days SET sold = sold + 1"),
    Break(_KEPT, summed, "DELETE FROM unit_days"),
    Break(_KEPT, summed, "UPDATE summed_days SET ended = ended - interval '20 hours'"),
    Break(_FIGURES, summed, "DELETE FROM figure_days WHERE report = 'profit'"),
    Break(_FIGURES, summed, "DELETE FROM figure_days WHERE report = 'sales'"),
    Break(_FIGURES, summed, "DELETE FROM product_figure_days WHERE report = 'profit'"),
    Break(_FIGURES, summed, "DELETE FROM product_figure_days WHERE report = 'sales'"),
    Break(_FIGURES, summed, "UPDATE product_figure_days SET sku = 'another'"),
    Break(_FIGURES, summed, "UPDATE figured_days SET ended = ended - interval '20 hours'"),
    *(
        Break(
            _FIGURES,
            summed,
            f"UPDATE figure_days SET sums = jsonb_set(sums, '{{{name}}}', '7')"
            f" WHERE report = '{report}'",
        )
        for report, name in (
            ("profit", "orders"),
            ("profit", "fee"),
            ("profit", "goodwill"),
            ("sales", "placed"),
            ("sales", "handed_over"),
            ("sales", "given_back"),
        )
    ),
]

GUARDS = [
    Break(
        "row_level_security_is_forced", sold, "ALTER TABLE ledger NO FORCE ROW LEVEL SECURITY"
    ),
    Break(
        "row_level_security_is_forced", sold,
        "CREATE POLICY leak ON orders TO coinslot_app USING (true)",
    ),
    Break(
        "row_level_security_is_forced", sold, "ALTER TABLE sessions NO FORCE ROW LEVEL SECURITY"
    ),
    Break(
        "row_level_security_is_forced", sold,
        "CREATE POLICY leak ON people TO coinslot_app USING (true)",
    ),
    Break("the_record_is_append_only", sold, "GRANT UPDATE (reason) ON audit_log TO coinslot_app"),
    Break("the_record_is_append_only", sold, "GRANT DELETE ON sessions TO coinslot_door"),
    Break(
        "logins_stay_within_their_rights", sold,
        "ALTER TABLE products OWNER TO coinslot_app; GRANT SELECT ON products TO coinslot_owner",
    ),
    Break("the_record_is_append_only", sold, "GRANT UPDATE (amount) ON ledger TO coinslot_app"),
    Break("the_record_is_append_only", sold, "GRANT UPDATE (body) ON inbox TO coinslot_door"),
    Break("the_record_is_append_only", sold, "GRANT TRUNCATE ON captures TO coinslot_app"),
    Break("the_guards_stand", sold, "ALTER TABLE fulfillments DISABLE TRIGGER settled_once"),
    Break("the_guards_stand", sold, "ALTER TABLE refunds DISABLE TRIGGER lease_is_held"),
    Break("the_auditor_sees_every_row", sold, "DROP POLICY owner ON memberships"),
]  # fmt: skip

_NAMELESS = "who_asked_to_be_forgotten_is_named_nowhere"
_ENDED = "what_is_kept_for_a_time_ends_after_it"
PRIVACY = [
    Break(_NAMELESS, forgotten, "UPDATE captures SET payer_reference = 'maria@bank'"),
    Break(_NAMELESS, forgotten, "UPDATE orders SET browser = 'a phone'"),
    Break(
        _NAMELESS, forgotten, "UPDATE forgotten_orders SET done_at = NULL,"
        " asked_at = asked_at - interval '3 days'",
    ),
    Break(
        _ENDED, sold, "UPDATE captures SET payer_reference = 'maria@bank';"
        "INSERT INTO retention_runs SELECT 'payers', max(placed_at) + interval '1 day',"
        " max(placed_at) FROM orders",
    ),
    Break(
        _ENDED, sold, "INSERT INTO retention_runs SELECT 'logs', max(placed_at) - interval '9 d',"
        " max(placed_at) - interval '2 days' FROM orders",
    ),
]  # fmt: skip

BREAKS = [*MONEY, *PRIVACY, *RECEIPTS, *SUMS, *UNITS, *RECORD, *TELLING, *GUARDS]
