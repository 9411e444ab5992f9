"""Signed addresses: those of Amazon's own example and of Amazon's own library."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from coinslot.kit.clock import SettableClock
from coinslot.kit.secrets import Secret
from coinslot.storage.folder import FolderStorage
from coinslot.storage.s3 import Bucket, S3Storage, signed_address

NAME = f"{'a' * 64}.bin"
AT = datetime(2013, 5, 24, tzinfo=UTC)
KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
HOUR = timedelta(hours=1)


def bucket(region: str = "us-east-1", devices: str | None = "https://files.example.com") -> Bucket:
    return Bucket(
        endpoint="http://minio:9000", name="kept", region=region, key_id=KEY_ID,
        secret=Secret(SECRET), devices_endpoint=devices,
    )  # fmt: skip


def test_an_address_is_that_of_the_example_in_the_documentation_of_s3() -> None:
    url = "https://examplebucket.s3.amazonaws.com/test.txt"
    assert signed_address(bucket(), url, AT, timedelta(days=1)) == (
        f"{url}?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


@pytest.mark.parametrize("region", ["us-east-1", "ru-central1"])
@pytest.mark.parametrize("endpoint", ["https://s3.example.com", "http://127.0.0.1:9000"])
def test_an_address_is_that_of_botocore(region: str, endpoint: str) -> None:
    ours = S3Storage(bucket(region, endpoint), SettableClock(AT)).address(NAME, HOUR)
    assert ours is not None
    url = urlsplit(ours)
    query = dict(parse_qsl(url.query))
    signature = query.pop("X-Amz-Signature")
    asked = AWSRequest(method="GET", url=ours.partition("?")[0], params=query)
    asked.headers["host"] = url.netloc
    asked.context["timestamp"] = query["X-Amz-Date"]
    judge = S3SigV4QueryAuth(Credentials(KEY_ID, SECRET), "s3", region)
    to_sign = judge.string_to_sign(asked, judge.canonical_request(asked))
    assert signature == judge.signature(to_sign, asked)
    assert query["X-Amz-Credential"] == judge.scope(asked)


def test_an_address_lives_for_a_week_at_most_and_for_a_second_at_least() -> None:
    storage = S3Storage(bucket(), SettableClock(AT))
    for life, seconds in ((HOUR, "3600"), (timedelta(days=30), "604800"), (-HOUR, "1")):
        url = storage.address(NAME, life)
        assert url is not None
        assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == [seconds]


def test_an_address_leads_where_machines_reach_the_store_and_there_is_none_elsewhere() -> None:
    url = S3Storage(bucket(), SettableClock(AT)).address(NAME, HOUR)
    assert url is not None
    assert url.startswith(f"https://files.example.com/kept/pictures/{NAME}?")
    assert SECRET not in url
    assert S3Storage(bucket(devices=None), SettableClock(AT)).address(NAME, HOUR) is None


def test_a_folder_has_no_addresses(tmp_path: object) -> None:
    assert FolderStorage(tmp_path).address(NAME, HOUR) is None  # type: ignore[arg-type]
