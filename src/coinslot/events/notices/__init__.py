"""Notices to people: what needs them, who wants to hear of it, and how it goes out."""
