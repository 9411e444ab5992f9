"""The documentation of the API: /openapi.json and Swagger UI at /docs; and the static files of all
pages."""

from typing import Any

from litestar import Response
from litestar.params import FromPath
from msgspec import Struct

from coinslot.api.openapi.document import described
from coinslot.pages import assets
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest, Renderer
from coinslot.pages.shared_handler import SharedHandler


class Docs(SharedHandler):
    """The schema is made from the routes, and the page from our own copy of Swagger UI."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._known: dict[str, Any] | None = None

    async def schema(self, request: AnyRequest) -> Response[dict[str, Any]]:
        return Response(self._described(request), headers={"Cache-Control": "public, max-age=60"})

    async def swagger(self, request: AnyRequest) -> Response[str]:
        """The list of calls, which shows at once; the console comes after it."""
        groups = _groups(self._described(request))
        return self._renderer.page(request, "docs.html", groups=groups)

    def _described(self, request: AnyRequest) -> dict[str, Any]:
        if self._known is None:  # it is the same for as long as the process lives
            self._known = described(request.app.openapi_schema.to_schema())
        return self._known

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


class Call(Struct, frozen=True):
    """One line of the list."""

    method: str
    path: str
    summary: str


def _groups(schema: dict[str, Any]) -> list[tuple[str, str, list[Call]]]:
    """Calls by their tag, in the order of the schema."""
    about = {tag["name"]: tag.get("description", "") for tag in schema.get("tags", [])}
    calls: dict[str, list[Call]] = {name: [] for name in about}
    for path, methods in schema["paths"].items():
        for method, call in methods.items():
            if isinstance(call, dict) and "operationId" in call:
                line = Call(method, path, call.get("summary", ""))
                calls.setdefault(call.get("tags", ["other"])[0], []).append(line)
    return [(name, about.get(name, ""), found) for name, found in calls.items() if found]
