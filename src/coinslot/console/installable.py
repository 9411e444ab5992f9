"""What lets a phone keep the console as an app: its manifest, its icons, and the worker that shows
notices, and says "offline" in place of a page. No page is ever kept on the phone."""

import io
from functools import cache
from typing import Any, Final

import msgspec
from litestar import Response
from PIL import Image, ImageDraw

from coinslot.console.frame import HOME
from coinslot.pages import assets
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.site import Site

GREEN: Final = "#0b6b4f"
PAPER: Final = "#f6f3ec"
SIZES: Final = (192, 512)
# The worker asks this server for pages, and nobody else for anything.
_WORKER_POLICY: Final = "default-src 'none'; connect-src 'self'"
_DAY: Final = "public, max-age=86400"


class Installable(SharedHandler):
    """Files that anyone may read: they say nothing of any merchant."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def manifest(self) -> Response[bytes]:
        icons = [
            {
                "src": f"{HOME}/icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png",
                "purpose": "any maskable",
            }
            for size in SIZES
        ]  # fmt: skip
        said: dict[str, Any] = {
            "id": HOME, "name": self._site.name, "short_name": self._site.name[:12],
            "start_url": HOME, "scope": HOME, "display": "standalone",
            "background_color": PAPER, "theme_color": GREEN, "icons": icons,
        }  # fmt: skip
        return Response(
            msgspec.json.encode(said), media_type="application/manifest+json",
            headers={"Cache-Control": _DAY},
        )  # fmt: skip

    async def worker(self) -> Response[bytes]:
        return Response(
            assets.load("worker.js").body, media_type="text/javascript; charset=utf-8",
            headers={
                "Cache-Control": "no-cache", "Content-Security-Policy": _WORKER_POLICY,
                "Service-Worker-Allowed": HOME,
            },
        )  # fmt: skip

    async def small_icon(self) -> Response[bytes]:
        return _picture(SIZES[0])

    async def large_icon(self) -> Response[bytes]:
        return _picture(SIZES[1])


def _picture(size: int) -> Response[bytes]:
    return Response(icon(size), media_type="image/png", headers={"Cache-Control": _DAY})


@cache
def icon(size: int) -> bytes:
    """A coin slot on green. A phone may cut any shape out of it: what matters is in the middle."""
    large = Image.new("RGB", (size, size), GREEN)
    draw = ImageDraw.Draw(large)
    width, height = size * 0.10, size * 0.52
    left, top = (size - width) / 2, (size - height) / 2
    draw.rounded_rectangle((left, top, left + width, top + height), width / 2, fill="#ffffff")
    made = io.BytesIO()
    large.save(made, "PNG", optimize=True)
    return made.getvalue()
