"""The merchant API from outside, as a merchant's own server calls it: an address and a key."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Self

import httpx
import msgspec
import typer

from coinslot.commands.terms import ApiAwayError, errors, fail
from coinslot.events.public import TYPES
from coinslot.kit.ids import token

_WAIT_S = 30
_PATIENCE_S = 45.0
_PAGE = 100
_PAUSES_S = (0.5, 1, 2, 5, 10)  # between tries to reach an API that went away; the last one stays

Demo = Annotated[
    Path,
    typer.Option(
        "--data",
        envvar="COINSLOT_DATA",
        help="Folder of a demo; or set COINSLOT_API_URL and COINSLOT_API_KEY: a key does not"
        " belong on a command line.",
    ),
]


def _known(text: str) -> str:
    if strange := sorted({part.strip() for part in text.split(",") if part.strip()} - TYPES):
        known = ", ".join(sorted(TYPES))
        raise typer.BadParameter(f"there are no events of type {', '.join(strange)}, only {known}")
    return text


Types = Annotated[
    str,
    typer.Option(
        help="Only these types, separated by commas: payment.succeeded,order.paid.",
        callback=_known,
    ),
]


class Merchant:
    """Calls in the name of the merchant whose key it is. A refusal ends the command."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self.is_live = key.startswith("sk_live_")
        self._http = httpx.AsyncClient(
            base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=_PATIENCE_S
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def read(self, path: str, **params: str | int) -> Any:
        """Raises ApiAwayError."""
        return await self._ask("GET", path, params=params)

    async def post(self, path: str, body: object) -> Any:
        """Under a key of its own. Raises ApiAwayError."""
        headers = {"idempotency-key": f"cli-{token()}"}
        return await self._ask("POST", path, json=body, headers=headers)

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        try:
            answer = await self._http.request(method, path, **more)
        except (httpx.TransportError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise ApiAwayError(
                f"nobody answers at {self._url} ({type(error).__name__}); does Coinslot run there?"
            ) from error
        if answer.is_server_error:
            raise ApiAwayError(f"{self._url} answers with {answer.status_code}")
        try:
            body = answer.json() if answer.content else None
        except ValueError as error:
            raise ApiAwayError(f"what answers at {self._url} is not Coinslot's API") from error
        if answer.is_success:
            return body
        said = body.get("error", {}) if isinstance(body, dict) else {}
        fail(f"{answer.request.url.path}: {said.get('message') or f'HTTP {answer.status_code}'}")

    async def newest(self) -> str | None:
        """The last event there is: what comes after it is new."""
        found: str | None = (await self.read("/events", after="newest"))["next"]
        return found

    async def events(
        self, after: str | None, types: str = "", *, forever: bool = False
    ) -> AsyncIterator[dict[str, Any]]:
        """Oldest first, to the last one there is; or for ever, as they come: then an API that goes
        away is waited for. Otherwise raises ApiAwayError."""
        asked: dict[str, str | int] = {"limit": _PAGE, "wait_s": _WAIT_S if forever else 0}
        if types:
            asked["types"] = types
        while True:
            begin = {"after": after} if after else {}
            page = await (self._again if forever else self.read)("/events", **asked, **begin)
            for event in page["data"]:
                yield event
            after = page["next"]
            if not forever and len(page["data"]) < _PAGE:
                return

    async def _again(self, path: str, **params: str | int) -> Any:
        """Until it is answered."""
        tries = 0
        while True:
            try:
                body = await self.read(path, **params)
            except ApiAwayError as error:
                if not tries:
                    errors.print(f"{error}; trying again", highlight=False, soft_wrap=True)
                await asyncio.sleep(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)])
                tries += 1
                continue
            if tries:
                errors.print("connected again", highlight=False)
            return body


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
