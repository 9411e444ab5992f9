"""API keys of devices over HTTP: made by an admin, shown by a machine's own programs."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from coinslot.api.api_calls import strictly
from coinslot.api.members import merchant_of
from coinslot.api.sign_in import NO_STORE, Name
from coinslot.pages.access import allowed, device_of, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people import device_keys
from coinslot.people.authentication import Authentication
from coinslot.people.device_keys import DeviceKey, DeviceToken


class NewDeviceKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What POST /auth/register-machine takes."""

    machine_id: Name
    name: Name = ""
    permissions: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=20)] = device_keys.MAY
    expires_in_s: Annotated[int, Meta(ge=1, le=10**9)] | None = None


class ShownKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /auth/device-token takes."""

    key: Annotated[str, Meta(max_length=128)]


class DeviceKeyStatement(Struct, frozen=True, kw_only=True, rename="camel"):
    """A key of a device. `key` is in the answer that made it, and nowhere else."""

    key_id: UUID
    machine_id: str
    tenant_id: UUID
    name: str
    begins: str
    permissions: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    key: str | None


class DeviceKeyList(Struct, frozen=True):
    """Keys of the merchant's devices, the newest first."""

    data: list[DeviceKeyStatement]


class DeviceProfile(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which device calls."""

    key_id: UUID
    machine_id: str
    tenant_id: UUID
    permissions: list[str]
    expires_at: datetime


class DeviceKeys(SharedHandler):
    """Each call runs one verb of `people/device_keys.py`."""

    def __init__(self, auth: Authentication) -> None:
        self._auth = auth

    async def register(
        self, request: AnyRequest, data: JSONBody[NewDeviceKey]
    ) -> Response[DeviceKeyStatement]:
        """Make an API key for a machine. It is shown this once."""
        await strictly(request, data)
        who = signed_in(request)
        wish = device_keys.DeviceKeyRequest(
            machine=data.machine_id, name=data.name, permissions=data.permissions,
            expires_in_s=data.expires_in_s,
        )  # fmt: skip
        made = device_keys.register(self._auth, who.actor, merchant_of(who), wish)
        return Response(_shown(await allowed(made)), headers=NO_STORE)

    async def listed(self, request: AnyRequest) -> Response[DeviceKeyList]:
        """The keys of the merchant's machines, ended ones too."""
        found = await device_keys.listed(self._auth, merchant_of(signed_in(request)))
        return Response(DeviceKeyList([_shown(one) for one in found]), headers=NO_STORE)

    async def rotate(
        self, request: AnyRequest, key: FromPath[UUID]
    ) -> Response[DeviceKeyStatement]:
        """A new key for the same machine; the old one works beside it for a day at most."""
        who = signed_in(request)
        made = await device_keys.rotate(self._auth, who.actor, merchant_of(who), key)
        if made is None:
            raise RefusedError(404, "not_found", "There is no such key.")
        return Response(_shown(made), headers=NO_STORE)

    async def revoke(self, request: AnyRequest, key: FromPath[UUID]) -> None:
        """End a key, and every token that was made with it."""
        who = signed_in(request)
        if not await device_keys.revoke(self._auth, who.actor, merchant_of(who), key):
            raise RefusedError(404, "not_found", "There is no such key.")

    async def token(self, request: AnyRequest, data: JSONBody[ShownKey]) -> Response[DeviceToken]:
        """A short access token for a device's key."""
        await strictly(request, data)
        made = await allowed(device_keys.device_token(self._auth, data.key))
        return Response(made, headers=NO_STORE)

    async def profile(self, request: AnyRequest) -> Response[DeviceProfile]:
        """Which device this token is of."""
        who = device_of(request)
        shown = DeviceProfile(
            key_id=who.key, machine_id=who.machine, tenant_id=who.merchant,
            permissions=sorted(who.permissions), expires_at=who.expires_at,
        )  # fmt: skip
        return Response(shown, headers=NO_STORE)


def _shown(one: DeviceKey) -> DeviceKeyStatement:
    return DeviceKeyStatement(
        key_id=one.id, machine_id=one.machine, tenant_id=one.merchant, name=one.name,
        begins=one.begins, permissions=list(one.permissions), created_at=one.created_at,
        expires_at=one.expires_at, last_used_at=one.last_used_at, revoked_at=one.revoked_at,
        key=one.key,
    )  # fmt: skip
