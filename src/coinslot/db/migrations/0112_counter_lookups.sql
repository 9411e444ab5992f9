-- Somebody without an account asks for the orders of a phone or an address: a code goes to it, if
-- it has any. A row is written either way, so that asking tells nothing.
CREATE TABLE counter_lookups (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES counter_stores,
    form          text NOT NULL CHECK (form IN ('sms', 'email')),
    digest        text NOT NULL,                   -- of the phone or the address
    network       text NOT NULL,
    tries         integer NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND 5),
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz
);
CREATE INDEX counter_lookups_digest ON counter_lookups (merchant_id, digest, created_at);
CREATE INDEX counter_lookups_network ON counter_lookups (merchant_id, network, created_at);
ALTER TABLE counter_messages ADD CONSTRAINT counter_messages_lookup_id_fkey
    FOREIGN KEY (lookup_id) REFERENCES counter_lookups;
ALTER TABLE counter_lookups ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_lookups FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON counter_lookups TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON counter_lookups TO coinslot_door USING (true);
CREATE POLICY owner ON counter_lookups TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON counter_lookups TO coinslot_app;
GRANT SELECT ON counter_lookups TO coinslot_door;
