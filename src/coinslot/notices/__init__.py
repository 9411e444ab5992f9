"""Drivers of how people are told, one file each, found by being in this folder."""
