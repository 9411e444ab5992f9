"""Tmetr, the telemetry of coffee machines, and the machines themselves with what they brew."""
