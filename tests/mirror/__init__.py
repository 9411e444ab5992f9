"""The mirror in Firebase, over real sockets: its own client reads what was written."""
