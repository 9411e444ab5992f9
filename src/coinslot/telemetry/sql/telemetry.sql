-- What machines say of themselves: readings, samples of them for charts, lines of logs, and when
-- the temperature forbids to sell.

-- A number of a configuration within these bounds; another one, or none, is the default.
CREATE OR REPLACE FUNCTION number_of(p_value jsonb, p_least numeric, p_most numeric,
    p_default numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN jsonb_typeof(p_value) = 'number'
        AND p_value::numeric BETWEEN p_least AND p_most THEN p_value::numeric ELSE p_default END
$$;

-- The food lock that a device's configuration asks for; all NULL where it asks for none.
CREATE OR REPLACE FUNCTION food_rule(p_device jsonb, OUT limit_c real, OUT warm_for interval,
    OUT grace interval, OUT silent_for interval) LANGUAGE sql IMMUTABLE AS $$
    SELECT number_of(f->'limit_c', -40, 60, 5)::real,
        make_interval(secs => number_of(f->'warm_s', 1, 86400, 900)::double precision),
        make_interval(secs => number_of(f->'grace_s', 0, 86400, 1800)::double precision),
        make_interval(secs => number_of(f->'silent_s', 1, 86400, 900)::double precision)
    FROM (SELECT p_device->'food_lock' AS f) one WHERE jsonb_typeof(f) = 'object'
$$;

-- Why the temperature forbids to sell: it was too warm for too long, or nobody knows how warm.
CREATE OR REPLACE FUNCTION food_stop(p_outlet text, p_now timestamptz) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    asked jsonb;
    rule record;
    h machine_health%ROWTYPE;
BEGIN
    SELECT o.device_config INTO asked FROM outlets o
        WHERE o.id = p_outlet AND jsonb_typeof(o.device_config->'food_lock') = 'object';
    IF NOT FOUND THEN RETURN NULL; END IF;
    SELECT * INTO rule FROM food_rule(asked);
    SELECT * INTO h FROM machine_health WHERE outlet_id = p_outlet;
    RETURN CASE
        WHEN h.warm_since IS NOT NULL
            AND p_now >= greatest(h.warm_since + rule.warm_for, h.grace_until) THEN 'food_lock'
        WHEN h.temperature_at IS NULL OR p_now >= h.temperature_at + rule.silent_for
            THEN 'no_temperature' END;
END $$;

-- What machines said of themselves, at most one of each; returns those that are locked by it. A
-- process that heard the same, or older, changes nothing.
CREATE OR REPLACE FUNCTION take_readings(p_outlets text[], p_at timestamptz[], p_said jsonb[],
    p_online interval) RETURNS TABLE (locked text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    -- In one order by all processes.
    PERFORM FROM machine_health h WHERE h.outlet_id = ANY (p_outlets)
        ORDER BY h.outlet_id FOR NO KEY UPDATE;
    PERFORM keep_samples(p_outlets, p_at);
    PERFORM keep_counters(p_outlets, p_at, p_said);
    -- Too warm until just now counts, though it is cool again.
    RETURN QUERY SELECT * FROM lock_food(p_outlets, p_at);
    INSERT INTO machine_health AS h (outlet_id, merchant_id, at, temperature_c, temperature_at,
        warm_since, grace_until, door_open, reset_reason, free_heap, journal_used, rssi, firmware,
        config_version, uptime_s, counters, sampled_at, low, high, sum_c, readings_c, doors)
    SELECT o.id, o.merchant_id, b.at, t.c, CASE WHEN t.c IS NOT NULL THEN b.at END,
        CASE WHEN t.c > r.limit_c THEN b.at END, CASE WHEN t.opened THEN b.at + r.grace END,
        (b.said->>'door_open')::boolean, b.said->>'reset_reason', (b.said->>'free_heap')::bigint,
        (b.said->>'journal_used')::smallint, (b.said->>'rssi')::smallint, b.said->>'firmware',
        (b.said->>'config_version')::bigint, (b.said->>'uptime_s')::bigint, b.said->'counters',
        b.at, coalesce((b.said->>'low')::real, t.c), coalesce((b.said->>'high')::real, t.c),
        coalesce(t.c, 0), (t.c IS NOT NULL)::integer, coalesce(t.opened, false)
    FROM unnest(p_outlets, p_at, p_said) AS b (outlet_id, at, said)
    JOIN outlets o ON o.id = b.outlet_id AND o.decommissioned_at IS NULL
    LEFT JOIN LATERAL food_rule(o.device_config) r ON true
    CROSS JOIN LATERAL (SELECT (b.said->>'temperature_c')::real AS c,
        (b.said->>'opened')::boolean AS opened) t
    ORDER BY o.id
    ON CONFLICT (outlet_id) DO UPDATE SET at = excluded.at,
        temperature_c = coalesce(excluded.temperature_c, h.temperature_c),
        temperature_at = coalesce(excluded.temperature_at, h.temperature_at),
        -- Above the limit without a break: only a temperature within it ends that.
        warm_since = CASE WHEN excluded.temperature_c IS NULL THEN h.warm_since
            WHEN excluded.warm_since IS NOT NULL THEN coalesce(h.warm_since, excluded.warm_since)
            END,
        -- Given once: a door that opens again, or stays open, gives none before it was cool again.
        grace_until = CASE
            WHEN excluded.warm_since IS NULL AND excluded.temperature_c IS NOT NULL THEN
                coalesce(excluded.grace_until,
                    CASE WHEN h.grace_until > excluded.at THEN h.grace_until END)
            ELSE coalesce(h.grace_until, excluded.grace_until) END,
        door_open = coalesce(excluded.door_open, h.door_open),
        reset_reason = coalesce(excluded.reset_reason, h.reset_reason),
        free_heap = coalesce(excluded.free_heap, h.free_heap),
        journal_used = coalesce(excluded.journal_used, h.journal_used),
        rssi = coalesce(excluded.rssi, h.rssi), firmware = coalesce(excluded.firmware, h.firmware),
        config_version = coalesce(excluded.config_version, h.config_version),
        uptime_s = coalesce(excluded.uptime_s, h.uptime_s),
        counters = coalesce(excluded.counters, h.counters),
        restarts = CASE WHEN excluded.uptime_s < h.uptime_s
            THEN (excluded.at || h.restarts)[1:16] ELSE h.restarts END,
        sampled_at = CASE WHEN bin_of(excluded.at) > bin_of(h.sampled_at) THEN excluded.at
            ELSE h.sampled_at END,
        low = least(excluded.low, CASE WHEN same_bin(h, excluded.at) THEN h.low END),
        high = greatest(excluded.high, CASE WHEN same_bin(h, excluded.at) THEN h.high END),
        sum_c = excluded.sum_c + CASE WHEN same_bin(h, excluded.at) THEN h.sum_c ELSE 0 END,
        readings_c = excluded.readings_c
            + CASE WHEN same_bin(h, excluded.at) THEN h.readings_c ELSE 0 END,
        doors = excluded.doors OR (same_bin(h, excluded.at) AND h.doors),
        heard_s = CASE WHEN same_bin(h, excluded.at) THEN h.heard_s ELSE 0 END
            + CASE WHEN excluded.at - h.at <= p_online
                THEN extract(epoch FROM excluded.at - h.at) ELSE 0 END
    WHERE excluded.at > h.at;
    RETURN QUERY SELECT * FROM lock_food(p_outlets, p_at);
END $$;

-- The machines that are too warm for too long at that moment sell nothing until a person has
-- looked. A time of which nobody knows how warm it was proves nothing: `no_temperature` stops it
-- meanwhile.
CREATE OR REPLACE FUNCTION lock_food(p_outlets text[], p_at timestamptz[])
RETURNS TABLE (locked text) LANGUAGE sql AS $$
    INSERT INTO outlet_stops AS s (outlet_id, why, merchant_id, since, returns_money, data)
    SELECT h.outlet_id, 'food_lock', h.merchant_id, b.at, true, jsonb_build_object(
        'temperature_c', h.temperature_c, 'warm_since', h.warm_since, 'by', 'server')
    FROM unnest(p_outlets, p_at) AS b (outlet_id, at)
    JOIN machine_health h ON h.outlet_id = b.outlet_id AND h.warm_since IS NOT NULL
    JOIN outlets o ON o.id = h.outlet_id
    JOIN LATERAL food_rule(o.device_config) r ON b.at < h.temperature_at + r.silent_for
    WHERE food_stop(h.outlet_id, b.at) = 'food_lock' ORDER BY h.outlet_id
    ON CONFLICT (outlet_id, why) DO UPDATE SET until = NULL, since = excluded.since,
        data = excluded.data WHERE s.until IS NOT NULL
    RETURNING s.outlet_id
$$;

CREATE OR REPLACE FUNCTION bin_of(p_at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT date_bin('300 seconds', p_at, '2000-01-01 00:00:00+00')
$$;

-- What was said at that moment is in the sample that this row gathers.
CREATE OR REPLACE FUNCTION same_bin(p_health machine_health, p_at timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT bin_of(p_at) <= bin_of(p_health.sampled_at) $$;

-- The samples of machines of which a newer reading is there, into charts of a day, a month, years.
CREATE OR REPLACE FUNCTION keep_samples(p_outlets text[], p_at timestamptz[])
RETURNS void LANGUAGE sql AS $$
    INSERT INTO machine_samples AS s (outlet_id, span, at, merchant_id, low, high, sum_c,
        readings_c, heard_s, free_heap, rssi, journal_used, door_open)
    SELECT h.outlet_id, p.span,
        date_bin(make_interval(secs => p.span), h.sampled_at, '2000-01-01 00:00:00+00'),
        h.merchant_id, h.low, h.high, h.sum_c, h.readings_c, h.heard_s, h.free_heap, h.rssi,
        h.journal_used, h.doors
    FROM unnest(p_outlets, p_at) AS b (outlet_id, at)
    JOIN machine_health h ON h.outlet_id = b.outlet_id AND NOT same_bin(h, b.at)
    CROSS JOIN (VALUES (300), (3600), (86400)) AS p (span)
    ORDER BY h.outlet_id, p.span
    ON CONFLICT (outlet_id, span, at) DO UPDATE SET low = least(s.low, excluded.low),
        high = greatest(s.high, excluded.high), sum_c = s.sum_c + excluded.sum_c,
        readings_c = s.readings_c + excluded.readings_c, heard_s = s.heard_s + excluded.heard_s,
        free_heap = least(s.free_heap, excluded.free_heap), rssi = least(s.rssi, excluded.rssi),
        journal_used = greatest(s.journal_used, excluded.journal_used),
        door_open = s.door_open OR excluded.door_open
$$;

-- Lines of machines' logs, each machine's up to a number a day; how many were left out by that.
CREATE OR REPLACE FUNCTION take_log_lines(p_outlets text[], p_at timestamptz[], p_mono bigint[],
    p_levels text[], p_texts text[], p_most integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    left_out bigint;
BEGIN
    PERFORM FROM machine_log_days d WHERE d.outlet_id = ANY (p_outlets)
        ORDER BY d.outlet_id, d.day FOR NO KEY UPDATE;
    WITH b AS MATERIALIZED (
        SELECT l.*, o.merchant_id, (l.at AT TIME ZONE 'UTC')::date AS day,
            row_number() OVER (PARTITION BY l.outlet_id, (l.at AT TIME ZONE 'UTC')::date
                ORDER BY l.place) AS number
        FROM unnest(p_outlets, p_at, p_mono, p_levels, p_texts) WITH ORDINALITY
            AS l (outlet_id, at, mono, level, text, place)
        JOIN outlets o ON o.id = l.outlet_id
    ), days AS (
        INSERT INTO machine_log_days AS d (outlet_id, day, merchant_id, lines, left_out)
        SELECT outlet_id, day, merchant_id, least(count(*), p_most),
            greatest(count(*) - p_most, 0)
        FROM b GROUP BY outlet_id, day, merchant_id ORDER BY outlet_id, day
        ON CONFLICT (outlet_id, day) DO UPDATE SET
            lines = least(d.lines + excluded.lines, p_most),
            left_out = d.left_out + excluded.left_out
                + greatest(d.lines + excluded.lines - p_most, 0)
        RETURNING 1
    ), kept AS (
        INSERT INTO machine_logs (outlet_id, merchant_id, at, mono_ms, level, text)
        SELECT b.outlet_id, b.merchant_id, b.at, b.mono, b.level, b.text
        FROM b LEFT JOIN machine_log_days d ON d.outlet_id = b.outlet_id AND d.day = b.day
        WHERE b.number + coalesce(d.lines, 0) <= p_most ORDER BY b.place RETURNING 1
    )
    SELECT (SELECT count(*) FROM b) - (SELECT count(*) FROM kept) INTO left_out;
    RETURN left_out;
END $$;

-- What charts and searches need no more, some at a time.
CREATE OR REPLACE FUNCTION prune_samples(p_span integer, p_before timestamptz, p_at_most integer)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (DELETE FROM machine_samples WHERE ctid = ANY (ARRAY(SELECT ctid
        FROM machine_samples WHERE span = p_span AND at < p_before LIMIT p_at_most
        FOR UPDATE SKIP LOCKED)) RETURNING 1)
    SELECT count(*) FROM gone
$$;
REVOKE EXECUTE ON FUNCTION prune_samples(integer, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_samples(integer, timestamptz, integer) TO coinslot_door;

CREATE OR REPLACE FUNCTION prune_machine_logs(p_before timestamptz, p_at_most integer)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH lines AS (DELETE FROM machine_logs WHERE ctid = ANY (ARRAY(SELECT ctid
        FROM machine_logs WHERE at < p_before LIMIT p_at_most FOR UPDATE SKIP LOCKED))
        RETURNING 1
    ), days AS (DELETE FROM machine_log_days WHERE ctid = ANY (ARRAY(SELECT ctid
        FROM machine_log_days WHERE day < (p_before AT TIME ZONE 'UTC')::date LIMIT p_at_most
        FOR UPDATE SKIP LOCKED)) RETURNING 1)
    SELECT greatest((SELECT count(*) FROM lines), (SELECT count(*) FROM days))
$$;
REVOKE EXECUTE ON FUNCTION prune_machine_logs(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_machine_logs(timestamptz, integer) TO coinslot_door;
