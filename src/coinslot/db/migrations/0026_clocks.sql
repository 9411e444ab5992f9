-- How far the clock of each computer of ours is ahead of each account's gateway, as it last found.
-- `off_since`: it is more than may be, since then. Gateways are not to blame: `node` is.
CREATE TABLE clocks (
    account_id   uuid NOT NULL REFERENCES gateway_accounts,
    node         text NOT NULL,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    ahead_ms     bigint NOT NULL,
    heard_at     timestamptz NOT NULL,   -- by the database's clock, the one that all share
    off_since    timestamptz,
    PRIMARY KEY (account_id, node)
);
ALTER TABLE clocks ENABLE ROW LEVEL SECURITY;
ALTER TABLE clocks FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON clocks TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON clocks TO coinslot_door USING (true);
CREATE POLICY owner ON clocks TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON clocks TO coinslot_app;
GRANT SELECT ON clocks TO coinslot_door;

-- `captured_at` is the gateway's word, as the payer's bank shows it. This is the same moment by our
-- own clock, which every deadline is counted by. NULL: from before; they were taken for one.
ALTER TABLE captures ADD COLUMN captured_here_at timestamptz;
