"""Requests whose forms are read as UTF-8. Litestar decodes each part of a multipart form by the
charset that the part names, and Python has some that take half a minute for a quarter of a megabyte
(`punycode`): one request of anybody stopped the whole process."""

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any, Final

from litestar import Request
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException
from litestar.types import Empty
from multipart import MultipartSegment, ParserError, ParserLimitReached, PushMultipartParser

_PARTS: Final = 1000
WITHOUT_FILES: Final = "form_without_files"  # in the state of a request
_MARK_BYTES: Final = 64  # of a file that is let go of: there was one


class FormRequest(Request[Any, Any, Any]):
    """Litestar's, but for multipart forms."""

    async def form(self) -> FormMultiDict:
        kind, options = self.content_type
        state = self._connection_state
        if kind == RequestEncodingType.MULTI_PART and state.form is Empty:
            most = _MARK_BYTES if self.scope["state"].get(WITHOUT_FILES) else None
            state.form = await _read(self.stream(), options.get("boundary", ""), most)
        return await super().form()


async def _read(
    stream: AsyncIterator[bytes], boundary: str, most_of_file: int | None
) -> dict[str, Any]:
    """The fields by name; a list where one is there more than once. Raises ClientException."""
    reading = _Reading(most_of_file)
    try:
        with PushMultipartParser(boundary.encode(), max_segment_count=_PARTS) as parser:
            async for chunk in stream:
                for part in parser.parse(chunk):
                    await reading.take(part)
    except (ParserError, ParserLimitReached, ValueError) as error:
        await reading.close()
        raise ClientException("Invalid multipart/form-data") from error
    except BaseException:
        await reading.close()
        raise
    return {name: one[0] if len(one) == 1 else one for name, one in reading.fields.items()}


class _Reading:
    """The parts of a form as they come: a segment, its content in pieces, and None at its end."""

    def __init__(self, most_of_file: int | None) -> None:
        """So much of each file is kept; None: all of it."""
        self._most, self._left = most_of_file, 0
        self.fields: defaultdict[str, list[str | UploadFile]] = defaultdict(list)
        self._segment: MultipartSegment | None = None
        self._file: UploadFile | None = None
        self._text = bytearray()

    async def take(self, part: MultipartSegment | bytearray | None) -> None:
        if isinstance(part, MultipartSegment):
            self._segment, self._text, self._file = part, bytearray(), None
            self._left = self._most or 0
            if part.filename:
                self._file = UploadFile(
                    content_type=part.content_type or "text/plain", filename=part.filename
                )
        elif part:
            if self._file is not None:
                piece = bytes(part) if self._most is None else bytes(part[: self._left])
                self._left -= len(piece)
                await self._file.write(piece)
            else:
                self._text += part
        elif self._segment is not None:
            await self._end(self._segment.name or "")

    async def _end(self, name: str) -> None:
        file, self._file = self._file, None
        if file is None:
            self.fields[name].append(self._text.decode())  # every page of ours is UTF-8
        else:
            await file.seek(0)
            self.fields[name].append(file)

    async def close(self) -> None:
        """What was read so far is let go of."""
        for one in [self._file, *(one for many in self.fields.values() for one in many)]:
            if isinstance(one, UploadFile):
                await one.close()
