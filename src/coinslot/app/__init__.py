"""The only wiring: where settings become parts, and parts are put together."""
