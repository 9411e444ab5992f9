-- Money that a gateway holds until the merchant's server takes it, all or a part, or lets it go.

ALTER TABLE payments
    ADD COLUMN capture_method text NOT NULL DEFAULT 'automatic'
        CHECK (capture_method IN ('automatic', 'manual'));

-- What was asked for is written down with its key before the gateway is called, and stands until
-- the gateway has said what became of it.
ALTER TABLE attempts
    ADD COLUMN wish text CHECK (wish IN ('take', 'let_go')),
    ADD COLUMN wish_minor bigint CHECK (wish_minor > 0),
    ADD COLUMN wish_key text,
    ADD COLUMN wish_sent_at timestamptz,
    ADD COLUMN asked_minor bigint[] NOT NULL DEFAULT '{}',  -- each part that was ever asked for
    ADD CONSTRAINT a_wish_is_whole CHECK (
        (wish IS NULL) = (wish_key IS NULL) AND (wish IS NOT DISTINCT FROM 'take') =
        (wish_minor IS NOT NULL));
