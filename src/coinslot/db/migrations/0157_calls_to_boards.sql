-- The call to a counter where nobody accepts an order is a message of that order: its cost and its
-- end are known as those of any other.
ALTER TABLE counter_messages DROP CONSTRAINT counter_messages_purpose_check;
ALTER TABLE counter_messages ADD CONSTRAINT counter_messages_purpose_check
    CHECK (purpose IN ('code', 'ready', 'cancelled', 'receipt', 'history', 'alarm'));
GRANT INSERT ON counter_messages TO coinslot_door;
