"""One conversation with a client that brings mail, by RFC 5321: strict about lines and their order.

A bare line feed is refused everywhere: between servers that read it otherwise, it smuggles mail."""

import asyncio
import base64
import binascii
import re
import ssl
from typing import Protocol

from sandbox.smtp.settings import Faults, Section
from sandbox.weather import Fate

LONGEST_LINE = 2_048
MOST_RECIPIENTS = 100
ADDRESS = re.compile(r"(MAIL FROM|RCPT TO):\s*<([^<>\r\n]*)>((?:\s+[^\s]+)*)\s*", re.IGNORECASE)
MAILBOX = re.compile(r"[^\s<>@]+@[^\s<>@]+")


class Server(Protocol):
    """What a conversation asks of the server behind it."""

    section: Section

    @property
    def faults(self) -> Faults: ...

    def tls(self) -> ssl.SSLContext: ...

    def fate(self) -> Fate:
        """What the weather makes of one mail."""
        ...

    def keep(self, sender: str, recipients: list[str], content: bytes) -> str:
        """Commit the mail; its name in the answer."""
        ...


class HungUpError(Exception):
    """Nothing more is said: the server breaks the connection, or the client has."""


class Session:
    """The state of one conversation."""

    def __init__(
        self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._greeted = self._secure = self._known = False
        self._sender: str | None = None
        self._recipients: list[str] = []

    async def run(self) -> None:
        faults = self._server.faults
        try:
            if faults.refuse == "connection":
                raise HungUpError
            if faults.refuse == "greeting" or faults.busy == "greeting":
                await self._say("554 5.3.2 no mail here" if faults.refuse else "421 4.3.2 busy")
                return
            await self._say("220 sandbox ESMTP")
            while await self._step():
                pass
        except HungUpError:
            self._writer.transport.abort()

    async def _step(self) -> bool:
        """One command; False at the end."""
        line = await self._line()
        if line is None:
            await self._say("500 5.5.2 a line is text that ends in CR LF")
            return True
        verb, _, rest = line.partition(" ")
        match verb.upper():
            case "QUIT":
                await self._say("221 2.0.0 bye")
                return False
            case "EHLO" | "HELO":
                await self._hello(verb.upper(), rest)
            case "NOOP":
                await self._say("250 2.0.0 OK")
            case "VRFY":
                await self._say("252 2.1.5 send it and see")
            case "RSET":
                self._reset()
                await self._say("250 2.0.0 OK")
            case "STARTTLS":
                await self._start_tls()
            case "AUTH":
                await self._login(rest)
            case "MAIL" | "RCPT":
                await self._address(line)
            case "DATA":
                await self._data()
            case _:
                await self._say("500 5.5.1 unknown command")
        return True

    async def _hello(self, verb: str, name: str) -> None:
        if not name.strip():
            await self._say("501 5.5.4 who is there?")
            return
        self._greeted = True
        self._reset()
        if verb == "HELO":
            await self._say("250 sandbox")
            return
        section = self._server.section
        offers = ["sandbox", f"SIZE {section.largest_bytes}", "8BITMIME", "ENHANCEDSTATUSCODES"]
        if self._server.faults.utf8:
            offers.append("SMTPUTF8")
        if section.starttls and not self._secure:
            offers.append("STARTTLS")
        elif section.users:
            offers.append("AUTH PLAIN LOGIN")
        await self._say(*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}")

    async def _start_tls(self) -> None:
        if not self._server.section.starttls or self._secure:
            await self._say("502 5.5.1 not offered")
            return
        await self._say("220 2.0.0 go ahead")
        # What was sent in plain text before must not be read as if it had been encrypted.
        if self._reader._buffer:  # type: ignore[attr-defined]
            raise HungUpError
        await self._writer.start_tls(self._server.tls())
        self._secure, self._greeted, self._known = True, False, False
        self._reset()

    async def _login(self, said: str) -> None:
        section = self._server.section
        if not self._greeted or not section.users or (section.starttls and not self._secure):
            await self._say("503 5.5.1 not now")
            return
        try:
            user, password = await self._credentials(*said.split())
        except (ValueError, TypeError):
            await self._say("501 5.5.2 not understood")
            return
        self._known = section.users.get(user) == password
        await self._say("235 2.7.0 welcome" if self._known else "535 5.7.8 wrong login")

    async def _credentials(self, method: str, first: str = "") -> tuple[str, str]:
        if method.upper() == "PLAIN":
            _, user, password = (_plain(first or await self._asked(""))).split("\0")
            return user, password
        if method.upper() == "LOGIN":
            user = _plain(first or await self._asked("Username:"))
            return user, _plain(await self._asked("Password:"))
        raise ValueError(method)

    async def _asked(self, prompt: str) -> str:
        await self._say(f"334 {base64.b64encode(prompt.encode()).decode()}")
        line = await self._line()
        if line is None or line == "*":
            raise ValueError("given up")
        return line

    async def _address(self, line: str) -> None:
        found = ADDRESS.fullmatch(line)
        if found is None:
            await self._say("501 5.5.4 no address")
            return
        verb, address, options = found.groups()
        if verb.upper().startswith("MAIL"):
            await self._say(self._sender_is(address, options.upper().split()))
        else:
            await self._say(self._recipient_is(address))

    def _sender_is(self, address: str, options: list[str]) -> str:
        faults, section = self._server.faults, self._server.section
        if not self._greeted or self._sender is not None:
            return "503 5.5.1 not now"
        if section.users and not self._known:
            return "530 5.7.0 log in first"
        if faults.refuse == "sender" or faults.busy == "sender":
            return "550 5.7.1 not from you" if faults.refuse else "451 4.3.0 not now"
        if address and not MAILBOX.fullmatch(address):
            return "553 5.1.7 no such address"
        if not address.isascii() and "SMTPUTF8" not in options:
            return "553 5.6.7 this address needs SMTPUTF8"
        sizes = [option[5:] for option in options if option.startswith("SIZE=")]
        if any(not size.isdecimal() or len(size) > 12 for size in sizes):
            return "501 5.5.4 no size"
        if any(int(size) > section.largest_bytes for size in sizes):
            return "552 5.3.4 too large"
        self._sender = address
        return "250 2.1.0 OK"

    def _recipient_is(self, address: str) -> str:
        faults = self._server.faults
        if self._sender is None:
            return "503 5.5.1 from whom?"
        if faults.busy == "recipient":
            return "450 4.2.1 not now"
        if not MAILBOX.fullmatch(address):
            return "553 5.1.3 no such address"
        if address in faults.mailboxes:
            code = str(faults.mailboxes[address])
            return f"{code} {code[0]}.1.1 refused"
        if len(self._recipients) >= MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        self._recipients.append(address)
        return "250 2.1.5 OK"

    async def _data(self) -> None:
        faults = self._server.faults
        if not self._recipients or self._sender is None:
            await self._say("503 5.5.1 for whom?")
            return
        if faults.refuse == "data" or faults.busy == "data":
            self._reset()
            await self._say("554 5.7.1 no" if faults.refuse else "451 4.3.0 not now")
            return
        await self._say("354 go on, and end with a point")
        if faults.drop == "before_content":
            raise HungUpError
        content, problem = await self._content()
        sender, recipients = self._sender, self._recipients
        self._reset()
        fate = self._server.fate()
        # After a 4xx no mail is kept: unlike HTTP's 5xx it is a promise.
        if problem is None and (
            faults.busy == "content" or fate in (Fate.REFUSED, Fate.DONE_BUT_5XX)
        ):
            problem = "451 4.3.0 not now"
        if problem is not None:
            await self._say(problem)
            return
        name = self._server.keep(sender, recipients, content)
        if faults.drop == "after_content" or fate is Fate.DONE_BUT_CUT:
            raise HungUpError
        await asyncio.sleep(faults.slow_content_ms / 1_000)
        await self._say(f"250 2.0.0 kept as {name}")

    async def _content(self) -> tuple[bytes, str | None]:
        """Lines up to the point, with doubled points made single."""
        content, problem = bytearray(), None
        while True:
            line = await self._raw_line()
            if line == b".\r\n":
                return bytes(content), problem
            if not line.endswith(b"\r\n") or b"\n" in line[:-2] or b"\r" in line[:-2]:
                problem = "550 5.6.11 a bare line feed or carriage return"
            if len(content) > self._server.section.largest_bytes:
                problem, content = "552 5.3.4 too large", bytearray()
            content += line[1:] if line.startswith(b".") else line

    def _reset(self) -> None:
        self._sender, self._recipients = None, []

    async def _line(self) -> str | None:
        """A command without its end; None for one that is no text, or has another end."""
        line = await self._raw_line()
        if not line.endswith(b"\r\n") or len(line) > LONGEST_LINE:
            return None
        try:
            text = line[:-2].decode()
        except UnicodeDecodeError:
            return None
        return text if text.isprintable() else None

    async def _raw_line(self) -> bytes:
        """Up to CR LF, whatever else is in it; the rest, when the client says no more."""
        try:
            return await self._reader.readuntil(b"\r\n")
        except asyncio.IncompleteReadError as ended:
            if not ended.partial:
                raise HungUpError from None
            return ended.partial
        except asyncio.LimitOverrunError:
            raise HungUpError from None

    async def _say(self, *lines: str) -> None:
        await asyncio.sleep(self._server.faults.slow_ms / 1_000)
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self._writer.drain()


def _plain(packed: str) -> str:
    try:
        return base64.b64decode(packed, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise ValueError("no base64") from problem
