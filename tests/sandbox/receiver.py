"""A merchant's server that takes webhooks over real HTTP, and answers as a test wants it to."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self

from tests.sandbox.running import until


class Received(NamedTuple):
    """One delivery as it came over the wire."""

    headers: dict[str, str]
    body: str

    @property
    def event_id(self) -> str:
        return self.headers["x-razorpay-event-id"]

    @property
    def signature(self) -> str:
        return self.headers["x-razorpay-signature"]


class Receiver:
    """Keeps every delivery; `answer` says the status, 200 by default."""

    def __init__(self, answer: Callable[[Received], int] = lambda _: 200) -> None:
        self.received: list[Received] = []
        self.answer = answer
        self.says = b""  # the body of every answer
        keeper = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                headers = {name.lower(): value for name, value in self.headers.items()}
                delivery = Received(headers, self.rfile.read(length).decode())
                keeper.received.append(delivery)
                self.send_response(keeper.answer(delivery))
                self.send_header("content-length", str(len(keeper.says)))
                self.end_headers()
                self.wfile.write(keeper.says)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhooks/razorpay"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, count: int, *, within_s: float = 30.0) -> list[Received]:
        """All deliveries so far, as soon as there are this many."""
        until(lambda: len(self.received) >= count, within_s=within_s)
        return list(self.received)
