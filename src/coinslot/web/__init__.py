"""HTTP in and out: pages, the API and the webhooks. It decides nothing."""
