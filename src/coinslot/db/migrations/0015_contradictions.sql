-- Money back for a unit that stands as fulfilled is a named person's decision. Rows without a name
-- are of the time when the machine's later word was enough; they stand, and the audit tells them.
ALTER TABLE corrections
    ADD COLUMN made_by text,
    ADD COLUMN note text NOT NULL DEFAULT '',
    ADD CONSTRAINT a_correction_names_who_made_it CHECK (made_by IS NOT NULL) NOT VALID;

-- What a machine tells is bounded. `strange`: lines kept of units that it was never offered;
-- `refused`: lines that were acknowledged and not kept, since `refused_at`.
ALTER TABLE device_journals
    ADD COLUMN strange bigint NOT NULL DEFAULT 0,
    ADD COLUMN refused bigint NOT NULL DEFAULT 0,
    ADD COLUMN refused_at timestamptz;
CREATE INDEX device_journals_refused ON device_journals (outlet_id) WHERE refused_at IS NOT NULL;

-- When the machine was last asked about the unit: a question asked again at once is the same one.
ALTER TABLE fulfillments ADD COLUMN asked_at timestamptz;
