-- The moves are called transitions now; what no file has any more goes. Stop old processes first.

DROP FUNCTION IF EXISTS move_order(uuid, text, jsonb, timestamptz);
DROP FUNCTION IF EXISTS move_payment(uuid, text, jsonb, timestamptz);
DROP FUNCTION IF EXISTS move_attempt(uuid, text, jsonb, timestamptz);
DROP FUNCTION IF EXISTS move_refund(uuid, text, jsonb, timestamptz);
DROP FUNCTION IF EXISTS move_fulfillment(uuid, text, jsonb, timestamptz);
DROP FUNCTION IF EXISTS fulfillment_correct(uuid, timestamptz);
DELETE FROM schema_migrations WHERE repeatable AND name LIKE 'sales\_%';
