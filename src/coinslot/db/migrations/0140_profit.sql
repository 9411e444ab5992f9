-- Profit is read by when orders ended. Rows end in about the order in which they were written.
CREATE INDEX orders_ended_at ON orders USING brin (ended_at) WITH (pages_per_range = 16);
