"""Who can open our public address, as far as the address says so? A code that is printed with one
that only this computer opens is dead paper."""

import ipaddress
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

_COMPUTER: Final = ("localhost", ".localhost")
# Names that no resolver outside of a network answers: without a dot, or below these.
_NETWORK: Final = (".local", ".lan", ".home", ".internal", ".home.arpa")


class Reach(Enum):
    COMPUTER = "computer"  # this one alone
    NETWORK = "network"  # whoever is in the same Wi-Fi
    WORLD = "world"


def reach_of(base_url: str) -> Reach:
    host = (urlsplit(base_url).hostname or "").rstrip(".")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if host.endswith(_COMPUTER):
            return Reach.COMPUTER
        within = "." not in host or host.endswith(_NETWORK)
        return Reach.NETWORK if within else Reach.WORLD
    if address.is_loopback or address.is_unspecified:
        return Reach.COMPUTER
    return Reach.WORLD if address.is_global else Reach.NETWORK
