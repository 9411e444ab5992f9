-- Where it is, for the times that people read there: an IANA name. NULL: the outlet's is its
-- merchant's, and the merchant's is the installation's (COINSLOT_ZONE).
ALTER TABLE merchants ADD COLUMN zone text;
ALTER TABLE outlets ADD COLUMN zone text;

-- Until when the day was compared: the next one goes on from there, also in another zone.
ALTER TABLE reconciliations ADD COLUMN through timestamptz;
GRANT UPDATE (through) ON reconciliations TO coinslot_app;
