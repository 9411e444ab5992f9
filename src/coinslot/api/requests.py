"""What holds for every request: HEAD is GET without its body, and a request body is not
compressed."""

from typing import Any

from litestar.types import ASGIApp, Message, Receive, Send

from coinslot.pages.errors import CODES, RefusedError
from coinslot.pages.rendering import AnyRequest

_PLAIN = frozenset({"", "identity"})


def heads(app: ASGIApp) -> ASGIApp:
    """HEAD is answered wherever GET is, with the same status and headers and no body."""

    async def with_heads(scope: Any, receive: Receive, send: Send) -> None:
        if scope.get("method") != "HEAD":
            await app(scope, receive, send)
            return

        async def start_only(message: Message) -> None:
            # At once, also for a stream: a HEAD request does not wait for its end.
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        # A copy: the server must still see that the method was HEAD.
        asked: Any = {**scope, "method": "GET"}
        await app(asked, receive, start_only)

    return with_heads


async def plain_only(request: AnyRequest) -> None:
    """Refuses a compressed body before it is read. Decompressed, a few bytes may become gigabytes,
    and a gateway's signature is computed over what it sent."""
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in _PLAIN:
        raise RefusedError(
            415, CODES[415], "Send the body as it is, without Content-Encoding."
        ).with_header("Accept-Encoding", "identity")
