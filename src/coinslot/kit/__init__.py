"""Modules without any business word: money flow clock ids codes secrets qr faults, cells
of tables, numbers as they are typed. A closed list."""
