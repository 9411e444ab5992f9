"""Where it is sold: machines and counters, their slots, stock and configuration."""
