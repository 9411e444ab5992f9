"""The life of machines: set up from a template, configured in versions, enrolled, shown, and taken
out of service."""
