"""People: who may? Audit log: who did what?"""

from collections.abc import Awaitable
from typing import Final
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.kit.numbers import whole
from coinslot.pages.access import allowed, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people import audit_log, invitations, members
from coinslot.people.invitations import Invitation, Wanted
from coinslot.people.members import Role, RoleChange
from coinslot.people.roles import ROLES
from coinslot.people.sessions import SignedIn

_PAGE: Final = 50


class PeoplePages(SharedHandler):
    """Each page asks one verb of `people`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._auth = frame.auth

    async def people(self, request: AnyRequest) -> Response[str]:
        return await self._people(request)

    async def invite(self, request: AnyRequest) -> Response[str] | Redirect:
        """The link is shown this once. Of two clicks the second is led to the list: nothing is
        stored from which the link could be shown again."""
        form = await forms.read(request)
        made: list[Invitation] = []

        async def work(who: SignedIn) -> Done:
            wanted = Wanted(
                merchant=merchant_of(who),
                address=form.one("address", 254),
                role=_role(form),
                language=self._frame.language(request),
            )
            made.append(await allowed(invitations.invite(self._auth, who.actor, wanted)))
            return Done(to=self._frame.to(request, "people", done="invited"))

        answer = await self._worked(request, once(self._auth.context, request, form, work))
        return await self._people(request, made=made[0]) if made else answer

    async def revoke(
        self, request: AnyRequest, invitation: FromPath[UUID]
    ) -> Response[str] | Redirect:
        who = signed_in(request)
        if not await invitations.revoke(self._auth, who.actor, merchant_of(who), invitation):
            raise RefusedError(404, "not_found", "There is no such invitation.")
        return self._frame.to(request, "people", done="invitation_revoked")

    async def change(self, request: AnyRequest, person: FromPath[UUID]) -> Response[str] | Redirect:
        """Another role, or none any more: then their sessions for this merchant end."""
        form = await forms.read(request)
        leaves = form.one("role") == "none"

        async def work(who: SignedIn) -> Done:
            change = RoleChange(
                merchant=merchant_of(who), person=person, role=None if leaves else _role(form),
                reason=form.one("reason", 500),
            )  # fmt: skip
            await allowed(members.change_role(self._auth.db, who.actor, change, self._auth.now()))
            done = "member_removed" if leaves else "member_changed"
            return Done(to=self._frame.to(request, "people", done=done))

        return await self._worked(request, once(self._auth.context, request, form, work))

    async def log(self, request: AnyRequest) -> Response[str]:
        before = whole(request.query_params.get("before", ""))
        query = audit_log.LogQuery(before=before, limit=_PAGE)
        found = await audit_log.entries(self._auth.db, merchant_of(signed_in(request)), query)
        following = str(found[-1].seq) if len(found) == _PAGE else ""
        return await self._frame.page(request, "log.html", found=found, following=following)

    async def _worked(
        self, request: AnyRequest, work: Awaitable[Redirect]
    ) -> Response[str] | Redirect:
        try:
            return await work
        except RefusedError as error:
            problem = self._frame.problem(request, error)
            return await self._people(request, problem=problem, status=error.status)

    async def _people(
        self,
        request: AnyRequest,
        *,
        made: Invitation | None = None,
        problem: str = "",
        status: int = 200,
    ) -> Response[str]:
        merchant = merchant_of(signed_in(request))
        return await self._frame.page(
            request, "people.html", status=status, problem=problem, made=made, roles=ROLES,
            members=await members.colleagues(self._auth.db, merchant),
            invited=await invitations.waiting(self._auth, merchant),
            base_url=self._auth.base_url,
        )  # fmt: skip


def _role(form: Form) -> Role:
    outlets = tuple(one.strip() for one in form.one("outlets", 1000).split(",") if one.strip())
    return Role(role=form.one("role"), outlets=outlets)
