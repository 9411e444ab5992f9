"""What lies in the slots of machines: counts, refills, lots that expire, and when a slot will be
empty."""
