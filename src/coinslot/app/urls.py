"""Routes that have something in common."""

from typing import Any, Self

from litestar import Router


class Urls(Router):
    """A router that is registered once: Litestar need not copy all that is in it, which is a third
    of what the start of the web costs."""

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self
