-- When a counter is open, and orders for later.

-- `hours`: intervals of the week in local time; none: it is always open. `special_days`: what holds
-- on a date instead. The last order of an interval is `lead_min` before its end. Work is taken from
-- slots of `slot_min` minutes; `slot_work_min` NULL: as much of it as is ordered.
ALTER TABLE counter_stores
    ADD COLUMN hours         jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN special_days  jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN lead_min      integer NOT NULL DEFAULT 0 CHECK (lead_min BETWEEN 0 AND 1440),
    ADD COLUMN slot_min      integer NOT NULL DEFAULT 15
                             CHECK (slot_min IN (5, 10, 15, 20, 30, 60)),
    ADD COLUMN slot_work_min integer CHECK (slot_work_min > 0),
    ADD COLUMN days_ahead    integer CHECK (days_ahead BETWEEN 0 AND 14);  -- NULL: none for later

-- `prep_min`: minutes of work on one piece. `station`: where it is made.
ALTER TABLE counter_items
    ADD COLUMN hours         jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN prep_min      integer NOT NULL DEFAULT 0 CHECK (prep_min BETWEEN 0 AND 240),
    ADD COLUMN station       text NOT NULL DEFAULT '' CHECK (length(station) <= 40);

-- `wanted_at` NULL: as soon as it can be. `begin_at`: when staff see it; its time to be accepted
-- runs from then. `slot_at`: whose minutes its work takes.
ALTER TABLE counter_orders
    ADD COLUMN wanted_at     timestamptz,
    ADD COLUMN begin_at      timestamptz,
    ADD COLUMN slot_at       timestamptz,
    ADD COLUMN work_min      integer NOT NULL DEFAULT 0 CHECK (work_min >= 0),
    ADD COLUMN spot          text NOT NULL DEFAULT '' CHECK (length(spot) <= 20),  -- its table
    ADD CONSTRAINT it_begins_before_it_is_wanted
        CHECK ((wanted_at IS NULL) = (begin_at IS NULL) AND begin_at <= wanted_at);
CREATE INDEX counter_orders_slot ON counter_orders (outlet_id, slot_at) WHERE slot_at IS NOT NULL;
