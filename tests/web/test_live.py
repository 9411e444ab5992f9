"""Server-sent events, over a real connection."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
from litestar.testing import AsyncTestClient
from msgspec.structs import replace

from coinslot.app.routes import build
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE, Served


def upto(lines: Iterator[str], wanted: str) -> list[str]:
    """The lines through the first that begins so."""
    read = []
    for line in lines:
        read.append(line)
        if line.startswith(wanted):
            return read
    raise AssertionError(f"no {wanted!r} in {read}")


def test_a_change_is_sent_as_the_whole_fragment(served: Served) -> None:
    with httpx.stream("GET", served.live("sending")) as answer:
        lines = answer.iter_lines()
        upto(lines, "event: here")
        served.show(served.backend.orders["done"], token="sending")
        upto(lines, "event: order")
        told = upto(lines, "data: </article>")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "content-encoding" not in answer.headers
    assert told[0].startswith('data: <article class="tale"')
    assert any("Take your item" in line for line in told)


def test_who_connects_late_is_sent_what_was_missed(served: Served) -> None:
    with httpx.stream("GET", f"{served.url}/o/done/live?seen=0") as answer:
        upto(answer.iter_lines(), "event: order")


def test_a_reconnect_goes_on_from_the_last_event(served: Served) -> None:
    url = f"{served.url}/o/sending/live?seen=0"
    with httpx.stream("GET", url, headers={"last-event-id": "1"}) as answer:
        lines = answer.iter_lines()
        assert upto(lines, "data: ")[-1] == "data: 1"
        served.show(served.backend.orders["sending"])
        assert "id: 2" in upto(lines, "event: order")


def test_silence_is_filled_with_comments() -> None:
    often = replace(SITE, live_comment_every=timedelta(milliseconds=20))
    with Served(often) as served, httpx.stream("GET", served.live("sending")) as answer:
        lines = answer.iter_lines()
        upto(lines, ": still here")
        upto(lines, ": still here")


def test_a_stream_ends_after_its_life_so_that_a_server_can_be_drained() -> None:
    short = timedelta(milliseconds=20)
    with Served(replace(SITE, live_comment_every=short, live_stream_life=short)) as served:
        answer = httpx.get(served.live("sending"))
    assert answer.text.endswith(": still here\n\n")


def test_a_closed_page_frees_its_place() -> None:
    with Served(replace(SITE, live_streams_max=1)) as served:
        url = served.live("sending")
        for _ in range(2):
            with httpx.stream("GET", url) as answer:
                lines = answer.iter_lines()  # let go of, it closes the connection
                upto(lines, "event: here")
                assert httpx.get(url).status_code == 503
                del lines
            served.tell(served.backend.left())


async def test_over_the_limit_a_page_is_told_to_poll(backend: FakeBackend) -> None:
    async with AsyncTestClient(build(backend, replace(SITE, live_streams_max=0))) as client:
        answer = await client.get("/o/sending/live")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "too_many_streams"


def test_one_network_has_so_many_streams_and_no_more() -> None:
    with Served(replace(SITE, live_streams_per_network=1)) as served:
        url = served.live("sending")
        with httpx.stream("GET", url) as answer:
            lines = answer.iter_lines()
            upto(lines, "event: here")
            assert httpx.get(url).status_code == 503
            elsewhere = httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.5"))
            with elsewhere, elsewhere.stream("GET", url) as other:
                upto(other.iter_lines(), "event: here")
            del lines


def test_a_page_that_polls_and_has_seen_it_costs_no_reading_of_the_order(served: Served) -> None:
    seen = httpx.get(f"{served.url}/o/sending/fragment?seen=0")
    assert seen.status_code == 200
    before = served.backend.orders_read
    again = {"if-none-match": seen.headers["etag"]}
    assert httpx.get(f"{served.url}/o/sending/fragment", headers=again).status_code == 304
    assert httpx.get(f"{served.url}/o/sending/fragment?seen=1").status_code == 204
    assert served.backend.orders_read == before
    served.show(served.backend.orders["done"], token="sending")
    assert httpx.get(f"{served.url}/o/sending/fragment", headers=again).status_code == 200
