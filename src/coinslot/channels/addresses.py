"""Where brokers are: one address may name several, of a cluster."""

from urllib.parse import urlsplit

from msgspec import Struct


class Place(Struct, frozen=True):
    """One broker of those that an address names."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def places(url: str) -> tuple[Place, ...]:
    """The brokers of a cluster, in the order in which they are tried. Raises ValueError."""
    parts = urlsplit(url)
    named = [urlsplit(f"//{one}") for one in parts.netloc.rpartition("@")[2].split(",")]
    if parts.scheme not in ("mqtt", "mqtts") or not all(one.hostname for one in named):
        raise ValueError(
            "the broker's address is mqtt://user:password@host:port or mqtts://,"
            " with several host:port separated by commas"
        )
    usual = 8883 if parts.scheme == "mqtts" else 1883
    return tuple(Place(one.hostname or "", one.port or usual) for one in named)
