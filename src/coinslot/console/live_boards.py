"""The stream of an open board or kitchen: every event carries the parts that changed, so that a
page asks for nothing. Each is read and written once for all that show the same."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Final

import asyncpg
import structlog
from litestar.params import FromQuery
from litestar.response import Stream

from coinslot.console.board_parts import (
    KITCHEN,
    Audience,
    BoardParts,
    Loaded,
    SharedParts,
    audience_of,
    dressed,
)
from coinslot.console.frame import Frame
from coinslot.console.live import LivePages, Newest, Turns
from coinslot.db.pool import AWAY
from coinslot.pages import cookies
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.sessions import SignedIn

log = structlog.get_logger(__name__)

_AGAIN_S: Final = 2.0


class LiveBoards(SharedHandler):
    """Streams of open boards."""

    def __init__(self, frame: Frame, pages: LivePages) -> None:
        self._frame, self._pages = frame, pages
        self._parts = BoardParts(frame)
        self._turns = Turns(per_s=25.0, at_once=25)  # of renderings: one serves many pages
        self.shared = SharedParts(frame.auth.context)

    async def stream(
        self, request: AnyRequest, seen: FromQuery[str] = "", view: FromQuery[str] = ""
    ) -> Stream:
        audience = audience_of(self._frame, request, KITCHEN if view == KITCHEN else "")
        page = _OpenBoard(self, request, audience)
        return self._pages.opened(request, seen, page.tell, self.shared.watched(audience))

    async def made(self, request: AnyRequest, audience: Audience) -> Loaded:
        """When it is its turn: a merchant of very many outlets has very many of them."""
        await self._turns.wait()
        return await self._parts.load(request, audience)

    def secret(self, request: AnyRequest) -> str:
        return cookies.secret_of(request, self._frame.auth.base_url)

    def version(self, who: SignedIn) -> str:
        return self._pages.version(who)


class _OpenBoard:
    """One open page: what it was sent so far."""

    def __init__(self, boards: LiveBoards, request: AnyRequest, audience: Audience) -> None:
        self._boards, self._request, self._audience = boards, request, audience
        self._sent: dict[str, str] = {}

    async def tell(self, who: SignedIn, newest: Newest) -> AsyncIterator[str]:
        """The parts that differ from what this page was sent. Where the database is away it says
        nothing, and is asked again."""
        version = self._boards.version(who)
        make = partial(self._boards.made, self._request, self._audience)
        try:
            parts = await self._boards.shared.at(self._audience, version, make)
        except (asyncpg.PostgresError, *AWAY) as error:
            log.warning("board_not_read", error=repr(error))
            await asyncio.sleep(_AGAIN_S)
            return
        new = [part for id_, part in parts.items() if self._sent.get(id_) != part.live]
        self._sent = {id_: part.live for id_, part in parts.items()}
        newest.version = version
        yield _event(version, dressed(new, self._boards.secret(self._request)))


def _event(version: str, parts: Mapping[str, str]) -> str:
    lines = "".join(parts.values()).splitlines() or [""]
    data = "\n".join(f"data: {line}" for line in [version, *lines])
    return f"id: {version}\nevent: parts\n{data}\n\n"
