"""Tests of firmware and its roll-outs."""
