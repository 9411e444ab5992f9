-- Sums of days that are over, by the calendar of the merchant's zone, so that a page about a month
-- does not read a million orders. They hold nothing new: each can be summed again from the ledger
-- and from the units, and the auditor does that.

-- Which days are summed, and from which rows: those booked from `begun` up to, and not with,
-- `ended`. Where the merchant's zone was changed the bounds differ, and the day is summed again.
CREATE TABLE summed_days (
    merchant_id  uuid NOT NULL REFERENCES merchants,
    day          date NOT NULL,
    begun        timestamptz NOT NULL,
    ended        timestamptz NOT NULL,
    summed_at    timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, day),
    CONSTRAINT a_day_ends_after_it_begins CHECK (begun < ended)
);

-- The ledger of a day. `goods` is what sales earned, `owed` by how much more goods and money back
-- are owed than before; captured - given_back = goods + owed + not_ours - outside.
CREATE TABLE money_days (
    merchant_id  uuid NOT NULL REFERENCES merchants,
    day          date NOT NULL,
    account_id   uuid NOT NULL REFERENCES gateway_accounts,
    outlet_id    text NOT NULL,               -- empty: money that belongs to no machine
    currency     char(3) NOT NULL,
    captured     bigint NOT NULL,
    given_back   bigint NOT NULL,
    fees         bigint NOT NULL,
    goods        bigint NOT NULL,
    owed         bigint NOT NULL,
    not_ours     bigint NOT NULL,
    outside      bigint NOT NULL,             -- given back by the gateway itself, owed to nobody
    lines        bigint NOT NULL,
    PRIMARY KEY (merchant_id, day, account_id, outlet_id, currency)
);

-- The units that were settled on a day. `waits` counts them by the time from paid to settled, in
-- the steps of wait_step().
CREATE TABLE unit_days (
    merchant_id  uuid NOT NULL REFERENCES merchants,
    day          date NOT NULL,
    outlet_id    text NOT NULL,
    sku          text NOT NULL,
    currency     char(3) NOT NULL,
    sold         bigint NOT NULL,
    sold_minor   bigint NOT NULL,
    failed       bigint NOT NULL,
    failed_minor bigint NOT NULL,
    waits        bigint[] NOT NULL,
    PRIMARY KEY (merchant_id, day, outlet_id, sku, currency)
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['summed_days', 'money_days', 'unit_days'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', t);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        -- A sum is made again, never changed: what it is the sum of stays.
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON %I TO coinslot_app', t);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_door', t);
    END LOOP;
END $$;

-- Rows are written in the order of time: a few blocks hold a day, at next to no cost for a sale.
CREATE INDEX ledger_at ON ledger USING brin (at) WITH (pages_per_range = 16);
CREATE INDEX fulfillments_settled_at ON fulfillments USING brin (settled_at)
    WITH (pages_per_range = 16);
CREATE INDEX ledger_fees ON ledger (merchant_id, id) WHERE account = 'fees';
CREATE INDEX captures_paid_out ON captures (account_id, settled_at)
    INCLUDE (settlement, currency, captured, fee_minor) WHERE settled_at IS NOT NULL;
