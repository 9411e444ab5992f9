-- API keys that end, and that are replaced with overlap.
ALTER TABLE api_keys
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN replaced_by uuid REFERENCES api_keys;
GRANT UPDATE (expires_at, replaced_by) ON api_keys TO coinslot_app;
