"""Webhooks: what failed? A merchant's endpoints and what was sent to them, by the same verbs as
over the API."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.whose import merchant_of
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
from coinslot.people.audit_log import Act

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

        async def work() -> Act:
            wish = EndpointRequest(
                url=form.one("url", _URL_MOST), types=_types(form),
                description=form.one("description", _DESCRIPTION_MOST),
            )  # fmt: skip
            answer = await self._endpoints.create(self._call(request, form), wish)
            made.append(str(answer.body["id"]))
            made.append(str(answer.body["secret"]))
            return self._act(request, "endpoint.made", made[0], {"url": wish.url})

        try:
            answer = await self._once(request, form, work, lambda: ("webhooks", made[0]))
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

        async def work() -> Act:
            await self._endpoints.change(merchant_of(signed_in(request)), endpoint, change)
            after = {"status": status} if status else {"url": form.one("url", _URL_MOST)}
            return self._act(request, "endpoint.changed", str(endpoint), after)

        return await self._worked(request, endpoint, form, work)

    async def rotate(
        self, request: AnyRequest, endpoint: FromPath[UUID]
    ) -> Response[str] | Redirect:
        form, made = await forms.read(request), list[str]()

        async def work() -> Act:
            answer = await self._endpoints.rotate(self._call(request, form), endpoint)
            made.append(str(answer.body["secret"]))
            return self._act(request, "endpoint.rotated", str(endpoint), {})

        answer = await self._worked(request, endpoint, form, work)
        return await self._one(request, endpoint, secret=made[0]) if made else answer

    async def test(self, request: AnyRequest, endpoint: FromPath[UUID]) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work() -> Act:
            await self._endpoints.test(self._call(request, form), endpoint)
            return self._act(request, "endpoint.tested", str(endpoint), {})

        return await self._worked(request, endpoint, form, work, "webhook_tested")

    async def remove(self, request: AnyRequest, endpoint: FromPath[UUID]) -> Redirect:
        form = await forms.read(request)

        async def work() -> Act:
            await self._endpoints.remove(merchant_of(signed_in(request)), endpoint)
            return self._act(request, "endpoint.removed", str(endpoint), {})

        return await self._once(request, form, work, lambda: ("webhooks",), "webhook_removed")

    async def redeliver_failed(self, request: AnyRequest, endpoint: FromPath[UUID]) -> Redirect:
        form = await forms.read(request)

        async def work() -> Act:
            merchant = merchant_of(signed_in(request))
            count = await deliveries.redeliver_failed(self._context, merchant, endpoint)
            after = {"deliveries": count}
            return self._act(request, "endpoint.redelivered", str(endpoint), after)

        to = ("webhooks", str(endpoint))
        return await self._once(request, form, work, lambda: to, "webhooks_redelivered")

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

        async def work() -> Act:
            call = self._call(request, form)
            try:
                await deliveries.redeliver(self._context, call, delivery)
            except UnknownDeliveryError:
                raise RefusedError(404, "not_found", "There is no such delivery.") from None
            return self._act(request, "delivery.redelivered", str(delivery), {})

        to = ("webhooks", "deliveries", str(delivery))
        return await self._once(request, form, work, lambda: to, "webhook_redelivered")

    async def _worked(
        self,
        request: AnyRequest,
        endpoint: UUID,
        form: Form,
        work: Callable[[], Awaitable[Act]],
        done: str = "webhook_changed",
    ) -> Response[str] | Redirect:
        try:
            return await self._once(request, form, work, lambda: ("webhooks", str(endpoint)), done)
        except EndpointRuleError as error:
            return await self._one(
                request, endpoint, problem=self._problem(request, error),
                status=HTTPStatus.UNPROCESSABLE_ENTITY,
            )  # fmt: skip

    async def _once(
        self,
        request: AnyRequest,
        form: Form,
        work: Callable[[], Awaitable[Act]],
        to: Callable[[], tuple[str, ...]],
        done: str = "webhook_made",
    ) -> Redirect:
        """Raises EndpointRuleError."""

        async def worked() -> Done:
            act = await work()
            return Done(to=self._frame.to(request, *to(), done=done), act=act)

        try:
            return await once(self._context, signed_in(request), request, form, worked)
        except UnknownEndpointError:
            raise _no_such() from None

    def _call(self, request: AnyRequest, form: Form) -> IdempotentCall:
        """The verb's own key: should the process die between the verb and the entry in the audit
        log, the same form goes on with what was made."""
        return IdempotentCall(
            merchant=merchant_of(signed_in(request)), key=form.one("key"),
            endpoint=f"console webhooks {request.url.path}",
            request_hash=hash_of(form.without(*forms.OF_A_SESSION).pairs),
        )  # fmt: skip

    def _act(
        self, request: AnyRequest, action: str, subject: str, after: Mapping[str, object]
    ) -> Act:
        merchant = merchant_of(signed_in(request))
        return Act(action=action, merchant=merchant, subject=subject, after=after or None)

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
            after=_id(request.query_params.get("after", "")),
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


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
