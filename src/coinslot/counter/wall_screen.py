"""The screen on the wall of a counter: whose order is being made, and whose is ready. Numbers and
names alone, at an address that holds a secret: no script, no sign-in, and nothing opens an
order."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

from litestar import Response
from litestar.params import PathParameter
from msgspec import Struct

from coinslot.context import Context
from coinslot.counter.flow import COUNTER
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, Answer, AnyRequest, Renderer
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.site import Site

Secret = Annotated[str, PathParameter(max_length=64, pattern=STORABLE)]
_MOST: Final = 24
_AGAIN_S: Final = 5
_TEMPLATES: Final = Path(__file__).parent / "templates"
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {"making": "Being prepared", "ready": "Ready", "none": "Nothing yet"},
    "hi": {"making": "बन रहे हैं", "ready": "तैयार", "none": "अभी कुछ नहीं"},
    "ru": {"making": "Готовятся", "ready": "Готово", "none": "Пока ничего"},
}

_STORE = """
SELECT s.outlet_id, s.merchant_id, u.name FROM counter_stores s JOIN outlets u ON u.id = s.outlet_id
WHERE s.wall = $1 AND u.decommissioned_at IS NULL
"""
_NAMED = """
SELECT o.number, c.name, bool_and(f.state = 'to_pick_up') AS ready, min(o.paid_at) AS at
FROM fulfillments f JOIN orders o ON o.id = f.order_id JOIN counter_orders c ON c.order_id = o.id
WHERE o.outlet_id = $1 AND o.state = 'paid' AND f.settlement IS NULL
    AND f.state IN ('in_preparation', 'to_pick_up') GROUP BY o.id, c.name
UNION ALL
SELECT number, name, ready_at IS NOT NULL, entered_at FROM counter_walk_ins
WHERE outlet_id = $1 AND handed_at IS NULL AND cancelled_at IS NULL
    AND entered_at > $2::timestamptz - interval '1 day'
ORDER BY at, number LIMIT 200
"""


class Named(Struct, frozen=True, kw_only=True):
    """An order as everybody may know it."""

    number: str
    name: str
    ready: bool


class Wall(Struct, frozen=True, kw_only=True):
    """What hangs on the wall."""

    store: str
    making: tuple[Named, ...]
    ready: tuple[Named, ...]


async def wall(context: Context, secret: str) -> Wall | None:
    """None: no counter has this address."""
    async with context.db.system_transaction() as conn:
        at = await conn.fetchrow(_STORE, secret)
    if at is None:
        return None
    merchant: UUID = at["merchant_id"]
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(_NAMED, at["outlet_id"], context.now())
    found = [Named(number=r["number"], name=r["name"], ready=r["ready"]) for r in rows]
    return Wall(
        store=at["name"],
        making=tuple(one for one in found if not one.ready)[:_MOST],
        ready=tuple(one for one in found if one.ready)[-_MOST:],
    )


class WallPages(SharedHandler):
    """One page, which comes again by itself."""

    def __init__(self, context: Context, site: Site) -> None:
        self._context = context
        self._renderer = Renderer(site, more=(_TEMPLATES,))

    async def show(self, request: AnyRequest, secret: Secret) -> Response[str]:
        found = await wall(self._context, secret)
        if found is None:
            raise RefusedError(
                404, "no_such_screen", "No screen has this address.", sentence="nothing_here"
            )
        words = _WORDS.get(self._renderer.words(request).code, _WORDS["en"])
        page = self._renderer.page(
            request, "wall.html", Answer(), COUNTER.name, wall=found, w=words
        )
        page.headers["Refresh"] = str(_AGAIN_S)  # nobody reads on it for longer, or types
        return page
