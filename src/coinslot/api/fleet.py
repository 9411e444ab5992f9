"""Machines by distance, and templates, over HTTP: the verbs that the console uses."""

from typing import Annotated

from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from coinslot.api.api_calls import strictly
from coinslot.api.machines import PrintedCodes, editor_of, found
from coinslot.context import Context
from coinslot.fleet import bulk, distance, templates
from coinslot.fleet.distance import NearMachine
from coinslot.fleet.templates import SHIPPED, Assigned, Template, UnknownTemplateError
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler

Latitude = Annotated[float, QueryParameter(description="In degrees.", ge=-90, le=90)]
Longitude = Annotated[float, QueryParameter(description="In degrees.", ge=-180, le=180)]
Most = Annotated[int, QueryParameter(description="At most so many.", ge=1, le=200)]
Code = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,32}\Z")]


class NearList(Struct, frozen=True, kw_only=True):
    """Machines in service that say where they stand, the nearest first."""

    machines: list[NearMachine]


class NamedTemplate(Struct, frozen=True, kw_only=True):
    """A template with its name. `shipped`: nobody has replaced the one that comes with us."""

    name: str
    shipped: bool
    template: Template


class TemplateList(Struct, frozen=True, kw_only=True):
    """The merchant's own and the shipped ones, by name."""

    templates: list[NamedTemplate]


class TemplateOfMachine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What PUT /templates/{template} takes."""

    machine: Code


class TemplateTo(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /templates/{template}/apply takes."""

    machines: Annotated[list[Code], Meta(min_length=1, max_length=bulk.MACHINES_AT_MOST)]


class AssignedList(Struct, frozen=True, kw_only=True):
    """What became of each machine."""

    machines: list[Assigned]


class Fleet(SharedHandler):
    """The guard of each route says who may call it. Each call may be sent again: it changes nothing
    the second time."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def near(
        self, request: AnyRequest, lat: Latitude, lng: Longitude, limit: Most = 50
    ) -> NearList:
        """As the crow flies. A machine whose configuration has no `gps` is not among them."""
        merchant = editor_of(request).merchant
        return NearList(machines=await distance.nearest(self._context, merchant, lat, lng, limit))

    async def list_templates(self, request: AnyRequest) -> TemplateList:
        """Your own and the shipped ones, by name."""
        listed = await templates.listed(self._context, editor_of(request).merchant)
        return TemplateList(
            templates=[
                NamedTemplate(name=name, shipped=SHIPPED.get(name) == one, template=one)
                for name, one in listed.items()
            ]
        )

    async def make_template(
        self, request: AnyRequest, template: FromPath[str], data: JSONBody[TemplateOfMachine]
    ) -> NamedTemplate:
        """Keep a machine's slots, prices and device settings under this name, without where it
        stands; one of yours that has the name is replaced."""
        await strictly(request, data)
        if template in SHIPPED:
            raise RefusedError(422, "invalid_template", "A shipped template has this name.")
        verb = templates.save_from(self._context, editor_of(request), template, data.machine)
        return NamedTemplate(name=template, shipped=False, template=await found(verb))

    async def apply_template(
        self,
        request: AnyRequest,
        template: FromPath[str],
        data: JSONBody[TemplateTo],
        codes: PrintedCodes = "ask",
    ) -> AssignedList:
        """Give machines what the template says, each as a version of its own. One that cannot have
        it stays as it was, and says why."""
        await strictly(request, data)
        editor = editor_of(request)
        if "\x00" in template:
            raise _no_template()
        try:
            done = await templates.assign(self._context, editor, template, data.machines, codes)
        except UnknownTemplateError:
            raise _no_template() from None
        return AssignedList(machines=done)


def _no_template() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such template.")
