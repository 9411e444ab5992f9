-- Fiscal receipts (54-FZ): one for each payment and each refund at an account that has them made.

-- What stands in one never changes: a correction is another receipt, which `replaces` it. `body`
-- has its lines, and not where it goes: that is the customer's, and is taken out when it is not
-- needed any more. `refund_id` of one that replaces another may be of the refund that followed.
CREATE TABLE receipts (
    id             uuid PRIMARY KEY,
    merchant_id    uuid NOT NULL REFERENCES merchants,
    account_id     uuid NOT NULL REFERENCES gateway_accounts,
    kind           text NOT NULL CHECK (kind IN ('payment', 'refund')),
    attempt_id     uuid REFERENCES attempts,
    refund_id      uuid REFERENCES refunds,
    replaces       uuid UNIQUE REFERENCES receipts,
    state          text NOT NULL,
    version        integer NOT NULL DEFAULT 1,
    amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
    currency       char(3) NOT NULL,
    body           jsonb NOT NULL,
    contact        text CONSTRAINT a_receipts_contact_is_an_address CHECK (length(contact) <= 254
        AND (contact ~ '^[^@[:space:]]+@[^@[:space:]]+$' OR contact ~ '^\+[0-9]{7,15}$')),
    gateway_receipt_id text,
    fiscal         jsonb,                    -- the numbers by which anybody can look it up
    failure        text,
    made_by        text,                     -- the person who corrected it
    created_at     timestamptz NOT NULL,
    sent_at        timestamptz,
    late_at        timestamptz,              -- then it is overdue; known once the money moved
    ended_at       timestamptz,
    tries          integer NOT NULL DEFAULT 0,
    due_at         timestamptz,
    leased_until   timestamptz,
    lease          integer NOT NULL DEFAULT 0,
    CONSTRAINT a_receipt_is_of_a_payment_or_of_a_refund CHECK
        (num_nonnulls(attempt_id, refund_id) = 1 AND (kind = 'refund') = (refund_id IS NOT NULL))
);
CREATE UNIQUE INDEX receipts_attempt ON receipts (attempt_id) WHERE replaces IS NULL;
CREATE UNIQUE INDEX receipts_refund ON receipts (refund_id) WHERE replaces IS NULL;
CREATE INDEX receipts_due ON receipts (account_id, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX receipts_newest ON receipts (merchant_id, created_at DESC, id DESC);
CREATE INDEX receipts_wanting ON receipts (merchant_id) WHERE state IN ('refused', 'overdue');
CREATE INDEX receipts_contact ON receipts (ended_at) WHERE contact IS NOT NULL;

CREATE TRIGGER lease_is_held BEFORE UPDATE ON receipts FOR EACH ROW
    WHEN (current_setting('coinslot.lease', true) LIKE 'receipts ' || OLD.id || ' %'
        AND current_setting('coinslot.lease', true) <> 'receipts ' || OLD.id || ' ' || OLD.lease)
    EXECUTE FUNCTION refuse_lost_lease();

ALTER TABLE receipts ENABLE ROW LEVEL SECURITY;
ALTER TABLE receipts FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON receipts TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON receipts TO coinslot_door USING (true);
CREATE POLICY owner ON receipts TO coinslot_owner USING (true);
GRANT SELECT, INSERT ON receipts TO coinslot_app;
GRANT UPDATE (state, version, contact, gateway_receipt_id, fiscal, failure, sent_at, late_at,
    ended_at, tries, due_at, leased_until, lease) ON receipts TO coinslot_app;
GRANT SELECT ON receipts TO coinslot_door;
GRANT UPDATE (due_at, leased_until, lease, contact) ON receipts TO coinslot_door;
GRANT UPDATE (receipt_contact) ON orders TO coinslot_door;

-- The rate of a product; without one, its account's.
ALTER TABLE products ADD COLUMN vat text CONSTRAINT a_vat_is_a_rate_of_the_law CHECK (vat IN
    ('none', '0', '5', '7', '10', '20', '22', '5/105', '7/107', '10/110', '20/120', '22/122'));
