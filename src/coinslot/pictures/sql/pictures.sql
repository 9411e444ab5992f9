-- Pictures that nothing shows: they are marked, so that none is taken into use again, their files
-- are removed, and then the row goes. A mark that is older than ten minutes is of a process that
-- died, and another one goes on.
CREATE OR REPLACE FUNCTION end_pictures(p_before timestamptz, p_now timestamptz, p_at_most integer)
RETURNS SETOF pictures LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE pictures SET ending_at = p_now
    WHERE ctid = ANY (ARRAY(
        SELECT p.ctid FROM pictures p
        WHERE p.used_at < p_before
            AND (p.ending_at IS NULL OR p.ending_at < p_now - interval '10 minutes')
            AND NOT EXISTS (SELECT FROM products s
                WHERE s.merchant_id = p.merchant_id AND s.picture = p.digest)
            AND NOT EXISTS (SELECT FROM brands b
                WHERE b.merchant_id = p.merchant_id AND b.logo = p.digest)
        ORDER BY p.used_at LIMIT p_at_most FOR UPDATE SKIP LOCKED))
    RETURNING *
$$;
REVOKE EXECUTE ON FUNCTION end_pictures(timestamptz, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION end_pictures(timestamptz, timestamptz, integer) TO coinslot_door;

CREATE OR REPLACE FUNCTION picture_ended(p_merchant uuid, p_digest text)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM pictures
    WHERE merchant_id = p_merchant AND digest = p_digest AND ending_at IS NOT NULL
$$;
REVOKE EXECUTE ON FUNCTION picture_ended(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION picture_ended(uuid, text) TO coinslot_door;
