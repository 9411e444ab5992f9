-- Which browser's notices a session asked for: when it ends, that browser shows none any more.
ALTER TABLE sessions ADD COLUMN push_endpoint text;
CREATE INDEX sessions_push ON sessions (push_endpoint) WHERE push_endpoint IS NOT NULL;
GRANT UPDATE (push_endpoint) ON sessions TO coinslot_app;
