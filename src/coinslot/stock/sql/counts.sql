-- Counts of stock: absolute, so that one that is lost or comes twice changes nothing.

-- How far beyond the lines that are stored a machine's count may be: an honest machine repeats its
-- lines until they are stored, and has few that are not.
CREATE OR REPLACE FUNCTION lines_ahead() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT 10000::bigint
$$;

-- A count of a machine, once, and only of the journal that it last said HELLO with: a controller
-- that was taken out counts no more. Returns what became of it.
CREATE OR REPLACE FUNCTION take_stock_count(p_outlet text, p_count jsonb, p_now timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    its_journal text := p_count->>'journal_id';
    through bigint := (p_count->>'event_seq')::bigint;
    d devices%ROWTYPE;
    s slots%ROWTYPE;
BEGIN
    SELECT * INTO d FROM devices WHERE outlet_id = p_outlet;
    IF d.journal_id IS DISTINCT FROM its_journal THEN RETURN 'other_journal'; END IF;
    -- Subtracted, not added: the last line may have any number.
    IF through - lines_ahead() > coalesce((SELECT max(e.event_seq) FROM device_events e
            WHERE e.outlet_id = p_outlet AND e.journal_id = its_journal), 0)
        AND through - lines_ahead() > coalesce((SELECT j.through FROM device_journals j
            WHERE j.outlet_id = p_outlet AND j.journal_id = its_journal), 0)
    THEN RETURN 'too_far'; END IF;
    INSERT INTO stock_counts AS c (outlet_id, journal_id, merchant_id, inventory_seq, event_seq,
        cause, counts, at, secret_mark)
    VALUES (p_outlet, its_journal, d.merchant_id, (p_count->>'inventory_seq')::bigint, through,
        p_count->>'cause', p_count->'slots', p_now,
        md5(d.broker_hash))
    ON CONFLICT (outlet_id, journal_id) DO UPDATE SET inventory_seq = excluded.inventory_seq,
        event_seq = excluded.event_seq, cause = excluded.cause, counts = excluded.counts,
        at = excluded.at, secret_mark = excluded.secret_mark
    -- Whoever had the secret that was replaced may have said the highest numbers there are.
    WHERE excluded.inventory_seq > c.inventory_seq AND excluded.event_seq >= c.event_seq
        OR excluded.secret_mark IS DISTINCT FROM c.secret_mark;
    IF NOT FOUND THEN RETURN 'older'; END IF;
    FOR s IN SELECT * FROM slots WHERE outlet_id = p_outlet
            AND slot IN (SELECT e->>'slot' FROM jsonb_array_elements(p_count->'slots') e)
            AND NOT other_product  -- how many, and of what only a person knows
            ORDER BY slot FOR NO KEY UPDATE LOOP
        PERFORM count_slot(s, (SELECT (e->>'count')::integer
            FROM jsonb_array_elements(p_count->'slots') e WHERE e->>'slot' = s.slot),
            p_count, p_now);
    END LOOP;
    RETURN 'taken';
END $$;

-- What one slot holds from now on. Without a journal it is a person's count, which includes all
-- that was known to have left. The slot's row is locked.
CREATE OR REPLACE FUNCTION count_slot(p_slot slots, p_counted integer, p_count jsonb,
    p_now timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    s slots := p_slot;
    held integer;
BEGIN
    s.counted := p_counted;
    s.counted_journal := p_count->>'journal_id';
    s.counted_event := (p_count->>'event_seq')::bigint;
    s.counted_at := p_now;
    -- Everything up to here is included for good, so that nothing before is looked at again.
    s.counted_vend := coalesce(
        (SELECT min(v.number) - 1 FROM slot_vends v WHERE v.outlet_id = s.outlet_id
            AND v.slot = s.slot
            AND v.journal_id = s.counted_journal AND v.event_seq > s.counted_event),
        (SELECT max(v.number) FROM slot_vends v
            WHERE v.outlet_id = s.outlet_id AND v.slot = s.slot),
        0);
    held := greatest(p_counted - left_since_count(s), 0);
    UPDATE slots SET counted = s.counted, counted_journal = s.counted_journal,
        counted_event = s.counted_event, counted_vend = s.counted_vend, counted_at = p_now,
        stock = held
        WHERE outlet_id = s.outlet_id AND slot = s.slot;
    -- What a person adds is told by the visit.
    IF held <> p_slot.stock AND p_count->>'cause' IS NOT NULL THEN
        INSERT INTO stock_differences (merchant_id, outlet_id, slot, cause, expected, counted, at)
        VALUES (s.merchant_id, s.outlet_id, s.slot, p_count->>'cause', p_slot.stock, held, p_now);
    END IF;
    RETURN held;
END $$;

-- A person filled a slot, or looked into it: what lay there (NULL: not counted) and what lies there
-- now. It sells again, unless a person took it out of sale. Returns what it should have held.
CREATE OR REPLACE FUNCTION visit_slot(p_outlet text, p_line jsonb, p_now timestamptz)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    s slots%ROWTYPE;
    found_there integer := (p_line->>'before')::integer;
    left_there integer := (p_line->>'after')::integer;
    added integer;
BEGIN
    SELECT * INTO STRICT s FROM slots
        WHERE outlet_id = p_outlet AND slot = p_line->>'slot' FOR NO KEY UPDATE;
    IF found_there <> s.stock THEN
        INSERT INTO stock_differences (merchant_id, outlet_id, slot, cause, expected, counted, at)
        VALUES (s.merchant_id, s.outlet_id, s.slot, 'visit', s.stock, found_there, p_now);
    END IF;
    added := left_there - coalesce(found_there, s.stock);
    IF added > 0 THEN
        INSERT INTO stock_lots (merchant_id, outlet_id, slot, pieces, expires_on, added_at)
        VALUES (s.merchant_id, s.outlet_id, s.slot, added, (p_line->>'expires_on')::date, p_now);
    END IF;
    PERFORM count_slot(s, left_there, '{}', p_now);
    UPDATE slots SET out_of_sale_at = withheld_at, failures_in_row = 0, other_product = false,
        capacity = coalesce((p_line->>'capacity')::integer, capacity)
        WHERE outlet_id = s.outlet_id AND slot = s.slot;
    RETURN s.stock;
END $$;
