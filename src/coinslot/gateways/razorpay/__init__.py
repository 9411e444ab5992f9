"""Razorpay: UPI QR codes, payment links, refunds and webhooks over its REST API (INR, paise).

What was checked of it, by whom, and what could not be: docs/gateways/razorpay.md.
"""

from coinslot.gateways.razorpay.driver import Razorpay as Razorpay
from coinslot.gateways.razorpay.driver import Settings as Settings
from coinslot.gateways.razorpay.driver import address as address
from coinslot.gateways.razorpay.driver import name as name
from coinslot.gateways.razorpay.driver import open as open
from coinslot.gateways.razorpay.driver import practising as practising

Opened = Razorpay
