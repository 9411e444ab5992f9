-- Which unit a machine gets next, and what else is asked about machines with every message, each in
-- one round trip.

-- The oldest unit that an idle machine may be offered now, locked; no row when there is none. The
-- machine's row lock comes first: seq is given out under it, and one process at a time decides.
CREATE OR REPLACE FUNCTION next_unit(p_outlet text, p_heard_since timestamptz, p_now timestamptz)
RETURNS TABLE (id uuid, order_id uuid, outlet_id text, slot text, sku text, amount_minor bigint,
    currency text, dispatch_by timestamptz, channel text, dialect text, price_version integer,
    planogram_version integer, kind text, windows jsonb) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    oldest uuid;
BEGIN
    -- Most machines have no queue. Adding to one triggers a look afterwards.
    IF NOT EXISTS (SELECT FROM fulfillments f WHERE f.outlet_id = p_outlet AND f.state = 'queued')
    THEN RETURN; END IF;
    PERFORM FROM devices d JOIN outlets o ON o.id = d.outlet_id
        WHERE d.outlet_id = p_outlet AND d.last_seen_at >= p_heard_since
        AND o.decommissioned_at IS NULL FOR NO KEY UPDATE OF d;
    IF NOT FOUND OR EXISTS (SELECT FROM vend_units v WHERE v.outlet_id = p_outlet AND v.open)
    THEN RETURN; END IF;
    SELECT f.id INTO oldest FROM fulfillments f
        WHERE f.outlet_id = p_outlet AND f.state = 'queued' AND f.dispatch_by > p_now
        ORDER BY f.queued_at, f.id LIMIT 1;
    PERFORM FROM captures c WHERE c.id = (SELECT f.capture_id FROM fulfillments f
        WHERE f.id = oldest) FOR NO KEY UPDATE;
    RETURN QUERY SELECT f.id, f.order_id, f.outlet_id, v.slot, l.sku, f.amount_minor,
            f.currency::text, f.dispatch_by, o.channel, o.dialect, o.price_version,
            o.planogram_version, f.kind, windows_at(o)
        FROM fulfillments f JOIN vend_units v ON v.id = f.id JOIN order_lines l ON l.id = f.line_id
        JOIN outlets o ON o.id = f.outlet_id
        WHERE f.id = oldest AND f.state = 'queued' FOR NO KEY UPDATE OF f;
END $$;

