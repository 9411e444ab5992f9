"""Machines and counters: their slots, stock and devices."""
