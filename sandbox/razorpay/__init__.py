"""Razorpay on the wire: QR codes, payments, refunds, orders, webhooks, with its quirks."""
