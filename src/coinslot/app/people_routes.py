"""The URLs of people, one line each, with what each needs: a permission, and whether the proof has
to be fresh."""

from litestar import delete, get, patch, post, put
from litestar.types import ControllerRouterHandler

from coinslot.api.device_keys import DeviceKeys
from coinslot.api.members import Members
from coinslot.api.sign_in import SignIn
from coinslot.app.urls import Urls
from coinslot.pages.access import Access
from coinslot.pages.errors import refusals
from coinslot.people.authentication import Authentication

_KNOWN = refusals(400, 401, 403)
_FOUND = refusals(400, 401, 403, 404)
_CHANGES = refusals(400, 401, 403, 422)
_OF_ONE = refusals(400, 401, 403, 404, 422)


def people_routes(auth: Authentication) -> list[ControllerRouterHandler]:
    """Those that anyone may call, and those of whoever is signed in."""
    access, calls, people, devices = Access(auth), SignIn(auth), Members(auth), DeviceKeys(auth)
    anyone = [
        post("/auth/login", operation_id="signIn", status_code=200,
             responses=refusals(400, 401, 403, 422, 429, 503))(calls.login),
        post("/auth/refresh", operation_id="refreshTokens", status_code=200,
             responses=refusals(400, 401, 403))(calls.refresh),
        post("/auth/challenge", operation_id="askForPasskey", status_code=200,
             responses=refusals(400))(calls.challenge),
        post("/auth/invitations/accept", operation_id="acceptInvitation",
             responses=refusals(400, 401, 422, 429, 503))(people.accept),
        post("/auth/first-run", operation_id="makeFirstAccount",
             responses=refusals(400, 401, 422, 503))(people.first),
        post("/auth/password-reset", operation_id="resetPassword", status_code=204,
             responses=refusals(400, 401, 422, 503))(people.reset),
    ]  # fmt: skip
    return [
        Urls("/", route_handlers=anyone, tags=["sign-in"]),
        Urls(
            "/", route_handlers=[*_own(access, calls), *_factors(access, calls)],
            tags=["sign-in"], security=[{"accessToken": []}],
        ),
        Urls(
            "/", route_handlers=_members(access, people), tags=["people"],
            security=[{"accessToken": []}],
        ),
        Urls(
            "/", route_handlers=_keys(access, devices), tags=["devices"],
            security=[{"accessToken": []}],
        ),
        Urls(
            "/", tags=["devices"], route_handlers=[
                post("/auth/device-token", operation_id="takeDeviceToken", status_code=200,
                     responses=refusals(400, 401))(devices.token),
            ],
        ),
        Urls(
            "/", tags=["devices"], security=[{"accessToken": []}], guards=[access.device()],
            route_handlers=[
                get("/auth/device-profile", operation_id="readDeviceProfile",
                    responses=refusals(400, 401))(devices.profile),
            ],
        ),
    ]  # fmt: skip


def _own(access: Access, calls: SignIn) -> list[ControllerRouterHandler]:
    """About oneself: no role is needed."""
    own, fresh = [access.may()], [access.may(fresh=True)]
    shown = refusals(400, 401, 403, 429, 503)
    return [
        get("/auth/profile", operation_id="readProfile", guards=own,
            responses=_KNOWN)(calls.profile),
        post("/auth/logout", operation_id="signOut", guards=own, status_code=204,
             responses=_KNOWN)(calls.logout),
        post("/auth/logout-everywhere", operation_id="signOutEverywhere", guards=own,
             status_code=204, responses=_KNOWN)(calls.logout_everywhere),
        post("/auth/step-up", operation_id="stepUp", guards=own, status_code=200,
             responses=shown)(calls.step_up),
        post("/auth/password", operation_id="changePassword", guards=fresh, status_code=200,
             responses=refusals(400, 401, 403, 422, 503))(calls.change_password),
        get("/auth/sessions", operation_id="listSessions", guards=own,
            responses=_KNOWN)(calls.places),
        delete("/auth/sessions/{session:uuid}", operation_id="endSession", guards=own,
               responses=_FOUND)(calls.end),
    ]  # fmt: skip


def _factors(access: Access, calls: SignIn) -> list[ControllerRouterHandler]:
    own, fresh, place = [access.may()], [access.may(fresh=True)], "/auth/factors"
    return [
        get(place, operation_id="listFactors", guards=own, responses=_KNOWN)(calls.factors),
        post(f"{place}/totp", operation_id="beginTotp", guards=fresh,
             responses=_CHANGES)(calls.begin_totp),
        post(f"{place}/totp/{{factor:uuid}}/confirm", operation_id="confirmTotp", guards=own,
             status_code=200, responses=refusals(400, 401, 403, 404, 422, 429))(calls.confirm_totp),
        post(f"{place}/passkey", operation_id="beginPasskey", guards=fresh, status_code=200,
             responses=_CHANGES)(calls.begin_passkey),
        post(f"{place}/passkey/confirm", operation_id="confirmPasskey", guards=fresh,
             status_code=200, responses=_CHANGES)(calls.confirm_passkey),
        delete(f"{place}/{{factor:uuid}}", operation_id="removeFactor", guards=fresh,
               responses=_FOUND)(calls.remove_factor),
        post("/auth/recovery-codes", operation_id="renewRecoveryCodes", guards=fresh,
             responses=_CHANGES)(calls.renew_codes),
    ]  # fmt: skip


def _members(access: Access, people: Members) -> list[ControllerRouterHandler]:
    """Of the merchant that one is signed in for."""
    read, write = [access.may("people:read")], [access.may("people:write", fresh=True)]
    rules, log = [access.may("merchant:write", fresh=True)], [access.may("audit_log:read")]
    one, invited = "/people/{person:uuid}", "/people/invitations"
    return [
        get("/people", operation_id="listMembers", guards=read, responses=_KNOWN)(people.listed),
        patch(one, operation_id="changeMember", guards=write, status_code=204,
              responses=_OF_ONE)(people.change),
        delete(one, operation_id="removeMember", guards=write, responses=_OF_ONE)(people.remove),
        post(invited, operation_id="inviteMember", guards=write,
             responses=_CHANGES)(people.invite),
        get(invited, operation_id="listInvitations", guards=read,
            responses=_KNOWN)(people.invited),
        delete(f"{invited}/{{invitation:uuid}}", operation_id="revokeInvitation", guards=write,
               responses=_FOUND)(people.uninvite),
        get("/people/security", operation_id="readSecurityRules", guards=read,
            responses=_KNOWN)(people.rules),
        put("/people/security", operation_id="setSecurityRules", guards=rules,
            responses=_CHANGES)(people.set_rules),
        get("/audit-log", operation_id="readAuditLog", guards=log, responses=_KNOWN)(people.log),
    ]  # fmt: skip


def _keys(access: Access, devices: DeviceKeys) -> list[ControllerRouterHandler]:
    read, write = [access.may("devices:write")], [access.may("devices:write", fresh=True)]
    one = "/auth/device-keys/{key:uuid}"
    return [
        post("/auth/register-machine", operation_id="registerMachine", guards=write,
             responses=_CHANGES)(devices.register),
        get("/auth/device-keys", operation_id="listDeviceKeys", guards=read,
            responses=_KNOWN)(devices.listed),
        post(f"{one}/rotate", operation_id="rotateDeviceKey", guards=write,
             responses=_FOUND)(devices.rotate),
        delete(one, operation_id="revokeDeviceKey", guards=write,
               responses=_FOUND)(devices.revoke),
    ]  # fmt: skip
