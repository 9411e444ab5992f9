"""`python -m sandbox`: runs all emulators in one process on 127.0.0.1."""

import argparse
import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from sandbox.app import Place, Sandbox
from sandbox.errors import SandboxError

GRACE_S = 2


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Payment gateways emulated on the wire, with weather, books and machines.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8001, help="0 takes any free one")
    parser.add_argument("--data", type=Path, default=Path(".coinslot/sandbox"))
    parser.add_argument("--machines", type=Path, default=Path(".coinslot/machines"))
    parser.add_argument("--config", type=Path, help="JSON file; read again on SIGHUP")
    parser.add_argument("--public-url", help="how others reach it, when not by host and port")
    return parser.parse_args()


class Server(uvicorn.Server):
    """Lets those who watch the page go first, or their open streams would hold up the end."""

    def __init__(self, config: uvicorn.Config, sandbox: Sandbox, url: str) -> None:
        super().__init__(config)
        self._sandbox = sandbox
        self._url = url
        self._loop = asyncio.get_running_loop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so once everything listens, the ports beside HTTP too."""
        await super().startup(sockets)
        if self.started:
            print(f"Sandbox ready: {self._url}", flush=True)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """In place of uvicorn's own: the loop takes the signals."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self.leave)
        yield

    def leave(self) -> None:
        """End politely; asked twice, at once."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self._sandbox.end_streams()


async def serve(options: argparse.Namespace) -> None:
    """Listen, say so in one line, and serve until SIGTERM."""
    listener = socket.create_server((options.host, options.port), backlog=512)
    # asyncio sets this only on sockets that name their protocol; without it an answer waits 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port = listener.getsockname()[1]
    url = (options.public_url or f"http://{options.host}:{port}").rstrip("/")
    sandbox = Sandbox(Place(options.data, options.machines, options.config, url))
    config = uvicorn.Config(
        sandbox.application(),
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        http="h11",
        timeout_graceful_shutdown=GRACE_S,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, sandbox.reload)
    await Server(config, sandbox, url).serve(sockets=[listener])


def main() -> int:
    options = arguments()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(serve(options))
    except (SandboxError, OSError) as problem:
        print(f"sandbox: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
