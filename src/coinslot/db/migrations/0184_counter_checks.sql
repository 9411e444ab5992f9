-- A machine's own counter against our ledger. A row is where comparing begins: what the counter
-- said and the last vend that we knew, when nothing was under way. Where they differ, what was
-- found since.
CREATE TABLE counter_checks (
    outlet_id      text PRIMARY KEY REFERENCES outlets,
    merchant_id    uuid NOT NULL REFERENCES merchants,
    journal_id     text NOT NULL,
    sales          bigint NOT NULL,
    vend           bigint NOT NULL,         -- in `slot_vends`: included up to here
    since          timestamptz NOT NULL,
    machine_vends  bigint NOT NULL DEFAULT 0,
    our_vends      bigint NOT NULL DEFAULT 0,
    unsure         bigint NOT NULL DEFAULT 0,
    differs_since  timestamptz              -- NULL: they agree
);

-- The counter as a machine told it last, and when, to a minute.
CREATE TABLE machine_counters (
    outlet_id    text PRIMARY KEY REFERENCES outlets,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    sales        bigint NOT NULL,
    told_at      timestamptz NOT NULL
) WITH (fillfactor = 60);
CREATE INDEX slot_vends_newest ON slot_vends (outlet_id, number);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['counter_checks', 'machine_counters']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app USING
            (merchant_id = the_merchant())', t);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_app', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO coinslot_door', t);
    END LOOP;
END $$;
