-- What staff entered is printed again as a copy, like what was ordered.
DROP INDEX counter_prints_walk_in;
CREATE UNIQUE INDEX counter_prints_walk_in ON counter_prints (walk_in_id, printer_id, kind, copy)
    WHERE walk_in_id IS NOT NULL;
