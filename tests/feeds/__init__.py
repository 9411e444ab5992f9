"""The readers of the event log."""
