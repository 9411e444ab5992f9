-- Where a journal's acknowledgement jumped over lines that we never had, because its HELLO said
-- that it holds none below: after `jumped_from`, up to and with `jumped_to`. A line of that range,
-- or a HELLO that still holds one, disproves it. `contradicted_at`: when somebody with the
-- machine's secret last contradicted what this journal had said.
ALTER TABLE device_journals
    ADD COLUMN jumped_from bigint,
    ADD COLUMN jumped_to bigint,
    ADD COLUMN contradicted_at timestamptz,
    ADD CONSTRAINT a_jump_goes_forward CHECK ((jumped_from IS NULL) = (jumped_to IS NULL)
        AND coalesce(jumped_from < jumped_to, true));
CREATE INDEX device_journals_contradicted ON device_journals (outlet_id)
    WHERE contradicted_at IS NOT NULL;

-- Of jumps until now only the number of lines is known: from the first line that is missing to the
-- last one.
UPDATE device_journals j SET jumped_from = gap.first - 1, jumped_to = gap.last
FROM device_journals k, LATERAL (
    SELECT min(m.after + 1) AS first, max(m.before - 1) AS last FROM (
        SELECT lag(e.number, 1, 0) OVER (ORDER BY e.number) AS after, e.number AS before FROM (
            SELECT d.event_seq AS number FROM device_events d WHERE d.outlet_id = k.outlet_id
                AND d.journal_id = k.journal_id AND d.event_seq <= k.through
            UNION ALL SELECT k.through + 1) e) m
    WHERE m.before - m.after > 1) gap
WHERE k.skipped > 0 AND gap.first IS NOT NULL
    AND (j.outlet_id, j.journal_id) = (k.outlet_id, k.journal_id);
