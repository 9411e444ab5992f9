"""Lockers, the smallest way of selling that has everything, in the tests to show that no other
room knows a machine. Read `flow.py` (the table of moves, and what it declares), `laws.py`,
`table.sql` and `locker.sql` (its table and functions), then `fulfillment.py` (the handler)."""
