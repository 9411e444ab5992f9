"""What a messaging service tells about messages: how they ended, what their readers wrote back, and
which keys the listeners of calls pressed. Signed over the address that was given with the message.

A callback that is lost costs nothing: the service is asked too."""

from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
from litestar import Response
from litestar.params import FromPath

from coinslot.context import Context
from coinslot.counter import contacts, messages, writing
from coinslot.counter import message_limits as limits
from coinslot.counter import message_store as store
from coinslot.counter.message_texts import texts_in
from coinslot.notices.base import (
    Forged,
    Form,
    Inbound,
    Pressed,
    Report,
    Reports,
    Stage,
    Talks,
    Unreadable,
)
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler

NO_MORE_CALLS: Final = "9"
_MOST_BYTES: Final = 20_000
_NOTHING: Final = "<Response/>"  # to be said or written back
Told = Report | Inbound | Pressed


class MessageCallbacks(SharedHandler):
    """Reads what a service says, and passes it to the message's row."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def message(self, request: AnyRequest, message: FromPath[UUID]) -> Response[str]:
        """How one message ended, or which key was pressed."""
        row = await self._row(message)
        said = await self._read(request, Form(row["form"]))
        match said:
            case Report():
                await messages.reported(self._context, row, said)
            case Pressed():
                return await self._pressed(row, said)
            case Inbound():
                await self._inbound(said)
        return Response(_NOTHING, media_type="text/xml")

    async def inbound(self, request: AnyRequest) -> Response[str]:
        """What somebody wrote back."""
        said = await self._read(request, Form.SMS)
        if isinstance(said, Inbound):
            await self._inbound(said)
        return Response(_NOTHING, media_type="text/xml")

    async def _read(self, request: AnyRequest, form: Form) -> Told:
        """Raises RefusedError for what bears no signature of ours."""
        notifier: object = self._context.notifiers.get(form)
        body = await request.body()
        if not isinstance(notifier, Reports) or len(body) > _MOST_BYTES:
            raise RefusedError(404, "no_such_message", "No service calls back here.")
        headers = {name.lower(): value for name, value in request.headers.items()}
        said = notifier.read_callback(self._address(request), headers, body)
        if isinstance(said, Forged):
            raise RefusedError(401, "bad_signature", "The signature does not match.")
        if isinstance(said, Unreadable):
            raise RefusedError(400, "bad_request", "This callback cannot be read.")
        return said

    def _address(self, request: AnyRequest) -> str:
        """As the service was told it: a proxy in front of us may speak plain HTTP to us."""
        query = request.url.query
        path = urlsplit(str(request.url)).path
        return f"{self._context.public_url}{path}{'?' if query else ''}{query}"

    async def _row(self, message: UUID) -> asyncpg.Record:
        """Raises RefusedError."""
        context = self._context
        async with context.db.system_connection() as conn:
            merchant = await conn.fetchval(store.OWNER, message)
        if merchant is not None:
            async with context.db.as_merchant(merchant) as conn:
                row = await conn.fetchrow(store.ONE, message)
            if row is not None:
                return row
        raise RefusedError(404, "no_such_message", "There is no such message.")

    async def _pressed(self, row: asyncpg.Record, said: Pressed) -> Response[str]:
        """Somebody is there: that is the proof that no mailbox took the call. They hear it again,
        or are never called again."""
        context = self._context
        notifier: object = context.notifiers.get(Form.CALL)
        heard = Report(reference=said.reference, stage=Stage.DELIVERED)
        await messages.reported(context, row, heard, answered=True)
        async with context.db.as_merchant(row["merchant_id"]) as conn:
            told = await writing.facts(conn, row)
            text = (await writing.notice(conn, context, row, told)).text if told else ""
        language = "en" if told is None else told["language"]
        if said.keys == NO_MORE_CALLS and row["phone_digest"] is not None:
            await limits.opt_out(context, limits.of_calls(row["phone_digest"]), "pressed 9")
            text = texts_in(language).no_more_calls
        assert isinstance(notifier, Talks)
        media, body = notifier.says(text, language)
        return Response(body, media_type=media)

    async def _inbound(self, said: Inbound) -> None:
        """STOP and START: the service itself acts on them too."""
        digest = contacts.phone_digest(self._context.vault, said.sender)
        if said.opts_out is True:
            await limits.opt_out(self._context, digest, "STOP")
        elif said.opts_out is False:
            await limits.opt_in(self._context, digest)
            await limits.opt_in(self._context, limits.of_calls(digest))
