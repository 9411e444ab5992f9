"""A Firebase Realtime Database over its REST API: read a node, write many nodes at once."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import msgspec
from msgspec import Struct

from coinslot.kit.faults import Reached, no_fault
from coinslot.kit.tls import trusted

if TYPE_CHECKING:
    from coinslot.events.mirror.google_account import GoogleAccount

LONGEST_DIGITS = 6
_EMULATORS_OWNER = "owner"
_NOT_IN_A_KEY = frozenset(".$#[]/~") | {chr(code) for code in (*range(32), 127)}


class FirebaseAddressError(ValueError):
    """Neither a database's address nor an emulator's."""

    def __init__(self) -> None:
        super().__init__(
            "it must be https://<database>.firebaseio.com or ....firebasedatabase.app, or"
            " http://host:port/?ns=<database> for an emulator"
        )


class FirebaseCredentialsError(Exception):
    """The service account's file cannot be read; the message says why, and shows nothing of it."""


class RefusedError(Exception):
    """The database refuses this permanently."""


class UnclearError(Exception):
    """No reliable answer; what was written may have taken effect, or may do so later."""


class Address(Struct, frozen=True):
    """The address of a database. Only emulators use http and get the database's name."""

    base_url: str
    name: str | None = None

    @property
    def is_emulator(self) -> bool:
        return self.base_url.startswith("http://")


def address(text: str) -> Address:
    """Raises FirebaseAddressError."""
    try:
        parts = urlsplit(text)
        host, named = parts.hostname, parse_qs(parts.query).get("ns", [])
        base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    except ValueError as error:
        raise FirebaseAddressError from error
    if not host or parts.username is not None or parts.fragment:
        raise FirebaseAddressError
    if parts.scheme == "https" and not parts.query and parts.path in ("", "/"):
        return Address(base)
    if parts.scheme == "http" and len(named) == 1:
        return Address(base, named[0])
    raise FirebaseAddressError


def key(text: str) -> str:
    """An id as a key of the tree. `~` and two hex digits encode a character that no key may have,
    and the first character of a short number: children with such names would become a list."""
    escaped = "".join(f"~{ord(c):02X}" if c in _NOT_IN_A_KEY else c for c in text)
    if text.isdecimal() and len(text) <= LONGEST_DIGITS:
        return f"~{ord(escaped[0]):02X}{escaped[1:]}"
    return escaped


class Tokens:
    """How we authenticate: as an emulator's owner, or as a service account."""

    def __init__(self, credentials: Path | None) -> None:
        """Raises FirebaseCredentialsError."""
        self._account: GoogleAccount | None = None
        self._turn = asyncio.Lock()
        if credentials is not None:
            # Imported here: it would be a tenth of the start of every command.
            from coinslot.events.mirror import google_account

            try:
                self._account = google_account.GoogleAccount(credentials)
            except (OSError, ValueError) as error:
                raise FirebaseCredentialsError(
                    f"{credentials}: no service account can be read ({type(error).__name__})"
                ) from error

    async def bearer(self, *, stale: str | None = None) -> str:
        """A token that is good now; `stale` is one that was just refused. Raises UnclearError."""
        account = self._account
        if account is None:
            return _EMULATORS_OWNER
        async with self._turn:
            if not account.valid or account.token == stale:
                try:
                    await asyncio.to_thread(account.refresh)
                except OSError as error:
                    raise UnclearError(f"no token: {error}") from error
            return account.token


class Remote:
    """The database. Every call is bounded in time."""

    def __init__(self, where: Address, tokens: Tokens, *, timeout_s: float = 10.0) -> None:
        self.reached: Reached = no_fault  # called at every call; for the storms
        self._where = where
        self._tokens = tokens
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(timeout=httpx.Timeout(timeout_s), verify=trusted())

    async def close(self) -> None:
        await self._client.aclose()

    async def read(self, path: str, *, shallow: bool = False) -> Any:
        """The content of a path; None: nothing. Shallow: each child is only `true`."""
        return await self._ask("GET", path, None, {"shallow": "true"} if shallow else {})

    async def write(self, nodes: Mapping[str, Any]) -> None:
        """Put each node in its place, all or none; None removes one.

        Raises RefusedError and UnclearError."""
        await self._ask("PATCH", "", msgspec.json.encode(nodes), {"print": "silent"})

    async def _ask(
        self, verb: str, path: str, body: bytes | None, params: Mapping[str, str]
    ) -> Any:
        token = await self._tokens.bearer()
        answer = await self._send(verb, path, body, params, token)
        if answer.status_code == httpx.codes.UNAUTHORIZED:  # it expired, or its key was revoked
            token = await self._tokens.bearer(stale=token)
            answer = await self._send(verb, path, body, params, token)
        if answer.status_code in (400, 413):
            raise RefusedError(f"{answer.status_code}: {answer.text[:200]}")
        if not answer.is_success:
            raise UnclearError(f"{answer.status_code}: {answer.text[:200]}")
        try:
            return msgspec.json.decode(answer.content) if answer.content else None
        except msgspec.MsgspecError as error:
            raise UnclearError("the answer is not JSON") from error

    async def _send(
        self, verb: str, path: str, body: bytes | None, params: Mapping[str, str], token: str
    ) -> httpx.Response:
        named = {"ns": self._where.name} if self._where.name is not None else {}
        self.reached("before_send")
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.request(
                    verb,
                    f"{self._where.base_url}/{quote(path)}.json",
                    params={**params, **named},
                    content=body,
                    headers={"Authorization": f"Bearer {token}"},
                )
        except (httpx.HTTPError, TimeoutError) as error:
            raise UnclearError(f"{type(error).__name__}: {error}") from error
        self.reached("after_send")
        return answer
