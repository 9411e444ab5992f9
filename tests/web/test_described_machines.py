"""The description of machines' calls: every example is what would be sent or answered."""

from typing import Any

import msgspec

from coinslot.api import machines as calls
from coinslot.api.openapi import machines
from coinslot.fleet.config import MachineConfig
from coinslot.fleet.machines import MachineStatus
from coinslot.fleet.onboarding import NewMachine, Onboarded
from tests.web.test_described import schema as schema

SENT: dict[str, Any] = {
    "onboardMachine": NewMachine,
    "writeMachineConfig": calls.WantedConfig,
    "provisionDevice": calls.NewSecret,
}
ANSWERED: dict[str, Any] = {
    "onboardMachine": Onboarded,
    "readMachineConfig": MachineConfig,
    "writeMachineConfig": MachineConfig,
    "readMachineStatus": MachineStatus,
    "provisionDevice": calls.DeviceProvisioned,
}


def test_every_example_is_what_the_api_takes_and_gives() -> None:
    for name, examples in machines.SENT.items():
        for example in examples.values():
            msgspec.convert(example, SENT[name])
    for name, examples in machines.ANSWERED.items():
        kind = ANSWERED[name]
        for example in examples.values():
            msgspec.json.decode(msgspec.json.encode(example), type=kind)
            assert set(example) == {field.encode_name for field in msgspec.structs.fields(kind)}


def test_every_call_has_examples_and_every_error_a_code(schema: dict[str, Any]) -> None:
    found = {
        said["operationId"]: said
        for path, methods in schema["paths"].items()
        if path.startswith("/machines")
        for said in methods.values()
    }
    assert set(found) == set(machines.NEEDS)
    for name, said in found.items():
        for status, answer in said["responses"].items():
            if status != "204":
                content = answer["content"]["application/json"]
                assert content.get("examples"), (name, status)
        if "requestBody" in said:
            assert said["requestBody"]["content"]["application/json"]["examples"]
