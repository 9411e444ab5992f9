"""Settings: how does the business work? Its name and zone, who may come in, from which refund on a
proof is asked, and how long each machine is given. How customers see it is at Brand."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final
from zoneinfo import available_timezones

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from coinslot.console import forms
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.whose import merchant_of
from coinslot.fleet.machines import WantedMachines, listed
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError
from coinslot.orders.outlet_windows import OutletWindow, WindowError, set_windows, windows_of
from coinslot.outlets.machines import UnknownOutletError
from coinslot.pages.access import allowed, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people import merchant_settings, security
from coinslot.people.merchant_settings import MerchantSettings
from coinslot.people.security import SecurityRules
from coinslot.people.sessions import SignedIn

_NAME, _CONTACT, _ZONE, _NETWORKS, _PAGE = 100, 200, 64, 4000, 100
_VERSION_DIGITS: Final = 9
# What a person may choose, in seconds: less sells nothing, more keeps a customer's money too long.
BOUNDS: Final = {"dispatch_s": (30, 3600), "in_doubt_s": (60, 86_400)}


class MachineWindows(Struct, frozen=True, kw_only=True):
    """How long a machine is given."""

    code: str
    name: str
    windows: list[OutletWindow]


class SettingsPages(SharedHandler):
    """Each page asks one verb of `people` or `orders`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._auth = frame.auth
        self._context = frame.auth.context

    async def business(self, request: AnyRequest) -> Response[str]:
        return await self._business(request)

    async def change(self, request: AnyRequest) -> Response[str] | Redirect:
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        now = await merchant_settings.settings(self._auth.db, merchant)
        version = form.one("version")
        if not version.isdecimal() or len(version) > _VERSION_DIGITS:
            raise RefusedError(400, "bad_request", "This form is none of ours.")

        async def work(who: SignedIn) -> None:
            wanted = MerchantSettings(
                name=form.one("name", _NAME), contact=form.one("contact", _CONTACT),
                zone=form.one("zone", _ZONE) or None, version=int(version),
                refund_proof_minor=_limit(form, now),
            )  # fmt: skip
            verb = merchant_settings.change(
                self._auth.db, who.actor, merchant, wanted, self._auth.now()
            )
            await allowed(verb)

        return await self._worked(request, form, work)

    async def set_rules(self, request: AnyRequest) -> Response[str] | Redirect:
        """Neither rule can lock out the one who sets it."""
        form = await forms.read(request)
        wanted = _rules(form.one("second_factor"), form.one("networks", _NETWORKS))
        seen = _rules(form.one("seen_second_factor"), form.one("seen_networks", _NETWORKS))

        async def work(who: SignedIn) -> None:
            verb = security.set_rules(
                self._auth.db, who, merchant_of(who), wanted, self._auth.now(), seen=seen
            )
            await allowed(verb)

        return await self._worked(request, form, work)

    async def windows(self, request: AnyRequest) -> Response[str]:
        return await self._windows(request)

    async def set_windows(
        self, request: AnyRequest, machine: FromPath[str]
    ) -> Response[str] | Redirect:
        """What is paid already keeps what it was paid under."""
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        try:
            there = await windows_of(self._context, machine, merchant)
        except UnknownOutletError:
            raise RefusedError(404, "not_found", "There is no such machine.") from None

        async def work(who: SignedIn) -> Done:
            wanted = {one.name: _seconds(form, one) for one in there if one.name in BOUNDS}
            await set_windows(self._context, machine, wanted, merchant, who.actor)
            return Done(to=self._frame.to(request, "settings", "windows", done="settings"))

        try:
            if any(form.one(f"seen-{one.name}") != _shown(one) for one in there):
                raise RefusedError(422, "stale_settings", "Somebody else changed them meanwhile.")
            return await once(self._context, request, form, work)
        except (RefusedError, WindowError) as error:
            code = error.code if isinstance(error, RefusedError) else "bad_window"
            if code not in ("stale_settings", "bad_window"):
                raise
            problem = self._frame.texts(request)[f"problem_{code}"]
            return await self._windows(request, problem, HTTPStatus.UNPROCESSABLE_ENTITY)

    async def _worked(
        self, request: AnyRequest, form: Form, work: Callable[[SignedIn], Awaitable[None]]
    ) -> Response[str] | Redirect:
        async def worked(who: SignedIn) -> Done:
            await work(who)
            return Done(to=self._frame.to(request, "settings", "business", done="settings"))

        try:
            return await once(self._context, request, form, worked)
        except RefusedError as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            problem = self._frame.problem(request, error)
            return await self._business(request, form, problem, error.status)

    async def _business(
        self, request: AnyRequest, form: Form | None = None, problem: str = "", status: int = 200
    ) -> Response[str]:
        """What somebody typed is kept, and so is the version that they saw."""
        who = signed_in(request)
        merchant = merchant_of(who)
        now = await merchant_settings.settings(self._auth.db, merchant)
        limit = ""
        if now.refund_proof_minor is not None and now.currency is not None:
            limit = Money(now.refund_proof_minor, now.currency).decimal()
        typed = {
            "name": now.name, "contact": now.contact, "zone": now.zone or "", "limit": limit,
            "version": str(now.version),
        }  # fmt: skip
        if form is not None and form.raw("version"):
            typed = {name: form.one(name, _CONTACT) for name in typed}
        return await self._frame.page(
            request, "settings.html", status=status, problem=problem, typed=typed, now=now,
            rules=await security.rules(self._auth.db, merchant), address=who.address,
            zones=sorted(available_timezones()), strong=who.strongly and bool(who.factors),
            usual_zone=str(self._context.zone),
        )  # fmt: skip

    async def _windows(
        self, request: AnyRequest, problem: str = "", status: int = HTTPStatus.OK
    ) -> Response[str]:
        merchant = merchant_of(signed_in(request))
        wanted = WantedMachines(after=request.query_params.get("after") or None, limit=_PAGE)
        found = await listed(self._context, merchant, wanted)
        machines = [
            MachineWindows(
                code=one.code, name=one.name,
                windows=await windows_of(self._context, one.code, merchant),
            )
            for one in found
        ]  # fmt: skip
        return await self._frame.page(
            request, "windows.html", status=status, problem=problem, machines=machines,
            bounds=BOUNDS, shown=_shown, following=found[-1].code if len(found) == _PAGE else "",
        )  # fmt: skip


