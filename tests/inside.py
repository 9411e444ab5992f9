"""`coinslot ...` inside the tests' own process: the start of a process is most of what a short
command costs. One that is killed, serves, or runs beside another one needs a process of its own."""

import os
import subprocess
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import structlog
from typer.testing import CliRunner

from coinslot.commands import build, terms

# One variable of the developer's own must not decide what a test sees.
FOREIGN = ("COINSLOT_", "RAZORPAY_", "DATABASE_URL", "MQTT_BROKER_URL", "ORDER_EXPIRATION",
           "JWT_SECRET")  # fmt: skip
# What is written meanwhile goes to the command.
_ONE_AT_A_TIME = threading.Lock()


def coinslot(
    *words: str, env: Mapping[str, str], told: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run to its end with these variables and none of the developer's, as a process would. What a
    process would end with a traceback is raised."""
    with ThreadPoolExecutor(1) as apart:  # this thread has an event loop already
        return apart.submit(_run, words, env, told).result()


def _run(
    words: tuple[str, ...], env: Mapping[str, str], told: str
) -> "subprocess.CompletedProcess[str]":
    theirs = {name: None for name in os.environ if name.startswith(FOREIGN)}
    env = {"COLUMNS": "100", **env}
    with _ONE_AT_A_TIME:
        kept = structlog.get_config()
        for console in (terms.console, terms.errors):  # made once, it keeps its first COLUMNS
            console.width = int(env["COLUMNS"])
        try:
            done = CliRunner().invoke(build(words[0]), words, input=told, env={**theirs, **env})
        finally:
            structlog.configure(**kept)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)
