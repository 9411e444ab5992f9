"""Health: does the installation work? For whoever runs it."""

from litestar import Response

from coinslot.console.frame import Frame
from coinslot.pages.backend import Backend
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler


class HealthPage(SharedHandler):
    """Asks what /health asks."""

    def __init__(self, frame: Frame, backend: Backend) -> None:
        self._frame = frame
        self._backend = backend

    async def health(self, request: AnyRequest) -> Response[str]:
        found = await self._backend.health()
        return await self._frame.page(request, "health.html", found=found)
