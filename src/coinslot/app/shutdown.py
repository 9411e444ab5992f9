"""Ends open requests when the server stops: 503 with Retry-After, and no traceback.

The feed's long poll and a page's stream last longer than the server waits for them."""

import asyncio
from typing import Any

_AGAIN_S = b"1"


async def end_on_shutdown(app: Any, scope: Any, receive: Any, send: Any) -> None:
    """Let `app` answer; when the server cancels it, complete the answer."""
    begun = ended = False

    async def recording_send(message: Any) -> None:
        nonlocal begun, ended
        begun = True
        ended = message["type"] == "http.response.body" and not message.get("more_body", False)
        await send(message)

    try:
        await app(scope, receive, recording_send)
    except asyncio.CancelledError:
        if scope["type"] != "http":
            raise
        if not begun:
            headers = [(b"retry-after", _AGAIN_S), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
        if not ended:
            await send({"type": "http.response.body", "body": b""})
