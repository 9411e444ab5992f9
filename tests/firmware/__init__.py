"""The firmware: its rules under CPython, and the whole of it on a real MicroPython."""
