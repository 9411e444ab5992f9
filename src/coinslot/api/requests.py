"""What holds of every request, whatever it asks: HEAD is GET without its body, and a body comes as
it is, not packed."""

from typing import Any

from litestar.types import ASGIApp, Message, Receive, Send

from coinslot.pages.errors import CODES, RefusedError
from coinslot.pages.rendering import AnyRequest

_PLAIN = frozenset({"", "identity"})


def heads(app: ASGIApp) -> ASGIApp:
    """HEAD is answered wherever GET is: the same start, and nothing after it."""

    async def with_heads(scope: Any, receive: Receive, send: Send) -> None:
        if scope.get("method") != "HEAD":
            await app(scope, receive, send)
            return

        async def start_only(message: Message) -> None:
            # At once, also of a stream: whoever asks for its head does not wait for its end.
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        # A copy: the server must go on knowing that it was HEAD.
        asked: Any = {**scope, "method": "GET"}
        await app(asked, receive, start_only)

    return with_heads


async def plain_only(request: AnyRequest) -> None:
    """A packed body is refused before it is read. Unpacked, a few bytes may be gigabytes, and a
    gateway's signature is over what it sent."""
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in _PLAIN:
        raise RefusedError(
            415, CODES[415], "Send the body as it is, without Content-Encoding."
        ).with_header("Accept-Encoding", "identity")
