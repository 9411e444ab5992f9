"""Money and state on a real database."""
