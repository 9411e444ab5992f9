-- Where each reader of the event log stands. It reads by `seq`; feeds/log.py says how no row that
-- commits late is skipped. `since` is where it began: what is older was never its to tell.
CREATE TABLE feed_cursors (
    name          text PRIMARY KEY,
    seq           bigint NOT NULL,
    since         bigint NOT NULL,
    holder        text,
    leased_until  timestamptz,
    CHECK (seq >= since)
);
GRANT SELECT ON feed_cursors TO coinslot_app;
GRANT SELECT, INSERT, UPDATE ON feed_cursors TO coinslot_door;
GRANT SELECT ON SEQUENCE events_seq_seq TO coinslot_app, coinslot_door;
INSERT INTO feed_cursors (name, seq, since)
    SELECT 'announce', coalesce(max(seq), 0), coalesce(max(seq), 0) FROM events;
