"""The device's own food lock: it needs no network, and no power cut opens it. Only a visit does."""

from dataclasses import dataclass
from typing import Any

LIMIT_C, WARM_S, GRACE_S = 5.0, 900.0, 1800.0
COOL_C, WARM_C = 4.0, 12.0  # what the simulated sensor says


@dataclass(frozen=True)
class FoodRule:
    """Degrees Celsius and seconds, as in the configuration's `food_lock`."""

    limit_c: float = LIMIT_C
    warm_s: float = WARM_S
    grace_s: float = GRACE_S

    @classmethod
    def of(cls, asked: dict[str, Any]) -> "FoodRule":
        known = {name: float(asked[name]) for name in cls.__annotations__ if name in asked}
        return cls(**known)


class FoodWatch:
    """Follows the temperature within one boot. After a restart the time begins anew: the grace of a
    door that opened before it is over."""

    def __init__(self, rule: FoodRule) -> None:
        self._rule = rule
        self._warm_since: float | None = None
        self._grace_until: float | None = None

    def is_due(self, temperature_c: float | None, *, door_open: bool, now_s: float) -> bool:
        """Whether the lock falls now. A sensor that says nothing ends no warmth."""
        warm = temperature_c is not None and temperature_c > self._rule.limit_c
        cool = temperature_c is not None and not warm
        if cool:
            self._warm_since = None
            if self._grace_until is not None and self._grace_until <= now_s:
                self._grace_until = None
        if door_open and (cool or self._grace_until is None):
            self._grace_until = now_s + self._rule.grace_s
        if warm and self._warm_since is None:
            self._warm_since = now_s
        if self._warm_since is None:
            return False
        return now_s >= max(self._warm_since + self._rule.warm_s, self._grace_until or 0.0)

    def visited(self, now_s: float) -> None:
        self._warm_since, self._grace_until = None, now_s + self._rule.grace_s
