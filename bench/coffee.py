"""Coffee on this machine: `python -m bench.coffee`, over a whole demo. How long the page behind a
screen's code takes, the tap that leads to the gateway, and the way from a gateway's webhook to the
command. Ratios are against a vending machine's page and an empty answer of the same run."""

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import asyncpg
import httpx

from bench.measure import share
from bench.parts import end_on_sigterm
from coinslot.db.child_server import free_port

_READY_S: Final = 90
_WARM: Final = 3
# From the first webhook that tells of the payment to the commit of the command. A payment that was
# found by asking, before its webhook, has none: it is not measured.
_PAID: Final = """
SELECT extract(epoch FROM f.sent_at - i.received_at) * 1000 AS ms FROM fulfillments f
JOIN captures c ON c.id = f.capture_id, LATERAL (SELECT min(i.received_at) AS received_at
    FROM inbox i WHERE i.account_id = c.account_id
    AND position(convert_to(c.gateway_payment_id, 'UTF8') IN i.body) > 0) i
WHERE f.kind = 'coffee' AND f.sent_at >= i.received_at ORDER BY f.sent_at DESC LIMIT $1
"""
_FOUND_BY_ASKING: Final = 0.2  # of the cups at most, else something else was measured


class CoffeeBench:
    """One run over one demo."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self._base, self._sandbox = facts["base_url"], facts["sandbox_url"]
        self._database = facts["database_url"]
        (machine,) = [one for one in facts["outlets"] if one["kind"] == "coffee"]
        self._device = machine["device"]["login"]
        self.ms: dict[str, list[float]] = {}
        self._anyone = httpx.Client(timeout=20, trust_env=False, headers={"accept": "text/html"})

    def run(self, cups: int) -> None:
        for number in range(cups + _WARM):
            self._cup(warm=number < _WARM)
        self.ms["webhook to command"] = asyncio.run(self._commanded(cups))
        self._brewed(cups + _WARM)

    def _cup(self, *, warm: bool) -> None:
        wanted = {"device": self._device, "drink": "Капучино", "size": "MEDIUM"}
        code = self._anyone.post(f"{self._sandbox}/tmetr/screen", json=wanted).json()["url"]
        with httpx.Client(timeout=20, trust_env=False, headers={"accept": "text/html"}) as phone:
            self._timed("empty answer", phone, f"{self._base}/health/live", warm=warm)
            self._timed("a vending machine's page", phone, f"{self._base}/q/M06", warm=warm)
            page = unescape(self._timed("page of the code", phone, code, warm=warm).text)
            form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
            action = re.findall(r'<form class="card item" action="([^"]+)"', page)[0]
            form["way"] = re.findall(r'name="way" value="([^"]+)"[^>]*>[^<]*YooKassa', page)[0]
            form["contact"] = "ivan@example.com"
            began = time.perf_counter()
            tapped = phone.post(urljoin(self._base, action), data=form)
            tapped.raise_for_status() if tapped.is_error else None
            if not warm:
                self._note("tap to redirect", began)
            shown = unescape(phone.get(urljoin(self._base, tapped.headers["location"])).text)
            gateway = re.findall(r'content="0;url=([^"]+)"', shown)[0]
        paying = {"url": gateway, "as": "paid"}
        self._anyone.post(f"{self._sandbox}/yookassa/pay", json=paying).raise_for_status()

    def _timed(self, name: str, who: httpx.Client, url: str, *, warm: bool) -> httpx.Response:
        began = time.perf_counter()
        answer = who.get(url)
        answer.raise_for_status()
        if not warm:
            self._note(name, began)
        return answer

    def _note(self, name: str, began: float) -> None:
        self.ms.setdefault(name, []).append((time.perf_counter() - began) * 1000)

    def _brewed(self, cups: int) -> None:
        """Each that was paid, once: else it was something else that took so long. Raises
        AssertionError."""
        for _ in range(100):
            books = self._anyone.get(
                f"{self._sandbox}/books", headers={"accept": "application/json"}
            )
            book = books.json()["tmetr"]
            orders = [cup["order_id"] for cup in book["cups"]]
            if len(orders) >= cups:
                break
            time.sleep(0.1)
        if len(orders) != cups or len(set(orders)) != cups:
            raise AssertionError(f"{cups} cups were paid, and {len(orders)} brewed")

    async def _commanded(self, cups: int) -> list[float]:
        """Raises AssertionError where too few were learnt of by a webhook."""
        conn = await asyncpg.connect(self._database)
        try:
            for _ in range(100):
                rows = await conn.fetch(_PAID, cups)
                if len(rows) == cups:
                    break
                await asyncio.sleep(0.1)
            if len(rows) < cups * (1 - _FOUND_BY_ASKING):
                raise AssertionError(f"{len(rows)} of {cups} cups were commanded after a webhook")
            return [float(row["ms"]) for row in rows]
        finally:
            await conn.close()

    def lines(self) -> list[str]:
        plain, page = (share(self.ms[name], 0.95) for name in
                       ("empty answer", "a vending machine's page"))  # fmt: skip
        return [
            f"| {name} | {share(took, 0.5):.0f} | {share(took, 0.95):.0f} |"
            f" {share(took, 0.95) / plain:.1f} | {share(took, 0.95) / page:.1f} |"
            for name, took in self.ms.items()
        ]


def main() -> int:
    end_on_sigterm()
    parser = argparse.ArgumentParser(prog="python -m bench.coffee", description=__doc__)
    parser.add_argument("--cups", type=int, default=40)
    print(measured(parser.parse_args().cups))
    return 0


def measured(cups: int) -> str:
    """A table, over a demo of its own."""
    with tempfile.TemporaryDirectory(prefix="coffee-") as folder:
        demo = demo_at(Path(folder) / "data")
        try:
            facts = json.loads((Path(folder) / "data" / "demo.json").read_text("utf-8"))
            bench = CoffeeBench(facts)
            bench.run(cups)
        finally:
            end(demo)
    return "\n".join(
        [
            "From the code on the screen to the one command: each page asks the emulated Tmetr",
            "twice, and the tap writes the order and calls the emulated YooKassa.\n",
            f"{cups} cups; milliseconds, and the p95 as a multiple.\n",
            "| | p50 | p95 | of an empty answer | of a vending machine's page |",
            "| --- | --- | --- | --- | --- |",
            *bench.lines(),
            "",
        ]
    )


def demo_at(data: Path, more: Mapping[str, str] = {}) -> "subprocess.Popen[str]":
    """A demo on free ports, once it is ready."""
    ports = [str(free_port()) for _ in range(3)]
    demo = subprocess.Popen(
        [sys.executable, "-m", "coinslot", "demo", "--port", ports[0], "--sandbox-port", ports[1],
         "--mqtt-port", ports[2], "--data", str(data)],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "COINSLOT_BROWSER_ORDERS": "100000", "COINSLOT_NETWORK_ORDERS": "100000",
             "COINSLOT_CODES_PER_MINUTE": "100000", "COINSLOT_NETWORK_CODES_PER_MINUTE": "100000",
             "COINSLOT_NETWORK_UNPAID_CODES": "100000", **more},
    )  # fmt: skip
    assert demo.stdout is not None
    ready, out = threading.Event(), demo.stdout

    def read() -> None:
        """To its end: a demo whose lines nobody takes stands still when the pipe is full."""
        for line in out:
            if "demo ready" in line:
                ready.set()

    threading.Thread(target=read, daemon=True).start()
    if not ready.wait(_READY_S):
        end(demo)
        raise TimeoutError(f"the demo was not ready after {_READY_S} s")
    return demo


def end(demo: "subprocess.Popen[str]") -> None:
    """It and all that it started."""
    demo.send_signal(signal.SIGINT)
    try:
        demo.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(demo.pid, signal.SIGKILL)
        demo.wait()


if __name__ == "__main__":
    sys.exit(main())
