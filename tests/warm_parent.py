"""Imports programs once and forks each start of them; `warm.py` says what for. It has no thread, no
event loop and no connection, so that a fork of it is as good as a new process. A program is forked
twice: what lies between ends at once, and the program becomes the child of the test."""

import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1
_MOST_BYTES = 200_000
# What a server loads when it begins to serve, and what each role of ours does.
_SERVING = (
    "uvloop", "uvicorn.lifespan.on", "uvicorn.lifespan.off", "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto",
)  # fmt: skip
_WEB = (
    "coinslot.app.connections", "coinslot.app.page_backend", "coinslot.app.routes",
    "litestar.plugins.attrs", "litestar.plugins.pydantic",
)  # fmt: skip
_DEVICE = (
    "coinslot.app.connections", "coinslot.app.machine_bridge", "coinslot.app.machine_reports",
    "coinslot.channels.mqtt", "coinslot.channels.practice", "coinslot.channels.socketio",
    "coinslot.device.edge", "coinslot.fleet.practice", "coinslot.telemetry.report_buffer",
)  # fmt: skip
_ROLES = {"web": _WEB, "device": _DEVICE, "serve": _WEB + _DEVICE, "demo": _WEB + _DEVICE}


def orders(asking: socket.socket) -> dict[str, Any] | None:
    """Answers each order with the id of a process, and returns it there; None when nobody asks."""
    while True:
        said, streams, _, _ = socket.recv_fds(asking, _MOST_BYTES, 3)
        if not said:
            return None
        order: dict[str, Any] = json.loads(said)
        _import(order["module"], order["words"])
        told, tells = os.pipe()
        opens, holds = os.pipe()
        between = os.fork()
        if between == 0:
            program = os.fork()
            if program != 0:
                os.write(tells, str(program).encode())
                os._exit(0)
            os.close(holds)
            os.read(opens, 1)  # until it is the test's child
            for end in (told, tells, opens):
                os.close(end)
            asking.close()
            _become(order, streams)
            return order
        os.waitpid(between, 0)
        pid = int(os.read(told, 20))
        for end in (told, tells, opens, holds, *streams):
            os.close(end)
        asking.send(json.dumps({"pid": pid}).encode())


def _import(module: str, words: list[str]) -> None:
    """What the program would import."""
    if module == "coinslot":
        importlib.import_module("coinslot.commands").build(*words[:1])
    else:
        main = f"{module}.__main__" if module in ("sandbox", "machine_simulator") else module
        importlib.import_module(main)
        del sys.modules[main]  # it is run, not imported
    if module in ("coinslot", "sandbox"):
        for name in (*_SERVING, *_ROLES.get("".join(words[:1]), ())):
            importlib.import_module(name)
    gc.freeze()  # what all forks share stays shared


def _become(order: dict[str, Any], streams: list[int]) -> None:
    if os.getppid() != order["parent"]:
        os._exit(1)  # the test has ended meanwhile
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if order["alone"]:
        os.setsid()
    if order["dies_with_us"]:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    sys.argv = [order["module"], *order["words"]]


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    order = orders(socket.socket(fileno=int(sys.argv[1])))
    if order is not None:
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
