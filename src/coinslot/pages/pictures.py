"""Pictures of products and logos, as they are stored. A name never means another picture, so a
browser keeps what it has; a storage that is away costs the picture, never the page."""

import asyncio
from base64 import b64decode
from http import HTTPStatus
from typing import Annotated, Final

import structlog
from litestar import Response
from litestar.params import PathParameter

from coinslot.context import Context
from coinslot.pages.rendering import STORABLE, AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.storage.base import FileNameError, StorageAwayError

log = structlog.get_logger(__name__)

_PATIENCE_S: Final = 4.0
_AT_ONCE: Final = 32
_CLEAR: Final = b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")  # one clear pixel
Name = Annotated[str, PathParameter(max_length=80, pattern=STORABLE)]


class Pictures(SharedHandler):
    """Reads the storage; no row is asked."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def show(self, request: AnyRequest, name: Name) -> Response[bytes]:
        mark = f'"{name}"'
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable", "ETag": mark,
            # A CDN passes this on, and its address is of another site than the page.
            "Cross-Origin-Resource-Policy": "cross-origin",
        }  # fmt: skip
        try:
            async with asyncio.timeout(_PATIENCE_S), self._places:
                body = await self._context.storage.read(name)
        except FileNameError:
            body = None
        except (StorageAwayError, TimeoutError) as error:
            log.warning("picture_away", name=name, error=repr(error))
            return _nothing(HTTPStatus.SERVICE_UNAVAILABLE)
        if body is None:
            return _nothing(HTTPStatus.NOT_FOUND)
        if request.headers.get("if-none-match") == mark:
            return Response(b"", status_code=304, headers=headers)
        return Response(body, media_type="image/webp", headers=headers)


def _nothing(status: HTTPStatus) -> Response[bytes]:
    """Browsers show the body of a picture that failed: this one cannot be seen, where none would be
    a torn sheet of paper."""
    headers = {"Cache-Control": "no-store"}
    return Response(_CLEAR, status_code=status, media_type="image/webp", headers=headers)
