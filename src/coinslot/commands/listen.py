"""`coinslot listen`: webhooks for a server on this computer, without a public URL."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import msgspec
import typer

from coinslot.commands.api_client import Demo, Types, merchant
from coinslot.commands.events import say
from coinslot.commands.terms import console, run
from coinslot.events.webhooks.signing import headers, new_secret, signature
from coinslot.kit.clock import SystemClock

_TIMEOUT_S = 15.0


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise typer.BadParameter("a whole URL is wanted: http://127.0.0.1:3000/hooks")
    return text


def _secret(text: str | None) -> str | None:
    if text is not None:
        try:
            signature(text, "evt", 0, b"")
        except ValueError:
            raise typer.BadParameter("it is no secret: whsec_ and base64 behind it") from None
    return text


Forward = Annotated[
    str, typer.Option("--forward-to", help="Your server: POST goes there.", callback=_url)
]
Secret = Annotated[
    str | None, typer.Option(help="whsec_... to sign with; else a new one.", callback=_secret)
]


def listen(
    forward_to: Forward,
    types: Types = "",
    secret: Secret = None,
    data: Demo = Path(".coinslot"),
) -> None:
    """Forward a merchant's events to a server here as signed webhooks, as they come, until Ctrl-C.

    They are read from the API's feed, so nothing has to reach this computer."""
    key = secret or new_secret()
    clock = SystemClock()

    async def forward(to: httpx.AsyncClient, event: dict[str, Any]) -> str:
        body = msgspec.json.encode(event)
        signed = headers([key], event["id"], clock.now(), body)
        try:
            answer = await to.post(forward_to, content=body, headers=signed)
        except httpx.HTTPError as error:
            return f"[red]{type(error).__name__}[/]"
        return f"[{'green' if answer.is_success else 'red'}]{answer.status_code}[/]"

    async def main() -> None:
        async with merchant(data) as context, httpx.AsyncClient(timeout=_TIMEOUT_S) as to:
            begin = await context.newest()
            console.print(f"Signed with {key}", highlight=False, soft_wrap=True)
            console.print(f"Ready: forwarding to {forward_to}", highlight=False, soft_wrap=True)
            async for event in context.events(begin, types, forever=True):
                say(event, await forward(to, event))

    run(main, "WARNING")
