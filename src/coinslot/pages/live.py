"""Server-sent events: the whole fragment whenever the order changed, a comment when nothing did."""

from collections.abc import AsyncIterator

from litestar.params import FromQuery
from litestar.response import Stream

from coinslot.kit.clock import Clock
from coinslot.kit.numbers import whole
from coinslot.pages import peer
from coinslot.pages.backend import Backend
from coinslot.pages.errors import RefusedError
from coinslot.pages.orders import Asked, Orders, Token
from coinslot.pages.rendering import AnyRequest, Renderer
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.stream_places import StreamPlaces

_RETRY_MS = 2000


class Live(SharedHandler):
    """Streams of open order pages. Over the limit a page has to poll instead."""

    def __init__(self, backend: Backend, renderer: Renderer, clock: Clock, orders: Orders) -> None:
        self._backend = backend
        self._renderer = renderer
        self._clock = clock
        self._orders = orders
        site = renderer.site
        self._places = StreamPlaces(
            site.live_streams_max, {"network": site.live_streams_per_network}
        )

    async def stream(
        self,
        request: AnyRequest,
        order: Token,
        seen: FromQuery[int] = 0,
        asked: FromQuery[Asked] = Asked.NOBODY,
    ) -> Stream:
        if await self._backend.version(order) is None:
            await self._orders.known(order)  # says that there is none
        if self._places.is_full(network=peer.network(request)):
            raise RefusedError(503, "too_many_streams", "Poll instead.")
        last = request.headers.get("last-event-id", "")
        begun = whole(last, 999_999_999)
        begin = seen if begun is None else begun
        return Stream(
            self._events(request, order, begin, asked),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def _events(
        self, request: AnyRequest, order: str, seen: int, asked: Asked
    ) -> AsyncIterator[str]:
        site = self._renderer.site
        patience_s = site.live_comment_every.total_seconds()
        ends_ms = self._clock.monotonic_ms() + site.live_stream_life.total_seconds() * 1000
        with self._places.taken(network=peer.network(request)) as fits:
            if not fits:
                return
            # Something to read at once: a page finds out by silence that a proxy holds events back.
            yield f"retry: {_RETRY_MS}\nevent: here\ndata: {seen}\n\n"
            while self._clock.monotonic_ms() < ends_ms:
                view = await self._backend.changed(order, seen, patience_s)
                if view is None:
                    yield ": still here\n\n"
                    continue
                seen = view.version
                yield _event(seen, self._orders.changing_part(request, view, asked))


def _event(version: int, text: str) -> str:
    lines = "\n".join(f"data: {line}" for line in text.splitlines() if line.strip())
    return f"id: {version}\nevent: order\n{lines}\n\n"
