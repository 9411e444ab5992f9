-- Which choices of an item are out, by their ids, until somebody says that they are there again.
-- The options themselves said it before, and forgot it with the next table.

ALTER TABLE counter_items ADD COLUMN choices_out text[] NOT NULL DEFAULT '{}';

UPDATE counter_items SET choices_out = ARRAY(
    SELECT jsonb_path_query(options, '$[*].choices[*] ? (@.available == false).id') #>> '{}')
WHERE jsonb_path_exists(options, '$[*].choices[*] ? (@.available == false)');
