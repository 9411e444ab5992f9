"""The authorities that this computer trusts, read once: reading them takes a client of HTTP longer
than a call, and each account and each sender has a client of its own."""

import os
import ssl
from functools import cache

import certifi


@cache
def trusted() -> ssl.SSLContext:
    """For everything that calls another server, as httpx chooses it."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not file and not folder:
        file = certifi.where()
    return ssl.create_default_context(cafile=file or None, capath=folder or None)
