"""Starts a program of ours from a process that has imported it already, for importing takes longer
than most of what a test does with it. It is a child of ours all the same, with its own id, session,
environment and streams. Only Linux can make a child of a grandchild: elsewhere, and where a test is
about the command as such, the program is started in the plain way."""

import atexit
import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
PYTHONPATH = os.pathsep.join(str(ROOT / folder) for folder in ("src", ".", "machine-simulator"))
_PR_SET_CHILD_SUBREAPER = 36
_MOST_BYTES = 200_000
_STARTED_WITHIN_S = 120.0  # what it imports at first takes seconds, on a busy machine many


class How(NamedTuple):
    """`alone` is in a session of its own. What `dies_with_us` is killed when we die, and does not
    mind the end of its terminal."""

    cwd: Path = ROOT
    alone: bool = False
    dies_with_us: bool = False


HERE = How()


class Program(subprocess.Popen[Any]):
    """`python -m module words ...`; `streams` are as `subprocess.Popen` takes them."""

    def __init__(
        self, words: Sequence[str], env: Mapping[str, str], how: How = HERE, **streams: Any
    ) -> None:
        module, *arguments = words
        self._asked = {
            "module": module, "words": arguments, "env": dict(env), "cwd": str(how.cwd),
            "alone": how.alone, "dies_with_us": how.dies_with_us, "parent": os.getpid(),
        }  # fmt: skip
        if sys.platform == "linux":
            super().__init__([sys.executable, "-m", *words], **streams)
        else:
            super().__init__([sys.executable, "-m", *words], env=env, cwd=how.cwd,
                             start_new_session=how.alone, **streams)  # fmt: skip

    def _execute_child(self, *given: Any) -> None:
        """In place of the standard library's fork and exec."""
        if sys.platform != "linux":
            super()._execute_child(*given)  # type: ignore[misc]
            return
        stdin, _, _, stdout, _, stderr = given[10:16]
        ends = enumerate((stdin, stdout, stderr))
        streams = [number if end == -1 else end for number, end in ends]
        self.pid = _PARENT.start(self._asked, streams)
        self._child_created = True
        self._close_pipe_fds(*given[10:16])  # type: ignore[attr-defined]


class _Parent:
    """The process of `warm_parent.py`, started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of = 0  # who started it: a fork of us needs another one
        self._socket: socket.socket | None = None

    def start(self, asked: Mapping[str, Any], streams: Sequence[int]) -> int:
        """The process id of a child of ours."""
        with self._lock:
            parent = self._open()
            # A program whose own parent ends becomes the child of the nearest process that says so.
            _prctl(_PR_SET_CHILD_SUBREAPER, 1)
            try:
                socket.send_fds(parent, [json.dumps(asked).encode()], streams)
                answer = json.loads(parent.recv(_MOST_BYTES) or b"{}")
            finally:
                _prctl(_PR_SET_CHILD_SUBREAPER, 0)
        if "pid" not in answer:
            raise RuntimeError(f"{asked['module']} was not started")
        return int(answer["pid"])

    def _open(self) -> socket.socket:
        if self._socket is None or self._of != os.getpid():
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                process = subprocess.Popen(
                    [sys.executable, "-m", "tests.warm_parent", str(theirs.fileno())],
                    cwd=ROOT, env={**os.environ, "PYTHONPATH": PYTHONPATH},
                    pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                )  # fmt: skip
            ours.settimeout(_STARTED_WITHIN_S)
            self._socket, self._of = ours, os.getpid()
            atexit.register(_end, ours, process)
        return self._socket


def _end(ours: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    ours.close()
    process.wait()


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


_PARENT = _Parent()
