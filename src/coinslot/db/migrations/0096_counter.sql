-- Counters: what is ordered and paid on a phone, prepared by staff, and handed over against a code.

-- A counter's shop window. Its customers find it by `slug`. `tips`: per cent that it suggests.
CREATE TABLE counter_stores (
    outlet_id     text PRIMARY KEY REFERENCES outlets,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    slug          text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    tax_added     boolean NOT NULL DEFAULT false,  -- on top of the prices, else included in them
    tips          integer[] NOT NULL DEFAULT '{10,15,20}'
                  CHECK (0 < ALL (tips) AND 100 >= ALL (tips)),
    paused_at     timestamptz,                     -- takes no orders for now
    created_at    timestamptz NOT NULL
);

-- What is on its menu. `stock` NULL: not counted. What an unpaid order reserved is taken off it.
CREATE TABLE counter_items (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES counter_stores,
    product_id    uuid NOT NULL REFERENCES products,
    section       text NOT NULL DEFAULT '',
    place         integer NOT NULL DEFAULT 0,
    price_minor   bigint NOT NULL CHECK (price_minor >= 0),
    tax_bp        integer NOT NULL DEFAULT 0 CHECK (tax_bp BETWEEN 0 AND 10000),
    stock         integer CHECK (stock >= 0),
    allergens     text[] NOT NULL DEFAULT '{}',
    options       jsonb NOT NULL DEFAULT '[]',
    sold_out_at   timestamptz,                     -- a person said so
    retired_at    timestamptz,                     -- it left the menu
    CONSTRAINT one_item_per_product UNIQUE (outlet_id, product_id)
);

-- Beside each order: the code that hands it over, of which nothing but a digest is kept, and how
-- often it was tried. `wrong` counts the wrong ones of all its versions.
CREATE TABLE counter_orders (
    order_id      uuid PRIMARY KEY REFERENCES orders,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES outlets,
    name          text NOT NULL DEFAULT '' CHECK (length(name) <= 80),
    code_version  integer NOT NULL DEFAULT 1 CHECK (code_version > 0),
    code_digest   text NOT NULL,
    code_from     timestamptz,                     -- its time runs from here; NULL: not paid yet
    tries         integer NOT NULL DEFAULT 0,
    wrong         integer NOT NULL DEFAULT 0,
    CONSTRAINT a_code_is_tried_so_often CHECK (tries BETWEEN 0 AND 5 AND wrong BETWEEN 0 AND 15)
);

-- What a wrong code was typed for, and when: an outlet has few of them in an hour.
CREATE TABLE counter_wrong_codes (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES outlets,
    order_id      uuid NOT NULL REFERENCES orders,
    at            timestamptz NOT NULL
);
CREATE INDEX counter_wrong_codes_at ON counter_wrong_codes (outlet_id, at);

-- Beside each line of an order: of which item, with which options, as they were. `reserved`: pieces
-- that were taken off the item's stock and are still this line's.
CREATE TABLE counter_lines (
    line_id       uuid PRIMARY KEY REFERENCES order_lines,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    order_id      uuid NOT NULL REFERENCES orders,
    item_id       uuid NOT NULL REFERENCES counter_items,
    options       jsonb NOT NULL DEFAULT '[]',
    note          text NOT NULL DEFAULT '' CHECK (length(note) <= 200),
    reserved      integer NOT NULL DEFAULT 0 CHECK (reserved >= 0)
);
CREATE INDEX counter_lines_order ON counter_lines (order_id);

-- Beside each unit: what staff did with it. `ended`: why its money went back.
CREATE TABLE counter_units (
    id            uuid PRIMARY KEY REFERENCES fulfillments,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    accepted_at   timestamptz,
    ready_at      timestamptz,
    ended         text CHECK (ended IN ('not_accepted', 'not_fetched', 'rejected', 'cancelled')),
    said_by       text,                            -- who rejected it, or vouched for its hand-over
    reason        text,
    ticked_at     timestamptz
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['counter_stores', 'counter_items', 'counter_orders',
            'counter_wrong_codes', 'counter_lines', 'counter_units'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', name);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', name);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO coinslot_app', name);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_door', name);
    END LOOP;
END $$;
