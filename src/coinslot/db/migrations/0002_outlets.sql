-- What is sold and where: products, outlets, slots, the devices inside, the QR codes on the front.

CREATE TABLE products (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    sku           text NOT NULL,
    name          text NOT NULL,
    price_minor   bigint NOT NULL CHECK (price_minor > 0),
    cost_minor    bigint NOT NULL DEFAULT 0 CHECK (cost_minor >= 0),
    currency      char(3) NOT NULL,
    UNIQUE (merchant_id, sku)
);

-- The id is the code people read on the machine; it is also the MQTT login and a topic's part.
CREATE TABLE outlets (
    id                 text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{1,32}$'),
    merchant_id        uuid NOT NULL REFERENCES merchants,
    name               text NOT NULL,
    place              text NOT NULL DEFAULT '',
    kind               text NOT NULL CHECK (kind IN ('vending', 'coffee', 'counter')),
    channel            text NOT NULL,
    dialect            text NOT NULL CHECK (dialect IN ('leased', 'simple')),
    currency           char(3) NOT NULL,
    account_id         uuid REFERENCES gateway_accounts,
    contact            text NOT NULL DEFAULT '',
    planogram_version  integer NOT NULL DEFAULT 1,
    price_version      integer NOT NULL DEFAULT 1,
    decommissioned_at  timestamptz,
    created_at         timestamptz NOT NULL
);

CREATE TABLE slots (
    merchant_id       uuid NOT NULL REFERENCES merchants,
    outlet_id         text NOT NULL REFERENCES outlets,
    slot              text NOT NULL,
    product_id        uuid NOT NULL REFERENCES products,
    price_minor       bigint NOT NULL CHECK (price_minor > 0),
    stock             integer NOT NULL DEFAULT 0 CHECK (stock >= 0),
    failures_in_row   integer NOT NULL DEFAULT 0,
    out_of_sale_at    timestamptz,
    PRIMARY KEY (outlet_id, slot)
);

-- `secret` is sealed: the machine's HMAC key must be readable. `broker_hash` is bcrypt.
-- `next_seq` is given out under this row's lock and never goes back.
CREATE TABLE devices (
    outlet_id     text PRIMARY KEY REFERENCES outlets,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    secret        bytea NOT NULL,
    broker_hash   text NOT NULL,
    next_seq      bigint NOT NULL DEFAULT 1,
    journal_id    text,
    boot_id       text,
    has_sensor    boolean NOT NULL DEFAULT false,
    firmware      text,
    last_seen_at  timestamptz,
    created_at    timestamptz NOT NULL
);

-- A printed QR sells one slot for one amount; an order's QR belongs to one payment.
-- Rows are made before the gateway is called: 'wanted' -> 'open' -> 'closing' -> 'closed'.
CREATE TABLE qr_codes (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    account_id    uuid NOT NULL REFERENCES gateway_accounts,
    outlet_id     text NOT NULL REFERENCES outlets,
    slot          text NOT NULL,
    payment_id    uuid,
    stage         text NOT NULL DEFAULT 'wanted'
                  CHECK (stage IN ('wanted', 'open', 'closing', 'closed')),
    qr_code_id    text,
    image_url     text,
    short_url     text,
    amount_minor  bigint NOT NULL CHECK (amount_minor > 0),
    currency      char(3) NOT NULL,
    asked_at      timestamptz,              -- the last poll of its payments
    retired_at    timestamptz,              -- money captured later buys nothing
    due_at        timestamptz,
    leased_until  timestamptz,
    tries         integer NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL,
    UNIQUE (account_id, qr_code_id),
    CHECK (stage IN ('wanted', 'closed') OR qr_code_id IS NOT NULL)
);
-- One live printed QR per slot and amount: provisioning again finds it.
CREATE UNIQUE INDEX qr_codes_printed ON qr_codes (outlet_id, slot)
    WHERE payment_id IS NULL AND retired_at IS NULL;
CREATE UNIQUE INDEX qr_codes_payment ON qr_codes (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX qr_codes_due ON qr_codes (due_at) WHERE due_at IS NOT NULL;
