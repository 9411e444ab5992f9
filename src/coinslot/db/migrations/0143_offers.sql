-- Coupons, and cards on which orders are collected. Off until a merchant makes one.

-- A code that makes an order cheaper: by per cent of its goods, or by an amount. `uses`: in all;
-- NULL: as often as it is typed. `least_minor`: of the goods, before it.
CREATE TABLE counter_coupons (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    code          text NOT NULL CHECK (code ~ '^[A-Z0-9]{3,20}$'),
    percent_bp    integer CHECK (percent_bp BETWEEN 1 AND 10000),
    off_minor     bigint CHECK (off_minor > 0),
    currency      char(3) NOT NULL,
    least_minor   bigint NOT NULL DEFAULT 0 CHECK (least_minor >= 0),
    uses          integer CHECK (uses > 0),
    begins_at     timestamptz NOT NULL,
    ends_at       timestamptz,
    ended_at      timestamptz,                     -- a person ended it
    made_by       text NOT NULL,
    CONSTRAINT a_coupon_takes_off_one_way CHECK (num_nonnulls(percent_bp, off_minor) = 1),
    CONSTRAINT a_coupon_begins_before_it_ends CHECK (ends_at > begins_at)
);
CREATE UNIQUE INDEX counter_coupons_one_live ON counter_coupons (merchant_id, code)
    WHERE ended_at IS NULL;

-- What is collected, and what it is worth. 'stamps': one for each order of at least `earn_minor`;
-- 'points': one for each `earn_minor` of an order. `reward_points` of them take `reward_minor` off.
CREATE TABLE loyalty_programs (
    merchant_id   uuid PRIMARY KEY REFERENCES merchants,
    kind          text NOT NULL CHECK (kind IN ('stamps', 'points')),
    currency      char(3) NOT NULL,
    earn_minor    bigint NOT NULL CHECK (earn_minor > 0),
    reward_points integer NOT NULL CHECK (reward_points > 0),
    reward_minor  bigint NOT NULL CHECK (reward_minor > 0),
    ended_at      timestamptz
);

-- A card is whoever has its token, of which nothing but a digest is kept. It has no name.
CREATE TABLE loyalty_cards (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    token_digest  text NOT NULL UNIQUE,
    made_at       timestamptz NOT NULL
);

-- Beside an order: what made it cheaper, and which card collects it, by the rules of that time.
CREATE TABLE order_offers (
    order_id      uuid PRIMARY KEY REFERENCES orders,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    coupon_id     uuid REFERENCES counter_coupons,
    card_id       uuid REFERENCES loyalty_cards,
    off_minor     bigint NOT NULL DEFAULT 0 CHECK (off_minor >= 0),
    points_used   integer NOT NULL DEFAULT 0 CHECK (points_used >= 0),
    kind          text,
    earn_minor    bigint,
    given_back_at timestamptz,                     -- nothing was handed over: the coupon is free
    CONSTRAINT an_order_is_made_cheaper_once CHECK (coupon_id IS NULL OR points_used = 0),
    CONSTRAINT points_are_of_a_card CHECK (points_used = 0 OR card_id IS NOT NULL),
    CONSTRAINT a_card_collects_by_rules
        CHECK (num_nonnulls(card_id, kind, earn_minor) IN (0, 3))
);
CREATE INDEX order_offers_coupon ON order_offers (coupon_id) WHERE coupon_id IS NOT NULL;

-- Points of a card, only ever appended: an order that changes is followed by another line.
CREATE TABLE loyalty_entries (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    card_id       uuid NOT NULL REFERENCES loyalty_cards,
    order_id      uuid NOT NULL REFERENCES orders,
    what          text NOT NULL CHECK (what IN ('earned', 'redeemed')),
    number        integer NOT NULL CHECK (number > 0),
    points        integer NOT NULL CHECK (points <> 0),
    at            timestamptz NOT NULL,
    CONSTRAINT loyalty_entries_number UNIQUE (order_id, what, number)
);
CREATE INDEX loyalty_entries_card ON loyalty_entries (card_id);

-- What a person gives back after the hand-over takes its points with it.
CREATE FUNCTION offers_follow_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM offers_follow(r.order_id, coalesce(NEW.ended_at, r.made_at))
        FROM order_refunds r WHERE r.id = NEW.order_refund_id;
    RETURN NULL;
END $$;
CREATE TRIGGER offers_follow_part AFTER INSERT OR UPDATE OF outcome ON order_refund_parts
    FOR EACH ROW WHEN (NEW.outcome = 'taken') EXECUTE FUNCTION offers_follow_part();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['counter_coupons', 'loyalty_programs', 'loyalty_cards',
            'order_offers', 'loyalty_entries'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', name);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', name);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO coinslot_app', name);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_door', name);
    END LOOP;
END $$;
GRANT UPDATE (ended_at) ON counter_coupons TO coinslot_app;
GRANT UPDATE ON loyalty_programs, loyalty_cards TO coinslot_app;
GRANT UPDATE (given_back_at) ON order_offers TO coinslot_app;
