"""Ports for servers that a test starts."""

import contextlib
import secrets
import socket

# Below those that systems give to outgoing connections: such a one could be taken before its server
# starts.
_OF_SERVERS = range(20_000, 32_000)


def free_port() -> int:
    """A port of this computer that nobody listens on."""
    while True:
        port = secrets.choice(_OF_SERVERS)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
