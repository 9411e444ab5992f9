"""What one customer buys at one outlet: checkout, expiry, and what pages see of it."""
