-- What a slot holds: its last count less the units that left it since. This is the only formula.

-- How many left this slot that its count does not include, or may have left it. A count of the
-- machine includes its own journal up to a line; of another journal, the runs that were begun
-- before the count, since a machine has one controller at a time.
CREATE OR REPLACE FUNCTION left_since_count(p_slot slots) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT count(*)::integer FROM slot_vends v
    WHERE v.outlet_id = p_slot.outlet_id AND v.slot = p_slot.slot
        AND v.number > p_slot.counted_vend AND v.word <> 'did_not'
        AND CASE WHEN p_slot.counted_journal IS NULL THEN true
            WHEN v.journal_id = p_slot.counted_journal AND v.event_seq IS NOT NULL
                THEN v.event_seq > p_slot.counted_event
            ELSE v.sent_at > p_slot.counted_at END
$$;

-- The slot's stock, computed again. Its row is locked.
CREATE OR REPLACE FUNCTION restock(p_outlet text, p_slot text) RETURNS void
LANGUAGE sql AS $$
    UPDATE slots s SET stock = greatest(s.counted - left_since_count(s), 0)
    WHERE s.outlet_id = p_outlet AND s.slot = p_slot AND s.counted IS NOT NULL
$$;

-- The last line that a unit has in the journal that accepted it, from what is stored or, where a
-- question was answered instead, from the answer.
CREATE OR REPLACE FUNCTION last_line_of(p_unit uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT greatest(
        (SELECT max(e.event_seq) FROM device_events e JOIN vend_units v ON v.id = e.unit_id
            AND v.outlet_id = e.outlet_id AND v.journal_id = e.journal_id WHERE v.id = p_unit),
        (SELECT max((e.data->>'event_seq')::bigint) FROM events e
            WHERE e.subject_id = p_unit AND e.event = 'ANSWERED'))
$$;

-- Out of which slot it fell: the one that its result names, where the machine has that one.
CREATE OR REPLACE FUNCTION fell_from(p_unit uuid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT s.slot FROM device_events e JOIN vend_units v ON v.id = e.unit_id
            AND v.outlet_id = e.outlet_id AND v.journal_id = e.journal_id
        JOIN slots s ON s.outlet_id = v.outlet_id AND s.slot = e.message->>'slot'
        WHERE v.id = p_unit AND e.message->>'type' = 'RESULT' ORDER BY e.event_seq DESC LIMIT 1),
        (SELECT v.slot FROM vend_units v WHERE v.id = p_unit))
$$;

-- A unit left its slot, or may have. What fell has fallen, whatever is said later; what only may
-- have fallen is put back when it did not. Its line stays the one that was known first: whoever has
-- a machine's secret could else move an old vend behind every later count.
CREATE OR REPLACE FUNCTION note_vend(p_unit uuid, p_word text, p_now timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    from_slot text := fell_from(p_unit);
    u vend_units%ROWTYPE;
    given bigint;
BEGIN
    SELECT * INTO STRICT u FROM vend_units WHERE id = p_unit;
    -- In one order with those who count, pay or settle: both slots, where it fell from a wrong one.
    PERFORM FROM slots s WHERE s.outlet_id = u.outlet_id AND s.slot IN (from_slot, u.slot)
        ORDER BY s.slot FOR NO KEY UPDATE;
    UPDATE slot_vends v SET event_seq = coalesce(v.event_seq, last_line_of(p_unit)),
        word = CASE v.word WHEN 'may_have' THEN p_word WHEN 'did_not' THEN
            CASE p_word WHEN 'fell' THEN p_word ELSE v.word END ELSE v.word END
        WHERE v.unit_id = p_unit RETURNING v.slot INTO from_slot;
    IF NOT FOUND THEN
        IF p_word = 'did_not' THEN RETURN; END IF;
        from_slot := fell_from(p_unit);
        INSERT INTO slot_vends (unit_id, merchant_id, outlet_id, slot, word, journal_id, event_seq,
            sent_at, at)
        SELECT u.id, u.merchant_id, u.outlet_id, from_slot, p_word, u.journal_id,
            last_line_of(p_unit), coalesce(f.sent_at, p_now), p_now
        FROM fulfillments f WHERE f.id = p_unit RETURNING number INTO given;
        -- A stock that was written, and not counted, is a count as of the moment before.
        UPDATE slots s SET counted = s.stock, counted_journal = NULL, counted_event = NULL,
            counted_vend = given - 1, counted_at = p_now
            WHERE s.outlet_id = u.outlet_id AND s.slot = from_slot AND s.counted IS NULL;
    END IF;
    PERFORM restock(u.outlet_id, from_slot);
END $$;
