"""Vending machines in software: a firmware, a journal on disk, and gravity."""
