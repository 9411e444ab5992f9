-- Signing out everywhere gives a card another token. A key that changes is a partial index: else
-- the change would wait for each row that names the card (docs: ARCHITECTURE.md, Locks).
ALTER TABLE loyalty_cards DROP CONSTRAINT loyalty_cards_token_digest_key;
CREATE UNIQUE INDEX loyalty_cards_token_digest ON loyalty_cards (token_digest)
    WHERE token_digest IS NOT NULL;
