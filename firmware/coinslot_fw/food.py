"""The food lock of a cooled machine: warm for too long, and it sells nothing until a visit. It
needs no network, and no power cut opens it."""

_LIMIT_C = 5
_WARM_S = 900
_GRACE_S = 1800


class Food:
    """`rule` is the configuration's `food_lock`, or None where nothing is cooled. What cannot be
    read of it is the default: no configuration that came from somewhere else opens a lock."""

    def __init__(self, rule):
        self._rule = None if rule is None else rule if isinstance(rule, dict) else {}
        self._warm_since = None
        self._grace_until = 0

    def due(self, temperature_c, door_open, now_s):
        """Whether the lock falls now. A sensor that says nothing ends no warmth; a door that opens
        while it is cool gives the time that goods need to cool again."""
        if self._rule is None:
            return False
        warm = temperature_c is not None and temperature_c > self._number("limit_c", _LIMIT_C)
        cool = temperature_c is not None and not warm
        if cool:
            self._warm_since = None
        elif warm and self._warm_since is None:
            self._warm_since = now_s
        if door_open and (cool or self._grace_until == 0):
            self._grace_until = now_s + self._number("grace_s", _GRACE_S)
        if self._warm_since is None:
            return False
        until = self._warm_since + self._number("warm_s", _WARM_S)
        return now_s >= max(until, self._grace_until)

    def _number(self, name, default):
        value = self._rule.get(name)
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        return value if good else default
