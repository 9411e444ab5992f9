"""Multipart forms of strangers: whatever charset a part names, it is read as UTF-8, and costs what
its length costs."""

import time
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from tests.console.conftest import a_browser, signed_in
from tests.people.conftest import Staffed

OPEN = ("/console/sign-in", "/console/forgot", "/console/reset", "/console/join",
        "/console/first-run", "/console/confirm-address")  # fmt: skip
MINE = {"sec-fetch-site": "same-origin", "content-type": "multipart/form-data; boundary=b"}


def part(name: str, content: bytes, kind: str = "text/plain") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    return head.encode() + content + b"\r\n"


@pytest.mark.parametrize("path", OPEN)
async def test_no_part_is_decoded_by_a_charset_that_takes_minutes(
    staffed: Staffed, path: str
) -> None:
    """A quarter of a megabyte in `punycode` took half a minute, in which nothing else ran."""
    body = part("login", b"9" * 60_000, "text/plain; charset=punycode") + b"--b--"
    began = time.process_time()
    answer = await a_browser(staffed).client.post(path, content=body, headers=MINE)
    assert time.process_time() - began < 1
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("kind", "content", "status"),
    [
        ("text/plain; charset=UTF-8", "आशा".encode(), 401),
        ("text/plain; charset=utf-7", b"+AGEAYg-", 401),
        ("text/plain; charset=zlib", b"x", 401),
        ("text/plain; charset=no-such", b"x", 401),
        ("text/plain; charset=unicode_escape", rb"\ud800", 401),
        ("text/plain", b"\xff\xfe", 400),
    ],
)
async def test_text_that_is_no_utf_8_is_refused_and_is_no_fault_of_ours(
    staffed: Staffed, kind: str, content: bytes, status: int
) -> None:
    body = part("login", content, kind) + part("password", b"x") + b"--b--"
    answer = await a_browser(staffed).client.post("/console/sign-in", content=body, headers=MINE)
    assert answer.status_code == status
    if status == 401:
        assert "UTF" not in answer.text


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; b"]
)
async def test_a_form_without_a_boundary_is_refused(staffed: Staffed, kind: str) -> None:
    answer = await a_browser(staffed).client.post(
        "/console/sign-in", content=b"--b--", headers={**MINE, "content-type": kind}
    )
    assert answer.status_code == 400


async def test_files_and_fields_of_one_name_come_as_they_were_sent(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    page = await asha.look("/console/settings/brand")
    assert page.status_code == 200
    body = part("do", b"look") + part("name", "Ашины автоматы".encode()) + b"--b--"
    shown = await asha.client.post("/console/settings/brand", content=body, headers=MINE)
    assert (shown.status_code, "Ашины автоматы" in shown.text) == (200, True)


async def test_files_of_somebody_who_is_not_signed_in_are_not_kept(staffed: Staffed) -> None:
    """Ten megabytes each, of anybody, were read into memory to be thrown away."""
    head = b'--b\r\nContent-Disposition: form-data; name="picture"; filename="x"\r\n\r\n'

    async def body() -> AsyncIterator[bytes]:
        yield part("name", b"Cola") + head
        for _ in range(125):
            yield b"x" * 64_000
        yield b"\r\n--b--"

    client = a_browser(staffed).client
    tracemalloc.start()
    try:
        answer = await client.post("/console/settings/brand", content=body(), headers=MINE)
        largest = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (answer.status_code, "Cola" in answer.text) == (401, True)
    assert "&#34;picture&#34;" in answer.text  # the page after the sign-in says: choose it again
    assert largest < 4_000_000
