-- Of the secret under which a machine counted: the counts of another secret begin anew, whatever
-- numbers the one before had reached.
ALTER TABLE stock_counts ADD COLUMN secret_mark text;
UPDATE stock_counts c SET secret_mark = md5(d.broker_hash) FROM devices d
    WHERE d.outlet_id = c.outlet_id;
