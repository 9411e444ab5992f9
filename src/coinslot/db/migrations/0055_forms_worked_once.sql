-- The transaction in which a form's work was done. It is set beside the work and its entry in the
-- audit log, so whoever finds it knows that all three stand, though no answer was kept.
ALTER TABLE idempotency_keys ADD COLUMN worked_by xid8;
GRANT UPDATE (worked_by) ON idempotency_keys TO coinslot_app;
