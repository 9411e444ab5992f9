-- Machines whose own controller vends, with us as the cashless slave on its MDB bus: class G1.

ALTER TABLE devices ADD COLUMN mdb boolean NOT NULL DEFAULT false;  -- as its last HELLO said
-- As it was when the unit was offered: only then its controller's word counts.
ALTER TABLE vend_units ADD COLUMN mdb boolean NOT NULL DEFAULT false;

DROP FUNCTION IF EXISTS offer_unit(text, uuid, timestamptz, timestamptz);  -- returned less
