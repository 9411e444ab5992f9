"""The emulated Stripe: Checkout Sessions, PaymentIntents, refunds, events, signed webhooks."""
