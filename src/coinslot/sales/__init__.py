"""The heart: money in, goods out, or money back."""
