"""The auditor's checks of the database itself: row-level security, the logins' rights, and the
triggers, constraints and indexes that enforce the rules."""

from collections.abc import Mapping, Sequence

_APPEND_ONLY = (
    "order_lines", "events", "strays", "ledger", "exchanges", "device_events", "exposures",
    "corrections", "public_events", "delivery_tries", "order_refunds", "audit_log",
)  # fmt: skip
_NEVER_DELETED = (
    *_APPEND_ONLY, "inbox", "merchants", "gateway_accounts", "outlets", "devices",
    "device_journals", "qr_codes", "orders", "payments", "attempts", "captures", "fulfillments",
    "vend_units", "ways_to_pay", "refunds", "order_refund_parts", "order_extras", "discrepancies",
    "cases", "receipts",
    "disputes", "reconciliations",
    "people", "memberships", "installation_admins", "second_factors", "recovery_codes", "sessions",
    "refresh_tokens", "used_challenges", "sign_in_tries",
)  # fmt: skip
_TRIGGERS = (
    "ledger_balances", "settled_once", "policy_has_exposure", "part_ended_once",
    "extra_settled_once",
)  # fmt: skip
_CONSTRAINTS = (
    "captured_is_accounted_for", "we_never_give_back_more_than_is_due",
    "a_refund_by_a_person_says_who_and_why", "a_part_is_of_a_unit", "an_extra_names_its_basis",
    "every_piece_has_its_sum", "no_piece_costs_more_than_its_price",
    "included_tax_is_a_part_of_its_unit", "what_costs_money_has_its_capture",
    "a_settlement_names_its_basis", "never_sent_means_go_was_never_committed",
    "silence_has_an_end", "go_answers_an_accept", "a_delivery_is_due_until_it_ends",
    "staff_has_an_outlet", "a_cookie_has_a_secret", "a_used_token_has_a_successor",
    "a_factor_has_what_proves_it", "a_notice_is_due_until_it_ends",
    "no_secret_outlives_its_notice", "a_receipt_is_of_a_payment_or_of_a_refund",
    "a_receipts_contact_is_an_address",
)  # fmt: skip
_UNIQUE = (
    "captures_account_id_gateway_payment_id_key", "vend_units_outlet_id_seq_key",
    "vend_units_one_open", "refunds_one_live", "refunds_one_live_part", "refunds_key_key",
    "order_refunds_key", "order_extras_kind",
    "refunds_account_id_gateway_refund_id_key", "refunds_replaces_key", "inbox_delivery",
    "qr_codes_printed", "qr_codes_attempt", "attempts_page_key", "discrepancies_once", "inbox_own",
    "cases_one_open",
    "disputes_account_id_gateway_dispute_id_key",
    "people_login", "memberships_pkey", "sessions_secret_hash_key", "refresh_tokens_pkey",
    "used_challenges_pkey", "second_factors_credential_id_key",
    "public_events_pkey", "public_events_id_key", "deliveries_endpoint_id_seq_key",
    "notices_dedup_key", "alerts_open",
    "receipts_attempt", "receipts_refund", "receipts_replaces_key",
)  # fmt: skip


def _names(names: Sequence[str]) -> str:
    return "unnest(ARRAY[" + ", ".join(f"'{name}'" for name in names) + "])"


_TENANTS = """
tenant AS (
    SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    AND (c.relname = 'merchants' OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
         AND a.attname = 'merchant_id' AND NOT a.attisdropped))
)
"""

# Tables of people's own rows; those of a merchant are above.
_PERSONAL = """
personal AS (
    SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    AND c.relname NOT IN (SELECT relname FROM tenant)
    AND (c.relname = 'people' OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
         AND a.attname = 'person_id' AND NOT a.attisdropped))
)
"""

# Forced on every table of a merchant, and no policy shows the application a row of another; the
# same for people. A colleague is seen by who works for the same merchant, and never written.
_FORCED = f"""
WITH {_TENANTS}, {_PERSONAL}
SELECT relname AS "table", 'not forced' AS why FROM tenant
WHERE NOT (relrowsecurity AND relforcerowsecurity)
UNION ALL
SELECT t.relname, 'policy ' || p.policyname FROM tenant t
JOIN pg_policies p ON p.schemaname = 'public' AND p.tablename = t.relname
WHERE p.roles && ARRAY['coinslot_app', 'public']::name[] AND p.permissive = 'PERMISSIVE'
  AND (coalesce(p.qual, p.with_check, '') NOT LIKE '%the_merchant()%'
       OR coalesce(p.with_check, p.qual, '') NOT LIKE '%the_merchant()%')
UNION ALL
SELECT relname, 'not forced' FROM personal WHERE NOT (relrowsecurity AND relforcerowsecurity)
UNION ALL
SELECT t.relname, 'policy ' || p.policyname FROM personal t
JOIN pg_policies p ON p.schemaname = 'public' AND p.tablename = t.relname
WHERE p.roles && ARRAY['coinslot_app', 'public']::name[] AND p.permissive = 'PERMISSIVE'
  AND (coalesce(p.qual, p.with_check, '') NOT LIKE '%the_person()%'
       OR coalesce(p.with_check, p.qual, '') NOT LIKE '%the_person()%')
  AND NOT (p.cmd = 'SELECT' AND p.qual LIKE '%the_merchant()%')
"""

