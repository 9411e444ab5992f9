"""Pictures that come with a form: kept before the form is worked, and what is said when one cannot
be."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from coinslot.console.forms import Form
from coinslot.context import Context
from coinslot.pictures.decode import MOST_UPLOADED_BYTES, UnreadablePictureError
from coinslot.pictures.pictures import PictureBusyError, keep
from coinslot.storage.base import StorageAwayError

FORM_BYTES: Final = MOST_UPLOADED_BYTES + 64 * 1024  # with the other fields
TAKEN: Final = "image/jpeg,image/png,image/webp"
_MEGABYTE: Final = 1024 * 1024


class FieldError(Exception):
    """A field of the form cannot be used; `text` names why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def said(self, texts: Mapping[str, str]) -> str:
        return texts[self.text].format(most=MOST_UPLOADED_BYTES // _MEGABYTE)


async def picture_of(context: Context, merchant: UUID, form: Form) -> str | None:
    """The digest of the form's picture; empty where it is to be taken away, None where it stays.
    To keep a picture twice keeps it once, so this may run again with the form.

    Raises FieldError."""
    body = form.files.get("picture")
    if body is None:
        if form.one("picture"):  # the form waited for a sign-in, and files do not
            raise FieldError("problem_picture_again")
        return "" if form.one("no_picture") else None
    try:
        kept = await keep(context.db, context.storage, merchant, body, context.now())
    except UnreadablePictureError as error:
        raise FieldError(f"problem_{error.text}") from None
    except StorageAwayError:
        raise FieldError("problem_picture_away") from None
    except PictureBusyError:
        raise FieldError("problem_picture_busy") from None
    return kept.digest
