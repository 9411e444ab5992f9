"""A merchant's server that only keeps what is posted to it: one box for each path."""

import asyncio
import queue
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from coinslot.gateways.base import PEER

PATIENCE_S = 15


class Delivery(NamedTuple):
    """One webhook as it came: header names in lower case, who sent it, the raw body."""

    headers: dict[str, str]
    body: bytes


class Mailbox:
    """Runs in a thread of its own; `next_for` waits for the next delivery to a box."""

    def __init__(self) -> None:
        boxes: dict[str, queue.Queue[Delivery]] = defaultdict(queue.Queue)
        self._boxes = boxes

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                headers[PEER] = self.client_address[0]
                boxes[self.path].put(Delivery(headers, body))
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"OK")  # one gateway wants this word, another this number

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    async def next_for(self, name: str) -> Delivery:
        """Raises queue.Empty when nothing came in time."""
        return await asyncio.to_thread(self._boxes[f"/{name}"].get, True, PATIENCE_S)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
