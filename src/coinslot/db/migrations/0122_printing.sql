-- Kitchen tickets and receipts on paper.

-- `escpos` listens at `address`; the others come and ask, at an address whose last part is a
-- secret.
-- Without `stations` a printer prints what any of them makes.
CREATE TABLE counter_printers (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES counter_stores,
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    kind          text NOT NULL CHECK (kind IN ('escpos', 'star', 'epson')),
    address       text NOT NULL DEFAULT '',
    secret_hash   bytea UNIQUE,
    width         integer NOT NULL CHECK (width IN (384, 576)),
    stations      text[] NOT NULL DEFAULT '{}',
    tickets       boolean NOT NULL DEFAULT true,   -- prints them by itself
    created_at    timestamptz NOT NULL,
    asked_at      timestamptz,                     -- it was heard last
    retired_at    timestamptz,
    CONSTRAINT a_printer_is_reached_one_way
        CHECK ((kind = 'escpos') = (address <> '') AND (kind = 'escpos') = (secret_hash IS NULL))
);
CREATE INDEX counter_printers_outlet ON counter_printers (outlet_id) WHERE retired_at IS NULL;

-- One piece of paper. It is due until `sent_at`, which is committed before a byte goes out: from
-- then on it is never sent again. No result: `doubted_at`. A result that comes later still counts.
-- `copy` 0 is the original.
CREATE TABLE counter_prints (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES counter_stores,
    printer_id    uuid NOT NULL REFERENCES counter_printers,
    order_id      uuid REFERENCES orders,          -- NULL: a test
    kind          text NOT NULL CHECK (kind IN ('ticket', 'cancelled', 'receipt', 'test')),
    copy          integer NOT NULL DEFAULT 0 CHECK (copy >= 0),
    units         uuid[] NOT NULL DEFAULT '{}',
    token         text NOT NULL UNIQUE,            -- what its result names
    created_at    timestamptz NOT NULL,
    sent_at       timestamptz,
    printed_at    timestamptz,
    doubted_at    timestamptz,
    failed_at     timestamptz,
    problem       text NOT NULL DEFAULT '',
    said_by       text,                            -- who looked at the paper
    due_at        timestamptz,
    leased_until  timestamptz,
    lease         integer NOT NULL DEFAULT 0,
    CONSTRAINT paper_is_sent_before_it_is_printed
        CHECK (sent_at IS NOT NULL OR (printed_at IS NULL AND doubted_at IS NULL)),
    CONSTRAINT a_job_is_due_until_it_ends CHECK ((due_at IS NULL)
        = (printed_at IS NOT NULL OR doubted_at IS NOT NULL OR failed_at IS NOT NULL)),
    CONSTRAINT no_paper_is_empty CHECK (kind = 'test' OR cardinality(units) > 0)
);
CREATE UNIQUE INDEX counter_prints_once ON counter_prints (printer_id, order_id, kind, copy)
    WHERE kind IN ('ticket', 'receipt');
-- What is cancelled in one moment stands on one paper.
CREATE UNIQUE INDEX counter_prints_cancelled ON counter_prints (printer_id, order_id, created_at)
    WHERE kind = 'cancelled';
CREATE INDEX counter_prints_due ON counter_prints (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX counter_prints_order ON counter_prints (order_id);
CREATE INDEX counter_prints_outlet ON counter_prints (outlet_id, created_at);

CREATE TRIGGER lease_is_held BEFORE UPDATE ON counter_prints FOR EACH ROW
    WHEN (current_setting('coinslot.lease', true) LIKE 'counter_prints ' || OLD.id || ' %'
        AND current_setting('coinslot.lease', true)
            <> 'counter_prints ' || OLD.id || ' ' || OLD.lease)
    EXECUTE FUNCTION refuse_lost_lease();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['counter_printers', 'counter_prints'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', name);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', name);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO coinslot_app, coinslot_door', name);
    END LOOP;
END $$;
