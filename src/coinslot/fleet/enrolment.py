"""A device's enrolment: what it needs to connect, given out once, as a file and as a QR code.

A device that sells goes on with the secret that it has until the new one is first used."""

import base64
import hashlib
import ssl
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.fleet import store
from coinslot.fleet.config import Editor, OutOfServiceError, locked
from coinslot.fleet.decommission import refuse_while_open
from coinslot.kit import qr
from coinslot.outlets.machines import DeviceSecret, next_secret, replace_secret

# What a QR code holds at the levels that survive 15 % and 7 % of dirt, in bytes.
_FITS: Final = (("m", 2331), ("l", 2953))


class DeviceAddresses(Struct, frozen=True, kw_only=True):
    """How machines reach this installation."""

    mqtt: str | None = None  # mqtt://host:port or mqtts://; None: not known here
    ca: bytes | None = None  # the authority of the broker's certificate, in DER
    socketio: str = ""
    login_per_secret: bool = False  # the embedded broker: each secret has a login of its own


class DeviceEnrolment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is put into a device. It is shown once: the secret is stored encrypted only."""

    machine: str
    login: str
    secret: str
    key_id: str
    dialect: str
    broker: str | None = None  # over MQTT
    ca: str | None = None  # in DER, as base64
    ca_sha256: str | None = None  # instead of `ca`, in a QR code that could not hold it
    server: str | None = None  # over Socket.IO
    firmware_key: str | None = None  # ed25519, in hex: it takes builds that this key signed
    replaces: int | None = None  # the number of the secret that ends when this one is first used

    def file(self) -> bytes:
        """To be copied into the device. The authority stands in it in both forms: some devices read
        DER alone, some PEM alone."""
        more = {} if self.ca is None else {"ca_pem": _pem(self.ca)}
        whole = msgspec.to_builtins(self) | more
        return msgspec.json.format(msgspec.json.encode(whole)) + b"\n"

    def svg(self) -> str:
        """The same as a QR code, in a file of its own."""
        text = msgspec.json.encode(self)
        if self.ca is not None and len(text) > _FITS[-1][1]:
            digest = hashlib.sha256(base64.b64decode(self.ca)).hexdigest()
            text = msgspec.json.encode(replace(self, ca=None, ca_sha256=digest))
        level = next((level for level, most in _FITS if len(text) <= most), "l")
        alone = '<svg xmlns="http://www.w3.org/2000/svg" '
        return qr.svg(text.decode(), level).replace("<svg ", alone, 1)


def _pem(ca: str) -> str:
    return ssl.DER_cert_to_PEM_cert(base64.b64decode(ca))


async def provision_device(
    context: Context,
    editor: Editor,
    machine: str,
    addresses: DeviceAddresses,
    *,
    at_once: bool = False,
) -> DeviceEnrolment:
    """A new secret with all that a device needs. The one in use ends when this one is first used,
    or `at_once` (it was stolen), which is refused while a customer waits for the machine. A lost
    answer is asked for again: a secret that nobody got is never used.

    Raises UnknownOutletError, OutOfServiceError and UnitsOpenError."""
    merchant, now = editor.merchant, context.now()
    async with context.db.as_merchant(merchant) as conn:
        has_device = await conn.fetchval(store.LOCK_DEVICE, machine) is not None
        row = await locked(conn, merchant, machine)
        if row["decommissioned_at"] is not None:
            raise OutOfServiceError(f"{machine} is out of service")
        if at_once and has_device:
            await refuse_while_open(conn, machine)
        made = None
        if has_device and not at_once:
            made = await next_secret(conn, context.vault, machine, now)
        replaces = None if made is None else await conn.fetchval(store.KEY_IN_USE, machine)
        if made is None:
            made = await replace_secret(conn, context.vault, merchant, machine, now)
        said = {"key_id": made.key_id, "replaces": replaces, "at_once": at_once}
        await editor.note(conn, "device.provisioned", machine, said, now)
        given = enrolment(row["channel"], row["dialect"], made, addresses, replaces)
        return await with_firmware_key(conn, merchant, given)


async def with_firmware_key(
    conn: Connection, merchant: UUID, given: DeviceEnrolment
) -> DeviceEnrolment:
    """The same, with the newest key that signs the merchant's firmware, where there is one."""
    return replace(given, firmware_key=await conn.fetchval(store.FIRMWARE_KEY, merchant))


def enrolment(
    channel: str,
    dialect: str,
    made: DeviceSecret,
    addresses: DeviceAddresses,
    replaces: int | None = None,
) -> DeviceEnrolment:
    """What a device of this channel needs with this secret."""
    common = DeviceEnrolment(
        machine=made.outlet, login=made.outlet, secret=made.secret, key_id=str(made.key_id),
        dialect=dialect, replaces=replaces,
    )  # fmt: skip
    if channel != "mqtt":
        return replace(common, server=addresses.socketio)
    ca = None if addresses.ca is None else base64.b64encode(addresses.ca).decode()
    login = made.login if addresses.login_per_secret else made.outlet
    return replace(common, login=login, broker=addresses.mqtt, ca=ca)
