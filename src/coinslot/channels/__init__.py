"""Drivers of how goods come out, one file each, found by being in this folder."""
