"""The network that a request comes from: one network, not one person."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the settings read networks too, and every command reads the settings
    from coinslot.pages.rendering import AnyRequest

Network = IPv4Network | IPv6Network
_ONE_CUSTOMER = 64  # the smallest network that a provider gives to one customer


def network(request: "AnyRequest") -> str:
    """The network of the client: an IPv4 address, the /64 of an IPv6 address.

    It is the connection's own address. A header that anyone may write counts only where the server
    was told to trust the proxy that sets it."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host or "unknown"
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _ONE_CUSTOMER), strict=False))


def address(request: "AnyRequest") -> str:
    """The client's own address, with the same care; "unknown" where there is none."""
    host = request.client.host if request.client else ""
    return host.partition("%")[0] or "unknown"


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks, separated by commas. Raises ValueError."""
    return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())


def is_one_of(host: str, known: Sequence[Network]) -> bool:
    """Whether the address is in one of the networks; a text that is no address is in none."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in known)
