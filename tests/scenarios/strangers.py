"""What nobody of ours would send: forged webhooks, a last will for another machine, garbage."""

import asyncio
import json

import httpx

from coinslot.kit.secrets import hmac_hex

NESTED = b'{"type": "RESULT", "evidence": ' + b"[" * 3_000 + b"]" * 3_000 + b"}"
GARBAGE = (
    b"",
    b"\xff\xfe\x00",
    b'{"type": "RESULT"',
    b"[" * 8_000,
    NESTED,
    b'{"type": "RESULT", "unit_id": "none", "journal_id": "j", "event_seq": -1}',
    json.dumps({"type": "HELLO", "journal_id": "j" * 20_000}).encode(),
)
# As a Socket.IO machine would have to say it.
PACKETS = (
    '2["vend"]',
    '2["vend",17]',
    '2["vend",{"type":"RESULT"}]',
    '2["machine:done",{"orderId":{},"status":"MAYBE"}]',
)


class Postman:
    """Brings webhooks to a URL, signed with whatever is at hand."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http, self._url = http, url

    async def brings(
        self, body: bytes, signature: str | None, path: str = "razorpay/asha"
    ) -> tuple[int, str]:
        """The status, and the code in the one format: of a refusal, or that it was taken."""
        headers = {} if signature is None else {"X-Razorpay-Signature": signature}
        url = f"{self._url}/webhooks/{path}"
        answer = await self._http.post(url, content=body, headers=headers)
        said = answer.json()
        if answer.is_success:
            assert said["success"] is True
            return answer.status_code, said["code"]
        wrong = said
        assert wrong["success"] is False
        assert set(wrong["error"]) == {"code", "message", "details", "timestamp", "requestId"}
        return answer.status_code, wrong["error"]["code"]


def signed(secret: str, body: bytes) -> str:
    return hmac_hex(secret.encode(), body)


async def die_with_will(port: int, login: tuple[str, str], topic: str, payload: bytes) -> None:
    """A machine that asks the broker to say this when it is gone, and then cuts the line."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    fields = [b"dying-machine", topic.encode(), payload, *(word.encode() for word in login)]
    body = b"\x00\x04MQTT\x04" + bytes([0b11001110]) + b"\x00\x3c"  # will at QoS 1, clean session
    body += b"".join(len(field).to_bytes(2, "big") + field for field in fields)
    length = bytes([len(body) % 128 | 128, len(body) // 128])
    writer.write(b"\x10" + length + body)
    await reader.read(4)  # it may let the machine in without its will, or not at all
    writer.transport.abort()
