-- An order that nobody accepts: boards sound again, people are told, a phone is called.

-- The phone that is called at a counter when nobody looks at its orders; E.164.
ALTER TABLE counter_stores ADD COLUMN alarm_phone text
    CHECK (alarm_phone ~ '^\+[1-9][0-9]{6,14}$');

-- Of each paid order, due until somebody accepts it or it is over. `called_at` is committed before
-- the call: whoever dies behind it does not call twice. `call`: what became of it.
CREATE TABLE counter_alarms (
    id            uuid PRIMARY KEY REFERENCES orders,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES counter_stores,
    since         timestamptz NOT NULL,
    repeated_at       timestamptz,
    told_at       timestamptz,
    called_at     timestamptz,
    call          text,
    ended_at      timestamptz,
    due_at        timestamptz,
    leased_until  timestamptz,
    lease         integer NOT NULL DEFAULT 0,
    CONSTRAINT an_alarm_is_due_until_it_ends CHECK ((ended_at IS NULL) = (due_at IS NOT NULL)),
    CONSTRAINT a_call_has_its_moment CHECK (call IS NULL OR called_at IS NOT NULL)
);
CREATE INDEX counter_alarms_due ON counter_alarms (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX counter_alarms_called ON counter_alarms (outlet_id, called_at)
    WHERE called_at IS NOT NULL;

INSERT INTO counter_alarms (id, merchant_id, outlet_id, since, due_at)
SELECT DISTINCT f.order_id, f.merchant_id, f.outlet_id, now(), now() FROM fulfillments f
WHERE f.kind = 'counter' AND f.state = 'to_accept';

CREATE TRIGGER lease_is_held BEFORE UPDATE ON counter_alarms FOR EACH ROW
    WHEN (current_setting('coinslot.lease', true) LIKE 'counter_alarms ' || OLD.id || ' %'
        AND current_setting('coinslot.lease', true)
            <> 'counter_alarms ' || OLD.id || ' ' || OLD.lease)
    EXECUTE FUNCTION refuse_lost_lease();

ALTER TABLE counter_alarms ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_alarms FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON counter_alarms TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON counter_alarms TO coinslot_door USING (true);
CREATE POLICY owner ON counter_alarms TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON counter_alarms TO coinslot_app, coinslot_door;
GRANT UPDATE (board_changes) ON counter_stores TO coinslot_door;
