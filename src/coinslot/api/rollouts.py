"""Firmware and its roll-outs for programs, and the downloads of machines."""

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import structlog
from litestar import Response
from litestar.params import FromPath, JSONBody, PathParameter
from msgspec import Meta, Struct, field

from coinslot.api.api_calls import strictly
from coinslot.api.machines import code_of, editor_of
from coinslot.context import Context
from coinslot.fleet.config import Editor
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.rollouts import downloads, firmware, rollouts
from coinslot.rollouts.downloads import NoDownloadError, RangeError
from coinslot.rollouts.firmware import (
    Build,
    FirmwareKey,
    KeyThereError,
    SequenceTakenError,
    UnknownBuildError,
    UnknownKeyError,
    Upload,
)
from coinslot.rollouts.manifest import (
    IMAGE_BYTES_AT_MOST,
    MANIFEST_BYTES_AT_MOST,
    ManifestError,
)
from coinslot.rollouts.plan import Rules
from coinslot.rollouts.rollouts import (
    NewRollout,
    NotNowError,
    Rollout,
    RolloutError,
    UnknownRolloutError,
    Wave,
)
from coinslot.storage.base import StorageAwayError

log = structlog.get_logger(__name__)

UPLOAD_BYTES: Final = 2 * IMAGE_BYTES_AT_MOST  # base64, and the rest
_PATIENCE_S: Final = 20.0
_AT_ONCE: Final = 32
Found = TypeVar("Found")
Words = Annotated[str, Meta(max_length=200, pattern=r"\A[^\x00]*\Z")]
Name = Annotated[str, PathParameter(max_length=80, pattern=STORABLE)]
MachineCode = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,32}\Z")]


class NewFirmwareKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /firmware/keys takes."""

    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\A[^\x00]*\Z")]
    public_key: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class FirmwareUpload(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /firmware takes: what `coinslot-sign build` wrote."""

    manifest: Annotated[str, Meta(max_length=MANIFEST_BYTES_AT_MOST)]
    signature: Annotated[str, Meta(pattern=r"\A[0-9a-f]{128}\Z")]
    image: Annotated[bytes, Meta(max_length=IMAGE_BYTES_AT_MOST)]


class WantedRollout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /rollouts takes."""

    firmware: UUID
    machines: Annotated[list[MachineCode], Meta(min_length=1, max_length=10_000)] | None = None
    rules: Rules = field(default_factory=Rules)


class Resumption(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /rollouts/{rollout}/resume takes."""

    past_soak: Words = ""


