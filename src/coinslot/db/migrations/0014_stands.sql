-- How often an attempt's key was sent: a gateway's passing no is certain only of the one call it
-- answers, and another may be under way.
ALTER TABLE attempts ADD COLUMN sends integer NOT NULL DEFAULT 0;

-- What stands is not rewritten, whoever asks: an answer that was given, a case that was closed, a
-- refund's sum, and whose a key is.
CREATE FUNCTION answered_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.done_at IS NOT NULL THEN
        RAISE EXCEPTION 'the answer to key % stands', OLD.key;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER answered_once BEFORE UPDATE ON idempotency_keys
    FOR EACH ROW EXECUTE FUNCTION answered_once();

CREATE FUNCTION closed_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'case % is closed', OLD.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER closed_once BEFORE UPDATE ON cases FOR EACH ROW EXECUTE FUNCTION closed_once();

REVOKE UPDATE ON api_keys, refunds FROM coinslot_app;
GRANT UPDATE (revoked_at, scopes) ON api_keys TO coinslot_app;
GRANT UPDATE (state, version, key_sent_at, gateway_refund_id, tries, failure, ended_at, due_at,
    leased_until, asked_reason) ON refunds TO coinslot_app;
