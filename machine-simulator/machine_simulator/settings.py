"""Every setting: the fleet file's machines, or one machine and all durations from `.env`."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from machine_simulator.food import FoodRule

PREFIX = "SIMULATOR_"
OPTIONAL = (
    "url",
    "sensor",
    "firmware",
    "price_version",
    "planogram_version",
    "key_id",
    "configs",
    "journal_capacity",
    "journal_keep",
)


class SettingsError(Exception):
    """A setting is missing or makes no sense; the message names it."""


@dataclass(frozen=True)
class Timing:
    """Durations in seconds; each can be set as SIMULATOR_<NAME> in the environment."""

    vend_s: float = 0.8
    slow_s: float = 8.0  # a vend under the fault `slow`
    fall_s: float = 0.1  # after the turn, the time things need to fall
    run_bound_s: float = 20.0  # no run lasts longer
    restore_s: float = 2.0  # from a power cut until the power is back
    resend_s: float = 2.0  # HELLO until SYNC, ACCEPT until GO, events until EVACK
    health_s: float = 5.0
    food_s: float = 1.0  # the temperature is looked at
    count_s: float = 60.0  # its slots are counted; at boot and after a refill, too
    late_s: float = 20.0  # how late results are under `late_done`
    progress_s: float = 2.0  # a run says PROGRESS this often
    backoff_first_s: float = 0.2
    backoff_last_s: float = 5.0
    keepalive_s: float = 15.0
    trial_s: float = 60.0  # code that is not confirmed by then is started anew
    stop_s: float = 2.0  # a polite stop waits so long for running vends


@dataclass(frozen=True)
class MachineSpec:
    """One machine: who it is, how it speaks, what it is made of."""

    id: str
    channel: str  # mqtt | socketio
    dialect: str  # leased | simple
    login: str
    secret: str = field(repr=False)
    slots: Mapping[str, int]
    host: str = "127.0.0.1"
    port: int = 1883
    url: str = "http://127.0.0.1:8000"
    sensor: bool = True
    firmware: str = "sim-1.0"
    firmware_key: str | None = None  # ed25519, public, hex; None: it knows no updates
    price_version: int | None = None
    planogram_version: int | None = None
    age_slots: frozenset[str] = frozenset()
    key_id: str | None = None
    configs: bool = True  # it takes configurations; else it compares what the factory put in
    journal_capacity: int = 64
    journal_keep: int = 32
    food: FoodRule | None = None  # that it keeps by itself

    def __post_init__(self) -> None:
        if self.channel not in ("mqtt", "socketio"):
            raise SettingsError(f"{self.id}: channel is mqtt or socketio, not {self.channel!r}")
        if self.dialect not in ("leased", "simple"):
            raise SettingsError(f"{self.id}: dialect is leased or simple, not {self.dialect!r}")
        if (self.channel, self.dialect) == ("mqtt", "simple"):
            raise SettingsError(f"{self.id}: the simple dialect is spoken on socketio only")
        if not self.secret:
            raise SettingsError(f"{self.id}: a machine needs its secret")
        if not self.slots:
            raise SettingsError(f"{self.id}: a machine needs at least one slot")


def read_fleet(path: Path) -> list[MachineSpec]:
    """The machines of a fleet file: a JSON list."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        specs = [_spec(entry) for entry in entries]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    except KeyError as error:
        raise SettingsError(f"{path}: a machine without {error}") from error
    twice = {spec.id for spec in specs if [other.id for other in specs].count(spec.id) > 1}
    if twice:
        raise SettingsError(f"{path}: more than one machine named {', '.join(sorted(twice))}")
    return specs


def _spec(entry: Mapping[str, Any]) -> MachineSpec:
    broker = entry.get("mqtt") or {}
    optional = {name: entry[name] for name in OPTIONAL if entry.get(name) is not None}
    return MachineSpec(
        id=str(entry["id"]),
        channel=entry["channel"],
        dialect=entry.get("dialect", "leased"),
        login=str(entry.get("login", entry["id"])),
        secret=str(entry["secret"] or ""),
        slots={str(slot): int(stock) for slot, stock in entry["slots"].items()},
        host=broker.get("host", "127.0.0.1"),
        port=int(broker.get("port", 1883)),
        firmware_key=(entry.get("enrolment") or {}).get("firmware_key"),
        age_slots=frozenset(entry.get("age_slots", ())),
        food=None if entry.get("food_lock") is None else FoodRule.of(entry["food_lock"]),
        **optional,
    )


def machine_of_env(env: Mapping[str, str]) -> MachineSpec:
    """The one machine that `.env` describes."""
    try:
        broker = urlsplit(env.get(f"{PREFIX}MQTT_URL", "mqtt://127.0.0.1:1883"))
        slots = dict(part.split(":", 1) for part in env[f"{PREFIX}SLOTS"].split(","))
        return _spec(
            {
                "id": env[f"{PREFIX}ID"],
                "channel": env.get(f"{PREFIX}CHANNEL", "mqtt"),
                "dialect": env.get(f"{PREFIX}DIALECT", "leased"),
                "login": env.get(f"{PREFIX}LOGIN") or env[f"{PREFIX}ID"],
                "secret": env[f"{PREFIX}SECRET"],
                "slots": {slot.strip(): stock for slot, stock in slots.items()},
                "mqtt": {"host": broker.hostname, "port": broker.port or 1883},
                "url": env.get(f"{PREFIX}URL"),
                "sensor": env.get(f"{PREFIX}SENSOR", "1") not in ("0", "false", "no"),
            }
        )
    except KeyError as error:
        raise SettingsError(f"set {error} in the environment or in .env") from error
    except ValueError as error:
        raise SettingsError(f"the machine's settings: {error}") from error


def timing_of_env(env: Mapping[str, str]) -> Timing:
    chosen: dict[str, float] = {}
    for each in fields(Timing):
        name = PREFIX + each.name.upper()
        if value := env.get(name):
            try:
                chosen[each.name] = float(value)
            except ValueError:
                raise SettingsError(f"{name} is a number of seconds, not {value!r}") from None
    return Timing(**chosen)


def environment(dotenv: Path) -> dict[str, str]:
    """The process's environment over the lines of `.env`, where there is one."""
    values: dict[str, str] = {}
    if dotenv.is_file():
        for line in dotenv.read_text(encoding="utf-8").splitlines():
            name, separator, value = line.partition("=")
            if separator and not line.lstrip().startswith("#"):
                values[name.strip()] = value.strip().strip("\"'")
    return values | dict(os.environ)
