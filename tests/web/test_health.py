"""Health, metrics, the API's own description, and files."""

import gzip
import html
import re

import pytest
from litestar.testing import AsyncTestClient
from msgspec.structs import replace

from coinslot.app.routes import build
from coinslot.kit.clock import SettableClock
from coinslot.pages import assets
from tests.web.conftest import Client
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE


async def test_health_names_what_it_checked_in_both_vocabularies(client: Client) -> None:
    body = (await client.get("/health")).json()
    assert body["status"] == "healthy"
    assert body["timestamp"] == "2026-11-21T12:00:00Z"
    assert body["version"] == "1.2.3"
    assert (
        body["checks"]["broker"]
        == body["services"]["mqtt"]
        == {
            "status": "healthy",
            "detail": "",
        }
    )
    assert body["devices"] == {"online": 2, "offline": 1, "total": 3}


@pytest.mark.parametrize(("state", "status"), [("degraded", 200), ("unhealthy", 503)])
async def test_only_unhealthy_turns_a_load_balancer_away(
    client: Client, backend: FakeBackend, state: str, status: int
) -> None:
    backend.healthy = state
    assert (await client.get("/health")).status_code == status
    assert (await client.get("/health/live")).status_code == 200


async def test_answers_are_counted_by_route_and_never_by_address(client: Client) -> None:
    await client.get("/o/done")
    await client.get("/nowhere/else")
    text = (await client.get("/metrics")).text
    assert 'coinslot_http_answers_total{method="GET",route="/o/{order}",status="200"}' in text
    assert 'route="none",status="404"' in text
    assert "/o/done" not in text


async def test_metrics_can_want_a_token(backend: FakeBackend, clock: SettableClock) -> None:
    site = replace(SITE, metrics_token="t0ken")
    async with AsyncTestClient(build(backend, site, clock)) as client:
        refused = await client.get("/metrics")
        shown = await client.get("/metrics", headers={"authorization": "Bearer t0ken"})
    assert (refused.status_code, shown.status_code) == (401, 200)


async def test_the_schema_tells_the_api_and_leaves_out_the_pages(client: Client) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {"/webhooks/{gateway}", "/health", "/metrics"} <= set(paths)
    assert "/q/{outlet}" not in paths


async def test_the_apis_page_shows_its_calls_at_once_and_weighs_little(client: Client) -> None:
    """Swagger UI is 447 KB packed, and painted after ten seconds on a slow line."""
    answer = await client.get("/docs")
    assert answer.headers["content-encoding"] == "gzip"
    assert len(gzip.compress(answer.content)) < 15_000
    shown = re.sub(r"<script.*?</script>", "", answer.text, flags=re.S)
    assert "swagger-ui-bundle.js" not in shown
    paths = (await client.get("/openapi.json")).json()["paths"]
    for path in paths:
        assert f"<code>{html.escape(path)}</code>" in shown


async def test_swagger_ui_comes_from_here(client: Client) -> None:
    text = (await client.get("/docs")).text
    assert "https://" not in text
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        assert assets.address(name) in text
        assert (await client.get(assets.address(name))).status_code == 200


async def test_a_file_asked_with_its_mark_is_kept_for_ever(client: Client) -> None:
    marked = await client.get(assets.address("live.js"))
    plain = await client.get("/static/live.js", headers={"accept-encoding": "identity"})
    assert "immutable" in marked.headers["cache-control"]
    assert plain.headers["cache-control"] == "no-cache"
    assert gzip.decompress(assets.load("live.js").packed) == plain.content == marked.content
