-- Why an outlet sells nothing for now, whatever is in it. `until` NULL: until somebody ends it; in
-- the past: it is over, or only counts (`count`: offers in a row without an answer).
-- `returns_money`: what is paid and not begun goes back at once; otherwise it waits for the end of
-- its window.
CREATE TABLE outlet_stops (
    outlet_id      text NOT NULL REFERENCES outlets,
    why            text NOT NULL,
    merchant_id    uuid NOT NULL REFERENCES merchants,
    since          timestamptz NOT NULL,
    until          timestamptz,
    returns_money  boolean NOT NULL DEFAULT false,
    count          integer NOT NULL DEFAULT 0,
    data           jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (outlet_id, why)
);
ALTER TABLE outlet_stops ENABLE ROW LEVEL SECURITY;
ALTER TABLE outlet_stops FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON outlet_stops TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON outlet_stops TO coinslot_door USING (true);
CREATE POLICY owner ON outlet_stops TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON outlet_stops TO coinslot_app, coinslot_door;

-- What machines say of themselves. `machine_health`: the newest of each, the temperature as the
-- food lock follows it, and what is not in a sample yet (`low` to `heard_s`).
CREATE TABLE machine_health (
    outlet_id       text PRIMARY KEY REFERENCES outlets,
    merchant_id     uuid NOT NULL REFERENCES merchants,
    at              timestamptz NOT NULL,
    temperature_c   real,
    temperature_at  timestamptz,
    warm_since      timestamptz,        -- above the limit without a break
    grace_until     timestamptz,        -- after a door or a defrost, once until it was cool again
    door_open       boolean,
    reset_reason    text,
    free_heap       bigint,
    journal_used    smallint,           -- percent
    rssi            smallint,           -- dBm
    firmware        text,
    config_version  bigint,
    uptime_s        bigint,
    counters        jsonb,              -- sales by slot, as the machine counts them
    restarts        timestamptz[] NOT NULL DEFAULT '{}',  -- the newest sixteen
    sampled_at      timestamptz NOT NULL,
    low             real,
    high            real,
    sum_c           double precision NOT NULL DEFAULT 0,
    readings_c      integer NOT NULL DEFAULT 0,
    doors           boolean NOT NULL DEFAULT false,
    heard_s         real NOT NULL DEFAULT 0
) WITH (fillfactor = 60);

-- Samples for charts: of 300 seconds for a day, of an hour for a month, of a day for years.
CREATE TABLE machine_samples (
    outlet_id     text NOT NULL,
    span          integer NOT NULL,
    at            timestamptz NOT NULL,  -- its beginning, UTC
    merchant_id   uuid NOT NULL REFERENCES merchants,
    low           real,
    high          real,
    sum_c         double precision NOT NULL DEFAULT 0,
    readings_c    integer NOT NULL DEFAULT 0,
    heard_s       real NOT NULL DEFAULT 0,
    free_heap     bigint,
    rssi          smallint,
    journal_used  smallint,
    door_open     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (outlet_id, span, at)
) WITH (fillfactor = 80);
CREATE INDEX machine_samples_at ON machine_samples USING brin (at);

-- The lines of machines' logs, and how many of each a day has; what is over the limit is counted
-- and not kept.
CREATE TABLE machine_logs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    outlet_id    text NOT NULL,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    at           timestamptz NOT NULL,
    mono_ms      bigint,
    level        text NOT NULL,
    text         text NOT NULL
);
CREATE INDEX machine_logs_newest ON machine_logs (outlet_id, id);
CREATE INDEX machine_logs_at ON machine_logs USING brin (at);
CREATE TABLE machine_log_days (
    outlet_id    text NOT NULL,
    day          date NOT NULL,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    lines        integer NOT NULL DEFAULT 0,
    left_out     integer NOT NULL DEFAULT 0,
    PRIMARY KEY (outlet_id, day)
);

-- Each file of a machine's own counts (EVA-DTS), and what was found in it.
CREATE TABLE machine_audits (
    id           uuid PRIMARY KEY,
    outlet_id    text NOT NULL REFERENCES outlets,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    read_at      timestamptz NOT NULL,
    digest       bytea NOT NULL,
    found        jsonb NOT NULL,
    UNIQUE (outlet_id, digest)
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['machine_health', 'machine_samples', 'machine_logs',
        'machine_log_days', 'machine_audits']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app USING
            (merchant_id = the_merchant())', t);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_app, coinslot_door', t);
    END LOOP;
END $$;
GRANT INSERT, UPDATE ON machine_health, machine_samples, machine_log_days TO coinslot_door;
GRANT INSERT ON machine_logs TO coinslot_door;
GRANT DELETE ON machine_samples, machine_logs, machine_log_days TO coinslot_door;
GRANT UPDATE ON machine_health TO coinslot_app;  -- a visit ends what the food lock follows
GRANT INSERT ON machine_audits TO coinslot_app;
