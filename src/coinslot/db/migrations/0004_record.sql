-- What is only ever appended: the event log, the ledger, webhooks, exchanges, what machines said.

-- Every move of every state machine, and every other thing worth telling; readers keep a cursor.
CREATE TABLE events (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    machine      text NOT NULL,
    subject_id   uuid NOT NULL,
    event        text NOT NULL,
    was          text,
    state        text,
    data         jsonb NOT NULL DEFAULT '{}',
    at           timestamptz NOT NULL
);
CREATE INDEX events_subject ON events (subject_id);

-- An event without a row in the table of moves: stored, marked, and a person is called.
CREATE TABLE strays (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    machine      text NOT NULL,
    subject_id   uuid NOT NULL,
    state        text NOT NULL,
    event        text NOT NULL,
    data         jsonb NOT NULL,
    at           timestamptz NOT NULL
);

CREATE TABLE ledger (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    txn          uuid NOT NULL,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    capture_id   uuid NOT NULL REFERENCES captures,
    account      text NOT NULL CHECK (account IN ('gateway', 'obligations', 'sales',
                     'refunds_payable', 'refunds_outside', 'foreign')),
    currency     char(3) NOT NULL,
    amount       bigint NOT NULL CHECK (amount <> 0),   -- debits positive, credits negative
    why          text NOT NULL,
    at           timestamptz NOT NULL
);
CREATE INDEX ledger_capture ON ledger (capture_id);

-- A statement trigger over the new rows: a deferred one can be fooled under row-level security.
CREATE FUNCTION ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh GROUP BY txn, merchant_id, currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'ledger lines of one movement must sum to zero';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_balances AFTER INSERT ON ledger
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger_balances();

-- Everything that claimed to be a webhook, before it was believed.
CREATE TABLE inbox (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    account_id    uuid NOT NULL REFERENCES gateway_accounts,
    delivery_id   text,
    verdict       text NOT NULL CHECK (verdict IN ('genuine', 'forged', 'unreadable')),
    event         text,
    headers       jsonb NOT NULL,
    body          bytea NOT NULL,
    facts         jsonb NOT NULL,
    reason        text,
    received_at   timestamptz NOT NULL,
    worked_at     timestamptz,
    tries         integer NOT NULL DEFAULT 0,
    failure       text,
    due_at        timestamptz,
    leased_until  timestamptz
);
-- Unique among the genuine only: a forgery must not block the true one.
CREATE UNIQUE INDEX inbox_delivery ON inbox (account_id, delivery_id) WHERE verdict = 'genuine';
CREATE INDEX inbox_due ON inbox (due_at) WHERE due_at IS NOT NULL;

-- Every call to a gateway and its answer, secrets removed.
CREATE TABLE exchanges (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    account_id   uuid NOT NULL REFERENCES gateway_accounts,
    method       text NOT NULL,
    url          text NOT NULL,
    request      jsonb,
    status       integer,
    response     jsonb,
    failure      text,
    took_ms      integer NOT NULL,
    at           timestamptz NOT NULL
);

-- What a machine's journal told us, kept before it is acknowledged.
CREATE TABLE device_events (
    outlet_id    text NOT NULL REFERENCES outlets,
    journal_id   text NOT NULL,
    event_seq    bigint NOT NULL CHECK (event_seq > 0),
    merchant_id  uuid NOT NULL REFERENCES merchants,
    unit_id      uuid,
    message      jsonb NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (outlet_id, journal_id, event_seq)
);
CREATE INDEX device_events_unit ON device_events (unit_id);

-- How far each journal is committed without a gap: what EVACK may say.
CREATE TABLE device_journals (
    outlet_id      text NOT NULL REFERENCES outlets,
    journal_id     text NOT NULL,
    merchant_id    uuid NOT NULL REFERENCES merchants,
    through        bigint NOT NULL DEFAULT 0,
    first_seen_at  timestamptz NOT NULL,
    PRIMARY KEY (outlet_id, journal_id)
);

-- What policy settled because nobody could know: a named cost.
CREATE TABLE exposures (
    fulfillment_id uuid PRIMARY KEY REFERENCES fulfillments,
    merchant_id    uuid NOT NULL REFERENCES merchants,
    amount_minor   bigint NOT NULL,
    currency       char(3) NOT NULL,
    why            text NOT NULL,
    at             timestamptz NOT NULL
);

-- Evidence against a unit called fulfilled: it is refunded after all.
CREATE TABLE corrections (
    fulfillment_id uuid PRIMARY KEY REFERENCES fulfillments,
    merchant_id    uuid NOT NULL REFERENCES merchants,
    why            text NOT NULL,
    at             timestamptz NOT NULL
);

-- Books that disagree and stay so until a person closes them.
CREATE TABLE discrepancies (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id    uuid NOT NULL REFERENCES merchants,
    kind           text NOT NULL,
    capture_id     uuid REFERENCES captures,
    fulfillment_id uuid REFERENCES fulfillments,
    refund_id      uuid REFERENCES refunds,
    amount_minor   bigint NOT NULL DEFAULT 0,
    data           jsonb NOT NULL DEFAULT '{}',
    at             timestamptz NOT NULL,
    closed_at      timestamptz,
    closed_by      text
);
CREATE UNIQUE INDEX discrepancies_once ON discrepancies
    (kind, coalesce(fulfillment_id, capture_id, refund_id));
