-- A part of nothing is withdrawn at once: until now one that waits could be of nothing, too, since
-- a check whose answer is unknown is passed.
ALTER TABLE order_refund_parts DROP CONSTRAINT order_refund_parts_amount_minor_check;
ALTER TABLE order_refund_parts ADD CONSTRAINT order_refund_parts_amount_minor_check
    CHECK (amount_minor > 0 OR (amount_minor = 0 AND outcome IS NOT DISTINCT FROM 'withdrawn'));
