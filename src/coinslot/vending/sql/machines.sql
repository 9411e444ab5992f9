-- Which unit a machine gets next, and what else is asked about machines with every message, each in
-- one round trip.

-- The oldest unit that an idle machine may be offered now, locked; no row when there is none.
-- `gone`: by now its slot sells another product than the one that was bought. The
-- machine's row lock comes first: seq is given out under it, and one process at a time decides.
-- Who holds other rows already may not wait for these, which come before them in the order of
-- locks: without `p_wait` there is no row either where somebody else holds one of them.
CREATE OR REPLACE FUNCTION next_unit(p_outlet text, p_heard_since timestamptz, p_now timestamptz,
    p_wait boolean)
RETURNS TABLE (id uuid, order_id uuid, outlet_id text, slot text, sku text, amount_minor bigint,
    currency text, dispatch_by timestamptz, channel text, dialect text, price_version integer,
    planogram_version integer, kind text, windows jsonb, gone boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    oldest uuid;
    paid_by uuid;
BEGIN
    -- Most machines have no queue. Adding to one triggers a look afterwards.
    IF NOT EXISTS (SELECT FROM fulfillments f WHERE f.outlet_id = p_outlet AND f.state = 'queued')
    THEN RETURN; END IF;
    IF p_wait THEN
        PERFORM FROM devices d JOIN outlets o ON o.id = d.outlet_id
            WHERE d.outlet_id = p_outlet AND d.last_seen_at >= p_heard_since
            AND o.decommissioned_at IS NULL FOR NO KEY UPDATE OF d;
    ELSE
        PERFORM FROM devices d JOIN outlets o ON o.id = d.outlet_id
            WHERE d.outlet_id = p_outlet AND d.last_seen_at >= p_heard_since
            AND o.decommissioned_at IS NULL FOR NO KEY UPDATE OF d SKIP LOCKED;
    END IF;
    IF NOT FOUND OR EXISTS (SELECT FROM vend_units v WHERE v.outlet_id = p_outlet AND v.open)
    THEN RETURN; END IF;
    IF (outlet_stop(p_outlet, p_now)).why IS NOT NULL THEN RETURN; END IF;
    SELECT f.id, f.capture_id INTO oldest, paid_by FROM fulfillments f
        WHERE f.outlet_id = p_outlet AND f.state = 'queued' AND f.dispatch_by > p_now
        ORDER BY f.queued_at, f.id LIMIT 1;
    IF p_wait THEN
        PERFORM FROM captures c WHERE c.id = paid_by FOR NO KEY UPDATE;
        PERFORM FROM fulfillments f WHERE f.id = oldest FOR NO KEY UPDATE;
    ELSE
        PERFORM FROM captures c WHERE c.id = paid_by FOR NO KEY UPDATE SKIP LOCKED;
        IF NOT FOUND AND paid_by IS NOT NULL THEN RETURN; END IF;
        PERFORM FROM fulfillments f WHERE f.id = oldest FOR NO KEY UPDATE SKIP LOCKED;
        IF NOT FOUND THEN RETURN; END IF;
    END IF;
    RETURN QUERY SELECT f.id, f.order_id, f.outlet_id, v.slot, l.sku, f.amount_minor,
            f.currency::text, f.dispatch_by, o.channel, o.dialect,
            -- Those under which it was bought, whatever its outlet has by now.
            coalesce(r.price_version, o.price_version),
            coalesce(r.planogram_version, o.planogram_version), f.kind, windows_at(o),
            coalesce(s.product_id <> l.product_id, false)
        FROM fulfillments f JOIN vend_units v ON v.id = f.id JOIN order_lines l ON l.id = f.line_id
        LEFT JOIN slots s ON s.outlet_id = f.outlet_id AND s.slot = v.slot
        LEFT JOIN orders r ON r.id = f.order_id JOIN outlets o ON o.id = f.outlet_id
        WHERE f.id = oldest AND f.state = 'queued';
END $$;

-- The machine's part of each unit of an order that was just paid.
CREATE OR REPLACE FUNCTION vending_queued(p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO vend_units (id, merchant_id, outlet_id, slot)
    SELECT f.id, f.merchant_id, f.outlet_id, l.slot
    FROM fulfillments f JOIN order_lines l ON l.id = f.line_id WHERE f.order_id = p_order;
END $$;

-- Whether the money went back because of the slot: its run failed, or the machine refused it for
-- the slot's own sake. A run of which nothing was heard may have been anything, a network too.
CREATE OR REPLACE FUNCTION slot_failed(p_basis text, p_code text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_basis
        WHEN 'no_drop' THEN true
        WHEN 'vmc_failure' THEN p_code IS DISTINCT FROM 'VEND_CANCEL'
        WHEN 'rejected' THEN coalesce(starts_with(p_code, 'SLOT_'), false)
        WHEN 'policy' THEN p_code IS NOT NULL
        WHEN 'declared' THEN coalesce(p_code, '') NOT IN ('BUSY', 'DOOR_OPEN', 'TEMP_LOCK',
            'PRICE_VERSION', 'PLANOGRAM', 'AGE_REQUIRED', 'FIRMWARE', 'STALE_SEQ', 'JOURNAL_FULL')
        ELSE false
    END
$$;

-- What drops works: a slot that had failed twice and was paid by its printed code sells again. One
-- that fails twice in a row is taken out of sale by itself. What policy settled after its run began
-- may have fallen: it counts as gone until somebody counts.
CREATE OR REPLACE FUNCTION vending_settled(p_unit uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    u fulfillments%ROWTYPE;
    v vend_units%ROWTYPE;
BEGIN
    SELECT * INTO STRICT u FROM fulfillments WHERE id = p_unit;
    SELECT * INTO STRICT v FROM vend_units WHERE id = p_unit;
    IF u.settlement = 'fulfilled' THEN
        PERFORM note_vend(p_unit, 'fell', p_now);
        UPDATE slots SET failures_in_row = 0,
            out_of_sale_at = withheld_at  -- what a person took out, a person puts back
            WHERE outlet_id = u.outlet_id AND slot = v.slot;
        RETURN;
    END IF;
    IF u.basis = 'policy' AND (v.started_at IS NOT NULL OR last_line_of(p_unit) IS NOT NULL) THEN
        PERFORM note_vend(p_unit, 'may_have', p_now);
    END IF;
    IF slot_failed(u.basis, u.failure_code) THEN
        UPDATE slots SET failures_in_row = failures_in_row + 1,
            out_of_sale_at = CASE WHEN failures_in_row >= 1 THEN coalesce(out_of_sale_at, p_now)
                             ELSE out_of_sale_at END
        WHERE outlet_id = u.outlet_id AND slot = v.slot;
    END IF;
END $$;

-- Offers the unit under a new seq, which is returned: a higher one makes the machine open a new
-- lease. `mdb`: the machine's last HELLO told class G1; it stays with the unit, whatever a later
-- HELLO says.
CREATE OR REPLACE FUNCTION offer_unit(p_outlet text, p_unit uuid, p_due timestamptz,
    p_now timestamptz, OUT seq bigint, OUT mdb boolean) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE devices d SET next_seq = d.next_seq + 1 WHERE d.outlet_id = p_outlet
        RETURNING d.next_seq - 1, d.mdb INTO STRICT offer_unit.seq, offer_unit.mdb;
    PERFORM transition_fulfillment(p_unit, 'OFFER', jsonb_build_object('seq', seq, 'mdb', mdb,
        'offers', 1, 'offered_at', p_now, 'due_at', p_due), p_now);
END $$;

-- Offers what was just paid for in the transaction that paid for it: a commit and a claim less
-- than when a sweep finds it. Returns what is to be sent after the commit; NULL where nothing was
-- offered. It asks what `vending/dispatch.py::offer_next` asks, and whatever is not plain is left
-- to that: a machine of the simple dialect, money that goes back because the slot sells another
-- product, one that `p_lines` does not lead to, a row that somebody else holds.
CREATE OR REPLACE FUNCTION vending_begun(p_outlet text, p_lines jsonb, p_windows jsonb,
    p_now timestamptz) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    u record;
    given record;
BEGIN
    SELECT * INTO u FROM next_unit(p_outlet,
        p_now - (p_windows->>'online_s')::float8 * interval '1 second', p_now, false);
    IF NOT FOUND OR u.gone OR u.dialect <> 'leased' OR NOT p_lines ? u.channel THEN
        RETURN NULL;
    END IF;
    SELECT * INTO given FROM offer_unit(p_outlet, u.id, least(greatest(u.dispatch_by, p_now),
        p_now + coalesce(u.windows->>'offer_s', p_windows->>'offer_s')::float8
            * interval '1 second'), p_now);
    RETURN to_jsonb(u) || to_jsonb(given);
END $$;

-- The same day's contradictions are one.
CREATE OR REPLACE FUNCTION contradicted_since(p_known timestamptz, p_now timestamptz)
RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_known > p_now - interval '1 day' THEN p_known ELSE p_now END
$$;

-- A jump is disproved by whoever holds a line of it after all: the journal is acknowledged up to
-- where the jump began, so that nothing of it is deleted at the machine before it is here. A person
-- is called, once a day at most. No row where `p_number` is of no jump.
CREATE OR REPLACE FUNCTION disprove_jump(p_outlet text, p_journal text, p_number bigint,
    p_now timestamptz) RETURNS SETOF device_journals LANGUAGE sql AS $$
    UPDATE device_journals j SET through = j.jumped_from, jumped_from = NULL, jumped_to = NULL,
        skipped = greatest(0, j.jumped_from - j.refused - (SELECT count(*) FROM device_events d
            WHERE d.outlet_id = j.outlet_id AND d.journal_id = j.journal_id
            AND d.event_seq <= j.jumped_from)),
        contradicted_at = contradicted_since(j.contradicted_at, p_now)
    WHERE j.outlet_id = p_outlet AND j.journal_id = p_journal AND p_number <= j.jumped_to
    RETURNING j.*
$$;

-- The journal of a machine, from its HELLO, and how far it is stored. `p_kept`: the last line that
-- it does not hold any more; NULL where it holds none. A new journal is a row, so there is a limit
-- per day: NULL beyond it, until it accepts a unit.
CREATE OR REPLACE FUNCTION meet_journal(p_merchant uuid, p_outlet text, p_journal text,
    p_kept bigint, p_now timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
BEGIN
    IF NOT may_have_journal(p_outlet, p_journal, p_now) THEN RETURN NULL; END IF;
    PERFORM disprove_jump(p_outlet, p_journal, p_kept + 1, p_now);
    -- A line that no machine can have reached is not believed: it would use up the numbers.
    INSERT INTO device_journals AS j (outlet_id, journal_id, merchant_id, through, jumped_from,
        jumped_to, first_seen_at)
    VALUES (p_outlet, p_journal, p_merchant, CASE WHEN p_kept <= 1000000 THEN p_kept ELSE 0 END,
        CASE WHEN p_kept BETWEEN 1 AND 1000000 THEN 0 END,
        CASE WHEN p_kept BETWEEN 1 AND 1000000 THEN p_kept END, p_now)
    ON CONFLICT (outlet_id, journal_id) DO UPDATE SET (through, jumped_from, jumped_to) = (SELECT
        CASE WHEN far THEN p_kept ELSE j.through END,
        CASE WHEN far THEN coalesce(j.jumped_from, j.through) ELSE j.jumped_from END,
        CASE WHEN far THEN p_kept ELSE j.jumped_to END
        FROM (SELECT p_kept - j.through BETWEEN 1 AND 1000000) AS jump (far))
    RETURNING through INTO reached;
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
-- One whose number holds another line is not acknowledged until its unit is settled: it may be the
-- machine's only word of the unit, and is there to answer a QUERY.
CREATE OR REPLACE FUNCTION keep_event(p_merchant uuid, p_outlet text, p_journal text,
    p_event jsonb, p_now timestamptz, OUT through bigint, OUT kept boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    number bigint := (p_event->>'event_seq')::bigint;
    offered boolean := EXISTS (SELECT FROM vend_units v WHERE v.id = (p_event->>'unit_id')::uuid
        AND v.outlet_id = p_outlet AND v.offered_at IS NOT NULL);
    j device_journals%ROWTYPE;
    reached bigint;
    strange boolean := false;
    refused boolean := false;
    taken boolean := false;
BEGIN
    through := 0;
    kept := false;
    IF NOT offered AND NOT may_have_journal(p_outlet, p_journal, p_now) THEN RETURN; END IF;
    -- The journal's row is locked from here on, new or not.
    INSERT INTO device_journals AS d (outlet_id, journal_id, merchant_id, first_seen_at)
    VALUES (p_outlet, p_journal, p_merchant, p_now)
    ON CONFLICT (outlet_id, journal_id) DO UPDATE SET first_seen_at = d.first_seen_at
    RETURNING d.* INTO j;
    IF number <= j.jumped_to THEN
        SELECT * INTO j FROM disprove_jump(p_outlet, p_journal, number, p_now);
    END IF;
    reached := j.through;
    SELECT e.message = p_event AND NOT EXISTS (SELECT FROM fulfillments f
            WHERE f.id = e.unit_id AND e.at < f.sent_at),
        -- Not by fields that only one of two versions of ours reads.
        (e.unit_id, e.message->>'type', e.message->>'outcome') IS DISTINCT FROM
            ((p_event->>'unit_id')::uuid, p_event->>'type', p_event->>'outcome')
        INTO kept, taken FROM device_events e WHERE e.outlet_id = p_outlet
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
    -- Mostly the next line is the first that is missing. One look-up each: a range would be planned
    -- again at every call.
    IF kept AND number = reached + 1 THEN reached := number; END IF;
    WHILE reached < j.through + 200 AND EXISTS (SELECT FROM device_events e
        WHERE e.outlet_id = p_outlet AND e.journal_id = p_journal AND e.event_seq = reached + 1)
    LOOP reached := reached + 1; END LOOP;
    IF reached > j.through OR strange OR (refused AND j.refused_at IS NULL) OR taken THEN
        UPDATE device_journals d SET through = reached, strange = d.strange + strange::integer,
            contradicted_at = CASE WHEN taken THEN contradicted_since(d.contradicted_at, p_now)
                ELSE d.contradicted_at END,
            refused = d.refused + (refused AND number <= reached)::integer,
            refused_at = CASE WHEN refused THEN coalesce(d.refused_at, p_now)
                ELSE d.refused_at END
        WHERE d.outlet_id = p_outlet AND d.journal_id = p_journal;
    END IF;
    through := reached;
    IF taken AND offered AND EXISTS (SELECT FROM fulfillments f
            WHERE f.id = (p_event->>'unit_id')::uuid AND f.settlement IS NULL) THEN
        through := least(reached, number - 1);
    END IF;
END $$;
