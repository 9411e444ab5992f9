"""Both drivers keep the same promises: a folder, and a bucket of a real S3-compatible server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from coinslot.kit.clock import SystemClock
from coinslot.kit.secrets import Secret
from coinslot.storage.base import FileNameError, Storage, StorageAwayError
from coinslot.storage.folder import FolderStorage
from coinslot.storage.s3 import Bucket, S3Storage

NAME, OTHER = f"{'a' * 64}-320.webp", f"{'b' * 64}-160.webp"
BUCKET = "coinslot-pictures"
WRONG = (
    "../secrets.json", "/etc/passwd", f"../{NAME}", f"{NAME}/..", "", NAME.upper(),
    f"{'a' * 64}-320.svg", f"{'a' * 64}%2f..-1.webp", f"{NAME}\n", f"{'a' * 63}-320.webp",
)  # fmt: skip


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    import boto3  # here, for every worker of the tests reads this file
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret",
    )  # fmt: skip
    client.create_bucket(Bucket=BUCKET)
    yield f"http://{host}:{port}"
    server.stop()


def bucket(endpoint: str) -> Bucket:
    return Bucket(
        endpoint=endpoint, name=BUCKET, region="us-east-1", key_id="AKIDEXAMPLE",
        secret=Secret("secret"),
    )  # fmt: skip


@pytest.fixture(params=["folder", "s3"])
async def storage(
    request: pytest.FixtureRequest, tmp_path: Path, s3: str
) -> AsyncIterator[Storage]:
    if request.param == "folder":
        yield FolderStorage(tmp_path / "pictures")
        return
    found = S3Storage(bucket(s3), SystemClock())
    yield found
    await found.remove(NAME)
    await found.close()


async def test_what_is_stored_is_read_again_and_gone_when_it_is_removed(storage: Storage) -> None:
    assert await storage.read(NAME) is None
    await storage.put(NAME, b"a picture")
    assert await storage.read(NAME) == b"a picture"
    assert await storage.read(OTHER) is None
    await storage.remove(NAME)
    assert await storage.read(NAME) is None


async def test_a_part_is_read_alone_and_is_short_where_the_file_ends(storage: Storage) -> None:
    body = bytes(range(256)) * 4
    assert await storage.read_part(NAME, 0, 10) is None
    await storage.put(NAME, body)
    for first, end in ((0, 1), (0, 1024), (7, 300), (1023, 1024), (1000, 5000), (1024, 1030)):
        assert await storage.read_part(NAME, first, end) == body[first:end], (first, end)
    assert await storage.read_part(NAME, 2000, 2010) == b""
    assert await storage.read_part(NAME, 5, 5) == b""
    with pytest.raises(FileNameError):
        await storage.read_part(f"../{NAME}", 0, 1)


async def test_each_verb_may_be_repeated(storage: Storage) -> None:
    for _ in range(2):
        await storage.put(NAME, b"a picture")
    assert await storage.read(NAME) == b"a picture"
    for _ in range(2):
        await storage.remove(NAME)


async def test_many_at_once_get_whole_files(storage: Storage) -> None:
    bodies = {f"{digit * 64}-320.webp": digit.encode() * 500_000 for digit in "01234567"}

    async def stored(name: str) -> bytes | None:
        await storage.put(name, bodies[name])
        return await storage.read(name)

    assert await asyncio.gather(*map(stored, bodies)) == list(bodies.values())


async def test_writers_of_one_file_leave_it_whole(tmp_path: Path) -> None:
    storage, body = FolderStorage(tmp_path), bytes(range(256)) * 2000

    async def again() -> bytes | None:
        await storage.put(NAME, body)
        return await storage.read(NAME)

    assert set(await asyncio.gather(*(again() for _ in range(8)))) == {body}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_name_that_is_none_of_ours_leads_nowhere(storage: Storage, wrong: str) -> None:
    for ask in (storage.read(wrong), storage.remove(wrong), storage.put(wrong, b"x")):
        with pytest.raises(FileNameError):
            await ask


async def test_a_folder_that_cannot_be_written_is_a_storage_that_is_away(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, where the folder should be")
    storage = FolderStorage(tmp_path / "taken")
    with pytest.raises(StorageAwayError):
        await storage.put(NAME, b"x")
    with pytest.raises(StorageAwayError):
        await storage.read(NAME)


async def test_a_half_written_file_is_never_seen(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    await storage.put(NAME, b"whole")
    assert [path.name for path in (tmp_path / "aa").iterdir()] == [NAME]


async def test_a_bucket_that_does_not_answer_is_away() -> None:
    storage = S3Storage(bucket("http://127.0.0.1:9"), SystemClock())
    for ask in (
        storage.read(NAME), storage.read_part(NAME, 0, 1), storage.put(NAME, b"x"),
        storage.remove(NAME),
    ):  # fmt: skip
        with pytest.raises(StorageAwayError):
            await ask
    await storage.close()


async def test_a_bucket_that_refuses_is_away_and_not_empty(s3: str) -> None:
    elsewhere = Bucket(
        endpoint=s3, name="nobody-made-this", region="us-east-1", key_id="k", secret=Secret("s")
    )
    storage = S3Storage(elsewhere, SystemClock())
    with pytest.raises(StorageAwayError):
        await storage.put(NAME, b"x")
    await storage.close()
