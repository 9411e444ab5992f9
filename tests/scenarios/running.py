"""A whole demo as a user starts it, to be paid at, broken, killed and started again."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx

from coinslot.app.kinds import KINDS
from coinslot.db.embedded import OWNER
from coinslot.db.pool import connect
from coinslot.kit.clock import SystemClock
from coinslot.orders.fulfillment import checks
from coinslot.oversight.audit import audit
from tests.ports import free_port
from tests.warm import How, Program

START_S = 60.0
POLL_S = 0.1

# Windows short enough for a test to see their end, in proportion to each other as in life.
SHORT = {
    "COINSLOT_DISPATCH_WINDOW_S": "8",
    "COINSLOT_IN_DOUBT_S": "8",
    "COINSLOT_LEASE_MS": "2000",
    "COINSLOT_RUN_S": "3",
    "COINSLOT_OFFER_S": "1",
    "COINSLOT_QUERY_S": "1",
    "COINSLOT_POLL_S": "1",
    "COINSLOT_MATCH_S": "1",
    "COINSLOT_ONLINE_S": "12",
    "COINSLOT_REFUND_LOOK_S": "0.5",
    "COINSLOT_ROW_LEASE_S": "3",
    "COINSLOT_MIRROR_ROUND_S": "2",
    "COINSLOT_GRACE_S": "12",
}


class TookTooLongError(AssertionError):
    """What was waited for did not come within its bound."""


class DemoProcess:
    """`coinslot demo` in a folder of its own, in a process group of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._ports = [free_port() for _ in range(3)]
        self._process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(timeout=10, trust_env=False)

    def start(self) -> Self:
        """Return when the one line says that it is ready."""
        port, sandbox, mqtt = map(str, self._ports)
        log = self.data.with_suffix(".log")
        with log.open("wb") as out:
            self._process = Program(
                ["coinslot", "demo", "--port", port, "--sandbox-port", sandbox,
                 "--mqtt-port", mqtt, "--data", str(self.data)],
                {**os.environ, **SHORT}, How(alone=True), stdout=out, stderr=out,
            )  # fmt: skip

        def ready() -> bool:
            if self._process is not None and self._process.poll() is not None:
                raise AssertionError(log.read_text())
            return f"Coinslot demo ready: http://127.0.0.1:{port}" in log.read_text()

        until(ready, START_S)
        return self

    def kill_group(self) -> None:
        """kill -9 of it and of everything it started in its group."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def kill(self) -> None:
        """kill -9 of the process itself alone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        if self._process is None or self._process.poll() is not None:
            return 0
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(20)

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.data / "demo.json").read_text())
        return facts

    def outlet(self, code: str) -> dict[str, Any]:
        found: dict[str, Any] = next(o for o in self.facts["outlets"] if o["id"] == code)
        return found

    def scan(self, code: str, **more: Any) -> str:
        """A customer pays the machine's printed QR; the gateway's reference."""
        body = {"qr_code_id": self.outlet(code)["qr_code_id"], **more}
        answer = self.http.post(f"{self.facts['sandbox_url']}/razorpay/scan", json=body)
        answer.raise_for_status()
        return str(answer.json()["reference"])

    def fault(self, code: str, **fault: Any) -> None:
        url = f"{self.facts['sandbox_url']}/machines/{code}/fault"
        self.http.post(url, json=fault).raise_for_status()

    def weather(self, **weather: Any) -> None:
        self.http.post(f"{self.facts['sandbox_url']}/weather", json=weather).raise_for_status()

    def dropped(self, code: str) -> list[dict[str, Any]]:
        answer = self.http.get(f"{self.facts['sandbox_url']}/machines/{code}/journal")
        dropped: list[dict[str, Any]] = answer.json()
        return dropped

    def state(self, code: str) -> dict[str, Any]:
        """What the machine shows of itself."""
        answer = self.http.get(f"{self.facts['sandbox_url']}/machines/{code}/state")
        state: dict[str, Any] = answer.json()
        return state

    def paid(self, reference: str) -> dict[str, Any]:
        books = self.http.get(f"{self.facts['sandbox_url']}/books").json()
        payments: list[dict[str, Any]] = books["razorpay"]["payments"]
        return next(p for p in payments if p["reference"] == reference)

    def mirrored(self, reference: str) -> bool:
        """Whether the mirror shows that this payment's sale has ended."""
        base, _, name = self.facts["firebase_url"].partition("/?ns=")
        answer = self.http.get(
            f"{base}/paymentEvents/{reference}/dispatch.json",
            params={"ns": name}, headers={"Authorization": "Bearer owner"},
        )  # fmt: skip
        return answer.json() in ("SUCCESS", "FAILED")

    def assert_books_are_right(self) -> None:
        asyncio.run(assert_every_invariant_holds(self.facts["database_url"]))


async def assert_every_invariant_holds(url: str) -> None:
    """What `coinslot audit` asks, asked from here: a process for each question takes longer."""
    conn = await connect(url)
    try:
        await conn.execute(f"SET ROLE {OWNER}")
        report = await audit(conn, SystemClock().now(), more=checks(KINDS))
    finally:
        await conn.close()
    assert [check for check in report.checks if not check.ok] == []


def until(true: Callable[[], bool], bound_s: float) -> None:
    """Ask until it is true; a process of its own has no event to await."""
    deadline = time.monotonic() + bound_s
    while not true():
        if time.monotonic() > deadline:
            raise TookTooLongError(f"not within {bound_s} s")
        time.sleep(POLL_S)
