-- These take rows that their callers have read, in place of ids; `pay_order` returns nothing.
DROP FUNCTION IF EXISTS pay_order(captures, uuid, uuid, jsonb, timestamptz);
DROP FUNCTION IF EXISTS dispatch_window(uuid, jsonb);
DROP FUNCTION IF EXISTS is_sold_here(text);
DROP FUNCTION IF EXISTS cannot_sell(text, uuid);
