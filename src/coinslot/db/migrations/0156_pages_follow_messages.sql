-- An order's page shows what became of its messages: each change of one is a newer page.
ALTER TABLE counter_messages ADD COLUMN changes integer NOT NULL DEFAULT 0;

CREATE FUNCTION count_message_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changes := OLD.changes + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER changes_are_counted BEFORE UPDATE ON counter_messages FOR EACH ROW
    WHEN ((OLD.stage, OLD.why) IS DISTINCT FROM (NEW.stage, NEW.why))
    EXECUTE FUNCTION count_message_change();
