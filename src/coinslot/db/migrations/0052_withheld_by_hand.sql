-- A slot is withheld by itself, with its whole machine, or both: putting the machine back on sale
-- leaves out what somebody took out by itself. Which of them a slot of before was is not known; a
-- machine of which all slots went at one moment went as a whole.
ALTER TABLE slots
    ADD COLUMN withheld_alone boolean NOT NULL DEFAULT false,
    ADD COLUMN withheld_whole boolean NOT NULL DEFAULT false;
UPDATE slots s SET withheld_whole = NOT w.apart, withheld_alone = w.apart
FROM (SELECT outlet_id, count(DISTINCT withheld_at) > 1 OR count(withheld_at) < count(*) AS apart
    FROM slots GROUP BY outlet_id) w
WHERE s.outlet_id = w.outlet_id AND s.withheld_at IS NOT NULL;
