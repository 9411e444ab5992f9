"""Readers of the event log that tell someone outside what happened."""
