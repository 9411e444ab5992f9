"""Our signature of a request is the one that Amazon's own library makes."""

from datetime import UTC, datetime

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from coinslot.kit.secrets import Secret
from coinslot.storage.s3 import Bucket, signed

AT = datetime(2026, 11, 29, 12, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("region", ["us-east-1", "ru-central1"])
@pytest.mark.parametrize("endpoint", ["https://s3.example.com", "http://127.0.0.1:9000"])
def test_the_signature_is_that_of_botocore(method: str, region: str, endpoint: str) -> None:
    body = b"a picture" if method == "PUT" else b""
    url = f"{endpoint}/bucket-1/pictures/{'a' * 64}-320.webp"
    ours = signed(
        Bucket(endpoint=endpoint, name="bucket-1", region=region, key_id="AKIDEXAMPLE",
               secret=Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")),
        method, url, body, AT,
    )  # fmt: skip
    asked = AWSRequest(method=method, url=url, data=body)
    asked.headers["host"] = ours["host"]
    asked.headers["x-amz-content-sha256"] = ours["x-amz-content-sha256"]
    asked.headers["x-amz-date"] = ours["x-amz-date"]
    asked.context["timestamp"] = ours["x-amz-date"]
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    judge = S3SigV4Auth(credentials, "s3", region)
    canonical = judge.canonical_request(asked)
    to_sign = judge.string_to_sign(asked, canonical)
    assert ours["authorization"].endswith(judge.signature(to_sign, asked))
    assert f"Credential={judge.scope(asked)}" in ours["authorization"]
