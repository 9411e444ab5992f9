-- Orders that staff enter are printed, and give back what they took when they are cancelled.

-- Of each item that is counted: how many pieces, and how many of each choice.
ALTER TABLE counter_walk_ins ADD COLUMN taken jsonb NOT NULL DEFAULT '[]';

-- A ticket is of an order, or of one that staff entered.
ALTER TABLE counter_prints ADD COLUMN walk_in_id uuid REFERENCES counter_walk_ins;
ALTER TABLE counter_prints DROP CONSTRAINT no_paper_is_empty;
ALTER TABLE counter_prints ADD CONSTRAINT no_paper_is_empty CHECK (kind = 'test'
    OR walk_in_id IS NOT NULL OR cardinality(units) > 0);
ALTER TABLE counter_prints ADD CONSTRAINT paper_is_of_one_order CHECK
    (num_nonnulls(order_id, walk_in_id) <= 1);
CREATE UNIQUE INDEX counter_prints_walk_in ON counter_prints (walk_in_id, printer_id, kind)
    WHERE walk_in_id IS NOT NULL;
