"""For classes whose methods are handlers: Litestar deep-copies handlers with what they are bound
to, and a copied desk would be another desk."""

from typing import Self


class Single:
    """A copy of this is itself."""

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self
