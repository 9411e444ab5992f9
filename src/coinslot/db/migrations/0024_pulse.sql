-- One row that a health check writes, to see that a commit ends: a server that answers reads may be
-- read-only, full, or wait for a standby.
CREATE TABLE pulse (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    beat_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO pulse DEFAULT VALUES;
GRANT SELECT ON pulse TO coinslot_app, coinslot_door;
GRANT UPDATE (beat_at) ON pulse TO coinslot_door;
