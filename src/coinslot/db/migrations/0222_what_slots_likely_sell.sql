-- So many pieces are more likely than not asked for within the next time, as the worker believed
-- when it learned of the last day. A slot that holds no more will probably be sold out by then.
ALTER TABLE slot_demand ADD COLUMN likely integer CHECK (likely >= 0);
