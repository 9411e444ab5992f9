-- A credit note is printed like a receipt, by the outlet's printer of receipts.
ALTER TABLE counter_prints
    ADD COLUMN credit_refund uuid REFERENCES counter_credit_notes (refund_id),
    DROP CONSTRAINT counter_prints_kind_check,
    DROP CONSTRAINT no_paper_is_empty,
    ADD CONSTRAINT counter_prints_kind_check
        CHECK (kind IN ('ticket', 'cancelled', 'receipt', 'credit', 'test')),
    ADD CONSTRAINT no_paper_is_empty CHECK (kind = 'test' OR walk_in_id IS NOT NULL
        OR credit_refund IS NOT NULL OR cardinality(units) > 0),
    ADD CONSTRAINT a_credit_on_paper_is_of_a_note CHECK ((kind = 'credit')
        = (credit_refund IS NOT NULL) AND (credit_refund IS NULL OR order_id IS NOT NULL));
CREATE UNIQUE INDEX counter_prints_credit ON counter_prints (printer_id, credit_refund, copy)
    WHERE kind = 'credit';
