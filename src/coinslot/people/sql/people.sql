-- What ended before that moment: sessions with their refresh tokens, counted tries, challenges that
-- were used. The log of who did what keeps what happened.
CREATE OR REPLACE FUNCTION prune_sessions(p_before timestamptz, p_at_most integer)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH old AS MATERIALIZED (
        SELECT id FROM sessions WHERE expires_at < p_before
        ORDER BY expires_at LIMIT p_at_most FOR UPDATE SKIP LOCKED
    ), tokens AS (
        DELETE FROM refresh_tokens t USING old WHERE t.session_id = old.id
    ), tries AS (
        DELETE FROM sign_in_tries WHERE ctid = ANY (ARRAY(SELECT ctid FROM sign_in_tries
            WHERE since < p_before LIMIT p_at_most FOR UPDATE SKIP LOCKED)) RETURNING 1
    ), challenges AS (
        DELETE FROM used_challenges WHERE ctid = ANY (ARRAY(SELECT ctid FROM used_challenges
            WHERE at < p_before LIMIT p_at_most FOR UPDATE SKIP LOCKED)) RETURNING 1
    ), gone AS (
        DELETE FROM sessions s USING old WHERE s.id = old.id RETURNING 1
    )
    SELECT greatest((SELECT count(*) FROM gone), (SELECT count(*) FROM tries),
        (SELECT count(*) FROM challenges))
$$;
REVOKE EXECUTE ON FUNCTION prune_sessions(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_sessions(timestamptz, integer) TO coinslot_door;
