"""Drivers of notices: one contract over all of them, and what is special to each."""
