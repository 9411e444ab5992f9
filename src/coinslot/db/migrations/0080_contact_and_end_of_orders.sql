-- Where the fiscal receipt of an order goes: an e-mail address, or a telephone number such as
-- +79161234567. The customer typed it for this, and it is used for nothing else.
ALTER TABLE orders ADD COLUMN receipt_contact text;
ALTER TABLE orders ADD CONSTRAINT a_receipt_contact_is_an_address CHECK (
    length(receipt_contact) <= 254 AND (receipt_contact ~ '^[^@[:space:]]+@[^@[:space:]]+$'
        OR receipt_contact ~ '^\+[0-9]{7,15}$'));

-- The outlet waits for the money only so long, however late its customer chose a way to pay. NULL:
-- choosing a way begins the time to pay anew.
ALTER TABLE orders ADD COLUMN ends_by timestamptz;
