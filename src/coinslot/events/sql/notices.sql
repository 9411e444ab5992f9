-- What ended before that moment: notices, alerts, and browsers that show none any more.
CREATE OR REPLACE FUNCTION prune_notices(p_before timestamptz, p_at_most integer)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH notices_gone AS (
        DELETE FROM notices WHERE ctid = ANY (ARRAY(SELECT ctid FROM notices
            WHERE ended_at < p_before LIMIT p_at_most FOR UPDATE SKIP LOCKED)) RETURNING 1
    ), alerts_gone AS (
        DELETE FROM alerts WHERE ctid = ANY (ARRAY(SELECT ctid FROM alerts
            WHERE ended_at < p_before AND end_told_at IS NOT NULL
            LIMIT p_at_most FOR UPDATE SKIP LOCKED)) RETURNING 1
    ), browsers_gone AS (
        DELETE FROM push_subscriptions WHERE ctid = ANY (ARRAY(SELECT ctid FROM push_subscriptions
            WHERE ended_at < p_before LIMIT p_at_most FOR UPDATE SKIP LOCKED)) RETURNING 1
    )
    SELECT greatest((SELECT count(*) FROM notices_gone), (SELECT count(*) FROM alerts_gone),
        (SELECT count(*) FROM browsers_gone))
$$;
REVOKE EXECUTE ON FUNCTION prune_notices(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_notices(timestamptz, integer) TO coinslot_door;
