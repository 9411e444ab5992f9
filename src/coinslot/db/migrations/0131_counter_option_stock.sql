-- Stock of choices, in the row of their item, so that one UPDATE takes both or nothing.

-- How many are left of a choice, by its id; one that is not in it is not counted.
ALTER TABLE counter_items
    ADD COLUMN option_stock    jsonb NOT NULL DEFAULT '{}'
        CONSTRAINT no_choice_is_below_nothing
        CHECK (NOT jsonb_path_exists(option_stock, '$.* ? (@ < 0)'));

-- What of a line was taken off: `reserved` counts its pieces, of the item where that is counted,
-- and of these choices.
ALTER TABLE counter_lines
    ADD COLUMN item_counted    boolean NOT NULL DEFAULT true,
    ADD COLUMN counted_choices text[] NOT NULL DEFAULT '{}';
