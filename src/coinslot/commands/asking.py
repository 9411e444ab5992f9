"""The merchant API from outside, as a merchant's own server asks it: an address and a key."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Self

import httpx
import msgspec
import typer

from coinslot.commands.terms import fail
from coinslot.kit.ids import token

_WAIT_S = 30
_PATIENCE_S = 45.0
_PAGE = 100

Demo = Annotated[
    Path,
    typer.Option(
        "--data",
        help="Folder of a demo; or set COINSLOT_API_URL and COINSLOT_API_KEY: a key does not"
        " belong on a command line.",
    ),
]
Types = Annotated[
    str, typer.Option(help="Only these types, separated by commas: payment.succeeded,order.paid.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


class Merchant:
    """Calls in the name of the merchant whose key it is. A refusal ends the command."""

    def __init__(self, url: str, key: str) -> None:
        self.is_live = key.startswith("sk_live_")
        self._http = httpx.AsyncClient(
            base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=_PATIENCE_S
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def read(self, path: str, **params: str | int) -> Any:
        return _body(await self._http.get(path, params=params))

    async def post(self, path: str, body: object) -> Any:
        """Under a key of its own."""
        headers = {"idempotency-key": f"cli-{token()}"}
        return _body(await self._http.post(path, json=body, headers=headers))

    async def newest(self) -> str | None:
        """The last event there is: what comes after it is new."""
        found: str | None = (await self.read("/events", after="newest"))["next"]
        return found

    async def events(
        self, after: str | None, types: str = "", *, forever: bool = False
    ) -> AsyncIterator[dict[str, Any]]:
        """Oldest first, to the last one there is; or for ever, as they come."""
        asked: dict[str, str | int] = {"limit": _PAGE, "wait_s": _WAIT_S if forever else 0}
        if types:
            asked["types"] = types
        while True:
            page = await self.read("/events", **asked, **({"after": after} if after else {}))
            for event in page["data"]:
                yield event
            after = page["next"]
            if not forever and len(page["data"]) < _PAGE:
                return


def merchant(data: Path) -> Merchant:
    """Whom the environment names, else the first merchant of the demo."""
    url, key = os.environ.get("COINSLOT_API_URL"), os.environ.get("COINSLOT_API_KEY")
    if url and key:
        return Merchant(url, key)
    path = data / "demo.json"
    if url or key or not path.exists():
        fail(f"set COINSLOT_API_URL and COINSLOT_API_KEY, or name a demo's folder, not {data}")
    known = msgspec.json.decode(path.read_bytes())
    return Merchant(known["base_url"], known["merchants"][0]["api_key"])


def _body(answer: httpx.Response) -> Any:
    body = answer.json() if answer.content else None
    if answer.is_success:
        return body
    said = body.get("error", {}) if isinstance(body, dict) else {}
    fail(f"{answer.request.url.path}: {said.get('message') or f'HTTP {answer.status_code}'}")