class Because(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's reason, which stays in the audit log."""

    reason: Words = ""


class FirmwareKeys(Struct, frozen=True):
    data: list[FirmwareKey]


class Builds(Struct, frozen=True):
    data: list[Build]


class RolloutList(Struct, frozen=True):
    data: list[Rollout]


class Rollouts(SharedHandler):
    """The guard of each route says who may call it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def keys(self, request: AnyRequest) -> FirmwareKeys:
        """The keys that may sign builds, and those that no longer may."""
        return FirmwareKeys(await firmware.keys(self._context, editor_of(request).merchant))

    async def add_key(self, request: AnyRequest, data: JSONBody[NewFirmwareKey]) -> FirmwareKeys:
        """Register the public half of a key that `coinslot-sign key` made. Builds that it signs
        may be uploaded from now on; the other half stays where it is."""
        await strictly(request, data)
        editor, public = editor_of(request), bytes.fromhex(data.public_key)
        await _found(firmware.add_key(self._context, editor, data.name, public))
        return FirmwareKeys(await firmware.keys(self._context, editor.merchant))

    async def retire_key(self, request: AnyRequest, key: FromPath[UUID]) -> None:
        """It signs no more builds; those that it signed stay."""
        await _found(firmware.retire_key(self._context, editor_of(request), key))

    async def builds(self, request: AnyRequest) -> Builds:
        """The newest hundred."""
        return Builds(await firmware.builds(self._context, editor_of(request).merchant))

    async def upload(self, request: AnyRequest, data: JSONBody[FirmwareUpload]) -> Build:
        """Keep a build: it is whole, and one of your keys signed it. It never changes; the same
        one again is the same build."""
        editor = editor_of(request)
        sent = Upload(
            manifest=data.manifest.encode(), signature=bytes.fromhex(data.signature),
            image=data.image,
        )  # fmt: skip
        made = await _found(firmware.upload(self._context, editor, sent))
        return await _found(firmware.build(self._context, editor.merchant, made))

    async def listed(self, request: AnyRequest) -> RolloutList:
        """The newest fifty."""
        return RolloutList(await rollouts.listed(self._context, editor_of(request).merchant))

    async def create(self, request: AnyRequest, data: JSONBody[WantedRollout]) -> Wave:
        """A draft: no machine hears of it before it is started."""
        await strictly(request, data)
        machines = None if data.machines is None else tuple(data.machines)
        wanted = NewRollout(firmware=data.firmware, machines=machines, rules=data.rules)
        editor = editor_of(request)
        made = await _found(rollouts.create(self._context, editor, wanted))
        return await self._wave(editor, made)

    async def one(self, request: AnyRequest, rollout: FromPath[UUID]) -> Wave:
        """How it goes: its stages, its machines, and the soak as it stands now."""
        return await self._wave(editor_of(request), rollout)

    async def start(self, request: AnyRequest, rollout: FromPath[UUID]) -> Wave:
        """The first stage is offered the build."""
        editor = editor_of(request)
        await _found(rollouts.start(self._context, editor, rollout))
        return await self._wave(editor, rollout)

    async def pause(self, request: AnyRequest, rollout: FromPath[UUID]) -> Wave:
        """Nothing new begins; machines that install go on."""
        editor = editor_of(request)
        await _found(rollouts.pause(self._context, editor, rollout))
        return await self._wave(editor, rollout)

    async def resume(
        self, request: AnyRequest, rollout: FromPath[UUID], data: JSONBody[Resumption]
    ) -> Wave:
        """Go on with the stage and soak again. With a reason in `past_soak`, the soak is taken as
        good, and the next stage begins."""
        await strictly(request, data)
        editor, past = editor_of(request), data.past_soak
        await _found(rollouts.resume(self._context, editor, rollout, past_soak=past))
        return await self._wave(editor, rollout)

    async def abort(
        self, request: AnyRequest, rollout: FromPath[UUID], data: JSONBody[Because]
    ) -> Wave:
        """End it for good. Machines that have the build keep it."""
        await strictly(request, data)
        editor = editor_of(request)
        await _found(rollouts.abort(self._context, editor, rollout, data.reason))
        return await self._wave(editor, rollout)

    async def give_up(
        self,
        request: AnyRequest,
        rollout: FromPath[UUID],
        machine: FromPath[str],
        data: JSONBody[Because],
    ) -> Wave:
        """A person has seen a silent machine: it failed, and its outlet may sell when it is heard
        again."""
        await strictly(request, data)
        editor, why, code = editor_of(request), data.reason, code_of(machine)
        await _found(rollouts.give_up(self._context, editor, rollout, code, why))
        return await self._wave(editor, rollout)

    async def _wave(self, editor: Editor, rollout: UUID) -> Wave:
        return await _found(rollouts.read(self._context, editor.merchant, rollout))


class Downloads(SharedHandler):
    """For machines: the address is the only key, and is of one attempt."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def manifest(self, name: Name) -> Response[Any]:
        """The text that was signed, and its signature; and where the image may be loaded from a
        store, if there is one that machines reach."""
        found = await _there(downloads.download(self._context, name))
        body = {"manifest": found.manifest, "signature": found.signature}
        if found.image_url is not None:
            body["image_url"] = found.image_url
        return Response(body, headers={"Cache-Control": "no-store"})

    async def image(self, request: AnyRequest, name: Name) -> Response[bytes]:
        """The image, or the part of it that `Range` names."""
        found = await _there(downloads.download(self._context, name))
        asked = request.headers.get("range")
        headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store, no-transform"}
        try:
            async with asyncio.timeout(_PATIENCE_S), self._places:
                part = await _there(downloads.part(self._context, found, asked))
        except RangeError as error:
            headers["Content-Range"] = f"bytes */{error.size}"
            return _octets(b"", HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers)
        except (StorageAwayError, TimeoutError) as error:
            log.warning("image_away", error=repr(error))
            raise RefusedError(503, "unavailable", "Try again.").with_header(
                "Retry-After", "10"
            ) from None
        if len(part.body) == part.size:
            return _octets(part.body, HTTPStatus.OK, headers)
        headers["Content-Range"] = part.content_range
        return _octets(part.body, HTTPStatus.PARTIAL_CONTENT, headers)


def _octets(body: bytes, status: HTTPStatus, headers: dict[str, str]) -> Response[bytes]:
    return Response(
        body, status_code=status, media_type="application/octet-stream", headers=headers
    )


async def _there(call: Awaitable[Found]) -> Found:
    try:
        return await call
    except NoDownloadError:
        raise RefusedError(404, "not_found", "There is nothing here, or no more.") from None


async def _found(call: Awaitable[Found]) -> Found:
    try:
        return await call
    except (UnknownRolloutError, UnknownBuildError, UnknownKeyError):
        raise RefusedError(404, "not_found", "There is no such thing here.") from None
    except NotNowError as error:
        raise RefusedError(409, "not_now", str(error)) from None
    except KeyThereError:
        raise RefusedError(409, "key_there", "This key is registered already.") from None
    except SequenceTakenError as error:
        raise RefusedError(409, "sequence_taken", f"{error}.") from None
    except ManifestError as error:
        raise RefusedError(422, error.code, str(error)) from None
    except RolloutError as error:
        raise RefusedError(422, error.code, str(error)) from None
    except StorageAwayError:
        raise RefusedError(503, "unavailable", "The storage does not answer: try again.") from None
