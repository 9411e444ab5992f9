"""The firmware of a vending controller, in MicroPython: one code for the chip and the unix port."""
