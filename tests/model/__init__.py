"""The vend protocol as an explicit-state model: every order of loss, delay, race and power cut.

In it: one unit, two server processes on its row, one device with a truthful sensor. Not in it:
several units, money beyond the one settlement, corrections by evidence that comes afterwards, and
the state `started`, which only narrows `going`.
"""
