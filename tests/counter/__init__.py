"""Counters: ordered and paid on a phone, prepared by staff, handed over against a code."""
