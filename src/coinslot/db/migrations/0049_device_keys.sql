-- A device's secret is replaced while the machine sells: the next one counts beside the one in use
-- until it is first used, and then it takes its place. `key_id` names the one in use, in a GO.
ALTER TABLE devices
    ADD COLUMN key_id integer NOT NULL DEFAULT 1,
    ADD COLUMN next_secret bytea,              -- sealed like `secret`
    ADD COLUMN next_hash text,
    ADD COLUMN next_key_id integer,
    ADD COLUMN next_issued_at timestamptz,
    ADD CONSTRAINT the_next_secret_is_whole CHECK (
        num_nulls(next_secret, next_hash, next_key_id, next_issued_at) IN (0, 4));
CREATE TRIGGER notify_next_secret AFTER UPDATE OF next_hash ON devices
    FOR EACH ROW EXECUTE FUNCTION notify_changed();
