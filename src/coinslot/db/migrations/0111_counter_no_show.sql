-- What becomes of an order that is ready and that nobody fetches in time: its money goes back, or
-- its merchant keeps it. The policy is the one that stood on the page before its customer paid.
ALTER TABLE counter_stores ADD COLUMN no_show text NOT NULL DEFAULT 'refund'
    CHECK (no_show IN ('refund', 'kept'));
ALTER TABLE counter_orders ADD COLUMN no_show text NOT NULL DEFAULT 'refund'
    CHECK (no_show IN ('refund', 'kept'));
