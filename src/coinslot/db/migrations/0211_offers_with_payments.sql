-- Said less, or asked for less, before what was paid for could be begun in the same transaction.
DROP FUNCTION IF EXISTS next_unit(text, timestamptz, timestamptz);
DROP FUNCTION IF EXISTS take_webhook(jsonb, bytea, timestamptz);
DROP FUNCTION IF EXISTS take_webhooks(jsonb[], bytea[], timestamptz[]);
