"""People: who they are, for whom they work and in which role, how they sign in, and the log of what
they did. Also the API keys of devices."""
