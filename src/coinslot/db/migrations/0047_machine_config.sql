-- What an operator says of a machine, in versions: every one of them is kept, with who made it.
-- Stock, faults and what is out of sale are not part of it: machines and sales change them.
ALTER TABLE slots ADD COLUMN par integer NOT NULL DEFAULT 0 CHECK (par BETWEEN 0 AND 10000);
ALTER TABLE outlets
    ADD COLUMN config_version integer NOT NULL DEFAULT 1,
    ADD COLUMN device_config jsonb NOT NULL DEFAULT '{}';  -- for the device, as it was given

CREATE TABLE config_versions (
    outlet_id    text NOT NULL REFERENCES outlets,
    version      integer NOT NULL,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    config       jsonb NOT NULL,
    codes        jsonb NOT NULL DEFAULT '{}',  -- by slot: what became of its printed code
    made_by      text NOT NULL,
    made_at      timestamptz NOT NULL,
    PRIMARY KEY (outlet_id, version)
);
ALTER TABLE config_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE config_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON config_versions TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON config_versions TO coinslot_door USING (true);
CREATE POLICY owner ON config_versions TO coinslot_owner USING (true);
GRANT SELECT, INSERT ON config_versions TO coinslot_app;
GRANT SELECT ON config_versions TO coinslot_door;
