-- Whether a payment may move real money: as the API key says that made it. Until now all were test
-- keys; what machines sell is not asked.
ALTER TABLE payments ADD COLUMN live boolean NOT NULL DEFAULT true;
UPDATE payments SET live = false WHERE source = 'api';
