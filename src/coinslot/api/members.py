"""People of a merchant over HTTP: who works there, invitations, rules for signing in, the audit
log; and the three ways to an account: an invitation, the first run, a reset."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta, Struct

from coinslot.api.api_calls import strictly
from coinslot.api.sign_in import NO_STORE, Code, Login, Name, Password, Signed
from coinslot.pages.access import allowed, client_of, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people import audit_log, first_run, invitations, members, resets, security
from coinslot.people.authentication import Authentication
from coinslot.people.security import SecurityRules
from coinslot.people.sessions import SignedIn

RoleName = Literal["admin", "operator", "viewer", "staff"]
Outlets = Annotated[tuple[Name, ...], Meta(max_length=100)]
Network = Annotated[str, Meta(max_length=64)]


class MemberChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What PATCH /people/{person} takes."""

    role: RoleName
    outlets: Outlets = ()
    reason: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""


class NewInvitation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /people/invitations takes."""

    address: Login
    role: RoleName
    outlets: Outlets = ()


class NewRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What PUT /people/security takes."""

    second_factor_required: bool
    allowed_networks: Annotated[tuple[Network, ...], Meta(max_length=100)]


class AcceptedInvitation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /auth/invitations/accept takes: the token of the link, or the code."""

    login: Login
    password: Password
    token: Signed = ""
    code: Annotated[str, Meta(max_length=32)] = ""
    second_factor: Code = ""


class NewFirstAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /auth/first-run takes."""

    token: Signed
    login: Login
    password: Password


