-- A person takes a slot out of sale until a person puts it back; what takes itself out after two
-- failures comes back with a drop or a refill.
ALTER TABLE slots ADD COLUMN withheld_at timestamptz;

-- Of one machine: what its customers still wait for, and what went wrong, the newest first.
CREATE INDEX fulfillments_unsettled ON fulfillments (outlet_id) WHERE settlement IS NULL;
CREATE INDEX fulfillments_faults ON fulfillments (outlet_id, id)
    WHERE settlement = 'refund_due' OR state = 'in_doubt';
