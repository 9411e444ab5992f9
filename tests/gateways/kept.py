"""What of a driver's exchanges is stored, searched for what must not be: by value and by name."""

import base64
from collections.abc import Iterable, Iterator, Mapping

from coinslot.gateways.wire import Exchange
from coinslot.merchants.accounts import as_kept

# What stands under these, in whatever exchange, lets its holder do something.
TELLING = {"token", "password", "clientsecret", "keysecret", "secret", "authorization"}


def leaks(exchanges: Iterable[Exchange], secrets: Iterable[str]) -> list[str]:
    """Secrets that would be found in the stored exchanges, in plain or as HTTP Basic sends them."""
    raw = list(exchanges)
    plain = [*secrets, *(s for one in raw for s in _telling((one.request, one.response)))]
    wanted = plain + [base64.b64encode(s.encode()).decode().rstrip("=") for s in plain]
    stored = "".join(repr(as_kept(one)) for one in raw)
    return [secret for secret in wanted if secret in stored]


def _telling(value: object) -> Iterator[str]:
    match value:
        case Mapping():
            for name, inner in value.items():
                named = str(name).lower().replace("_", "").replace("-", "") in TELLING
                if named and isinstance(inner, str) and inner:
                    yield inner
                else:
                    yield from _telling(inner)
        case list() | tuple():
            for inner in value:
                yield from _telling(inner)
        case _:
            pass
