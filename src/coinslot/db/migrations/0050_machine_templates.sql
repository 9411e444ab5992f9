-- From what a merchant sets up machines: slots with products, prices and par levels.
CREATE TABLE machine_templates (
    merchant_id  uuid NOT NULL REFERENCES merchants,
    name         text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    template     jsonb NOT NULL,
    made_by      text NOT NULL,
    changed_at   timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, name)
);
ALTER TABLE machine_templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE machine_templates FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON machine_templates TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON machine_templates TO coinslot_door USING (true);
CREATE POLICY owner ON machine_templates TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON machine_templates TO coinslot_app;
GRANT SELECT ON machine_templates TO coinslot_door;
