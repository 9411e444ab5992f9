-- Whoever started a roll-out before this was not told that it might take machines off sale. A new
-- database has no roll-outs yet, nor their table.
DO $$
BEGIN
    IF to_regclass('rollouts') IS NOT NULL THEN
        UPDATE rollouts SET rules = rules || '{"off_sale_s": 0}' WHERE ended_at IS NULL;
    END IF;
END $$;
