"""The page of a machine's own screen, for an old tablet: the code to scan, what is sold, how it is.
Whoever it is may ask, so it costs little: the state is read once in two seconds however
many screens listen, and a request waits until the state has changed."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Final

import msgspec
from litestar import Response
from litestar.params import FromQuery, PathParameter
from msgspec import Meta, Struct

from coinslot.kit import qr
from coinslot.orders.page_views import OutletView, WhyNot
from coinslot.pages import assets, peer
from coinslot.pages.backend import Backend
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, Answer, AnyRequest, Formatter, Renderer
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.stream_places import StreamPlaces

Code = Annotated[str, PathParameter(max_length=64, pattern=STORABLE)]
Seen = Annotated[str, Meta(max_length=64)]

READ_EVERY_S: Final = 2.0
WAIT_S: Final = 25.0
REMEMBERED: Final = 500  # machines
_PLACES: Final = {"network": 20, "outlet": 10}
_MOST_PLACES: Final = 500
_WORKER_POLICY: Final = "default-src 'none'; connect-src 'self'"


class ScreenItem(Struct, frozen=True):
    """One line of the screen."""

    slot: str
    name: str
    price: str
    available: bool
    about: str = ""
    category: str = ""  # above the first line of each; empty: there is only one


class ScreenState(Struct, frozen=True):
    """All that a screen shows besides its code: nothing of it is a secret."""

    version: str
    state: str  # ready, busy, or why it sells nothing
    title: str
    more: str
    items: Sequence[ScreenItem]


class ScreenPages(SharedHandler):
    """Reads what the machine's customer page would read."""

    def __init__(self, backend: Backend, renderer: Renderer) -> None:
        self._backend = backend
        self._renderer = renderer
        self._known: OrderedDict[str, tuple[float, OutletView | None]] = OrderedDict()
        self._reading: dict[str, asyncio.Lock] = {}
        self._places = StreamPlaces(_MOST_PLACES, _PLACES)
        self.wait_s = WAIT_S

    async def show(self, request: AnyRequest, outlet: Code) -> Response[str]:
        view = await self._view(outlet)
        site = self._renderer.site
        address = f"{site.base_url.rstrip('/')}/q/{view.code}"
        state = self._state(request, view)
        return self._renderer.page(
            request, "screen.html", Answer(cache="no-cache"), view.kind, outlet=view,
            brand=view.brand, state=state, code=qr.svg(address), address=address,
        )  # fmt: skip

    async def worker(self, outlet: Code) -> Response[bytes]:
        """What shows the page to a tablet that is switched on without a network. Its address says
        of which machine: that is all that it may answer for."""
        return Response(
            assets.load("screen_worker.js").body, media_type="text/javascript; charset=utf-8",
            headers={"Cache-Control": "no-cache", "Content-Security-Policy": _WORKER_POLICY},
        )  # fmt: skip

    async def state(
        self, request: AnyRequest, outlet: Code, seen: FromQuery[Seen] = ""
    ) -> Response[bytes]:
        """The state as soon as it is not the one that was seen, or what it is after a while."""
        state = self._state(request, await self._view(outlet))
        network = peer.network(request)
        if state.version == seen and not self._places.is_full(network=network, outlet=outlet):
            with self._places.taken(network=network, outlet=outlet) as free:
                state = await self._changed(request, outlet, state) if free else state
        return Response(
            msgspec.json.encode(state), media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )  # fmt: skip

    async def _changed(self, request: AnyRequest, outlet: str, seen: ScreenState) -> ScreenState:
        end = asyncio.get_running_loop().time() + self.wait_s
        state = seen
        while state.version == seen.version and asyncio.get_running_loop().time() < end:
            if await _leaves_within(request, READ_EVERY_S):
                break  # its place is free for the next one at once
            state = self._state(request, await self._view(outlet))
        return state

    async def _view(self, code: str) -> OutletView:
        """As it was read within two seconds; one reads and the others wait. Raises RefusedError."""
        lock = self._reading.setdefault(code, asyncio.Lock())
        try:
            async with lock:
                now = asyncio.get_running_loop().time()
                read_at, view = self._known.get(code, (-1, None))
                if read_at < 0 or now - read_at >= READ_EVERY_S:
                    view = await self._backend.outlet(code)
                    self._known[code] = (now, view)
                    self._known.move_to_end(code)
                    while len(self._known) > REMEMBERED:
                        self._known.popitem(last=False)
        finally:
            if not lock.locked():
                self._reading.pop(code, None)
        if view is None:
            raise RefusedError(404, "not_found", "No machine has this code.")
        return view

    def _state(self, request: AnyRequest, view: OutletView) -> ScreenState:
        formatter = self._renderer.formatter(request, view.brand.languages)
        found = _state_of(view, formatter)
        mark = sha256(msgspec.json.encode(found)).hexdigest()[:16]
        return msgspec.structs.replace(found, version=mark)


async def _leaves_within(request: AnyRequest, seconds: float) -> bool:
    """Wait so long, or until the client closes its connection; whether it did. Nothing else tells
    a handler of that."""
    try:
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


def _state_of(view: OutletView, formatter: Formatter) -> ScreenState:
    t = formatter.words
    groups = view.by_category
    items = [
        ScreenItem(
            item.slot, item.name_in(t.code), formatter.money(item.price),
            item.available and view.ready, item.description_in(t.code),
            (category or t.other_goods) if len(groups) > 1 else "",
        )
        for category, found in groups
        for item in found
    ]  # fmt: skip
    if view.why_not is not WhyNot.READY:
        title = str(getattr(t, f"why_{view.why_not.value}"))
        return ScreenState("", view.why_not.value, title, t.screen_not_now, items)
    if view.busy:
        return ScreenState("", "busy", t.screen_busy, t.screen_busy_more, items)
    return ScreenState("", "ready", t.screen_ready, t.promise, items)
