"""The feed of events over HTTP, for a merchant that has no public URL for webhooks."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, QueryParameter
from msgspec.structs import replace

from coinslot.api.api_calls import caller_of
from coinslot.context import Context
from coinslot.events import feed
from coinslot.events.feed import Asked, EventPage, EventStatement, UnknownEventError
from coinslot.events.public import TYPES
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, AnyRequest
from coinslot.pages.shared_handler import SharedHandler

_WAIT_MAX_S = 30
WAITING_MAX = 20  # calls of one merchant at one process; a further call is answered at once

After = Annotated[
    str | None,
    QueryParameter(
        required=False, max_length=64, pattern=STORABLE,
        description="The last event that was read, or `newest` for what comes from now on.",
    ),
]  # fmt: skip
Types = Annotated[
    str | None,
    QueryParameter(
        required=False, max_length=2000, pattern=STORABLE,
        description="Only these, separated by commas: `payment.succeeded,refund.failed`.",
    ),
]  # fmt: skip
Wait = Annotated[
    int,
    QueryParameter(
        ge=0, le=_WAIT_MAX_S,
        description="When there are none, wait so many seconds for the next.",
    ),
]  # fmt: skip


class Events(SharedHandler):
    """Read with a key of the scope events:read."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._waiting: Counter[UUID] = Counter()

    async def listed(
        self,
        request: AnyRequest,
        after: After = None,
        types: Types = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
        wait_s: Wait = 0,
    ) -> EventPage:
        """Events, oldest first. Ask again with `after` set to `next`: none is skipped."""
        who = await caller_of(self._context, request, "events:read")
        wanted = known(found for part in (types or "").split(",") if (found := part.strip()))
        patience_s = wait_s if self._waiting[who.merchant] < WAITING_MAX else 0
        asked = Asked(after=after, types=wanted, limit=limit, wait_s=patience_s)
        self._waiting[who.merchant] += 1
        try:
            return await self._page(who.merchant, asked)
        except UnknownEventError as error:
            raise RefusedError(404, "not_found", str(error)) from None
        finally:
            self._waiting[who.merchant] -= 1

    async def _page(self, merchant: UUID, asked: Asked) -> EventPage:
        found = await feed.page(self._context, merchant, asked)
        if asked.after != "newest" or not asked.wait_s:
            return found
        return await feed.page(self._context, merchant, replace(asked, after=found.next))

    async def one(self, request: AnyRequest, event: FromPath[str]) -> EventStatement:
        """One event."""
        who = await caller_of(self._context, request, "events:read")
        try:
            return await feed.one(self._context, who.merchant, event)
        except UnknownEventError as error:
            raise RefusedError(404, "not_found", str(error)) from None


def known(types: Iterable[str]) -> tuple[str, ...]:
    """These types of events. Raises RefusedError for one that there is not."""
    wanted = tuple(types)
    if strange := ", ".join(sorted(set(wanted) - TYPES)[:5]):
        raise RefusedError(422, "unknown_type", f"There are no events of type {strange}.")
    return wanted
