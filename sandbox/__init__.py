"""Emulators of everybody outside: gateways on their real wire, with weather and books.

A stranger to the application: it must not import `coinslot`, and `coinslot` must not import it.
"""
