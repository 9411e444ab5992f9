-- What the mirror asks for: payments by the gateway's name for them, captures of a payment, and the
-- printed codes of a machine, the retired ones too.
CREATE INDEX captures_gateway_payment ON captures (gateway_payment_id, id);
CREATE INDEX captures_payment ON captures (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX qr_codes_of_outlet ON qr_codes (outlet_id)
    WHERE payment_id IS NULL AND qr_code_id IS NOT NULL;

-- Machines are mirrored in rounds, beside the log: whoever holds this makes them.
CREATE TABLE mirror_rounds (
    one           boolean PRIMARY KEY DEFAULT true CHECK (one),
    holder        text,
    leased_until  timestamptz
);
INSERT INTO mirror_rounds DEFAULT VALUES;
GRANT SELECT ON mirror_rounds TO coinslot_app;
GRANT SELECT, UPDATE ON mirror_rounds TO coinslot_door;
