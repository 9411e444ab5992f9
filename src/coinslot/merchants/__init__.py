"""Merchants, API keys and gateway accounts."""
