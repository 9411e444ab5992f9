"""Stripe: Checkout Sessions, PaymentIntents, captures, refunds and signed events (pinned version).

What was checked of it, by whom, and what could not be: docs/gateways/stripe.md.
"""

from coinslot.gateways.stripe.driver import Settings as Settings
from coinslot.gateways.stripe.driver import Stripe as Stripe
from coinslot.gateways.stripe.driver import address as address
from coinslot.gateways.stripe.driver import name as name
from coinslot.gateways.stripe.driver import open as open
from coinslot.gateways.stripe.driver import practising as practising

Opened = Stripe
