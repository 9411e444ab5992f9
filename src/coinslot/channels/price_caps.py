"""The highest price for which a machine sells, by its class and by currency."""

import re
from collections.abc import Mapping

from msgspec import Struct

from coinslot.kit.money import Money

_PART = re.compile(r"(G[0-3]):([A-Z]{3})=([0-9]{1,18})")


class PriceCapError(ValueError):
    """This text says no caps."""


class PriceCaps(Struct, frozen=True):
    """`of` has the money by class and currency; what is not in it has no cap."""

    of: Mapping[tuple[str, str], Money] = {}

    @classmethod
    def parse(cls, text: str) -> "PriceCaps":
        """`G0:INR=10000,G1:INR=50000`, in minor units. Raises PriceCapError."""
        found: dict[tuple[str, str], Money] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            said = _PART.fullmatch(part)
            if said is None:
                raise PriceCapError(f"{part!r} is not like G0:INR=10000")
            key = (said[1], said[2])
            if key in found:
                raise PriceCapError(f"{said[1]}:{said[2]} is there twice")
            try:
                found[key] = Money(int(said[3]), said[2])
            except ValueError as error:
                raise PriceCapError(str(error)) from None
        return cls(found)

    def refusal(self, level: str, price: Money) -> str | None:
        """Why a machine of this class does not sell for that, or None."""
        most = self.of.get((level, price.currency))
        if most is None or price.minor <= most.minor:
            return None
        return f"A machine of class {level} sells for at most {most}."
