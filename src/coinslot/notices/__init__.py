"""Drivers that send notices to people, one file each, found by being in this folder."""
