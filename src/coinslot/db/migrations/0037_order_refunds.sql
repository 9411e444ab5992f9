-- Money that a named person gives back: of units of an order, or an amount of it. The row says what
-- was asked, under a key; its parts say of which unit, and what became of each.
CREATE TABLE order_refunds (
    id           uuid PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    order_id     uuid NOT NULL REFERENCES orders,
    key          text NOT NULL,
    asked        jsonb NOT NULL,       -- the same key with anything else is refused
    made_by      text NOT NULL,
    reason       text NOT NULL,
    made_at      timestamptz NOT NULL,
    CONSTRAINT a_refund_by_a_person_says_who_and_why CHECK (made_by <> '' AND reason <> ''),
    CONSTRAINT order_refunds_key UNIQUE (merchant_id, key)
);
CREATE INDEX order_refunds_order ON order_refunds (order_id);

-- `outcome` NULL: the unit is sent and not settled, and the part waits for that. 'withdrawn': it
-- was not sent, and never will be. 'taken': from what the unit had earned. 'went_back': the unit
-- was not handed over, so its money went back without this.
CREATE TABLE order_refund_parts (
    id              uuid PRIMARY KEY,
    merchant_id     uuid NOT NULL REFERENCES merchants,
    order_refund_id uuid NOT NULL REFERENCES order_refunds,
    capture_id      uuid NOT NULL REFERENCES captures,
    fulfillment_id  uuid REFERENCES fulfillments,
    amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
    outcome         text CHECK (outcome IN ('withdrawn', 'taken', 'went_back')),
    ended_at        timestamptz,
    CONSTRAINT a_part_is_of_a_unit CHECK (fulfillment_id IS NOT NULL),
    CONSTRAINT what_became_of_a_part_has_its_time CHECK ((outcome IS NULL) = (ended_at IS NULL))
);
CREATE INDEX order_refund_parts_refund ON order_refund_parts (order_refund_id);
CREATE INDEX order_refund_parts_unit ON order_refund_parts (fulfillment_id);

-- What became of a part is said once, whoever asks.
CREATE FUNCTION part_ended_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.outcome IS NOT NULL THEN
        RAISE EXCEPTION 'part % of a refund is % and stays so', OLD.id, OLD.outcome;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER part_ended_once BEFORE UPDATE ON order_refund_parts
    FOR EACH ROW EXECUTE FUNCTION part_ended_once();

-- The refund that pays a part. A unit may have several, each of a part of it.
ALTER TABLE refunds ADD COLUMN part_id uuid REFERENCES order_refund_parts;
CREATE UNIQUE INDEX refunds_one_live_part ON refunds (part_id)
    WHERE part_id IS NOT NULL AND state IN ('pending', 'succeeded', 'owed');

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['order_refunds', 'order_refund_parts'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', t);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO coinslot_app', t);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_door', t);
    END LOOP;
END $$;
GRANT UPDATE (outcome, ended_at) ON order_refund_parts TO coinslot_app;

-- Their last argument is new: applied again right after this.
DROP FUNCTION IF EXISTS owe_refund(uuid, uuid, bigint, text, timestamptz);
DROP FUNCTION IF EXISTS make_refund(captures, uuid, uuid, bigint, text, timestamptz);
