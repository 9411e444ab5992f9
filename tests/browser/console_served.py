"""The console on a free port, over a database of its own, in a thread: a test of the browser has no
event loop to spare."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from typing import Any
from uuid import uuid4

import uvicorn
from litestar import Litestar

from coinslot.db.embedded import OWNER
from coinslot.db.pool import Database
from tests.conftest import DatabaseUrls, on_server
from tests.kept_app import served_app
from tests.people.conftest import Staffed, with_people
from tests.sales.stage import Stage, set_stage
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE

_PATIENCE_S = 60


class ConsoleServed:
    """Asha's merchant with one machine and all of the cast, served."""

    def __init__(self, postgres: str, template: str) -> None:
        self._postgres, self._template = postgres, template
        self._name = f"test_{uuid4().hex}"
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._server: uvicorn.Server | None = None
        self.staffed: Staffed
        self.url = ""

    def __enter__(self) -> "ConsoleServed":
        self._thread.start()
        if not self._ready.wait(_PATIENCE_S):
            raise TimeoutError("the console did not start")
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(_PATIENCE_S)

    def tell(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run it in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_S)

    def _app(self, stage: Stage) -> Litestar:
        return served_app(FakeBackend(), SITE, stage)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        await on_server(
            self._postgres,
            f"CREATE DATABASE {self._name} TEMPLATE {self._template} OWNER {OWNER}",
        )
        urls = DatabaseUrls.of(self._postgres, self._name)
        database = await Database.open(urls.app, urls.door, size=4)
        stage = await set_stage(database)
        self.staffed = await with_people(stage, self._app(stage))
        config = uvicorn.Config(
            self.staffed.app, log_level="warning", timeout_graceful_shutdown=1, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.url = "http://{}:{}".format(*listener.getsockname())
            self._ready.set()
            await self._server.serve([listener])
        await self.staffed.stage.context.background.close()
        await database.close()
        await on_server(self._postgres, f"DROP DATABASE {self._name} WITH (FORCE)")
