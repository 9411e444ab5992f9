-- Who may touch what: row-level security by merchant, forced; append-only by grant and by trigger.

CREATE FUNCTION the_merchant() RETURNS uuid LANGUAGE sql STABLE AS
    $$ SELECT nullif(current_setting('coinslot.merchant', true), '')::uuid $$;

GRANT USAGE ON SCHEMA public TO coinslot_app, coinslot_door;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO coinslot_app, coinslot_door;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['merchants', 'members', 'api_keys', 'gateway_accounts', 'products',
        'outlets', 'slots', 'devices', 'qr_codes', 'orders', 'order_lines', 'payments', 'attempts',
        'captures', 'fulfillments', 'refunds', 'events', 'strays', 'ledger', 'inbox', 'exchanges',
        'device_events', 'device_journals', 'exposures', 'corrections', 'discrepancies']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app USING (%s = the_merchant())', t,
            CASE t WHEN 'merchants' THEN 'id' ELSE 'merchant_id' END);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        EXECUTE format('GRANT INSERT ON %I TO coinslot_app', t);
    END LOOP;
    -- Rows with a life may change; everything else is only ever appended.
    FOREACH t IN ARRAY ARRAY['merchants', 'members', 'api_keys', 'gateway_accounts', 'products',
        'outlets', 'slots', 'devices', 'qr_codes', 'orders', 'payments', 'attempts', 'captures',
        'fulfillments', 'refunds', 'device_journals', 'discrepancies']
    LOOP
        EXECUTE format('GRANT UPDATE ON %I TO coinslot_app', t);
    END LOOP;
    -- The door leases due rows and notes that a machine is alive; it moves nothing.
    FOREACH t IN ARRAY ARRAY['qr_codes', 'orders', 'payments', 'captures', 'fulfillments',
        'refunds', 'inbox']
    LOOP
        EXECUTE format('GRANT UPDATE (leased_until, due_at) ON %I TO coinslot_door', t);
    END LOOP;
END $$;
GRANT UPDATE (worked_at, tries, failure, due_at, leased_until) ON inbox TO coinslot_app;
GRANT UPDATE (last_seen_at) ON devices TO coinslot_door;

-- Settlement is set once, whoever asks.
CREATE FUNCTION settled_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.settlement IS NOT NULL AND (NEW.settlement IS DISTINCT FROM OLD.settlement
            OR NEW.basis IS DISTINCT FROM OLD.basis) THEN
        RAISE EXCEPTION 'unit % is settled as % and stays so', OLD.id, OLD.settlement;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settled_once BEFORE UPDATE ON fulfillments
    FOR EACH ROW EXECUTE FUNCTION settled_once();

-- A settlement by policy is a named cost before the transaction ends.
CREATE FUNCTION policy_has_exposure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.basis = 'policy' AND NOT EXISTS
            (SELECT FROM exposures WHERE fulfillment_id = NEW.id) THEN
        RAISE EXCEPTION 'unit % was settled by policy without an exposure', NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER policy_has_exposure AFTER UPDATE OF basis ON fulfillments
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION policy_has_exposure();
