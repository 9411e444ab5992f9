"""The vend protocol as an explicit-state model: every order of loss, delay, race and power cut."""
