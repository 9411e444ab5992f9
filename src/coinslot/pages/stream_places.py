"""How many streams may be open: in all, and for each of those whom they count for."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class StreamPlaces:
    """One for each kind of stream of a process. `each`: at most so many for one value, by what the
    value is, such as `{"network": 100}`."""

    def __init__(self, most: int, each: Mapping[str, int]) -> None:
        self._most, self._each = most, each
        self._total = 0
        self._open: Counter[tuple[str, str]] = Counter()

    def is_full(self, **whose: str) -> bool:
        """Whether one more is too many: said before an answer begins."""
        return self._total >= self._most or any(
            self._open[key] >= self._each[key[0]] for key in whose.items()
        )

    @contextmanager
    def taken(self, **whose: str) -> Iterator[bool]:
        """A place, while its stream is open. False: others that asked at the same moment took the
        last one, and the stream ends at once."""
        self._total += 1
        self._open.update(whose.items())
        try:
            yield self._total <= self._most and all(
                self._open[key] <= self._each[key[0]] for key in whose.items()
            )
        finally:
            self._total -= 1
            self._open.subtract(whose.items())
            for key in whose.items():
                if not self._open[key]:
                    del self._open[key]
