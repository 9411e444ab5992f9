-- What a slot holds is its last count less what left it since. A count of the machine itself names
-- the last line of its journal that it includes; one of a person includes what was known then.
-- `counted` NULL: what `stock` says is the count, as of now.
ALTER TABLE slots
    ADD COLUMN counted          integer CHECK (counted >= 0),
    ADD COLUMN counted_journal  text,                        -- NULL: a person counted
    ADD COLUMN counted_event    bigint,
    ADD COLUMN counted_vend     bigint NOT NULL DEFAULT 0,   -- in `slot_vends`: included up to here
    ADD COLUMN counted_at       timestamptz,
    ADD COLUMN capacity         integer CHECK (capacity BETWEEN 1 AND 10000),
    ADD CONSTRAINT a_machines_count_names_its_line
        CHECK ((counted_journal IS NULL) = (counted_event IS NULL));

-- Each unit that left a slot, or may have. `number` is given under the lock of the slot's row.
CREATE TABLE slot_vends (
    unit_id      uuid PRIMARY KEY REFERENCES fulfillments,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    outlet_id    text NOT NULL REFERENCES outlets,
    slot         text NOT NULL,      -- out of which it fell, which may be a wrong one
    word         text NOT NULL CHECK (word IN ('fell', 'may_have', 'did_not')),
    journal_id   text,               -- NULL: a machine without one
    event_seq    bigint,             -- its last line in that journal, as far as it is known
    sent_at      timestamptz NOT NULL,
    at           timestamptz NOT NULL,
    number       bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX slot_vends_slot ON slot_vends (outlet_id, slot, number);
CREATE INDEX slot_vends_line ON slot_vends (outlet_id, journal_id, event_seq);

-- What was sold until now; what the slots held of it then is in their stock already.
INSERT INTO slot_vends (unit_id, merchant_id, outlet_id, slot, word, journal_id, sent_at, at)
SELECT f.id, f.merchant_id, f.outlet_id, v.slot, 'fell', v.journal_id,
    coalesce(f.sent_at, f.settled_at), f.settled_at
FROM fulfillments f JOIN vend_units v ON v.id = f.id
WHERE f.settlement = 'fulfilled' ORDER BY f.settled_at;

-- The last count of each journal of a machine: an older one, or the same again, changes nothing.
CREATE TABLE stock_counts (
    outlet_id      text NOT NULL REFERENCES outlets,
    journal_id     text NOT NULL,
    merchant_id    uuid NOT NULL REFERENCES merchants,
    inventory_seq  bigint NOT NULL CHECK (inventory_seq > 0),
    event_seq      bigint NOT NULL CHECK (event_seq >= 0),
    cause          text NOT NULL CHECK (cause IN ('count', 'refill', 'boot')),
    counts         jsonb NOT NULL,
    at             timestamptz NOT NULL,
    PRIMARY KEY (outlet_id, journal_id)
);

-- Where a count was not what vends explain: goods that were added, taken out, or fell unseen.
CREATE TABLE stock_differences (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    outlet_id    text NOT NULL REFERENCES outlets,
    slot         text NOT NULL,
    cause        text NOT NULL CHECK (cause IN ('count', 'refill', 'boot', 'visit')),
    expected     integer NOT NULL,
    counted      integer NOT NULL,
    at           timestamptz NOT NULL
);
CREATE INDEX stock_differences_slot ON stock_differences (outlet_id, slot, id);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['slot_vends', 'stock_counts', 'stock_differences']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', t);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO coinslot_app', t);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_door', t);
    END LOOP;
END $$;
GRANT UPDATE (word, event_seq) ON slot_vends TO coinslot_app;
GRANT UPDATE ON stock_counts TO coinslot_app;
