-- What every unit has stays in `fulfillments`; what only a machine's unit has gets a row of its own
-- beside it, written by the same move. Old processes are stopped before this runs.

CREATE TABLE vend_units (
    id            uuid PRIMARY KEY REFERENCES fulfillments,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES outlets,
    slot          text NOT NULL,
    open          boolean NOT NULL DEFAULT false,  -- offered, or sent and not settled
    seq           bigint,
    offers        integer NOT NULL DEFAULT 0,
    offered_at    timestamptz,
    accept        jsonb,                       -- the ACCEPT that GO answers, as received
    journal_id    text,
    boot_id       text,
    go_message    jsonb,                       -- sent again only as it is
    lease_end     timestamptz,
    started_at    timestamptz,
    nonce         text,
    asked_at      timestamptz,
    queries       integer NOT NULL DEFAULT 0,
    CONSTRAINT go_answers_an_accept
        CHECK (go_message IS NULL OR (accept IS NOT NULL AND go_message->>'boot_id' = boot_id))
);
ALTER TABLE vend_units ENABLE ROW LEVEL SECURITY;
ALTER TABLE vend_units FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON vend_units TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON vend_units TO coinslot_door USING (true);
CREATE POLICY owner ON vend_units TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON vend_units TO coinslot_app;
GRANT SELECT ON vend_units TO coinslot_door;

INSERT INTO vend_units (id, merchant_id, outlet_id, slot, open, seq, offers, offered_at, accept,
    journal_id, boot_id, go_message, lease_end, started_at, nonce, asked_at, queries)
SELECT id, merchant_id, outlet_id, slot, state IN ('offered', 'going', 'started', 'in_doubt'), seq,
    offers, offered_at, accept, journal_id, boot_id, go_message, lease_end, started_at, nonce,
    asked_at, queries
FROM fulfillments;

-- One open unit per machine: two processes can never send two.
CREATE UNIQUE INDEX vend_units_one_open ON vend_units (outlet_id) WHERE open;
CREATE UNIQUE INDEX vend_units_outlet_id_seq_key ON vend_units (outlet_id, seq)
    WHERE seq IS NOT NULL;

DROP INDEX fulfillments_one_open;
ALTER TABLE fulfillments RENAME COLUMN go_at TO sent_at;  -- the point of no return, for any kind
ALTER TABLE fulfillments
    DROP COLUMN slot, DROP COLUMN seq, DROP COLUMN offers, DROP COLUMN offered_at,
    DROP COLUMN accept, DROP COLUMN journal_id, DROP COLUMN boot_id, DROP COLUMN go_message,
    DROP COLUMN lease_end, DROP COLUMN started_at, DROP COLUMN nonce, DROP COLUMN asked_at,
    DROP COLUMN queries;
