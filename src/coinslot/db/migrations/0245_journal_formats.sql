-- The formats of the journal that a machine's code reads, as it says in its HELLO: what is kept
-- beside new code has to read what that code writes, also where nobody uploaded the code that runs.
ALTER TABLE devices ADD COLUMN journal_formats integer[];
