"""The set-up page of a board that has no enrolment: over its own access point a person pastes the
enrolment, and says the Wi-Fi. Plain HTTP, on the board's own network, until it is enrolled."""

import asyncio
import json

from coinslot_fw.config import EnrolmentError, checked

BODY_MAX = 4096
PAGE = """<!doctype html><meta name=viewport content="width=device-width"><title>Set up</title>
<form method=post><p>%s<p><label>Enrolment<br><textarea name=e rows=8 cols=40></textarea></label>
<p><label>Wi-Fi <input name=s></label><p><label>Password <input name=p type=password></label>
<p><button>Save</button></form>"""


def fields_of(body):
    """The fields of a form, by name."""
    found = {}
    for pair in body.split("&"):
        name, _, value = pair.partition("=")
        found[name] = _plain(value.replace("+", " "))
    return found


def _plain(text):
    raw, index = bytearray(), 0
    while index < len(text):
        if text[index] == "%":
            raw.append(int(text[index + 1 : index + 3], 16))
            index += 3
        else:
            raw += text[index].encode()
            index += 1
    return raw.decode()


class Setup:
    """`take(enrolment, ssid, password)` keeps what was said; then the board starts anew."""

    def __init__(self, take):
        self._take = take
        self.done = asyncio.Event()

    async def answer(self, reader, writer):
        try:
            line = await asyncio.wait_for(reader.readline(), 5)
            length = 0
            while True:
                head = await asyncio.wait_for(reader.readline(), 5)
                if head in (b"\r\n", b"\n", b""):
                    break
                name, _, value = head.decode().partition(":")
                if name.lower() == "content-length":
                    length = min(int(value), BODY_MAX)
            said = "Paste the enrolment of this machine."
            if line.startswith(b"POST"):
                body = await asyncio.wait_for(reader.readexactly(length), 5)
                said = self.taken(body.decode())
            page = (PAGE % said).encode()
            head = "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n"
            writer.write((head % len(page)).encode() + page)
            await writer.drain()
        except (OSError, EOFError, ValueError, asyncio.TimeoutError):
            pass
        writer.close()

    def taken(self, body):
        """What the page says of a form that was sent."""
        try:
            fields = fields_of(body)
            enrolment = checked(json.loads(fields.get("e", "")))
        except (ValueError, EnrolmentError):
            return "This is no enrolment. Nothing was changed."
        self._take(enrolment, fields.get("s", ""), fields.get("p", ""))
        self.done.set()
        return "Saved. The machine starts anew."
