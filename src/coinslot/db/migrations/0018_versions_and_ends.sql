-- Credentials that change while processes run, and what is forgotten after a while.

-- Every process that has opened an account, or holds a machine's connection, hears of a change at
-- once; `version` tells whoever missed it.
ALTER TABLE gateway_accounts ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE devices ADD COLUMN version integer NOT NULL DEFAULT 1;

CREATE FUNCTION raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER raise_version BEFORE UPDATE OF settings ON gateway_accounts
    FOR EACH ROW EXECUTE FUNCTION raise_version();
CREATE TRIGGER raise_version BEFORE UPDATE OF secret, broker_hash ON devices
    FOR EACH ROW EXECUTE FUNCTION raise_version();

CREATE FUNCTION notify_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('coinslot_changed', TG_TABLE_NAME || ' '
        || CASE TG_TABLE_NAME WHEN 'devices' THEN to_jsonb(NEW)->>'outlet_id'
           ELSE to_jsonb(NEW)->>'id' END);
    RETURN NULL;
END $$;
CREATE TRIGGER notify_changed AFTER UPDATE OF settings ON gateway_accounts
    FOR EACH ROW EXECUTE FUNCTION notify_changed();
CREATE TRIGGER notify_changed AFTER INSERT OR UPDATE OF secret, broker_hash ON devices
    FOR EACH ROW EXECUTE FUNCTION notify_changed();
CREATE TRIGGER notify_changed AFTER UPDATE OF decommissioned_at ON outlets
    FOR EACH ROW EXECUTE FUNCTION notify_changed();

CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE ended_at IS NOT NULL;
