-- Windows of time are per kind of outlet, and an outlet may have its own, in seconds, by their
-- names in the program. So until when a unit may be sent is not the capture's: an order knows its
-- outlet.
ALTER TABLE outlets ADD COLUMN windows jsonb NOT NULL DEFAULT '{}';
ALTER TABLE outlets ADD CONSTRAINT windows_are_positive_numbers CHECK (
    jsonb_typeof(windows) = 'object'
    AND NOT jsonb_path_exists(windows, '$.* ? (@.type() != "number" || @ <= 0)'));
-- Which kinds there are, the program says: `begins_as(kind)` is NULL for one that it does not have.
ALTER TABLE outlets DROP CONSTRAINT outlets_kind_check;
ALTER TABLE outlets ADD CONSTRAINT outlets_kind_check CHECK (kind ~ '^[a-z][a-z_]*$');
ALTER TABLE orders ADD COLUMN dispatch_by timestamptz;  -- since it is paid; of all its units
ALTER TABLE captures DROP COLUMN dispatch_by;
-- Their arguments, or what they return, are others now.
DROP FUNCTION IF EXISTS sell_printed(captures, qr_codes, timestamptz);
DROP FUNCTION IF EXISTS pay_placed(captures, qr_codes, timestamptz);
DROP FUNCTION IF EXISTS pay_placed(captures, uuid, timestamptz);
DROP FUNCTION IF EXISTS pay_order(captures, uuid, uuid, timestamptz);
DROP FUNCTION IF EXISTS next_unit(text, timestamptz, timestamptz);

-- A unit that was begun, and withdrawn before it was sent, is due once more: its kind tells whoever
-- was told of it.
UPDATE fulfillments SET due_at = NULL, leased_until = NULL
    WHERE settlement IS NOT NULL AND due_at IS NOT NULL;
DROP INDEX fulfillments_due;
CREATE INDEX fulfillments_due ON fulfillments (due_at) WHERE due_at IS NOT NULL;
-- What an outlet still has to hand over.
CREATE INDEX fulfillments_open ON fulfillments (outlet_id) WHERE settlement IS NULL;
