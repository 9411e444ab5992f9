-- The database as all migrations leave it: made by `python -m tests.write_schema` (`make docs`).
-- Functions stand in the `sql` folders of src/coinslot; those of migrations stand at the end here.
-- On PostgreSQL 18, which the embedded server is.

CREATE TABLE alerts (
    id uuid NOT NULL,
    merchant_id uuid,
    person_id uuid,
    kind text NOT NULL,
    subject text NOT NULL,
    data jsonb NOT NULL DEFAULT '{}'::jsonb,
    opened_at timestamp with time zone NOT NULL,
    back_since timestamp with time zone,
    ended_at timestamp with time zone,
    told_at timestamp with time zone,
    end_told_at timestamp with time zone,
    CONSTRAINT alerts_pkey PRIMARY KEY (id),
    CONSTRAINT alerts_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT alerts_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id),
    CONSTRAINT an_alert_is_a_merchants_or_a_persons CHECK (((merchant_id IS NULL) <> (person_id IS NULL)))
);
CREATE INDEX alerts_ended ON alerts USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE UNIQUE INDEX alerts_open ON alerts USING btree (merchant_id, kind, subject) WHERE (ended_at IS NULL);
CREATE INDEX alerts_told ON alerts USING btree (merchant_id, kind, told_at);
CREATE INDEX alerts_untold ON alerts USING btree (opened_at) WHERE (end_told_at IS NULL);
ALTER TABLE alerts ENABLE ROW LEVEL SECURITY;
ALTER TABLE alerts FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON alerts FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON alerts FOR ALL TO coinslot_app USING (((merchant_id = the_merchant()) OR ((merchant_id IS NULL) AND (person_id = the_person()))));
CREATE POLICY owner ON alerts FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON alerts TO coinslot_app;
GRANT INSERT, SELECT, UPDATE (back_since, end_told_at, ended_at, told_at) ON alerts TO coinslot_door;

CREATE TABLE api_keys (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    prefix text NOT NULL,
    hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    name text NOT NULL DEFAULT ''::text,
    scopes text[] NOT NULL DEFAULT '{payments:read,payments:write,refunds:write,events:read,webhooks:write}'::text[],
    last_used_at timestamp with time zone,
    expires_at timestamp with time zone,
    replaced_by uuid,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_hash_key UNIQUE (hash),
    CONSTRAINT api_keys_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT api_keys_replaced_by_fkey FOREIGN KEY (replaced_by) REFERENCES api_keys(id)
);
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON api_keys FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON api_keys FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON api_keys FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (expires_at, replaced_by, revoked_at, scopes) ON api_keys TO coinslot_app;
GRANT SELECT, UPDATE (last_used_at) ON api_keys TO coinslot_door;

