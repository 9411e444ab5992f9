-- The plain messages of machines, each in one call; those of many machines share a commit. What is
-- not plain is left to `vending/machine_messages.py`, which knows every situation: nothing is moved
-- for it here, and a journal line that was stored is stored once.

-- An ACCEPT of the offer that stands, for which `p` brings the GO that was signed: {merchant,
-- outlet, type, unit, seq, slot, key_id, set}. False: GO must not go out.
CREATE OR REPLACE FUNCTION heard_accept(p jsonb, p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    u record;
BEGIN
    PERFORM FROM captures c WHERE c.id = (SELECT f.capture_id FROM fulfillments f
        WHERE f.id = (p->>'unit')::uuid AND f.outlet_id = p->>'outlet') FOR NO KEY UPDATE;
    SELECT f.state, f.dispatch_by, v.seq, v.slot, o.decommissioned_at, d.key_id INTO u
        FROM fulfillments f JOIN vend_units v ON v.id = f.id JOIN outlets o ON o.id = f.outlet_id
        JOIN devices d ON d.outlet_id = f.outlet_id
        WHERE f.id = (p->>'unit')::uuid AND f.outlet_id = p->>'outlet'
        FOR NO KEY UPDATE OF f, v;
    IF NOT FOUND OR u.state <> 'offered' OR u.seq IS DISTINCT FROM (p->>'seq')::bigint
        OR u.slot <> p->>'slot' OR u.key_id <> (p->>'key_id')::integer
        OR u.decommissioned_at IS NOT NULL OR p_at >= u.dispatch_by
        -- It may not sell, or its silence is counted: the whole path.
        OR (outlet_stop(p->>'outlet', p_at)).why IS NOT NULL
        OR EXISTS (SELECT FROM outlet_stops s WHERE s.outlet_id = p->>'outlet' AND s.count > 0)
    THEN RETURN false; END IF;
    PERFORM transition_fulfillment((p->>'unit')::uuid, 'ACCEPT', p->'set', p_at);
    RETURN true;
END $$;

-- A line of a journal: stored, and believed if it is the journal that accepted. `p` is {merchant,
-- outlet, type, journal, line, unit, move, run_s, set}; `move` says what a RESULT proves, if it is
-- of the unit's slot. NULL: it is stored, and is no plain one.
CREATE OR REPLACE FUNCTION heard_line(p jsonb, p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    line record;
    u record;
BEGIN
    SELECT * INTO line FROM keep_event((p->>'merchant')::uuid, p->>'outlet', p->>'journal',
        p->'line', p_at);
    IF NOT line.kept THEN RETURN line.through; END IF;
    PERFORM FROM captures c WHERE c.id = (SELECT f.capture_id FROM fulfillments f
        WHERE f.id = (p->>'unit')::uuid AND f.outlet_id = p->>'outlet') FOR NO KEY UPDATE;
    SELECT f.state, f.settlement, f.hard_deadline, v.journal_id, v.slot,
            coalesce(windows_at(o)->>'run_s', p->>'run_s')::float8 AS run_s INTO u
        FROM fulfillments f JOIN vend_units v ON v.id = f.id JOIN outlets o ON o.id = f.outlet_id
        WHERE f.id = (p->>'unit')::uuid AND f.outlet_id = p->>'outlet'
        FOR NO KEY UPDATE OF f, v;
    IF NOT FOUND OR u.journal_id IS DISTINCT FROM p->>'journal' OR u.settlement IS NOT NULL
    THEN RETURN NULL; END IF;
    IF p->>'move' = 'STARTED' THEN
        IF u.state <> 'going' THEN RETURN NULL; END IF;
        PERFORM transition_fulfillment((p->>'unit')::uuid, 'STARTED', jsonb_build_object(
            'started_at', p_at,
            'due_at', least(p_at + u.run_s * interval '1 second', u.hard_deadline)), p_at);
        RETURN line.through;
    END IF;
    IF p->'line'->>'slot' NOT IN ('', u.slot) THEN RETURN NULL; END IF;
    PERFORM transition_fulfillment((p->>'unit')::uuid, p->>'move', p->'set', p_at);
    RETURN line.through;
END $$;

-- What was heard at the same time, of different machines: {done, through, waiting} for each, in one
-- commit. `waiting`: the machine may be offered another unit.
CREATE OR REPLACE FUNCTION heard_together(p jsonb[], p_ats timestamptz[]) RETURNS jsonb[]
LANGUAGE plpgsql AS $$
DECLARE
    answers jsonb[] := '{}';
    through bigint;
BEGIN
    FOR i IN 1 .. cardinality(p) LOOP
        PERFORM set_config('coinslot.merchant', p[i]->>'merchant', true);
        IF p[i]->>'type' = 'ACCEPT' THEN
            answers := answers || jsonb_build_object('done', heard_accept(p[i], p_ats[i]));
        ELSE
            through := heard_line(p[i], p_ats[i]);
            answers := answers || jsonb_build_object('done', through IS NOT NULL,
                'through', through, 'waiting', p[i]->>'type' = 'RESULT' AND EXISTS (SELECT
                    FROM fulfillments f WHERE f.outlet_id = p[i]->>'outlet'
                    AND f.state = 'queued'));
        END IF;
    END LOOP;
    RETURN answers;
END $$;
