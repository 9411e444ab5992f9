"""Pages that change by themselves: a stream that says that something changed, and never what. The
page then asks for itself again, as whoever is signed in may see it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from time import monotonic
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from litestar.params import FromQuery
from litestar.response import Stream
from msgspec import Struct

from coinslot.console.frame import Frame
from coinslot.db.pool import AWAY
from coinslot.oversight.changes import Changes
from coinslot.pages import peer
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.site import Site
from coinslot.pages.stream_places import StreamPlaces
from coinslot.people import sessions
from coinslot.people.authentication import Authentication
from coinslot.people.sessions import SignedIn

log = structlog.get_logger(__name__)

PATH: Final = "/console/live"
BOARD_PATH: Final = "/console/board/live"
PATHS: Final = (PATH, BOARD_PATH)  # of streams
RETRY_MS: Final = 3000
# Told to the browser of someone whose session is over: it stops, and says so.
OVER: Final = f"retry: {60_000}\nevent: over\ndata: over\n\n"
# A page hears by it that nothing holds its stream back.
HERE: Final = "event: here\ndata: here\n\n"


class Turns:
    """So many page loads a second, of all open pages together: those that wait get their turn in
    order, and learn of everything that changed meanwhile at once. Who goes away leaves the queue:
    pages that are opened and closed again and again keep nobody waiting."""

    def __init__(self, per_s: float = 4.0, at_once: int = 8) -> None:
        self._pause_s = 1 / per_s
        self._ahead_s = at_once / per_s
        self._next = 0.0
        self._line = asyncio.Lock()  # first come, first served

    async def wait(self) -> None:
        """Until it is the caller's turn."""
        async with self._line:
            mine = max(self._next, monotonic() - self._ahead_s) + self._pause_s
            await asyncio.sleep(max(0.0, mine - monotonic()))
            self._next = mine


async def in_turn(turns: Turns, is_over: Callable[[], bool], every_s: float) -> AsyncIterator[str]:
    """What a page is told until it is its turn; also that its session is over."""
    turn = asyncio.create_task(turns.wait(), name="wait for the turn of a page")
    try:
        while not turn.done():
            await asyncio.wait({turn}, timeout=every_s)
            if is_over():
                yield OVER
                return
            if not turn.done():
                yield ": soon\n\n"
    finally:
        turn.cancel()
        await asyncio.wait({turn})


class OpenSessions:
    """The sessions of open streams, looked at together."""

    def __init__(self, auth: Authentication, every_s: float) -> None:
        self._auth = auth
        self._every_s = every_s
        self._streams: Counter[UUID] = Counter()
        self._over: set[UUID] = set()
        self._looking: asyncio.Task[None] | None = None

    def add(self, session: UUID) -> None:
        self._streams[session] += 1
        if self._looking is None or self._looking.done():
            begin = self._auth.context.background.start
            self._looking = begin(self._look(), "look at open sessions")

    def remove(self, session: UUID) -> None:
        self._streams[session] -= 1
        if not self._streams[session]:
            del self._streams[session]
            self._over.discard(session)

    def is_over(self, session: UUID) -> bool:
        return session in self._over

    async def _look(self) -> None:
        while self._streams:
            asked = list(self._streams)
            try:
                still = await sessions.still_open(self._auth, asked)
                self._over |= {one for one in asked if one not in still and one in self._streams}
            except (asyncpg.PostgresError, *AWAY) as error:
                log.warning("open_sessions_not_looked_at", error=repr(error))
            await asyncio.sleep(self._every_s)


class LivePages(SharedHandler):
    """Streams of open pages of the console."""

    def __init__(self, frame: Frame, changes: Changes, site: Site) -> None:
        self._site = site
        self._changes = changes
        self._every_s = site.live_sessions_every.total_seconds()
        self._sessions = OpenSessions(frame.auth, self._every_s)
        self._turns = Turns()
        each = {"network": site.live_streams_per_network, "person": site.live_streams_per_person}
        self._places = StreamPlaces(site.live_streams_max, each)

    async def stream(self, request: AnyRequest, seen: FromQuery[str] = "") -> Stream:
        return self.opened(request, seen, self._in_turn)

    def opened(
        self, request: AnyRequest, seen: str, tell: "Tell",
        held: AbstractContextManager[object] | None = None,
    ) -> Stream:  # fmt: skip
        """A stream of an open page, which knows of what is `seen`; `tell` says the rest. Something
        is `held` for as long as it is open."""
        if self._places.is_full(**_whose(request)):
            raise RefusedError(503, "too_many_streams", "Reload instead.")
        last = request.headers.get("last-event-id", "") or seen
        return Stream(
            self._events(request, last, tell, held or nullcontext()),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )  # fmt: skip

    async def _events(
        self, request: AnyRequest, seen: str, tell: "Tell", held: AbstractContextManager[object]
    ) -> AsyncIterator[str]:
        session = signed_in(request).session
        with held, self._places.taken(**_whose(request)) as fits:
            if not fits:
                return
            self._sessions.add(session)
            try:
                async for event in self._told(request, seen, tell):
                    yield event
            finally:
                self._sessions.remove(session)

    async def _told(self, request: AnyRequest, seen: str, tell: "Tell") -> AsyncIterator[str]:
        who = signed_in(request)
        ends = monotonic() + self._site.live_stream_life.total_seconds()
        yield f"retry: {RETRY_MS}\n: here\n\n"
        heard = monotonic()
        while monotonic() < ends:
            now = await self._changes.changed(who.merchant, seen, self._every_s)
            if self._sessions.is_over(who.session):
                yield OVER
                return
            if now != seen:
                newest = Newest(seen)
                async for said in tell(who, newest):
                    yield said
                    if said == OVER:
                        return
                seen, heard = newest.version, monotonic()
            elif monotonic() - heard >= self._site.live_comment_every.total_seconds():
                heard = monotonic()
                yield HERE

    async def _in_turn(self, who: SignedIn, newest: "Newest") -> AsyncIterator[str]:
        """That a page is to look again, when it is its turn: each looks for itself."""
        over = partial(self._sessions.is_over, who.session)
        async for said in in_turn(self._turns, over, self._every_s):
            yield said
            if said == OVER:
                return
        newest.version = self.version(who)
        yield f"id: {newest.version}\ndata: {newest.version}\n\n"

    def version(self, who: SignedIn) -> str:
        """Of what whoever reads now sees at least."""
        return self._changes.version(who.merchant)


class Newest(Struct):
    """The version that a page was told of."""

    version: str


Tell = Callable[[SignedIn, Newest], AsyncIterator[str]]


def _whose(request: AnyRequest) -> dict[str, str]:
    """For whom an open page counts: the network it comes from, and whoever is signed in."""
    return {"network": peer.network(request), "person": str(signed_in(request).person)}
