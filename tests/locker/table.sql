-- A room of the package has this as a numbered migration. What only a piece in a locker has, beside
-- its row of `fulfillments` and written by the same move.
CREATE TABLE locker_units (
    id           uuid PRIMARY KEY REFERENCES fulfillments,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    outlet_id    text NOT NULL REFERENCES outlets,
    open         boolean NOT NULL DEFAULT false,  -- it has its door
    door         text,
    code         text,
    said_by      text                             -- who looked, and said what became of it
);
ALTER TABLE locker_units ENABLE ROW LEVEL SECURITY;
ALTER TABLE locker_units FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON locker_units TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON locker_units TO coinslot_door USING (true);
CREATE POLICY owner ON locker_units TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON locker_units TO coinslot_app;
GRANT SELECT ON locker_units TO coinslot_door;
-- One piece behind a door: two processes can never reserve it twice.
CREATE UNIQUE INDEX locker_units_one_door ON locker_units (outlet_id, door) WHERE open;
