"""Drivers of payment services, one file each, found by being in this folder."""