class PasswordReset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /auth/password-reset takes."""

    token: Signed
    password: Password


class MemberStatement(Struct, frozen=True, kw_only=True):
    """Someone who works for the merchant."""

    id: UUID
    login: str
    name: str
    role: str
    outlets: list[str]
    since: datetime


class MemberList(Struct, frozen=True):
    """Everyone who works there, by login."""

    data: list[MemberStatement]


class InvitationStatement(Struct, frozen=True, kw_only=True):
    """An invitation. `token` and `code` are in the answer that made it, and nowhere else."""

    id: UUID
    address: str
    role: str
    outlets: list[str]
    created_at: datetime
    expires_at: datetime
    token: str | None
    code: str | None


class InvitationList(Struct, frozen=True):
    """Invitations that wait, the oldest first."""

    data: list[InvitationStatement]


class NewPerson(Struct, frozen=True, kw_only=True):
    """The id of a person who can sign in from now on."""

    person: UUID


class LogEntry(Struct, frozen=True, kw_only=True):
    """A line of the audit log."""

    seq: int
    at: datetime
    person: UUID | None
    login: str | None
    session: UUID | None
    factors: list[str]
    address: str
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str


class LogPage(Struct, frozen=True):
    """A page of the audit log, newest first; `next` is the `before` of the next page."""

    data: list[LogEntry]
    next: int | None


class Members(SharedHandler):
    """Each call runs one verb of `people`, for the merchant that one is signed in for."""

    def __init__(self, auth: Authentication) -> None:
        self._auth = auth

    async def listed(self, request: AnyRequest) -> Response[MemberList]:
        """Everyone who works for the merchant."""
        found = await members.colleagues(self._auth.db, merchant_of(signed_in(request)))
        shown = [
            MemberStatement(
                id=one.id, login=one.login, name=one.name, role=one.role,
                outlets=list(one.outlets), since=one.since,
            )
            for one in found
        ]  # fmt: skip
        return Response(MemberList(shown), headers=NO_STORE)

    async def change(
        self, request: AnyRequest, person: FromPath[UUID], data: JSONBody[MemberChange]
    ) -> None:
        """Another role. Their sessions for this merchant end."""
        await strictly(request, data)
        role = members.Role(role=data.role, outlets=data.outlets)
        await self._changed(signed_in(request), person, role, data.reason)

    async def remove(self, request: AnyRequest, person: FromPath[UUID]) -> None:
        """They work here no more. Their sessions for this merchant end."""
        await self._changed(signed_in(request), person, None, "")

    async def _changed(
        self, who: SignedIn, person: UUID, role: members.Role | None, reason: str
    ) -> None:
        change = members.RoleChange(
            merchant=merchant_of(who), person=person, role=role, reason=reason
        )
        now = self._auth.now()
        await allowed(members.change_role(self._auth.db, who.actor, change, now))

    async def invite(
        self, request: AnyRequest, data: JSONBody[NewInvitation]
    ) -> Response[InvitationStatement]:
        """Invite someone. The answer has a token for a link and a code to be told another way."""
        await strictly(request, data)
        who = signed_in(request)
        role = members.Role(role=data.role, outlets=data.outlets)
        wanted = invitations.Wanted(merchant=merchant_of(who), address=data.address, role=role)
        made = await allowed(invitations.invite(self._auth, who.actor, wanted))
        return Response(_invitation(made), headers=NO_STORE)

    async def invited(self, request: AnyRequest) -> Response[InvitationList]:
        """Invitations that wait."""
        found = await invitations.waiting(self._auth, merchant_of(signed_in(request)))
        return Response(InvitationList([_invitation(one) for one in found]), headers=NO_STORE)

    async def uninvite(self, request: AnyRequest, invitation: FromPath[UUID]) -> None:
        """Take an invitation back."""
        who = signed_in(request)
        if not await invitations.revoke(self._auth, who.actor, merchant_of(who), invitation):
            raise RefusedError(404, "not_found", "There is no such invitation.")

    async def rules(self, request: AnyRequest) -> Response[SecurityRules]:
        """The merchant's rules for signing in."""
        found = await security.rules(self._auth.db, merchant_of(signed_in(request)))
        return Response(found, headers=NO_STORE)

    async def set_rules(
        self, request: AnyRequest, data: JSONBody[NewRules]
    ) -> Response[SecurityRules]:
        """Set them. They hold from the next request on; they cannot lock out who sets them."""
        await strictly(request, data)
        who = signed_in(request)
        wanted = SecurityRules(
            second_factor_required=data.second_factor_required,
            allowed_networks=data.allowed_networks,
        )
        setting = security.set_rules(self._auth.db, who, merchant_of(who), wanted, self._auth.now())
        return Response(await allowed(setting), headers=NO_STORE)

    async def log(
        self,
        request: AnyRequest,
        before: Annotated[int | None, QueryParameter(ge=1, le=2**62)] = None,
        person: FromQuery[UUID | None] = None,
        action: Annotated[str | None, QueryParameter(max_length=64, pattern=r"^[a-z_.]*$")] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
    ) -> Response[LogPage]:
        """Who did what for this merchant, newest first."""
        query = audit_log.LogQuery(before=before, person=person, action=action, limit=limit)
        found = await audit_log.entries(self._auth.db, merchant_of(signed_in(request)), query)
        lines = [
            LogEntry(
                seq=one.seq, at=one.at, person=one.person, login=one.login, session=one.session,
                factors=list(one.factors), address=one.address, action=one.action,
                subject=one.subject, before=one.before, after=one.after, reason=one.reason,
            )
            for one in found
        ]  # fmt: skip
        following = lines[-1].seq if len(lines) == limit else None
        return Response(LogPage(lines, following), headers=NO_STORE)

    async def accept(
        self, request: AnyRequest, data: JSONBody[AcceptedInvitation]
    ) -> Response[NewPerson]:
        """Take up an invitation, under the address that was invited. Someone who signs in with that
        address already gives the password that they have."""
        await strictly(request, data)
        shown = invitations.Acceptance(
            login=data.login,
            password=data.password,
            token=data.token,
            code=data.code,
            second_factor=data.second_factor,
        )
        person = await allowed(invitations.accept(self._auth, shown, client_of(request)))
        return Response(NewPerson(person=person), headers=NO_STORE)

    async def first(
        self, request: AnyRequest, data: JSONBody[NewFirstAccount]
    ) -> Response[NewPerson]:
        """Make the account that runs the installation, with the token that `coinslot serve`
        printed. It is made once."""
        await strictly(request, data)
        wanted = first_run.FirstAccount(token=data.token, login=data.login, password=data.password)
        person = await allowed(first_run.make_first(self._auth, wanted, client_of(request)))
        return Response(NewPerson(person=person), headers=NO_STORE)

    async def reset(self, request: AnyRequest, data: JSONBody[PasswordReset]) -> None:
        """Set a new password with a token of `coinslot people reset`. Every session of the person
        ends."""
        await strictly(request, data)
        await allowed(resets.reset(self._auth, data.token, data.password, client_of(request)))


def merchant_of(who: SignedIn) -> UUID:
    """No permission of a merchant's is held by anyone who is signed in for none."""
    assert who.merchant is not None
    return who.merchant


def _invitation(one: invitations.Invitation) -> InvitationStatement:
    return InvitationStatement(
        id=one.id, address=one.address, role=one.role, outlets=list(one.outlets),
        created_at=one.created_at, expires_at=one.expires_at, token=one.token, code=one.code,
    )  # fmt: skip
