-- Webhooks that are signed and cannot be worked are kept once, like the others. What is not ours
-- among them is done with; what may be ours waits for a person. And a person can end every row.

ALTER TABLE inbox
    ADD COLUMN ours boolean,                          -- of an unreadable one
    ADD COLUMN told integer NOT NULL DEFAULT 1,       -- how often a hint was told
    ADD COLUMN told_at timestamptz,                   -- when it was told again
    ADD COLUMN ended_by text;                         -- the person who took it out of the queue
CREATE UNIQUE INDEX inbox_unreadable ON inbox (account_id, delivery_id)
    WHERE verdict = 'unreadable';
CREATE UNIQUE INDEX inbox_hint ON inbox (account_id, delivery_id) WHERE verdict = 'hint';
-- What a person may have to look at.
CREATE INDEX inbox_unworked ON inbox (received_at)
    WHERE worked_at IS NULL AND verdict <> 'forged';
CREATE INDEX attempts_gateway_payment ON attempts (account_id, gateway_payment_id)
    WHERE gateway_payment_id IS NOT NULL;

-- Those from before were answered with 400: what they told was found by asking.
UPDATE inbox SET worked_at = received_at, ours = false WHERE verdict = 'unreadable';
ALTER TABLE inbox ADD CONSTRAINT an_unreadable_one_is_judged
    CHECK ((verdict = 'unreadable') = (ours IS NOT NULL));

GRANT UPDATE (told, told_at, ended_by) ON inbox TO coinslot_app;
