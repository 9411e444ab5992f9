-- All receipts of an attempt or of a refund, those too that took the place of another.
CREATE INDEX receipts_of_attempt ON receipts (attempt_id) WHERE attempt_id IS NOT NULL;
CREATE INDEX receipts_of_refund ON receipts (refund_id) WHERE refund_id IS NOT NULL;
