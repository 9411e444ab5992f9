-- Who may say what became of a row, and how many rows of one gateway account are worked at once.

-- `lease` counts the claims of a row. It is raised by each claim, and by whoever changes what the
-- row owes: work that began before is then out of date. A transaction of a worker names its lease
-- in `coinslot.lease`, as 'table id lease', and may not write the row once the number is another.
CREATE FUNCTION refuse_lost_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the lease of % % is lost', TG_TABLE_NAME, OLD.id USING ERRCODE = 'CS001';
END $$;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['attempts', 'captures', 'fulfillments', 'inbox', 'orders', 'payments',
        'qr_codes', 'refunds']
    LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN lease integer NOT NULL DEFAULT 0', t);
        EXECUTE format('GRANT UPDATE (lease) ON %I TO coinslot_door', t);
        EXECUTE format('CREATE TRIGGER lease_is_held BEFORE UPDATE ON %1$I FOR EACH ROW'
            ' WHEN (current_setting(''coinslot.lease'', true) LIKE ''%1$s '' || OLD.id || '' %%'''
            ' AND current_setting(''coinslot.lease'', true)'
            ' <> ''%1$s '' || OLD.id || '' '' || OLD.lease)'
            ' EXECUTE FUNCTION refuse_lost_lease()', t);
    END LOOP;
END $$;
GRANT UPDATE (lease) ON inbox TO coinslot_app;

-- A claim goes from one account to the next by these, and takes only the first few of each: behind
-- a hundred thousand rows of an account that stands still it finds the others' as quickly.
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['attempts', 'captures', 'inbox', 'qr_codes', 'refunds'] LOOP
        EXECUTE format('DROP INDEX %I', t || '_due');
        EXECUTE format('CREATE INDEX %I ON %I (account_id, due_at, id) WHERE due_at IS NOT NULL',
            t || '_due', t);
    END LOOP;
END $$;
DROP INDEX orders_due;
CREATE INDEX orders_due ON orders (merchant_id, due_at, id) WHERE due_at IS NOT NULL;

-- The printed codes of one account are looked at together: one row for the account.
CREATE TABLE qr_polls (
    id            uuid PRIMARY KEY REFERENCES gateway_accounts,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    asked_at      timestamptz NOT NULL,       -- up to here its payments are read
    tries         integer NOT NULL DEFAULT 0,
    due_at        timestamptz,
    leased_until  timestamptz,
    lease         integer NOT NULL DEFAULT 0
);
CREATE INDEX qr_polls_due ON qr_polls (due_at) WHERE due_at IS NOT NULL;
ALTER TABLE qr_polls ENABLE ROW LEVEL SECURITY;
ALTER TABLE qr_polls FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON qr_polls TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON qr_polls TO coinslot_door USING (true);
CREATE POLICY owner ON qr_polls TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON qr_polls TO coinslot_app;
GRANT SELECT ON qr_polls TO coinslot_door;
GRANT UPDATE (leased_until, due_at, lease) ON qr_polls TO coinslot_door;
CREATE TRIGGER lease_is_held BEFORE UPDATE ON qr_polls FOR EACH ROW
    WHEN (current_setting('coinslot.lease', true) LIKE 'qr_polls ' || OLD.id || ' %'
        AND current_setting('coinslot.lease', true) <> 'qr_polls ' || OLD.id || ' ' || OLD.lease)
    EXECUTE FUNCTION refuse_lost_lease();

INSERT INTO qr_polls (id, merchant_id, asked_at, due_at)
SELECT account_id, merchant_id, min(coalesce(asked_at, created_at)), now() FROM qr_codes
WHERE payment_id IS NULL AND stage = 'open' AND retired_at IS NULL GROUP BY 1, 2;
UPDATE qr_codes SET due_at = NULL, leased_until = NULL
WHERE payment_id IS NULL AND stage = 'open' AND retired_at IS NULL;
CREATE INDEX qr_codes_asked ON qr_codes (account_id, asked_at)
    WHERE payment_id IS NULL AND stage = 'open' AND retired_at IS NULL;
