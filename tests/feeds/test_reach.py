"""Calls to addresses that strangers named: nothing inside our own network is ever reached."""

import asyncio
import ssl
from pathlib import Path

import pytest
from aiohttp import web

from coinslot.events.webhooks.safe_http import BadUrlError, SafeHttp, TryOutcome, checked, is_public
from tests.feeds.certificate import certificate
from tests.feeds.conftest import Post
from tests.feeds.receiver import Receiver, receiving

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1",
    "2001:db8::1", "100::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "", "localhost", "127.1",
    # Where clouds tell a machine its secrets: AWS, Google, Azure, Alibaba, Oracle, Scaleway.
    "fd00:ec2::254", "fd20:ce::254", "168.63.129.16", "100.100.100.200", "192.0.0.192",
    "169.254.42.42", "fd00:42::42",
    # The same in other clothes: mapped, by NAT64, 6to4, Teredo, ISATAP.
    "::ffff:168.63.129.16", "64:ff9b::168.63.129.16", "64:ff9b::a9fe:a9fe", "2002:a83f:8110::1",
    "2002:a9fe:a9fe::1", "2001:0:a83f:8110::1", "2606:4700::5efe:169.254.169.254",
    "2606:4700::200:5efe:10.0.0.1", "::168.63.129.16",
    # The rest of IANA's registries.
    "0.1.2.3", "100.127.255.255", "192.0.0.170", "192.31.196.1", "192.52.193.1", "192.88.99.1",
    "192.175.48.1", "198.19.255.255", "239.255.255.255", "2001:2::1", "2001:20::1", "2001:1ff::1",
    "2620:4f:8000::1", "3fff::1", "5f00::1", "4000::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "2606:4700:4700::1111",
    "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::", "168.63.129.15", "168.63.129.17",
    "64:ff9b::168.63.129.17", "2606:4700::5eff:10.0.0.1",
    "100.63.255.255", "100.128.0.1", "2001:200::1", "2606:4700::5efe:8.8.8.8",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_known(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", [a for a in PRIVATE if a and "%" not in a and "l" not in a])
def test_a_url_that_names_such_an_address_is_refused_when_it_is_given(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    if address != "127.1":  # no address to us, but to a resolver: refused when it is called
        with pytest.raises(BadUrlError):
            checked(f"https://{host}/", private=False)
    assert checked(f"https://{host}/", private=True)


def test_plain_http_is_for_tests_alone() -> None:
    with pytest.raises(BadUrlError):
        checked("http://shop.example/", private=False)
    assert checked("http://shop.example/", private=True)


async def told(url: str, addresses: list[str], *, private: bool = False) -> TryOutcome:
    """One POST, where every name resolves to these."""

    async def resolve(_host: str, _port: int) -> list[str]:
        return addresses

    reach = SafeHttp(timeout_s=5, private=private, resolver=resolve)
    try:
        return await reach.post(url, {"webhook-id": "evt_1"}, b"{}")
    finally:
        await reach.close()


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["::1"], ["93.184.216.34", "127.0.0.1"]])
async def test_a_name_that_leads_inside_is_never_connected_to(
    receiver: Receiver, addresses: list[str]
) -> None:
    """One bad address among good ones is enough: the next try might take it."""
    found = await told(receiver.url.replace("127.0.0.1", "rebound.example"), addresses)
    assert (found.status, receiver.got) == (None, [])
    assert "not public" in str(found.failure)


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "127.0.0.1"])
async def test_what_the_systems_resolver_makes_of_a_name_is_looked_at(
    receiver: Receiver, host: str
) -> None:
    reach = SafeHttp(timeout_s=5)
    found = await reach.post(receiver.url.replace("127.0.0.1", host), {}, b"{}")
    await reach.close()
    assert (found.status, receiver.got) == (None, [])
    assert "not public" in str(found.failure)


