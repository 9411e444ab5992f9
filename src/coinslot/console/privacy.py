"""Privacy: what do we keep of this person? Give it to them as a file, or let the person go; and who
the privacy page names."""

from http import HTTPStatus
from typing import Final
from uuid import UUID

import msgspec
from litestar import Response
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.uploads import FieldError
from coinslot.oversight import privacy
from coinslot.oversight.privacy import NothingToForgetError
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people import privacy_settings
from coinslot.people.privacy_settings import Privacy
from coinslot.people.sessions import SignedIn

_SAID, _REASON, _NAME, _ADDRESS, _MORE = 254, 500, 200, 400, 4000
_DAY_S: Final = 86_400


class PrivacyPages(SharedHandler):
    """Each page asks one verb of `oversight.privacy` or `people`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def show(self, request: AnyRequest) -> Response[str]:
        return await self._show(request)

    async def search(self, request: AnyRequest) -> Response[str]:
        """By POST: a person's address stands in no address of a page, and in no log."""
        form = await forms.read(request)
        return await self._show(request, said=form.one("said", _SAID))

    async def export(self, request: AnyRequest) -> Response[bytes]:
        form = await forms.read(request)
        found = await privacy.export(self._context, signed_in(request), _orders(form))
        return Response(
            msgspec.json.format(msgspec.json.encode(found)), media_type="application/json",
            headers={
                "Content-Disposition": 'attachment; filename="person.json"',
                "Cache-Control": "no-store",
            },
        )  # fmt: skip

    async def forget(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            async with self._context.db.as_merchant(merchant_of(who)) as conn:
                found = await privacy.forget(
                    conn, self._context, who, _orders(form), form.one("reason", _REASON)
                )
            done = "forgotten_later" if found.waiting else "forgotten"
            return Done(to=self._frame.to(request, "privacy", done=done))

        try:
            return await once(self._context, request, form, work)
        except NothingToForgetError:
            problem = "problem_forget"
        return await self._show(
            request, said=form.one("said", _SAID), problem=problem,
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )  # fmt: skip

    async def save(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            wanted = Privacy(
                controller=form.one("controller", _NAME), address=form.one("address", _ADDRESS),
                contact=form.one("contact", _SAID), more=form.one("more", _MORE),
            )  # fmt: skip
            if not wanted.controller or not wanted.contact:
                raise FieldError("problem_privacy")
            async with self._context.db.as_merchant(merchant_of(who)) as conn:
                await privacy_settings.save(conn, who, wanted, self._context.now())
            return Done(to=self._frame.to(request, "privacy", done="saved"))

        try:
            return await once(self._context, request, form, work)
        except FieldError as error:
            problem = str(error)
        return await self._show(request, problem=problem, status=HTTPStatus.UNPROCESSABLE_ENTITY)

    async def _show(
        self,
        request: AnyRequest,
        *,
        said: str = "",
        problem: str = "",
        status: int = HTTPStatus.OK,
    ) -> Response[str]:
        merchant, windows = merchant_of(signed_in(request)), self._context.windows
        async with self._context.db.as_merchant(merchant) as conn:
            settings = await privacy_settings.read(conn)
        return await self._frame.page(
            request, "privacy.html", status=status,
            problem=self._frame.texts(request)[problem] if problem else "", said=said,
            found=await privacy.find(self._context, merchant, said), most=privacy.MOST,
            settings=settings,
            kept={
                "calls": round(windows.call_logs_kept_s / _DAY_S),
                "logs": round(windows.logs_kept_s / _DAY_S),
                "payments": round(windows.payment_records_kept_s / _DAY_S),
            },
        )  # fmt: skip


def _orders(form: Form) -> list[UUID]:
    """Raises RefusedError."""
    try:
        return [UUID(value) for name, value in form.pairs if name == "order"]
    except ValueError:
        raise RefusedError(400, "bad_request", "This form is none of ours.") from None
