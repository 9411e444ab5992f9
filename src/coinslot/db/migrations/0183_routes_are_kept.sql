-- The application deletes nothing: a route that is removed is kept, and found no more.
ALTER TABLE routes ADD COLUMN dropped_at timestamptz;
REVOKE DELETE ON routes, slot_demand FROM coinslot_app;
