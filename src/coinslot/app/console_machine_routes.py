"""The URLs of the console's pages of machines, one line each, with what each needs."""

from typing import Any

from litestar import get, post
from litestar.types import ControllerRouterHandler

from coinslot.console import firmware as firmware_pages
from coinslot.console.bulk import BulkPages
from coinslot.console.devices import DevicePages
from coinslot.console.firmware import FirmwarePages
from coinslot.console.frame import Frame
from coinslot.console.machine_care import MachineCare
from coinslot.console.machine_health import MachineHealthPages
from coinslot.console.machine_templates import TemplatePages
from coinslot.console.machines import MachinePages
from coinslot.console.outlets import OutletPages
from coinslot.console.rollouts import RolloutPages
from coinslot.console.stock import StockPages
from coinslot.console.uploads import FORM_BYTES
from coinslot.fleet.enrolment import DeviceAddresses
from coinslot.pages.access import Access


def console_machine_routes(
    access: Access, frame: Frame, devices: DeviceAddresses
) -> list[ControllerRouterHandler]:
    """Machines, their stock, their devices and firmware."""
    parts = (_machines, _stock, _devices, _bulk, _templates, _firmware)
    return [
        *(url for part in parts for url in part(access, frame)),
        *_machine_care(access, MachineCare(frame, devices)),
        *_rollouts(access, RolloutPages(frame)),
    ]


def _machine_care(access: Access, pages: MachineCare) -> list[ControllerRouterHandler]:
    write, read = [access.may("machines:write")], [access.may("machines:read")]
    one, secret = "/machines/{machine:str}", [access.may("devices:write", fresh=True)]
    return [
        get("/new-machine", guards=write)(pages.new),
        post("/new-machine", guards=write, status_code=200)(pages.make),
        post("/new-machine/table", guards=write, status_code=200, request_max_body_size=FORM_BYTES)(
            pages.table
        ),
        get(f"{one}/history", guards=read)(pages.history),
        post(f"{one}/test-vend", guards=write)(pages.test_vend),
        post(f"{one}/sale", guards=write)(pages.sale),
        post(f"{one}/config", guards=write)(pages.configure),
        post(f"{one}/provision", guards=secret, status_code=200)(pages.provision),
        get(f"{one}/withdraw", guards=write)(pages.ask_to_withdraw),
        post(f"{one}/withdraw", guards=write)(pages.withdraw),
    ]


def _rollouts(access: Access, pages: RolloutPages) -> list[ControllerRouterHandler]:
    read, write = [access.may("machines:read")], [access.may("machines:write")]
    one, decide = "/rollouts/{rollout:uuid}", [access.may("devices:write", fresh=True)]
    return [
        get("/rollouts", guards=read)(pages.listed),
        post("/rollouts", guards=write)(pages.make),
        get(one, guards=read)(pages.one),
        post(f"{one}/start", guards=decide)(pages.start),
        post(f"{one}/pause", guards=write)(pages.pause),
        post(f"{one}/resume", guards=decide)(pages.resume),
        post(f"{one}/abort", guards=write)(pages.abort),
        post(f"{one}/machines/{{machine:str}}/give-up", guards=write)(pages.give_up),
    ]


def _machines(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, read, write = (
        MachinePages(frame), [access.may("machines:read")], [access.may("machines:write")],
    )  # fmt: skip
    one, slot = "/machines/{machine:str}", "/machines/{machine:str}/slots/{slot:str}"
    return [
        get("/machines", guards=read)(pages.all),
        get("/outlets/{outlet:str}", guards=read, status_code=303)(OutletPages(frame).one),
        get(one, guards=read)(pages.one),
        post(f"{slot}/price", guards=[access.may("products:write")])(pages.price),
        post(f"{slot}/sale", guards=write)(pages.sale),
        post(f"{slot}/refill", guards=write)(pages.refill),
        post(f"{one}/practice", guards=write)(pages.break_it),
        *_machine_health(frame, one, read, write),
    ]


def _machine_health(
    frame: Frame, one: str, read: list[Any], write: list[Any]
) -> list[ControllerRouterHandler]:
    pages = MachineHealthPages(frame)
    return [
        get(f"{one}/health", guards=read)(pages.show),
        post(f"{one}/unlock", guards=write)(pages.unlock),
        post(f"{one}/maintenance", guards=write)(pages.maintain),
        get(f"{one}/counts", guards=read)(pages.counts),
        post(f"{one}/counts", guards=write)(pages.bring_counts),
    ]


def _stock(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, one = StockPages(frame), "/machines/{machine:str}"
    read, write = [access.may("machines:read")], [access.may("machines:write")]
    return [
        get(f"{one}/stock", guards=read)(pages.machine),
        get(f"{one}/refill", guards=write)(pages.ask),
        post(f"{one}/refill", guards=write, status_code=200)(pages.refill),
        get("/refills", guards=read)(pages.refills),
        get("/refills/export", guards=read)(pages.refills_file),
        get("/refills/routes", guards=write)(pages.routes),
        post("/refills/routes", guards=write, status_code=200)(pages.put_route),
    ]


def _devices(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, write = DevicePages(frame), [access.may("machines:write")]
    return [
        get("/near", guards=[access.may("machines:read")])(pages.near),
        get("/machines/{machine:str}/device", guards=write)(pages.ask),
        post("/machines/{machine:str}/device", guards=write)(pages.save),
    ]


def _bulk(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, write = BulkPages(frame), [access.may("products:write")]
    return [
        get("/slots", guards=write)(pages.ask),
        get("/slots/export", guards=[access.may("machines:read")])(pages.file),
        post("/slots", guards=write, status_code=200, request_max_body_size=FORM_BYTES)(
            pages.bring
        ),
    ]


def _templates(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, write, one = (
        TemplatePages(frame),
        [access.may("machines:write")],
        "/templates/{template:str}",
    )
    prices = [access.may("products:write")]
    return [
        get("/templates", guards=write)(pages.all),
        post("/templates", guards=write)(pages.make),
        get(one, guards=write)(pages.ask),
        post(one, guards=write)(pages.save),
        post(f"{one}/assign", guards=prices, status_code=200)(pages.assign),
    ]


def _firmware(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, write = FirmwarePages(frame), [access.may("devices:write", fresh=True)]
    return [
        get("/firmware", guards=[access.may("devices:write")])(pages.show),
        post("/firmware", guards=write, request_max_body_size=firmware_pages.FORM_BYTES)(
            pages.upload
        ),
        post("/firmware/keys", guards=write)(pages.add_key),
        post("/firmware/keys/{key:uuid}/retire", guards=write)(pages.retire_key),
    ]
