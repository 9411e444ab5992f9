"""The command itself: what it gives out, what it prints, and how it ends."""

import json
from pathlib import Path

from tests.inside import coinslot


def test_a_device_that_never_comes_earns_nothing_and_the_command_fails(tmp_path: Path) -> None:
    given = tmp_path / "enrolment.json"
    words = ["conformance", "--mqtt", "127.0.0.1:0", "--wait", "0.1", "--json", "--no-hands"]
    done = coinslot(*words, "--enrolment", str(given), "--tls-name", "kit.local", env={})
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["earned"] is None
    assert "no" in report["caps"][-1] or "none came" in " ".join(report["caps"])
    enrolment = json.loads(given.read_text())
    assert enrolment["broker"].startswith("mqtts://kit.local:")
    assert enrolment["ca_pem"].startswith("-----BEGIN CERTIFICATE-----")
    assert given.stat().st_mode & 0o077 == 0


def test_a_check_that_there_is_not_is_refused() -> None:
    done = coinslot("conformance", "--only", "nosuch", env={})
    assert done.returncode == 1
    assert "nosuch" in done.stderr
