"""Whole stories on real parts, from the scan to the can or the refund."""
