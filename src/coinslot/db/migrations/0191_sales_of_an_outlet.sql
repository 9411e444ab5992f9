-- The sales of one machine over a year, without reading those of all others.
CREATE INDEX unit_days_outlet ON unit_days (outlet_id, day);
