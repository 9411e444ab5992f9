-- What a printed code says, as a scanner read it from the gateway's picture; when a sheet of it was
-- made last; and when a person said that the print of a retired code is off the machine.
ALTER TABLE qr_codes ADD COLUMN payable text,
    ADD COLUMN sheet_at timestamptz,
    ADD COLUMN taken_down_at timestamptz;
CREATE INDEX qr_codes_old_prints ON qr_codes (outlet_id, slot)
    WHERE payment_id IS NULL AND retired_at IS NOT NULL AND sheet_at IS NOT NULL
        AND taken_down_at IS NULL;
