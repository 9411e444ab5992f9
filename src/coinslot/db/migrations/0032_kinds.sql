-- Each way of selling has a table of moves of its own; a unit says by which one it moves. All that
-- were sold so far were a machine's, and their events are read by that table.
ALTER TABLE fulfillments ADD COLUMN kind text NOT NULL DEFAULT 'vending';
ALTER TABLE fulfillments ALTER COLUMN kind DROP DEFAULT;
