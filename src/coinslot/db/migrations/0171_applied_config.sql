-- What a machine sells is the configuration that it has applied. A newer one waits: for units that
-- were paid under the one before, then for the machine to say that it has it.
ALTER TABLE outlets ADD COLUMN applied_version integer NOT NULL DEFAULT 1;
UPDATE outlets SET applied_version = config_version;

-- The numbers that orders keep and machines compare. A version of before this has none.
ALTER TABLE config_versions ADD COLUMN price_version integer, ADD COLUMN planogram_version integer;

-- A machine whose newest configuration is not applied. `id` is the outlet; `held_since`: since when
-- it waits for units while its machine is online, which has an end.
CREATE TABLE config_pushes (
    id            text PRIMARY KEY REFERENCES outlets,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    wanted_at     timestamptz NOT NULL,
    sent_at       timestamptz,
    tries         integer NOT NULL DEFAULT 0,
    held_since    timestamptz,
    ended_at      timestamptz,                -- the machine has it
    due_at        timestamptz,
    leased_until  timestamptz,
    lease         integer NOT NULL DEFAULT 0
);
CREATE INDEX config_pushes_due ON config_pushes (due_at) WHERE due_at IS NOT NULL;
ALTER TABLE config_pushes ENABLE ROW LEVEL SECURITY;
ALTER TABLE config_pushes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON config_pushes TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON config_pushes TO coinslot_door USING (true);
CREATE POLICY owner ON config_pushes TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON config_pushes TO coinslot_app;
GRANT SELECT ON config_pushes TO coinslot_door;
GRANT UPDATE (leased_until, due_at, lease) ON config_pushes TO coinslot_door;
CREATE TRIGGER lease_is_held BEFORE UPDATE ON config_pushes FOR EACH ROW
    WHEN (current_setting('coinslot.lease', true) LIKE 'config_pushes ' || OLD.id || ' %'
        AND current_setting('coinslot.lease', true)
            <> 'config_pushes ' || OLD.id || ' ' || OLD.lease)
    EXECUTE FUNCTION refuse_lost_lease();
