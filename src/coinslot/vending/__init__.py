"""Machines that dispense: the leased vend protocol, evidence, journals."""
