"""For classes whose methods are handlers: Litestar deep-copies a handler with its object, and a
copied backend would be another backend."""

from typing import Self


class SharedHandler:
    """A copy of this is itself."""

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self
