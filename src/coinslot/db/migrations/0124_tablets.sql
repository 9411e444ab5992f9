-- Tablets behind a counter, and the PINs by which members work at one.

-- `secret_hash`: of the cookie that the tablet keeps. It stands at these outlets.
CREATE TABLE tablets (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    secret_hash   bytea NOT NULL UNIQUE,
    outlets       text[] NOT NULL,
    enrolled_by   uuid NOT NULL REFERENCES people,
    enrolled_at   timestamptz NOT NULL,
    ended_at      timestamptz
);
CREATE INDEX tablets_merchant ON tablets (merchant_id) WHERE ended_at IS NULL;

-- Good on tablets of this merchant alone.
CREATE TABLE pins (
    person_id     uuid NOT NULL REFERENCES people,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    hash          text NOT NULL,
    set_at        timestamptz NOT NULL,
    PRIMARY KEY (person_id, merchant_id)
);

-- A session that a PIN opened, and every one that takes its place, is for the board alone.
ALTER TABLE sessions ADD COLUMN tablet_id uuid REFERENCES tablets;
GRANT UPDATE (tablet_id) ON sessions TO coinslot_app;

ALTER TABLE tablets ENABLE ROW LEVEL SECURITY;
ALTER TABLE tablets FORCE ROW LEVEL SECURITY;
ALTER TABLE pins ENABLE ROW LEVEL SECURITY;
ALTER TABLE pins FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tablets TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON tablets TO coinslot_door USING (true);
CREATE POLICY owner ON tablets TO coinslot_owner USING (true);
CREATE POLICY own ON pins TO coinslot_app USING
    (person_id = the_person() AND merchant_id = the_merchant());
CREATE POLICY door ON pins TO coinslot_door USING (true);
CREATE POLICY owner ON pins TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE (ended_at) ON tablets TO coinslot_app;
GRANT SELECT, INSERT, UPDATE ON pins TO coinslot_app;
GRANT SELECT ON tablets, pins TO coinslot_door;
