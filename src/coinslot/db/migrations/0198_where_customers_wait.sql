-- Where a counter is, and within how many metres of it a phone's position proves "I am here". It
-- asks for no position until it has both. One that was sent is compared and not kept: here_by
-- has what it came to, and nothing where none was asked for.
ALTER TABLE counter_stores
    ADD COLUMN latitude double precision CHECK (latitude BETWEEN -90 AND 90),
    ADD COLUMN longitude double precision CHECK (longitude BETWEEN -180 AND 180),
    ADD COLUMN here_m integer CHECK (here_m BETWEEN 20 AND 5000),
    ADD CONSTRAINT counter_stores_have_a_whole_place
        CHECK (num_nonnulls(latitude, longitude) <> 1
            AND (here_m IS NULL OR latitude IS NOT NULL));
ALTER TABLE counter_orders ADD COLUMN here_by text CHECK (here_by IN ('near', 'said'));
