-- Webhooks that nothing proves: each is kept, and what it names is asked about. They are not
-- unique: a forged hint that came too early must not hide the true one.

ALTER TABLE inbox DROP CONSTRAINT inbox_verdict_check;
ALTER TABLE inbox ADD CONSTRAINT inbox_verdict_check
    CHECK (verdict IN ('genuine', 'hint', 'forged', 'unreadable'));
ALTER TABLE inbox ADD COLUMN reference text;
ALTER TABLE inbox ADD CONSTRAINT a_hint_names_what_to_ask_about
    CHECK ((verdict = 'hint') = (reference IS NOT NULL));
