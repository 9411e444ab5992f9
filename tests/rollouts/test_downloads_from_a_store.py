"""Images in an S3-compatible store: a machine loads from it by a signed address that ends, and we
read no more of it than a machine asks us for."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from coinslot.kit.secrets import Secret
from coinslot.rollouts import downloads
from coinslot.rollouts.downloads import NoDownloadError
from coinslot.storage.s3 import Bucket, S3Storage
from tests.rollouts.fleet import FAST, Fleet
from tests.rollouts.strict_store import KEY_ID, REGION, SECRET, StrictStore, strict_store

IMAGE = bytes(range(256)) * 2048  # half a megabyte


@pytest.fixture
async def store(fleet: Fleet) -> AsyncIterator[StrictStore]:
    context = fleet.stage.context
    async with strict_store(fleet.stage.clock.now) as made:
        bucket = Bucket(
            endpoint=made.url, name="kept", region=REGION, key_id=KEY_ID, secret=Secret(SECRET),
            devices_endpoint=made.url,
        )  # fmt: skip
        context.storage = storage = S3Storage(bucket, fleet.stage.clock)
        yield made
        await storage.close()


async def offered(fleet: Fleet, attempt_s: float = 300) -> str:
    """The name of the address that a machine was told."""
    (code,) = await fleet.add(1)
    fleet.machines[code].deaf = True
    rules = type(FAST)(soak_s=600, soak_vends=4, downloads=50, attempt_s=attempt_s)
    await fleet.roll_out(await fleet.upload_image(IMAGE), rules)
    await fleet.settle()
    url = next(m["manifest_url"] for m in fleet.line.sent if "manifest_url" in m)
    return str(url).rpartition("/")[2]


async def signed_url(fleet: Fleet, name: str) -> str:
    found = await downloads.download(fleet.stage.context, name)
    assert found.image_url is not None
    return found.image_url


async def test_a_machine_loads_from_the_store_whole_and_from_a_byte_on(
    fleet: Fleet, store: StrictStore
) -> None:
    url = await signed_url(fleet, await offered(fleet))
    async with httpx.AsyncClient() as machine:
        assert (await machine.get(url)).content == IMAGE
        rest = await machine.get(url, headers={"range": "bytes=500000-"})
        assert (rest.status_code, rest.content) == (206, IMAGE[500_000:])


async def test_a_changed_address_is_refused_and_writes_nothing(
    fleet: Fleet, store: StrictStore
) -> None:
    url = await signed_url(fleet, await offered(fleet))
    before = dict(store.objects)
    async with httpx.AsyncClient() as stranger:
        for wrong in (
            url.replace("X-Amz-Expires=300", "X-Amz-Expires=600000"),
            url.replace("/kept/pictures/", "/kept/others/"),
            url.replace(".bin", ".bim"),
            url.partition("?")[0],
            url[:-1] + ("0" if url[-1] != "0" else "1"),
        ):
            assert wrong != url
            assert (await stranger.get(wrong)).status_code == 403, wrong
        assert (await stranger.put(url, content=b"mine")).status_code == 403
        assert (await stranger.delete(url)).status_code == 403
    assert store.objects == before


async def test_an_address_ends_with_the_attempt_and_within_the_hour_whatever_is_longer(
    fleet: Fleet, store: StrictStore
) -> None:
    name = await offered(fleet, attempt_s=7200)
    url = await signed_url(fleet, name)
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["3600"]
    fleet.stage.clock.advance(timedelta(seconds=3599))
    async with httpx.AsyncClient() as machine:
        assert (await machine.get(url)).status_code == 200
        fleet.stage.clock.advance(timedelta(seconds=2))
        assert (await machine.get(url)).status_code == 403
        again = await signed_url(fleet, name)  # the manifest is asked again
        assert (await machine.get(again)).status_code == 200
    fleet.stage.clock.advance(timedelta(seconds=3000))
    short = await signed_url(fleet, name)
    assert parse_qs(urlsplit(short).query)["X-Amz-Expires"] == ["599"]
    fleet.stage.clock.advance(timedelta(seconds=600))
    with pytest.raises(NoDownloadError):
        await downloads.download(fleet.stage.context, name)


async def test_a_part_that_is_asked_from_us_is_all_that_we_read(
    fleet: Fleet, store: StrictStore
) -> None:
    found = await downloads.download(fleet.stage.context, await offered(fleet))
    store.asked.clear()
    part = await downloads.part(fleet.stage.context, found, "bytes=1000-1009")
    assert (part.body, part.content_range) == (IMAGE[1000:1010], f"bytes 1000-1009/{len(IMAGE)}")
    assert store.asked == [("GET", "bytes=1000-1009", 206, 10)]


async def test_an_image_that_the_store_cut_off_is_not_given_as_whole(
    fleet: Fleet, store: StrictStore
) -> None:
    found = await downloads.download(fleet.stage.context, await offered(fleet))
    (path,) = store.objects
    store.objects[path] = IMAGE[: len(IMAGE) // 2]
    for header in (None, f"bytes={len(IMAGE) - 10}-", f"bytes={len(IMAGE) // 2 - 5}-"):
        with pytest.raises(NoDownloadError):
            await downloads.part(fleet.stage.context, found, header)
