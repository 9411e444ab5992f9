-- What a machine sells from now on: the configuration of this version, as it was kept. False where
-- nothing is known of it. A slot is never removed; its failures stay its own, and its
-- stock where its product stays.
CREATE OR REPLACE FUNCTION apply_config(p_outlet text, p_version integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v config_versions%ROWTYPE;
BEGIN
    SELECT * INTO v FROM config_versions
        WHERE outlet_id = p_outlet AND version = p_version AND planogram_version IS NOT NULL;
    IF NOT FOUND THEN RETURN false; END IF;
    UPDATE outlets SET applied_version = v.version, price_version = v.price_version,
        planogram_version = v.planogram_version WHERE id = p_outlet;
    PERFORM FROM slots WHERE outlet_id = p_outlet ORDER BY slot FOR NO KEY UPDATE;
    -- What lies in a slot that gets another product is the one before: none of it is sold as this.
    UPDATE slots s SET stock = 0, counted = 0, counted_journal = NULL, counted_event = NULL,
        counted_at = NULL, other_product = true, counted_vend = coalesce((SELECT max(g.number)
            FROM slot_vends g WHERE g.outlet_id = s.outlet_id AND g.slot = s.slot), 0)
    FROM jsonb_array_elements(v.config->'slots') e
        JOIN products p ON p.merchant_id = v.merchant_id AND p.sku = e->>'sku'
    WHERE s.outlet_id = p_outlet AND s.slot = e->>'slot' AND s.product_id <> p.id;
    INSERT INTO slots AS old (merchant_id, outlet_id, slot, product_id, price_minor, par, stock)
    SELECT v.merchant_id, p_outlet, s->>'slot', p.id, (s->'price'->>'amount')::bigint,
        coalesce((s->>'par')::integer, 0), 0
    FROM jsonb_array_elements(v.config->'slots') s
    JOIN products p ON p.merchant_id = v.merchant_id AND p.sku = s->>'sku' ORDER BY 3
    ON CONFLICT (outlet_id, slot) DO UPDATE SET product_id = excluded.product_id,
        price_minor = excluded.price_minor, par = excluded.par
    WHERE (old.product_id, old.price_minor, old.par)
        <> (excluded.product_id, excluded.price_minor, excluded.par);
    RETURN true;
END $$;

-- Where a machine stands between the configuration that it should have and the one that it has.
-- `older`: units that are not settled and were bought under other versions; `open`: its machine is
-- at one of its units.
CREATE OR REPLACE FUNCTION config_standing(p_outlet text, OUT wanted integer, OUT applied integer,
    OUT price_version integer, OUT planogram_version integer, OUT has bigint, OUT channel text,
    OUT speaks boolean, OUT retired boolean, OUT last_seen_at timestamptz, OUT older bigint,
    OUT open boolean, OUT pending boolean) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    SELECT o.config_version, o.applied_version, coalesce(v.price_version, o.price_version),
        coalesce(v.planogram_version, o.planogram_version), d.config_version, o.channel,
        o.dialect = 'leased' AND d.config_version IS NOT NULL, o.decommissioned_at IS NOT NULL,
        d.last_seen_at
    INTO wanted, applied, price_version, planogram_version, has, channel, speaks, retired,
        last_seen_at
    FROM outlets o LEFT JOIN devices d ON d.outlet_id = o.id
    LEFT JOIN config_versions v ON v.outlet_id = o.id AND v.version = o.config_version
    WHERE o.id = p_outlet;
    older := (SELECT count(*) FROM fulfillments f JOIN orders r ON r.id = f.order_id
        WHERE f.outlet_id = p_outlet AND f.settlement IS NULL
        AND (r.price_version, r.planogram_version)
            IS DISTINCT FROM (config_standing.price_version, config_standing.planogram_version));
    open := EXISTS (SELECT FROM vend_units u WHERE u.outlet_id = p_outlet AND u.open);
    pending := EXISTS (SELECT FROM config_pushes p WHERE p.id = p_outlet AND p.ended_at IS NULL);
END $$;

-- A newer configuration waits to be applied.
CREATE OR REPLACE FUNCTION want_config(p_outlet text, p_now timestamptz) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO config_pushes AS p (id, merchant_id, wanted_at, due_at)
    SELECT o.id, o.merchant_id, p_now, p_now FROM outlets o WHERE o.id = p_outlet
    -- Who waited already goes on waiting: an editor who changes it again makes nobody wait longer.
    ON CONFLICT (id) DO UPDATE SET due_at = p_now, tries = 0, ended_at = NULL,
        wanted_at = CASE WHEN p.ended_at IS NULL THEN p.wanted_at ELSE p_now END,
        held_since = CASE WHEN p.ended_at IS NULL THEN p.held_since END
$$;
