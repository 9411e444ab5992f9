-- What is done often for machines, each in one round trip.

-- The oldest unit that an idle machine may be offered now, locked; no row when there is none. The
-- machine's row lock comes first: seq is given out under it, and one process at a time decides.
CREATE OR REPLACE FUNCTION next_unit(p_outlet text, p_heard_since timestamptz, p_now timestamptz)
RETURNS TABLE (id uuid, order_id uuid, outlet_id text, slot text, sku text, amount_minor bigint,
    currency text, dispatch_by timestamptz, channel text, dialect text, price_version integer,
    planogram_version integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    -- Most machines have no queue. Whoever adds to one looks here afterwards.
    IF NOT EXISTS (SELECT FROM fulfillments f WHERE f.outlet_id = p_outlet AND f.state = 'queued')
    THEN RETURN; END IF;
    PERFORM FROM devices d WHERE d.outlet_id = p_outlet AND d.last_seen_at >= p_heard_since
        FOR UPDATE;
    IF NOT FOUND OR EXISTS (SELECT FROM fulfillments f WHERE f.outlet_id = p_outlet
            AND f.state IN ('offered', 'going', 'started', 'in_doubt')) THEN RETURN; END IF;
    RETURN QUERY SELECT f.id, f.order_id, f.outlet_id, f.slot, l.sku, f.amount_minor,
            f.currency::text, f.dispatch_by, o.channel, o.dialect, o.price_version,
            o.planogram_version
        FROM fulfillments f JOIN order_lines l ON l.id = f.line_id
        JOIN outlets o ON o.id = f.outlet_id
        WHERE f.outlet_id = p_outlet AND f.state = 'queued' AND f.dispatch_by > p_now
        ORDER BY f.queued_at, f.id LIMIT 1 FOR UPDATE OF f;
END $$;

-- Offered under a new seq, which is the answer: a higher one makes the machine open a fresh lease.
CREATE OR REPLACE FUNCTION offer_unit(p_outlet text, p_unit uuid, p_due timestamptz,
    p_now timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    given bigint;
BEGIN
    UPDATE devices SET next_seq = next_seq + 1 WHERE outlet_id = p_outlet
        RETURNING next_seq - 1 INTO STRICT given;
    PERFORM move_fulfillment(p_unit, 'OFFER', jsonb_build_object('seq', given, 'offers', 1,
        'offered_at', p_now, 'due_at', p_due), p_now);
    RETURN given;
END $$;

-- Keep what a machine's journal says, once; the answer is how far it is kept without a gap.
CREATE OR REPLACE FUNCTION keep_event(p_merchant uuid, p_outlet text, p_journal text,
    p_event jsonb, p_now timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    kept bigint;
    reached bigint;
    next bigint;
BEGIN
    INSERT INTO device_events
        (outlet_id, journal_id, event_seq, merchant_id, unit_id, message, at)
    VALUES (p_outlet, p_journal, (p_event->>'event_seq')::bigint, p_merchant,
        (p_event->>'unit_id')::uuid, p_event, p_now) ON CONFLICT DO NOTHING;
    -- The journal's row is locked from here on, met before or not.
    INSERT INTO device_journals (outlet_id, journal_id, merchant_id, through, first_seen_at)
    VALUES (p_outlet, p_journal, p_merchant, 0, p_now)
    ON CONFLICT (outlet_id, journal_id) DO UPDATE SET through = device_journals.through
    RETURNING through INTO kept;
    reached := kept;
    FOR next IN SELECT event_seq FROM device_events WHERE outlet_id = p_outlet
            AND journal_id = p_journal AND event_seq > kept ORDER BY event_seq LIMIT 200 LOOP
        EXIT WHEN next <> reached + 1;
        reached := next;
    END LOOP;
    IF reached > kept THEN
        UPDATE device_journals SET through = reached
            WHERE outlet_id = p_outlet AND journal_id = p_journal;
    END IF;
    RETURN reached;
END $$;
