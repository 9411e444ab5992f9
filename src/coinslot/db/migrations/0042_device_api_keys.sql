-- API keys of devices: shown once, kept as a hash, with an end. A rotated key works beside the new
-- one for a while; then, or when it is revoked, nothing made from it is accepted.
CREATE TABLE device_api_keys (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES outlets,
    prefix        text NOT NULL,
    hash          bytea NOT NULL UNIQUE,
    name          text NOT NULL DEFAULT '',
    permissions   text[] NOT NULL,
    made_by       uuid REFERENCES people,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    last_used_at  timestamptz,
    revoked_at    timestamptz,
    replaced_by   uuid UNIQUE REFERENCES device_api_keys
);
CREATE INDEX device_api_keys_merchant ON device_api_keys (merchant_id, created_at);
ALTER TABLE device_api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE device_api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON device_api_keys TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON device_api_keys TO coinslot_door USING (true);
CREATE POLICY owner ON device_api_keys TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE (expires_at, revoked_at, replaced_by) ON device_api_keys
    TO coinslot_app;
GRANT SELECT, UPDATE (last_used_at) ON device_api_keys TO coinslot_door;
