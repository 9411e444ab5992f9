-- One key follows one key. As a partial index this is not a key that another row could name, so
-- writing it locks a device's key no more than an update needs.
ALTER TABLE device_api_keys DROP CONSTRAINT device_api_keys_replaced_by_key;
CREATE UNIQUE INDEX device_api_keys_replace_one ON device_api_keys (replaced_by)
    WHERE replaced_by IS NOT NULL;
