-- What the other functions are built on: ids, ledger lines, names.

-- RFC 9562 version 7, milliseconds; the same kind as kit/ids.py makes.
CREATE OR REPLACE FUNCTION uuid7(p_now timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM p_now) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- Four letters that can be read out, without I and O.
CREATE OR REPLACE FUNCTION order_number(p_id uuid) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(
        substr('ABCDEFGHJKLMNPQRSTUVWXYZ', get_byte(uuid_send(p_id), i) % 24 + 1, 1), '')
    FROM generate_series(10, 13) AS i
$$;

-- One movement of money: debit one account, credit the other. Nothing is no movement.
CREATE OR REPLACE FUNCTION book(p_capture captures, p_debit text, p_credit text,
    p_amount bigint, p_why text, p_now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    txn uuid := gen_random_uuid();
BEGIN
    IF p_amount <> 0 THEN
        INSERT INTO ledger (txn, merchant_id, capture_id, account, currency, amount, why, at) VALUES
            (txn, p_capture.merchant_id, p_capture.id, p_debit, p_capture.currency, p_amount,
                p_why, p_now),
            (txn, p_capture.merchant_id, p_capture.id, p_credit, p_capture.currency, -p_amount,
                p_why, p_now);
    END IF;
END $$;

-- Writes an entry of the log that is not a move. The transaction has its id before the row has its
-- `seq`, as in a move, which locks first: readers of the log wait by transaction id for rows that
-- are not visible yet.
CREATE OR REPLACE FUNCTION tell(p_merchant uuid, p_machine text, p_subject uuid, p_event text,
    p_data jsonb, p_now timestamptz) RETURNS void LANGUAGE sql AS $$
    SELECT pg_current_xact_id();
    INSERT INTO events (merchant_id, machine, subject_id, event, data, at)
    VALUES (p_merchant, p_machine, p_subject, p_event, p_data, p_now)
$$;

CREATE OR REPLACE FUNCTION note_discrepancy(p_kind text, p_capture captures, p_unit uuid,
    p_refund uuid, p_amount bigint, p_now timestamptz) RETURNS void LANGUAGE sql AS $$
    INSERT INTO discrepancies
        (merchant_id, kind, capture_id, fulfillment_id, refund_id, amount_minor, at)
    VALUES (p_capture.merchant_id, p_kind, p_capture.id, p_unit, p_refund, p_amount, p_now)
    ON CONFLICT DO NOTHING
$$;
