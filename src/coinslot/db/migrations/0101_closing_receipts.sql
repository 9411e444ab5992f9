-- Goods that were paid for in advance have a second receipt when they are handed over: `closing`,
-- one for the attempt that was paid.
ALTER TABLE receipts DROP CONSTRAINT receipts_kind_check;
ALTER TABLE receipts ADD CONSTRAINT receipts_kind_check
    CHECK (kind IN ('payment', 'refund', 'closing'));
DROP INDEX receipts_attempt;
CREATE UNIQUE INDEX receipts_attempt ON receipts (attempt_id)
    WHERE replaces IS NULL AND kind = 'payment';
CREATE UNIQUE INDEX receipts_closing ON receipts (attempt_id)
    WHERE replaces IS NULL AND kind = 'closing';

-- Its order was handed over: the second receipt is to be written. Whatever else is written about
-- the row meanwhile, it stays due until that is done.
ALTER TABLE receipts ADD COLUMN closes_at timestamptz;
GRANT UPDATE (closes_at) ON receipts TO coinslot_app;
CREATE FUNCTION stay_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.due_at := least(coalesce(NEW.due_at, NEW.closes_at), NEW.closes_at);
    RETURN NEW;
END $$;
CREATE TRIGGER stays_due_until_closed BEFORE UPDATE ON receipts FOR EACH ROW
    WHEN (NEW.closes_at IS NOT NULL) EXECUTE FUNCTION stay_due();
