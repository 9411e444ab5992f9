"""Webhooks: what failed? A merchant's endpoints and what was sent to them, by the same verbs as
over the API."""

from http import HTTPStatus
from typing import Final
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, Work, once
from coinslot.console.frame import Frame
from coinslot.events import feed
from coinslot.events.public import TYPES
from coinslot.events.webhooks import deliveries
from coinslot.events.webhooks.deliveries import UnknownDeliveryError, WantedDeliveries
from coinslot.events.webhooks.endpoints import (
    Change,
    EndpointRequest,
    EndpointRuleError,
    Endpoints,
    EndpointStatement,
    UnknownEndpointError,
)
from coinslot.events.webhooks.signing import HookRules
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.payments.idempotency import IdempotentCall, hash_of
from coinslot.people.sessions import SignedIn

_PAGE: Final = 50
_URL_MOST, _DESCRIPTION_MOST = 2048, 255
# How a filter of the page is called, and the status that it means.
_STATUSES: Final = {"failed": "given_up", "waiting": "pending", "delivered": "delivered"}


class WebhookPages(SharedHandler):
    """Each page asks one verb of `events/webhooks`. A secret is shown in the answer that made it,
    and nowhere else."""

    def __init__(self, frame: Frame, rules: HookRules) -> None:
        self._frame = frame
        self._context = frame.auth.context
        self._endpoints = Endpoints(self._context, rules)

    async def all(self, request: AnyRequest) -> Response[str]:
        return await self._all(request)

    async def add(self, request: AnyRequest) -> Response[str] | Redirect:
        form, made = await forms.read(request), list[str]()

        async def work(who: SignedIn) -> Done:
            wish = EndpointRequest(
                url=form.one("url", _URL_MOST), types=_types(form),
                description=form.one("description", _DESCRIPTION_MOST),
            )  # fmt: skip
            answer = await self._endpoints.create(self._call(request, form), wish, who.actor)
            made.append(str(answer.body["id"]))
            made.append(str(answer.body.get("secret", "")))
            return self._done(request, made[0], "webhook_made")

        try:
            answer = await self._once(request, form, work, repeats=True)
        except EndpointRuleError as error:
            problem = self._problem(request, error)
            return await self._all(request, form, problem, HTTPStatus.UNPROCESSABLE_ENTITY)
        return await self._one(request, UUID(made[0]), secret=made[1]) if made else answer

    async def one(self, request: AnyRequest, endpoint: FromPath[UUID]) -> Response[str]:
        return await self._one(request, endpoint)

    async def change(
        self, request: AnyRequest, endpoint: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """Another URL, other events; paused or enabled again."""
        form = await forms.read(request)
        status = form.one("status")
        if status not in ("", "enabled", "paused"):
            raise RefusedError(400, "bad_request", "This form is none of ours.")
        change = Change(status=status) if status else Change(
            url=form.one("url", _URL_MOST), types=_types(form),
            description=form.one("description", _DESCRIPTION_MOST),
        )  # fmt: skip

        async def work(who: SignedIn) -> Done:
            await self._endpoints.change(merchant_of(who), endpoint, change, who.actor)
            return self._done(request, str(endpoint), "webhook_changed")

        return await self._worked(request, endpoint, form, work)

    async def rotate(
        self, request: AnyRequest, endpoint: FromPath[UUID]
    ) -> Response[str] | Redirect:
        form, made = await forms.read(request), list[str]()

        async def work(who: SignedIn) -> Done:
            answer = await self._endpoints.rotate(self._call(request, form), endpoint, who.actor)
            made.append(str(answer.body.get("secret", "")))
            return self._done(request, str(endpoint), "webhook_changed")

        answer = await self._worked(request, endpoint, form, work, repeats=True)
        return await self._one(request, endpoint, secret=made[0]) if made else answer

    async def test(self, request: AnyRequest, endpoint: FromPath[UUID]) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            await self._endpoints.test(self._call(request, form), endpoint, who.actor)
            return self._done(request, str(endpoint), "webhook_tested")

        return await self._worked(request, endpoint, form, work, repeats=True)

    async def remove(self, request: AnyRequest, endpoint: FromPath[UUID]) -> Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            await self._endpoints.remove(merchant_of(who), endpoint, who.actor)
            return Done(to=self._frame.to(request, "webhooks", done="webhook_removed"))

        return await self._once(request, form, work)

    async def redeliver_failed(self, request: AnyRequest, endpoint: FromPath[UUID]) -> Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            merchant = merchant_of(who)
            await deliveries.redeliver_failed(self._context, merchant, endpoint, who.actor)
            return self._done(request, str(endpoint), "webhooks_redelivered")

        return await self._once(request, form, work)

    async def delivery(self, request: AnyRequest, delivery: FromPath[UUID]) -> Response[str]:
        """One event for one endpoint: what was sent, and each try with its answer."""
        merchant = merchant_of(signed_in(request))
        try:
            found = await deliveries.one(self._context, merchant, delivery)
        except UnknownDeliveryError:
            raise RefusedError(404, "not_found", "There is no such delivery.") from None
        event = await feed.one(self._context, merchant, found.event)
        body = msgspec.json.format(msgspec.json.encode(event)).decode()
        return await self._frame.page(request, "delivery.html", found=found, body=body)

    async def redeliver(self, request: AnyRequest, delivery: FromPath[UUID]) -> Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            call = self._call(request, form)
            try:
                answer = await deliveries.redeliver(self._context, call, delivery, who.actor)
            except UnknownDeliveryError:
                raise RefusedError(404, "not_found", "There is no such delivery.") from None
            to = ("webhooks", "deliveries", str(delivery))
            done = "webhook_under_way" if answer.body.get("under_way") else "webhook_redelivered"
            return Done(to=self._frame.to(request, *to, done=done))

        return await self._once(request, form, work, repeats=True)

    async def _worked(
        self, request: AnyRequest, endpoint: UUID, form: Form, work: Work, *, repeats: bool = False
    ) -> Response[str] | Redirect:
        try:
            return await self._once(request, form, work, repeats=repeats)
        except EndpointRuleError as error:
            return await self._one(
                request, endpoint, problem=self._problem(request, error),
                status=HTTPStatus.UNPROCESSABLE_ENTITY,
            )  # fmt: skip

    async def _once(
        self, request: AnyRequest, form: Form, work: Work, *, repeats: bool = False
    ) -> Redirect:
        """`repeats`: the verb has a key of its own. Raises EndpointRuleError."""
        try:
            return await once(self._context, request, form, work, repeats=repeats)
        except UnknownEndpointError:
            raise _no_such() from None

    def _done(self, request: AnyRequest, endpoint: str, done: str) -> Done:
        return Done(to=self._frame.to(request, "webhooks", endpoint, done=done))

    def _call(self, request: AnyRequest, form: Form) -> IdempotentCall:
        """The verb's own key: should the process die before the form's answer is kept, the same
        form is answered with what was made, its secret included."""
        return IdempotentCall(
            merchant=merchant_of(signed_in(request)), key=form.one("key"),
            endpoint=f"console webhooks {request.url.path}",
            request_hash=hash_of(form.without(*forms.OF_A_SESSION).pairs),
        )  # fmt: skip

    def _problem(self, request: AnyRequest, error: EndpointRuleError) -> str:
        said = self._frame.texts(request).get(f"webhook_problem_{error.code}", "{error}")
        return said.format(error=str(error).removeprefix("This URL cannot be used: "))

    async def _all(
        self, request: AnyRequest, form: Form | None = None, problem: str = "", status: int = 200
    ) -> Response[str]:
        typed = form or Form(())
        return await self._frame.page(
            request, "webhooks.html", status=status, problem=problem, types=sorted(TYPES),
            found=await self._endpoints.listed(merchant_of(signed_in(request))),
            url=typed.one("url", _URL_MOST), chosen=typed.all("type"),
            description=typed.one("description", _DESCRIPTION_MOST),
        )  # fmt: skip

    async def _one(
        self,
        request: AnyRequest,
        endpoint: UUID,
        *,
        secret: str = "",
        problem: str = "",
        status: int = HTTPStatus.OK,
    ) -> Response[str]:
        merchant = merchant_of(signed_in(request))
        asked = request.query_params.get("show", "")
        wanted = WantedDeliveries(
            endpoint=endpoint, status=_STATUSES.get(asked), limit=_PAGE,
            after=forms.uuid_of(request.query_params.get("after", "")),
        )  # fmt: skip
        sent = await deliveries.listed(self._context, merchant, wanted)
        return await self._frame.page(
            request, "webhook.html", status=status, problem=problem, made=secret, sent=sent,
            found=await self._known(merchant, endpoint), types=sorted(TYPES),
            show=asked if asked in _STATUSES else "", statuses=tuple(_STATUSES),
            following=str(sent[-1].id) if len(sent) == _PAGE else "",
        )  # fmt: skip

    async def _known(self, merchant: UUID, endpoint: UUID) -> EndpointStatement:
        try:
            return await self._endpoints.one(merchant, endpoint)
        except UnknownEndpointError:
            raise _no_such() from None


def _no_such() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such endpoint.")


def _types(form: Form) -> tuple[str, ...]:
    return form.all("type")[: len(TYPES)]
