-- Accounts at gateways that people look after while money moves.

-- `former`: secrets that were replaced, sealed; each still proves a webhook until its moment, since
-- a gateway signs the retries of an event with the secret of its first try. A disabled account
-- takes no new payment; what was paid there is settled and refunded as ever.
ALTER TABLE gateway_accounts
    ADD COLUMN former bytea,
    ADD COLUMN disabled_at timestamptz,
    ADD COLUMN changed_at timestamptz;

DROP TRIGGER raise_version ON gateway_accounts;
CREATE TRIGGER raise_version BEFORE UPDATE OF settings, former, disabled_at ON gateway_accounts
    FOR EACH ROW EXECUTE FUNCTION raise_version();
DROP TRIGGER notify_changed ON gateway_accounts;
CREATE TRIGGER notify_changed AFTER UPDATE OF settings, former, disabled_at ON gateway_accounts
    FOR EACH ROW EXECUTE FUNCTION notify_changed();

-- When an account was last heard from, and when a signature was last refused.
CREATE INDEX inbox_heard ON inbox (account_id, verdict, id);
