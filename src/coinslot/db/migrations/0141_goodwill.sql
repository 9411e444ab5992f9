-- Money that a named person gives back for goods that were handed over is goodwill: its own column
-- of the capture's sum, which caps it. Until here it stood in `refund_due`, as if it were owed.
ALTER TABLE captures ADD COLUMN goodwill bigint NOT NULL DEFAULT 0;
ALTER TABLE captures ADD CONSTRAINT captures_goodwill_check CHECK (goodwill >= 0);
ALTER TABLE captures DROP CONSTRAINT captured_is_accounted_for;
ALTER TABLE captures DROP CONSTRAINT we_never_give_back_more_than_is_due;
WITH given AS (
    SELECT capture_id, sum(amount_minor)::bigint AS minor FROM order_refund_parts
    WHERE outcome = 'taken' GROUP BY capture_id
)
UPDATE captures c SET goodwill = g.minor, refund_due = c.refund_due - g.minor
FROM given g WHERE g.capture_id = c.id;
ALTER TABLE captures ADD CONSTRAINT captured_is_accounted_for CHECK
    (captured = fulfilled + refund_due + goodwill + surplus + foreign_amount + open);
ALTER TABLE captures ADD CONSTRAINT we_never_give_back_more_than_is_due CHECK
    (refund_intended + outside_used <= refund_due + goodwill + surplus);
GRANT UPDATE (goodwill) ON captures TO coinslot_app;
