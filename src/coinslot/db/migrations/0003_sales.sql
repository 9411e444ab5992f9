-- The heart: orders, payments, attempts, captures, fulfillments, refunds and their states.

CREATE TABLE transitions (
    machine  text NOT NULL,
    state    text NOT NULL,
    event    text NOT NULL,
    next     text NOT NULL,
    jobs     text[] NOT NULL,
    PRIMARY KEY (machine, state, event)
);

CREATE TABLE orders (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES outlets,
    state         text NOT NULL,
    version       integer NOT NULL DEFAULT 1,
    token         text NOT NULL UNIQUE,       -- the customer's link; unguessable
    number        text NOT NULL,              -- short, to be said aloud; not unique
    source        text NOT NULL CHECK (source IN ('printed_qr', 'page')),
    client_key    text UNIQUE,                -- minted with the page: a double tap places once
    amount_minor  bigint NOT NULL CHECK (amount_minor > 0),
    currency      char(3) NOT NULL,
    placed_at     timestamptz NOT NULL,
    expires_at    timestamptz,
    paid_at       timestamptz,
    ended_at      timestamptz,
    due_at        timestamptz,
    leased_until  timestamptz
);
CREATE INDEX orders_due ON orders (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX orders_find ON orders (outlet_id, amount_minor, paid_at);

CREATE TABLE order_lines (
    id           uuid PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    order_id     uuid NOT NULL REFERENCES orders,
    product_id   uuid NOT NULL REFERENCES products,
    slot         text NOT NULL,
    sku          text NOT NULL,
    name         text NOT NULL,               -- a snapshot: later changes do not rewrite history
    quantity     integer NOT NULL CHECK (quantity BETWEEN 1 AND 10),
    price_minor  bigint NOT NULL CHECK (price_minor > 0),
    cost_minor   bigint NOT NULL CHECK (cost_minor >= 0)
);
CREATE INDEX order_lines_order ON order_lines (order_id);

CREATE TABLE payments (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    account_id    uuid NOT NULL REFERENCES gateway_accounts,
    order_id      uuid REFERENCES orders,
    state         text NOT NULL,
    version       integer NOT NULL DEFAULT 1,
    amount_minor  bigint NOT NULL CHECK (amount_minor > 0),
    currency      char(3) NOT NULL,
    processing_deadline_at timestamptz,
    created_at    timestamptz NOT NULL,
    due_at        timestamptz,
    leased_until  timestamptz
);
CREATE INDEX payments_order ON payments (order_id);

-- Facts of an attempt never change; its outcome is set once (flow `attempt`).
CREATE TABLE attempts (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    payment_id    uuid NOT NULL REFERENCES payments,
    account_id    uuid NOT NULL REFERENCES gateway_accounts,
    state         text NOT NULL,
    version       integer NOT NULL DEFAULT 1,
    gateway_payment_id text,
    failure       text,
    started_at    timestamptz NOT NULL
);
CREATE INDEX attempts_payment ON attempts (payment_id);

-- Money that a gateway took. Opened at once, matched or not. A gateway's facts are never refused:
-- the checks bind what we do with them. `outside` is what the gateway gave back by itself.
CREATE TABLE captures (
    id                 uuid PRIMARY KEY,
    merchant_id        uuid NOT NULL REFERENCES merchants,
    account_id         uuid NOT NULL REFERENCES gateway_accounts,
    gateway_payment_id text NOT NULL,
    payment_id         uuid REFERENCES payments,
    order_id           uuid REFERENCES orders,
    qr_id              uuid REFERENCES qr_codes,
    reason             text,                   -- why it buys no goods: 'amount_mismatch', ...
    currency           char(3) NOT NULL,
    captured           bigint NOT NULL CHECK (captured > 0),
    fulfilled          bigint NOT NULL DEFAULT 0 CHECK (fulfilled >= 0),
    refund_due         bigint NOT NULL DEFAULT 0 CHECK (refund_due >= 0),
    surplus            bigint NOT NULL DEFAULT 0 CHECK (surplus >= 0),
    foreign_amount     bigint NOT NULL DEFAULT 0 CHECK (foreign_amount >= 0),
    open               bigint NOT NULL CHECK (open >= 0),
    outside            bigint NOT NULL DEFAULT 0 CHECK (outside >= 0),
    outside_used       bigint NOT NULL DEFAULT 0 CHECK (outside_used BETWEEN 0 AND outside),
    refund_intended    bigint NOT NULL DEFAULT 0 CHECK (refund_intended >= 0),
    captured_at        timestamptz NOT NULL,
    seen_at            timestamptz NOT NULL,
    dispatch_by        timestamptz NOT NULL,   -- past it the machine gets no offer: money back
    hard_deadline      timestamptz NOT NULL,
    due_at             timestamptz,
    leased_until       timestamptz,
    tries              integer NOT NULL DEFAULT 0,
    UNIQUE (account_id, gateway_payment_id),
    CONSTRAINT captured_is_accounted_for
        CHECK (captured = fulfilled + refund_due + surplus + foreign_amount + open),
    CONSTRAINT we_never_give_back_more_than_is_due
        CHECK (refund_intended + outside_used <= refund_due + surplus)
);
CREATE INDEX captures_due ON captures (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX captures_order ON captures (order_id);

-- One unit of one line; the id is the unit_id of the vend protocol. Settlement is set once.
CREATE TABLE fulfillments (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    order_id      uuid NOT NULL REFERENCES orders,
    line_id       uuid NOT NULL REFERENCES order_lines,
    capture_id    uuid NOT NULL REFERENCES captures,
    outlet_id     text NOT NULL REFERENCES outlets,
    slot          text NOT NULL,
    amount_minor  bigint NOT NULL CHECK (amount_minor > 0),
    currency      char(3) NOT NULL,
    state         text NOT NULL,
    version       integer NOT NULL DEFAULT 1,
    seq           bigint,
    offers        integer NOT NULL DEFAULT 0,
    offered_at    timestamptz,
    accept        jsonb,                       -- the ACCEPT that GO answers, as received
    journal_id    text,
    boot_id       text,
    go_at         timestamptz,
    go_message    jsonb,                       -- sent again only as it is
    lease_end     timestamptz,
    started_at    timestamptz,
    nonce         text,
    queries       integer NOT NULL DEFAULT 0,
    settlement    text CHECK (settlement IN ('fulfilled', 'refund_due')),
    basis         text,
    settled_at    timestamptz,
    failure_code  text,
    queued_at     timestamptz NOT NULL,
    dispatch_by   timestamptz NOT NULL,
    hard_deadline timestamptz NOT NULL,
    due_at        timestamptz,
    leased_until  timestamptz,
    CONSTRAINT a_settlement_names_its_basis CHECK ((settlement IS NULL) = (basis IS NULL)),
    CONSTRAINT never_sent_means_go_was_never_committed
        CHECK (basis IS NULL OR basis NOT IN ('never_sent', 'rejected') OR go_at IS NULL),
    CONSTRAINT silence_has_an_end
        CHECK (settlement IS NOT NULL OR (due_at IS NOT NULL AND due_at <= hard_deadline)),
    CONSTRAINT go_answers_an_accept
        CHECK (go_message IS NULL OR (accept IS NOT NULL AND go_message->>'boot_id' = boot_id)),
    UNIQUE (outlet_id, seq)
);
-- One open unit per machine: two processes can never send two.
CREATE UNIQUE INDEX fulfillments_one_open ON fulfillments (outlet_id)
    WHERE state IN ('offered', 'going', 'started', 'in_doubt');
CREATE INDEX fulfillments_queue ON fulfillments (outlet_id, queued_at) WHERE state = 'queued';
CREATE INDEX fulfillments_due ON fulfillments (due_at) WHERE settlement IS NULL;
CREATE INDEX fulfillments_order ON fulfillments (order_id);

-- One order to give money back. The row and its key exist before the gateway is called.
CREATE TABLE refunds (
    id                uuid PRIMARY KEY,
    merchant_id       uuid NOT NULL REFERENCES merchants,
    account_id        uuid NOT NULL REFERENCES gateway_accounts,
    capture_id        uuid NOT NULL REFERENCES captures,
    fulfillment_id    uuid REFERENCES fulfillments,
    replaces          uuid UNIQUE REFERENCES refunds,   -- the dead refund this one follows
    origin            text NOT NULL CHECK (origin IN ('ours', 'gateway')),
    state             text NOT NULL,
    version           integer NOT NULL DEFAULT 1,
    amount_minor      bigint NOT NULL CHECK (amount_minor > 0),
    currency          char(3) NOT NULL,
    reason            text NOT NULL,
    key               text NOT NULL UNIQUE,
    key_sent_at       timestamptz,             -- the key's life counts from here
    gateway_refund_id text,
    tries             integer NOT NULL DEFAULT 0,
    failure           text,
    created_at        timestamptz NOT NULL,
    ended_at          timestamptz,
    hard_deadline     timestamptz NOT NULL,
    due_at            timestamptz,
    leased_until      timestamptz,
    UNIQUE (account_id, gateway_refund_id)
);
-- One live attempt per settled unit.
CREATE UNIQUE INDEX refunds_one_live ON refunds (fulfillment_id)
    WHERE fulfillment_id IS NOT NULL AND state IN ('pending', 'succeeded', 'owed');
CREATE INDEX refunds_capture ON refunds (capture_id);
CREATE INDEX refunds_due ON refunds (due_at) WHERE due_at IS NOT NULL;

ALTER TABLE qr_codes ADD FOREIGN KEY (payment_id) REFERENCES payments DEFERRABLE INITIALLY DEFERRED;
