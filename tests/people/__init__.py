"""People: signing in, roles, second factors, and what must not be possible."""
