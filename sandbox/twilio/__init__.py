"""Twilio: text messages and calls, their status callbacks, and the phones that they reach."""
