"""The auditor, reconciliation, and the queue of cases that need a person."""
