-- Who sells: merchants, their members and keys, their accounts at gateways.

-- One row: the mark that tells what we made at a gateway from what others made there.
CREATE TABLE installation (
    id   uuid NOT NULL DEFAULT gen_random_uuid(),
    one  boolean PRIMARY KEY DEFAULT true CHECK (one)
);
INSERT INTO installation DEFAULT VALUES;

CREATE TABLE merchants (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    slug        text NOT NULL UNIQUE,
    contact     text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL
);

CREATE TABLE members (
    id             uuid PRIMARY KEY,
    merchant_id    uuid NOT NULL REFERENCES merchants,
    login          text NOT NULL UNIQUE,
    password_hash  text NOT NULL,
    role           text NOT NULL CHECK (role IN ('admin', 'operator', 'viewer')),
    created_at     timestamptz NOT NULL
);

CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    prefix       text NOT NULL,
    hash         bytea NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);

-- `settings` is the driver's settings struct, sealed. `slug` stands in the webhook's URL.
CREATE TABLE gateway_accounts (
    id           uuid PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    gateway      text NOT NULL,
    slug         text NOT NULL,
    settings     bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    UNIQUE (gateway, slug)
);
