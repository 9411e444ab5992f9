"""Each check of a table by its name, over rows of which one thing is wrong: what it refuses, and
that it takes what stands beside that. `tests/sales/test_constraints.py` has rows that lived."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from tests.sales.by_hand import NOW, Rows

MOMENT = timedelta(microseconds=1)
ONE, TWO = UUID(int=1), UUID(int=2)
Row = dict[str, Any]


class Check(NamedTuple):
    """`row` is taken, and as it is with each change of `right`; with one of `wrong` it is not."""

    name: str
    table: str
    row: Row
    wrong: Sequence[Row]
    right: Sequence[Row] = ()


def together(name: str, table: str, row: Row, **values: Any) -> Check:
    """All of these columns have a value, or none."""
    alone = [{column: value} for column, value in values.items()]
    return Check(name, table, row, alone, [values])


def either(name: str, table: str, row: Row, **values: Any) -> Check:
    """One of two columns has a value."""
    (first, one), (second, two) = values.items()
    return Check(
        name, table, {**row, first: one, second: None},
        [{second: two}, {first: None}], [{first: None, second: two}],
    )  # fmt: skip


def each(column: str, *values: Any) -> list[Row]:
    return [{column: value} for value in values]


NO_ADDRESS = ("a b@c", "a@", "@b", "a@b@c", "a@b\n", "a", f"a@{'b' * 253}")
AN_ADDRESS = ("a@b", f"a@{'b' * 252}")
NO_PHONE = ("1234567", "+123456", "+1234567890123456", "+12345678x")
A_PHONE = ("+1234567", "+123456789012345")
RECEIPT = {"attempt_id": ONE, "refund_id": None, "kind": "payment", "contact": "a@b"}
OF_A_REFUND = {"kind": "refund", "attempt_id": None, "refund_id": TWO}
INVITED = {"merchant_id": ONE, "role": "admin"}
NOTICE = {"channel": "email", "outcome": None, "due_at": NOW, "ended_at": None}
SENT = {"outcome": "sent", "due_at": None, "ended_at": NOW}
MESSAGE = {"order_id": ONE, "purpose": "code", "form": "sms", "stage": "due"}
PART = {"fulfillment_id": ONE, "amount_minor": 1}
WITHDRAWN = {"outcome": "withdrawn", "ended_at": NOW}
PRINT = {"kind": "ticket", "units": [ONE], "order_id": ONE, "due_at": NOW}
PRINTER = {"width": 384, "kind": "escpos", "address": "192.0.2.1:9100", "secret_hash": None}
COUPON = {"code": "TEA", "percent_bp": 500, "begins_at": NOW}
POINTS = {"card_id": ONE, "kind": "points", "earn_minor": 0}
UPDATE = {"state": "waiting"}
AFTER_GO = ("installing", "trial", "confirmed", "rolled_back")
BEFORE_GO = ("waiting", "offered", "downloading", "verified", "skipped")
STORE = {"slug": "cafe"}

PEOPLE = (
    Check("staff_has_an_outlet", "memberships", {"role": "admin"},
          [{"role": "staff"}, {"outlets": ["M01"]}], [{"role": "staff", "outlets": ["M01"]}]),
    Check("a_factor_has_what_proves_it", "second_factors", {"kind": "totp", "secret": b"s"},
          [{"secret": None}, {"kind": "passkey", "credential_id": b"c"},
           {"kind": "passkey", "public_key": b"p"}],
          [{"kind": "passkey", "secret": None, "credential_id": b"c", "public_key": b"p"}]),
    Check("a_cookie_has_a_secret", "sessions", {"kind": "token"},
          [{"kind": "cookie"}, {"secret_hash": b"h"}], [{"kind": "cookie", "secret_hash": b"h"}]),
    together("a_used_token_has_a_successor", "refresh_tokens", {}, used_at=NOW, successor=b"s"),
    Check("an_invitation_of_a_merchant_has_its_role", "invitations", INVITED,
          [{"role": "installation"}, {"role": "staff"}, {"role": "x"}, {"outlets": ["M01"]},
           {"merchant_id": None},
           {"merchant_id": None, "role": "installation", "outlets": ["M01"]}],
          [*each("role", "operator", "viewer"), {"role": "staff", "outlets": ["M01"]},
           {"merchant_id": None, "role": "installation"}]),
    together("who_accepted_is_known", "invitations", INVITED, accepted_at=NOW, accepted_by=TWO),
    either("an_alert_is_a_merchants_or_a_persons", "alerts", {}, merchant_id=ONE, person_id=TWO),
    together("quiet_hours_begin_and_end", "notice_settings", {}, quiet_from=1, quiet_to=2),
    together("an_end_has_a_reason", "push_subscriptions", {}, ended_at=NOW, ended_because="gone"),
    Check("a_notice_is_due_until_it_ends", "notices", NOTICE,
          [{"due_at": None}, {"ended_at": NOW}, {"outcome": "sent", "due_at": None},
           {"outcome": "sent", "ended_at": NOW}], [SENT]),
    Check("no_secret_outlives_its_notice", "notices", {**NOTICE, **SENT}, each("sealed", b"s"),
          [{**NOTICE, "sealed": b"s"}]),
)  # fmt: skip

MONEY = (
    together("an_answer_is_whole", "idempotency_keys", {}, done_at=NOW, status=200),
    together("what_is_closed_says_how", "cases", {"source": "books", "owner": "merchant"},
             closed_at=NOW, how="gone"),
    Check("a_wish_is_whole", "attempts", {"state": "pending", "number": 1},
          [{"wish": "take", "wish_minor": 1}, {"wish": "take", "wish_key": "k"}, {"wish_key": "k"},
           {"wish": "let_go"}, {"wish": "let_go", "wish_key": "k", "wish_minor": 1},
           {"wish_minor": 1}],
          [{"wish": "take", "wish_minor": 1, "wish_key": "k"},
           {"wish": "let_go", "wish_key": "k"}]),
    Check("a_correction_names_who_made_it", "corrections", {"made_by": "asha"},
          each("made_by", None)),
    Check("an_unreadable_one_is_judged", "inbox", {"verdict": "genuine"},
          [{"verdict": "unreadable"}, {"ours": False}], [{"verdict": "unreadable", "ours": True}]),
    together("a_code_of_a_payment_is_of_an_attempt", "qr_codes",
             {"stage": "open", "qr_code_id": "q"}, payment_id=ONE, attempt_id=TWO),
    Check("a_refund_by_a_person_says_who_and_why", "order_refunds",
          {"made_by": "asha", "reason": "warm"}, [{"made_by": ""}, {"reason": ""}]),
    either("a_part_is_of_a_unit", "order_refund_parts", PART, fulfillment_id=ONE, extra_id=TWO),
    together("what_became_of_a_part_has_its_time", "order_refund_parts", PART, **WITHDRAWN),
    Check("order_refund_parts_amount_minor_check", "order_refund_parts", PART,
          [{"amount_minor": -1, **WITHDRAWN},
           {"amount_minor": 0, **WITHDRAWN, "outcome": "went_back"}, {"amount_minor": 0}],
          [{"amount_minor": 0, **WITHDRAWN}]),
    together("an_extra_names_its_basis", "order_extras", {"kind": "tip"}, settlement="fulfilled",
             basis="handed_over", settled_at=NOW),
    Check("a_test_vend_costs_nothing", "orders", {"source": "test_vend", "amount_minor": 0},
          each("amount_minor", 1), [{"source": "page", "amount_minor": 1}]),
    Check("a_receipts_contact_is_an_address", "receipts", RECEIPT,
          each("contact", *NO_ADDRESS, *NO_PHONE), each("contact", *AN_ADDRESS, *A_PHONE)),
    Check("a_receipt_is_of_a_payment_or_of_a_refund", "receipts", RECEIPT,
          [{"refund_id": TWO}, {"attempt_id": None}, {"kind": "refund"},
           {"attempt_id": None, "refund_id": TWO}], [OF_A_REFUND, {"kind": "closing"}]),
    Check("receipts_kind_check", "receipts", RECEIPT, each("kind", "x")),
    Check("a_payments_contact_is_an_address", "payments", {"source": "api"},
          each("receipt_contact", *NO_ADDRESS, *NO_PHONE),
          each("receipt_contact", None, *AN_ADDRESS, *A_PHONE)),
    Check("a_vat_is_a_rate_of_the_law", "products", {}, each("vat", "18", ""),
          each("vat", None, "none", "0", "5", "7", "10", "20", "22", "5/105", "7/107", "10/110",
               "20/120", "22/122")),
    Check("an_audit_that_ended_says_how", "audit_runs", {},
          [{"ended_at": NOW}, {"ok": True}, {"failure": "f"}, {"report": {}, "ok": True},
           {"ended_at": NOW, "report": {}}, {"ended_at": NOW, "failure": "f", "ok": True}],
          [{"ended_at": NOW, "report": {}, "ok": True}, {"ended_at": NOW, "failure": "f"}]),
    Check("a_day_ends_after_it_begins", "figured_days", {"begun": NOW, "ended": NOW + MOMENT},
          each("ended", NOW, NOW - MOMENT)),
    Check("a_known_report", "figure_days", {"report": "profit"}, each("report", "x"),
          each("report", "profit_items", "sales", "sale_items")),
    Check("a_report_of_a_product", "product_figure_days", {"report": "profit"},
          each("report", "profit_items"), each("report", "sales")),
    Check("who_forgets_says_why", "forgotten_orders", {"asked_by": "asha", "reason": "asked"},
          [{"asked_by": ""}, {"reason": ""}]),
)  # fmt: skip

MACHINES = (
    Check("windows_of_a_merchant_are_positive_numbers", "merchants", {},
          each("windows", [], {"vending": 1}, {"vending": {"offer_s": 0}},
               {"vending": {"offer_s": "5"}}, {"vending": {"offer_s": -1}}),
          each("windows", {}, {"vending": {}}, {"vending": {"offer_s": 0.1}})),
    Check("limits_are_positive_numbers", "merchants", {},
          each("limits", [], {"a": 0}, {"a": "1"}, {"a": -1}), each("limits", {}, {"a": 1})),
    together("the_next_secret_is_whole", "devices", {}, next_secret=b"s", next_hash="h",
             next_key_id=1, next_issued_at=NOW),
    together("a_machines_count_names_its_line", "slots", {}, counted_journal="j", counted_event=1),
    Check("a_device_stands_in_an_address", "coffee_machines", {"device": "a"},
          each("device", "", "a/b", "a\n", "x" * 256), each("device", "x" * 255, "a b")),
    Check("nothing_is_installed_without_go", "machine_updates", UPDATE, each("state", *AFTER_GO),
          [{"state": state, "go_at": NOW} for state in (*AFTER_GO, "failed")]),
    Check("after_go_there_is_no_other_attempt", "machine_updates",
          {"state": "installing", "go_at": NOW}, each("state", *BEFORE_GO),
          [{"state": state, "go_at": None} for state in (*BEFORE_GO, "failed")]),
)  # fmt: skip

COUNTERS = (
    Check("a_code_is_tried_so_often", "counter_orders", {},
          [*each("tries", -1, 6), *each("wrong", -1, 16)],
          [*each("tries", 0, 5), *each("wrong", 0, 15)]),
    Check("it_begins_before_it_is_wanted", "counter_orders", {},
          [{"wanted_at": NOW}, {"begin_at": NOW}, {"wanted_at": NOW, "begin_at": NOW + MOMENT}],
          [{"wanted_at": NOW, "begin_at": NOW}]),
    Check("a_phone_is_written_by_e164", "counter_contacts", {},
          each("phone", *NO_PHONE, "+0123456789"), each("phone", *A_PHONE)),
    Check("an_email_is_an_address", "counter_contacts", {}, each("email", *NO_ADDRESS),
          each("email", *AN_ADDRESS)),
    either("a_message_is_of_an_order_or_of_a_search", "counter_messages", MESSAGE, order_id=ONE,
           lookup_id=TWO),
    Check("counter_messages_purpose_check", "counter_messages", MESSAGE, each("purpose", "x"),
          each("purpose", "ready", "cancelled", "receipt", "history", "alarm")),
    Check("what_was_taken_was_begun", "counter_messages", {**MESSAGE, "why": "no"},
          each("stage", "sending", "unconfirmed", "queued", "sent", "delivered"),
          [*each("stage", "failed", "withheld"),
           *({"stage": stage, "begun_at": NOW} for stage in ("sending", "sent"))]),
    Check("a_message_that_was_not_sent_says_why", "counter_messages", MESSAGE,
          each("stage", "failed", "withheld"), [{"stage": "failed", "why": "no"}]),
    together("a_price_has_a_currency", "counter_messages", MESSAGE, price=1, price_currency="USD"),
    Check("only_what_arrived_is_proved", "counter_messages", {**MESSAGE, "begun_at": NOW},
          [{"proved": True, "stage": stage} for stage in ("due", "queued", "sent")],
          [{"stage": "delivered"}, {"stage": "delivered", "proved": True}]),
    Check("presence_begins_before_it_ends", "counter_presence", {"began_at": NOW, "seen_at": NOW},
          each("seen_at", NOW - MOMENT)),
    Check("an_alarm_is_due_until_it_ends", "counter_alarms", {"due_at": NOW},
          [{"due_at": None}, {"ended_at": NOW}], [{"due_at": None, "ended_at": NOW}]),
    Check("a_printer_is_reached_one_way", "counter_printers", PRINTER,
          [{"address": ""}, {"secret_hash": b"h"}, {"kind": "star", "secret_hash": b"h"},
           {"kind": "star", "address": ""}],
          [{"kind": "star", "address": "", "secret_hash": b"h"}]),
    Check("paper_is_sent_before_it_is_printed", "counter_prints",
          {**PRINT, "due_at": None, "failed_at": NOW},
          each("printed_at", NOW) + each("doubted_at", NOW),
          [{"sent_at": NOW, "printed_at": NOW}, {"sent_at": NOW, "doubted_at": NOW},
           {"sent_at": NOW}]),
    Check("a_job_is_due_until_it_ends", "counter_prints", {**PRINT, "sent_at": NOW},
          [{"due_at": None}, *each("printed_at", NOW), *each("doubted_at", NOW),
           *each("failed_at", NOW)],
          [{"due_at": None, column: NOW} for column in ("printed_at", "doubted_at", "failed_at")]),
    Check("no_paper_is_empty", "counter_prints", PRINT, each("units", []),
          [{"units": [], "kind": "test"}, {"units": [], "order_id": None, "walk_in_id": TWO},
           {"units": [], "kind": "credit", "credit_refund": TWO}]),
    Check("paper_is_of_one_order", "counter_prints", PRINT, each("walk_in_id", TWO),
          [{"order_id": None}, {"order_id": None, "walk_in_id": TWO}]),
    Check("counter_prints_kind_check", "counter_prints", PRINT, each("kind", "x"),
          each("kind", "cancelled", "receipt", "test")),
    Check("a_credit_on_paper_is_of_a_note", "counter_prints", PRINT,
          [{"kind": "credit"}, {"credit_refund": TWO},
           {"kind": "credit", "credit_refund": TWO, "order_id": None}],
          [{"kind": "credit", "credit_refund": TWO}]),
    Check("a_walk_in_ends_one_way", "counter_walk_ins", {},
          [{"handed_at": NOW, "cancelled_at": NOW}], [{"handed_at": NOW}, {"cancelled_at": NOW}]),
    Check("no_choice_is_below_nothing", "counter_items", {},
          each("option_stock", {"a": -1}, {"a": 1, "b": -1}), each("option_stock", {"a": 0})),
    Check("few_origins", "counter_stores", STORE, each("origins", ["o"] * 21),
          each("origins", ["o"] * 20)),
    Check("counter_stores_have_a_whole_place", "counter_stores", STORE,
          [{"latitude": 1.0}, {"longitude": 1.0}, {"here_m": 100}],
          [{"latitude": 1.0, "longitude": 1.0},
           {"latitude": 1.0, "longitude": 1.0, "here_m": 100}]),
    either("a_coupon_takes_off_one_way", "counter_coupons", COUPON, percent_bp=500, off_minor=100),
    Check("a_coupon_begins_before_it_ends", "counter_coupons", COUPON,
          each("ends_at", NOW), each("ends_at", None, NOW + MOMENT)),
    Check("an_order_is_made_cheaper_once", "order_offers", POINTS,
          [{"coupon_id": TWO, "points_used": 1}], [{"coupon_id": TWO}, {"points_used": 1}]),
    Check("points_are_of_a_card", "order_offers", {}, each("points_used", 1),
          [{**POINTS, "points_used": 1}]),
    Check("a_card_collects_by_rules", "order_offers", {},
          [{name: value for name, value in POINTS.items() if name != gone} for gone in POINTS],
          [POINTS]),
    Check("a_line_has_a_rate", "counter_lines", {}, each("tax_bp", -1, 10_001),
          each("tax_bp", 0, 10_000)),
    Check("no_shared_stock_is_below_nothing", "counter_stocks", {}, each("stock", -1),
          each("stock", 0)),
    Check("a_deleted_account_names_nobody", "counter_accounts",
          {"form": "sms", "digest": "d", "name": "n", "note": "t"},
          [{"deleted_at": NOW, "digest": "", "name": "", "note": "", column: "x"}
           for column in ("digest", "name", "note")],
          [{"deleted_at": NOW, "digest": "", "name": "", "note": ""}]),
    Check("a_session_ends_after_it_began", "counter_sessions",
          {"began_at": NOW, "expires_at": NOW + MOMENT}, each("expires_at", NOW)),
)  # fmt: skip

# Of each table a row that stands, for the checks of single columns.
STANDS: dict[str, Row] = {
    "attempts": {"state": "pending", "number": 1},
    "cases": {"source": "books", "owner": "merchant"},
    "counter_accounts": {"form": "sms"}, "counter_coupons": COUPON, "counter_messages": {
        **MESSAGE, "begun_at": NOW, "why": "no"}, "counter_printers": PRINTER,
    "counter_prints": PRINT, "counter_stores": STORE, "disputes": {"stage": "open"},
    "invitations": INVITED, "notices": {**NOTICE, **SENT}, "order_extras": {"kind": "tip"},
    "order_refund_parts": {**PART, **WITHDRAWN}, "payments": {"source": "api"}, "receipts": RECEIPT,
    "second_factors": {"kind": "totp", "secret": b"s"}, "sessions": {"kind": "token"},
    "coffee_rules": {"denied": "refund", "unclear": "refund"},
    "counter_consents": {"form": "phone"}, "notice_choices": {"mail": "now"},
    "deliveries": {"outcome": "delivered", "due_at": None, "ended_at": NOW},
    "ways_to_pay": {"way": "link"}, "webhook_endpoints": {"status": "enabled"}, "firmware_builds": {
        "sequence": 1, "size": 1, "sha256": "0f" * 32, "formats": [1], "signature": b"s" * 64},
    "firmware_keys": {"public_key": b"k" * 32}, "loyalty_entries": {"what": "earned"},
    "loyalty_programs": {"kind": "stamps"}, "memberships": {"role": "admin"},
    "outlet_demand": dict.fromkeys(("weekday_sold", "weekday_days"), [1.0] * 7),
    "pictures": {"digest": "0f" * 32}, "counter_lookups": {"form": "sms"},
    "stock_counts": {"cause": "count"}, "stock_differences": {"cause": "count"},
    "slot_vends": {"word": "fell"}, "brands": {"colour": "#0123af", "ground": "#0123af"},
}  # fmt: skip
LATITUDE, LONGITUDE = (-90.0, 90.0), (-180.0, 180.0)
ONE_OF: dict[str, dict[str, Sequence[Any]]] = {
    "attempts": {"way": ("link", "code")},
    "cases": {"source": ("state", "books")},
    "coffee_rules": {"denied": ("refund", "goods", "person"),
                     "unclear": ("refund", "goods", "person")},
    "coffee_units": {"answer": ("taken", "unclear", "refused"),
                     "rule": ("refund", "goods", "person", "limit")},
    "counter_accounts": {"form": ("sms", "email")},
    "counter_consents": {"form": ("phone", "email", "push")},
    "counter_lookups": {"form": ("sms", "email")},
    "counter_messages": {"form": ("sms", "call", "email", "push"),
                         "stage": ("due", "sending", "unconfirmed", "queued", "sent", "delivered",
                                   "failed", "withheld")},
    "counter_printers": {"width": (384, 576)},
    "counter_units": {"ended": ("not_accepted", "not_fetched", "rejected", "cancelled")},
    "deliveries": {"outcome": ("delivered", "given_up", "withdrawn")},
    "disputes": {"stage": ("open", "won", "lost")},
    "loyalty_entries": {"what": ("earned", "redeemed")},
    "loyalty_programs": {"kind": ("stamps", "points")},
    "memberships": {"role": ("admin", "operator", "viewer")},
    "notice_choices": {"mail": ("now", "digest", "off")},
    "notices": {"outcome": ("sent", "withdrawn", "given_up")},
    "order_extras": {"kind": ("tip", "delivery_fee", "added_tax")},
    "order_refund_parts": {"outcome": ("withdrawn", "taken", "went_back")},
    "slot_vends": {"word": ("fell", "may_have", "did_not")},
    "stock_counts": {"cause": ("count", "refill", "boot")},
    "stock_differences": {"cause": ("count", "refill", "boot", "visit")},
    "ways_to_pay": {"way": ("link", "code")},
    "webhook_endpoints": {"status": ("enabled", "paused", "disabled")},
}  # fmt: skip
# From the least to the most; None: there is no most.
BOUNDS: dict[str, dict[str, tuple[Any, Any]]] = {
    "coffee_drinks": dict.fromkeys(("small_minor", "medium_minor", "big_minor"), (1, None)),
    "coffee_orders": {"size": (0, 2)},
    "coffee_rules": dict.fromkeys(
        ("contact_limit", "browser_limit", "device_limit", "day_limit"), (0, None)),
    "counter_coupons": {"percent_bp": (1, 10_000), "least_minor": (0, None), "uses": (1, None)},
    "counter_credit_notes": {"number": (1, None), "amount_minor": (1, None)},
    "counter_credit_years": {"last": (1, None)},
    "counter_deliveries": {"latitude": LATITUDE, "longitude": LONGITUDE},
    "counter_invoice_years": {"last": (1, None)},
    "counter_invoices": {"number": (1, None)},
    "counter_items": {"price_minor": (0, None), "tax_bp": (0, 10_000), "stock": (0, None),
                      "prep_min": (0, 240)},
    "counter_lines": {"reserved": (0, None)},
    "counter_lookups": {"tries": (0, 5)},
    "counter_orders": {"code_version": (1, None), "work_min": (0, None), "here_changes": (0, 5)},
    "counter_prints": {"copy": (0, None)},
    "counter_stores": {"lead_min": (0, 1440), "slot_work_min": (1, None), "days_ahead": (0, 14),
                       "outlet_messages": (0, 100_000), "phone_messages": (0, 1000)},
    "counter_walk_ins": {"total_minor": (0, None)},
    "delivery_zones": {"fee_minor": (0, None), "least_minor": (0, None)},
    "firmware_builds": {"sequence": (1, None), "size": (1, None)},
    "loyalty_entries": {"number": (1, None)},
    "loyalty_programs": {"earn_minor": (1, None), "reward_points": (1, None),
                         "reward_minor": (1, None)},
    "merchants": {"refund_proof_minor": (0, None)},
    "notice_settings": {"digest_at": (0, 1439)},
    "order_extras": {"amount_minor": (1, None)},
    "order_offers": {"off_minor": (0, None)},
    "pictures": {"width": (1, None), "height": (1, None)},
    "receipts": {"amount_minor": (1, None)},
    "slot_demand": {"sales": (0.1, None), "days": (0.1, None)},
    "slots": {"counted": (0, None), "capacity": (1, 10_000)},
    "stock_counts": {"inventory_seq": (1, None), "event_seq": (0, None)},
    "stock_lots": {"pieces": (1, None)},
}  # fmt: skip
LETTERS: dict[str, dict[str, tuple[int, int]]] = {
    "coffee_orders": {"machine_order": (1, 255)},
    "counter_accounts": {"name": (0, 80), "note": (0, 200)},
    "counter_deliveries": {"address": (0, 300)},
    "counter_items": {"station": (0, 40)},
    "counter_lines": {"note": (0, 200)},
    "counter_orders": {"name": (0, 80), "spot": (0, 20), "here_note": (0, 60)},
    "counter_printers": {"name": (1, 40)},
    "counter_stocks": {"name": (1, 40)},
    "counter_walk_ins": {"name": (0, 80)},
    "delivery_zones": {"name": (1, 80)},
    "firmware_keys": {"name": (1, 60)},
    "invitations": {"address": (1, 254)},
    "merchant_privacy": {"controller": (0, 200), "address": (0, 400), "contact": (0, 254),
                         "more": (0, 4000)},
    "people": {"login": (1, 254)},
    "routes": {"name": (1, 60)},
    "tablets": {"name": (1, 40)},
}  # fmt: skip
ELSE: dict[str, dict[str, tuple[Sequence[Any], Sequence[Any]]]] = {
    "brands": dict.fromkeys(("colour", "ground"), (
        ("#0123af",), ("0123af", "#0123a", "#0123aff", "#0123AF", "#0123ag"))),
    "counter_coupons": {"code": (("TEA", "A1" * 10), ("TE", "A" * 21, "tea", "TEA "))},
    "counter_deliveries": {"driver_token": (("x" * 20,), ("x" * 19,))},
    "counter_stores": {"slug": (("a", "9-a", "a" * 63), ("", "-a", "A", "a" * 64, "a_b"))},
    "firmware_builds": {"sha256": (("0f" * 32,), ("0f" * 31, "0F" * 32, "0f" * 33)),
                        "formats": (([1],), ([],)),
                        "signature": ((b"s" * 64,), (b"s" * 63, b"s" * 65))},
    "firmware_keys": {"public_key": ((b"k" * 32,), (b"k" * 31, b"k" * 33))},
    "loyalty_entries": {"points": ((1, -1), (0,))},
    "machine_templates": {"name": (("a", "9-a", "a" * 40), ("", "-a", "A", "a" * 41, "a_b"))},
    "outlet_demand": dict.fromkeys(("weekday_sold", "weekday_days"), (
        ([1.0] * 7,), ([1.0] * 6, [1.0] * 8))),
    "pictures": {"digest": (("0f" * 32,), ("0f" * 31, "0F" * 32, "0f" * 33))},
    "routes": {"machines": ((["M"] * 500,), (["M"] * 501,))},
}  # fmt: skip


def of_columns() -> Iterator[Check]:
    """What a column alone may hold."""
    found: list[tuple[str, str, Sequence[Any], Sequence[Any]]] = []
    for table, columns in ONE_OF.items():
        found += [(table, name, one_of, [0] if 384 in one_of else ["x", ""])
                  for name, one_of in columns.items()]  # fmt: skip
    for table, bounds in BOUNDS.items():
        for name, (least, most) in bounds.items():
            by = type(least)(1) if least != 0.1 else 0.1
            inside, outside = [least], [least - by]
            if most is not None:
                inside, outside = [least, most], [least - by, most + by]
            found.append((table, name, inside, outside))
    for table, letters in LETTERS.items():
        for name, (fewest, most) in letters.items():
            none = [""] if fewest else []
            found.append((table, name, ["x" * fewest, "x" * most], [*none, "x" * (most + 1)]))
    for table, others in ELSE.items():
        found += [(table, name, right, wrong) for name, (right, wrong) in others.items()]
    for table, name, right, wrong in found:
        yield Check(f"{table}_{name}_check", table, STANDS.get(table, {}), each(name, *wrong),
                    each(name, *right))  # fmt: skip


async def test_each_check_refuses_what_its_name_says_and_takes_what_stands_beside_it(
    rows: Rows,
) -> None:
    wrong = []
    for check in (*PEOPLE, *MONEY, *MACHINES, *COUNTERS, *of_columns()):
        wrong += [said async for said in _mistaken(rows, check)]
    assert wrong == []


async def _mistaken(rows: Rows, check: Check) -> AsyncIterator[str]:
    taken = [({}, ""), *((change, "") for change in check.right)]
    for change, refused_by in [*taken, *((change, check.name) for change in check.wrong)]:
        said = await _refused_by(rows, check.table, {**check.row, **change})
        if said != refused_by:
            yield f"{check.name}: {change} is refused by {said or 'nothing'}"


async def _refused_by(rows: Rows, table: str, row: Row) -> str:
    await rows.conn.execute("BEGIN")
    try:
        await rows.put(table, **row)
    except asyncpg.CheckViolationError as refusal:
        return str(refusal.constraint_name)
    finally:
        await rows.conn.execute("ROLLBACK")
    return ""
