-- A secret that is sealed anew, under another key of the installation, is the same secret: no
-- machine has to show it again, and no process has to open its account again.
CREATE OR REPLACE FUNCTION raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('coinslot.resealing', true) = 'on' THEN
        RETURN NEW;
    END IF;
    NEW.version := OLD.version + 1;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION notify_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('coinslot.resealing', true) = 'on' THEN
        RETURN NULL;
    END IF;
    PERFORM pg_notify('coinslot_changed', TG_TABLE_NAME || ' '
        || CASE TG_TABLE_NAME WHEN 'devices' THEN to_jsonb(NEW)->>'outlet_id'
           ELSE to_jsonb(NEW)->>'id' END);
    RETURN NULL;
END $$;
