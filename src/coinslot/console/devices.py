"""What a machine's device is told, as a form; and machines by their distance from a person."""

from http import HTTPStatus
from typing import Final

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import device_fields, forms
from coinslot.console.current_merchant import editor_of, merchant_of
from coinslot.console.device_fields import DeviceFieldError
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.fleet import config, distance
from coinslot.fleet.config import ConfigChange, ConfigError, OutOfServiceError, StaleConfigError
from coinslot.kit.numbers import decimal, whole
from coinslot.outlets.machines import UnknownOutletError
from coinslot.pages import security
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.sessions import SignedIn


class DevicePages(SharedHandler):
    """Each page asks one verb of `fleet`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def ask(self, request: AnyRequest, machine: FromPath[str]) -> Response[str]:
        return await self._asked(request, machine)

    async def save(self, request: AnyRequest, machine: FromPath[str]) -> Response[str] | Redirect:
        """A version of the configuration, of whose device settings nobody changed more meanwhile
        than the page had shown."""
        form = await forms.read(request, most_chars=device_fields.FORM_CHARS)
        version, c = whole(form.one("version", 9)), self._frame.texts(request)
        if version is None:
            raise RefusedError(400, "bad_request", "This form is none of ours.")
        merchant = merchant_of(signed_in(request))
        try:
            before = await config.read(self._context, merchant, machine)
            device = device_fields.read(form, before.device)
        except UnknownOutletError:
            raise _not_there() from None
        except DeviceFieldError as error:
            return await self._asked(request, machine, form, error.said(c))

        async def work(who: SignedIn) -> Done:
            change = ConfigChange(device=device, version=version)
            await config.change(self._context, editor_of(who), machine, change)
            return Done(to=self._frame.to(request, "machines", machine, "device", done="device"))

        try:
            return await once(self._context, request, form, work)
        except StaleConfigError:
            return await self._asked(request, machine, form, c["problem_stale"])
        except OutOfServiceError:
            return await self._asked(request, machine, form, c["problem_out_of_service"])
        except ConfigError as error:
            return await self._asked(request, machine, form, f"{c['problem_config']} {error}")

    async def near(self, request: AnyRequest) -> Response[str]:
        """From where somebody is, or from a machine: the nearest first."""
        query, merchant = request.query_params, merchant_of(signed_in(request))
        lat, lng = query.get("lat", "").strip(), query.get("lng", "").strip()
        problem, found, start = "", [], None
        everywhere = await distance.nearest(self._context, merchant, 0.0, 0.0, _MOST)
        if (code := query.get("from", "")) and not lat and not lng:
            start = next((one for one in everywhere if one.code == code), None)
            if start is not None:
                lat, lng = str(start.lat), str(start.lng)
        if lat or lng:
            here = _point(lat, lng)
            if here is None:
                problem = self._frame.texts(request)["problem_near"]
            else:
                found = await distance.nearest(self._context, merchant, *here, _MOST)
        page = await self._frame.page(
            request, "near.html", found=found, problem=problem, start=start,
            lat="" if start else lat, lng="" if start else lng,
            positioned=sorted(everywhere, key=lambda one: one.code),
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )  # fmt: skip
        security.may_ask_where(page)
        return page

    async def _asked(
        self, request: AnyRequest, machine: str, form: Form | None = None, problem: str = ""
    ) -> Response[str]:
        try:
            found = await config.read(
                self._context, merchant_of(signed_in(request)), machine
            )  # fmt: skip
        except UnknownOutletError:
            raise _not_there() from None
        fields = device_fields.typed_device(form) if form else device_fields.shown(found.device)
        return await self._frame.page(
            request, "device.html", found=found, fields=fields, problem=problem,
            version=form.one("version", 9) if form else found.version,
            most=device_fields.FORM_CHARS,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )  # fmt: skip


_MOST: Final = 200


def _point(lat: str, lng: str) -> tuple[float, float] | None:
    """Latitude and longitude in degrees; None for what is no place on Earth."""
    north, east = decimal(lat), decimal(lng)
    if north is None or east is None or abs(north) > 90 or abs(east) > 180:
        return None
    return north, east


def _not_there() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such machine.")
