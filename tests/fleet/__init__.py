"""The life of machines, over a real database: configured, enrolled, taken out of service."""
