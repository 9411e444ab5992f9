"""The API, told by itself: /openapi.json and Swagger UI at /docs; and the files of all pages."""

from litestar import Response
from litestar.params import FromPath

from coinslot.web import assets
from coinslot.web.described import described
from coinslot.web.errors import RefusedError
from coinslot.web.painting import AnyRequest, Painter
from coinslot.web.single import Single


class Docs(Single):
    """The schema is made from the routes, and the page from our own copy of Swagger UI."""

    def __init__(self, painter: Painter) -> None:
        self._painter = painter

    async def schema(self, request: AnyRequest) -> dict[str, object]:
        return described(request.app.openapi_schema.to_schema())

    async def swagger(self, request: AnyRequest) -> Response[str]:
        return self._painter.page(request, "docs.html")

    async def asset(self, request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
        """A file by name; kept for ever when asked with its mark."""
        try:
            found = assets.load(name)
        except KeyError:
            raise RefusedError(404, "not_found", "No such file.") from None
        marked = request.query_params.get("v") == found.mark
        packs = "gzip" in request.headers.get("accept-encoding", "")
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if marked else "no-cache",
            "Vary": "Accept-Encoding",
            **({"Content-Encoding": "gzip"} if packs else {}),
        }
        body = found.packed if packs else found.body
        return Response(body, media_type=found.media_type, headers=headers)
