"""What printers ask that come by themselves: Star CloudPRNT by JSON, Epson Server Direct Print by a
form. The secret in the address says which printer it is."""

import asyncio
from typing import Annotated, Any, Final
from urllib.parse import parse_qs

import msgspec
from litestar import Response
from litestar.params import PathParameter

from coinslot.context import Context
from coinslot.counter import envelopes, printing
from coinslot.counter.printing import Printer
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, AnyRequest
from coinslot.pages.shared_handler import SharedHandler

Secret = Annotated[str, PathParameter(max_length=64, pattern=STORABLE)]
_PNG: Final = "image/png"
_TOKEN_CHARS: Final = 64
_WELL: Final = "2"  # how the codes begin that Star calls success


class PrinterCalls(SharedHandler):
    """Each call is worked by one verb of `counter/printing.py`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def poll(self, request: AnyRequest, secret: Secret) -> Response[Any]:
        """Is there a job? Epson's printers get it at once, and tell here what became of it."""
        printer, body = await self._known(secret), await request.body()
        if printer.kind == "epson":
            return await self._epson(printer, body)
        token = await printing.next_job(self._context, printer)
        said: dict[str, Any] = {"jobReady": token is not None}
        if token is not None:
            said |= {"mediaTypes": [_PNG], "jobToken": token, "deleteMethod": "DELETE"}
        return Response(msgspec.json.encode(said), media_type="application/json")

    async def job(self, request: AnyRequest, secret: Secret) -> Response[bytes]:
        """Its picture, once: a job that was given is not given again."""
        printer, token = await self._known(secret), _token(request)
        picture = await printing.picture_for(self._context, printer, token)
        if picture is None:
            raise RefusedError(404, "no_such_job", "There is no such job, or it was sent.")
        return Response(await asyncio.to_thread(envelopes.star, picture), media_type=_PNG)

    async def told(self, request: AnyRequest, secret: Secret) -> Response[bytes]:
        """What became of it."""
        printer, code = await self._known(secret), request.query_params.get("code", "")
        await printing.told(
            self._context, printer, _token(request), printed=code.startswith(_WELL), problem=code
        )
        return Response(b"", status_code=200)

    async def _epson(self, printer: Printer, body: bytes) -> Response[bytes]:
        form = _form(body)
        if "SetResponse" in form.get("ConnectionType", ()):
            results = "".join(form.get("ResponseFile", ())[:1])
            for job, is_printed, code in envelopes.epson_results(results):
                await printing.told(self._context, printer, job, printed=is_printed, problem=code)
            return _xml("")
        token = await printing.next_job(self._context, printer)
        if token is None:
            return _xml("")
        picture = await printing.picture_for(self._context, printer, token)
        if picture is None:
            return _xml("")
        return _xml(await asyncio.to_thread(envelopes.epson, picture, token))

    async def _known(self, secret: str) -> Printer:
        """Raises RefusedError."""
        printer = await printing.by_secret(self._context, secret)
        if printer is None:
            raise RefusedError(404, "no_such_printer", "No printer has this address.")
        return printer


def _form(body: bytes) -> dict[str, list[str]]:
    """Its fields; none of what is no form."""
    try:
        return parse_qs(body.decode(errors="replace"), max_num_fields=20)
    except ValueError:
        return {}


def _xml(text: str) -> Response[bytes]:
    return Response(text.encode(), media_type="text/xml; charset=utf-8")


def _token(request: AnyRequest) -> str:
    return request.query_params.get("token", "")[:_TOKEN_CHARS]
