"""Modules without any business word: money flow clock ids codes secrets qr faults. A closed
list."""
