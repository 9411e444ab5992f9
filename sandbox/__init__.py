"""Emulators of every outside party; a stranger to coinslot."""
