"""What a merchant's developer runs: wrong words are refused, an API that is away is one line."""

import asyncio
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from coinslot.commands import build
from coinslot.commands.api_client import Merchant
from coinslot.commands.events import say
from coinslot.commands.terms import console

NOBODY = "http://127.0.0.1:9"  # the port of `discard`: nothing listens there
HERE = "http://127.0.0.1:3000/hooks"
FROM_HERE = {"COINSLOT_API_URL": NOBODY, "COINSLOT_API_KEY": "sk_test_x", "COLUMNS": "300"}


def ask(*words: str) -> tuple[int, str]:
    """Exit code, and everything that was said, its lines joined."""
    done = CliRunner().invoke(build(), words, env=FROM_HERE | {"TERM": "dumb"})
    return done.exit_code, " ".join(re.sub(r"[│╭╰─╮╯]", " ", done.output).split())


@pytest.mark.parametrize(
    "words",
    [("events",), ("listen", "--forward-to", HERE), ("trigger", "payment.succeeded")],
)
def test_an_api_that_is_away_is_one_line(words: tuple[str, ...]) -> None:
    code, said = ask(*words)
    assert code == 1
    assert said == (
        f"coinslot: ApiAway: nobody answers at {NOBODY} (ConnectError); does Coinslot run there?"
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("events", "--types", "payment.succeeded,foo"), "there are no events of type foo"),
        (("listen", "--forward-to", HERE, "--secret", "foo"), "it is no secret"),
        (("listen", "--forward-to", "127.0.0.1:8400/hooks"), "a whole URL is wanted"),
        (("listen", "--forward-to", "localhost:8400/hooks"), "a whole URL is wanted"),
    ],
)
def test_words_that_cannot_work_are_refused_before_anything_is_asked(
    words: tuple[str, ...], complaint: str
) -> None:
    code, said = ask(*words)
    assert (code, complaint in said) == (2, True), said


def event(kind: str, **about: Any) -> dict[str, Any]:
    return {"id": "evt_1", "type": kind, "timestamp": "2026-11-21T10:00:00Z", "data": about}


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (event("payment.authorized", id="p1", amount=10_000, amount_captured=0, currency="INR"),
         "100.00 INR  payment p1  evt_1"),
        (event("payment.succeeded", id="p1", amount=10_000, amount_captured=1500, currency="INR"),
         "15.00 INR  payment p1  evt_1"),
        (event("refund.pending", id="r1", payment="p1", order=None, amount=500, currency="INR"),
         "5.00 INR  payment p1  evt_1"),
        (event("webhook.test", endpoint="e1"), "endpoint e1  evt_1"),
    ],
)  # fmt: skip
def test_an_event_is_shown_with_what_was_taken_and_the_payments_id(
    told: dict[str, Any], wanted: str
) -> None:
    with console.capture() as said:
        say(told)
    assert said.get().rstrip().endswith(wanted)


class Flaky:
    """An API that breaks off once, then answers 503 with a page, and then has one event."""

    def __init__(self) -> None:
        answers = iter([(200, b""), (503, b"<html>"), (200, b"<html>")])
        page = {"data": [event("order.paid")], "next": "evt_1"}

        class Door(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = next(answers, (200, msgspec.json.encode(page)))
                if body:
                    self.send_response(status)
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def flaky() -> Iterator[Flaky]:
    made = Flaky()
    Thread(target=made.server.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


async def test_who_follows_outlives_a_server_that_is_started_again(flaky: Flaky) -> None:
    async with asyncio.timeout(30), Merchant(flaky.url, "sk_test_x") as context:
        async for told in context.events(None, forever=True):
            assert told["type"] == "order.paid"
            return
