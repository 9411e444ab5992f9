-- Nothing stuck: a person's queue, what gateways keep for themselves, disputes, and the nightly
-- comparison of the books.

-- Facts that we found by asking, because no webhook told them: kept beside those that were told.
ALTER TABLE inbox DROP CONSTRAINT inbox_verdict_check;
ALTER TABLE inbox ADD CONSTRAINT inbox_verdict_check
    CHECK (verdict IN ('genuine', 'own', 'hint', 'forged', 'unreadable'));
CREATE UNIQUE INDEX inbox_own ON inbox (account_id, delivery_id) WHERE verdict = 'own';

-- What wants a person. Opened and closed by what the books say; a person may close it, too.
-- `source` says who looks: 'state' the sweeper, 'books' the nightly comparison.
CREATE TABLE cases (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    source        text NOT NULL CHECK (source IN ('state', 'books')),
    kind          text NOT NULL,
    subject       text NOT NULL,               -- the id of what it is about
    since         timestamptz NOT NULL,        -- when what it is about began
    owner         text NOT NULL,
    amount_minor  bigint,
    currency      char(3),
    data          jsonb NOT NULL DEFAULT '{}',
    opened_at     timestamptz NOT NULL,
    closed_at     timestamptz,
    closed_by     text,                        -- NULL: it closed itself
    how           text,
    note          text,
    CONSTRAINT what_is_closed_says_how CHECK ((closed_at IS NULL) = (how IS NULL))
);
CREATE UNIQUE INDEX cases_one_open ON cases (kind, subject, since) WHERE closed_at IS NULL;
CREATE INDEX cases_subject ON cases (kind, subject);

CREATE INDEX payments_due ON payments (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX refunds_owed ON refunds (created_at) WHERE state = 'owed';
CREATE INDEX discrepancies_open ON discrepancies (at) WHERE closed_at IS NULL;

-- What the gateway keeps of a capture, tax included; NULL: it has not said. And when it paid out.
ALTER TABLE captures
    ADD COLUMN fee_minor bigint,
    ADD COLUMN settlement text,
    ADD COLUMN settled_at timestamptz;
GRANT UPDATE (fee_minor, settlement, settled_at) ON captures TO coinslot_app;
CREATE INDEX captures_seen ON captures (account_id, captured_at);
ALTER TABLE ledger DROP CONSTRAINT ledger_account_check;
ALTER TABLE ledger ADD CONSTRAINT ledger_account_check CHECK (account IN ('gateway',
    'obligations', 'sales', 'refunds_payable', 'refunds_outside', 'foreign', 'fees'));

-- A payer's bank takes money back, or tries to. One that is lost is also a refund of the gateway's.
CREATE TABLE disputes (
    id                 uuid PRIMARY KEY,
    merchant_id        uuid NOT NULL REFERENCES merchants,
    account_id         uuid NOT NULL REFERENCES gateway_accounts,
    capture_id         uuid NOT NULL REFERENCES captures,
    gateway_dispute_id text NOT NULL,
    stage              text NOT NULL CHECK (stage IN ('open', 'won', 'lost')),
    amount_minor       bigint NOT NULL,
    currency           char(3) NOT NULL,
    reason             text NOT NULL,
    opened_at          timestamptz NOT NULL,
    told_at            timestamptz NOT NULL,   -- of the gateway's word that counts
    ended_at           timestamptz,
    UNIQUE (account_id, gateway_dispute_id)
);
CREATE INDEX disputes_capture ON disputes (capture_id);

-- One day of one account, compared by one process at a time; without `done_at` it is made up for.
CREATE TABLE reconciliations (
    account_id    uuid NOT NULL REFERENCES gateway_accounts,
    day           date NOT NULL,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    leased_until  timestamptz,
    tries         integer NOT NULL DEFAULT 0,
    failure       text,
    found         integer NOT NULL DEFAULT 0,  -- facts that nobody had told us
    breaks        integer NOT NULL DEFAULT 0,
    done_at       timestamptz,
    PRIMARY KEY (account_id, day)
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['cases', 'disputes', 'reconciliations'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', t);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO coinslot_app', t);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_door', t);
    END LOOP;
END $$;
GRANT UPDATE (amount_minor, data, closed_at, closed_by, how, note) ON cases TO coinslot_app;
GRANT UPDATE (stage, reason, told_at, ended_at) ON disputes TO coinslot_app;
GRANT UPDATE (leased_until, tries, failure, found, breaks, done_at)
    ON reconciliations TO coinslot_app;
