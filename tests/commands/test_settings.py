"""A wrong setting is one line that names its variable, before anything is opened."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from coinslot.commands import build

CLI = build()
KEY = "A" * 43 + "="
ELSEWHERE = {
    "DATABASE_URL": "postgresql://coinslot_app:hidden@127.0.0.1:1/coinslot",
    "COINSLOT_DOOR_URL": "postgresql://coinslot_door:hidden@127.0.0.1:1/coinslot",
    "COINSLOT_KEYS": f"1:{KEY}",
}
WRONG = [
    ("web", {"DATABASE_URL": "mysql://app:hidden@host/coinslot"}, "DATABASE_URL"),
    ("web", {**ELSEWHERE, "DATABASE_URL": "127.0.0.1:5432"}, "DATABASE_URL"),
    ("web", {**ELSEWHERE, "COINSLOT_DOOR_URL": "postgresql://d:hidden@h:x/c"}, "COINSLOT_DOOR_URL"),
    ("web", {**ELSEWHERE, "COINSLOT_DOOR_URL": ""}, "COINSLOT_DOOR_URL must be set"),
    ("worker", {**ELSEWHERE, "COINSLOT_KEYS": ""}, "COINSLOT_KEYS must be set"),
    ("worker", {**ELSEWHERE, "COINSLOT_KEYS": KEY}, "COINSLOT_KEYS"),
    ("worker", {"COINSLOT_KEYS": "1:short"}, "COINSLOT_KEYS"),
    ("migrate", ELSEWHERE, "COINSLOT_OWNER_URL must be set"),
    ("audit", ELSEWHERE, "COINSLOT_OWNER_URL must be set"),
    ("audit", {}, "there is no database in"),
    ("device", {"MQTT_BROKER_URL": "http://coinslot:hidden@broker"}, "MQTT_BROKER_URL"),
    ("doctor", {"MQTT_BROKER_URL": "mqtt://coinslot:hidden@broker:x"}, "MQTT_BROKER_URL"),
    ("device", {"MQTT_BROKER_URL": "mqtt://coinslot:hidden@one,two:x"}, "MQTT_BROKER_URL"),
    ("device", {"MQTT_BROKER_URL": "mqtt://a:hidden@b", "MQTT_CA_FILE": "ca"}, "MQTT_CA_FILE"),
    ("device", {"MQTT_BROKER_URL": "mqtts://a:hidden@b", "MQTT_CA_FILE": "none"}, "MQTT_CA_FILE"),
    ("web", {"COINSLOT_TRUSTED_PROXIES": "proxy.example"}, "COINSLOT_TRUSTED_PROXIES"),
    ("serve", {"COINSLOT_PRINTER_NETWORKS": "lan"}, "COINSLOT_PRINTER_NETWORKS"),
    ("device", {"COINSLOT_MQTT_PORT": "70000"}, "COINSLOT_MQTT_PORT"),
    ("serve", {"COINSLOT_ZONE": "Asia/Nowhere"}, "COINSLOT_ZONE"),
    ("serve", {"COINSLOT_ZONE": "Asia"}, "COINSLOT_ZONE"),
    ("serve", {"COINSLOT_POOL_SIZE": "0"}, "COINSLOT_POOL_SIZE"),
    ("serve", {"COINSLOT_SWEEP_S": "nan"}, "COINSLOT_SWEEP_S"),
    ("serve", {"COINSLOT_OFFER_S": "soon"}, "COINSLOT_OFFER_S"),
    ("serve", {"COINSLOT_POLL_S": "-1"}, "COINSLOT_POLL_S"),
    ("serve", {"COINSLOT_QUERY_S": "inf"}, "COINSLOT_QUERY_S"),
    ("serve", {"ORDER_EXPIRATION_MINUTES": "quarter"}, "ORDER_EXPIRATION_MINUTES"),
    ("serve", {"ORDER_EXPIRATION_MINUTES": "0"}, "ORDER_EXPIRATION_MINUTES"),
    ("serve", {"COINSLOT_FAULT": "die"}, "COINSLOT_FAULT"),
    ("serve", {"COINSLOT_WEBHOOK_PAUSES_S": "5,soon"}, "COINSLOT_WEBHOOK_PAUSES_S"),
    ("serve", {"COINSLOT_WEBHOOK_PAUSES_S": "5,"}, "COINSLOT_WEBHOOK_PAUSES_S"),
    ("serve", {"COINSLOT_WEBHOOK_TIMEOUT_S": "0"}, "COINSLOT_WEBHOOK_TIMEOUT_S"),
    ("serve", {"COINSLOT_WEBHOOK_PRIVATE_ADDRESSES": "x"}, "COINSLOT_WEBHOOK_PRIVATE_ADDRESSES"),
    ("doctor", {"LOG_LEVEL": "LOUD"}, "LOG_LEVEL"),
    ("worker", {"COINSLOT_FIREBASE_URL": "shop.firebaseio.com"}, "COINSLOT_FIREBASE_URL"),
    ("worker", {"COINSLOT_FIREBASE_URL": "http://127.0.0.1:9000"}, "COINSLOT_FIREBASE_URL"),
    ("worker", {"COINSLOT_FIREBASE_URL": "https://u:hidden@shop.firebaseio.com"}, "FIREBASE_URL"),
    ("worker", {"COINSLOT_FIREBASE_URL": "https://shop.firebaseio.com"}, "CREDENTIALS must be set"),
    ("serve", {"COINSLOT_MIRROR_ROUND_S": "0"}, "COINSLOT_MIRROR_ROUND_S"),
    ("serve", {"JWT_SECRET": "hidden"}, "JWT_SECRET: it must have 32 bytes or more"),
]


@pytest.fixture(autouse=True)
def nothing_of_the_developers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*ELSEWHERE, "COINSLOT_OWNER_URL", "MQTT_BROKER_URL", "MQTT_CA_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COINSLOT_DATA", str(tmp_path / "none"))


@pytest.mark.parametrize(("command", "env", "named"), WRONG)
def test_it_is_named_in_one_line(command: str, env: dict[str, str], named: str) -> None:
    done = CliRunner().invoke(CLI, command.split(), env=env)
    assert isinstance(done.exception, SystemExit)
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("coinslot: ")
    assert named in line
    assert "hidden" not in line
    assert KEY not in line


@pytest.mark.parametrize(
    ("words", "env", "named"),
    [
        (["web"], {"COINSLOT_PORT": "abc"}, "COINSLOT_PORT"),
        (["device", "--port", "70000"], {}, "--port"),
        (["demo", "--sandbox-port", "0"], {}, "--sandbox-port"),
        (["machines", "provision-qr", "M01", "--amount", "0"], {}, "--amount"),
        (["machines", "provision-qr", "M01", "--amount", "forty"], {}, "--amount"),
        (["machines", "provision-qr", "M01", "--amount", "-40"], {}, "--amount"),
        (["machines", "provision-qr", "M01", "--amount", "1,000"], {}, "two ways"),
        (["machines", "provision-qr", "M01", "--amount", "1,00,000"], {}, "two ways"),
        (["machines", "provision-qr", "M01", "--amount", "0.00"], {}, "--amount"),
        (["machines", "zone", "M01", "Mars/Olympus"], {}, "no time zone"),
        (["merchants", "add", "asha", "--name", "A", "--zone", "India"], {}, "no time zone"),
        (["machines", "provision-qr", "M01", "--amount", str(2**63)], {}, "--amount"),
        (["machines", "provision-qr", ","], {}, "at least one machine"),
        (["machines", "decommission", " "], {}, "at least one machine"),
    ],
)
def test_an_option_that_cannot_be_is_named(
    words: list[str], env: dict[str, str], named: str
) -> None:
    done = CliRunner().invoke(CLI, words, env={"COLUMNS": "100", **env})
    assert isinstance(done.exception, SystemExit)
    assert (done.exit_code, done.stdout) == (2, "")
    assert named in done.stderr
