"""Money in and money back: attempts, captures, refunds, webhooks of gateways, QR codes."""
