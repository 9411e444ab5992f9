"""HTTP for programs: the merchant API, webhooks of gateways, health. It decides nothing."""