async def test_a_name_is_resolved_once_and_the_looked_at_address_is_the_one_connected_to(
    receiver: Receiver,
) -> None:
    """A second answer of the resolver, which names another address, is never asked for."""
    asked = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    reach = SafeHttp(timeout_s=5, private=True, resolver=resolve)
    url = receiver.url.replace("127.0.0.1", "shop.example")
    found = await reach.post(url, {"webhook-id": "evt_1"}, b"{}")
    await reach.close()
    assert (found.status, len(asked)) == (204, 1)
    assert receiver.got[0].headers["host"].startswith("shop.example:")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_is_not_followed(
    post: Post, receiver: Receiver, status: int
) -> None:
    async with receiving() as inside:
        receiver.answers_with(status, location=inside.url)
        await post.endpoint(receiver.url, "payment.succeeded")
        await post.paid()
        await post.go()
        assert inside.got == []
    (delivery,) = await post.deliveries()
    assert (delivery["outcome"], delivery["tried"]) == (None, 1)


async def test_tls_verifies_the_name_that_was_given_not_the_address(tmp_path: Path) -> None:
    seen: list[str] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(request.host)
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    server, trusting = certificate(tmp_path, "shop.example")
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server).start()
    port = runner.addresses[0][1]

    async def resolve(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    async def post_to(name: str, tls: ssl.SSLContext | None) -> TryOutcome:
        reach = SafeHttp(timeout_s=5, private=True, resolver=resolve, tls=tls)
        found = await reach.post(f"https://{name}:{port}/", {"webhook-id": "evt_1"}, b"{}")
        await reach.close()
        return found

    assert (await post_to("shop.example", trusting)).status == 204
    assert seen == [f"shop.example:{port}"]
    for other in (await post_to("bank.example", trusting), await post_to("shop.example", None)):
        assert (other.status, "ertificate" in str(other.failure)) == (None, True)
    await runner.cleanup()


async def test_a_server_that_says_nothing_or_never_ends_is_left(receiver: Receiver) -> None:
    async def hang(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError("it waits for ever")

    async def trickle(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(status=500)
        await answer.prepare(request)
        while True:
            await answer.write(b"x")
            await asyncio.sleep(0.05)

    reach = SafeHttp(timeout_s=0.3, private=True)
    receiver.answers = [hang, trickle]
    silent = await reach.post(receiver.url, {"webhook-id": "1"}, b"{}")
    trickling = await reach.post(receiver.url, {"webhook-id": "2"}, b"{}")
    await reach.close()
    assert (silent.status, silent.failure) == (None, "no whole answer within 0.3 s")
    assert (trickling.status, trickling.well) == (500, False)


async def test_a_flood_is_cut_and_its_beginning_is_kept(receiver: Receiver) -> None:
    sent = 0

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        answer = web.StreamResponse(status=200)
        await answer.prepare(request)
        for _ in range(10_000):
            await answer.write(b"\0y" * 4096)
            sent += 8192
        return answer

    receiver.answers = [flood]
    found = await told(receiver.url, ["127.0.0.1"], private=True)
    assert (found.well, len(found.response or "")) == (True, 500)
    assert "\0" not in str(found.response)
    assert sent < 20 * 2**20  # what lay in the buffers of two sockets, of eighty


@pytest.mark.parametrize(
    ("head", "for_ever"),
    [
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
)
async def test_an_answer_of_tiny_pieces_without_end_is_cut_while_others_run(
    head: bytes, for_ever: bytes
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + for_ever * (2**20 // len(for_ever)))
        await reader.read()  # until the other side has had enough
        writer.close()

    turns = 0

    async def run_beside() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    beside = asyncio.create_task(run_beside())
    port = server.sockets[0].getsockname()[1]
    before = turns
    found = await told(f"http://127.0.0.1:{port}/", ["127.0.0.1"], private=True)
    beside.cancel()
    server.close()
    assert "the answer is longer than" in str(found.failure)
    assert turns - before >= 16  # a turn of others for each piece that was read


@pytest.mark.parametrize("said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 99 x\r\n\r\n", b"\0\0\0"])
async def test_an_answer_that_is_no_http_is_a_failure(said: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found = await told(f"http://127.0.0.1:{port}/", ["127.0.0.1"], private=True)
    server.close()
    assert not found.well
    assert found.failure


async def test_nobody_there_is_a_failure() -> None:
    found = await told("http://127.0.0.1:1/", ["127.0.0.1"], private=True)
    assert (found.status, bool(found.failure)) == (None, True)
    gone = SafeHttp(timeout_s=5)
    found = await gone.post("https://nowhere.invalid/", {}, b"{}")
    await gone.close()
    assert "does not resolve" in str(found.failure)
