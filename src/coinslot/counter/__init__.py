"""Counters: a customer orders and pays on a phone, staff prepare it, and a code hands it over."""
