-- Where the receipt of a payment goes that the merchant's own server collects: as an order has it.
ALTER TABLE payments ADD COLUMN receipt_contact text CONSTRAINT a_payments_contact_is_an_address
    CHECK (length(receipt_contact) <= 254 AND (receipt_contact ~ '^[^@[:space:]]+@[^@[:space:]]+$'
        OR receipt_contact ~ '^\+[0-9]{7,15}$'));
GRANT UPDATE (receipt_contact) ON payments TO coinslot_door;
CREATE INDEX payments_receipt_contact ON payments (created_at) WHERE receipt_contact IS NOT NULL;
