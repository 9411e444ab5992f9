-- What a machine says it was acknowledged before and we do not have: after a restore, or untrue.
ALTER TABLE device_journals ADD COLUMN skipped bigint NOT NULL DEFAULT 0 CHECK (skipped >= 0);

-- A gateway's facts of a capture are written once; the application changes what we do with them.
REVOKE UPDATE ON captures FROM coinslot_app;
GRANT UPDATE (payment_id, order_id, qr_id, reason, fulfilled, refund_due, surplus, foreign_amount,
    open, outside, outside_used, refund_intended, due_at, leased_until, tries)
    ON captures TO coinslot_app;
