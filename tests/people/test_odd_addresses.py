"""Addresses that no program should ask for: of every route, as somebody who may do everything, and
as nobody. None of them is a failure of ours."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from tests.people.conftest import Staffed

ODD = (
    "%00", "a%00b", "%ED%A0%80", "%ff", "9" * 40, str(2**63), "-1", "..%2f..%2fetc", "%2e%2e", "'",
    "%f0%9f%8d%ba", "a" * 300, "%0d%0aX:%20y", "{}", "NaN", "1e999",
    "00000000-0000-0000-0000-000000000000", "9999-12-31", "0001-01-01",
)  # fmt: skip
BOUND = {  # whatever else there is, the rest of the path leads to something
    "machine": "M01",
    "outlet": "M01",
}
AT_THE_DOOR = 4  # of them where nobody reads an address before it is known who asks
STREAMS = ("/live", "/events", "/state", "/board")  # they wait for what changes


def routes(staffed: Staffed) -> Iterator[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    """Method, path, its parameters, and the names in its query."""
    for route in staffed.app.routes:
        if not isinstance(route, HTTPRoute) or any(one in route.path for one in STREAMS):
            continue
        for handler in route.route_handlers:
            assert isinstance(handler, HTTPRouteHandler)
            known = {"request", "data", "state", "headers", "cookies", "scope", "body"}
            asked = tuple(
                name
                for name in handler.parsed_fn_signature.parameters
                if name not in known and name not in route.path_parameters
            )
            for method in handler.http_methods:
                if method != "OPTIONS":
                    yield str(method), route.path_format, tuple(route.path_parameters), asked


def strange(path: str, parameters: tuple[str, ...], odd: str) -> Iterator[str]:
    """One of its parameters at a time, and all of them."""
    for chosen in (*parameters, ""):
        found = path
        for name in parameters:
            value = odd if name == chosen or not chosen else BOUND.get(name, str(uuid4()))
            found = found.replace("{" + name + "}", value)
        yield found


@pytest.mark.parametrize("login", ["asha", ""])
async def test_no_odd_address_is_a_failure_of_ours(staffed: Staffed, login: str) -> None:
    headers = {"idempotency-key": "k"}
    if login:
        headers["authorization"] = f"Bearer {await staffed.token(login)}"
    failed = []
    async with staffed.client() as client:
        client.headers.update(headers)
        for method, path, parameters, asked in routes(staffed):
            if path.startswith("/auth/"):
                continue
            plain = path
            for name in parameters:
                plain = plain.replace("{" + name + "}", BOUND.get(name, str(uuid4())))
            body: Any = None if method in ("GET", "HEAD", "DELETE") else {}
            turned_away = (await client.request(method, plain, json=body)).status_code in (401, 303)
            for odd in ODD[:AT_THE_DOOR] if turned_away else ODD:
                where = set(strange(path, parameters, odd)) if parameters else set()
                where |= {f"{plain}?{name}={odd}" for name in asked}
                for one in sorted(where):
                    try:
                        answer = await client.request(method, one, json=body)
                    except httpx.InvalidURL:
                        continue
                    # 503: it has no storage for pictures here.
                    if answer.status_code >= 500 and answer.status_code != 503:
                        failed.append(f"{answer.status_code} {method} {one[:80]}")
    assert not failed, "\n".join(failed)
