"""Readers of the event log that inform parties outside: merchants and the mirror."""
