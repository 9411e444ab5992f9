"""Notices: how am I told of what needs me? One's own settings, a test, and what was sent lately."""

import re
from typing import Final
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.forms import Form
from coinslot.console.frame import Frame
from coinslot.events.notices import browsers, preferences
from coinslot.events.notices.alerts import EVENTS
from coinslot.events.notices.preferences import Choice, Mail, Wish
from coinslot.events.notices.words import LANGUAGES, TEST, text
from coinslot.kit.clock import UnknownZoneError, zone_named
from coinslot.notices.base import Form as Way
from coinslot.notices.smtp import MAILBOX
from coinslot.pages.access import refused, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.limits import TooOftenError

_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(:[0-9.]+)?")
_MAILS: Final = ("now", "digest", "off")
_SIGNED: Final = 200


class NoticePages(SharedHandler):
    """Each page asks one verb of `events.notices`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def notices(self, request: AnyRequest) -> Response[str]:
        return await self._page(request)

    async def save(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request)
        wish = _wish(form)
        if isinstance(wish, str):
            return await self._page(request, wish, 422)
        await preferences.save(self._context, signed_in(request), wish)
        return self._frame.to(request, "notices", done="notices")

    async def test(self, request: AnyRequest) -> Response[str] | Redirect:
        form, who = await forms.read(request), signed_in(request)
        key = form.one("key", 64)
        if not forms.KEY.fullmatch(key):
            raise RefusedError(400, "bad_request", "This form has no key: load its page again.")
        title = text(TEST, self._frame.language(request))
        if not await preferences.test(self._context, who, key, title):
            return await self._page(request, "problem_notices_nowhere", 422)
        return self._frame.to(request, "notices", done="notices_tested")

    async def address(self, request: AnyRequest) -> Response[str] | Redirect:
        """A link goes there; mail follows once it was confirmed."""
        form, c = await forms.read(request), self._frame.texts(request)
        address = form.one("address", 254)
        if not MAILBOX.fullmatch(address) or not address.isprintable():
            return await self._page(request, "problem_notices_address", 422)
        mail = Mail(c["confirm_title"], c["confirm_mail"], self._frame.language(request))
        try:
            await preferences.ask_address(self._context, signed_in(request), address, mail)
        except TooOftenError as error:
            raise refused(error) from None
        return self._frame.to(request, "notices", done="notices_asked")

    async def confirm(self, request: AnyRequest) -> Response[str]:
        """Looking at it uses nothing up: mail scanners open links."""
        return await self._confirmation(request, request.query_params.get("token", ""))

    async def confirmed(self, request: AnyRequest) -> Response[str]:
        form = await forms.read(request)
        done = await preferences.confirm(self._context, form.one("token", _SIGNED))
        return await self._confirmation(request, "", done=done, status=200 if done else 404)

    async def subscribe(self, request: AnyRequest) -> Redirect:
        """This browser shows notices from now on."""
        form = await forms.read(request)
        agent = request.headers.get("user-agent", "")
        try:
            text = form.one("subscription", 4096)
            await browsers.subscribe(self._context, signed_in(request), text, agent)
        except browsers.BadSubscriptionError:
            raise RefusedError(400, "bad_request", "No browser subscribes so.") from None
        return self._frame.to(request, "notices", done="browser_added")

    async def forget(self, request: AnyRequest, browser: FromPath[UUID]) -> Redirect:
        """One that shows none any more meanwhile: a second click says the same."""
        await browsers.end(self._context, signed_in(request), browser)
        return self._frame.to(request, "notices", done="browser_ended")

    async def _confirmation(
        self, request: AnyRequest, token: str, *, done: bool | None = None, status: int = 200
    ) -> Response[str]:
        return await self._frame.page(
            request, "confirm_address.html", status=status, token=token[:_SIGNED], confirmed=done
        )

    async def _page(
        self, request: AnyRequest, problem: str = "", status: int = 200
    ) -> Response[str]:
        shown = await preferences.shown(self._context, signed_in(request))
        return await self._frame.page(
            request, "notices.html", status=status, found=shown, mails=_MAILS, spoken=LANGUAGES,
            problem=self._frame.texts(request)[problem] if problem else "",
            has_mail=Way.EMAIL in self._context.notifiers, clock=_clock,
            push_key=browsers.public_key(self._context),
        )  # fmt: skip


def _wish(form: Form) -> Wish | str:
    """What the form says, or the name of the text that says what is wrong with it."""
    zone = form.one("zone", 64) or None
    try:
        zone = zone and zone_named(zone).key
    except UnknownZoneError:
        return "problem_notices_zone"
    quiet = (_minutes(form.one("quiet_from")), _minutes(form.one("quiet_to")))
    if (quiet[0] is None) != (quiet[1] is None):
        return "problem_notices_hours"
    digest = _minutes(form.one("digest_at"))
    language = form.one("language")
    return Wish(
        language=language if language in LANGUAGES else LANGUAGES[0], zone=zone,
        quiet_from=quiet[0], quiet_to=quiet[1],
        digest_at=preferences.DIGEST_AT if digest is None else digest,
        choices={
            event: Choice(form.one(f"mail_{event}"), bool(form.one(f"push_{event}")))
            for event in EVENTS
            if form.one(f"mail_{event}") in _MAILS
        },
    )  # fmt: skip


def _minutes(typed: str) -> int | None:
    """Minutes of the day; None for nothing, and for what is no time."""
    found = _TIME.fullmatch(typed)
    return int(found[1]) * 60 + int(found[2]) if found else None


def _clock(minutes: int | None) -> str:
    return "" if minutes is None else f"{minutes // 60:02}:{minutes % 60:02}"
