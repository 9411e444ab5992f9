"""What one network does at one counter within an hour, where it is free to try: coupon codes, and
cards that are begun. Counted in this process; each process of several counts its own."""

from collections import deque
from datetime import datetime, timedelta
from typing import Final

from coinslot.context import Context

_SPAN: Final = timedelta(hours=1)
_KEYS: Final = 10_000  # the oldest is forgotten first

Key = tuple[str, ...]


class LatelyTried:
    """Tries of an hour, by key. Guests of a cafe share its network: the limits are generous to
    people, and leave a program nothing to guess with."""

    def __init__(self, context: Context, most: int) -> None:
        self._context, self._most = context, most
        self._tries: dict[Key, deque[datetime]] = {}

    def is_spent(self, *key: str) -> bool:
        tries, since = self._tries.get(key, ()), self._context.now() - _SPAN
        return sum(at > since for at in tries) >= self._most

    def note(self, *key: str) -> None:
        tries = self._tries.pop(key, None) or deque(maxlen=self._most)
        tries.append(self._context.now())
        self._tries[key] = tries  # the newest at the end
        while len(self._tries) > _KEYS:
            del self._tries[next(iter(self._tries))]
