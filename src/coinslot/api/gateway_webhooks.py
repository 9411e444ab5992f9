"""Webhooks of gateways: passes the raw body to `payments/gateway_webhooks.py`, and its answer
back."""

from typing import Annotated

from litestar import MediaType, Response
from litestar.params import PathParameter
from msgspec import Struct

from coinslot.gateways.base import PEER
from coinslot.pages.backend import Backend
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, AnyRequest
from coinslot.pages.shared_handler import SharedHandler

Name = Annotated[str, PathParameter(max_length=64, pattern=STORABLE)]


class Taken(Struct, frozen=True):
    """The body of a 2xx."""

    code: str
    message: str
    success: bool = True


Answered = Response[Taken] | Response[str]


class Webhooks(SharedHandler):
    """The account is named by the URL; the bare one is the first account's."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def take(self, request: AnyRequest, gateway: Name) -> Answered:
        """As the gateway sends it, signed; for the first account at it."""
        return await self._take(request, gateway, None)

    async def take_for(self, request: AnyRequest, gateway: Name, account: Name) -> Answered:
        """As the gateway sends it, signed; for the account with this name."""
        return await self._take(request, gateway, account)

    async def _take(self, request: AnyRequest, gateway: str, account: str | None) -> Answered:
        body = await request.body()
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers[PEER] = request.client.host if request.client else ""
        answer = await self._backend.take_webhook(gateway, account, headers, body)
        if answer.status >= 300:
            raise RefusedError(answer.status, answer.code, answer.message)
        if answer.text is not None:
            return Response(answer.text, status_code=answer.status, media_type=MediaType.TEXT)
        return Response(Taken(answer.code, answer.message), status_code=answer.status)