def _limit(form: Form, now: MerchantSettings) -> int | None:
    """Raises RefusedError."""
    typed = form.one("limit", 40)
    if not typed:
        return None
    if now.currency is None:
        raise RefusedError(422, "no_currency", "A limit needs the currency of the business.")
    try:
        money = Money.typed(typed, now.currency)
    except (MoneyTextError, MoneyRangeError):
        raise RefusedError(422, "bad_limit", "Write the amount as 500 or 500.00.") from None
    if money.minor < 0:
        raise RefusedError(422, "bad_limit", "Write the amount as 500 or 500.00.")
    return money.minor


def _rules(second_factor: str, networks: str) -> SecurityRules:
    return SecurityRules(
        second_factor_required=second_factor == "yes",
        allowed_networks=tuple(networks.replace(",", " ").split()),
    )


def _shown(window: OutletWindow) -> str:
    """Its own seconds, as the form has them; empty where it has none of its own."""
    return f"{window.seconds:g}" if window.own else ""


def _seconds(form: Form, window: OutletWindow) -> float | None:
    """Raises WindowError."""
    typed = form.one(window.name, 12)
    if not typed:
        return None
    least, most = BOUNDS[window.name]
    if not typed.isdecimal() or not least <= int(typed) <= most:
        raise WindowError(f"{window.name}: {least} to {most} seconds")
    return float(typed)
