"""Builds of firmware and the keys that sign them, for people: brought here as `coinslot-sign`
wrote them. The secret half of a key never comes here."""

import re
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta, Struct

from coinslot.console import forms
from coinslot.console.current_merchant import editor_of, merchant_of
from coinslot.console.forms import Done, once
from coinslot.console.frame import Frame
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.sessions import SignedIn
from coinslot.rollouts import firmware
from coinslot.rollouts.firmware import (
    KeyThereError,
    SequenceTakenError,
    UnknownKeyError,
    Upload,
)
from coinslot.rollouts.manifest import (
    IMAGE_BYTES_AT_MOST,
    MANIFEST_BYTES_AT_MOST,
    ManifestError,
)
from coinslot.storage.base import StorageAwayError

FORM_BYTES: Final = 2 * IMAGE_BYTES_AT_MOST  # base64, and the other fields
_KEY: Final = re.compile(r"[0-9a-f]{64}")


class SignedFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file that `coinslot-sign build` writes."""

    manifest: Annotated[str, Meta(max_length=MANIFEST_BYTES_AT_MOST)]
    signature: Annotated[str, Meta(pattern=r"\A[0-9a-f]{128}\Z")]
    image: Annotated[bytes, Meta(max_length=IMAGE_BYTES_AT_MOST)]


class FirmwarePages(SharedHandler):
    """Each form calls one verb of `rollouts.firmware`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def show(self, request: AnyRequest) -> Response[str]:
        return await self._show(request)

    async def upload(self, request: AnyRequest) -> Response[str] | Redirect:
        """A signed build: whole, and of a key of the merchant's."""
        form, c = await forms.read(request), self._frame.texts(request)
        raw = form.files.get("file")
        if raw is None:
            return await self._show(request, c["problem_fw_choose"])
        try:
            sent = msgspec.json.decode(raw, type=SignedFile)
        except msgspec.MsgspecError:
            return await self._show(request, c["problem_fw_file"])
        build = Upload(
            manifest=sent.manifest.encode(), signature=bytes.fromhex(sent.signature),
            image=sent.image,
        )  # fmt: skip

        async def work(who: SignedIn) -> Done:
            await firmware.upload(self._context, editor_of(who), build)
            return Done(to=self._frame.to(request, "rollouts", done="fw_uploaded"))

        try:
            return await once(self._context, request, form, work)
        except ManifestError as error:
            return await self._show(request, c["problem_fw_refused"].format(why=error))
        except SequenceTakenError as error:
            return await self._show(request, c["problem_fw_refused"].format(why=error))
        except StorageAwayError:
            return await self._show(request, c["problem_fw_storage"])

    async def add_key(self, request: AnyRequest) -> Response[str] | Redirect:
        form, c = await forms.read(request), self._frame.texts(request)
        name, public = form.one("name", 60), form.one("public_key", 64).lower()
        if not name or not _KEY.fullmatch(public):
            return await self._show(request, c["problem_fw_key"])

        async def work(who: SignedIn) -> Done:
            await firmware.add_key(self._context, editor_of(who), name, bytes.fromhex(public))
            return Done(to=self._frame.to(request, "firmware", done="fw_key"))

        try:
            return await once(self._context, request, form, work)
        except KeyThereError:
            return await self._show(request, c["problem_fw_key_there"])

    async def retire_key(
        self, request: AnyRequest, key: FromPath[UUID]
    ) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            await firmware.retire_key(self._context, editor_of(who), key)
            return Done(to=self._frame.to(request, "firmware", done="fw_key_retired"))

        try:
            return await once(self._context, request, form, work)
        except UnknownKeyError:
            raise RefusedError(404, "not_found", "There is no such key.") from None

    async def _show(self, request: AnyRequest, problem: str = "") -> Response[str]:
        merchant = merchant_of(signed_in(request))
        found = await firmware.keys(self._context, merchant)
        return await self._frame.page(
            request, "firmware.html", problem=problem, keys=found,
            in_use=[one for one in found if one.retired_at is None],
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )  # fmt: skip
