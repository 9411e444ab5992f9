-- What a merchant sets for a counter: fewer text messages and calls than the installation allows.
-- NULL: as many.
ALTER TABLE counter_stores
    ADD COLUMN outlet_messages integer CHECK (outlet_messages BETWEEN 0 AND 100000),  -- in an hour
    ADD COLUMN phone_messages integer CHECK (phone_messages BETWEEN 0 AND 1000);      -- in a day

-- How long an order may wait to be fetched, in seconds: what its customer read before the payment.
-- NULL: it was placed before this was kept, and has what its counter has.
ALTER TABLE counter_orders ADD COLUMN pickup_s double precision CHECK (pickup_s > 0);
