-- Since when a person has to decide what became of a unit, because its way of selling leaves that
-- to one: NULL where nobody does. Until it is settled this is a case in the queue; at the unit's
-- own deadline it ends all the same.
ALTER TABLE fulfillments ADD COLUMN person_since timestamptz;
CREATE INDEX fulfillments_for_a_person ON fulfillments (merchant_id) WHERE person_since IS NOT NULL;
