-- How far a merchant is on the way to a first sale: what was typed and is not applied yet, and what
-- no other row tells.
-- `currency`: of the merchant's new machines.
ALTER TABLE merchants ADD COLUMN currency char(3) CHECK (currency ~ '^[A-Z]{3}$');

CREATE TABLE setups (
    merchant_id    uuid PRIMARY KEY REFERENCES merchants,
    draft          jsonb NOT NULL DEFAULT '{}',  -- of the machine: code, name, place
    books_seen_at  timestamptz,
    put_away_at    timestamptz,                  -- the checklist is not shown any more
    begun_at       timestamptz NOT NULL
);
ALTER TABLE setups ENABLE ROW LEVEL SECURITY;
ALTER TABLE setups FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON setups TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON setups TO coinslot_door USING (true);
CREATE POLICY owner ON setups TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE (draft, books_seen_at, put_away_at) ON setups TO coinslot_app;
GRANT SELECT ON setups TO coinslot_door;
