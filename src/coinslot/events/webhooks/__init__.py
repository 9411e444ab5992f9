"""Webhooks to merchants, by Standard Webhooks: endpoints, delivery, signing."""
