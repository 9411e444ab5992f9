"""Writes docs/openapi.json, what `/openapi.json` answers: `python -m tests.write_openapi`."""

import importlib.metadata
import json
from pathlib import Path
from typing import Any, cast

from coinslot.api.openapi import document
from coinslot.app.routes import build
from coinslot.context import Context
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE

PAGE = Path(__file__).parent.parent / "docs" / "openapi.json"


def described() -> dict[str, Any]:
    """The schema of all calls."""
    app = build(FakeBackend(), SITE, context=cast(Context, object()))
    return document.described(app.openapi_schema.to_schema())


def page(schema: dict[str, Any]) -> str:
    """As it is written, with the version of this code."""
    version = importlib.metadata.version("coinslot")
    whole = schema | {"info": schema["info"] | {"version": version}}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    PAGE.write_text(page(described()), encoding="utf-8")


if __name__ == "__main__":
    main()
