-- What became of a call to a counter is its message's (0157): nothing reads this any more.
ALTER TABLE counter_alarms DROP COLUMN call;
