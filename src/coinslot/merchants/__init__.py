"""Who sells: merchants, members, API keys and gateway accounts."""
