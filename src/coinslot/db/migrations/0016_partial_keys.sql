-- A unique column that an update changes makes that update wait for every row that names its row by
-- a foreign key. In a partial index it does not.
ALTER TABLE fulfillments DROP CONSTRAINT fulfillments_outlet_id_seq_key;
CREATE UNIQUE INDEX fulfillments_outlet_id_seq_key ON fulfillments (outlet_id, seq)
    WHERE seq IS NOT NULL;
ALTER TABLE refunds DROP CONSTRAINT refunds_account_id_gateway_refund_id_key;
CREATE UNIQUE INDEX refunds_account_id_gateway_refund_id_key
    ON refunds (account_id, gateway_refund_id) WHERE gateway_refund_id IS NOT NULL;
ALTER TABLE qr_codes DROP CONSTRAINT qr_codes_account_id_qr_code_id_key;
CREATE UNIQUE INDEX qr_codes_account_id_qr_code_id_key ON qr_codes (account_id, qr_code_id)
    WHERE qr_code_id IS NOT NULL;
