-- The address of the gateway's own receipt, where it makes one for the payer.
ALTER TABLE captures ADD COLUMN receipt_url text
    CHECK (receipt_url ~ '^https?://' AND length(receipt_url) <= 2000);
GRANT UPDATE (receipt_url) ON captures TO coinslot_app;
CREATE INDEX captures_receipt_url ON captures (captured_at) WHERE receipt_url IS NOT NULL;
