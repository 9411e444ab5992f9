-- Whether an outlet sells nothing for now, and why: what was put down, and what the food lock finds
-- by itself, so that no process has to run for a warm machine to stop. NULL: it sells. What gives
-- money back at once comes first. `before_update` stops no unit that is paid: see outlet_closed.
CREATE OR REPLACE FUNCTION outlet_stop(p_outlet text, p_now timestamptz,
    OUT why text, OUT returns_money boolean) LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT s.why, s.returns_money INTO why, returns_money FROM outlet_stops s
        WHERE s.outlet_id = p_outlet AND (s.until IS NULL OR s.until > p_now)
            AND s.why <> 'before_update'
        ORDER BY s.returns_money DESC, s.why LIMIT 1;
    IF returns_money THEN RETURN; END IF;
    IF food_stop(p_outlet, p_now) IS NOT NULL THEN
        why := food_stop(p_outlet, p_now);
        returns_money := true;
    END IF;
END $$;

-- Why its page takes no new order: it is stopped, or only what is paid already is handed over, so
-- that its machine comes to rest and can be updated. That ends by itself at `until`.
CREATE OR REPLACE FUNCTION outlet_closed(p_outlet text, p_now timestamptz) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((outlet_stop(p_outlet, p_now)).why, (SELECT s.why FROM outlet_stops s
        WHERE s.outlet_id = p_outlet AND s.why = 'before_update' AND s.until > p_now));
END $$;
