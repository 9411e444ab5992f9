"""The ledger and its queries."""
