"""The description of machines' calls: every example is what would be sent or answered."""

from typing import Any

import msgspec

from coinslot.api import fleet as fleet_calls
from coinslot.api import machines as calls
from coinslot.api import slots as slot_calls
from coinslot.api import stock as stock_calls
from coinslot.api import telemetry as telemetry_calls
from coinslot.api.openapi import machines, stock, telemetry
from coinslot.fleet.bulk import Applied
from coinslot.fleet.config import MachineConfig
from coinslot.fleet.machines import MachineStatus
from coinslot.fleet.onboarding import Onboarded
from coinslot.fleet.planning import NewMachine
from coinslot.stock.routes import PickList, Route
from coinslot.stock.slots import MachineStock
from coinslot.stock.visits import NewVisit, Visit
from coinslot.telemetry.audits import Comparison
from coinslot.telemetry.health import MachineHealth
from coinslot.telemetry.logs import Found
from tests.web.test_described import schema as schema

SENT: dict[str, Any] = {
    "onboardMachine": NewMachine,
    "writeMachineConfig": calls.WantedConfig,
    "provisionDevice": calls.NewSecret,
    "refillMachine": NewVisit,
    "makeTemplate": fleet_calls.TemplateOfMachine,
    "applyTemplate": fleet_calls.TemplateTo,
    "writeRoute": stock_calls.WantedRoute,
    "previewSlotTable": slot_calls.WantedTable,
    "applySlotTable": slot_calls.ShownTable,
    "unlockMachine": telemetry_calls.Looked,
    "compareMachineCounts": telemetry_calls.CountsFile,
}
ANSWERED: dict[str, Any] = {
    "onboardMachine": Onboarded,
    "readMachineConfig": MachineConfig,
    "writeMachineConfig": MachineConfig,
    "readMachineStatus": MachineStatus,
    "provisionDevice": calls.DeviceProvisioned,
    "listNearMachines": fleet_calls.NearList,
    "listTemplates": fleet_calls.TemplateList,
    "makeTemplate": fleet_calls.NamedTemplate,
    "applyTemplate": fleet_calls.AssignedList,
    "readSlotTable": slot_calls.SlotTable,
    "previewSlotTable": slot_calls.TablePlan,
    "applySlotTable": Applied,
    "readMachineStock": MachineStock,
    "refillMachine": Visit,
    "readPickList": PickList,
    "listRoutes": stock_calls.RouteList,
    "writeRoute": Route,
    "readMachineHealth": telemetry_calls.MachineHealthAnswer,
    "readMachineLogs": Found,
    "unlockMachine": MachineHealth,
    "readMachineCounts": telemetry_calls.CountsAnswer,
    "compareMachineCounts": Comparison,
}


def test_every_example_is_what_the_api_takes_and_gives() -> None:
    for name, examples in {**machines.SENT, **stock.SENT, **telemetry.SENT}.items():
        for example in examples.values():
            msgspec.convert(example, SENT[name])
    for name, examples in {**machines.ANSWERED, **stock.ANSWERED, **telemetry.ANSWERED}.items():
        kind = ANSWERED[name]
        for example in examples.values():
            msgspec.json.decode(msgspec.json.encode(example), type=kind)
            assert set(example) == {field.encode_name for field in msgspec.structs.fields(kind)}


def test_every_call_has_examples_and_every_error_a_code(schema: dict[str, Any]) -> None:
    found = {
        said["operationId"]: said
        for path, methods in schema["paths"].items()
        if path.startswith(("/machines", "/picklists", "/routes", "/templates", "/slots"))
        for said in methods.values()
    }
    assert set(found) == {*machines.NEEDS, *stock.NEEDS}
    for name, said in found.items():
        for status, answer in said["responses"].items():
            if status != "204":
                content = answer["content"]["application/json"]
                assert content.get("examples"), (name, status)
        if "requestBody" in said:
            assert said["requestBody"]["content"]["application/json"]["examples"]
