-- Websites whose pages may read a store's menu and place orders there.
ALTER TABLE counter_stores ADD COLUMN origins text[] NOT NULL DEFAULT '{}'
    CONSTRAINT few_origins CHECK (cardinality(origins) <= 20);
CREATE INDEX counter_stores_origins ON counter_stores USING gin (origins);
