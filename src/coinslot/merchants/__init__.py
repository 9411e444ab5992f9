"""Merchants, members, API keys and gateway accounts."""