CREATE TABLE attempts (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    account_id uuid NOT NULL,
    state text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    gateway_payment_id text,
    failure text,
    started_at timestamp with time zone NOT NULL,
    number integer NOT NULL DEFAULT 1,
    key text,
    key_sent_at timestamp with time zone,
    method text,
    reference text,
    action jsonb,
    tries integer NOT NULL DEFAULT 0,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    wish text,
    wish_minor bigint,
    wish_key text,
    wish_sent_at timestamp with time zone,
    asked_minor bigint[] NOT NULL DEFAULT '{}'::bigint[],
    sends integer NOT NULL DEFAULT 0,
    lease integer NOT NULL DEFAULT 0,
    outlet_id text,
    way text,
    page_key text,
    network text,
    make_at timestamp with time zone,
    page_asked_at timestamp with time zone,
    retired_at timestamp with time zone,
    CONSTRAINT attempts_pkey PRIMARY KEY (id),
    CONSTRAINT attempts_key_key UNIQUE (key),
    CONSTRAINT attempts_number UNIQUE (payment_id, number),
    CONSTRAINT attempts_account_id_fkey FOREIGN KEY (account_id) REFERENCES gateway_accounts(id),
    CONSTRAINT attempts_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT attempts_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT attempts_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments(id),
    CONSTRAINT a_wish_is_whole CHECK ((((wish IS NULL) = (wish_key IS NULL)) AND ((NOT (wish IS DISTINCT FROM 'take'::text)) = (wish_minor IS NOT NULL)))),
    CONSTRAINT attempts_way_check CHECK ((way = ANY (ARRAY['link'::text, 'code'::text]))),
    CONSTRAINT attempts_wish_check CHECK ((wish = ANY (ARRAY['take'::text, 'let_go'::text]))),
    CONSTRAINT attempts_wish_minor_check CHECK ((wish_minor > 0))
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);
CREATE INDEX attempts_due ON attempts USING btree (account_id, due_at, id) WHERE (due_at IS NOT NULL);
CREATE INDEX attempts_gateway_payment ON attempts USING btree (account_id, gateway_payment_id) WHERE (gateway_payment_id IS NOT NULL);
CREATE INDEX attempts_of_pages ON attempts USING btree (outlet_id, make_at) WHERE (outlet_id IS NOT NULL);
CREATE UNIQUE INDEX attempts_page_key ON attempts USING btree (page_key) WHERE (page_key IS NOT NULL);
CREATE INDEX attempts_reference ON attempts USING btree (account_id, reference) WHERE (reference IS NOT NULL);
CREATE TRIGGER figures_change AFTER UPDATE ON attempts FOR EACH ROW WHEN ((old.state IS DISTINCT FROM new.state)) EXECUTE FUNCTION figures_change();
CREATE TRIGGER lease_is_held BEFORE UPDATE ON attempts FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('attempts '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('attempts '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON attempts FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON attempts FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON attempts FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON attempts TO coinslot_app;
GRANT SELECT, UPDATE (due_at, lease, leased_until) ON attempts TO coinslot_door;

CREATE TABLE audit_log (
    seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    merchant_id uuid,
    person_id uuid,
    session_id uuid,
    factors text[] NOT NULL,
    address text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL DEFAULT ''::text,
    before jsonb,
    after jsonb,
    reason text NOT NULL DEFAULT ''::text,
    at timestamp with time zone NOT NULL,
    CONSTRAINT audit_log_pkey PRIMARY KEY (seq),
    CONSTRAINT audit_log_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT audit_log_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id)
);
CREATE INDEX audit_log_merchant ON audit_log USING btree (merchant_id, seq);
CREATE INDEX audit_log_person ON audit_log USING btree (person_id, seq);
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON audit_log FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON audit_log FOR ALL TO coinslot_app USING (((merchant_id = the_merchant()) OR ((merchant_id IS NULL) AND (person_id = the_person()))));
CREATE POLICY owner ON audit_log FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON audit_log TO coinslot_app;
GRANT INSERT, SELECT ON audit_log TO coinslot_door;

CREATE TABLE audit_runs (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    asked_by text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    leased_until timestamp with time zone,
    tries integer NOT NULL DEFAULT 0,
    ended_at timestamp with time zone,
    ok boolean,
    report jsonb,
    failure text,
    CONSTRAINT audit_runs_pkey PRIMARY KEY (id),
    CONSTRAINT an_audit_that_ended_says_how CHECK ((((ended_at IS NULL) = ((report IS NULL) AND (failure IS NULL))) AND ((report IS NULL) = (ok IS NULL))))
);
CREATE UNIQUE INDEX audit_runs_one_waits ON audit_runs USING btree ((true)) WHERE (ended_at IS NULL);
GRANT INSERT, SELECT, UPDATE (ended_at, failure, leased_until, ok, report, started_at, tries) ON audit_runs TO coinslot_door;

CREATE TABLE brands (
    merchant_id uuid NOT NULL,
    shown_name text NOT NULL DEFAULT ''::text,
    colour text,
    ground text,
    support text NOT NULL DEFAULT ''::text,
    nothing_out text NOT NULL DEFAULT ''::text,
    changed_at timestamp with time zone NOT NULL,
    logo text,
    CONSTRAINT brands_pkey PRIMARY KEY (merchant_id),
    CONSTRAINT brands_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT brands_merchant_id_logo_fkey FOREIGN KEY (merchant_id, logo) REFERENCES pictures(merchant_id, digest),
    CONSTRAINT brands_colour_check CHECK ((colour ~ '^#[0-9a-f]{6}$'::text)),
    CONSTRAINT brands_ground_check CHECK ((ground ~ '^#[0-9a-f]{6}$'::text))
);
ALTER TABLE brands ENABLE ROW LEVEL SECURITY;
ALTER TABLE brands FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON brands FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON brands FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON brands FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON brands TO coinslot_app;
GRANT SELECT ON brands TO coinslot_door;

CREATE TABLE captures (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    account_id uuid NOT NULL,
    gateway_payment_id text NOT NULL,
    payment_id uuid,
    order_id uuid,
    qr_id uuid,
    reason text,
    currency character(3) NOT NULL,
    captured bigint NOT NULL,
    fulfilled bigint NOT NULL DEFAULT 0,
    refund_due bigint NOT NULL DEFAULT 0,
    surplus bigint NOT NULL DEFAULT 0,
    foreign_amount bigint NOT NULL DEFAULT 0,
    open bigint NOT NULL,
    outside bigint NOT NULL DEFAULT 0,
    outside_used bigint NOT NULL DEFAULT 0,
    refund_intended bigint NOT NULL DEFAULT 0,
    captured_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    hard_deadline timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    tries integer NOT NULL DEFAULT 0,
    fee_minor bigint,
    settlement text,
    settled_at timestamp with time zone,
    lease integer NOT NULL DEFAULT 0,
    payer_reference text,
    captured_here_at timestamp with time zone,
    goodwill bigint NOT NULL DEFAULT 0,
    receipt_url text,
    CONSTRAINT captures_pkey PRIMARY KEY (id),
    CONSTRAINT captures_account_id_gateway_payment_id_key UNIQUE (account_id, gateway_payment_id),
    CONSTRAINT captures_account_id_fkey FOREIGN KEY (account_id) REFERENCES gateway_accounts(id),
    CONSTRAINT captures_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT captures_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT captures_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments(id),
    CONSTRAINT captures_qr_id_fkey FOREIGN KEY (qr_id) REFERENCES qr_codes(id),
    CONSTRAINT captured_is_accounted_for CHECK ((captured = (((((fulfilled + refund_due) + goodwill) + surplus) + foreign_amount) + open))),
    CONSTRAINT captures_captured_check CHECK ((captured > 0)),
    CONSTRAINT captures_check CHECK (((outside_used >= 0) AND (outside_used <= outside))),
    CONSTRAINT captures_foreign_amount_check CHECK ((foreign_amount >= 0)),
    CONSTRAINT captures_fulfilled_check CHECK ((fulfilled >= 0)),
    CONSTRAINT captures_goodwill_check CHECK ((goodwill >= 0)),
    CONSTRAINT captures_open_check CHECK ((open >= 0)),
    CONSTRAINT captures_outside_check CHECK ((outside >= 0)),
    CONSTRAINT captures_receipt_url_check CHECK (((receipt_url ~ '^https?://'::text) AND (length(receipt_url) <= 2000))),
    CONSTRAINT captures_refund_due_check CHECK ((refund_due >= 0)),
    CONSTRAINT captures_refund_intended_check CHECK ((refund_intended >= 0)),
    CONSTRAINT captures_surplus_check CHECK ((surplus >= 0)),
    CONSTRAINT we_never_give_back_more_than_is_due CHECK (((refund_intended + outside_used) <= ((refund_due + goodwill) + surplus)))
) WITH (fillfactor=90, autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);
CREATE INDEX captures_due ON captures USING btree (account_id, due_at, id) WHERE (due_at IS NOT NULL);
CREATE INDEX captures_gateway_payment ON captures USING btree (gateway_payment_id, id);
CREATE INDEX captures_order ON captures USING btree (order_id);
CREATE INDEX captures_paid_out ON captures USING btree (account_id, settled_at) INCLUDE (settlement, currency, captured, fee_minor) WHERE (settled_at IS NOT NULL);
CREATE INDEX captures_payer_reference ON captures USING btree (payer_reference) WHERE (payer_reference IS NOT NULL);
CREATE INDEX captures_payment ON captures USING btree (payment_id) WHERE (payment_id IS NOT NULL);
CREATE INDEX captures_receipt_url ON captures USING btree (captured_at) WHERE (receipt_url IS NOT NULL);
CREATE INDEX captures_seen ON captures USING btree (account_id, captured_at);
CREATE TRIGGER figures_begin AFTER INSERT ON captures FOR EACH ROW WHEN ((new.order_id IS NOT NULL)) EXECUTE FUNCTION figures_change();
CREATE TRIGGER figures_change AFTER UPDATE ON captures FOR EACH ROW WHEN (((new.order_id IS NOT NULL) AND ((((old.order_id IS DISTINCT FROM new.order_id) OR (old.fee_minor IS DISTINCT FROM new.fee_minor)) OR (old.outside IS DISTINCT FROM new.outside)) OR (old.outside_used IS DISTINCT FROM new.outside_used)))) EXECUTE FUNCTION figures_change();
CREATE TRIGGER lease_is_held BEFORE UPDATE ON captures FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('captures '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('captures '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE captures ENABLE ROW LEVEL SECURITY;
ALTER TABLE captures FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON captures FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON captures FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON captures FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (due_at, fee_minor, foreign_amount, fulfilled, goodwill, leased_until, open, order_id, outside, outside_used, payer_reference, payment_id, qr_id, reason, receipt_url, refund_due, refund_intended, settled_at, settlement, surplus, tries) ON captures TO coinslot_app;
GRANT SELECT, UPDATE (due_at, lease, leased_until) ON captures TO coinslot_door;

CREATE TABLE cases (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    merchant_id uuid NOT NULL,
    source text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    since timestamp with time zone NOT NULL,
    owner text NOT NULL,
    amount_minor bigint,
    currency character(3),
    data jsonb NOT NULL DEFAULT '{}'::jsonb,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    closed_by text,
    how text,
    note text,
    CONSTRAINT cases_pkey PRIMARY KEY (id),
    CONSTRAINT cases_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT cases_source_check CHECK ((source = ANY (ARRAY['state'::text, 'books'::text]))),
    CONSTRAINT what_is_closed_says_how CHECK (((closed_at IS NULL) = (how IS NULL)))
);
CREATE UNIQUE INDEX cases_one_open ON cases USING btree (kind, subject, since) WHERE (closed_at IS NULL);
CREATE INDEX cases_subject ON cases USING btree (kind, subject);
CREATE TRIGGER closed_once BEFORE UPDATE ON cases FOR EACH ROW EXECUTE FUNCTION closed_once();
ALTER TABLE cases ENABLE ROW LEVEL SECURITY;
ALTER TABLE cases FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON cases FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON cases FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON cases FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (amount_minor, closed_at, closed_by, data, how, note) ON cases TO coinslot_app;
GRANT SELECT ON cases TO coinslot_door;

CREATE TABLE clocks (
    account_id uuid NOT NULL,
    node text NOT NULL,
    merchant_id uuid NOT NULL,
    ahead_ms bigint NOT NULL,
    heard_at timestamp with time zone NOT NULL,
    off_since timestamp with time zone,
    CONSTRAINT clocks_pkey PRIMARY KEY (account_id, node),
    CONSTRAINT clocks_account_id_fkey FOREIGN KEY (account_id) REFERENCES gateway_accounts(id),
    CONSTRAINT clocks_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
ALTER TABLE clocks ENABLE ROW LEVEL SECURITY;
ALTER TABLE clocks FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON clocks FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON clocks FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON clocks FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON clocks TO coinslot_app;
GRANT SELECT ON clocks TO coinslot_door;

CREATE TABLE coffee_accounts (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    vendor text NOT NULL,
    slug text NOT NULL,
    settings bytea NOT NULL,
    version integer NOT NULL DEFAULT 1,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT coffee_accounts_pkey PRIMARY KEY (id),
    CONSTRAINT coffee_accounts_slug_key UNIQUE (slug),
    CONSTRAINT coffee_accounts_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
ALTER TABLE coffee_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE coffee_accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON coffee_accounts FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON coffee_accounts FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON coffee_accounts FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON coffee_accounts TO coinslot_app;
GRANT SELECT ON coffee_accounts TO coinslot_door;

CREATE TABLE coffee_drinks (
    merchant_id uuid NOT NULL,
    drink text NOT NULL,
    small_minor bigint,
    medium_minor bigint,
    big_minor bigint,
    asked_at timestamp with time zone NOT NULL,
    CONSTRAINT coffee_drinks_pkey PRIMARY KEY (merchant_id, drink),
    CONSTRAINT coffee_drinks_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT coffee_drinks_big_minor_check CHECK ((big_minor > 0)),
    CONSTRAINT coffee_drinks_medium_minor_check CHECK ((medium_minor > 0)),
    CONSTRAINT coffee_drinks_small_minor_check CHECK ((small_minor > 0))
);
ALTER TABLE coffee_drinks ENABLE ROW LEVEL SECURITY;
ALTER TABLE coffee_drinks FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON coffee_drinks FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON coffee_drinks FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON coffee_drinks FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON coffee_drinks TO coinslot_app;
GRANT SELECT ON coffee_drinks TO coinslot_door;

CREATE TABLE coffee_machines (
    outlet_id text NOT NULL,
    merchant_id uuid NOT NULL,
    account_id uuid NOT NULL,
    device text NOT NULL,
    heard_at timestamp with time zone,
    CONSTRAINT coffee_machines_pkey PRIMARY KEY (outlet_id),
    CONSTRAINT coffee_machines_device_key UNIQUE (device),
    CONSTRAINT coffee_machines_account_id_fkey FOREIGN KEY (account_id) REFERENCES coffee_accounts(id),
    CONSTRAINT coffee_machines_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT coffee_machines_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT a_device_stands_in_an_address CHECK ((device ~ '^[^/[:cntrl:]]{1,255}$'::text))
);
ALTER TABLE coffee_machines ENABLE ROW LEVEL SECURITY;
ALTER TABLE coffee_machines FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON coffee_machines FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON coffee_machines FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON coffee_machines FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON coffee_machines TO coinslot_app;
GRANT SELECT ON coffee_machines TO coinslot_door;

CREATE TABLE coffee_orders (
    order_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    machine_order text NOT NULL,
    drink text NOT NULL,
    size smallint NOT NULL,
    device text NOT NULL,
    CONSTRAINT coffee_orders_pkey PRIMARY KEY (order_id),
    CONSTRAINT one_order_per_code UNIQUE (device, machine_order),
    CONSTRAINT coffee_orders_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT coffee_orders_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT coffee_orders_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT coffee_orders_machine_order_check CHECK (((length(machine_order) >= 1) AND (length(machine_order) <= 255))),
    CONSTRAINT coffee_orders_size_check CHECK (((size >= 0) AND (size <= 2)))
);
ALTER TABLE coffee_orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE coffee_orders FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON coffee_orders FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON coffee_orders FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON coffee_orders FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON coffee_orders TO coinslot_app;
GRANT SELECT ON coffee_orders TO coinslot_door;

CREATE TABLE coffee_rules (
    merchant_id uuid NOT NULL,
    denied text NOT NULL DEFAULT 'refund'::text,
    unclear text NOT NULL DEFAULT 'refund'::text,
    contact_limit integer NOT NULL DEFAULT 1,
    browser_limit integer NOT NULL DEFAULT 1,
    device_limit integer NOT NULL DEFAULT 3,
    day_limit integer NOT NULL DEFAULT 20,
    CONSTRAINT coffee_rules_pkey PRIMARY KEY (merchant_id),
    CONSTRAINT coffee_rules_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT coffee_rules_browser_limit_check CHECK ((browser_limit >= 0)),
    CONSTRAINT coffee_rules_contact_limit_check CHECK ((contact_limit >= 0)),
    CONSTRAINT coffee_rules_day_limit_check CHECK ((day_limit >= 0)),
    CONSTRAINT coffee_rules_denied_check CHECK ((denied = ANY (ARRAY['refund'::text, 'goods'::text, 'person'::text]))),
    CONSTRAINT coffee_rules_device_limit_check CHECK ((device_limit >= 0)),
    CONSTRAINT coffee_rules_unclear_check CHECK ((unclear = ANY (ARRAY['refund'::text, 'goods'::text, 'person'::text])))
);
ALTER TABLE coffee_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE coffee_rules FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON coffee_rules FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON coffee_rules FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON coffee_rules FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON coffee_rules TO coinslot_app;
GRANT SELECT ON coffee_rules TO coinslot_door;

CREATE TABLE coffee_units (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    answer text,
    told text NOT NULL DEFAULT ''::text,
    grace_until timestamp with time zone,
    denied_at timestamp with time zone,
    rule text,
    said_by text,
    CONSTRAINT coffee_units_pkey PRIMARY KEY (id),
    CONSTRAINT coffee_units_id_fkey FOREIGN KEY (id) REFERENCES fulfillments(id),
    CONSTRAINT coffee_units_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT coffee_units_answer_check CHECK ((answer = ANY (ARRAY['taken'::text, 'unclear'::text, 'refused'::text]))),
    CONSTRAINT coffee_units_rule_check CHECK ((rule = ANY (ARRAY['refund'::text, 'goods'::text, 'person'::text, 'limit'::text])))
);
CREATE INDEX coffee_units_denied ON coffee_units USING btree (merchant_id, denied_at) WHERE (denied_at IS NOT NULL);
ALTER TABLE coffee_units ENABLE ROW LEVEL SECURITY;
ALTER TABLE coffee_units FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON coffee_units FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON coffee_units FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON coffee_units FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON coffee_units TO coinslot_app;
GRANT SELECT ON coffee_units TO coinslot_door;

CREATE TABLE config_pushes (
    id text NOT NULL,
    merchant_id uuid NOT NULL,
    wanted_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    tries integer NOT NULL DEFAULT 0,
    held_since timestamp with time zone,
    ended_at timestamp with time zone,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    lease integer NOT NULL DEFAULT 0,
    CONSTRAINT config_pushes_pkey PRIMARY KEY (id),
    CONSTRAINT config_pushes_id_fkey FOREIGN KEY (id) REFERENCES outlets(id),
    CONSTRAINT config_pushes_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
CREATE INDEX config_pushes_due ON config_pushes USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE TRIGGER lease_is_held BEFORE UPDATE ON config_pushes FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('config_pushes '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('config_pushes '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE config_pushes ENABLE ROW LEVEL SECURITY;
ALTER TABLE config_pushes FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON config_pushes FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON config_pushes FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON config_pushes FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON config_pushes TO coinslot_app;
GRANT SELECT, UPDATE (due_at, lease, leased_until) ON config_pushes TO coinslot_door;

CREATE TABLE config_versions (
    outlet_id text NOT NULL,
    version integer NOT NULL,
    merchant_id uuid NOT NULL,
    config jsonb NOT NULL,
    codes jsonb NOT NULL DEFAULT '{}'::jsonb,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    price_version integer,
    planogram_version integer,
    CONSTRAINT config_versions_pkey PRIMARY KEY (outlet_id, version),
    CONSTRAINT config_versions_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT config_versions_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id)
);
ALTER TABLE config_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE config_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON config_versions FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON config_versions FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON config_versions FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON config_versions TO coinslot_app;
GRANT SELECT ON config_versions TO coinslot_door;

CREATE TABLE corrections (
    fulfillment_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    why text NOT NULL,
    at timestamp with time zone NOT NULL,
    made_by text,
    note text NOT NULL DEFAULT ''::text,
    CONSTRAINT corrections_pkey PRIMARY KEY (fulfillment_id),
    CONSTRAINT corrections_fulfillment_id_fkey FOREIGN KEY (fulfillment_id) REFERENCES fulfillments(id),
    CONSTRAINT corrections_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT a_correction_names_who_made_it CHECK ((made_by IS NOT NULL)) NOT VALID
);
CREATE TRIGGER figures_change AFTER INSERT ON corrections FOR EACH ROW EXECUTE FUNCTION figures_change();
ALTER TABLE corrections ENABLE ROW LEVEL SECURITY;
ALTER TABLE corrections FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON corrections FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON corrections FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON corrections FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON corrections TO coinslot_app;
GRANT SELECT ON corrections TO coinslot_door;

CREATE TABLE counter_accounts (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    form text NOT NULL,
    digest text NOT NULL,
    name text NOT NULL DEFAULT ''::text,
    note text NOT NULL DEFAULT ''::text,
    card_version integer NOT NULL DEFAULT 0,
    made_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT counter_accounts_pkey PRIMARY KEY (id),
    CONSTRAINT counter_accounts_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT a_deleted_account_names_nobody CHECK (((deleted_at IS NULL) OR ((digest = ''::text) AND (name = ''::text) AND (note = ''::text)))),
    CONSTRAINT counter_accounts_form_check CHECK ((form = ANY (ARRAY['sms'::text, 'email'::text]))),
    CONSTRAINT counter_accounts_name_check CHECK ((length(name) <= 80)),
    CONSTRAINT counter_accounts_note_check CHECK ((length(note) <= 200))
);
CREATE UNIQUE INDEX counter_accounts_contact ON counter_accounts USING btree (merchant_id, form, digest) WHERE (deleted_at IS NULL);
ALTER TABLE counter_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_accounts FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_accounts FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_accounts FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_accounts TO coinslot_app;
GRANT SELECT ON counter_accounts TO coinslot_door;

CREATE TABLE counter_alarms (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    since timestamp with time zone NOT NULL,
    repeated_at timestamp with time zone,
    told_at timestamp with time zone,
    called_at timestamp with time zone,
    ended_at timestamp with time zone,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    lease integer NOT NULL DEFAULT 0,
    CONSTRAINT counter_alarms_pkey PRIMARY KEY (id),
    CONSTRAINT counter_alarms_id_fkey FOREIGN KEY (id) REFERENCES orders(id),
    CONSTRAINT counter_alarms_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_alarms_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES counter_stores(outlet_id),
    CONSTRAINT an_alarm_is_due_until_it_ends CHECK (((ended_at IS NULL) = (due_at IS NOT NULL)))
);
CREATE INDEX counter_alarms_called ON counter_alarms USING btree (outlet_id, called_at) WHERE (called_at IS NOT NULL);
CREATE INDEX counter_alarms_due ON counter_alarms USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE TRIGGER lease_is_held BEFORE UPDATE ON counter_alarms FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('counter_alarms '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('counter_alarms '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE counter_alarms ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_alarms FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_alarms FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_alarms FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_alarms FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_alarms TO coinslot_app;
GRANT INSERT, SELECT, UPDATE ON counter_alarms TO coinslot_door;

CREATE TABLE counter_checks (
    outlet_id text NOT NULL,
    merchant_id uuid NOT NULL,
    journal_id text NOT NULL,
    sales bigint NOT NULL,
    vend bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    machine_vends bigint NOT NULL DEFAULT 0,
    our_vends bigint NOT NULL DEFAULT 0,
    unsure bigint NOT NULL DEFAULT 0,
    differs_since timestamp with time zone,
    CONSTRAINT counter_checks_pkey PRIMARY KEY (outlet_id),
    CONSTRAINT counter_checks_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_checks_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id)
);
ALTER TABLE counter_checks ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_checks FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_checks FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_checks FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_checks FOR ALL TO coinslot_owner USING (true);
GRANT SELECT ON counter_checks TO coinslot_app;
GRANT INSERT, SELECT, UPDATE ON counter_checks TO coinslot_door;

CREATE TABLE counter_consents (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    merchant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    form text NOT NULL,
    address text NOT NULL,
    text_version text NOT NULL,
    language text NOT NULL,
    network text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT counter_consents_pkey PRIMARY KEY (id),
    CONSTRAINT counter_consents_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_consents_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT counter_consents_form_check CHECK ((form = ANY (ARRAY['phone'::text, 'email'::text, 'push'::text])))
);
CREATE INDEX counter_consents_order ON counter_consents USING btree (order_id);
ALTER TABLE counter_consents ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_consents FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_consents FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_consents FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_consents FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON counter_consents TO coinslot_app;
GRANT SELECT ON counter_consents TO coinslot_door;

CREATE TABLE counter_contacts (
    order_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    phone text,
    email text,
    push text,
    phone_digest text,
    email_digest text,
    network text NOT NULL DEFAULT ''::text,
    language text NOT NULL DEFAULT 'en'::text,
    CONSTRAINT counter_contacts_pkey PRIMARY KEY (order_id),
    CONSTRAINT counter_contacts_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_contacts_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT a_phone_is_written_by_e164 CHECK ((phone ~ '^\+[1-9][0-9]{6,14}$'::text)),
    CONSTRAINT an_email_is_an_address CHECK (((email ~ '^[^@[:space:]]+@[^@[:space:]]+$'::text) AND (length(email) <= 254)))
);
CREATE INDEX counter_contacts_email ON counter_contacts USING btree (merchant_id, email_digest);
CREATE INDEX counter_contacts_phone ON counter_contacts USING btree (merchant_id, phone_digest);
ALTER TABLE counter_contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_contacts FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_contacts FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_contacts FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (email, email_digest, network, phone, phone_digest, push) ON counter_contacts TO coinslot_app;
GRANT SELECT, UPDATE (email, email_digest, network, phone, phone_digest, push) ON counter_contacts TO coinslot_door;

CREATE TABLE counter_coupons (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    code text NOT NULL,
    percent_bp integer,
    off_minor bigint,
    currency character(3) NOT NULL,
    least_minor bigint NOT NULL DEFAULT 0,
    uses integer,
    begins_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone,
    ended_at timestamp with time zone,
    made_by text NOT NULL,
    CONSTRAINT counter_coupons_pkey PRIMARY KEY (id),
    CONSTRAINT counter_coupons_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT a_coupon_begins_before_it_ends CHECK ((ends_at > begins_at)),
    CONSTRAINT a_coupon_takes_off_one_way CHECK ((num_nonnulls(percent_bp, off_minor) = 1)),
    CONSTRAINT counter_coupons_code_check CHECK ((code ~ '^[A-Z0-9]{3,20}$'::text)),
    CONSTRAINT counter_coupons_least_minor_check CHECK ((least_minor >= 0)),
    CONSTRAINT counter_coupons_off_minor_check CHECK ((off_minor > 0)),
    CONSTRAINT counter_coupons_percent_bp_check CHECK (((percent_bp >= 1) AND (percent_bp <= 10000))),
    CONSTRAINT counter_coupons_uses_check CHECK ((uses > 0))
);
CREATE UNIQUE INDEX counter_coupons_one_live ON counter_coupons USING btree (merchant_id, code) WHERE (ended_at IS NULL);
ALTER TABLE counter_coupons ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_coupons FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_coupons FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_coupons FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_coupons FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (ended_at) ON counter_coupons TO coinslot_app;
GRANT SELECT ON counter_coupons TO coinslot_door;

CREATE TABLE counter_credit_notes (
    merchant_id uuid NOT NULL,
    year integer NOT NULL,
    number integer NOT NULL,
    refund_id uuid NOT NULL,
    order_id uuid NOT NULL,
    unit_id uuid,
    extra_id uuid,
    amount_minor bigint NOT NULL,
    taxes jsonb NOT NULL,
    at timestamp with time zone NOT NULL,
    void_at timestamp with time zone,
    CONSTRAINT counter_credit_notes_pkey PRIMARY KEY (merchant_id, year, number),
    CONSTRAINT counter_credit_notes_refund_id_key UNIQUE (refund_id),
    CONSTRAINT counter_credit_notes_extra_id_fkey FOREIGN KEY (extra_id) REFERENCES order_extras(id),
    CONSTRAINT counter_credit_notes_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_credit_notes_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT counter_credit_notes_refund_id_fkey FOREIGN KEY (refund_id) REFERENCES refunds(id),
    CONSTRAINT counter_credit_notes_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES fulfillments(id),
    CONSTRAINT counter_credit_notes_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT counter_credit_notes_number_check CHECK ((number > 0))
);
CREATE INDEX counter_credit_notes_order ON counter_credit_notes USING btree (order_id);
ALTER TABLE counter_credit_notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_credit_notes FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_credit_notes FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_credit_notes FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_credit_notes FOR ALL TO coinslot_owner USING (true);
GRANT SELECT ON counter_credit_notes TO coinslot_app;
GRANT SELECT ON counter_credit_notes TO coinslot_door;

CREATE TABLE counter_credit_years (
    merchant_id uuid NOT NULL,
    year integer NOT NULL,
    last integer NOT NULL,
    CONSTRAINT counter_credit_years_pkey PRIMARY KEY (merchant_id, year),
    CONSTRAINT counter_credit_years_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_credit_years_last_check CHECK ((last > 0))
);
ALTER TABLE counter_credit_years ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_credit_years FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_credit_years FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_credit_years FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_credit_years FOR ALL TO coinslot_owner USING (true);
GRANT SELECT ON counter_credit_years TO coinslot_app;
GRANT SELECT ON counter_credit_years TO coinslot_door;

CREATE TABLE counter_deliveries (
    order_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    zone_id uuid NOT NULL,
    address text NOT NULL,
    latitude double precision,
    longitude double precision,
    driver_token text,
    left_at timestamp with time zone,
    CONSTRAINT counter_deliveries_pkey PRIMARY KEY (order_id),
    CONSTRAINT counter_deliveries_driver_token_key UNIQUE (driver_token),
    CONSTRAINT counter_deliveries_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_deliveries_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT counter_deliveries_zone_id_fkey FOREIGN KEY (zone_id) REFERENCES delivery_zones(id),
    CONSTRAINT counter_deliveries_address_check CHECK ((length(address) <= 300)),
    CONSTRAINT counter_deliveries_driver_token_check CHECK ((length(driver_token) >= 20)),
    CONSTRAINT counter_deliveries_latitude_check CHECK (((latitude >= ('-90'::integer)::double precision) AND (latitude <= (90)::double precision))),
    CONSTRAINT counter_deliveries_longitude_check CHECK (((longitude >= ('-180'::integer)::double precision) AND (longitude <= (180)::double precision)))
);
ALTER TABLE counter_deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_deliveries FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_deliveries FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_deliveries FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (address, driver_token, latitude, left_at, longitude) ON counter_deliveries TO coinslot_app;
GRANT SELECT ON counter_deliveries TO coinslot_door;

CREATE TABLE counter_invoice_years (
    merchant_id uuid NOT NULL,
    year integer NOT NULL,
    last integer NOT NULL,
    CONSTRAINT counter_invoice_years_pkey PRIMARY KEY (merchant_id, year),
    CONSTRAINT counter_invoice_years_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_invoice_years_last_check CHECK ((last > 0))
);
ALTER TABLE counter_invoice_years ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_invoice_years FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_invoice_years FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_invoice_years FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_invoice_years FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_invoice_years TO coinslot_app;
GRANT SELECT ON counter_invoice_years TO coinslot_door;

CREATE TABLE counter_invoices (
    merchant_id uuid NOT NULL,
    year integer NOT NULL,
    number integer NOT NULL,
    order_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT counter_invoices_pkey PRIMARY KEY (merchant_id, year, number),
    CONSTRAINT counter_invoices_order_id_key UNIQUE (order_id),
    CONSTRAINT counter_invoices_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_invoices_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT counter_invoices_number_check CHECK ((number > 0))
);
ALTER TABLE counter_invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_invoices FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_invoices FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_invoices FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_invoices FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON counter_invoices TO coinslot_app;
GRANT SELECT ON counter_invoices TO coinslot_door;

CREATE TABLE counter_items (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    product_id uuid NOT NULL,
    section text NOT NULL DEFAULT ''::text,
    place integer NOT NULL DEFAULT 0,
    price_minor bigint NOT NULL,
    tax_bp integer NOT NULL DEFAULT 0,
    stock integer,
    allergens text[] NOT NULL DEFAULT '{}'::text[],
    options jsonb NOT NULL DEFAULT '[]'::jsonb,
    sold_out_at timestamp with time zone,
    retired_at timestamp with time zone,
    hours jsonb NOT NULL DEFAULT '[]'::jsonb,
    prep_min integer NOT NULL DEFAULT 0,
    station text NOT NULL DEFAULT ''::text,
    option_stock jsonb NOT NULL DEFAULT '{}'::jsonb,
    choices_out text[] NOT NULL DEFAULT '{}'::text[],
    CONSTRAINT counter_items_pkey PRIMARY KEY (id),
    CONSTRAINT one_item_per_product UNIQUE (outlet_id, product_id),
    CONSTRAINT counter_items_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_items_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES counter_stores(outlet_id),
    CONSTRAINT counter_items_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
    CONSTRAINT counter_items_prep_min_check CHECK (((prep_min >= 0) AND (prep_min <= 240))),
    CONSTRAINT counter_items_price_minor_check CHECK ((price_minor >= 0)),
    CONSTRAINT counter_items_station_check CHECK ((length(station) <= 40)),
    CONSTRAINT counter_items_stock_check CHECK ((stock >= 0)),
    CONSTRAINT counter_items_tax_bp_check CHECK (((tax_bp >= 0) AND (tax_bp <= 10000))),
    CONSTRAINT no_choice_is_below_nothing CHECK ((NOT jsonb_path_exists(option_stock, '$.*?(@ < 0)'::jsonpath)))
);
ALTER TABLE counter_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_items FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_items FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_items FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_items FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_items TO coinslot_app;
GRANT SELECT ON counter_items TO coinslot_door;

CREATE TABLE counter_lines (
    line_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    item_id uuid NOT NULL,
    options jsonb NOT NULL DEFAULT '[]'::jsonb,
    note text NOT NULL DEFAULT ''::text,
    reserved integer NOT NULL DEFAULT 0,
    item_counted boolean NOT NULL DEFAULT true,
    counted_choices text[] NOT NULL DEFAULT '{}'::text[],
    tax_bp integer NOT NULL,
    shared_stocks uuid[] NOT NULL DEFAULT '{}'::uuid[],
    CONSTRAINT counter_lines_pkey PRIMARY KEY (line_id),
    CONSTRAINT counter_lines_item_id_fkey FOREIGN KEY (item_id) REFERENCES counter_items(id),
    CONSTRAINT counter_lines_line_id_fkey FOREIGN KEY (line_id) REFERENCES order_lines(id),
    CONSTRAINT counter_lines_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_lines_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT a_line_has_a_rate CHECK (((tax_bp >= 0) AND (tax_bp <= 10000))),
    CONSTRAINT counter_lines_note_check CHECK ((length(note) <= 200)),
    CONSTRAINT counter_lines_reserved_check CHECK ((reserved >= 0))
);
CREATE INDEX counter_lines_order ON counter_lines USING btree (order_id);
ALTER TABLE counter_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_lines FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_lines FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_lines FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_lines FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_lines TO coinslot_app;
GRANT SELECT ON counter_lines TO coinslot_door;

CREATE TABLE counter_lookups (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    form text NOT NULL,
    digest text NOT NULL,
    network text NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT counter_lookups_pkey PRIMARY KEY (id),
    CONSTRAINT counter_lookups_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_lookups_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES counter_stores(outlet_id),
    CONSTRAINT counter_lookups_form_check CHECK ((form = ANY (ARRAY['sms'::text, 'email'::text]))),
    CONSTRAINT counter_lookups_tries_check CHECK (((tries >= 0) AND (tries <= 5)))
);
CREATE INDEX counter_lookups_digest ON counter_lookups USING btree (merchant_id, digest, created_at);
CREATE INDEX counter_lookups_network ON counter_lookups USING btree (merchant_id, network, created_at);
ALTER TABLE counter_lookups ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_lookups FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_lookups FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_lookups FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_lookups FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_lookups TO coinslot_app;
GRANT SELECT ON counter_lookups TO coinslot_door;

CREATE TABLE counter_messages (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    order_id uuid,
    lookup_id uuid,
    purpose text NOT NULL,
    form text NOT NULL,
    dedup text NOT NULL,
    code_version integer,
    all_of_it boolean NOT NULL DEFAULT true,
    stage text NOT NULL DEFAULT 'due'::text,
    proved boolean NOT NULL DEFAULT false,
    why text,
    error_code text,
    reference text,
    phone_digest text,
    network text NOT NULL DEFAULT ''::text,
    price numeric,
    price_currency text,
    tries integer NOT NULL DEFAULT 0,
    looks integer NOT NULL DEFAULT 0,
    created_at timestamp with time zone NOT NULL,
    begun_at timestamp with time zone,
    ended_at timestamp with time zone,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    lease integer NOT NULL DEFAULT 0,
    changes integer NOT NULL DEFAULT 0,
    CONSTRAINT counter_messages_pkey PRIMARY KEY (id),
    CONSTRAINT counter_messages_dedup_key UNIQUE (dedup),
    CONSTRAINT counter_messages_reference_key UNIQUE (reference),
    CONSTRAINT counter_messages_lookup_id_fkey FOREIGN KEY (lookup_id) REFERENCES counter_lookups(id),
    CONSTRAINT counter_messages_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_messages_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT counter_messages_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT a_message_is_of_an_order_or_of_a_search CHECK ((num_nonnulls(order_id, lookup_id) = 1)),
    CONSTRAINT a_message_that_was_not_sent_says_why CHECK (((stage <> ALL (ARRAY['failed'::text, 'withheld'::text])) OR (why IS NOT NULL))),
    CONSTRAINT a_price_has_a_currency CHECK (((price IS NULL) = (price_currency IS NULL))),
    CONSTRAINT counter_messages_form_check CHECK ((form = ANY (ARRAY['sms'::text, 'call'::text, 'email'::text, 'push'::text]))),
    CONSTRAINT counter_messages_purpose_check CHECK ((purpose = ANY (ARRAY['code'::text, 'ready'::text, 'cancelled'::text, 'receipt'::text, 'history'::text, 'alarm'::text]))),
    CONSTRAINT counter_messages_stage_check CHECK ((stage = ANY (ARRAY['due'::text, 'sending'::text, 'unconfirmed'::text, 'queued'::text, 'sent'::text, 'delivered'::text, 'failed'::text, 'withheld'::text]))),
    CONSTRAINT only_what_arrived_is_proved CHECK (((NOT proved) OR (stage = 'delivered'::text))),
    CONSTRAINT what_was_taken_was_begun CHECK (((begun_at IS NOT NULL) OR (stage = ANY (ARRAY['due'::text, 'failed'::text, 'withheld'::text]))))
);
CREATE INDEX counter_messages_due ON counter_messages USING btree (merchant_id, due_at, id) WHERE (due_at IS NOT NULL);
CREATE INDEX counter_messages_merchant ON counter_messages USING btree (merchant_id, begun_at);
CREATE INDEX counter_messages_network ON counter_messages USING btree (network, begun_at);
CREATE INDEX counter_messages_order ON counter_messages USING btree (order_id);
CREATE INDEX counter_messages_outlet ON counter_messages USING btree (outlet_id, begun_at);
CREATE INDEX counter_messages_phone ON counter_messages USING btree (phone_digest, begun_at);
CREATE TRIGGER changes_are_counted BEFORE UPDATE ON counter_messages FOR EACH ROW WHEN (((old.stage IS DISTINCT FROM new.stage) OR (old.why IS DISTINCT FROM new.why))) EXECUTE FUNCTION count_message_change();
CREATE TRIGGER figures_begin AFTER INSERT ON counter_messages FOR EACH ROW WHEN ((new.order_id IS NOT NULL)) EXECUTE FUNCTION figures_change();
CREATE TRIGGER figures_change AFTER UPDATE ON counter_messages FOR EACH ROW WHEN (((new.order_id IS NOT NULL) AND ((((old.stage IS DISTINCT FROM new.stage) OR (old.reference IS DISTINCT FROM new.reference)) OR (old.price IS DISTINCT FROM new.price)) OR (old.price_currency IS DISTINCT FROM new.price_currency)))) EXECUTE FUNCTION figures_change();
CREATE TRIGGER lease_is_held BEFORE UPDATE ON counter_messages FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('counter_messages '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('counter_messages '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE counter_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_messages FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_messages FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_messages FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_messages FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (all_of_it, begun_at, due_at, ended_at, error_code, lease, leased_until, looks, network, phone_digest, price, price_currency, proved, reference, stage, tries, why) ON counter_messages TO coinslot_app;
GRANT INSERT, SELECT, UPDATE (due_at, lease, leased_until) ON counter_messages TO coinslot_door;

CREATE TABLE counter_orders (
    order_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    name text NOT NULL DEFAULT ''::text,
    code_version integer NOT NULL DEFAULT 1,
    code_digest text NOT NULL,
    code_from timestamp with time zone,
    tries integer NOT NULL DEFAULT 0,
    wrong integer NOT NULL DEFAULT 0,
    no_show text NOT NULL DEFAULT 'refund'::text,
    reached_at timestamp with time zone,
    seen_at timestamp with time zone,
    wanted_at timestamp with time zone,
    begin_at timestamp with time zone,
    slot_at timestamp with time zone,
    work_min integer NOT NULL DEFAULT 0,
    spot text NOT NULL DEFAULT ''::text,
    pickup_s double precision,
    here_by text,
    here_at timestamp with time zone,
    here_note text NOT NULL DEFAULT ''::text,
    here_changes smallint NOT NULL DEFAULT 0,
    CONSTRAINT counter_orders_pkey PRIMARY KEY (order_id),
    CONSTRAINT counter_orders_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_orders_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT counter_orders_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT a_code_is_tried_so_often CHECK ((((tries >= 0) AND (tries <= 5)) AND ((wrong >= 0) AND (wrong <= 15)))),
    CONSTRAINT counter_orders_code_version_check CHECK ((code_version > 0)),
    CONSTRAINT counter_orders_here_by_check CHECK ((here_by = ANY (ARRAY['near'::text, 'said'::text]))),
    CONSTRAINT counter_orders_here_changes_check CHECK (((here_changes >= 0) AND (here_changes <= 5))),
    CONSTRAINT counter_orders_here_note_check CHECK ((length(here_note) <= 60)),
    CONSTRAINT counter_orders_name_check CHECK ((length(name) <= 80)),
    CONSTRAINT counter_orders_no_show_check CHECK ((no_show = ANY (ARRAY['refund'::text, 'kept'::text]))),
    CONSTRAINT counter_orders_pickup_s_check CHECK ((pickup_s > (0)::double precision)),
    CONSTRAINT counter_orders_spot_check CHECK ((length(spot) <= 20)),
    CONSTRAINT counter_orders_work_min_check CHECK ((work_min >= 0)),
    CONSTRAINT it_begins_before_it_is_wanted CHECK ((((wanted_at IS NULL) = (begin_at IS NULL)) AND (begin_at <= wanted_at)))
);
CREATE INDEX counter_orders_slot ON counter_orders USING btree (outlet_id, slot_at) WHERE (slot_at IS NOT NULL);
CREATE TRIGGER figures_change AFTER UPDATE ON counter_orders FOR EACH ROW WHEN ((old.wrong IS DISTINCT FROM new.wrong)) EXECUTE FUNCTION figures_change();
ALTER TABLE counter_orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_orders FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_orders FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_orders FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_orders FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_orders TO coinslot_app;
GRANT SELECT ON counter_orders TO coinslot_door;

CREATE TABLE counter_presence (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    began_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    CONSTRAINT counter_presence_pkey PRIMARY KEY (id),
    CONSTRAINT counter_presence_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_presence_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES counter_stores(outlet_id),
    CONSTRAINT presence_begins_before_it_ends CHECK ((began_at <= seen_at))
);
CREATE INDEX counter_presence_outlet ON counter_presence USING btree (outlet_id, seen_at);
ALTER TABLE counter_presence ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_presence FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_presence FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_presence FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_presence FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_presence TO coinslot_app;
GRANT SELECT ON counter_presence TO coinslot_door;

CREATE TABLE counter_printers (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    address text NOT NULL DEFAULT ''::text,
    secret_hash bytea,
    width integer NOT NULL,
    stations text[] NOT NULL DEFAULT '{}'::text[],
    tickets boolean NOT NULL DEFAULT true,
    created_at timestamp with time zone NOT NULL,
    asked_at timestamp with time zone,
    retired_at timestamp with time zone,
    CONSTRAINT counter_printers_pkey PRIMARY KEY (id),
    CONSTRAINT counter_printers_secret_hash_key UNIQUE (secret_hash),
    CONSTRAINT counter_printers_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_printers_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES counter_stores(outlet_id),
    CONSTRAINT a_printer_is_reached_one_way CHECK ((((kind = 'escpos'::text) = (address <> ''::text)) AND ((kind = 'escpos'::text) = (secret_hash IS NULL)))),
    CONSTRAINT counter_printers_kind_check CHECK ((kind = ANY (ARRAY['escpos'::text, 'star'::text, 'epson'::text]))),
    CONSTRAINT counter_printers_name_check CHECK (((length(name) >= 1) AND (length(name) <= 40))),
    CONSTRAINT counter_printers_width_check CHECK ((width = ANY (ARRAY[384, 576])))
);
CREATE INDEX counter_printers_outlet ON counter_printers USING btree (outlet_id) WHERE (retired_at IS NULL);
ALTER TABLE counter_printers ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_printers FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_printers FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_printers FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_printers FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_printers TO coinslot_app;
GRANT INSERT, SELECT, UPDATE ON counter_printers TO coinslot_door;

CREATE TABLE counter_prints (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    printer_id uuid NOT NULL,
    order_id uuid,
    kind text NOT NULL,
    copy integer NOT NULL DEFAULT 0,
    units uuid[] NOT NULL DEFAULT '{}'::uuid[],
    token text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    printed_at timestamp with time zone,
    doubted_at timestamp with time zone,
    failed_at timestamp with time zone,
    problem text NOT NULL DEFAULT ''::text,
    said_by text,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    lease integer NOT NULL DEFAULT 0,
    walk_in_id uuid,
    credit_refund uuid,
    CONSTRAINT counter_prints_pkey PRIMARY KEY (id),
    CONSTRAINT counter_prints_token_key UNIQUE (token),
    CONSTRAINT counter_prints_credit_refund_fkey FOREIGN KEY (credit_refund) REFERENCES counter_credit_notes(refund_id),
    CONSTRAINT counter_prints_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_prints_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT counter_prints_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES counter_stores(outlet_id),
    CONSTRAINT counter_prints_printer_id_fkey FOREIGN KEY (printer_id) REFERENCES counter_printers(id),
    CONSTRAINT counter_prints_walk_in_id_fkey FOREIGN KEY (walk_in_id) REFERENCES counter_walk_ins(id),
    CONSTRAINT a_credit_on_paper_is_of_a_note CHECK ((((kind = 'credit'::text) = (credit_refund IS NOT NULL)) AND ((credit_refund IS NULL) OR (order_id IS NOT NULL)))),
    CONSTRAINT a_job_is_due_until_it_ends CHECK (((due_at IS NULL) = ((printed_at IS NOT NULL) OR (doubted_at IS NOT NULL) OR (failed_at IS NOT NULL)))),
    CONSTRAINT counter_prints_copy_check CHECK ((copy >= 0)),
    CONSTRAINT counter_prints_kind_check CHECK ((kind = ANY (ARRAY['ticket'::text, 'cancelled'::text, 'receipt'::text, 'credit'::text, 'test'::text]))),
    CONSTRAINT no_paper_is_empty CHECK (((kind = 'test'::text) OR (walk_in_id IS NOT NULL) OR (credit_refund IS NOT NULL) OR (cardinality(units) > 0))),
    CONSTRAINT paper_is_of_one_order CHECK ((num_nonnulls(order_id, walk_in_id) <= 1)),
    CONSTRAINT paper_is_sent_before_it_is_printed CHECK (((sent_at IS NOT NULL) OR ((printed_at IS NULL) AND (doubted_at IS NULL))))
);
CREATE UNIQUE INDEX counter_prints_cancelled ON counter_prints USING btree (printer_id, order_id, created_at) WHERE (kind = 'cancelled'::text);
CREATE UNIQUE INDEX counter_prints_credit ON counter_prints USING btree (printer_id, credit_refund, copy) WHERE (kind = 'credit'::text);
CREATE INDEX counter_prints_due ON counter_prints USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE UNIQUE INDEX counter_prints_once ON counter_prints USING btree (printer_id, order_id, kind, copy) WHERE (kind = ANY (ARRAY['ticket'::text, 'receipt'::text]));
CREATE INDEX counter_prints_order ON counter_prints USING btree (order_id);
CREATE INDEX counter_prints_outlet ON counter_prints USING btree (outlet_id, created_at);
CREATE UNIQUE INDEX counter_prints_walk_in ON counter_prints USING btree (walk_in_id, printer_id, kind, copy) WHERE (walk_in_id IS NOT NULL);
CREATE TRIGGER lease_is_held BEFORE UPDATE ON counter_prints FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('counter_prints '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('counter_prints '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE counter_prints ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_prints FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_prints FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_prints FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_prints FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_prints TO coinslot_app;
GRANT INSERT, SELECT, UPDATE ON counter_prints TO coinslot_door;

CREATE TABLE counter_sessions (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    account_id uuid NOT NULL,
    token_digest text NOT NULL,
    began_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT counter_sessions_pkey PRIMARY KEY (id),
    CONSTRAINT counter_sessions_token_digest_key UNIQUE (token_digest),
    CONSTRAINT counter_sessions_account_id_fkey FOREIGN KEY (account_id) REFERENCES counter_accounts(id),
    CONSTRAINT counter_sessions_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT a_session_ends_after_it_began CHECK ((expires_at > began_at))
);
CREATE INDEX counter_sessions_account ON counter_sessions USING btree (account_id);
ALTER TABLE counter_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_sessions FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_sessions FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_sessions FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_sessions TO coinslot_app;
GRANT SELECT ON counter_sessions TO coinslot_door;

CREATE TABLE counter_stocks (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    name text NOT NULL,
    stock integer,
    sold_out_at timestamp with time zone,
    CONSTRAINT counter_stocks_pkey PRIMARY KEY (id),
    CONSTRAINT a_stock_has_one_row UNIQUE (outlet_id, name),
    CONSTRAINT counter_stocks_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_stocks_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES counter_stores(outlet_id),
    CONSTRAINT counter_stocks_name_check CHECK (((name <> ''::text) AND (length(name) <= 40))),
    CONSTRAINT no_shared_stock_is_below_nothing CHECK ((stock >= 0))
);
ALTER TABLE counter_stocks ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_stocks FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_stocks FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_stocks FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_stocks FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (sold_out_at, stock) ON counter_stocks TO coinslot_app;
GRANT SELECT ON counter_stocks TO coinslot_door;

CREATE TABLE counter_stores (
    outlet_id text NOT NULL,
    merchant_id uuid NOT NULL,
    slug text NOT NULL,
    tax_added boolean NOT NULL DEFAULT false,
    tips integer[] NOT NULL DEFAULT '{10,15,20}'::integer[],
    paused_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    phone_prefixes text[],
    calls boolean NOT NULL DEFAULT true,
    no_show text NOT NULL DEFAULT 'refund'::text,
    board_changes bigint NOT NULL DEFAULT 0,
    alarm_phone text,
    wall text DEFAULT replace((gen_random_uuid())::text, '-'::text, ''::text),
    paused_until timestamp with time zone,
    hours jsonb NOT NULL DEFAULT '[]'::jsonb,
    special_days jsonb NOT NULL DEFAULT '[]'::jsonb,
    lead_min integer NOT NULL DEFAULT 0,
    slot_min integer NOT NULL DEFAULT 15,
    slot_work_min integer,
    days_ahead integer,
    origins text[] NOT NULL DEFAULT '{}'::text[],
    outlet_messages integer,
    phone_messages integer,
    latitude double precision,
    longitude double precision,
    here_m integer,
    arrivals boolean NOT NULL DEFAULT false,
    CONSTRAINT counter_stores_pkey PRIMARY KEY (outlet_id),
    CONSTRAINT counter_stores_slug_key UNIQUE (slug),
    CONSTRAINT counter_stores_wall_key UNIQUE (wall),
    CONSTRAINT counter_stores_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_stores_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT counter_stores_alarm_phone_check CHECK ((alarm_phone ~ '^\+[1-9][0-9]{6,14}$'::text)),
    CONSTRAINT counter_stores_days_ahead_check CHECK (((days_ahead >= 0) AND (days_ahead <= 14))),
    CONSTRAINT counter_stores_have_a_whole_place CHECK (((num_nonnulls(latitude, longitude) <> 1) AND ((here_m IS NULL) OR (latitude IS NOT NULL)))),
    CONSTRAINT counter_stores_here_m_check CHECK (((here_m >= 20) AND (here_m <= 5000))),
    CONSTRAINT counter_stores_latitude_check CHECK (((latitude >= ('-90'::integer)::double precision) AND (latitude <= (90)::double precision))),
    CONSTRAINT counter_stores_lead_min_check CHECK (((lead_min >= 0) AND (lead_min <= 1440))),
    CONSTRAINT counter_stores_longitude_check CHECK (((longitude >= ('-180'::integer)::double precision) AND (longitude <= (180)::double precision))),
    CONSTRAINT counter_stores_no_show_check CHECK ((no_show = ANY (ARRAY['refund'::text, 'kept'::text]))),
    CONSTRAINT counter_stores_outlet_messages_check CHECK (((outlet_messages >= 0) AND (outlet_messages <= 100000))),
    CONSTRAINT counter_stores_phone_messages_check CHECK (((phone_messages >= 0) AND (phone_messages <= 1000))),
    CONSTRAINT counter_stores_slot_min_check CHECK ((slot_min = ANY (ARRAY[5, 10, 15, 20, 30, 60]))),
    CONSTRAINT counter_stores_slot_work_min_check CHECK ((slot_work_min > 0)),
    CONSTRAINT counter_stores_slug_check CHECK ((slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'::text)),
    CONSTRAINT counter_stores_tips_check CHECK (((0 < ALL (tips)) AND (100 >= ALL (tips)))),
    CONSTRAINT few_origins CHECK ((cardinality(origins) <= 20))
);
CREATE INDEX counter_stores_origins ON counter_stores USING gin (origins);
ALTER TABLE counter_stores ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_stores FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_stores FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_stores FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_stores FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_stores TO coinslot_app;
GRANT SELECT, UPDATE (board_changes) ON counter_stores TO coinslot_door;

CREATE TABLE counter_units (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    accepted_at timestamp with time zone,
    ready_at timestamp with time zone,
    ended text,
    said_by text,
    reason text,
    ticked_at timestamp with time zone,
    CONSTRAINT counter_units_pkey PRIMARY KEY (id),
    CONSTRAINT counter_units_id_fkey FOREIGN KEY (id) REFERENCES fulfillments(id),
    CONSTRAINT counter_units_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_units_ended_check CHECK ((ended = ANY (ARRAY['not_accepted'::text, 'not_fetched'::text, 'rejected'::text, 'cancelled'::text])))
);
ALTER TABLE counter_units ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_units FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_units FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_units FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_units FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_units TO coinslot_app;
GRANT SELECT ON counter_units TO coinslot_door;

CREATE TABLE counter_walk_ins (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    number text NOT NULL,
    name text NOT NULL DEFAULT ''::text,
    lines jsonb NOT NULL,
    total_minor bigint NOT NULL,
    entered_by text NOT NULL,
    entered_at timestamp with time zone NOT NULL,
    ready_at timestamp with time zone,
    handed_at timestamp with time zone,
    cancelled_at timestamp with time zone,
    taken jsonb NOT NULL DEFAULT '[]'::jsonb,
    CONSTRAINT counter_walk_ins_pkey PRIMARY KEY (id),
    CONSTRAINT counter_walk_ins_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_walk_ins_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES counter_stores(outlet_id),
    CONSTRAINT a_walk_in_ends_one_way CHECK (((handed_at IS NULL) OR (cancelled_at IS NULL))),
    CONSTRAINT counter_walk_ins_name_check CHECK ((length(name) <= 80)),
    CONSTRAINT counter_walk_ins_total_minor_check CHECK ((total_minor >= 0))
);
CREATE INDEX counter_walk_ins_open ON counter_walk_ins USING btree (outlet_id, entered_at) WHERE ((handed_at IS NULL) AND (cancelled_at IS NULL));
ALTER TABLE counter_walk_ins ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_walk_ins FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_walk_ins FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_walk_ins FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_walk_ins FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_walk_ins TO coinslot_app;
GRANT SELECT ON counter_walk_ins TO coinslot_door;

CREATE TABLE counter_wrong_codes (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    order_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT counter_wrong_codes_pkey PRIMARY KEY (id),
    CONSTRAINT counter_wrong_codes_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT counter_wrong_codes_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT counter_wrong_codes_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id)
);
CREATE INDEX counter_wrong_codes_at ON counter_wrong_codes USING btree (outlet_id, at);
ALTER TABLE counter_wrong_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_wrong_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON counter_wrong_codes FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON counter_wrong_codes FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON counter_wrong_codes FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON counter_wrong_codes TO coinslot_app;
GRANT SELECT ON counter_wrong_codes TO coinslot_door;

CREATE TABLE deliveries (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    seq bigint NOT NULL,
    line uuid NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    tried integer NOT NULL DEFAULT 0,
    outcome text,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    CONSTRAINT deliveries_pkey PRIMARY KEY (id),
    CONSTRAINT deliveries_endpoint_id_seq_key UNIQUE (endpoint_id, seq),
    CONSTRAINT deliveries_listed UNIQUE (merchant_id, id),
    CONSTRAINT a_merchant_is_told_its_own_events FOREIGN KEY (merchant_id, seq) REFERENCES public_events(merchant_id, seq),
    CONSTRAINT an_endpoint_is_told_by_its_own_merchant FOREIGN KEY (merchant_id, endpoint_id) REFERENCES webhook_endpoints(merchant_id, id),
    CONSTRAINT deliveries_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT a_delivery_is_due_until_it_ends CHECK ((((outcome IS NULL) = (due_at IS NOT NULL)) AND ((outcome IS NULL) = (ended_at IS NULL)))),
    CONSTRAINT deliveries_outcome_check CHECK ((outcome = ANY (ARRAY['delivered'::text, 'given_up'::text, 'withdrawn'::text])))
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);
CREATE INDEX deliveries_due ON deliveries USING btree (endpoint_id, due_at, seq) WHERE (outcome IS NULL);
CREATE INDEX deliveries_ended ON deliveries USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX deliveries_line ON deliveries USING btree (endpoint_id, line, seq) WHERE (outcome IS NULL);
ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON deliveries FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON deliveries FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON deliveries FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (due_at, ended_at, leased_until, outcome, tried, tries) ON deliveries TO coinslot_app;
GRANT INSERT, SELECT, UPDATE (leased_until) ON deliveries TO coinslot_door;

CREATE TABLE delivery_tries (
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    merchant_id uuid NOT NULL,
    status integer,
    failure text,
    response text,
    took_ms integer NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT delivery_tries_pkey PRIMARY KEY (delivery_id, number),
    CONSTRAINT a_try_is_of_its_own_merchants_delivery FOREIGN KEY (merchant_id, delivery_id) REFERENCES deliveries(merchant_id, id),
    CONSTRAINT delivery_tries_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
ALTER TABLE delivery_tries ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery_tries FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON delivery_tries FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON delivery_tries FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON delivery_tries FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON delivery_tries TO coinslot_app;
GRANT SELECT ON delivery_tries TO coinslot_door;

CREATE TABLE delivery_zones (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    name text NOT NULL,
    shape jsonb NOT NULL,
    fee_minor bigint NOT NULL,
    least_minor bigint NOT NULL DEFAULT 0,
    ended_at timestamp with time zone,
    CONSTRAINT delivery_zones_pkey PRIMARY KEY (id),
    CONSTRAINT delivery_zones_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT delivery_zones_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES counter_stores(outlet_id),
    CONSTRAINT delivery_zones_fee_minor_check CHECK ((fee_minor >= 0)),
    CONSTRAINT delivery_zones_least_minor_check CHECK ((least_minor >= 0)),
    CONSTRAINT delivery_zones_name_check CHECK (((name <> ''::text) AND (length(name) <= 80)))
);
CREATE INDEX delivery_zones_outlet ON delivery_zones USING btree (outlet_id) WHERE (ended_at IS NULL);
ALTER TABLE delivery_zones ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery_zones FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON delivery_zones FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON delivery_zones FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON delivery_zones FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (ended_at) ON delivery_zones TO coinslot_app;
GRANT SELECT ON delivery_zones TO coinslot_door;

CREATE TABLE device_api_keys (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    prefix text NOT NULL,
    hash bytea NOT NULL,
    name text NOT NULL DEFAULT ''::text,
    permissions text[] NOT NULL,
    made_by uuid,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    replaced_by uuid,
    CONSTRAINT device_api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT device_api_keys_hash_key UNIQUE (hash),
    CONSTRAINT device_api_keys_made_by_fkey FOREIGN KEY (made_by) REFERENCES people(id),
    CONSTRAINT device_api_keys_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT device_api_keys_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT device_api_keys_replaced_by_fkey FOREIGN KEY (replaced_by) REFERENCES device_api_keys(id)
);
CREATE INDEX device_api_keys_merchant ON device_api_keys USING btree (merchant_id, created_at);
CREATE UNIQUE INDEX device_api_keys_replace_one ON device_api_keys USING btree (replaced_by) WHERE (replaced_by IS NOT NULL);
ALTER TABLE device_api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE device_api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON device_api_keys FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON device_api_keys FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON device_api_keys FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (expires_at, replaced_by, revoked_at) ON device_api_keys TO coinslot_app;
GRANT SELECT, UPDATE (last_used_at) ON device_api_keys TO coinslot_door;

CREATE TABLE device_events (
    outlet_id text NOT NULL,
    journal_id text NOT NULL,
    event_seq bigint NOT NULL,
    merchant_id uuid NOT NULL,
    unit_id uuid,
    message jsonb NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT device_events_pkey PRIMARY KEY (outlet_id, journal_id, event_seq),
    CONSTRAINT device_events_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT device_events_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT device_events_event_seq_check CHECK ((event_seq > 0))
);
CREATE INDEX device_events_unit ON device_events USING btree (unit_id);
ALTER TABLE device_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE device_events FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON device_events FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON device_events FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON device_events FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON device_events TO coinslot_app;
GRANT SELECT ON device_events TO coinslot_door;

CREATE TABLE device_journals (
    outlet_id text NOT NULL,
    journal_id text NOT NULL,
    merchant_id uuid NOT NULL,
    through bigint NOT NULL DEFAULT 0,
    first_seen_at timestamp with time zone NOT NULL,
    skipped bigint NOT NULL DEFAULT 0,
    strange bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,
    refused_at timestamp with time zone,
    jumped_from bigint,
    jumped_to bigint,
    contradicted_at timestamp with time zone,
    CONSTRAINT device_journals_pkey PRIMARY KEY (outlet_id, journal_id),
    CONSTRAINT device_journals_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT device_journals_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT a_jump_goes_forward CHECK ((((jumped_from IS NULL) = (jumped_to IS NULL)) AND COALESCE((jumped_from < jumped_to), true))),
    CONSTRAINT device_journals_skipped_check CHECK ((skipped >= 0))
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);
CREATE INDEX device_journals_contradicted ON device_journals USING btree (outlet_id) WHERE (contradicted_at IS NOT NULL);
CREATE INDEX device_journals_refused ON device_journals USING btree (outlet_id) WHERE (refused_at IS NOT NULL);
ALTER TABLE device_journals ENABLE ROW LEVEL SECURITY;
ALTER TABLE device_journals FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON device_journals FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON device_journals FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON device_journals FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON device_journals TO coinslot_app;
GRANT SELECT ON device_journals TO coinslot_door;

CREATE TABLE devices (
    outlet_id text NOT NULL,
    merchant_id uuid NOT NULL,
    secret bytea NOT NULL,
    broker_hash text NOT NULL,
    next_seq bigint NOT NULL DEFAULT 1,
    journal_id text,
    boot_id text,
    has_sensor boolean NOT NULL DEFAULT false,
    firmware text,
    last_seen_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    version integer NOT NULL DEFAULT 1,
    key_id integer NOT NULL DEFAULT 1,
    next_secret bytea,
    next_hash text,
    next_key_id integer,
    next_issued_at timestamp with time zone,
    config_version integer,
    hardware text,
    build_sequence bigint,
    mdb boolean NOT NULL DEFAULT false,
    journal_formats integer[],
    CONSTRAINT devices_pkey PRIMARY KEY (outlet_id),
    CONSTRAINT devices_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT devices_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT the_next_secret_is_whole CHECK ((num_nulls(next_secret, next_hash, next_key_id, next_issued_at) = ANY (ARRAY[0, 4])))
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);
CREATE TRIGGER notify_changed AFTER INSERT OR UPDATE OF secret, broker_hash ON devices FOR EACH ROW EXECUTE FUNCTION notify_changed();
CREATE TRIGGER notify_next_secret AFTER UPDATE OF next_hash ON devices FOR EACH ROW EXECUTE FUNCTION notify_changed();
CREATE TRIGGER raise_version BEFORE UPDATE OF secret, broker_hash ON devices FOR EACH ROW EXECUTE FUNCTION raise_version();
ALTER TABLE devices ENABLE ROW LEVEL SECURITY;
ALTER TABLE devices FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON devices FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON devices FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON devices FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON devices TO coinslot_app;
GRANT SELECT, UPDATE (last_seen_at) ON devices TO coinslot_door;

CREATE TABLE discrepancies (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    merchant_id uuid NOT NULL,
    kind text NOT NULL,
    capture_id uuid,
    fulfillment_id uuid,
    refund_id uuid,
    amount_minor bigint NOT NULL DEFAULT 0,
    data jsonb NOT NULL DEFAULT '{}'::jsonb,
    at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    closed_by text,
    CONSTRAINT discrepancies_pkey PRIMARY KEY (id),
    CONSTRAINT discrepancies_capture_id_fkey FOREIGN KEY (capture_id) REFERENCES captures(id),
    CONSTRAINT discrepancies_fulfillment_id_fkey FOREIGN KEY (fulfillment_id) REFERENCES fulfillments(id),
    CONSTRAINT discrepancies_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT discrepancies_refund_id_fkey FOREIGN KEY (refund_id) REFERENCES refunds(id)
);
CREATE UNIQUE INDEX discrepancies_once ON discrepancies USING btree (kind, COALESCE(fulfillment_id, capture_id, refund_id));
CREATE INDEX discrepancies_open ON discrepancies USING btree (at) WHERE (closed_at IS NULL);
ALTER TABLE discrepancies ENABLE ROW LEVEL SECURITY;
ALTER TABLE discrepancies FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON discrepancies FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON discrepancies FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON discrepancies FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON discrepancies TO coinslot_app;
GRANT SELECT ON discrepancies TO coinslot_door;

CREATE TABLE disputes (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    account_id uuid NOT NULL,
    capture_id uuid NOT NULL,
    gateway_dispute_id text NOT NULL,
    stage text NOT NULL,
    amount_minor bigint NOT NULL,
    currency character(3) NOT NULL,
    reason text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    told_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT disputes_pkey PRIMARY KEY (id),
    CONSTRAINT disputes_account_id_gateway_dispute_id_key UNIQUE (account_id, gateway_dispute_id),
    CONSTRAINT disputes_account_id_fkey FOREIGN KEY (account_id) REFERENCES gateway_accounts(id),
    CONSTRAINT disputes_capture_id_fkey FOREIGN KEY (capture_id) REFERENCES captures(id),
    CONSTRAINT disputes_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT disputes_stage_check CHECK ((stage = ANY (ARRAY['open'::text, 'won'::text, 'lost'::text])))
);
CREATE INDEX disputes_capture ON disputes USING btree (capture_id);
ALTER TABLE disputes ENABLE ROW LEVEL SECURITY;
ALTER TABLE disputes FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON disputes FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON disputes FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON disputes FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (ended_at, reason, stage, told_at) ON disputes TO coinslot_app;
GRANT SELECT ON disputes TO coinslot_door;

CREATE TABLE events (
    seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    merchant_id uuid NOT NULL,
    machine text NOT NULL,
    subject_id uuid NOT NULL,
    event text NOT NULL,
    was text,
    state text,
    data jsonb NOT NULL DEFAULT '{}'::jsonb,
    at timestamp with time zone NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (seq),
    CONSTRAINT events_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
CREATE INDEX events_subject ON events USING btree (subject_id);
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
ALTER TABLE events FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON events FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON events FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON events FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON events TO coinslot_app;
GRANT SELECT ON events TO coinslot_door;

CREATE TABLE exchanges (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    merchant_id uuid NOT NULL,
    account_id uuid NOT NULL,
    method text NOT NULL,
    url text NOT NULL,
    request jsonb,
    status integer,
    response jsonb,
    failure text,
    took_ms integer NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT exchanges_pkey PRIMARY KEY (id),
    CONSTRAINT exchanges_account_id_fkey FOREIGN KEY (account_id) REFERENCES gateway_accounts(id),
    CONSTRAINT exchanges_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
ALTER TABLE exchanges ENABLE ROW LEVEL SECURITY;
ALTER TABLE exchanges FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON exchanges FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON exchanges FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON exchanges FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON exchanges TO coinslot_app;
GRANT SELECT ON exchanges TO coinslot_door;

CREATE TABLE exposures (
    fulfillment_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    currency character(3) NOT NULL,
    why text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT exposures_pkey PRIMARY KEY (fulfillment_id),
    CONSTRAINT exposures_fulfillment_id_fkey FOREIGN KEY (fulfillment_id) REFERENCES fulfillments(id),
    CONSTRAINT exposures_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
ALTER TABLE exposures ENABLE ROW LEVEL SECURITY;
ALTER TABLE exposures FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON exposures FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON exposures FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON exposures FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON exposures TO coinslot_app;
GRANT SELECT ON exposures TO coinslot_door;

CREATE TABLE feed_cursors (
    name text NOT NULL,
    seq bigint NOT NULL,
    since bigint NOT NULL,
    holder text,
    leased_until timestamp with time zone,
    CONSTRAINT feed_cursors_pkey PRIMARY KEY (name),
    CONSTRAINT feed_cursors_check CHECK ((seq >= since))
);
GRANT SELECT ON feed_cursors TO coinslot_app;
GRANT INSERT, SELECT, UPDATE ON feed_cursors TO coinslot_door;

CREATE TABLE figure_changes (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    merchant_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT figure_changes_pkey PRIMARY KEY (id),
    CONSTRAINT figure_changes_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
CREATE INDEX figure_changes_at ON figure_changes USING btree (merchant_id, at);
ALTER TABLE figure_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE figure_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON figure_changes FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON figure_changes FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON figure_changes FOR ALL TO coinslot_owner USING (true);
GRANT DELETE, INSERT, SELECT ON figure_changes TO coinslot_app;
GRANT SELECT ON figure_changes TO coinslot_door;

CREATE TABLE figure_days (
    merchant_id uuid NOT NULL,
    day date NOT NULL,
    report text NOT NULL,
    outlet_id text NOT NULL,
    accounts uuid[] NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    currency character(3) NOT NULL,
    sums jsonb NOT NULL,
    CONSTRAINT figure_days_pkey PRIMARY KEY (merchant_id, report, day, outlet_id, accounts, sku, currency),
    CONSTRAINT figure_days_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT a_known_report CHECK ((report = ANY (ARRAY['profit'::text, 'profit_items'::text, 'sales'::text, 'sale_items'::text])))
);
ALTER TABLE figure_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE figure_days FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON figure_days FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON figure_days FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON figure_days FOR ALL TO coinslot_owner USING (true);
GRANT DELETE, INSERT, SELECT ON figure_days TO coinslot_app;
GRANT SELECT ON figure_days TO coinslot_door;

CREATE TABLE figured_days (
    merchant_id uuid NOT NULL,
    day date NOT NULL,
    begun timestamp with time zone NOT NULL,
    ended timestamp with time zone NOT NULL,
    figured_at timestamp with time zone NOT NULL,
    CONSTRAINT figured_days_pkey PRIMARY KEY (merchant_id, day),
    CONSTRAINT figured_days_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT a_day_ends_after_it_begins CHECK ((begun < ended))
);
ALTER TABLE figured_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE figured_days FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON figured_days FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON figured_days FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON figured_days FOR ALL TO coinslot_owner USING (true);
GRANT DELETE, INSERT, SELECT ON figured_days TO coinslot_app;
GRANT SELECT ON figured_days TO coinslot_door;

CREATE TABLE firmware_builds (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    key_id uuid NOT NULL,
    build_version text NOT NULL,
    sequence bigint NOT NULL,
    hardware text NOT NULL,
    kind text NOT NULL,
    size integer NOT NULL,
    sha256 text NOT NULL,
    min_from bigint NOT NULL,
    formats integer[] NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    manifest text NOT NULL,
    signature bytea NOT NULL,
    uploaded_by text NOT NULL,
    uploaded_at timestamp with time zone NOT NULL,
    CONSTRAINT firmware_builds_pkey PRIMARY KEY (id),
    CONSTRAINT firmware_builds_merchant_id_hardware_kind_sequence_key UNIQUE (merchant_id, hardware, kind, sequence),
    CONSTRAINT firmware_builds_key_id_fkey FOREIGN KEY (key_id) REFERENCES firmware_keys(id),
    CONSTRAINT firmware_builds_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT firmware_builds_formats_check CHECK ((cardinality(formats) > 0)),
    CONSTRAINT firmware_builds_sequence_check CHECK ((sequence > 0)),
    CONSTRAINT firmware_builds_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT firmware_builds_signature_check CHECK ((octet_length(signature) = 64)),
    CONSTRAINT firmware_builds_size_check CHECK ((size > 0))
);
ALTER TABLE firmware_builds ENABLE ROW LEVEL SECURITY;
ALTER TABLE firmware_builds FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON firmware_builds FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON firmware_builds FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON firmware_builds FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON firmware_builds TO coinslot_app;
GRANT SELECT ON firmware_builds TO coinslot_door;

CREATE TABLE firmware_keys (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    name text NOT NULL,
    public_key bytea NOT NULL,
    added_at timestamp with time zone NOT NULL,
    retired_at timestamp with time zone,
    CONSTRAINT firmware_keys_pkey PRIMARY KEY (id),
    CONSTRAINT firmware_keys_merchant_id_public_key_key UNIQUE (merchant_id, public_key),
    CONSTRAINT firmware_keys_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT firmware_keys_name_check CHECK (((length(name) >= 1) AND (length(name) <= 60))),
    CONSTRAINT firmware_keys_public_key_check CHECK ((octet_length(public_key) = 32))
);
ALTER TABLE firmware_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE firmware_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON firmware_keys FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON firmware_keys FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON firmware_keys FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (retired_at) ON firmware_keys TO coinslot_app;
GRANT SELECT ON firmware_keys TO coinslot_door;

CREATE TABLE first_run_tokens (
    hash bytea NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT first_run_tokens_pkey PRIMARY KEY (hash)
);
ALTER TABLE first_run_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE first_run_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON first_run_tokens FOR ALL TO coinslot_door USING (true);
CREATE POLICY owner ON first_run_tokens FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON first_run_tokens TO coinslot_door;

CREATE TABLE forgotten_orders (
    order_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    asked_by text NOT NULL,
    reason text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    CONSTRAINT forgotten_orders_pkey PRIMARY KEY (order_id),
    CONSTRAINT forgotten_orders_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT forgotten_orders_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT who_forgets_says_why CHECK (((asked_by <> ''::text) AND (reason <> ''::text)))
);
CREATE INDEX forgotten_orders_waiting ON forgotten_orders USING btree (asked_at) WHERE (done_at IS NULL);
ALTER TABLE forgotten_orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE forgotten_orders FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON forgotten_orders FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON forgotten_orders FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON forgotten_orders FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (done_at) ON forgotten_orders TO coinslot_app;
GRANT SELECT ON forgotten_orders TO coinslot_door;

CREATE TABLE fulfillments (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    line_id uuid NOT NULL,
    capture_id uuid,
    outlet_id text NOT NULL,
    amount_minor bigint NOT NULL,
    currency character(3) NOT NULL,
    state text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    sent_at timestamp with time zone,
    settlement text,
    basis text,
    settled_at timestamp with time zone,
    failure_code text,
    queued_at timestamp with time zone NOT NULL,
    dispatch_by timestamp with time zone NOT NULL,
    hard_deadline timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    lease integer NOT NULL DEFAULT 0,
    page_asked_at timestamp with time zone,
    kind text NOT NULL,
    tax_minor bigint NOT NULL DEFAULT 0,
    person_since timestamp with time zone,
    CONSTRAINT fulfillments_pkey PRIMARY KEY (id),
    CONSTRAINT fulfillments_capture_id_fkey FOREIGN KEY (capture_id) REFERENCES captures(id),
    CONSTRAINT fulfillments_line_id_fkey FOREIGN KEY (line_id) REFERENCES order_lines(id),
    CONSTRAINT fulfillments_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT fulfillments_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT fulfillments_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT a_settlement_names_its_basis CHECK (((settlement IS NULL) = (basis IS NULL))),
    CONSTRAINT fulfillments_amount_minor_check CHECK ((amount_minor >= 0)),
    CONSTRAINT fulfillments_settlement_check CHECK ((settlement = ANY (ARRAY['fulfilled'::text, 'refund_due'::text]))),
    CONSTRAINT included_tax_is_a_part_of_its_unit CHECK (((tax_minor >= 0) AND (tax_minor <= amount_minor))),
    CONSTRAINT never_sent_means_go_was_never_committed CHECK (((basis IS NULL) OR (basis <> ALL (ARRAY['never_sent'::text, 'rejected'::text])) OR (sent_at IS NULL))),
    CONSTRAINT silence_has_an_end CHECK (((settlement IS NOT NULL) OR ((due_at IS NOT NULL) AND (due_at <= hard_deadline)))),
    CONSTRAINT what_costs_money_has_its_capture CHECK (((capture_id IS NOT NULL) OR (amount_minor = 0)))
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);
CREATE INDEX fulfillments_due ON fulfillments USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX fulfillments_faults ON fulfillments USING btree (outlet_id, id) WHERE ((settlement = 'refund_due'::text) OR (state = 'in_doubt'::text));
CREATE INDEX fulfillments_for_a_person ON fulfillments USING btree (merchant_id) WHERE (person_since IS NOT NULL);
CREATE INDEX fulfillments_open ON fulfillments USING btree (outlet_id) WHERE (settlement IS NULL);
CREATE INDEX fulfillments_order ON fulfillments USING btree (order_id);
CREATE INDEX fulfillments_price_refused ON fulfillments USING btree (settled_at) WHERE (failure_code = 'PRICE_VERSION'::text);
CREATE INDEX fulfillments_queue ON fulfillments USING btree (outlet_id, queued_at) WHERE (state = 'queued'::text);
CREATE INDEX fulfillments_settled_at ON fulfillments USING brin (settled_at) WITH (pages_per_range='16');
CREATE TRIGGER figures_change AFTER UPDATE ON fulfillments FOR EACH ROW WHEN (((old.settlement IS NOT NULL) AND (old.settlement IS DISTINCT FROM new.settlement))) EXECUTE FUNCTION figures_change();
CREATE TRIGGER lease_is_held BEFORE UPDATE ON fulfillments FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('fulfillments '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('fulfillments '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
CREATE CONSTRAINT TRIGGER policy_has_exposure AFTER UPDATE OF basis ON fulfillments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.basis = 'policy'::text)) EXECUTE FUNCTION policy_has_exposure();
CREATE TRIGGER settled_once BEFORE UPDATE ON fulfillments FOR EACH ROW WHEN ((old.settlement IS NOT NULL)) EXECUTE FUNCTION settled_once();
ALTER TABLE fulfillments ENABLE ROW LEVEL SECURITY;
ALTER TABLE fulfillments FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON fulfillments FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON fulfillments FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON fulfillments FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON fulfillments TO coinslot_app;
GRANT SELECT, UPDATE (due_at, lease, leased_until) ON fulfillments TO coinslot_door;

CREATE TABLE gateway_accounts (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    gateway text NOT NULL,
    slug text NOT NULL,
    settings bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    version integer NOT NULL DEFAULT 1,
    former bytea,
    disabled_at timestamp with time zone,
    changed_at timestamp with time zone,
    test_only boolean,
    CONSTRAINT gateway_accounts_pkey PRIMARY KEY (id),
    CONSTRAINT gateway_accounts_gateway_slug_key UNIQUE (gateway, slug),
    CONSTRAINT gateway_accounts_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
CREATE TRIGGER notify_changed AFTER UPDATE OF settings, former, disabled_at ON gateway_accounts FOR EACH ROW EXECUTE FUNCTION notify_changed();
CREATE TRIGGER raise_version BEFORE UPDATE OF settings, former, disabled_at ON gateway_accounts FOR EACH ROW EXECUTE FUNCTION raise_version();
ALTER TABLE gateway_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE gateway_accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON gateway_accounts FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON gateway_accounts FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON gateway_accounts FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON gateway_accounts TO coinslot_app;
GRANT SELECT ON gateway_accounts TO coinslot_door;

CREATE TABLE idempotency_keys (
    merchant_id uuid NOT NULL,
    endpoint text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    subject_id uuid,
    status integer,
    body jsonb,
    started_at timestamp with time zone NOT NULL,
    locked_until timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    worked_by xid8,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (merchant_id, endpoint, key),
    CONSTRAINT idempotency_keys_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT an_answer_is_whole CHECK (((done_at IS NULL) = (status IS NULL)))
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);
CREATE INDEX idempotency_keys_subject ON idempotency_keys USING btree (subject_id);
CREATE TRIGGER answered_once BEFORE UPDATE ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION answered_once();
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON idempotency_keys FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON idempotency_keys FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON idempotency_keys FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (body, done_at, locked_until, status, subject_id, worked_by) ON idempotency_keys TO coinslot_app;
GRANT SELECT ON idempotency_keys TO coinslot_door;

CREATE TABLE inbox (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    merchant_id uuid NOT NULL,
    account_id uuid NOT NULL,
    delivery_id text,
    verdict text NOT NULL,
    event text,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    facts jsonb NOT NULL,
    reason text,
    received_at timestamp with time zone NOT NULL,
    worked_at timestamp with time zone,
    tries integer NOT NULL DEFAULT 0,
    failure text,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    reference text,
    lease integer NOT NULL DEFAULT 0,
    ours boolean,
    told integer NOT NULL DEFAULT 1,
    told_at timestamp with time zone,
    ended_by text,
    CONSTRAINT inbox_pkey PRIMARY KEY (id),
    CONSTRAINT inbox_account_id_fkey FOREIGN KEY (account_id) REFERENCES gateway_accounts(id),
    CONSTRAINT inbox_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT a_hint_names_what_to_ask_about CHECK (((verdict = 'hint'::text) = (reference IS NOT NULL))),
    CONSTRAINT an_unreadable_one_is_judged CHECK (((verdict = 'unreadable'::text) = (ours IS NOT NULL))),
    CONSTRAINT inbox_verdict_check CHECK ((verdict = ANY (ARRAY['genuine'::text, 'own'::text, 'hint'::text, 'forged'::text, 'unreadable'::text])))
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);
CREATE UNIQUE INDEX inbox_delivery ON inbox USING btree (account_id, delivery_id) WHERE (verdict = 'genuine'::text);
CREATE INDEX inbox_due ON inbox USING btree (account_id, due_at, id) WHERE (due_at IS NOT NULL);
CREATE INDEX inbox_heard ON inbox USING btree (account_id, verdict, id);
CREATE UNIQUE INDEX inbox_hint ON inbox USING btree (account_id, delivery_id) WHERE (verdict = 'hint'::text);
CREATE UNIQUE INDEX inbox_own ON inbox USING btree (account_id, delivery_id) WHERE (verdict = 'own'::text);
CREATE UNIQUE INDEX inbox_unreadable ON inbox USING btree (account_id, delivery_id) WHERE (verdict = 'unreadable'::text);
CREATE INDEX inbox_unworked ON inbox USING btree (received_at) WHERE ((worked_at IS NULL) AND (verdict <> 'forged'::text));
CREATE TRIGGER lease_is_held BEFORE UPDATE ON inbox FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('inbox '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('inbox '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON inbox FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON inbox FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON inbox FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (due_at, ended_by, failure, lease, leased_until, told, told_at, tries, worked_at) ON inbox TO coinslot_app;
GRANT SELECT, UPDATE (due_at, lease, leased_until) ON inbox TO coinslot_door;

CREATE TABLE installation (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    one boolean NOT NULL DEFAULT true,
    jwt_secret bytea,
    proof_key bytea,
    push_key bytea,
    CONSTRAINT installation_pkey PRIMARY KEY (one),
    CONSTRAINT installation_one_check CHECK (one)
);
GRANT SELECT ON installation TO coinslot_app;
GRANT SELECT, UPDATE (jwt_secret, proof_key, push_key) ON installation TO coinslot_door;

CREATE TABLE installation_admins (
    person_id uuid NOT NULL,
    version integer NOT NULL DEFAULT 1,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT installation_admins_pkey PRIMARY KEY (person_id),
    CONSTRAINT installation_admins_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id)
);
ALTER TABLE installation_admins ENABLE ROW LEVEL SECURITY;
ALTER TABLE installation_admins FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON installation_admins FOR ALL TO coinslot_door USING (true);
CREATE POLICY owner ON installation_admins FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (ended_at, version) ON installation_admins TO coinslot_door;

CREATE TABLE invitations (
    id uuid NOT NULL,
    merchant_id uuid,
    address text NOT NULL,
    role text NOT NULL,
    outlets text[] NOT NULL DEFAULT '{}'::text[],
    token_hash bytea NOT NULL,
    code_digest text NOT NULL,
    invited_by uuid,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone,
    accepted_by uuid,
    revoked_at timestamp with time zone,
    CONSTRAINT invitations_pkey PRIMARY KEY (id),
    CONSTRAINT invitations_token_hash_key UNIQUE (token_hash),
    CONSTRAINT invitations_accepted_by_fkey FOREIGN KEY (accepted_by) REFERENCES people(id),
    CONSTRAINT invitations_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES people(id),
    CONSTRAINT invitations_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT an_invitation_of_a_merchant_has_its_role CHECK (
CASE
    WHEN (merchant_id IS NULL) THEN ((role = 'installation'::text) AND (outlets = '{}'::text[]))
    ELSE ((role = ANY (ARRAY['admin'::text, 'operator'::text, 'viewer'::text, 'staff'::text])) AND ((role = 'staff'::text) = (outlets <> '{}'::text[])))
END),
    CONSTRAINT invitations_address_check CHECK (((length(address) >= 1) AND (length(address) <= 254))),
    CONSTRAINT who_accepted_is_known CHECK (((accepted_at IS NULL) = (accepted_by IS NULL)))
);
CREATE INDEX invitations_address ON invitations USING btree (lower(address));
CREATE INDEX invitations_merchant ON invitations USING btree (merchant_id, created_at);
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON invitations FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON invitations FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON invitations FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (accepted_at, accepted_by, revoked_at) ON invitations TO coinslot_app;
GRANT INSERT, SELECT, UPDATE (accepted_at, accepted_by, revoked_at) ON invitations TO coinslot_door;

CREATE TABLE ledger (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    txn uuid NOT NULL,
    merchant_id uuid NOT NULL,
    capture_id uuid NOT NULL,
    account text NOT NULL,
    currency character(3) NOT NULL,
    amount bigint NOT NULL,
    why text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT ledger_pkey PRIMARY KEY (id),
    CONSTRAINT ledger_capture_id_fkey FOREIGN KEY (capture_id) REFERENCES captures(id),
    CONSTRAINT ledger_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT ledger_account_check CHECK ((account = ANY (ARRAY['gateway'::text, 'obligations'::text, 'sales'::text, 'refunds_payable'::text, 'refunds_outside'::text, 'foreign'::text, 'fees'::text]))),
    CONSTRAINT ledger_amount_check CHECK ((amount <> 0))
);
CREATE INDEX ledger_at ON ledger USING brin (at) WITH (pages_per_range='16');
CREATE INDEX ledger_capture ON ledger USING btree (capture_id);
CREATE INDEX ledger_fees ON ledger USING btree (merchant_id, id) WHERE (account = 'fees'::text);
CREATE TRIGGER ledger_balances AFTER INSERT ON ledger REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger_balances();
ALTER TABLE ledger ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON ledger FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON ledger FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON ledger FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON ledger TO coinslot_app;
GRANT SELECT ON ledger TO coinslot_door;

CREATE TABLE loyalty_cards (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    token_digest text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT loyalty_cards_pkey PRIMARY KEY (id),
    CONSTRAINT loyalty_cards_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
CREATE UNIQUE INDEX loyalty_cards_token_digest ON loyalty_cards USING btree (token_digest) WHERE (token_digest IS NOT NULL);
ALTER TABLE loyalty_cards ENABLE ROW LEVEL SECURITY;
ALTER TABLE loyalty_cards FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON loyalty_cards FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON loyalty_cards FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON loyalty_cards FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON loyalty_cards TO coinslot_app;
GRANT SELECT ON loyalty_cards TO coinslot_door;

CREATE TABLE loyalty_entries (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    merchant_id uuid NOT NULL,
    card_id uuid NOT NULL,
    order_id uuid NOT NULL,
    what text NOT NULL,
    number integer NOT NULL,
    points integer NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT loyalty_entries_pkey PRIMARY KEY (id),
    CONSTRAINT loyalty_entries_number UNIQUE (order_id, what, number),
    CONSTRAINT loyalty_entries_card_id_fkey FOREIGN KEY (card_id) REFERENCES loyalty_cards(id),
    CONSTRAINT loyalty_entries_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT loyalty_entries_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT loyalty_entries_number_check CHECK ((number > 0)),
    CONSTRAINT loyalty_entries_points_check CHECK ((points <> 0)),
    CONSTRAINT loyalty_entries_what_check CHECK ((what = ANY (ARRAY['earned'::text, 'redeemed'::text])))
);
CREATE INDEX loyalty_entries_card ON loyalty_entries USING btree (card_id);
ALTER TABLE loyalty_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE loyalty_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON loyalty_entries FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON loyalty_entries FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON loyalty_entries FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON loyalty_entries TO coinslot_app;
GRANT SELECT ON loyalty_entries TO coinslot_door;

CREATE TABLE loyalty_programs (
    merchant_id uuid NOT NULL,
    kind text NOT NULL,
    currency character(3) NOT NULL,
    earn_minor bigint NOT NULL,
    reward_points integer NOT NULL,
    reward_minor bigint NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT loyalty_programs_pkey PRIMARY KEY (merchant_id),
    CONSTRAINT loyalty_programs_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT loyalty_programs_earn_minor_check CHECK ((earn_minor > 0)),
    CONSTRAINT loyalty_programs_kind_check CHECK ((kind = ANY (ARRAY['stamps'::text, 'points'::text]))),
    CONSTRAINT loyalty_programs_reward_minor_check CHECK ((reward_minor > 0)),
    CONSTRAINT loyalty_programs_reward_points_check CHECK ((reward_points > 0))
);
ALTER TABLE loyalty_programs ENABLE ROW LEVEL SECURITY;
ALTER TABLE loyalty_programs FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON loyalty_programs FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON loyalty_programs FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON loyalty_programs FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON loyalty_programs TO coinslot_app;
GRANT SELECT ON loyalty_programs TO coinslot_door;

CREATE TABLE machine_audits (
    id uuid NOT NULL,
    outlet_id text NOT NULL,
    merchant_id uuid NOT NULL,
    read_at timestamp with time zone NOT NULL,
    digest bytea NOT NULL,
    found jsonb NOT NULL,
    CONSTRAINT machine_audits_pkey PRIMARY KEY (id),
    CONSTRAINT machine_audits_outlet_id_digest_key UNIQUE (outlet_id, digest),
    CONSTRAINT machine_audits_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT machine_audits_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id)
);
ALTER TABLE machine_audits ENABLE ROW LEVEL SECURITY;
ALTER TABLE machine_audits FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON machine_audits FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON machine_audits FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON machine_audits FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON machine_audits TO coinslot_app;
GRANT SELECT ON machine_audits TO coinslot_door;

CREATE TABLE machine_counters (
    outlet_id text NOT NULL,
    merchant_id uuid NOT NULL,
    sales bigint NOT NULL,
    told_at timestamp with time zone NOT NULL,
    CONSTRAINT machine_counters_pkey PRIMARY KEY (outlet_id),
    CONSTRAINT machine_counters_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT machine_counters_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id)
) WITH (fillfactor=60);
ALTER TABLE machine_counters ENABLE ROW LEVEL SECURITY;
ALTER TABLE machine_counters FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON machine_counters FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON machine_counters FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON machine_counters FOR ALL TO coinslot_owner USING (true);
GRANT SELECT ON machine_counters TO coinslot_app;
GRANT INSERT, SELECT, UPDATE ON machine_counters TO coinslot_door;

CREATE TABLE machine_health (
    outlet_id text NOT NULL,
    merchant_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    temperature_c real,
    temperature_at timestamp with time zone,
    warm_since timestamp with time zone,
    grace_until timestamp with time zone,
    door_open boolean,
    reset_reason text,
    free_heap bigint,
    journal_used smallint,
    rssi smallint,
    firmware text,
    config_version bigint,
    uptime_s bigint,
    counters jsonb,
    restarts timestamp with time zone[] NOT NULL DEFAULT '{}'::timestamp with time zone[],
    sampled_at timestamp with time zone NOT NULL,
    low real,
    high real,
    sum_c double precision NOT NULL DEFAULT 0,
    readings_c integer NOT NULL DEFAULT 0,
    doors boolean NOT NULL DEFAULT false,
    heard_s real NOT NULL DEFAULT 0,
    CONSTRAINT machine_health_pkey PRIMARY KEY (outlet_id),
    CONSTRAINT machine_health_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT machine_health_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id)
) WITH (fillfactor=60);
ALTER TABLE machine_health ENABLE ROW LEVEL SECURITY;
ALTER TABLE machine_health FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON machine_health FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON machine_health FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON machine_health FOR ALL TO coinslot_owner USING (true);
GRANT SELECT, UPDATE ON machine_health TO coinslot_app;
GRANT INSERT, SELECT, UPDATE ON machine_health TO coinslot_door;

CREATE TABLE machine_log_days (
    outlet_id text NOT NULL,
    day date NOT NULL,
    merchant_id uuid NOT NULL,
    lines integer NOT NULL DEFAULT 0,
    left_out integer NOT NULL DEFAULT 0,
    CONSTRAINT machine_log_days_pkey PRIMARY KEY (outlet_id, day),
    CONSTRAINT machine_log_days_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
ALTER TABLE machine_log_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE machine_log_days FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON machine_log_days FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON machine_log_days FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON machine_log_days FOR ALL TO coinslot_owner USING (true);
GRANT SELECT ON machine_log_days TO coinslot_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON machine_log_days TO coinslot_door;

CREATE TABLE machine_logs (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    outlet_id text NOT NULL,
    merchant_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    mono_ms bigint,
    level text NOT NULL,
    text text NOT NULL,
    CONSTRAINT machine_logs_pkey PRIMARY KEY (id),
    CONSTRAINT machine_logs_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
CREATE INDEX machine_logs_at ON machine_logs USING brin (at);
CREATE INDEX machine_logs_newest ON machine_logs USING btree (outlet_id, id);
ALTER TABLE machine_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE machine_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON machine_logs FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON machine_logs FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON machine_logs FOR ALL TO coinslot_owner USING (true);
GRANT SELECT ON machine_logs TO coinslot_app;
GRANT DELETE, INSERT, SELECT ON machine_logs TO coinslot_door;

CREATE TABLE machine_samples (
    outlet_id text NOT NULL,
    span integer NOT NULL,
    at timestamp with time zone NOT NULL,
    merchant_id uuid NOT NULL,
    low real,
    high real,
    sum_c double precision NOT NULL DEFAULT 0,
    readings_c integer NOT NULL DEFAULT 0,
    heard_s real NOT NULL DEFAULT 0,
    free_heap bigint,
    rssi smallint,
    journal_used smallint,
    door_open boolean NOT NULL DEFAULT false,
    CONSTRAINT machine_samples_pkey PRIMARY KEY (outlet_id, span, at),
    CONSTRAINT machine_samples_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
) WITH (fillfactor=80);
CREATE INDEX machine_samples_at ON machine_samples USING brin (at);
ALTER TABLE machine_samples ENABLE ROW LEVEL SECURITY;
ALTER TABLE machine_samples FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON machine_samples FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON machine_samples FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON machine_samples FOR ALL TO coinslot_owner USING (true);
GRANT SELECT ON machine_samples TO coinslot_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON machine_samples TO coinslot_door;

CREATE TABLE machine_templates (
    merchant_id uuid NOT NULL,
    name text NOT NULL,
    template jsonb NOT NULL,
    made_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT machine_templates_pkey PRIMARY KEY (merchant_id, name),
    CONSTRAINT machine_templates_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT machine_templates_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9-]{0,39}$'::text))
);
ALTER TABLE machine_templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE machine_templates FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON machine_templates FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON machine_templates FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON machine_templates FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON machine_templates TO coinslot_app;
GRANT SELECT ON machine_templates TO coinslot_door;

CREATE TABLE machine_updates (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    rollout_id uuid NOT NULL,
    outlet_id text NOT NULL,
    place text NOT NULL,
    stage integer NOT NULL,
    state text NOT NULL DEFAULT 'waiting'::text,
    version integer NOT NULL DEFAULT 1,
    attempt integer NOT NULL DEFAULT 0,
    code text,
    offered_at timestamp with time zone,
    attempt_until timestamp with time zone,
    go_at timestamp with time zone,
    boot_before text,
    confirmed_at timestamp with time zone,
    boots integer NOT NULL DEFAULT 0,
    boot_seen text,
    samples integer NOT NULL DEFAULT 0,
    unheard integer NOT NULL DEFAULT 0,
    ended_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    lease integer NOT NULL DEFAULT 0,
    CONSTRAINT machine_updates_pkey PRIMARY KEY (id),
    CONSTRAINT machine_updates_rollout_id_outlet_id_key UNIQUE (rollout_id, outlet_id),
    CONSTRAINT machine_updates_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT machine_updates_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT machine_updates_rollout_id_fkey FOREIGN KEY (rollout_id) REFERENCES rollouts(id),
    CONSTRAINT after_go_there_is_no_other_attempt CHECK (((go_at IS NULL) OR (state <> ALL (ARRAY['waiting'::text, 'offered'::text, 'downloading'::text, 'verified'::text, 'skipped'::text])))),
    CONSTRAINT nothing_is_installed_without_go CHECK (((go_at IS NOT NULL) OR (state <> ALL (ARRAY['installing'::text, 'trial'::text, 'confirmed'::text, 'rolled_back'::text]))))
);
CREATE INDEX machine_updates_due ON machine_updates USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE UNIQUE INDEX machine_updates_one ON machine_updates USING btree (outlet_id) WHERE (state = ANY (ARRAY['offered'::text, 'downloading'::text, 'verified'::text, 'installing'::text, 'trial'::text]));
CREATE INDEX machine_updates_open ON machine_updates USING btree (outlet_id) WHERE (state <> ALL (ARRAY['confirmed'::text, 'failed'::text, 'rolled_back'::text, 'skipped'::text]));
CREATE INDEX machine_updates_rollout ON machine_updates USING btree (rollout_id, state);
CREATE TRIGGER lease_is_held BEFORE UPDATE ON machine_updates FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('machine_updates '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('machine_updates '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE machine_updates ENABLE ROW LEVEL SECURITY;
ALTER TABLE machine_updates FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON machine_updates FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON machine_updates FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON machine_updates FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON machine_updates TO coinslot_app;
GRANT SELECT, UPDATE (due_at, lease, leased_until) ON machine_updates TO coinslot_door;

CREATE TABLE memberships (
    person_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    role text NOT NULL,
    outlets text[] NOT NULL DEFAULT '{}'::text[],
    version integer NOT NULL DEFAULT 1,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT memberships_pkey PRIMARY KEY (person_id, merchant_id),
    CONSTRAINT memberships_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT memberships_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id),
    CONSTRAINT memberships_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'operator'::text, 'viewer'::text, 'staff'::text]))),
    CONSTRAINT staff_has_an_outlet CHECK (((role = 'staff'::text) = (outlets <> '{}'::text[])))
);
CREATE INDEX memberships_merchant ON memberships USING btree (merchant_id);
ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON memberships FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON memberships FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON memberships FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (ended_at, outlets, role, version) ON memberships TO coinslot_app;
GRANT SELECT ON memberships TO coinslot_door;

CREATE TABLE merchant_privacy (
    merchant_id uuid NOT NULL,
    controller text NOT NULL,
    address text NOT NULL,
    contact text NOT NULL,
    more text NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT merchant_privacy_pkey PRIMARY KEY (merchant_id),
    CONSTRAINT merchant_privacy_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT merchant_privacy_address_check CHECK ((length(address) <= 400)),
    CONSTRAINT merchant_privacy_contact_check CHECK ((length(contact) <= 254)),
    CONSTRAINT merchant_privacy_controller_check CHECK ((length(controller) <= 200)),
    CONSTRAINT merchant_privacy_more_check CHECK ((length(more) <= 4000))
);
ALTER TABLE merchant_privacy ENABLE ROW LEVEL SECURITY;
ALTER TABLE merchant_privacy FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON merchant_privacy FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON merchant_privacy FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON merchant_privacy FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON merchant_privacy TO coinslot_app;
GRANT SELECT ON merchant_privacy TO coinslot_door;

CREATE TABLE merchants (
    id uuid NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    contact text NOT NULL DEFAULT ''::text,
    created_at timestamp with time zone NOT NULL,
    zone text,
    second_factor_required boolean NOT NULL DEFAULT false,
    allowed_networks text[] NOT NULL DEFAULT '{}'::text[],
    languages text[] NOT NULL DEFAULT '{}'::text[],
    windows jsonb NOT NULL DEFAULT '{}'::jsonb,
    limits jsonb NOT NULL DEFAULT '{}'::jsonb,
    refund_proof_minor bigint,
    settings_version integer NOT NULL DEFAULT 1,
    currency character(3),
    paused_at timestamp with time zone,
    CONSTRAINT merchants_pkey PRIMARY KEY (id),
    CONSTRAINT merchants_slug_key UNIQUE (slug),
    CONSTRAINT limits_are_positive_numbers CHECK (((jsonb_typeof(limits) = 'object'::text) AND (NOT jsonb_path_exists(limits, '$.*?(@.type() != "number" || @ <= 0)'::jsonpath)))),
    CONSTRAINT merchants_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT merchants_refund_proof_minor_check CHECK ((refund_proof_minor >= 0)),
    CONSTRAINT windows_of_a_merchant_are_positive_numbers CHECK (((jsonb_typeof(windows) = 'object'::text) AND (NOT jsonb_path_exists(windows, '$.*?(@.type() != "object")'::jsonpath)) AND (NOT jsonb_path_exists(windows, '$.*.*?(@.type() != "number" || @ <= 0)'::jsonpath))))
);
ALTER TABLE merchants ENABLE ROW LEVEL SECURITY;
ALTER TABLE merchants FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON merchants FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON merchants FOR ALL TO coinslot_app USING ((id = the_merchant()));
CREATE POLICY owner ON merchants FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON merchants TO coinslot_app;
GRANT SELECT ON merchants TO coinslot_door;

CREATE TABLE message_opt_outs (
    phone_digest text NOT NULL,
    since timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    told_by text NOT NULL,
    CONSTRAINT message_opt_outs_pkey PRIMARY KEY (phone_digest)
);
GRANT INSERT, SELECT, UPDATE ON message_opt_outs TO coinslot_door;

CREATE TABLE mirror_rounds (
    one boolean NOT NULL DEFAULT true,
    holder text,
    leased_until timestamp with time zone,
    CONSTRAINT mirror_rounds_pkey PRIMARY KEY (one),
    CONSTRAINT mirror_rounds_one_check CHECK (one)
);
GRANT SELECT ON mirror_rounds TO coinslot_app;
GRANT SELECT, UPDATE ON mirror_rounds TO coinslot_door;

CREATE TABLE money_days (
    merchant_id uuid NOT NULL,
    day date NOT NULL,
    account_id uuid NOT NULL,
    outlet_id text NOT NULL,
    currency character(3) NOT NULL,
    captured bigint NOT NULL,
    given_back bigint NOT NULL,
    fees bigint NOT NULL,
    goods bigint NOT NULL,
    owed bigint NOT NULL,
    not_ours bigint NOT NULL,
    outside bigint NOT NULL,
    lines bigint NOT NULL,
    CONSTRAINT money_days_pkey PRIMARY KEY (merchant_id, day, account_id, outlet_id, currency),
    CONSTRAINT money_days_account_id_fkey FOREIGN KEY (account_id) REFERENCES gateway_accounts(id),
    CONSTRAINT money_days_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
ALTER TABLE money_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE money_days FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON money_days FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON money_days FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON money_days FOR ALL TO coinslot_owner USING (true);
GRANT DELETE, INSERT, SELECT ON money_days TO coinslot_app;
GRANT SELECT ON money_days TO coinslot_door;

CREATE TABLE notice_choices (
    person_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    event text NOT NULL,
    mail text NOT NULL,
    push boolean NOT NULL,
    CONSTRAINT notice_choices_pkey PRIMARY KEY (person_id, merchant_id, event),
    CONSTRAINT notice_choices_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT notice_choices_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id),
    CONSTRAINT notice_choices_mail_check CHECK ((mail = ANY (ARRAY['now'::text, 'digest'::text, 'off'::text])))
);
ALTER TABLE notice_choices ENABLE ROW LEVEL SECURITY;
ALTER TABLE notice_choices FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON notice_choices FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON notice_choices FOR ALL TO coinslot_app USING (((person_id = the_person()) AND (merchant_id = the_merchant())));
CREATE POLICY owner ON notice_choices FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (mail, push) ON notice_choices TO coinslot_app;
GRANT SELECT ON notice_choices TO coinslot_door;

CREATE TABLE notice_settings (
    person_id uuid NOT NULL,
    address text,
    asked_address text,
    confirm_hash bytea,
    confirm_until timestamp with time zone,
    language text NOT NULL,
    zone text,
    quiet_from smallint,
    quiet_to smallint,
    digest_at smallint NOT NULL,
    CONSTRAINT notice_settings_pkey PRIMARY KEY (person_id),
    CONSTRAINT notice_settings_confirm_hash_key UNIQUE (confirm_hash),
    CONSTRAINT notice_settings_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id),
    CONSTRAINT notice_settings_digest_at_check CHECK (((digest_at >= 0) AND (digest_at <= 1439))),
    CONSTRAINT notice_settings_quiet_from_check CHECK (((quiet_from >= 0) AND (quiet_from <= 1439))),
    CONSTRAINT notice_settings_quiet_to_check CHECK (((quiet_to >= 0) AND (quiet_to <= 1439))),
    CONSTRAINT quiet_hours_begin_and_end CHECK (((quiet_from IS NULL) = (quiet_to IS NULL)))
);
ALTER TABLE notice_settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE notice_settings FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON notice_settings FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON notice_settings FOR ALL TO coinslot_app USING ((person_id = the_person()));
CREATE POLICY owner ON notice_settings FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON notice_settings TO coinslot_app;
GRANT SELECT, UPDATE (address, asked_address, confirm_hash, confirm_until) ON notice_settings TO coinslot_door;

CREATE TABLE notices (
    id uuid NOT NULL,
    merchant_id uuid,
    person_id uuid,
    purpose text NOT NULL,
    channel text NOT NULL,
    target text NOT NULL,
    dedup text NOT NULL,
    permission text NOT NULL DEFAULT ''::text,
    subject text NOT NULL,
    body text NOT NULL,
    sealed bytea,
    link text NOT NULL DEFAULT ''::text,
    language text NOT NULL DEFAULT 'en'::text,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    outcome text,
    failure text,
    ended_at timestamp with time zone,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    lease integer NOT NULL DEFAULT 0,
    CONSTRAINT notices_pkey PRIMARY KEY (id),
    CONSTRAINT notices_dedup_key UNIQUE (dedup),
    CONSTRAINT notices_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT notices_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id),
    CONSTRAINT a_notice_is_due_until_it_ends CHECK ((((outcome IS NULL) = (due_at IS NOT NULL)) AND ((outcome IS NULL) = (ended_at IS NULL)))),
    CONSTRAINT no_secret_outlives_its_notice CHECK (((outcome IS NULL) OR (sealed IS NULL))),
    CONSTRAINT notices_outcome_check CHECK ((outcome = ANY (ARRAY['sent'::text, 'withdrawn'::text, 'given_up'::text])))
);
CREATE INDEX notices_due ON notices USING btree (channel, due_at, id) WHERE (due_at IS NOT NULL);
CREATE INDEX notices_ended ON notices USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX notices_merchant ON notices USING btree (merchant_id, id) WHERE (person_id IS NULL);
CREATE INDEX notices_person ON notices USING btree (person_id, id);
CREATE TRIGGER lease_is_held BEFORE UPDATE ON notices FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('notices '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('notices '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE notices ENABLE ROW LEVEL SECURITY;
ALTER TABLE notices FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON notices FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON notices FOR ALL TO coinslot_app USING (((person_id = the_person()) OR ((person_id IS NULL) AND (merchant_id = the_merchant()))));
CREATE POLICY owner ON notices FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON notices TO coinslot_app;
GRANT INSERT, SELECT, UPDATE (body, due_at, ended_at, failure, lease, leased_until, outcome, permission, sealed, subject, target, tries) ON notices TO coinslot_door;

CREATE TABLE order_extras (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    kind text NOT NULL,
    amount_minor bigint NOT NULL,
    settlement text,
    basis text,
    settled_at timestamp with time zone,
    CONSTRAINT order_extras_pkey PRIMARY KEY (id),
    CONSTRAINT order_extras_kind UNIQUE (order_id, kind),
    CONSTRAINT order_extras_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT order_extras_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT an_extra_names_its_basis CHECK ((((settlement IS NULL) = (basis IS NULL)) AND ((settlement IS NULL) = (settled_at IS NULL)))),
    CONSTRAINT order_extras_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT order_extras_basis_check CHECK ((basis = ANY (ARRAY['handed_over'::text, 'not_handed_over'::text, 'delivery_failed'::text, 'withdrawn'::text]))),
    CONSTRAINT order_extras_kind_check CHECK ((kind = ANY (ARRAY['tip'::text, 'delivery_fee'::text, 'added_tax'::text]))),
    CONSTRAINT order_extras_settlement_check CHECK ((settlement = ANY (ARRAY['fulfilled'::text, 'refund_due'::text])))
);
CREATE TRIGGER extra_settled_once BEFORE UPDATE ON order_extras FOR EACH ROW EXECUTE FUNCTION settled_once();
CREATE TRIGGER figures_change AFTER UPDATE ON order_extras FOR EACH ROW WHEN ((old.settlement IS DISTINCT FROM new.settlement)) EXECUTE FUNCTION figures_change();
ALTER TABLE order_extras ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_extras FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON order_extras FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON order_extras FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON order_extras FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (basis, settled_at, settlement) ON order_extras TO coinslot_app;
GRANT SELECT ON order_extras TO coinslot_door;

CREATE TABLE order_lines (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    product_id uuid NOT NULL,
    slot text NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    quantity integer NOT NULL,
    price_minor bigint NOT NULL,
    cost_minor bigint NOT NULL,
    unit_minor bigint[],
    tax_minor bigint[],
    CONSTRAINT order_lines_pkey PRIMARY KEY (id),
    CONSTRAINT order_lines_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT order_lines_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT order_lines_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
    CONSTRAINT every_piece_has_its_sum CHECK (((COALESCE(cardinality(unit_minor), quantity) = quantity) AND (COALESCE(cardinality(tax_minor), quantity) = quantity))),
    CONSTRAINT no_piece_costs_more_than_its_price CHECK (((0 <= ALL (unit_minor)) AND (price_minor >= ALL (unit_minor)))),
    CONSTRAINT order_lines_cost_minor_check CHECK ((cost_minor >= 0)),
    CONSTRAINT order_lines_price_minor_check CHECK ((price_minor >= 0)),
    CONSTRAINT order_lines_quantity_check CHECK (((quantity >= 1) AND (quantity <= 10)))
);
CREATE INDEX order_lines_order ON order_lines USING btree (order_id);
ALTER TABLE order_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_lines FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON order_lines FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON order_lines FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON order_lines FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON order_lines TO coinslot_app;
GRANT SELECT ON order_lines TO coinslot_door;

CREATE TABLE order_offers (
    order_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    coupon_id uuid,
    card_id uuid,
    off_minor bigint NOT NULL DEFAULT 0,
    points_used integer NOT NULL DEFAULT 0,
    kind text,
    earn_minor bigint,
    given_back_at timestamp with time zone,
    CONSTRAINT order_offers_pkey PRIMARY KEY (order_id),
    CONSTRAINT order_offers_card_id_fkey FOREIGN KEY (card_id) REFERENCES loyalty_cards(id),
    CONSTRAINT order_offers_coupon_id_fkey FOREIGN KEY (coupon_id) REFERENCES counter_coupons(id),
    CONSTRAINT order_offers_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT order_offers_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT a_card_collects_by_rules CHECK ((num_nonnulls(card_id, kind, earn_minor) = ANY (ARRAY[0, 3]))),
    CONSTRAINT an_order_is_made_cheaper_once CHECK (((coupon_id IS NULL) OR (points_used = 0))),
    CONSTRAINT order_offers_off_minor_check CHECK ((off_minor >= 0)),
    CONSTRAINT order_offers_points_used_check CHECK ((points_used >= 0)),
    CONSTRAINT points_are_of_a_card CHECK (((points_used = 0) OR (card_id IS NOT NULL)))
);
CREATE INDEX order_offers_coupon ON order_offers USING btree (coupon_id) WHERE (coupon_id IS NOT NULL);
ALTER TABLE order_offers ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_offers FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON order_offers FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON order_offers FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON order_offers FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (given_back_at) ON order_offers TO coinslot_app;
GRANT SELECT ON order_offers TO coinslot_door;

CREATE TABLE order_refund_parts (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    order_refund_id uuid NOT NULL,
    capture_id uuid NOT NULL,
    fulfillment_id uuid,
    amount_minor bigint NOT NULL,
    outcome text,
    ended_at timestamp with time zone,
    extra_id uuid,
    CONSTRAINT order_refund_parts_pkey PRIMARY KEY (id),
    CONSTRAINT order_refund_parts_capture_id_fkey FOREIGN KEY (capture_id) REFERENCES captures(id),
    CONSTRAINT order_refund_parts_extra_id_fkey FOREIGN KEY (extra_id) REFERENCES order_extras(id),
    CONSTRAINT order_refund_parts_fulfillment_id_fkey FOREIGN KEY (fulfillment_id) REFERENCES fulfillments(id),
    CONSTRAINT order_refund_parts_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT order_refund_parts_order_refund_id_fkey FOREIGN KEY (order_refund_id) REFERENCES order_refunds(id),
    CONSTRAINT a_part_is_of_a_unit CHECK ((num_nonnulls(fulfillment_id, extra_id) = 1)),
    CONSTRAINT order_refund_parts_amount_minor_check CHECK (((amount_minor > 0) OR ((amount_minor = 0) AND (NOT (outcome IS DISTINCT FROM 'withdrawn'::text))))),
    CONSTRAINT order_refund_parts_outcome_check CHECK ((outcome = ANY (ARRAY['withdrawn'::text, 'taken'::text, 'went_back'::text]))),
    CONSTRAINT what_became_of_a_part_has_its_time CHECK (((outcome IS NULL) = (ended_at IS NULL)))
);
CREATE INDEX order_refund_parts_extra ON order_refund_parts USING btree (extra_id);
CREATE INDEX order_refund_parts_refund ON order_refund_parts USING btree (order_refund_id);
CREATE INDEX order_refund_parts_unit ON order_refund_parts USING btree (fulfillment_id);
CREATE TRIGGER figures_change AFTER INSERT OR UPDATE OF outcome ON order_refund_parts FOR EACH ROW EXECUTE FUNCTION figures_change();
CREATE TRIGGER offers_follow_part AFTER INSERT OR UPDATE OF outcome ON order_refund_parts FOR EACH ROW WHEN ((new.outcome = 'taken'::text)) EXECUTE FUNCTION offers_follow_part();
CREATE TRIGGER part_ended_once BEFORE UPDATE ON order_refund_parts FOR EACH ROW EXECUTE FUNCTION part_ended_once();
ALTER TABLE order_refund_parts ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_refund_parts FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON order_refund_parts FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON order_refund_parts FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON order_refund_parts FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (ended_at, outcome) ON order_refund_parts TO coinslot_app;
GRANT SELECT ON order_refund_parts TO coinslot_door;

CREATE TABLE order_refunds (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    key text NOT NULL,
    asked jsonb NOT NULL,
    made_by text NOT NULL,
    reason text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT order_refunds_pkey PRIMARY KEY (id),
    CONSTRAINT order_refunds_key UNIQUE (merchant_id, key),
    CONSTRAINT order_refunds_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT order_refunds_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT a_refund_by_a_person_says_who_and_why CHECK (((made_by <> ''::text) AND (reason <> ''::text)))
);
CREATE INDEX order_refunds_order ON order_refunds USING btree (order_id);
ALTER TABLE order_refunds ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_refunds FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON order_refunds FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON order_refunds FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON order_refunds FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON order_refunds TO coinslot_app;
GRANT SELECT ON order_refunds TO coinslot_door;

CREATE TABLE orders (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    state text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    token text NOT NULL,
    number text NOT NULL,
    source text NOT NULL,
    client_key text,
    amount_minor bigint NOT NULL,
    currency character(3) NOT NULL,
    placed_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    paid_at timestamp with time zone,
    ended_at timestamp with time zone,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    lease integer NOT NULL DEFAULT 0,
    browser text,
    network text,
    dispatch_by timestamp with time zone,
    receipt_contact text,
    ends_by timestamp with time zone,
    price_version integer,
    planogram_version integer,
    CONSTRAINT orders_pkey PRIMARY KEY (id),
    CONSTRAINT orders_client_key_key UNIQUE (client_key),
    CONSTRAINT orders_token_key UNIQUE (token),
    CONSTRAINT orders_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT orders_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT a_receipt_contact_is_an_address CHECK (((length(receipt_contact) <= 254) AND ((receipt_contact ~ '^[^@[:space:]]+@[^@[:space:]]+$'::text) OR (receipt_contact ~ '^\+[0-9]{7,15}$'::text)))),
    CONSTRAINT a_test_vend_costs_nothing CHECK (((source <> 'test_vend'::text) OR (amount_minor = 0))),
    CONSTRAINT orders_amount_minor_check CHECK ((amount_minor >= 0)),
    CONSTRAINT orders_source_check CHECK ((source = ANY (ARRAY['printed_qr'::text, 'page'::text, 'test_vend'::text])))
) WITH (fillfactor=90, autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);
CREATE INDEX orders_browser ON orders USING btree (browser, placed_at) WHERE (browser IS NOT NULL);
CREATE INDEX orders_due ON orders USING btree (merchant_id, due_at, id) WHERE (due_at IS NOT NULL);
CREATE INDEX orders_ended_at ON orders USING brin (ended_at) WITH (pages_per_range='16');
CREATE INDEX orders_find ON orders USING btree (outlet_id, amount_minor, paid_at);
CREATE INDEX orders_number ON orders USING btree (number);
CREATE INDEX orders_placed_at ON orders USING brin (placed_at) WITH (pages_per_range='16');
CREATE INDEX orders_unpaid ON orders USING btree (outlet_id, placed_at) WHERE (paid_at IS NULL);
CREATE TRIGGER figures_change AFTER UPDATE ON orders FOR EACH ROW WHEN (((old.ended_at IS NOT NULL) AND (((old.state IS DISTINCT FROM new.state) OR (old.ended_at IS DISTINCT FROM new.ended_at)) OR (old.amount_minor IS DISTINCT FROM new.amount_minor)))) EXECUTE FUNCTION figures_change();
CREATE TRIGGER lease_is_held BEFORE UPDATE ON orders FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('orders '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('orders '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON orders FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON orders FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON orders FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON orders TO coinslot_app;
GRANT SELECT, UPDATE (due_at, lease, leased_until, receipt_contact) ON orders TO coinslot_door;

CREATE TABLE outlet_demand (
    outlet_id text NOT NULL,
    merchant_id uuid NOT NULL,
    weekday_sold double precision[] NOT NULL,
    weekday_days double precision[] NOT NULL,
    through_day date NOT NULL,
    CONSTRAINT outlet_demand_pkey PRIMARY KEY (outlet_id),
    CONSTRAINT outlet_demand_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT outlet_demand_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT outlet_demand_weekday_days_check CHECK ((cardinality(weekday_days) = 7)),
    CONSTRAINT outlet_demand_weekday_sold_check CHECK ((cardinality(weekday_sold) = 7))
);
ALTER TABLE outlet_demand ENABLE ROW LEVEL SECURITY;
ALTER TABLE outlet_demand FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON outlet_demand FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON outlet_demand FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON outlet_demand FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON outlet_demand TO coinslot_app;
GRANT SELECT ON outlet_demand TO coinslot_door;

CREATE TABLE outlet_stops (
    outlet_id text NOT NULL,
    why text NOT NULL,
    merchant_id uuid NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone,
    returns_money boolean NOT NULL DEFAULT false,
    count integer NOT NULL DEFAULT 0,
    data jsonb NOT NULL DEFAULT '{}'::jsonb,
    CONSTRAINT outlet_stops_pkey PRIMARY KEY (outlet_id, why),
    CONSTRAINT outlet_stops_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT outlet_stops_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id)
);
ALTER TABLE outlet_stops ENABLE ROW LEVEL SECURITY;
ALTER TABLE outlet_stops FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON outlet_stops FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON outlet_stops FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON outlet_stops FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON outlet_stops TO coinslot_app;
GRANT INSERT, SELECT, UPDATE ON outlet_stops TO coinslot_door;

CREATE TABLE outlets (
    id text NOT NULL,
    merchant_id uuid NOT NULL,
    name text NOT NULL,
    place text NOT NULL DEFAULT ''::text,
    kind text NOT NULL,
    channel text NOT NULL,
    dialect text NOT NULL,
    currency character(3) NOT NULL,
    account_id uuid,
    contact text NOT NULL DEFAULT ''::text,
    planogram_version integer NOT NULL DEFAULT 1,
    price_version integer NOT NULL DEFAULT 1,
    decommissioned_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    zone text,
    windows jsonb NOT NULL DEFAULT '{}'::jsonb,
    config_version integer NOT NULL DEFAULT 1,
    device_config jsonb NOT NULL DEFAULT '{}'::jsonb,
    applied_version integer NOT NULL DEFAULT 1,
    CONSTRAINT outlets_pkey PRIMARY KEY (id),
    CONSTRAINT outlets_account_id_fkey FOREIGN KEY (account_id) REFERENCES gateway_accounts(id),
    CONSTRAINT outlets_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT outlets_dialect_check CHECK ((dialect = ANY (ARRAY['leased'::text, 'simple'::text]))),
    CONSTRAINT outlets_id_check CHECK ((id ~ '^[A-Za-z0-9_-]{1,32}$'::text)),
    CONSTRAINT outlets_kind_check CHECK ((kind ~ '^[a-z][a-z_]*$'::text)),
    CONSTRAINT windows_are_positive_numbers CHECK (((jsonb_typeof(windows) = 'object'::text) AND (NOT jsonb_path_exists(windows, '$.*?(@.type() != "number" || @ <= 0)'::jsonpath))))
);
CREATE TRIGGER notify_changed AFTER UPDATE OF decommissioned_at ON outlets FOR EACH ROW EXECUTE FUNCTION notify_changed();
ALTER TABLE outlets ENABLE ROW LEVEL SECURITY;
ALTER TABLE outlets FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON outlets FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON outlets FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON outlets FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON outlets TO coinslot_app;
GRANT SELECT ON outlets TO coinslot_door;

CREATE TABLE password_resets (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    drops_factors boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT password_resets_pkey PRIMARY KEY (id),
    CONSTRAINT password_resets_token_hash_key UNIQUE (token_hash),
    CONSTRAINT password_resets_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id)
);
CREATE INDEX password_resets_person ON password_resets USING btree (person_id);
ALTER TABLE password_resets ENABLE ROW LEVEL SECURITY;
ALTER TABLE password_resets FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON password_resets FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON password_resets FOR ALL TO coinslot_app USING ((person_id = the_person()));
CREATE POLICY owner ON password_resets FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (used_at) ON password_resets TO coinslot_app;
GRANT SELECT ON password_resets TO coinslot_door;

CREATE TABLE payments (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    account_id uuid,
    order_id uuid,
    state text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    amount_minor bigint NOT NULL,
    currency character(3) NOT NULL,
    processing_deadline_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    source text NOT NULL DEFAULT 'order'::text,
    reference text,
    description text NOT NULL DEFAULT ''::text,
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    gateway text,
    return_url text,
    capture_method text NOT NULL DEFAULT 'automatic'::text,
    live boolean NOT NULL DEFAULT true,
    lease integer NOT NULL DEFAULT 0,
    receipt_contact text,
    CONSTRAINT payments_pkey PRIMARY KEY (id),
    CONSTRAINT payments_account_id_fkey FOREIGN KEY (account_id) REFERENCES gateway_accounts(id),
    CONSTRAINT payments_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT payments_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
    CONSTRAINT a_payments_contact_is_an_address CHECK (((length(receipt_contact) <= 254) AND ((receipt_contact ~ '^[^@[:space:]]+@[^@[:space:]]+$'::text) OR (receipt_contact ~ '^\+[0-9]{7,15}$'::text)))),
    CONSTRAINT an_order_or_the_api CHECK (((source = 'order'::text) = (order_id IS NOT NULL))),
    CONSTRAINT payments_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT payments_capture_method_check CHECK ((capture_method = ANY (ARRAY['automatic'::text, 'manual'::text]))),
    CONSTRAINT payments_source_check CHECK ((source = ANY (ARRAY['order'::text, 'api'::text])))
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);
CREATE INDEX payments_due ON payments USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX payments_listed ON payments USING btree (merchant_id, id) WHERE (source = 'api'::text);
CREATE INDEX payments_order ON payments USING btree (order_id);
CREATE INDEX payments_receipt_contact ON payments USING btree (created_at) WHERE (receipt_contact IS NOT NULL);
CREATE TRIGGER lease_is_held BEFORE UPDATE ON payments FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('payments '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('payments '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON payments FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON payments FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON payments FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON payments TO coinslot_app;
GRANT SELECT, UPDATE (due_at, lease, leased_until, receipt_contact) ON payments TO coinslot_door;

CREATE TABLE people (
    id uuid NOT NULL,
    login text NOT NULL,
    name text NOT NULL DEFAULT ''::text,
    password_hash text,
    version integer NOT NULL DEFAULT 1,
    created_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    CONSTRAINT people_pkey PRIMARY KEY (id),
    CONSTRAINT people_login_check CHECK (((length(login) >= 1) AND (length(login) <= 254)))
);
CREATE UNIQUE INDEX people_login ON people USING btree (lower(login));
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
ALTER TABLE people FORCE ROW LEVEL SECURITY;
CREATE POLICY colleagues ON people FOR SELECT TO coinslot_app USING ((EXISTS ( SELECT
   FROM memberships m
  WHERE ((m.person_id = people.id) AND (m.merchant_id = the_merchant())))));
CREATE POLICY door ON people FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON people FOR ALL TO coinslot_app USING ((id = the_person()));
CREATE POLICY owner ON people FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT (created_at, disabled_at, id, login, name, version), UPDATE (disabled_at, name, password_hash, version) ON people TO coinslot_app;
GRANT INSERT (created_at, id, login, name, password_hash), SELECT ON people TO coinslot_door;

CREATE TABLE pictures (
    merchant_id uuid NOT NULL,
    digest text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    widths integer[] NOT NULL,
    stored_at timestamp with time zone,
    used_at timestamp with time zone NOT NULL,
    ending_at timestamp with time zone,
    CONSTRAINT pictures_pkey PRIMARY KEY (merchant_id, digest),
    CONSTRAINT pictures_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT pictures_digest_check CHECK ((digest ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT pictures_height_check CHECK ((height > 0)),
    CONSTRAINT pictures_width_check CHECK ((width > 0))
);
CREATE INDEX pictures_used ON pictures USING btree (used_at);
ALTER TABLE pictures ENABLE ROW LEVEL SECURITY;
ALTER TABLE pictures FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON pictures FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON pictures FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON pictures FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON pictures TO coinslot_app;
GRANT SELECT ON pictures TO coinslot_door;

CREATE TABLE pins (
    person_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    hash text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT pins_pkey PRIMARY KEY (person_id, merchant_id),
    CONSTRAINT pins_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT pins_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id)
);
ALTER TABLE pins ENABLE ROW LEVEL SECURITY;
ALTER TABLE pins FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON pins FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON pins FOR ALL TO coinslot_app USING (((person_id = the_person()) AND (merchant_id = the_merchant())));
CREATE POLICY owner ON pins FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON pins TO coinslot_app;
GRANT SELECT ON pins TO coinslot_door;

CREATE TABLE practice_machines (
    outlet_id text NOT NULL,
    merchant_id uuid NOT NULL,
    broken text NOT NULL DEFAULT 'no'::text,
    memory jsonb NOT NULL DEFAULT '{}'::jsonb,
    player uuid,
    played_until timestamp with time zone,
    CONSTRAINT practice_machines_pkey PRIMARY KEY (outlet_id),
    CONSTRAINT practice_machines_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT practice_machines_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT practice_machines_broken_check CHECK ((broken = ANY (ARRAY['no'::text, 'jam'::text, 'silent'::text, 'power'::text, 'lie'::text])))
);
ALTER TABLE practice_machines ENABLE ROW LEVEL SECURITY;
ALTER TABLE practice_machines FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON practice_machines FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON practice_machines FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON practice_machines FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (broken) ON practice_machines TO coinslot_app;
GRANT SELECT, UPDATE (memory, played_until, player) ON practice_machines TO coinslot_door;

CREATE TABLE product_figure_days (
    merchant_id uuid NOT NULL,
    day date NOT NULL,
    report text NOT NULL,
    outlet_id text NOT NULL,
    accounts uuid[] NOT NULL,
    sku text NOT NULL,
    currency character(3) NOT NULL,
    sums jsonb NOT NULL,
    CONSTRAINT product_figure_days_pkey PRIMARY KEY (merchant_id, report, sku, day, outlet_id, accounts, currency),
    CONSTRAINT product_figure_days_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT a_report_of_a_product CHECK ((report = ANY (ARRAY['profit'::text, 'sales'::text])))
);
CREATE INDEX product_figure_days_day ON product_figure_days USING btree (merchant_id, day);
ALTER TABLE product_figure_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE product_figure_days FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON product_figure_days FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON product_figure_days FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON product_figure_days FOR ALL TO coinslot_owner USING (true);
GRANT DELETE, INSERT, SELECT ON product_figure_days TO coinslot_app;
GRANT SELECT ON product_figure_days TO coinslot_door;

CREATE TABLE products (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    price_minor bigint NOT NULL,
    cost_minor bigint NOT NULL DEFAULT 0,
    currency character(3) NOT NULL,
    picture text,
    names jsonb NOT NULL DEFAULT '{}'::jsonb,
    description text NOT NULL DEFAULT ''::text,
    descriptions jsonb NOT NULL DEFAULT '{}'::jsonb,
    retired_at timestamp with time zone,
    vat text,
    category text NOT NULL DEFAULT ''::text,
    CONSTRAINT products_pkey PRIMARY KEY (id),
    CONSTRAINT products_merchant_id_sku_key UNIQUE (merchant_id, sku),
    CONSTRAINT products_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT products_merchant_id_picture_fkey FOREIGN KEY (merchant_id, picture) REFERENCES pictures(merchant_id, digest),
    CONSTRAINT a_vat_is_a_rate_of_the_law CHECK ((vat = ANY (ARRAY['none'::text, '0'::text, '5'::text, '7'::text, '10'::text, '20'::text, '22'::text, '5/105'::text, '7/107'::text, '10/110'::text, '20/120'::text, '22/122'::text]))),
    CONSTRAINT products_category_check CHECK ((length(category) <= 40)),
    CONSTRAINT products_cost_minor_check CHECK ((cost_minor >= 0)),
    CONSTRAINT products_price_minor_check CHECK ((price_minor > 0))
);
CREATE INDEX products_picture ON products USING btree (merchant_id, picture) WHERE (picture IS NOT NULL);
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
ALTER TABLE products FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON products FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON products FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON products FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON products TO coinslot_app;
GRANT SELECT ON products TO coinslot_door;

CREATE TABLE public_events (
    seq bigint NOT NULL,
    id text NOT NULL,
    merchant_id uuid NOT NULL,
    type text NOT NULL,
    line uuid NOT NULL,
    data jsonb NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT public_events_pkey PRIMARY KEY (seq),
    CONSTRAINT public_events_id_key UNIQUE (id),
    CONSTRAINT public_events_listed UNIQUE (merchant_id, seq),
    CONSTRAINT public_events_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
ALTER TABLE public_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE public_events FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON public_events FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON public_events FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON public_events FOR ALL TO coinslot_owner USING (true);
GRANT SELECT ON public_events TO coinslot_app;
GRANT INSERT, SELECT ON public_events TO coinslot_door;

CREATE TABLE pulse (
    one boolean NOT NULL DEFAULT true,
    beat_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT pulse_pkey PRIMARY KEY (one),
    CONSTRAINT pulse_one_check CHECK (one)
);
GRANT SELECT ON pulse TO coinslot_app;
GRANT SELECT, UPDATE (beat_at) ON pulse TO coinslot_door;

CREATE TABLE push_subscriptions (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    person_version integer NOT NULL,
    endpoint text NOT NULL,
    p256dh text NOT NULL,
    auth text NOT NULL,
    agent text NOT NULL DEFAULT ''::text,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_because text,
    CONSTRAINT push_subscriptions_pkey PRIMARY KEY (id),
    CONSTRAINT push_subscriptions_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id),
    CONSTRAINT an_end_has_a_reason CHECK (((ended_at IS NULL) = (ended_because IS NULL)))
);
CREATE UNIQUE INDEX push_subscriptions_open ON push_subscriptions USING btree (endpoint) WHERE (ended_at IS NULL);
CREATE INDEX push_subscriptions_person ON push_subscriptions USING btree (person_id);
ALTER TABLE push_subscriptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE push_subscriptions FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON push_subscriptions FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON push_subscriptions FOR ALL TO coinslot_app USING ((person_id = the_person()));
CREATE POLICY owner ON push_subscriptions FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (agent, auth, ended_at, ended_because, p256dh, person_version) ON push_subscriptions TO coinslot_app;
GRANT SELECT, UPDATE (ended_at, ended_because) ON push_subscriptions TO coinslot_door;

CREATE TABLE qr_codes (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    account_id uuid NOT NULL,
    outlet_id text NOT NULL,
    slot text NOT NULL,
    payment_id uuid,
    stage text NOT NULL DEFAULT 'wanted'::text,
    qr_code_id text,
    image_url text,
    short_url text,
    amount_minor bigint NOT NULL,
    currency character(3) NOT NULL,
    asked_at timestamp with time zone,
    retired_at timestamp with time zone,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    tries integer NOT NULL DEFAULT 0,
    created_at timestamp with time zone NOT NULL,
    lease integer NOT NULL DEFAULT 0,
    attempt_id uuid,
    payable text,
    sheet_at timestamp with time zone,
    taken_down_at timestamp with time zone,
    CONSTRAINT qr_codes_pkey PRIMARY KEY (id),
    CONSTRAINT qr_codes_account_id_fkey FOREIGN KEY (account_id) REFERENCES gateway_accounts(id),
    CONSTRAINT qr_codes_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES attempts(id),
    CONSTRAINT qr_codes_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT qr_codes_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT qr_codes_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments(id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT a_code_of_a_payment_is_of_an_attempt CHECK (((payment_id IS NULL) = (attempt_id IS NULL))),
    CONSTRAINT qr_codes_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT qr_codes_check CHECK (((stage = ANY (ARRAY['wanted'::text, 'closed'::text])) OR (qr_code_id IS NOT NULL))),
    CONSTRAINT qr_codes_stage_check CHECK ((stage = ANY (ARRAY['wanted'::text, 'open'::text, 'closing'::text, 'closed'::text])))
);
CREATE UNIQUE INDEX qr_codes_account_id_qr_code_id_key ON qr_codes USING btree (account_id, qr_code_id) WHERE (qr_code_id IS NOT NULL);
CREATE INDEX qr_codes_asked ON qr_codes USING btree (account_id, asked_at) WHERE ((payment_id IS NULL) AND (stage = 'open'::text) AND (retired_at IS NULL));
CREATE UNIQUE INDEX qr_codes_attempt ON qr_codes USING btree (attempt_id) WHERE (attempt_id IS NOT NULL);
CREATE INDEX qr_codes_due ON qr_codes USING btree (account_id, due_at, id) WHERE (due_at IS NOT NULL);
CREATE INDEX qr_codes_of_outlet ON qr_codes USING btree (outlet_id) WHERE ((payment_id IS NULL) AND (qr_code_id IS NOT NULL));
CREATE INDEX qr_codes_of_payment ON qr_codes USING btree (payment_id) WHERE (payment_id IS NOT NULL);
CREATE INDEX qr_codes_old_prints ON qr_codes USING btree (outlet_id, slot) WHERE ((payment_id IS NULL) AND (retired_at IS NOT NULL) AND (sheet_at IS NOT NULL) AND (taken_down_at IS NULL));
CREATE UNIQUE INDEX qr_codes_printed ON qr_codes USING btree (outlet_id, slot) WHERE ((payment_id IS NULL) AND (retired_at IS NULL));
CREATE TRIGGER lease_is_held BEFORE UPDATE ON qr_codes FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('qr_codes '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('qr_codes '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE qr_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE qr_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON qr_codes FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON qr_codes FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON qr_codes FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON qr_codes TO coinslot_app;
GRANT SELECT, UPDATE (due_at, lease, leased_until) ON qr_codes TO coinslot_door;

CREATE TABLE qr_polls (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    lease integer NOT NULL DEFAULT 0,
    CONSTRAINT qr_polls_pkey PRIMARY KEY (id),
    CONSTRAINT qr_polls_id_fkey FOREIGN KEY (id) REFERENCES gateway_accounts(id),
    CONSTRAINT qr_polls_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
CREATE INDEX qr_polls_due ON qr_polls USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE TRIGGER lease_is_held BEFORE UPDATE ON qr_polls FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('qr_polls '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('qr_polls '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE qr_polls ENABLE ROW LEVEL SECURITY;
ALTER TABLE qr_polls FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON qr_polls FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON qr_polls FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON qr_polls FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON qr_polls TO coinslot_app;
GRANT SELECT, UPDATE (due_at, lease, leased_until) ON qr_polls TO coinslot_door;

CREATE TABLE receipts (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    account_id uuid NOT NULL,
    kind text NOT NULL,
    attempt_id uuid,
    refund_id uuid,
    replaces uuid,
    state text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    amount_minor bigint NOT NULL,
    currency character(3) NOT NULL,
    body jsonb NOT NULL,
    contact text,
    gateway_receipt_id text,
    fiscal jsonb,
    failure text,
    made_by text,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    late_at timestamp with time zone,
    ended_at timestamp with time zone,
    tries integer NOT NULL DEFAULT 0,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    lease integer NOT NULL DEFAULT 0,
    closes_at timestamp with time zone,
    CONSTRAINT receipts_pkey PRIMARY KEY (id),
    CONSTRAINT receipts_replaces_key UNIQUE (replaces),
    CONSTRAINT receipts_account_id_fkey FOREIGN KEY (account_id) REFERENCES gateway_accounts(id),
    CONSTRAINT receipts_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES attempts(id),
    CONSTRAINT receipts_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT receipts_refund_id_fkey FOREIGN KEY (refund_id) REFERENCES refunds(id),
    CONSTRAINT receipts_replaces_fkey FOREIGN KEY (replaces) REFERENCES receipts(id),
    CONSTRAINT a_receipt_is_of_a_payment_or_of_a_refund CHECK (((num_nonnulls(attempt_id, refund_id) = 1) AND ((kind = 'refund'::text) = (refund_id IS NOT NULL)))),
    CONSTRAINT a_receipts_contact_is_an_address CHECK (((length(contact) <= 254) AND ((contact ~ '^[^@[:space:]]+@[^@[:space:]]+$'::text) OR (contact ~ '^\+[0-9]{7,15}$'::text)))),
    CONSTRAINT receipts_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT receipts_kind_check CHECK ((kind = ANY (ARRAY['payment'::text, 'refund'::text, 'closing'::text])))
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);
CREATE UNIQUE INDEX receipts_attempt ON receipts USING btree (attempt_id) WHERE ((replaces IS NULL) AND (kind = 'payment'::text));
CREATE UNIQUE INDEX receipts_closing ON receipts USING btree (attempt_id) WHERE ((replaces IS NULL) AND (kind = 'closing'::text));
CREATE INDEX receipts_contact ON receipts USING btree (ended_at) WHERE (contact IS NOT NULL);
CREATE INDEX receipts_due ON receipts USING btree (account_id, due_at, id) WHERE (due_at IS NOT NULL);
CREATE INDEX receipts_newest ON receipts USING btree (merchant_id, created_at DESC, id DESC);
CREATE INDEX receipts_of_attempt ON receipts USING btree (attempt_id) WHERE (attempt_id IS NOT NULL);
CREATE INDEX receipts_of_refund ON receipts USING btree (refund_id) WHERE (refund_id IS NOT NULL);
CREATE UNIQUE INDEX receipts_refund ON receipts USING btree (refund_id) WHERE (replaces IS NULL);
CREATE INDEX receipts_wanting ON receipts USING btree (merchant_id) WHERE (state = ANY (ARRAY['refused'::text, 'overdue'::text]));
CREATE TRIGGER lease_is_held BEFORE UPDATE ON receipts FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('receipts '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('receipts '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
CREATE TRIGGER stays_due_until_closed BEFORE UPDATE ON receipts FOR EACH ROW WHEN ((new.closes_at IS NOT NULL)) EXECUTE FUNCTION stay_due();
ALTER TABLE receipts ENABLE ROW LEVEL SECURITY;
ALTER TABLE receipts FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON receipts FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON receipts FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON receipts FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (closes_at, contact, due_at, ended_at, failure, fiscal, gateway_receipt_id, late_at, lease, leased_until, sent_at, state, tries, version) ON receipts TO coinslot_app;
GRANT SELECT, UPDATE (contact, due_at, lease, leased_until) ON receipts TO coinslot_door;

CREATE TABLE reconciliations (
    account_id uuid NOT NULL,
    day date NOT NULL,
    merchant_id uuid NOT NULL,
    leased_until timestamp with time zone,
    tries integer NOT NULL DEFAULT 0,
    failure text,
    found integer NOT NULL DEFAULT 0,
    breaks integer NOT NULL DEFAULT 0,
    done_at timestamp with time zone,
    through timestamp with time zone,
    CONSTRAINT reconciliations_pkey PRIMARY KEY (account_id, day),
    CONSTRAINT reconciliations_account_id_fkey FOREIGN KEY (account_id) REFERENCES gateway_accounts(id),
    CONSTRAINT reconciliations_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
ALTER TABLE reconciliations ENABLE ROW LEVEL SECURITY;
ALTER TABLE reconciliations FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON reconciliations FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON reconciliations FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON reconciliations FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (breaks, done_at, failure, found, leased_until, through, tries) ON reconciliations TO coinslot_app;
GRANT SELECT ON reconciliations TO coinslot_door;

CREATE TABLE recovery_codes (
    person_id uuid NOT NULL,
    digest text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT recovery_codes_pkey PRIMARY KEY (person_id, digest),
    CONSTRAINT recovery_codes_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id)
);
ALTER TABLE recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON recovery_codes FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON recovery_codes FOR ALL TO coinslot_app USING ((person_id = the_person()));
CREATE POLICY owner ON recovery_codes FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (used_at) ON recovery_codes TO coinslot_app;
GRANT SELECT ON recovery_codes TO coinslot_door;

CREATE TABLE refill_visits (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    made_by text NOT NULL,
    note text NOT NULL DEFAULT ''::text,
    lines jsonb NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT refill_visits_pkey PRIMARY KEY (id),
    CONSTRAINT refill_visits_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT refill_visits_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id)
);
CREATE INDEX refill_visits_outlet ON refill_visits USING btree (outlet_id, at);
ALTER TABLE refill_visits ENABLE ROW LEVEL SECURITY;
ALTER TABLE refill_visits FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON refill_visits FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON refill_visits FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON refill_visits FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON refill_visits TO coinslot_app;
GRANT SELECT ON refill_visits TO coinslot_door;

CREATE TABLE refresh_tokens (
    hash bytea NOT NULL,
    person_id uuid NOT NULL,
    session_id uuid NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    successor bytea,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (hash),
    CONSTRAINT refresh_tokens_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id),
    CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions(id),
    CONSTRAINT a_used_token_has_a_successor CHECK (((used_at IS NULL) = (successor IS NULL)))
);
CREATE INDEX refresh_tokens_session ON refresh_tokens USING btree (session_id);
ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE refresh_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON refresh_tokens FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON refresh_tokens FOR ALL TO coinslot_app USING ((person_id = the_person()));
CREATE POLICY owner ON refresh_tokens FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (successor, used_at) ON refresh_tokens TO coinslot_app;
GRANT SELECT ON refresh_tokens TO coinslot_door;

CREATE TABLE refunds (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    account_id uuid NOT NULL,
    capture_id uuid NOT NULL,
    fulfillment_id uuid,
    replaces uuid,
    origin text NOT NULL,
    state text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    amount_minor bigint NOT NULL,
    currency character(3) NOT NULL,
    reason text NOT NULL,
    key text NOT NULL,
    key_sent_at timestamp with time zone,
    gateway_refund_id text,
    tries integer NOT NULL DEFAULT 0,
    failure text,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    hard_deadline timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    asked_reason text,
    lease integer NOT NULL DEFAULT 0,
    covered_by uuid,
    in_place_of uuid,
    part_id uuid,
    CONSTRAINT refunds_pkey PRIMARY KEY (id),
    CONSTRAINT refunds_key_key UNIQUE (key),
    CONSTRAINT refunds_replaces_key UNIQUE (replaces),
    CONSTRAINT refunds_account_id_fkey FOREIGN KEY (account_id) REFERENCES gateway_accounts(id),
    CONSTRAINT refunds_capture_id_fkey FOREIGN KEY (capture_id) REFERENCES captures(id),
    CONSTRAINT refunds_covered_by_fkey FOREIGN KEY (covered_by) REFERENCES refunds(id),
    CONSTRAINT refunds_fulfillment_id_fkey FOREIGN KEY (fulfillment_id) REFERENCES fulfillments(id),
    CONSTRAINT refunds_in_place_of_fkey FOREIGN KEY (in_place_of) REFERENCES refunds(id),
    CONSTRAINT refunds_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT refunds_part_id_fkey FOREIGN KEY (part_id) REFERENCES order_refund_parts(id),
    CONSTRAINT refunds_replaces_fkey FOREIGN KEY (replaces) REFERENCES refunds(id),
    CONSTRAINT refunds_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT refunds_origin_check CHECK ((origin = ANY (ARRAY['ours'::text, 'gateway'::text])))
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);
CREATE UNIQUE INDEX refunds_account_id_gateway_refund_id_key ON refunds USING btree (account_id, gateway_refund_id) WHERE (gateway_refund_id IS NOT NULL);
CREATE INDEX refunds_capture ON refunds USING btree (capture_id);
CREATE INDEX refunds_covered_by ON refunds USING btree (covered_by) WHERE (covered_by IS NOT NULL);
CREATE INDEX refunds_due ON refunds USING btree (account_id, due_at, id) WHERE (due_at IS NOT NULL);
CREATE UNIQUE INDEX refunds_one_live ON refunds USING btree (fulfillment_id) WHERE ((fulfillment_id IS NOT NULL) AND (state = ANY (ARRAY['pending'::text, 'succeeded'::text, 'owed'::text])));
CREATE UNIQUE INDEX refunds_one_live_part ON refunds USING btree (part_id) WHERE ((part_id IS NOT NULL) AND (state = ANY (ARRAY['pending'::text, 'succeeded'::text, 'owed'::text])));
CREATE INDEX refunds_owed ON refunds USING btree (created_at) WHERE (state = 'owed'::text);
CREATE CONSTRAINT TRIGGER counter_credit_change AFTER UPDATE OF state ON refunds DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((old.state IS DISTINCT FROM new.state) AND (('succeeded'::text = old.state) OR ('succeeded'::text = new.state)))) EXECUTE FUNCTION counter_credit_due();
CREATE CONSTRAINT TRIGGER counter_credit_new AFTER INSERT ON refunds DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.state = 'succeeded'::text)) EXECUTE FUNCTION counter_credit_due();
CREATE TRIGGER lease_is_held BEFORE UPDATE ON refunds FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('refunds '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('refunds '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE refunds ENABLE ROW LEVEL SECURITY;
ALTER TABLE refunds FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON refunds FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON refunds FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON refunds FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (asked_reason, covered_by, due_at, ended_at, failure, gateway_refund_id, in_place_of, key_sent_at, leased_until, state, tries, version) ON refunds TO coinslot_app;
GRANT SELECT, UPDATE (due_at, lease, leased_until) ON refunds TO coinslot_door;

CREATE TABLE retention_runs (
    what text NOT NULL,
    before timestamp with time zone NOT NULL,
    ran_at timestamp with time zone NOT NULL,
    CONSTRAINT retention_runs_pkey PRIMARY KEY (what)
);
GRANT SELECT ON retention_runs TO coinslot_app;
GRANT INSERT, SELECT, UPDATE ON retention_runs TO coinslot_door;

CREATE TABLE rollouts (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    build_id uuid NOT NULL,
    hardware text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL DEFAULT 'draft'::text,
    version integer NOT NULL DEFAULT 1,
    rules jsonb NOT NULL,
    machines text[],
    stage integer NOT NULL DEFAULT 0,
    stage_at timestamp with time zone,
    soak_at timestamp with time zone,
    soak_until timestamp with time zone,
    pause jsonb,
    forgiven integer NOT NULL DEFAULT 0,
    sampled_at timestamp with time zone,
    created_by text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    lease integer NOT NULL DEFAULT 0,
    CONSTRAINT rollouts_pkey PRIMARY KEY (id),
    CONSTRAINT rollouts_build_id_fkey FOREIGN KEY (build_id) REFERENCES firmware_builds(id),
    CONSTRAINT rollouts_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
CREATE INDEX rollouts_due ON rollouts USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX rollouts_newest ON rollouts USING btree (merchant_id, created_at DESC, id DESC);
CREATE UNIQUE INDEX rollouts_one ON rollouts USING btree (merchant_id, hardware, kind) WHERE (state = ANY (ARRAY['running'::text, 'soaking'::text, 'paused'::text]));
CREATE TRIGGER lease_is_held BEFORE UPDATE ON rollouts FOR EACH ROW WHEN (((current_setting('coinslot.lease'::text, true) ~~ (('rollouts '::text || old.id) || ' %'::text)) AND (current_setting('coinslot.lease'::text, true) <> ((('rollouts '::text || old.id) || ' '::text) || old.lease)))) EXECUTE FUNCTION refuse_lost_lease();
ALTER TABLE rollouts ENABLE ROW LEVEL SECURITY;
ALTER TABLE rollouts FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON rollouts FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON rollouts FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON rollouts FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON rollouts TO coinslot_app;
GRANT SELECT, UPDATE (due_at, lease, leased_until) ON rollouts TO coinslot_door;

CREATE TABLE routes (
    merchant_id uuid NOT NULL,
    name text NOT NULL,
    machines text[] NOT NULL,
    made_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    dropped_at timestamp with time zone,
    CONSTRAINT routes_pkey PRIMARY KEY (merchant_id, name),
    CONSTRAINT routes_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT routes_machines_check CHECK ((cardinality(machines) <= 500)),
    CONSTRAINT routes_name_check CHECK (((length(name) >= 1) AND (length(name) <= 60)))
);
ALTER TABLE routes ENABLE ROW LEVEL SECURITY;
ALTER TABLE routes FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON routes FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON routes FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON routes FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON routes TO coinslot_app;
GRANT SELECT ON routes TO coinslot_door;

CREATE TABLE rules (
    name text NOT NULL,
    after_seq bigint NOT NULL,
    CONSTRAINT rules_pkey PRIMARY KEY (name)
);
GRANT SELECT ON rules TO coinslot_door;

CREATE TABLE schema_migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    repeatable boolean NOT NULL,
    applied_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (name)
);
GRANT SELECT ON schema_migrations TO coinslot_app;
GRANT SELECT ON schema_migrations TO coinslot_door;

CREATE TABLE second_factors (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL DEFAULT ''::text,
    secret bytea,
    last_step bigint NOT NULL DEFAULT 0,
    credential_id bytea,
    public_key bytea,
    sign_count bigint NOT NULL DEFAULT 0,
    created_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone,
    used_at timestamp with time zone,
    removed_at timestamp with time zone,
    CONSTRAINT second_factors_pkey PRIMARY KEY (id),
    CONSTRAINT second_factors_credential_id_key UNIQUE (credential_id),
    CONSTRAINT second_factors_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id),
    CONSTRAINT a_factor_has_what_proves_it CHECK (
CASE kind
    WHEN 'totp'::text THEN (secret IS NOT NULL)
    ELSE ((credential_id IS NOT NULL) AND (public_key IS NOT NULL))
END),
    CONSTRAINT second_factors_kind_check CHECK ((kind = ANY (ARRAY['totp'::text, 'passkey'::text])))
);
CREATE INDEX second_factors_person ON second_factors USING btree (person_id);
ALTER TABLE second_factors ENABLE ROW LEVEL SECURITY;
ALTER TABLE second_factors FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON second_factors FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON second_factors FOR ALL TO coinslot_app USING ((person_id = the_person()));
CREATE POLICY owner ON second_factors FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (confirmed_at, last_step, name, removed_at, sign_count, used_at) ON second_factors TO coinslot_app;
GRANT SELECT ON second_factors TO coinslot_door;

CREATE TABLE sessions (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    for_merchant uuid,
    kind text NOT NULL,
    secret_hash bytea,
    factors text[] NOT NULL,
    person_version integer NOT NULL,
    grant_version integer NOT NULL,
    address text NOT NULL,
    agent text NOT NULL DEFAULT ''::text,
    created_at timestamp with time zone NOT NULL,
    proved_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_because text,
    push_endpoint text,
    network text NOT NULL DEFAULT ''::text,
    tablet_id uuid,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_secret_hash_key UNIQUE (secret_hash),
    CONSTRAINT sessions_for_merchant_fkey FOREIGN KEY (for_merchant) REFERENCES merchants(id),
    CONSTRAINT sessions_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id),
    CONSTRAINT sessions_tablet_id_fkey FOREIGN KEY (tablet_id) REFERENCES tablets(id),
    CONSTRAINT a_cookie_has_a_secret CHECK (((kind = 'cookie'::text) = (secret_hash IS NOT NULL))),
    CONSTRAINT an_end_has_a_reason CHECK (((ended_at IS NULL) = (ended_because IS NULL))),
    CONSTRAINT sessions_kind_check CHECK ((kind = ANY (ARRAY['token'::text, 'cookie'::text])))
);
CREATE INDEX sessions_expired ON sessions USING btree (expires_at);
CREATE INDEX sessions_person ON sessions USING btree (person_id) WHERE (ended_at IS NULL);
CREATE INDEX sessions_push ON sessions USING btree (push_endpoint) WHERE (push_endpoint IS NOT NULL);
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON sessions FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON sessions FOR ALL TO coinslot_app USING ((person_id = the_person()));
CREATE POLICY owner ON sessions FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (ended_at, ended_because, proved_at, push_endpoint, tablet_id, used_at) ON sessions TO coinslot_app;
GRANT SELECT, UPDATE (used_at) ON sessions TO coinslot_door;

CREATE TABLE setups (
    merchant_id uuid NOT NULL,
    draft jsonb NOT NULL DEFAULT '{}'::jsonb,
    books_seen_at timestamp with time zone,
    put_away_at timestamp with time zone,
    begun_at timestamp with time zone NOT NULL,
    CONSTRAINT setups_pkey PRIMARY KEY (merchant_id),
    CONSTRAINT setups_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
ALTER TABLE setups ENABLE ROW LEVEL SECURITY;
ALTER TABLE setups FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON setups FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON setups FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON setups FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (books_seen_at, draft, put_away_at) ON setups TO coinslot_app;
GRANT SELECT ON setups TO coinslot_door;

CREATE TABLE sign_in_tries (
    subject text NOT NULL,
    tries integer NOT NULL,
    since timestamp with time zone NOT NULL,
    CONSTRAINT sign_in_tries_pkey PRIMARY KEY (subject)
);
CREATE INDEX sign_in_tries_since ON sign_in_tries USING btree (since);
ALTER TABLE sign_in_tries ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_tries FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON sign_in_tries FOR ALL TO coinslot_door USING (true);
CREATE POLICY owner ON sign_in_tries FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON sign_in_tries TO coinslot_door;

CREATE TABLE slot_demand (
    outlet_id text NOT NULL,
    slot text NOT NULL,
    merchant_id uuid NOT NULL,
    product_id uuid NOT NULL,
    sales double precision NOT NULL,
    days double precision NOT NULL,
    held integer NOT NULL,
    through bigint NOT NULL,
    likely integer,
    CONSTRAINT slot_demand_pkey PRIMARY KEY (outlet_id, slot),
    CONSTRAINT slot_demand_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT slot_demand_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT slot_demand_days_check CHECK ((days > (0)::double precision)),
    CONSTRAINT slot_demand_likely_check CHECK ((likely >= 0)),
    CONSTRAINT slot_demand_sales_check CHECK ((sales > (0)::double precision))
);
ALTER TABLE slot_demand ENABLE ROW LEVEL SECURITY;
ALTER TABLE slot_demand FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON slot_demand FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON slot_demand FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON slot_demand FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON slot_demand TO coinslot_app;
GRANT SELECT ON slot_demand TO coinslot_door;

CREATE TABLE slot_vends (
    unit_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    slot text NOT NULL,
    word text NOT NULL,
    journal_id text,
    event_seq bigint,
    sent_at timestamp with time zone NOT NULL,
    at timestamp with time zone NOT NULL,
    number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT slot_vends_pkey PRIMARY KEY (unit_id),
    CONSTRAINT slot_vends_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT slot_vends_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT slot_vends_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES fulfillments(id),
    CONSTRAINT slot_vends_word_check CHECK ((word = ANY (ARRAY['fell'::text, 'may_have'::text, 'did_not'::text])))
);
CREATE INDEX slot_vends_line ON slot_vends USING btree (outlet_id, journal_id, event_seq);
CREATE INDEX slot_vends_newest ON slot_vends USING btree (outlet_id, number);
CREATE INDEX slot_vends_slot ON slot_vends USING btree (outlet_id, slot, number);
ALTER TABLE slot_vends ENABLE ROW LEVEL SECURITY;
ALTER TABLE slot_vends FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON slot_vends FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON slot_vends FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON slot_vends FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (event_seq, word) ON slot_vends TO coinslot_app;
GRANT SELECT ON slot_vends TO coinslot_door;

CREATE TABLE slots (
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    slot text NOT NULL,
    product_id uuid NOT NULL,
    price_minor bigint NOT NULL,
    stock integer NOT NULL DEFAULT 0,
    failures_in_row integer NOT NULL DEFAULT 0,
    out_of_sale_at timestamp with time zone,
    par integer NOT NULL DEFAULT 0,
    withheld_at timestamp with time zone,
    withheld_alone boolean NOT NULL DEFAULT false,
    withheld_whole boolean NOT NULL DEFAULT false,
    counted integer,
    counted_journal text,
    counted_event bigint,
    counted_vend bigint NOT NULL DEFAULT 0,
    counted_at timestamp with time zone,
    capacity integer,
    other_product boolean NOT NULL DEFAULT false,
    CONSTRAINT slots_pkey PRIMARY KEY (outlet_id, slot),
    CONSTRAINT slots_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT slots_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT slots_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
    CONSTRAINT a_machines_count_names_its_line CHECK (((counted_journal IS NULL) = (counted_event IS NULL))),
    CONSTRAINT slots_capacity_check CHECK (((capacity >= 1) AND (capacity <= 10000))),
    CONSTRAINT slots_counted_check CHECK ((counted >= 0)),
    CONSTRAINT slots_par_check CHECK (((par >= 0) AND (par <= 10000))),
    CONSTRAINT slots_price_minor_check CHECK ((price_minor > 0)),
    CONSTRAINT slots_stock_check CHECK ((stock >= 0))
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);
ALTER TABLE slots ENABLE ROW LEVEL SECURITY;
ALTER TABLE slots FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON slots FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON slots FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON slots FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON slots TO coinslot_app;
GRANT SELECT ON slots TO coinslot_door;

CREATE TABLE stock_counts (
    outlet_id text NOT NULL,
    journal_id text NOT NULL,
    merchant_id uuid NOT NULL,
    inventory_seq bigint NOT NULL,
    event_seq bigint NOT NULL,
    cause text NOT NULL,
    counts jsonb NOT NULL,
    at timestamp with time zone NOT NULL,
    secret_mark text,
    CONSTRAINT stock_counts_pkey PRIMARY KEY (outlet_id, journal_id),
    CONSTRAINT stock_counts_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT stock_counts_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT stock_counts_cause_check CHECK ((cause = ANY (ARRAY['count'::text, 'refill'::text, 'boot'::text]))),
    CONSTRAINT stock_counts_event_seq_check CHECK ((event_seq >= 0)),
    CONSTRAINT stock_counts_inventory_seq_check CHECK ((inventory_seq > 0))
);
ALTER TABLE stock_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE stock_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON stock_counts FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON stock_counts FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON stock_counts FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON stock_counts TO coinslot_app;
GRANT SELECT ON stock_counts TO coinslot_door;

CREATE TABLE stock_differences (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    slot text NOT NULL,
    cause text NOT NULL,
    expected integer NOT NULL,
    counted integer NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT stock_differences_pkey PRIMARY KEY (id),
    CONSTRAINT stock_differences_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT stock_differences_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT stock_differences_cause_check CHECK ((cause = ANY (ARRAY['count'::text, 'refill'::text, 'boot'::text, 'visit'::text])))
);
CREATE INDEX stock_differences_slot ON stock_differences USING btree (outlet_id, slot, id);
ALTER TABLE stock_differences ENABLE ROW LEVEL SECURITY;
ALTER TABLE stock_differences FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON stock_differences FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON stock_differences FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON stock_differences FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON stock_differences TO coinslot_app;
GRANT SELECT ON stock_differences TO coinslot_door;

CREATE TABLE stock_lots (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    slot text NOT NULL,
    pieces integer NOT NULL,
    expires_on date,
    added_at timestamp with time zone NOT NULL,
    CONSTRAINT stock_lots_pkey PRIMARY KEY (id),
    CONSTRAINT stock_lots_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT stock_lots_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT stock_lots_pieces_check CHECK ((pieces > 0))
);
CREATE INDEX stock_lots_slot ON stock_lots USING btree (outlet_id, slot, id);
ALTER TABLE stock_lots ENABLE ROW LEVEL SECURITY;
ALTER TABLE stock_lots FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON stock_lots FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON stock_lots FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON stock_lots FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON stock_lots TO coinslot_app;
GRANT SELECT ON stock_lots TO coinslot_door;

CREATE TABLE strays (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    merchant_id uuid NOT NULL,
    machine text NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL,
    event text NOT NULL,
    data jsonb NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT strays_pkey PRIMARY KEY (id),
    CONSTRAINT strays_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
ALTER TABLE strays ENABLE ROW LEVEL SECURITY;
ALTER TABLE strays FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON strays FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON strays FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON strays FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON strays TO coinslot_app;
GRANT SELECT ON strays TO coinslot_door;

CREATE TABLE summed_days (
    merchant_id uuid NOT NULL,
    day date NOT NULL,
    begun timestamp with time zone NOT NULL,
    ended timestamp with time zone NOT NULL,
    summed_at timestamp with time zone NOT NULL,
    CONSTRAINT summed_days_pkey PRIMARY KEY (merchant_id, day),
    CONSTRAINT summed_days_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT a_day_ends_after_it_begins CHECK ((begun < ended))
);
ALTER TABLE summed_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE summed_days FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON summed_days FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON summed_days FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON summed_days FOR ALL TO coinslot_owner USING (true);
GRANT DELETE, INSERT, SELECT ON summed_days TO coinslot_app;
GRANT SELECT ON summed_days TO coinslot_door;

CREATE TABLE tablets (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    outlets text[] NOT NULL,
    enrolled_by uuid NOT NULL,
    enrolled_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT tablets_pkey PRIMARY KEY (id),
    CONSTRAINT tablets_secret_hash_key UNIQUE (secret_hash),
    CONSTRAINT tablets_enrolled_by_fkey FOREIGN KEY (enrolled_by) REFERENCES people(id),
    CONSTRAINT tablets_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT tablets_name_check CHECK (((length(name) >= 1) AND (length(name) <= 40)))
);
CREATE INDEX tablets_merchant ON tablets USING btree (merchant_id) WHERE (ended_at IS NULL);
ALTER TABLE tablets ENABLE ROW LEVEL SECURITY;
ALTER TABLE tablets FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON tablets FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON tablets FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON tablets FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE (ended_at) ON tablets TO coinslot_app;
GRANT SELECT ON tablets TO coinslot_door;

CREATE TABLE transitions (
    machine text NOT NULL,
    state text NOT NULL,
    event text NOT NULL,
    next text NOT NULL,
    jobs text[] NOT NULL,
    CONSTRAINT transitions_pkey PRIMARY KEY (machine, state, event)
);
GRANT SELECT ON transitions TO coinslot_app;
GRANT SELECT ON transitions TO coinslot_door;

CREATE TABLE unit_days (
    merchant_id uuid NOT NULL,
    day date NOT NULL,
    outlet_id text NOT NULL,
    sku text NOT NULL,
    currency character(3) NOT NULL,
    sold bigint NOT NULL,
    sold_minor bigint NOT NULL,
    failed bigint NOT NULL,
    failed_minor bigint NOT NULL,
    waits bigint[] NOT NULL,
    CONSTRAINT unit_days_pkey PRIMARY KEY (merchant_id, day, outlet_id, sku, currency),
    CONSTRAINT unit_days_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id)
);
CREATE INDEX unit_days_outlet ON unit_days USING btree (outlet_id, day);
ALTER TABLE unit_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE unit_days FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON unit_days FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON unit_days FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON unit_days FOR ALL TO coinslot_owner USING (true);
GRANT DELETE, INSERT, SELECT ON unit_days TO coinslot_app;
GRANT SELECT ON unit_days TO coinslot_door;

CREATE TABLE used_challenges (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT used_challenges_pkey PRIMARY KEY (id),
    CONSTRAINT used_challenges_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id)
);
CREATE INDEX used_challenges_at ON used_challenges USING btree (at);
ALTER TABLE used_challenges ENABLE ROW LEVEL SECURITY;
ALTER TABLE used_challenges FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON used_challenges FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON used_challenges FOR ALL TO coinslot_app USING ((person_id = the_person()));
CREATE POLICY owner ON used_challenges FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT ON used_challenges TO coinslot_app;
GRANT SELECT ON used_challenges TO coinslot_door;

CREATE TABLE vend_units (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    slot text NOT NULL,
    open boolean NOT NULL DEFAULT false,
    seq bigint,
    offers integer NOT NULL DEFAULT 0,
    offered_at timestamp with time zone,
    accept jsonb,
    journal_id text,
    boot_id text,
    go_message jsonb,
    lease_end timestamp with time zone,
    started_at timestamp with time zone,
    nonce text,
    asked_at timestamp with time zone,
    queries integer NOT NULL DEFAULT 0,
    mdb boolean NOT NULL DEFAULT false,
    CONSTRAINT vend_units_pkey PRIMARY KEY (id),
    CONSTRAINT vend_units_id_fkey FOREIGN KEY (id) REFERENCES fulfillments(id),
    CONSTRAINT vend_units_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT vend_units_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT go_answers_an_accept CHECK (((go_message IS NULL) OR ((accept IS NOT NULL) AND ((go_message ->> 'boot_id'::text) = boot_id))))
) WITH (fillfactor=70, autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);
CREATE UNIQUE INDEX vend_units_one_open ON vend_units USING btree (outlet_id) WHERE open;
CREATE UNIQUE INDEX vend_units_outlet_id_seq_key ON vend_units USING btree (outlet_id, seq) WHERE (seq IS NOT NULL);
ALTER TABLE vend_units ENABLE ROW LEVEL SECURITY;
ALTER TABLE vend_units FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON vend_units FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON vend_units FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON vend_units FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON vend_units TO coinslot_app;
GRANT SELECT ON vend_units TO coinslot_door;

CREATE TABLE ways_to_pay (
    merchant_id uuid NOT NULL,
    outlet_id text NOT NULL,
    account_id uuid NOT NULL,
    way text NOT NULL,
    place integer,
    CONSTRAINT ways_to_pay_pkey PRIMARY KEY (outlet_id, account_id, way),
    CONSTRAINT ways_to_pay_account_id_fkey FOREIGN KEY (account_id) REFERENCES gateway_accounts(id),
    CONSTRAINT ways_to_pay_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT ways_to_pay_outlet_id_fkey FOREIGN KEY (outlet_id) REFERENCES outlets(id),
    CONSTRAINT ways_to_pay_way_check CHECK ((way = ANY (ARRAY['link'::text, 'code'::text])))
);
ALTER TABLE ways_to_pay ENABLE ROW LEVEL SECURITY;
ALTER TABLE ways_to_pay FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON ways_to_pay FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON ways_to_pay FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON ways_to_pay FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON ways_to_pay TO coinslot_app;
GRANT SELECT ON ways_to_pay TO coinslot_door;

CREATE TABLE webhook_endpoints (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    url text NOT NULL,
    description text NOT NULL,
    types text[] NOT NULL,
    status text NOT NULL,
    disabled_reason text,
    secret bytea,
    secret_set_at timestamp with time zone NOT NULL,
    old_secret bytea,
    old_secret_until timestamp with time zone,
    failing_since timestamp with time zone,
    not_before timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_endpoints_listed UNIQUE (merchant_id, id),
    CONSTRAINT webhook_endpoints_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(id),
    CONSTRAINT webhook_endpoints_status_check CHECK ((status = ANY (ARRAY['enabled'::text, 'paused'::text, 'disabled'::text])))
);
ALTER TABLE webhook_endpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_endpoints FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON webhook_endpoints FOR ALL TO coinslot_door USING (true);
CREATE POLICY own ON webhook_endpoints FOR ALL TO coinslot_app USING ((merchant_id = the_merchant()));
CREATE POLICY owner ON webhook_endpoints FOR ALL TO coinslot_owner USING (true);
GRANT INSERT, SELECT, UPDATE ON webhook_endpoints TO coinslot_app;
GRANT SELECT, UPDATE (not_before) ON webhook_endpoints TO coinslot_door;

CREATE OR REPLACE FUNCTION answered_once()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF OLD.done_at IS NOT NULL THEN
        RAISE EXCEPTION 'the answer to key % stands', OLD.key;
    END IF;
    RETURN NEW;
END $function$;

CREATE OR REPLACE FUNCTION closed_once()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF OLD.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'case % is closed', OLD.id;
    END IF;
    RETURN NEW;
END $function$;

CREATE OR REPLACE FUNCTION count_message_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    NEW.changes := OLD.changes + 1;
    RETURN NEW;
END $function$;

CREATE OR REPLACE FUNCTION counter_credit_due()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM counter_credit(NEW.id);
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION figures_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    changed uuid;
BEGIN
    IF TG_TABLE_NAME = 'orders' THEN
        INSERT INTO figure_changes (merchant_id, at) SELECT NEW.merchant_id, t.at
            FROM (VALUES (OLD.placed_at), (OLD.ended_at), (NEW.ended_at)) AS t (at)
            WHERE t.at IS NOT NULL;
        RETURN NULL;
    ELSIF TG_TABLE_NAME = 'attempts' THEN
        changed := (SELECT order_id FROM payments WHERE id = NEW.payment_id);
    ELSIF TG_TABLE_NAME = 'corrections' THEN
        changed := (SELECT order_id FROM fulfillments WHERE id = NEW.fulfillment_id);
    ELSIF TG_TABLE_NAME = 'order_refund_parts' THEN
        changed := (SELECT order_id FROM order_refunds WHERE id = NEW.order_refund_id);
    ELSE
        changed := NEW.order_id;
    END IF;
    INSERT INTO figure_changes (merchant_id, at) SELECT o.merchant_id, t.at
        FROM orders o CROSS JOIN LATERAL (VALUES (o.placed_at), (o.ended_at)) AS t (at)
        WHERE o.id = changed AND o.ended_at IS NOT NULL;
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION ledger_balances()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF EXISTS (SELECT FROM fresh GROUP BY txn, merchant_id, currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'ledger lines of one movement must sum to zero';
    END IF;
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION notify_changed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF current_setting('coinslot.resealing', true) = 'on' THEN
        RETURN NULL;
    END IF;
    PERFORM pg_notify('coinslot_changed', TG_TABLE_NAME || ' '
        || CASE TG_TABLE_NAME WHEN 'devices' THEN to_jsonb(NEW)->>'outlet_id'
           ELSE to_jsonb(NEW)->>'id' END);
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION offers_follow_part()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM offers_follow(r.order_id, coalesce(NEW.ended_at, r.made_at))
        FROM order_refunds r WHERE r.id = NEW.order_refund_id;
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION part_ended_once()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF OLD.outcome IS NOT NULL THEN
        RAISE EXCEPTION 'part % of a refund is % and stays so', OLD.id, OLD.outcome;
    END IF;
    RETURN NEW;
END $function$;

CREATE OR REPLACE FUNCTION policy_has_exposure()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF NEW.basis = 'policy' AND NOT EXISTS
            (SELECT FROM exposures WHERE fulfillment_id = NEW.id) THEN
        RAISE EXCEPTION 'unit % was settled by policy without an exposure', NEW.id;
    END IF;
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION raise_version()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF current_setting('coinslot.resealing', true) = 'on' THEN
        RETURN NEW;
    END IF;
    NEW.version := OLD.version + 1;
    RETURN NEW;
END $function$;

CREATE OR REPLACE FUNCTION refuse_lost_lease()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION 'the lease of % % is lost', TG_TABLE_NAME, OLD.id USING ERRCODE = 'CS001';
END $function$;

CREATE OR REPLACE FUNCTION settled_once()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF OLD.settlement IS NOT NULL AND (NEW.settlement IS DISTINCT FROM OLD.settlement
            OR NEW.basis IS DISTINCT FROM OLD.basis) THEN
        RAISE EXCEPTION 'unit % is settled as % and stays so', OLD.id, OLD.settlement;
    END IF;
    RETURN NEW;
END $function$;

CREATE OR REPLACE FUNCTION stay_due()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    NEW.due_at := least(coalesce(NEW.due_at, NEW.closes_at), NEW.closes_at);
    RETURN NEW;
END $function$;

CREATE OR REPLACE FUNCTION the_merchant()
 RETURNS uuid
 LANGUAGE sql
 STABLE
AS $function$ SELECT nullif(current_setting('coinslot.merchant', true), '')::uuid $function$;

CREATE OR REPLACE FUNCTION the_person()
 RETURNS uuid
 LANGUAGE sql
 STABLE
AS $function$ SELECT nullif(current_setting('coinslot.person', true), '')::uuid $function$;
