"""Settings: how does the business work? Its name and zone, who may come in, from which refund on a
proof is asked. Times are at `selling.py`; how customers see it is at Brand."""

from collections.abc import Awaitable, Callable
from typing import Final
from zoneinfo import available_timezones

from litestar import Response
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.business import CURRENCIES
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError
from coinslot.kit.numbers import whole
from coinslot.pages.access import allowed, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.texts import LANGUAGES
from coinslot.people import merchant_settings, security
from coinslot.people.merchant_settings import MerchantSettings
from coinslot.people.security import SecurityRules
from coinslot.people.sessions import SignedIn

_NAME, _CONTACT, _ZONE, _NETWORKS = 100, 200, 64, 4000
_VERSION_MOST: Final = 999_999_999


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
        version = whole(form.one("version"), _VERSION_MOST)
        if version is None:
            raise RefusedError(400, "bad_request", "This form is none of ours.")

        async def work(who: SignedIn) -> None:
            currency = form.one("currency", 3) or now.currency
            if currency and currency not in CURRENCIES and currency != now.currency:
                raise RefusedError(400, "bad_request", "This form is none of ours.")
            wanted = MerchantSettings(
                name=form.one("name", _NAME), contact=form.one("contact", _CONTACT),
                zone=form.one("zone", _ZONE) or None, version=version, currency=currency,
                languages=languages_of(form), refund_proof_minor=_limit(form, currency),
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

    async def _worked(
        self, request: AnyRequest, form: Form, work: Callable[[SignedIn], Awaitable[None]]
    ) -> Response[str] | Redirect:
        async def worked(who: SignedIn) -> Done:
            await work(who)
            return Done(to=self._frame.to(request, "settings", "business", done="settings"))

        try:
            return await once(self._context, request, form, worked)
        except RefusedError as error:
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
            "version": str(now.version), "currency": now.currency or "",
        }  # fmt: skip
        spoken = now.languages
        if form is not None and form.raw("version"):
            typed = {name: form.one(name, _CONTACT) for name in typed}
            spoken = languages_of(form)
        return await self._frame.page(
            request, "settings.html", status=status, problem=problem, typed=typed, now=now,
            rules=await security.rules(self._auth.db, merchant), address=who.address,
            zones=sorted(available_timezones()), strong=who.strongly and bool(who.factors),
            usual_zone=str(self._context.zone), spoken=spoken or tuple(LANGUAGES),
            tongues=tuple(LANGUAGES.values()),
            currencies=sorted({*CURRENCIES, *([now.currency] if now.currency else [])}),
        )  # fmt: skip


def languages_of(form: Form) -> tuple[str, ...]:
    """Those that are ticked, the usual one first; none where all are and English is."""
    ticked = [code for code in LANGUAGES if code in form.all("language")]
    first = form.one("first_language", 8)
    if first in ticked:
        ticked.sort(key=lambda code: code != first)
    return () if ticked == list(LANGUAGES) else tuple(ticked)


def _limit(form: Form, currency: str | None) -> int | None:
    """Raises RefusedError."""
    typed = form.one("limit", 40)
    if not typed:
        return None
    if currency is None:
        raise RefusedError(422, "no_currency", "A limit needs the currency of the business.")
    try:
        money = Money.typed(typed, currency)
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
