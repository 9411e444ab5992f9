"""Mistakes put into the real code on purpose, each of which some test must notice."""
