-- A refund that was dead and was made at its gateway after all is booked. Until here it only opened
-- a case: what was reported then is not judged by the rule.
INSERT INTO rules (name, after_seq)
    SELECT 'a_revived_refund_is_booked', coalesce(max(seq), 0) FROM events;
