"""The vend protocol as an explicit-state model: every order of loss, delay, race and power cut.

One unit, two server processes, one device with a truthful sensor. Left out: several units, money
beyond one settlement, evidence after it, and `started`, which only narrows `going`."""
