"""An installation that an older version made keeps its rows: each migration that moves some is met
by rows as they stood before it, and what stands there afterwards is compared."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from coinslot.db.migrate import MIGRATIONS, migrations_in
from tests.conftest import DatabaseUrls
from tests.sales.by_hand import NOW, Rows

Row = Mapping[str, Any]
ASHA, RAVI = UUID(int=1), UUID(int=2)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SOON, LATER = NOW + HOUR, NOW + DAY


def uid(n: int) -> UUID:
    return UUID(int=n)


class Step(NamedTuple):
    """Before a migration these rows stand there; after it each query finds what is beside it."""

    given: Sequence[tuple[str, Row]]
    finds: Mapping[str, Sequence[tuple[Any, ...]]]
    before: str = ""


def key(n: int, *scopes: str) -> tuple[str, Row]:
    return "api_keys", {"id": uid(n), "scopes": list(scopes), "hash": bytes([n])}


def code(n: int, **more: Any) -> tuple[str, Row]:
    same = {"id": uid(n), "merchant_id": ASHA, "account_id": uid(90), "stage": "open",
            "qr_code_id": f"qr_{n}", "slot": f"A{n}"}  # fmt: skip
    return "qr_codes", {**same, "created_at": LATER, "due_at": NOW, **more}


def unit(n: int, **more: Any) -> tuple[str, Row]:
    same = {"id": uid(n), "merchant_id": ASHA, "outlet_id": f"M{n}", "capture_id": uid(n + 50)}
    till = {"basis": "result"} if "settlement" in more else {"due_at": NOW, "hard_deadline": LATER}
    return "fulfillments", {**same, **till, **more}


def order(n: int, **more: Any) -> tuple[str, Row]:
    same = {"id": uid(n), "merchant_id": ASHA, "outlet_id": "M1", "token": f"t{n}"}
    return "orders", {**same, "source": "page", "state": "paid", **more}


def outlet(n: int, **more: Any) -> tuple[str, Row]:
    same = {"id": f"M{n}", "merchant_id": ASHA, "dialect": "leased", "zone": "UTC"}
    return "outlets", {**same, **more}


def line(n: int, journal: str = "j", outlet: str = "M1") -> tuple[str, Row]:
    return "device_events", {
        "outlet_id": outlet, "journal_id": journal, "event_seq": n, "message": {},
    }  # fmt: skip


def journal(outlet: str, through: int, skipped: int, name: str = "j") -> tuple[str, Row]:
    return "device_journals", {
        "outlet_id": outlet, "journal_id": name, "through": through, "skipped": skipped,
    }  # fmt: skip


SLOT_WENT = {"seq": 3, "offers": 2, "offered_at": NOW, "accept": {"a": 1}, "journal_id": "j",
             "boot_id": "b", "go_message": {"boot_id": "b"}, "lease_end": SOON,
             "started_at": LATER, "nonce": "n", "asked_at": NOW, "queries": 4}  # fmt: skip

STEPS: dict[str, Step] = {
    "0009_feed": Step(
        [("events", {"seq": 7, "merchant_id": ASHA}), ("events", {"seq": 6, "merchant_id": ASHA}),
         key(1, "payments:read"), key(2, "payments:write"),
         key(3, "payments:read", "payments:write"), key(4, "refunds:write")],
        {"SELECT name, seq, since FROM feed_cursors": [("announce", 7, 7)],
         "SELECT id, scopes FROM api_keys ORDER BY id": [
             (uid(1), ["payments:read", "events:read"]),
             (uid(2), ["payments:write", "webhooks:write"]),
             (uid(3), ["payments:read", "payments:write", "events:read", "webhooks:write"]),
             (uid(4), ["refunds:write"])]},
    ),
    "0013_live": Step(
        [("payments", {"id": uid(1), "source": "api", "order_id": None}),
         ("payments", {"id": uid(2), "source": "order", "order_id": uid(9)})],
        {"SELECT id, live FROM payments ORDER BY id": [(uid(1), False), (uid(2), True)]},
    ),
    "0017_leases": Step(
        [code(1, asked_at=SOON), code(2, created_at=LATER), code(3, payment_id=uid(9)),
         code(4, stage="closed", account_id=uid(91)),
         code(5, retired_at=NOW, account_id=uid(92)),
         code(6, account_id=uid(93), merchant_id=RAVI, created_at=NOW)],
        {"SELECT id, merchant_id, asked_at, due_at IS NULL FROM qr_polls ORDER BY id": [
            (uid(90), ASHA, SOON, False), (uid(93), RAVI, NOW, False)],
         "SELECT id FROM qr_codes WHERE due_at IS NULL ORDER BY id": [
             (uid(1),), (uid(2),), (uid(6),)]},
    ),
    "0019_inbox": Step(
        [("inbox", {"id": 1, "verdict": "unreadable", "received_at": NOW}),
         ("inbox", {"id": 2, "verdict": "genuine", "received_at": NOW})],
        {"SELECT id, worked_at, ours FROM inbox ORDER BY id": [
            (1, NOW, False), (2, None, None)]},
    ),
    "0030_partly_handed_over": Step(
        [("events", {"seq": 7, "merchant_id": ASHA}), ("events", {"seq": 6, "merchant_id": ASHA})],
        {"SELECT name, after_seq FROM rules": [("partly_handed_over_is_completed", 7)]},
    ),
    "0031_vend_units": Step(
        [unit(1, slot="A1", state="going", **SLOT_WENT),
         *(unit(n, slot="A2", state=state) for n, state in enumerate(
             ("offered", "started", "in_doubt", "queued", "vended"), 2))],
        {"SELECT merchant_id, outlet_id, slot, seq, offers, offered_at, accept, journal_id,"
         " boot_id, go_message, lease_end, started_at, nonce, asked_at, queries FROM vend_units"
         " WHERE id = '00000000-0000-0000-0000-000000000001'": [
             (ASHA, "M1", "A1", 3, 2, NOW, {"a": 1}, "j", "b", {"boot_id": "b"}, SOON, LATER, "n",
              NOW, 4)],
         "SELECT id, open FROM vend_units ORDER BY id": [
             (uid(1), True), (uid(2), True), (uid(3), True), (uid(4), True), (uid(5), False),
             (uid(6), False)]},
    ),
    "0033_windows_of_kinds": Step(
        [unit(1, state="vended", settlement="fulfilled", due_at=NOW, leased_until=SOON),
         unit(2, state="queued", due_at=NOW, leased_until=SOON)],
        {"SELECT id, due_at, leased_until FROM fulfillments ORDER BY id": [
            (uid(1), None, None), (uid(2), NOW, SOON)]},
    ),
    "0034_ways_to_pay": Step(
        [outlet(1, account_id=uid(90)),
         outlet(2, account_id=None),
         ("attempts", {"id": uid(21), "payment_id": uid(9), "number": 1, "started_at": LATER}),
         ("attempts", {"id": uid(22), "payment_id": uid(9), "number": 2, "started_at": NOW}),
         ("attempts", {"id": uid(23), "payment_id": uid(8), "number": 1, "started_at": NOW}),
         code(1, payment_id=uid(9), outlet_id="M1", network="n", make_at=SOON, page_asked_at=NOW,
              retired_at=LATER),
         code(2, payment_id=uid(8), outlet_id="M1"), code(3, outlet_id="M1")],
        {"SELECT merchant_id, outlet_id, account_id, way, place FROM ways_to_pay": [
            (ASHA, "M1", uid(90), "code", 1)],
         "SELECT id, attempt_id FROM qr_codes ORDER BY id": [
             (uid(1), uid(22)), (uid(2), uid(23)), (uid(3), None)],
         "SELECT id, outlet_id, way, network, make_at, page_asked_at, retired_at FROM attempts"
         " ORDER BY id": [
             (uid(21), None, None, None, None, None, None),
             (uid(22), "M1", "code", "n", SOON, NOW, LATER),
             (uid(23), "M1", "code", None, LATER, None, None)]},
    ),
    "0038_revived_refunds": Step(
        [("events", {"seq": 7, "merchant_id": ASHA}), ("events", {"seq": 6, "merchant_id": ASHA})],
        {"SELECT after_seq FROM rules WHERE name = 'a_revived_refund_is_booked'": [(7,)]},
    ),
    "0040_people": Step(
        [("members", {"id": uid(n), "merchant_id": merchant, "login": login, "role": "admin",
                      "password_hash": f"h{n}", "created_at": at})
         for n, merchant, login, at in (
             (4, ASHA, "asha", NOW), (3, RAVI, "Asha", SOON), (5, ASHA, "ravi", NOW))],
        {"SELECT id, login, password_hash, created_at FROM people ORDER BY id": [
            (uid(4), "asha", "h4", NOW), (uid(5), "ravi", "h5", NOW)],
         "SELECT person_id, merchant_id, role, created_at FROM memberships ORDER BY 1": [
             (uid(4), ASHA, "admin", NOW), (uid(5), ASHA, "admin", NOW)]},
    ),
    "0043_test_vends_sell_nothing": Step(
        [("summed_days", {"merchant_id": merchant, "begun": NOW - at, "ended": NOW - at + DAY})
         for merchant, at in ((ASHA, DAY), (ASHA, 0 * DAY), (ASHA, -DAY), (RAVI, 0 * DAY))]
        + [order(1, source="test_vend"), order(2), unit(3, order_id=uid(1), settled_at=NOW),
           unit(4, order_id=uid(2), settled_at=LATER)],
        {"SELECT merchant_id, begun FROM summed_days ORDER BY 1, 2": [
            (ASHA, NOW - DAY), (ASHA, LATER), (RAVI, NOW)]},
        "CREATE TABLE summed_days (merchant_id uuid, begun timestamptz, ended timestamptz);"
        " ALTER TABLE orders DROP CONSTRAINT orders_source_check",
    ),
    "0052_withheld_by_hand": Step(
        [("slots", {"outlet_id": outlet, "slot": slot, "withheld_at": at})
         for outlet, slot, at in (
             ("M1", "A1", NOW), ("M1", "A2", NOW), ("M2", "A1", NOW), ("M2", "A2", SOON),
             ("M3", "A1", NOW), ("M3", "A2", None), ("M4", "A1", None))],
        {"SELECT outlet_id, slot, withheld_whole, withheld_alone FROM slots ORDER BY 1, 2": [
            ("M1", "A1", True, False), ("M1", "A2", True, False), ("M2", "A1", False, True),
            ("M2", "A2", False, True), ("M3", "A1", False, True), ("M3", "A2", False, False),
            ("M4", "A1", False, False)]},
    ),
    "0106_coffee_devices": Step(
        [("coffee_machines", {"outlet_id": f"C{n}", "device": f"d{n}"}) for n in (1, 2)]
        + [("coffee_orders", {"order_id": uid(n), "outlet_id": f"C{n}", "size": 0})
           for n in (2, 1)],
        {"SELECT order_id, device FROM coffee_orders ORDER BY 1": [
            (uid(1), "d1"), (uid(2), "d2")]},
    ),
    "0107_coffee_drinks": Step(
        [order(n, outlet_id="C1", placed_at=at) for n, at in (
            (1, NOW), (2, SOON), (3, LATER), (4, LATER))]
        + [("coffee_orders", {"order_id": uid(n), "outlet_id": "C1", "merchant_id": merchant,
                              "drink": drink, "size": 0, "device": "d", "machine_order": f"o{n}"})
           for n, merchant, drink in (
               (1, ASHA, "latte"), (2, ASHA, "latte"), (3, RAVI, "latte"), (4, ASHA, "mocha"))]
        + [("products", {"merchant_id": ASHA, "sku": "latte"})],
        {"SELECT merchant_id, drink, asked_at FROM coffee_drinks": [(ASHA, "latte", SOON)]},
    ),
    "0121_alarms": Step(
        [unit(1, kind="counter", state="to_accept", order_id=uid(7)),
         unit(2, kind="counter", state="to_accept", order_id=uid(7), outlet_id="M1"),
         unit(3, kind="counter", state="accepted", order_id=uid(8)),
         unit(4, kind="vending", state="to_accept", order_id=uid(9))],
        {"SELECT id, merchant_id, outlet_id, since = due_at FROM counter_alarms": [
            (uid(7), ASHA, "M1", True)]},
    ),
    "0132_counter_invoices": Step(
        [("merchants", {"id": ASHA, "slug": "asha", "zone": "Asia/Kolkata"}),
         ("merchants", {"id": RAVI, "slug": "ravi", "zone": None})]
        + [("counter_orders", {"order_id": uid(n), "merchant_id": merchant})
           for n, merchant in ((1, ASHA), (2, ASHA), (3, ASHA), (4, RAVI), (5, ASHA))]
        + [order(n, merchant_id=merchant, paid_at=at) for n, merchant, at in (
            (1, ASHA, datetime(2025, 12, 31, 18, 29, tzinfo=UTC)),  # 23:59 in Kolkata
            (2, ASHA, datetime(2025, 12, 31, 18, 31, tzinfo=UTC)), (3, ASHA, NOW),
            (4, RAVI, datetime(2025, 12, 31, 18, 31, tzinfo=UTC)), (5, ASHA, None),
            (6, ASHA, NOW))],
        {"SELECT merchant_id, year, number, order_id, at - interval '1 day' < at"
         " FROM counter_invoices ORDER BY order_id": [
             (ASHA, 2025, 1, uid(1), True), (ASHA, 2026, 1, uid(2), True),
             (ASHA, 2026, 2, uid(3), True), (RAVI, 2025, 1, uid(4), True)],
         "SELECT merchant_id, year, last FROM counter_invoice_years ORDER BY 1, 2": [
             (ASHA, 2025, 1), (ASHA, 2026, 2), (RAVI, 2025, 1)]},
    ),
    "0141_goodwill": Step(
        [("captures", {"id": uid(n), "captured": 50, "open": 20, "refund_due": 30})
         for n in (1, 2)]
        + [("order_refund_parts", {"capture_id": uid(1), "amount_minor": amount,
                                   "fulfillment_id": uid(amount), "outcome": outcome,
                                   "ended_at": NOW})
           for amount, outcome in ((5, "taken"), (6, "taken"), (7, "went_back"))],
        {"SELECT id, goodwill, refund_due FROM captures ORDER BY id": [
            (uid(1), 11, 19), (uid(2), 0, 30)]},
    ),
    "0170_versions_of_orders": Step(
        [outlet(n, price_version=n, planogram_version=n + 10) for n in (1, 2)]
        + [order(1, outlet_id="M2", state="placed"), order(2), order(3), order(4, state="expired"),
           unit(5, order_id=uid(2)), unit(6, order_id=uid(3), settlement="fulfilled")],
        {"SELECT id, price_version, planogram_version FROM orders ORDER BY id": [
            (uid(1), 2, 12), (uid(2), 1, 11), (uid(3), None, None), (uid(4), None, None)]},
    ),
    "0171_applied_config": Step(
        [outlet(1, config_version=7)],
        {"SELECT applied_version FROM outlets": [(7,)]},
    ),
    "0175_before_an_update": Step(
        [("rollouts", {"rules": {"soak_s": 1}, "ended_at": None}),
         ("rollouts", {"rules": {"soak_s": 2}, "ended_at": NOW})],
        {"SELECT rules FROM rollouts ORDER BY ended_at": [
            ({"soak_s": 2},), ({"soak_s": 1, "off_sale_s": 0},)]},
        "CREATE TABLE rollouts (rules jsonb, ended_at timestamptz)",
    ),
    "0180_stock_counts": Step(
        [unit(1, settlement="fulfilled", sent_at=NOW, settled_at=LATER),
         unit(2, settlement="fulfilled", settled_at=SOON), unit(3, settlement="refund_due")]
        + [("vend_units", {"id": uid(n), "outlet_id": f"M{n}", "merchant_id": ASHA,
                           "slot": f"A{n}", "journal_id": "j"}) for n in (1, 2, 3)],
        {"SELECT unit_id, merchant_id, outlet_id, slot, word, journal_id, sent_at, at"
         " FROM slot_vends ORDER BY number": [
             (uid(2), ASHA, "M2", "A2", "fell", "j", SOON, SOON),
             (uid(1), ASHA, "M1", "A1", "fell", "j", NOW, LATER)]},
    ),
    "0186_jumps_of_journals": Step(
        [journal("M1", 9, 5), line(1), line(2), line(4), line(5), line(9), line(20),
         line(6, "other"), line(7, "j", "M9"),
         journal("M2", 3, 1), line(2, outlet="M2"), line(3, outlet="M2"),
         journal("M3", 3, 0), line(3, outlet="M3"),
         journal("M4", 2, 1), line(1, outlet="M4"), line(2, outlet="M4")],
        {"SELECT outlet_id, jumped_from, jumped_to FROM device_journals ORDER BY 1": [
            ("M1", 2, 8), ("M2", 0, 1), ("M3", None, None), ("M4", None, None)]},
    ),
    "0188_choices_that_are_out": Step(
        [("counter_items", {"id": uid(1), "options": [
            {"choices": [{"id": "oat", "available": False}, {"id": "soy", "available": True}]},
            {"choices": [{"id": "rye", "available": False}]}]}),
         ("counter_items", {"id": uid(2), "options": [{"choices": [{"id": "oat"}]}]})],
        {"SELECT id, choices_out FROM counter_items ORDER BY id": [
            (uid(1), ["oat", "rye"]), (uid(2), [])]},
    ),
    "0196_figures_of_products": Step(
        [("figure_days", {"n": 1}), ("figured_days", {"n": 1})],
        {"SELECT n FROM figure_days UNION ALL SELECT n FROM figured_days": []},
        "CREATE TABLE figure_days (n integer); CREATE TABLE figured_days (n integer)",
    ),
    "0197_counter_credit_notes": Step(
        [("counter_items", {"id": uid(n), "tax_bp": n}) for n in (5, 6)]
        + [("counter_lines", {"line_id": uid(n), "item_id": uid(n)}) for n in (5, 6)],
        {"SELECT line_id, tax_bp FROM counter_lines ORDER BY 1": [(uid(5), 5), (uid(6), 6)]},
    ),
    "0255_counts_by_secret": Step(
        [("devices", {"outlet_id": "M1", "broker_hash": "a"}),
         ("devices", {"outlet_id": "M2", "broker_hash": "b"}),
         ("stock_counts", {"outlet_id": "M2", "cause": "boot"})],
        {"SELECT outlet_id, secret_mark FROM stock_counts": [
            ("M2", "92eb5ffee6ae2fec3ad71c777531578f")]},
    ),
}  # fmt: skip


async def test_rows_of_an_older_installation_are_moved(blank_urls: DatabaseUrls) -> None:
    rows = await Rows.open(blank_urls.superuser, statements=0)
    found: dict[str, Any] = {}
    try:
        await rows.conn.execute("CREATE TABLE schema_migrations (name text, repeatable boolean)")
        for migration in migrations_in(MIGRATIONS):
            if migration.name in STEPS:
                found |= await moved(rows, migration.sql, STEPS[migration.name])
            await rows.conn.execute(migration.sql)
    finally:
        await rows.conn.close()
    assert found == {sql: rows for step in STEPS.values() for sql, rows in step.finds.items()}


async def moved(rows: Rows, migration: str, step: Step) -> dict[str, Any]:
    """What each query finds after it; then all of it is undone."""
    fresh = Rows(rows.conn)  # knows no table by its older columns
    await rows.conn.execute(f"BEGIN; {step.before}")
    try:
        for table, row in step.given:
            await fresh.put_row(table, row)
        await rows.conn.execute(migration)
        return {sql: [tuple(row) for row in await rows.conn.fetch(sql)] for sql in step.finds}
    finally:
        await rows.conn.execute("ROLLBACK")
