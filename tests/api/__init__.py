"""The merchant API over HTTP."""
