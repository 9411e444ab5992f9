"""Gateways: are we heard? A merchant's accounts: added after a live call, replaced with overlap,
disabled. A form that has secrets is asked for with a fresh proof, so that nothing has to be typed
twice; what is secret is in no page."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.gateways.base import Accepted, Declined
from coinslot.gateways.form import Field, FieldError, read_at
from coinslot.kit.numbers import whole
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.payments import gateway_accounts
from coinslot.payments.gateway_accounts import (
    AccountChange,
    AccountRefusedError,
    AccountStatement,
    NewAccount,
    UnknownAccountError,
)
from coinslot.people.sessions import SignedIn

_FIELD: Final = "field-"
_VALUE_MOST: Final = 600
_VERSION_MOST, _NAME_CHARS = 999_999_999, 30


class GatewayPages(SharedHandler):
    """Each page asks one verb of `payments/gateway_accounts.py`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def all(self, request: AnyRequest) -> Response[str]:
        found = await gateway_accounts.listed(self._context, merchant_of(signed_in(request)))
        return await self._frame.page(
            request, "gateways.html", found=found, choices=gateway_accounts.choices(),
        )  # fmt: skip

    async def blank(self, request: AnyRequest, gateway: FromPath[str]) -> Response[str]:
        """An empty form."""
        return await self._form(request, gateway, Form(()))

    async def add(self, request: AnyRequest, gateway: FromPath[str]) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            wanted = NewAccount(
                merchant=merchant_of(who), gateway=gateway, slug=form.one("slug", 60),
                typed=_typed(form), practise=form.one("practise") == "yes",
            )  # fmt: skip
            made = await gateway_accounts.add(self._context, who.actor, wanted)
            return Done(to=self._frame.to(request, "gateways", str(made), done="gateway_added"))

        try:
            return await once(self._context, request, form, work)
        except (FieldError, AccountRefusedError) as error:
            problem, status = self._problem(request, error), HTTPStatus.UNPROCESSABLE_ENTITY
            return await self._form(request, gateway, form, problem, status)

    async def one(self, request: AnyRequest, account: FromPath[UUID]) -> Response[str]:
        return await self._account(request, account)

    async def edit(self, request: AnyRequest, account: FromPath[UUID]) -> Response[str]:
        """The form of an account, its secrets left empty."""
        return await self._edited(request, await self._known(request, account))

    async def change(
        self, request: AnyRequest, account: FromPath[UUID]
    ) -> Response[str] | Redirect:
        form = await forms.read(request)
        known = await self._known(request, account)
        version = whole(form.one("version"), _VERSION_MOST)
        if version is None:
            raise RefusedError(400, "bad_request", "This form is none of ours.")

        async def work(who: SignedIn) -> Done:
            wanted = AccountChange(
                merchant=merchant_of(who), account=account, version=version,
                typed=_typed(form),
            )  # fmt: skip
            await gateway_accounts.change(self._context, who.actor, wanted)
            return Done(to=self._frame.to(request, "gateways", str(account), done="gateway_kept"))

        try:
            return await once(self._context, request, form, work)
        except (FieldError, AccountRefusedError) as error:
            problem, status = self._problem(request, error), HTTPStatus.UNPROCESSABLE_ENTITY
            return await self._edited(request, known, form, problem, status)

    async def test(self, request: AnyRequest, account: FromPath[UUID]) -> Response[str]:
        """A live call with what is kept. It changes nothing, so it may be sent as often as one
        likes."""
        await self._known(request, account)
        await forms.read(request)
        c = self._frame.texts(request)
        match await gateway_accounts.test(self._context, merchant_of(signed_in(request)), account):
            case Accepted():
                return await self._account(request, account, done=c["gateway_test_accepted"])
            case Declined(reason=reason):
                problem = c["gateway_problem_not_accepted"].format(reason=reason)
            case unclear:
                problem = c["gateway_problem_not_answered"].format(reason=unclear.reason)
        return await self._account(request, account, problem=problem)

    async def enable(
        self, request: AnyRequest, account: FromPath[UUID]
    ) -> Response[str] | Redirect:
        form = await forms.read(request)
        enabled = form.one("to") == "on"

        async def change(who: SignedIn) -> None:
            await gateway_accounts.set_enabled(
                self._context, who.actor, merchant_of(who), account, enabled=enabled
            )

        done = "gateway_enabled" if enabled else "gateway_disabled"
        return await self._changed(request, account, form, change, done)

    async def end_former(self, request: AnyRequest, account: FromPath[UUID]) -> Redirect:
        form = await forms.read(request)

        async def change(who: SignedIn) -> None:
            await gateway_accounts.end_former(self._context, who.actor, merchant_of(who), account)

        return await self._changed(request, account, form, change, "gateway_former_ended")

    async def _changed(
        self,
        request: AnyRequest,
        account: UUID,
        form: Form,
        change: Callable[[SignedIn], Awaitable[None]],
        done: str,
    ) -> Redirect:
        async def work(who: SignedIn) -> Done:
            await change(who)
            return Done(to=self._frame.to(request, "gateways", str(account), done=done))

        try:
            return await once(self._context, request, form, work)
        except UnknownAccountError:
            raise _no_such() from None

    async def _known(self, request: AnyRequest, account: UUID) -> AccountStatement:
        try:
            return await gateway_accounts.one(
                self._context, merchant_of(signed_in(request)), account
            )
        except UnknownAccountError:
            raise _no_such() from None

    async def _account(self, request: AnyRequest, account: UUID, **said: str) -> Response[str]:
        found = await self._known(request, account)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if "problem" in said else HTTPStatus.OK
        return await self._frame.page(
            request, "gateway.html", status=status, found=found, place=self._place(request),
            webhook_url=f"{self._frame.auth.base_url}{found.path}", **said,
        )  # fmt: skip

    async def _form(
        self, request: AnyRequest, gateway: str, form: Form, problem: str = "", status: int = 200
    ) -> Response[str]:
        try:
            chosen = gateway_accounts.choice(gateway)
        except AccountRefusedError:
            raise RefusedError(404, "not_found", "There is no such gateway.") from None
        who = signed_in(request)
        there = await gateway_accounts.listed(self._context, merchant_of(who))
        slug = form.one("slug", 60) or _free(who.merchant_name, there)
        return await self._frame.page(
            request, "gateway_new.html", status=status, chosen=chosen, problem=problem,
            typed=_again(form, chosen.fields), slug=slug, practise=form.one("practise"),
            sandbox=chosen.real and self._context.practise.sandbox_url,
            place=self._place(request), base_url=self._frame.auth.base_url,
        )  # fmt: skip

    async def _edited(
        self,
        request: AnyRequest,
        known: AccountStatement,
        form: Form | None = None,
        problem: str = "",
        status: int = 200,
    ) -> Response[str]:
        """The version stays that of the page on which somebody typed: what another wrote meanwhile
        is not overwritten unseen."""
        typed = known.shown if form is None else _again(form, known.fields)
        version = str(known.version) if form is None else form.one("version")
        return await self._frame.page(
            request, "gateway_edit.html", status=status, found=known, problem=problem,
            typed=typed, version=version, place=self._place(request),
        )  # fmt: skip

    def _place(self, request: AnyRequest) -> int:
        """Where the language of the page stands among those of a driver's help."""
        return read_at(self._frame.texts(request)["language"])

    def _problem(self, request: AnyRequest, error: FieldError | AccountRefusedError) -> str:
        c = self._frame.texts(request)
        if isinstance(error, FieldError):
            label = error.field.label[self._place(request)]
            return c[f"gateway_problem_{error.code}"].format(field=label)
        return c[f"gateway_problem_{error.code}"].format(reason=error.reason)


def _no_such() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such account.")


def _typed(form: Form) -> Mapping[str, str]:
    """What was typed into the fields of a driver's settings."""
    found = {}
    for start in (_FIELD, forms.SECRET):
        for name, _ in form.pairs:
            if name.startswith(start):
                found[name.removeprefix(start)] = form.one(name, _VALUE_MOST)
    return found


def _again(form: Form, fields: tuple[Field, ...]) -> Mapping[str, str]:
    """What is shown again of a form: nothing that is a secret."""
    open_ones = [one.name for one in fields if not one.secret]
    return {name: form.one(f"{_FIELD}{name}", _VALUE_MOST) for name in open_ones}


def _free(merchant: str | None, there: list[AccountStatement]) -> str:
    """A name for the account's address that the merchant does not use yet."""
    letters = (one if one.isalnum() and one.isascii() else " " for one in (merchant or "").lower())
    wanted = "-".join("".join(letters).split())[:_NAME_CHARS] or "shop"
    taken = {one.slug for one in there}
    numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (wanted, *numbered) if name not in taken)