_LOGINS = f"""
WITH {_TENANTS}
SELECT l.login, 'is missing' AS why FROM {_names(("coinslot_app", "coinslot_door"))} AS l (login)
WHERE l.login NOT IN (SELECT rolname FROM pg_roles)
UNION ALL
SELECT r.rolname, 'is above its rights' FROM pg_roles r
WHERE r.rolname IN ('coinslot_app', 'coinslot_door')
  AND (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication)
UNION ALL
SELECT DISTINCT r.rolname, 'acts as ' || pg_get_userbyid(c.relowner)
FROM pg_roles r, tenant t JOIN pg_class c ON c.oid = t.oid
WHERE r.rolname IN ('coinslot_app', 'coinslot_door') AND NOT r.rolsuper
  AND pg_has_role(r.rolname, c.relowner, 'MEMBER')
"""

_RECORD = f"""
WITH login AS (
    SELECT rolname FROM pg_roles
    WHERE rolname IN ('coinslot_app', 'coinslot_door') AND NOT rolsuper
)
SELECT l.rolname AS login, t.name AS "table", 'UPDATE' AS "right"
FROM login l, {_names(_APPEND_ONLY)} AS t (name)
WHERE has_any_column_privilege(l.rolname, t.name, 'UPDATE')
UNION ALL
SELECT l.rolname, t.name, 'DELETE' FROM login l, {_names(_NEVER_DELETED)} AS t (name)
WHERE has_table_privilege(l.rolname, t.name, 'DELETE, TRUNCATE')
UNION ALL
SELECT l.rolname, 'inbox.' || c.name, 'UPDATE'
FROM login l, {_names(("delivery_id", "verdict", "headers", "body", "facts"))} AS c (name)
WHERE has_column_privilege(l.rolname, 'inbox', c.name, 'UPDATE')
"""

_GUARDS = f"""
SELECT 'trigger' AS what, g.name FROM {_names(_TRIGGERS)} AS g (name)
WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgname = g.name AND t.tgenabled IN ('O', 'A'))
UNION ALL
SELECT 'trigger lease_is_held', c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attname = 'lease' AND NOT a.attisdropped AND c.relkind = 'r'
    AND c.relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_trigger t
        WHERE t.tgrelid = c.oid AND t.tgname = 'lease_is_held' AND t.tgenabled IN ('O', 'A'))
UNION ALL
SELECT 'constraint', g.name FROM {_names(_CONSTRAINTS)} AS g (name)
WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = g.name)
UNION ALL
SELECT 'unique index', g.name FROM {_names(_UNIQUE)} AS g (name)
WHERE NOT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                  WHERE c.relname = g.name AND i.indisunique AND i.indisvalid)
"""

# If a policy hid rows from the auditor, it would pass an empty table.
_SIGHT = f"""
WITH {_TENANTS}
SELECT t.relname AS "table" FROM tenant t, pg_roles me
WHERE me.rolname = current_user AND t.relrowsecurity AND NOT (me.rolsuper OR me.rolbypassrls)
AND NOT EXISTS (
    SELECT FROM pg_policies p, unnest(p.roles) AS r (name)
    WHERE p.schemaname = 'public' AND p.tablename = t.relname AND p.permissive = 'PERMISSIVE'
    AND p.cmd IN ('ALL', 'SELECT') AND p.qual = 'true'
    AND CASE r.name WHEN 'public' THEN true ELSE pg_has_role(r.name, 'USAGE') END)
"""

GUARDS: Mapping[str, str] = {
    "row_level_security_is_forced": _FORCED,
    "logins_stay_within_their_rights": _LOGINS,
    "the_record_is_append_only": _RECORD,
    "the_guards_stand": _GUARDS,
    "the_auditor_sees_every_row": _SIGHT,
}