-- The machine's part of each unit of an order that was just paid.
CREATE OR REPLACE FUNCTION vending_queued(p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO vend_units (id, merchant_id, outlet_id, slot)
    SELECT f.id, f.merchant_id, f.outlet_id, l.slot
    FROM fulfillments f JOIN order_lines l ON l.id = f.line_id WHERE f.order_id = p_order;
END $$;

-- What drops works: a slot that had failed twice and was paid by its printed code sells again. One
-- that fails twice in a row is taken out of sale by itself.
CREATE OR REPLACE FUNCTION vending_settled(p_unit uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    u fulfillments%ROWTYPE;
    its_slot text := (SELECT slot FROM vend_units WHERE id = p_unit);
BEGIN
    SELECT * INTO STRICT u FROM fulfillments WHERE id = p_unit;
    IF u.settlement = 'fulfilled' THEN
        UPDATE slots SET stock = greatest(stock - 1, 0), failures_in_row = 0,
            out_of_sale_at = withheld_at  -- what a person took out, a person puts back
            WHERE outlet_id = u.outlet_id AND slot = its_slot;
    ELSIF u.basis IN ('no_drop', 'rejected', 'policy', 'declared') THEN
        UPDATE slots SET failures_in_row = failures_in_row + 1,
            out_of_sale_at = CASE WHEN failures_in_row >= 1 THEN coalesce(out_of_sale_at, p_now)
                             ELSE out_of_sale_at END
        WHERE outlet_id = u.outlet_id AND slot = its_slot;
    END IF;
END $$;

-- Offers the unit under a new seq, which is returned: a higher one makes the machine open a new
-- lease.
CREATE OR REPLACE FUNCTION offer_unit(p_outlet text, p_unit uuid, p_due timestamptz,
    p_now timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    given bigint;
BEGIN
    UPDATE devices SET next_seq = next_seq + 1 WHERE outlet_id = p_outlet
        RETURNING next_seq - 1 INTO STRICT given;
    PERFORM transition_fulfillment(p_unit, 'OFFER', jsonb_build_object('seq', given, 'offers', 1,
        'offered_at', p_now, 'due_at', p_due), p_now);
    RETURN given;
END $$;

-- The journal of a machine, from its HELLO, and how far it is stored. A new journal is a row, so
-- there is a limit per day: NULL beyond it, until it accepts a unit.
CREATE OR REPLACE FUNCTION meet_journal(p_merchant uuid, p_outlet text, p_journal text,
    p_kept bigint, p_now timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
BEGIN
    IF NOT may_have_journal(p_outlet, p_journal, p_now) THEN RETURN NULL; END IF;
    INSERT INTO device_journals AS j (outlet_id, journal_id, merchant_id, through, first_seen_at)
    VALUES (p_outlet, p_journal, p_merchant, p_kept, p_now) ON CONFLICT (outlet_id, journal_id)
    DO UPDATE SET through = greatest(j.through, p_kept) RETURNING through INTO reached;
    IF p_kept > 0 THEN
        -- The machine expects an acknowledgement for lines that we do not have: the auditor reports
        -- the number.
        UPDATE device_journals j SET skipped = greatest(j.skipped, j.through - j.refused - (SELECT
            count(*) FROM device_events d WHERE d.outlet_id = j.outlet_id
            AND d.journal_id = j.journal_id AND d.event_seq <= j.through))
        WHERE j.outlet_id = p_outlet AND j.journal_id = p_journal;
    END IF;
    RETURN reached;
END $$;

CREATE OR REPLACE FUNCTION may_have_journal(p_outlet text, p_journal text, p_now timestamptz)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM device_journals
            WHERE outlet_id = p_outlet AND journal_id = p_journal)
        OR (SELECT count(*) FROM device_journals WHERE outlet_id = p_outlet
            AND first_seen_at > p_now - interval '1 day') < 20;
END $$;

-- Whether one more line is stored: up to 32 of a kind for a unit that this machine was offered, and
-- 100 in all for units that it never was. An honest machine has two or three for each unit.
CREATE OR REPLACE FUNCTION has_room(p_outlet text, p_offered boolean, p_event jsonb)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN p_offered THEN (SELECT count(*) FROM device_events d
            WHERE d.unit_id = (p_event->>'unit_id')::uuid AND d.outlet_id = p_outlet
            AND (d.message->>'type' = 'RESULT') = (p_event->>'type' = 'RESULT')) < 32
        ELSE (SELECT coalesce(sum(strange), 0) FROM device_journals
            WHERE outlet_id = p_outlet) < 100 END;
END $$;

-- Store a line of a machine's journal, once. `through`: how far it is acknowledged without a gap.
-- `kept`: whether exactly this line is stored, so that it may be believed; false where its number
-- holds another line, over the limit, or for a line that was stored before its unit was told to
-- begin: sent again it proves no more than it did then. A line over the limit is acknowledged all
-- the same, or the machine's journal would fill up with it: it is counted, and a person is called.
CREATE OR REPLACE FUNCTION keep_event(p_merchant uuid, p_outlet text, p_journal text,
    p_event jsonb, p_now timestamptz, OUT through bigint, OUT kept boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    number bigint := (p_event->>'event_seq')::bigint;
    offered boolean := EXISTS (SELECT FROM vend_units v WHERE v.id = (p_event->>'unit_id')::uuid
        AND v.outlet_id = p_outlet AND v.offered_at IS NOT NULL);
    j device_journals%ROWTYPE;
    reached bigint;
    next bigint;
    strange boolean := false;
    refused boolean := false;
BEGIN
    through := 0;
    kept := false;
    IF NOT offered AND NOT may_have_journal(p_outlet, p_journal, p_now) THEN RETURN; END IF;
    -- The journal's row is locked from here on, new or not.
    INSERT INTO device_journals AS d (outlet_id, journal_id, merchant_id, first_seen_at)
    VALUES (p_outlet, p_journal, p_merchant, p_now)
    ON CONFLICT (outlet_id, journal_id) DO UPDATE SET first_seen_at = d.first_seen_at
    RETURNING d.* INTO j;
    reached := j.through;
    SELECT e.message = p_event AND NOT EXISTS (SELECT FROM fulfillments f
            WHERE f.id = e.unit_id AND e.at < f.sent_at)
        INTO kept FROM device_events e WHERE e.outlet_id = p_outlet
        AND e.journal_id = p_journal AND e.event_seq = number;
    IF NOT FOUND THEN
        kept := has_room(p_outlet, offered, p_event);
        IF kept THEN
            INSERT INTO device_events
                (outlet_id, journal_id, event_seq, merchant_id, unit_id, message, at)
            VALUES (p_outlet, p_journal, number, p_merchant, (p_event->>'unit_id')::uuid, p_event,
                p_now);
        ELSIF number = reached + 1 THEN
            reached := number;
        END IF;
        strange := kept AND NOT offered;
        refused := NOT kept;
    END IF;
    FOR next IN SELECT e.event_seq FROM device_events e WHERE e.outlet_id = p_outlet
            AND e.journal_id = p_journal AND e.event_seq > reached ORDER BY e.event_seq LIMIT 200
    LOOP
        EXIT WHEN next <> reached + 1;
        reached := next;
    END LOOP;
    IF reached > j.through OR strange OR (refused AND j.refused_at IS NULL) THEN
        UPDATE device_journals d SET through = reached, strange = d.strange + strange::integer,
            refused = d.refused + (refused AND number <= reached)::integer,
            refused_at = CASE WHEN refused THEN coalesce(d.refused_at, p_now)
                ELSE d.refused_at END
        WHERE d.outlet_id = p_outlet AND d.journal_id = p_journal;
    END IF;
    through := reached;
END $$;
