"""A sandbox as a real process, to be started, killed and started again; and its test interface."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.ports import free_port
from tests.warm import Program

START_S = 20.0
POLL_S = 0.02


def account(number: int = 1, **more: Any) -> dict[str, Any]:
    """An account for the configuration; `more` overrides or adds keys."""
    return {
        "account_id": f"acc_TEST{number:010d}",
        "key_id": f"rzp_test_key{number}",
        "key_secret": f"key-secret-{number}",
        "webhook_secret": f"webhook-secret-{number}",
        **more,
    }


class SandboxProcess:
    """`python -m sandbox` on a free port that stays the same over restarts."""

    def __init__(
        self,
        data_dir: Path,
        machines_dir: Path,
        accounts: Sequence[dict[str, Any]] = (),
        **config: Any,
    ) -> None:
        """`config` may hold `tempo`, `outlets`, `coinslot_url`."""
        self.data_dir, self.machines_dir = data_dir, machines_dir
        self.config_file = data_dir.with_name(data_dir.name + ".config.json")
        razorpay = {"accounts": list(accounts), "tempo": config.pop("tempo", {})}
        self.config: dict[str, Any] = {"razorpay": razorpay, **config}
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.base_url, timeout=10, trust_env=False, verify=False)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        """Start, and return when it says that it is ready."""
        self.write_config()
        command = ["sandbox", "--port", str(self.port)]
        command += ["--data", str(self.data_dir), "--machines", str(self.machines_dir)]
        command += ["--config", str(self.config_file)]
        self._process = Program(command, os.environ, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("Sandbox ready: "), f"the sandbox did not start: {line!r}"
        return self

    def ensure(self) -> None:
        """Start it unless it runs."""
        if self._process is None:
            self.start()

    def write_config(self) -> None:
        self.config_file.parent.mkdir(parents=True, exist_ok=True)
        self.config_file.write_text(json.dumps(self.config))

    def reload(self) -> None:
        """Have the configuration read again (SIGHUP)."""
        self.write_config()
        self._signal(signal.SIGHUP)

    def kill(self) -> None:
        """kill -9, at once."""
        self._signal(signal.SIGKILL)
        self._wait()

    def stop(self) -> None:
        """A polite end."""
        if self._process is not None:
            self._signal(signal.SIGTERM)
            self._wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self.http.close()

    def scan(self, qr_code_id: str | None = None, **more: Any) -> str:
        """Pay as a customer; the payment's id."""
        wanted = {"qr_code_id": qr_code_id, **more} if qr_code_id else more
        return str(self.ask("POST", "/razorpay/scan", wanted)["reference"])

    def weather(self, **wanted: Any) -> dict[str, Any]:
        return dict(self.ask("POST", "/weather", wanted))

    def fault(self, outlet: str, **wanted: Any) -> dict[str, Any]:
        return dict(self.ask("POST", f"/machines/{outlet}/fault", wanted))

    def journal(self, outlet: str) -> list[dict[str, Any]]:
        return list(self.ask("GET", f"/machines/{outlet}/journal"))

    def payments(self) -> list[dict[str, Any]]:
        """Razorpay's books."""
        return list(self.ask("GET", "/books")["razorpay"]["payments"])

    def payment(self, reference: str) -> dict[str, Any]:
        """One line of Razorpay's books."""
        return next(one for one in self.payments() if one["reference"] == reference)

    def deliveries(self, **having: Any) -> list[dict[str, Any]]:
        """Webhook deliveries, oldest first, with these values."""
        rows = self.ask("GET", "/razorpay/deliveries?limit=10000")
        return [row for row in reversed(rows) if having.items() <= row.items()]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the test interface; anything but 2xx is a failed test."""
        answer = self.http.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the sandbox is not running"
        self._process.send_signal(number)

    def _wait(self) -> None:
        assert self._process is not None
        self._process.wait(START_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None


def until(ready: Callable[[], Any], *, within_s: float = 30.0) -> Any:
    """The first true value; what happens in another process can only be asked for."""
    deadline = time.monotonic() + within_s
    while True:
        value = ready()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(POLL_S)
