"""The ledger: SQL only."""
