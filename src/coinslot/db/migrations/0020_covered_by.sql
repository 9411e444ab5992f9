-- One refund that is told twice: ours that the gateway made by itself meanwhile names the gateway
-- one, and what may stand in the place of one of ours is not told until it is known.

ALTER TABLE refunds
    ADD COLUMN covered_by uuid REFERENCES refunds,   -- of ours: the gateway's own that paid it
    ADD COLUMN in_place_of uuid REFERENCES refunds;  -- of the gateway's own: not told yet
CREATE INDEX refunds_covered_by ON refunds (covered_by) WHERE covered_by IS NOT NULL;

GRANT UPDATE (covered_by, in_place_of) ON refunds TO coinslot_app;
