"""Our own files for the browser, from the folders `static` of the rooms, Swagger UI included:
nothing is fetched from another site."""

import gzip
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

_ROOMS = Path(__file__).parents[1]
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


class Asset(Struct, frozen=True):
    """One file, plain and compressed; `mark` changes with its content."""

    body: bytes
    packed: bytes
    media_type: str
    mark: str


def address(name: str) -> str:
    return f"/static/{name}?v={load(name).mark}"


@cache
def load(name: str) -> Asset:
    """Raises KeyError for a file that is not served."""
    body = _paths()[name].read_bytes()
    mark = hashlib.sha256(body).hexdigest()[:12]
    return Asset(body, gzip.compress(body, mtime=0), _TYPES[Path(name).suffix], mark)


@cache
def _paths() -> dict[str, Path]:
    ours = {path.name: path for path in _ROOMS.glob("*/static/*") if path.suffix in _TYPES}
    return ours | {name: _swagger() / name for name in ("swagger-ui.css", "swagger-ui-bundle.js")}


def _swagger() -> Path:
    # Located, not imported: the package imports bindings for web frameworks that we do not use.
    spec = find_spec("swagger_ui")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package swagger-ui-py is not installed")
    return Path(spec.origin).parent / "static"
