-- How often an attempt's key was sent: a gateway's passing no is certain only of the one call it
-- answers, and another may be under way.
ALTER TABLE attempts ADD COLUMN sends integer NOT NULL DEFAULT 0;
