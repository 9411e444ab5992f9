-- Rows of these tables are written again and again while something is sold, and then never more. By
-- PostgreSQL's own rule a table of a million rows is vacuumed after 200,000 dead ones: until then
-- each look for what is due reads past all of them.
DO $$
DECLARE
    hot text;
BEGIN
    FOREACH hot IN ARRAY ARRAY['orders', 'payments', 'attempts', 'captures', 'fulfillments',
        'vend_units', 'refunds', 'receipts', 'inbox', 'deliveries', 'devices', 'device_journals',
        'idempotency_keys', 'slots'] LOOP
        EXECUTE format('ALTER TABLE %I SET (autovacuum_vacuum_scale_factor = 0.01,'
            ' autovacuum_analyze_scale_factor = 0.02)', hot);
    END LOOP;
END $$;
