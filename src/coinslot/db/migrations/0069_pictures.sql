-- Pictures of products and logos. A row is written before its files and goes after them. `widths`
-- are those of the files; a picture that nothing shows any more gets `ending_at`, and ends.
CREATE TABLE pictures (
    merchant_id  uuid NOT NULL REFERENCES merchants,
    digest       text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    width        integer NOT NULL CHECK (width > 0),
    height       integer NOT NULL CHECK (height > 0),
    widths       integer[] NOT NULL,
    stored_at    timestamptz,
    used_at      timestamptz NOT NULL,  -- when it was uploaded last
    ending_at    timestamptz,
    PRIMARY KEY (merchant_id, digest)
);
CREATE INDEX pictures_used ON pictures (used_at);
ALTER TABLE pictures ENABLE ROW LEVEL SECURITY;
ALTER TABLE pictures FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON pictures TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON pictures TO coinslot_door USING (true);
CREATE POLICY owner ON pictures TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON pictures TO coinslot_app;
GRANT SELECT ON pictures TO coinslot_door;

ALTER TABLE brands ADD COLUMN logo text,
    ADD FOREIGN KEY (merchant_id, logo) REFERENCES pictures (merchant_id, digest);

-- `names` and `descriptions` by language; where a language has none, `name` and `description`.
ALTER TABLE products ADD COLUMN picture text,
    ADD COLUMN names jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN description text NOT NULL DEFAULT '',
    ADD COLUMN descriptions jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN retired_at timestamptz,
    ADD FOREIGN KEY (merchant_id, picture) REFERENCES pictures (merchant_id, digest);
CREATE INDEX products_picture ON products (merchant_id, picture) WHERE picture IS NOT NULL;
