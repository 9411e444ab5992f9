"""Firmware: signed builds, and the waves in which the machines of a merchant get one."""
