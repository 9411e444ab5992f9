-- A merchant's own settings: from which amount on a refund needs a fresh proof, and a version that
-- tells the second of two people who edit them.
ALTER TABLE merchants
    ADD COLUMN refund_proof_minor bigint CHECK (refund_proof_minor >= 0),
    ADD COLUMN settings_version integer NOT NULL DEFAULT 1;
