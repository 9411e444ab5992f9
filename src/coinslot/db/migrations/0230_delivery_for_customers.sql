-- Delivery for whoever orders by a page: a driver's page at an address of its own, and when they
-- left. And "I am here", of customers who wait outside: off until a counter wants it.
ALTER TABLE counter_deliveries
    ADD COLUMN driver_token text UNIQUE CHECK (length(driver_token) >= 20),
    ADD COLUMN left_at timestamptz;
GRANT UPDATE (driver_token, left_at) ON counter_deliveries TO coinslot_app;

ALTER TABLE counter_orders
    ADD COLUMN here_at timestamptz,
    ADD COLUMN here_note text NOT NULL DEFAULT '' CHECK (length(here_note) <= 60),
    ADD COLUMN here_changes smallint NOT NULL DEFAULT 0 CHECK (here_changes BETWEEN 0 AND 5);
ALTER TABLE counter_stores ADD COLUMN arrivals boolean NOT NULL DEFAULT false;
